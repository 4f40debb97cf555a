"""Baselines: known deviations of an implementation, each with its reason.

The input is a TOML file.  The output is a `Baseline`, which can be written as such a file again;
equal baselines give equal text.  `overlay` decides what an entry means for a result, and `update`
changes a file without touching what stays.

::

    implementation = "http.client"       # the only implementation to which it applies
    version = "3.11.7"
    runtime = "CPython"
    levels = ["documented"]              # its scope, where that is not all cases

    [[entry]]
    reason = "Signs and blanks are taken as parts of a port number."
    link = "https://github.com/python/cpython/issues/150751"
    expires = 2027-01-31                 # the last day on which the entry applies
    verdict = "NO_ERROR"                 # how the cases fail; not an error of kit or driver
    where = "new"                        # the call, or the key of `wire`, at which they fail
    seen = "an object of class http.client.HTTPConnection"    # what was seen there (`seen`)
    rev = 2                              # of the cases; 1 where it is not given
    case = ["interface.port-in-host.refused.*", "chunked.size-line.sign@cut=bytes"]

    [[entry]]
    reason = "Tunnels are not supported."
    verdict = "any"                      # each case may fail in any way, or pass
    case = "tunnel.*"

One reason often explains failures that look different.  Then each way to fail is a table in
``fails``, with the keys from ``verdict`` on.  ``verdict`` is one word, a list, or ``any``.  An
entry with neither ``where`` nor ``seen`` compares the verdict alone.

A glob is matched against the name of a case: its id, then ``@`` and the setting of a sweep, if any.
A glob without ``@`` matches only the case as it is written, not its variants under a sweep.
"""

import datetime as dt
import fnmatch
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from conformance.cases import JUDGED_LEVELS
from conformance.drivers import Identity
from conformance.judge import FAILURES, Verdict
from conformance.results.bounds import kept_name
from conformance.results.result import Result
from conformance.results.scope import LIMITS, Scope
from conformance.results.seen import seen_in, without_message

ANY = "any"
"""The verdict of a case that may fail in any way, or pass."""
_WILD = re.compile(r"[*?\[]")
_HEADER = re.compile(r"""[ \t]*\[\[[ \t]*(entry|"entry"|'entry')[ \t]*\]\][ \t]*(#.*)?\r?""")
_LINE = 100
"""Characters of a line of a baseline, if its parts are short enough."""


class BaselineError(ValueError):
    """A file is not a valid baseline; the message is one line that names the place."""


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Cases that are known to fail in one way.

    Args:
        case: a glob over names of cases, or several.
        verdict: how each of them fails: a verdict, or several; or `ANY`.
        where: the place at which each of them fails.
        seen: what is seen there, in the form of `seen.normal`.
        rev: the revision of the cases for which this is known; by default 1, and for `ANY` each.
    """

    case: str | list[str]
    verdict: str | list[str]
    where: str = ""
    seen: str = ""
    rev: int | None = None

    @property
    def globs(self) -> tuple[str, ...]:
        """The globs as a list, also if there is only one."""
        return (self.case,) if isinstance(self.case, str) else tuple(self.case)

    @property
    def verdicts(self) -> tuple[str, ...]:
        """The verdicts as a list, also if there is only one."""
        return (self.verdict,) if isinstance(self.verdict, str) else tuple(self.verdict)

    @property
    def is_any(self) -> bool:
        """Whether each case may fail in any way, or pass."""
        return self.verdict == ANY

    @property
    def is_vague(self) -> bool:
        """Whether it compares the verdict alone, although it could compare more."""
        return not self.where and not self.seen and self.verdict not in (Verdict.HANG, ANY)

    @property
    def text(self) -> str:
        """How the cases fail, as text."""
        verdict = " or ".join(self.verdicts)
        text = f"{verdict} at {self.where}" if self.where else verdict
        return f"{text}: {self.seen}" if self.seen else text

    def is_about(self, rev: int) -> bool:
        """Return whether it is about a case at this revision."""
        return (self.is_any and self.rev is None) or rev == (self.rev or 1)

    def covers(self, result: Result) -> bool:
        """Return whether *result* fails in this way."""
        if not result.failed or not (self.is_any or result.verdict in self.verdicts):
            return False
        seen = self.where, without_message(self.seen)
        return not any(seen) or seen == seen_in(result)


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Cases that are known to fail, and why: either *fails*, or *case* with *verdict* and the rest.

    Args:
        reason: why they fail, for a reader of the file.
        link: a URL with further information.
        expires: the last day on which the entry applies.
        fails: the ways in which they fail, if there are several.
    """

    reason: str
    link: str = ""
    expires: dt.date | None = None
    case: str | list[str] = []
    verdict: str | list[str] = []
    where: str = ""
    seen: str = ""
    rev: int | None = None
    fails: list[Failure] = []

    @property
    def failures(self) -> list[Failure]:
        """The ways in which the cases fail."""
        if self.fails:
            return self.fails
        return [msgspec.convert({name: getattr(self, name) for name in FIELDS}, Failure)]


FIELDS = ("verdict", "where", "seen", "rev", "case")
"""The keys of a way to fail, in the order of a file."""


def entry_of(reason: str, link: str, expires: dt.date | None, failures: list[Failure]) -> Entry:
    """Return an entry; with a single way to fail, in the short form."""
    if len(failures) > 1:
        return Entry(reason=reason, link=link, expires=expires, fails=failures)
    (only,) = failures
    return Entry(reason=reason, link=link, expires=expires, **msgspec.structs.asdict(only))


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The known deviations of one implementation.

    Args:
        implementation: the name of the implementation.
        version: the version of the implementation.
        runtime: the name that its interpreter reports; empty if the file does not give one.
        levels: the levels of the cases that it is about; empty for all that are judged.
        select: globs over the ids of the cases that it is about; empty for all.
        exclude: globs over the ids of the cases that it is not about.
        family: the families of the cases that it is about; empty for all.
        cases: the files with a user's own cases that it is about.
        entry: the entries.
    """

    implementation: str = ""
    version: str = ""
    runtime: str = ""
    levels: list[str] = []
    select: list[str] = []
    exclude: list[str] = []
    family: list[str] = []
    cases: list[str] = []
    entry: list[Entry] = []

    @property
    def scope(self) -> Scope:
        """The cases that it is about: a failure of any other is none of its concern."""
        limits = (getattr(self, limit) for limit in LIMITS[1:])
        return Scope(self.levels or JUDGED_LEVELS, *limits)

    def check_is_about(self, identity: Identity) -> None:
        """Check that the baseline is about this implementation and this runtime.

        Raises:
            BaselineError: it is about another implementation or runtime.
        """
        ours = (("implementation", self.implementation), ("runtime", self.runtime))
        theirs = (kept_name(identity.name), kept_name(identity.runtime))
        for (key, own), other in zip(ours, theirs, strict=True):
            if own and other and own != other:
                raise BaselineError(
                    f"is about the {key} {own}, and this is {other}; write one of its own with "
                    "--baseline NEW --update-baseline"
                )


def heads_of(
    scope: Scope, implementation: str, version: str, runtime: str
) -> dict[str, str | list[str]]:
    """Return the keys before the entries; of the scope, those that limit it."""
    levels = [level for level in JUDGED_LEVELS if level in scope.levels]
    limits = {
        "levels": levels if len(levels) < len(JUDGED_LEVELS) else [],
        **{name: list(getattr(scope, name)) for name in LIMITS[1:]},
    }
    return {
        "implementation": implementation,
        "version": version,
        "runtime": runtime,
        **{name: value for name, value in limits.items() if value},
    }


def is_glob(text: str) -> bool:
    """Return whether *text* contains wildcards and so may match several names."""
    return _WILD.search(text) is not None


def matching(glob: str, names: Iterable[str]) -> list[str]:
    """Return the names in *names* that *glob* matches."""
    # The part before `@` and the part after it are compared separately, so that a wildcard in the
    # setting never matches the name of a case without a setting, nor the reverse.
    varied = "@" in glob
    return [name for name in fnmatch.filter(names, glob) if ("@" in name) is varied]


def baseline_source(path: Path) -> str:
    """Return the text of the baseline at *path*, with its line ends.

    Raises:
        BaselineError: it cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise BaselineError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BaselineError(f"{path}: is not UTF-8 at byte {error.start}") from None


def read_baseline(path: Path) -> Baseline:
    """Return the baseline in the file at *path*.

    Raises:
        BaselineError: it cannot be read, or is not a valid baseline.
    """
    return parse_baseline(baseline_source(path), str(path))


def parse_baseline(text: str, name: str = "") -> Baseline:
    """Return the baseline in *text*.

    Args:
        text: the content of a file.
        name: the file, for messages.

    Raises:
        BaselineError: *text* is not a valid baseline.
    """
    place = f"{name}: " if name else ""
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"{place}is not TOML: {error}") from None
    tables.pop("corpus", None)  # earlier versions wrote the digest of the corpus here
    entries = tables.get("entry")
    if isinstance(entries, list):
        for index, table in enumerate(entries):
            problem = _entry_problem(table)
            if problem:
                raise BaselineError(f"{place_of(text, name, index)}: {problem}")
    try:
        found = msgspec.convert(tables, Baseline)
    except msgspec.ValidationError as error:
        raise BaselineError(f"{place}{error}") from None
    for level in found.levels:
        if level not in JUDGED_LEVELS:
            raise BaselineError(f"{place}levels: {level!r} is none of {', '.join(JUDGED_LEVELS)}")
    return found


def _entry_problem(table: object) -> str:
    """Return what is wrong with an entry; empty if it is valid."""
    try:
        entry = msgspec.convert(table, Entry)
    except msgspec.ValidationError as error:
        return str(error)
    given = sorted(set(FIELDS) & set(table)) if isinstance(table, dict) else []
    if entry.fails and given:
        return f"fails: is given, and so is {given[0]}; move it into a table of fails"
    if not entry.reason.strip():
        return "reason: is empty; say why these cases fail"
    for index, failure in enumerate(entry.failures):
        if problem := _failure_problem(failure):
            return f"fails[{index}]: {problem}" if entry.fails else problem
    return ""


def _failure_problem(failure: Failure) -> str:
    if not failure.globs or not all(failure.globs):
        return "case: names no case; give an id, a glob, or a list of these"
    known = f"those are {', '.join(sorted(FAILURES))}, and {ANY} alone"
    if not failure.verdicts:
        return f"verdict: is empty; give a failing verdict: {known}"
    odd = [one for one in failure.verdicts if one not in FAILURES]
    if odd and not failure.is_any:
        return f"verdict: {odd[0]!r} is not a failing verdict; {known}"
    if failure.rev is not None and failure.rev < 1:
        return "rev: is less than 1"
    return ""


def entry_lines(text: str) -> list[int]:
    """Return the index of the line at which each ``[[entry]]`` of *text* begins."""
    lines = text.split("\n")
    found = [index for index, line in enumerate(lines) if _HEADER.fullmatch(line)]
    if '"""' in text or "'''" in text:
        return [index for index in found if _is_toml("\n".join([*lines[:index], ""]))]
    return found


def _is_toml(text: str) -> bool:
    """Return whether *text* is TOML, and so does not end inside a text of several lines."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def place_of(text: str, name: str, index: int, glob: str = "") -> str:
    """Return the place of an entry, as ``FILE:LINE``.

    Args:
        text: the content of the file.
        name: the file; empty if unknown.
        index: the index of the entry.
        glob: a glob of the entry whose own line is given, if it has one.
    """
    starts = entry_lines(text)
    if index >= len(starts):  # entries that are written in another form
        return f"{name}: entry {index + 1}" if name else f"entry {index + 1}"
    lines = text.split("\n")
    end = starts[index + 1] if index + 1 < len(starts) else len(lines)
    quoted = (f'"{glob}"', f"'{glob}'")
    of_entry = range(starts[index], end) if glob else ()
    at = next((at for at in of_entry if any(one in lines[at] for one in quoted)), starts[index])
    return f"{name}:{at + 1}" if name else f"line {at + 1}"


def baseline_text(baseline: Baseline) -> str:
    """Return *baseline* as the text of a file."""
    heads = heads_of(baseline.scope, baseline.implementation, baseline.version, baseline.runtime)
    lines = [
        f"{name} = {_value(value)}" for name, value in heads.items() if value or name != "runtime"
    ]
    title = f"# Known deviations of {baseline.implementation} {baseline.version}".rstrip()
    return "\n\n".join(["\n".join([title, *lines]), *map(entry_text, baseline.entry)]) + "\n"


def entry_text(entry: Entry) -> str:
    """Return *entry* as the text of a table, without a line end."""
    lines = ["[[entry]]", f"reason = {_value(entry.reason)}"]
    if entry.link:
        lines.append(f"link = {_value(entry.link)}")
    if entry.expires is not None:
        lines.append(f"expires = {entry.expires.isoformat()}")
    if entry.fails:
        return "\n".join([*lines, "fails = [", *map(failure_text, entry.fails), "]"])
    (only,) = entry.failures
    return "\n".join([*lines, *_pairs(only), f"case = {_globs(only, 'case = ')}"])


def failure_text(failure: Failure) -> str:
    """Return *failure* as an item of ``fails``, with its indentation and a comma."""
    text = ", ".join([*_pairs(failure), "case = "])
    return f"  {{ {text}{_globs(failure, text, '  ')} }},"


def _pairs(failure: Failure) -> Iterator[str]:
    """Yield the keys and values of *failure* but its globs."""
    for name in ("verdict", "where", "seen", "rev"):
        value = getattr(failure, name)
        if value and not (name == "rev" and value == 1):
            yield f"{name} = {_value(value)}"


def _globs(failure: Failure, before: str, indent: str = "") -> str:
    """Return the globs of *failure* as a value: one for each line if one line is too short."""
    if len(failure.globs) == 1:
        return _value(failure.globs[0])
    line = _value(list(failure.globs))
    if len(before + line) <= _LINE:
        return line
    return "[\n" + "".join(f"{indent}  {_value(glob)},\n" for glob in failure.globs) + f"{indent}]"


def _value(value: object) -> str:
    """Return *value*, a text, a number or a list of texts, as TOML."""
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return str(value) if isinstance(value, int) else _string(str(value))


def _string(text: str) -> str:
    """Return *text* as a TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    plain = "".join(
        one
        if one.isprintable()
        else f"\\U{ord(one):08x}"
        if ord(one) > 0xFFFF
        else f"\\u{ord(one):04x}"
        for one in escaped
    )
    return f'"{plain}"'
