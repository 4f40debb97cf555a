"""The registry of clients: what each is, how it is found, started and read, and who brings it.

All of it is data in ``registry.toml``, next to this file; the tables of errors are there as well. A
client names a driver, the way in which clients of its language are driven::

    [driver.ruby]
    language = "Ruby"
    run = ["ruby", "{here}/ruby/driver.rb", "{adapter}"]

    [client.ruby-excon]
    driver = "ruby"
    module = "excon"
    debian = ["ruby-excon"]

In `run`, `build` and `version`, a word in braces is replaced: ``{adapter}``, ``{module}`` and
``{package}`` by those of the client, ``{python}`` by this interpreter, ``{npm}`` by the directory
with ``node_modules``, ``{wheels}`` by that with the packages of PyPI, ``{here}`` by this directory,
``{kits}`` by that of the driver kits, ``{built}`` by the directory of what was built, ``{memory}``
by the limit of memory, ``{url}``, ``{head}``, ``{out}``, ``{directory}``, ``{proxy}`` and ``{ca}``
by those of a case.
"""

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import msgspec

from conformance.drivers.base import UnknownImplementation
from conformance.wording import Category, near_clause

HERE = Path(__file__).parent
REGISTRY = HERE / "registry.toml"


class RegistryError(ValueError):
    """The registry is not valid; the message is one line that names the place."""


class ErrorTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From the errors of a language, or of one client, to categories.

    Args:
        rows: patterns for ``class: message`` of an error or of one that caused it, each with a
            category; the first row that matches decides. An error without a row has no category.
        families: the classes of errors that users have to expect; an error of no such class is a
            leak. Without families, only a row makes a leak.
        rest: the category of an error that no row matches, where no class gives what is expected.
    """

    rows: list[tuple[str, Category | Literal["leak"]]]
    families: list[str] = []
    rest: Category | Literal["leak", ""] = ""

    def category(self, error: Mapping[str, Any], families: Iterable[str] = ()) -> str:
        """Return the category of *error*, as a driver reports it; empty if it does not show one.

        Args:
            error: its class, bases, message and causes.
            families: further classes that users of this client have to expect.
        """
        classes = {error["class"], *error.get("bases", ())}
        expected = {*self.families, *families}
        if expected and not expected & classes:
            return "leak"
        texts = [f"{error['class']}: {error.get('message', '')}", *error.get("causes", ())]
        for pattern, name in self.rows:
            if any(re.search(pattern, text) for text in texts):
                return name
        return self.rest


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the clients of a language are driven.

    Args:
        language: the language of the clients.
        run: the command of the driver; each client of the kind ``command`` has its own.
        kind: ``protocol``, a program that speaks the driver protocol; ``lines``, one that speaks
            the protocol of lines; ``command``, one that is run for each case.
        build: the commands that build it, in a directory outside the project.
        probe: a command that gets names of modules, and prints each that is there, with its
            version, on a line; without it, a program is asked for its version.
        version: the command that prints the version, if the program's ``--version`` does not.
        debian: the packages of Debian that bring the language.
        errors: the name of the table of errors.
        ops: the ops of its clients.
    """

    language: str = ""
    run: list[str] = []
    kind: Literal["protocol", "lines", "command"] = "protocol"
    build: list[list[str]] = []
    probe: list[str] = []
    version: list[str] = []
    debian: list[str] = []
    errors: str = ""
    ops: list[str] = msgspec.field(default_factory=lambda: ["fetch"])


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A client, as the registry describes it.

    Args:
        driver: the name of its driver.
        engine: the library that parses responses; ``own`` if it is the client's.
        about: what is driven.
        reads: how the content is read.
        hides: what its interface does not report.
        language: its language, if not that of its driver.
        adapter: what its driver calls it; by default its name.
        module: what the probe of its driver asks for.
        run: the command that is run for each case.
        direct: options of that command where it uses no proxy.
        proxied: options where it uses the proxy ``{proxy}``.
        trusting: options where it trusts the authority in the file ``{ca}``.
        build: commands in addition to those of its driver.
        version: the command that prints its version, if the first word of `run` does not with
            ``--version``.
        debian: packages of Debian that bring it.
        pypi: requirements that bring it from PyPI.
        npm: requirements that bring it from npm.
        alone: whether these packages need a place that no other client shares.
        reserves: whether its runtime reserves more memory than it uses, so that only what it writes
            to is limited.
        errors: the name of its table of errors, if not that of its driver.
        families: the classes of errors that its users have to expect.
        reported_as: the classes in which its adapter reports what its interface returns as a value.
        answered: the exit codes of a command after a response.
        reader: the name of the function that reads what a command has written.
        sessions: the name of the way in which one run of a command makes several exchanges.
        features: what it can do in a session besides a request with content.
        ops: its ops, if not those of its driver.
        allowance: seconds to its first connection, if not the usual ones.
        traps: what it does besides one plain request.
    """

    driver: str
    engine: str
    about: str = ""
    reads: str = ""
    hides: str = ""
    language: str = ""
    adapter: str = ""
    module: str = ""
    run: list[str] = []
    direct: list[str] = []
    proxied: list[str] = []
    trusting: list[str] = []
    build: list[list[str]] = []
    version: list[str] = []
    debian: list[str] = []
    pypi: list[str] = []
    npm: list[str] = []
    alone: bool = False
    reserves: bool = False
    errors: str = ""
    families: list[str] = []
    reported_as: list[str] = []
    answered: list[int] = msgspec.field(default_factory=lambda: [0])
    reader: str = ""
    sessions: str = ""
    features: list[str] = []
    ops: list[str] = []
    allowance: float = 0.0
    traps: list[str] = []


class Kit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A driver kit: a driver that is copied, and a client that is replaced.

    Args:
        files: what is copied, in the directory of the kits.
        run: the command of the driver, in the directory that has the copies.
        build: the command that builds it there.
    """

    files: list[str]
    run: list[str]
    build: list[str] = []


class Registry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole registry: driver kits, tables of errors, drivers, and clients, by name."""

    kit: dict[str, Kit]
    driver: dict[str, Way]
    errors: dict[str, ErrorTable]
    client: dict[str, Client]

    def way(self, name: str) -> Way:
        """Return how the client *name* is driven."""
        return self.driver[self.client[name].driver]

    def language(self, name: str) -> str:
        """Return the language of the client *name*."""
        return self.client[name].language or self.way(name).language

    def table(self, name: str) -> ErrorTable:
        """Return the table of errors of the client *name*."""
        named = self.client[name].errors or self.way(name).errors
        return self.errors[named] if named else ErrorTable([])

    def chosen(self, pattern: str) -> list[str]:
        """Return the names of the clients that *pattern* selects, in their order.

        Args:
            pattern: a name, a glob of names, or ``language=``, ``engine=`` or ``driver=`` with a
                glob; upper and lower case are the same in these. ``all`` stands for every client.

        Raises:
            UnknownImplementation: it selects none.
        """
        key, equals, wanted = pattern.partition("=")
        if not equals:
            found = [name for name in self.client if fnmatchcase(name, pattern)]
            names = [*self.client] if pattern == "all" else found
            known: Iterable[str] = self.client
            what = f"no client is called {pattern!r}"
        else:
            values = {name: self._value(key, name) for name in self.client}
            names = [
                name for name, value in values.items() if fnmatchcase(value.lower(), wanted.lower())
            ]
            known = sorted({*values.values()})
            what = f"no client has the {key} {wanted!r}"
        if not names:
            listed = "; `httplib-kit clients` lists them"
            raise UnknownImplementation(what + near_clause(wanted or pattern, known) + listed)
        return names

    def _value(self, key: str, name: str) -> str:
        values = {
            "language": self.language(name),
            "engine": self.client[name].engine,
            "driver": self.client[name].driver,
        }
        if key not in values:
            keys = ", ".join(f"{one}=" for one in values)
            raise UnknownImplementation(f"clients are not selected by {key!r}: there are {keys}")
        return values[key]


def is_pattern(text: str) -> bool:
    """Return whether *text* selects clients, rather than naming one."""
    return text == "all" or any(one in text for one in "*?[=")


@functools.cache
def registry() -> Registry:
    """Return the registry of the kit.

    Raises:
        RegistryError: its file is not valid.
    """
    return registry_in(REGISTRY.read_text(encoding="utf-8"))


def registry_in(text: str) -> Registry:
    """Return the registry in *text*, in TOML.

    Raises:
        RegistryError: it is not valid, or one of its parts names another that does not exist.
    """
    try:
        found = msgspec.convert(tomllib.loads(text), Registry)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise RegistryError(f"{REGISTRY.name}: {error}") from None
    for name, one in found.client.items():
        if one.driver not in found.driver:
            raise RegistryError(f"{REGISTRY.name}: client.{name}: no driver {one.driver!r}")
        if (one.errors or found.way(name).errors or "none") not in {*found.errors, "none"}:
            raise RegistryError(f"{REGISTRY.name}: client.{name}: no errors.{one.errors}")
        if not found.language(name):
            raise RegistryError(f"{REGISTRY.name}: client.{name}: no language")
        if (found.way(name).kind == "command") != bool(one.run):
            raise RegistryError(f"{REGISTRY.name}: client.{name}: `run` is for commands")
    for name, table in found.errors.items():
        for pattern, _ in table.rows:
            try:
                re.compile(pattern)
            except re.error as error:
                raise RegistryError(f"{REGISTRY.name}: errors.{name}: {error}") from None
    return found


def filled(words: Iterable[str], values: Mapping[str, str]) -> list[str]:
    """Return *words* with the names in braces replaced by their *values*; others stay."""
    return [re.sub(r"\{(\w+)\}", lambda one: values.get(one[1], one[0]), word) for word in words]
