"""Causes: failures that look alike, as one group each.

The input is failing results.  The output is causes, the weightiest first: the number of cases
counts, and a documented case twice as much as a precedent.  One bug of a client fails hundreds of
cases, and a reader should meet it once.

Two failures have one cause if their keys are equal.  A key keeps only the trace of a bug in
every case.  The best trace is a line of the client: an error that is raised there, or a
hang there for the same callers, is one cause in every family and for every call.  Without it, an
error is its class, the call, and its text without literals; a missing error is its class, and the
call if the class says little; a wrong request is the field that differs; any other wrong value is
the call or attribute and the kind of difference, such as a text that is cut.  Only where that says
little, the family is part of the key too.  Ids, numbers and bytes are in no key.

Of a client that is new to the kit, most causes have one or two cases.  The last cause is then all
of these together, so that there are never more than `MOST`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from conformance.cases import DOCUMENTED, LEVELS, STRENGTHS
from conformance.judge import Verdict
from conformance.results.bounds import kept_length
from conformance.results.result import Overlay, Result
from conformance.results.seen import normal, skeleton
from conformance.wording import counted

MOST = 14
"""Causes, of which the last may combine several."""
_WEIGHTS = (*LEVELS, *STRENGTHS)
_FACTORS = dict(zip(_WEIGHTS, (4, 2, 1, 0, 4, 2, 1), strict=True))
_RAISED = frozenset({Verdict.LEAK, Verdict.WRONG_ERROR, Verdict.FALSE_ERROR})
_HUNG = frozenset({Verdict.HANG, Verdict.NOT_RUN})
"""A case that was not waited for, because others had hung at its line, belongs to their cause."""
_CLASS = re.compile(r"(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)")
_TOLERATED = re.compile(r" \(tolerated: [^)]*\)\Z")
_MODULE = re.compile(r"\A(?:[A-Za-z_]\w*\.)+(?=[A-Z]\w*:)")
_NO_NAME = re.compile(r"AttributeError: module .* has no attribute ")
"""The module lacks a name; which one, is the same cause."""
_DETOUR = 300
"""Characters that a reader would rather read than a case that is less plain in one respect."""
_TELLING = {*DOCUMENTED, "LineTooLong", "ValueError"} - {"HTTPException"}
"""Classes of which each is about one mistake of a server or a caller, wherever it is noticed."""
_SAME_EVERYWHERE = frozenset({"getheader", "getheaders", "msg"})
"""Names whose value is looked up: if it is absent, one bug is the reason in every family."""
_PROBE = "interface.has."
"""How the ids of cases begin that look for a name or an argument; all that fail are one cause."""
_CALLERS = 3
"""Lines that are compared of a hang: the innermost may be the one `recv` that all reads share."""
_NAMED = 4
"""Absent names in the text of that cause."""
_LOST = 20
"""The weight of such a failure: the cases that need the name are not run."""
_REQUEST = re.compile(r"\S+ .*?HTTP/1\.[01]\\r\\n")
_LINE_END = r"\r\n"
"""In the text of bytes."""
_LONGEST = 44
"""Characters of a value in the text of a cause."""
_READ = 10 * _LONGEST
"""Characters of a text of which that is made."""

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """Failures with one cause, or with several that have few cases each.

    Args:
        results: the failures, in the order of the run.
        example: the one to read first: there is little to read, and its level is strong.
        parts: the causes that are combined; empty for a single one.
    """

    results: tuple[Result, ...]
    example: Result
    parts: "tuple[Cause, ...]" = ()

    @property
    def weight(self) -> str:
        """The strongest level or strength of its cases."""
        return min((result.weight for result in self.results), key=_WEIGHTS.index)

    @property
    def text(self) -> str:
        """What was seen, in one line; it may contain any character but a line feed."""
        if self.parts:
            return f"{len(self.parts)} other causes, of at most {_cases(self.parts)} each"
        if self.example.id.startswith(_PROBE):
            return _absences(self.results)
        return _text(self.example)


def grouped(failures: Iterable[Result]) -> list[Cause]:
    """Return the causes of *failures*: the weightiest first, then as they appear."""
    groups: dict[Key, list[Result]] = {}
    for result in failures:
        groups.setdefault(cause_key(result), []).append(result)
    found = sorted(map(_cause, groups.values()), key=_rank)
    if len(found) <= MOST:
        return found
    rest = found[MOST - 1 :]
    every = [result for cause in rest for result in cause.results]
    return [*found[: MOST - 1], _cause(every, tuple(rest))]


def _cause(results: Iterable[Result], parts: tuple[Cause, ...] = ()) -> Cause:
    every = tuple(results)
    return Cause(every, min(every, key=_effort), parts)


def _effort(result: Result) -> int:
    """Return how much there is to read before *result* is understood, in characters.

    A broken response costs more than a well-formed one, which has no twin; a documented
    expectation is the easiest to accept.
    """
    shown = len(result.transcript) + sum(map(kept_length, result.octets)) + len(result.seen)
    extra = _WEIGHTS.index(result.weight) + bool(result.twin) + 4 * len(result.setting)
    extra += 1_000 * (result.verdict == Verdict.NOT_RUN)
    return shown + _DETOUR * extra


def _rank(cause: Cause) -> int:
    """Return the position of *cause* among others; a probe that fails costs many other cases."""
    probes = sum(result.id.startswith(_PROBE) for result in cause.results)
    return -sum(_FACTORS[result.weight] for result in cause.results) * (_LOST if probes else 1)


def _cases(parts: Iterable[Cause]) -> str:
    most = max(len(cause.results) for cause in parts)
    return counted(most, "case")


def cause_key(result: Result) -> Key:
    """Return what *result* has in common with every other failure of the same cause."""
    overlay = result.overlay if result.overlay in (Overlay.FLAKY, Overlay.STALE) else ""
    verdict = Verdict.HANG if result.verdict in _HUNG else result.verdict
    verdict = "" if result.id.startswith(_PROBE) else verdict
    return (overlay, verdict, *(_trace(result) if verdict else ()))


def _trace(result: Result) -> Key:
    """Return the trace of the bug in *result*, apart from the verdict."""
    line, called, accepted = _lines(result, 1), _called(result), _accepted(result)
    if result.verdict in _HUNG:
        return _lines(result, _CALLERS) or (called or skeleton(result.reason), result.family)
    if not result.where:
        return (skeleton(result.reason),)
    if result.strength:
        return (result.family, *result.rfc[:1])
    if result.verdict in _RAISED:
        wanted = _class(accepted) if result.verdict == Verdict.WRONG_ERROR else ""
        return (wanted, *(line or (_class(result.seen), *_raised(result, called))))
    if result.verdict == Verdict.NO_ERROR:
        wanted = _raises(result)
        return (wanted,) if wanted in _TELLING else (wanted, called)
    if result.verdict == Verdict.WRONG_CONNECTION:
        return (result.where, *_first_difference(accepted, result.seen))
    if differing := differing_lines(result):
        return ("request", *_name_of(*differing))
    return (called or result.where, *_difference(result))


def _raised(result: Result, called: str) -> Key:
    """Return what an error has in common with others whose line is not known.

    The text of a documented exception is often data of the server.
    """
    if _NO_NAME.search(result.seen):
        return ("module",)
    documented = _class(result.seen) in DOCUMENTED
    return (called,) if documented else (called, skeleton(result.seen))


def _lines(result: Result, most: int) -> Key:
    """Return the innermost lines of the client that are known; empty if none is."""
    return tuple(f"{one.file}:{one.line}" for one in result.frames[:most])


def _called(result: Result) -> str:
    """Return the name of the method or attribute at which *result* failed; empty without a call.

    The name of a built-in function says little, so its first argument is added.
    """
    receiver, _, name = re.split(r"[(=\[]", result.call, maxsplit=1)[0].strip().rpartition(".")
    if receiver == "builtins":
        return f"{name}({re.split('[,)]', result.call.partition('(')[2])[0]})"
    return name


def _class(text: str) -> str:
    """Return the name of the exception class with which *text* begins, without its module."""
    found = _CLASS.match(text)
    return found[1] if found else ""


def _raises(result: Result) -> str:
    """Return the classes of which one must be raised; their other facts are left out."""
    wanted = (one for one in result.accepted if _CLASS.match(one) and one[0].isupper())
    return _short(next(wanted, _accepted(result)).partition(" with ")[0].partition(" (")[0])


def _accepted(result: Result) -> str:
    """Return the text of the first accepted outcome."""
    return _TOLERATED.sub("", result.accepted[0]) if result.accepted else ""


def _difference(result: Result) -> Key:
    """Return in what way the value that was seen differs, and the family if that says little."""
    accepted, seen = _accepted(result), result.seen
    if {accepted, seen} <= {"True", "False", "None"}:
        return accepted, seen
    if re.fullmatch("1[0-9][0-9]", seen):
        return ("interim",)
    quotes = ("'", '"', "b'", 'b"')
    if accepted.startswith(quotes) and seen.startswith(quotes):
        whole, came = accepted.strip("b'\""), seen.strip("b'\"")
        if came and whole.startswith(came):
            return ("cut",)
        if whole.lower() == came.lower():
            return ("case",)
        if whole and came.startswith(whole):
            return "longer", result.family
    if seen in ("None", "''") and _called(result) in _SAME_EVERYWHERE:
        return ("nothing",)
    return ("nothing" if seen in ("None", "''") else "other"), result.family


def differing_lines(result: Result) -> tuple[str, str] | None:
    """Return the first lines in which a request differs from an accepted one: accepted, seen.

    None if it is no request, or if the difference is in the content, or in no line that was kept.
    """
    if result.verdict != Verdict.WRONG_VALUE or not all(map(_REQUEST.match, _both(result))):
        return None
    accepted, seen = (text.split(_LINE_END) for text in _both(result))
    at, pair = next(
        (
            (at, pair)
            for at, pair in enumerate(zip(accepted, seen, strict=False))
            if len({*pair}) > 1
        ),
        (0, None),
    )
    return pair if pair and "" not in (*accepted[1:at], *seen[1:at]) else None


def _both(result: Result) -> tuple[str, str]:
    return _accepted(result).lstrip("[b'"), result.seen.lstrip("[b'")


def _name_of(accepted: str, seen: str) -> Key:
    """Return the name of the field of two lines that differ; of a request line, that it is one."""
    wanted, came = (line.partition(": ")[0] if ": " in line else "" for line in (accepted, seen))
    return ("line",) if not (wanted or came) else (wanted,) if wanted == came else (wanted, came)


def _first_difference(accepted: str, seen: str) -> Key:
    """Return the first words in which two lists differ, with all numbers as one."""
    words = [re.findall(r"\w+", re.sub(r"\d+", "N", text)) for text in (accepted, seen)]
    return next((pair for pair in zip(*words, strict=False) if pair[0] != pair[1]), ())


def _text(result: Result) -> str:
    """Return what was seen in *result*, in a few words."""
    verdict = f"{result.overlay} {result.verdict}".lstrip()
    what = _what(result)
    line = "".join(f" at {PurePath(one.file).name}:{one.line}" for one in result.frames[:1])
    if result.verdict == Verdict.HANG and what:
        callers = ", ".join(str(one.line) for one in result.frames[1:_CALLERS])
        return f"{verdict}: {what} does not return{line}{callers and f', called from {callers}'}"
    if not result.where:
        return f"{verdict}: {_short(result.reason or result.title, 2 * _LONGEST)}"
    seen, accepted = _short(result.seen), _short(_accepted(result))
    if differing := differing_lines(result):
        accepted, seen = (_short(line) or "no line" for line in differing)
        return f"{verdict}: the request has {seen}; accepted: {accepted}"
    if result.strength:
        return f"{verdict}: {seen}; accepted: {accepted}"
    if result.verdict == Verdict.WRONG_ERROR:
        return f"{verdict}: {what} raises {seen}{line}; accepted: {accepted}"
    if result.verdict in _RAISED:
        return f"{verdict}: {what} raises {_short(result.seen, 2 * _LONGEST)}{line}"
    if result.verdict == Verdict.NO_ERROR:
        return f"{verdict}: {what} does not raise {_raises(result)}"
    verb = "returns" if what.endswith(")") else "is"
    return f"{verdict}: {what} {verb} {seen}; accepted: {accepted}"


def _absences(probes: Sequence[Result]) -> str:
    """Return which documented names and arguments the client lacks, as the cases call them."""
    names = ", ".join(one.id.removeprefix(_PROBE) for one in probes[:_NAMED])
    more = f" and {len(probes) - _NAMED} more" if len(probes) > _NAMED else ""
    return f"the client lacks {names}{more}"


def _what(result: Result) -> str:
    """Return the call, the attribute or the fact of the wire at which *result* failed."""
    if result.call.startswith("builtins."):
        return _short(result.call.removeprefix("builtins."), 2 * _LONGEST)
    called = _called(result)
    return f"{called}()" if called and "(" in result.call else called or result.where


def _short(text: str, most: int = _LONGEST) -> str:
    """Return the first line of *text*, shortened, and without the module of a class."""
    text = _MODULE.sub("", normal(text[:_READ]).partition("\n")[0].rstrip(" :"))
    return text if len(text) <= most else f"{text[: most - 1]}…"
