"""Baselines: known deviations of an implementation, each with its reason.

The input is a TOML file.  The output is a `Baseline`, which can be written as such a file again;
equal baselines give equal text.  `overlay` decides what an entry means for a result.

::

    implementation = "http.client"       # the only implementation to which it applies
    version = "3.11.7"
    runtime = "CPython"

    [[entry]]
    verdict = "NO_ERROR"                 # how the cases fail; not an error of kit or driver
    where = "new"                        # the call, or the key of `wire`, at which they fail
    seen = "an object of class http.client.HTTPConnection"    # what was seen there (`seen`)
    reason = "Signs and blanks are taken as parts of a port number."
    link = "https://github.com/python/cpython/issues/150751"
    expires = 2027-01-31                 # the last day on which the entry applies
    rev = 2                              # of the cases; 1 where it is not given
    case = ["interface.port-in-host.refused.*", "chunked.size-line.sign@cut=bytes"]

An entry with neither ``where`` nor ``seen`` compares the verdict alone, as all entries did before
these keys existed.  A glob is matched against the name of a case: its id, then ``@`` and the
setting of a sweep, if any.  A glob without ``@`` matches only the case as it is written, not its
variants under a sweep.
"""

import datetime as dt
import fnmatch
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from conformance.drivers import Identity
from conformance.judge import FAILURES, Verdict
from conformance.results.bounds import kept_name
from conformance.results.result import Result
from conformance.results.seen import seen_in

_HEADS = ("implementation", "version", "runtime")
_WILD = re.compile(r"[*?\[]")


class BaselineError(ValueError):
    """A file is not a valid baseline; the message is one line that names the place."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Cases that are known to fail, and why.

    Args:
        case: a glob over names of cases, or several.
        verdict: how each of them fails.
        where: the place at which each of them fails.
        seen: what is seen there, in the form of `seen.normal`.
        reason: why they fail, for a reader of the file.
        rev: the revision of the cases for which this is known.
        link: a URL with further information.
        expires: the last day on which the entry applies.
    """

    case: str | list[str]
    verdict: str
    reason: str
    where: str = ""
    seen: str = ""
    rev: int = 1
    link: str = ""
    expires: dt.date | None = None

    @property
    def globs(self) -> tuple[str, ...]:
        """The globs as a list, also if there is only one."""
        return (self.case,) if isinstance(self.case, str) else tuple(self.case)

    @property
    def is_vague(self) -> bool:
        """Whether the entry compares the verdict alone, although it could compare more."""
        return not self.where and not self.seen and self.verdict != Verdict.HANG

    @property
    def failure(self) -> str:
        """How the cases fail, as text."""
        text = f"{self.verdict} at {self.where}" if self.where else self.verdict
        return f"{text}: {self.seen}" if self.seen else text

    def covers(self, result: Result) -> bool:
        """Return whether *result* fails as this entry says."""
        if result.verdict != self.verdict:
            return False
        return not (self.where or self.seen) or (self.where, self.seen) == seen_in(result)


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The known deviations of one implementation.

    Args:
        implementation: the name of the implementation.
        version: the version of the implementation.
        runtime: the name that its interpreter reports; empty if the file does not give one.
        entry: the entries.
    """

    implementation: str = ""
    version: str = ""
    runtime: str = ""
    entry: list[Entry] = []

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


def is_glob(text: str) -> bool:
    """Return whether *text* contains wildcards and so may match several names."""
    return _WILD.search(text) is not None


def matching(glob: str, names: Iterable[str]) -> list[str]:
    """Return the names in *names* that *glob* matches."""
    # The part before `@` and the part after it are compared separately, so that a wildcard in the
    # setting never matches the name of a case without a setting, nor the reverse.
    varied = "@" in glob
    return [name for name in fnmatch.filter(names, glob) if ("@" in name) is varied]


def read_baseline(path: Path) -> Baseline:
    """Return the baseline in the file at *path*.

    Raises:
        BaselineError: it cannot be read, or is not a valid baseline.
    """
    try:
        return parse_baseline(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BaselineError(f"{path}: cannot be read: {error.strerror}") from None
    except BaselineError as error:
        raise BaselineError(f"{path}: {error}") from None
    except UnicodeDecodeError as error:
        raise BaselineError(f"{path}: is not UTF-8 at byte {error.start}") from None


def parse_baseline(text: str) -> Baseline:
    """Return the baseline in *text*.

    Raises:
        BaselineError: *text* is not a valid baseline.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"is not TOML: {error}") from None
    tables.pop("corpus", None)  # earlier versions wrote the digest of the corpus here
    entries = tables.get("entry")
    if isinstance(entries, list):
        tables["entry"] = [_entry(index, table) for index, table in enumerate(entries)]
    try:
        return msgspec.convert(tables, Baseline)
    except msgspec.ValidationError as error:
        raise BaselineError(str(error)) from None


def _entry(index: int, table: object) -> Entry:
    try:
        entry = msgspec.convert(table, Entry)
    except msgspec.ValidationError as error:
        raise BaselineError(f"entry {index + 1}: {error}") from None
    problem = _problem(entry)
    if problem:
        raise BaselineError(f"entry {index + 1}: {problem}")
    return entry


def _problem(entry: Entry) -> str:
    """Return what is wrong with an entry beyond its types; empty if it is valid."""
    if entry.verdict not in FAILURES:
        known = ", ".join(sorted(FAILURES))
        return f"verdict: {entry.verdict!r} is not a failing verdict; those are {known}"
    if not entry.globs or not all(entry.globs):
        return "case: names no case"
    if not entry.reason.strip():
        return "reason: is empty"
    if entry.rev < 1:
        return "rev: is less than 1"
    if isinstance(entry.expires, dt.datetime):
        return "expires: is not a date"
    return ""


def baseline_text(baseline: Baseline) -> str:
    """Return *baseline* as the text of a file."""
    heads = [
        f"{name} = {_string(value)}"
        for name in _HEADS
        if (value := getattr(baseline, name)) or name != "runtime"
    ]
    title = f"# Known deviations of {baseline.implementation} {baseline.version}".rstrip()
    blocks = ["\n".join([title, *heads]), *map(_entry_text, baseline.entry)]
    return "\n\n".join(blocks) + "\n"


def _entry_text(entry: Entry) -> str:
    lines = [
        "[[entry]]",
        f"verdict = {_string(entry.verdict)}",
        *(f"{key} = {_string(text)}" for key in ("where", "seen") if (text := getattr(entry, key))),
        f"reason = {_string(entry.reason)}",
    ]
    if entry.link:
        lines.append(f"link = {_string(entry.link)}")
    if entry.expires is not None:
        lines.append(f"expires = {entry.expires.isoformat()}")
    if entry.rev != 1:
        lines.append(f"rev = {entry.rev}")
    if len(entry.globs) == 1:
        lines.append(f"case = {_string(entry.globs[0])}")
    else:
        lines += ["case = [", *(f"  {_string(glob)}," for glob in entry.globs), "]"]
    return "\n".join(lines)


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
