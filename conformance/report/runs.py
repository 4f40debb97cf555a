"""Runs: the input of every report.

The input is result files, or results of a run that has just ended.  The output is `Run` values,
whose enumerated fields have been checked.  The shards of one run are joined.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from conformance.cases import LEVELS, STRENGTHS
from conformance.judge import Verdict
from conformance.report.score import Score, score
from conformance.report.standing import EXIT_ERROR, EXIT_FAILED, TOLD, exit_code, standing
from conformance.results import (
    Cause,
    Clipped,
    Kept,
    Overlay,
    Result,
    RunHead,
    Shard,
    grouped,
    kept_length,
    read_results,
)


class NoReport(ValueError):
    """There is nothing to report; the message is one line with the reason."""


@dataclass(frozen=True, slots=True)
class Run:
    """The results of one implementation.

    Args:
        head: the implementation under test and the corpus.
        results: a result for each case, in the order of the corpus.
    """

    head: RunHead
    results: Sequence[Result]

    @property
    def is_absent(self) -> bool:
        """Whether the implementation is not installed."""
        return all(result.verdict == Verdict.NOT_INSTALLED for result in self.results)

    @property
    def is_client(self) -> bool:
        """Whether it was judged in the client profile."""
        return any(result.strength for result in self.results)

    @property
    def score(self) -> Score:
        """The score: how many judged cases pass, and what was not run."""
        return score(self.results, self.head.unreached)

    @property
    def causes(self) -> list[Cause]:
        """The causes of what failed; a case under sweeps counts with its smallest settings."""
        return causes_of(self.results)

    @property
    def exit_code(self) -> int:
        """The exit code that `check` returns for this run; an incomplete run counts as an error."""
        code = exit_code(self.results, fail_on_flaky=self.head.fail_on_flaky)
        if self.head.incomplete:
            return EXIT_ERROR
        return EXIT_FAILED if self.head.stale and code != EXIT_ERROR else code


def causes_of(results: Iterable[Result]) -> list[Cause]:
    """Return the causes of what failed; a case under sweeps counts with its smallest settings.

    Cases that were not waited for, because others had hung at the same lines, count as well.
    """
    return grouped(
        one
        for one in results
        if (standing(one) in TOLD or (one.verdict == Verdict.NOT_RUN and one.frames))
        and not one.within
    )


def read_runs(paths: Iterable[Path]) -> list[Run]:
    """Return the runs in the files at *paths*; shards of one implementation become one run.

    If lines or shards of a run are missing, its head says so.

    Raises:
        NoReport: a file is not a result file, two files contain the same case or the same shard, or
            the files differ in kit, corpus or settings.
    """
    found: dict[tuple[str, ...], list[_Part]] = {}
    first: _Part | None = None
    for path, head, results in _read_all(paths):
        part = _Part(path, head, results)
        first = first or part
        for field in ("corpus", "kit"):
            _check_same(first, part, field)
        _check_names(part)
        found.setdefault((head.implementation, head.name, head.version), []).append(part)
    return [_joined(parts) for parts in found.values()]


@dataclass(frozen=True, slots=True)
class _Part:
    """A run as one file contains it."""

    path: Path
    head: RunHead
    results: list[Result]


_OWN = frozenset(
    {"shard", "cases", "stale", "incomplete", "unreached", "among", "requirements", "started"}
)
"""Fields of the head that may differ between two parts of one run."""


def _joined(parts: Sequence[_Part]) -> Run:
    """Return the run whose shards, or whose only part, are *parts*."""
    first = parts[0]
    if len(parts) == 1:
        return Run(first.head, first.results)
    shards: dict[int, _Part] = {}
    for part in parts:
        for field in RunHead.__struct_fields__:
            if field not in _OWN:
                _check_same(first, part, field)
        if not part.head.shard:
            raise NoReport(f"{part.path}: has {part.head.implementation} again, and is not a shard")
        index, count = _shard(part)
        if count != _shard(first)[1]:
            raise NoReport(
                f"{part.path}: is shard {part.head.shard}, and {first.path} is {first.head.shard}"
            )
        other = shards.setdefault(index, part)
        if other is not part:
            raise NoReport(f"{part.path}: is shard {part.head.shard} again, as {other.path} is")
    ordered = [shards[index] for index in sorted(shards)]
    missing = [f"{index}/{count}" for index in range(1, count + 1) if index not in shards]
    gaps = [f"shard {part.head.shard}: {part.head.incomplete}" for part in ordered]
    gaps = [gap for gap, part in zip(gaps, ordered, strict=True) if part.head.incomplete]
    gaps += [f"missing: shard {', '.join(missing)}"] if missing else []
    head = msgspec.structs.replace(
        ordered[0].head,
        shard="",
        cases=sum(part.head.cases for part in ordered),
        unreached=sum(part.head.unreached for part in ordered),
        stale=[line for part in ordered for line in part.head.stale],
        incomplete="; ".join(gaps),
    )
    return Run(head, [result for part in ordered for result in part.results])


def _shard(part: _Part) -> tuple[int, int]:
    try:
        one = Shard.of(part.head.shard)
    except ValueError as error:
        raise NoReport(f"{part.path}: {error}") from None
    return one.index, one.count


def _check_same(first: _Part, other: _Part, field: str) -> None:
    """Check that the heads of two files have the same value of *field*."""
    here, there = getattr(other.head, field), getattr(first.head, field)
    if here != there:
        raise NoReport(
            f"{other.path}: made with {field} {_said(here)}, and {first.path} with {_said(there)}; "
            "report on them one by one"
        )


def _said(value: object) -> str:
    if isinstance(value, list | dict):
        return ", ".join(value) or "none"
    return str(value) or "none"


def _check_names(part: _Part) -> None:
    """Check that a part contains no case twice, and no case of another shard."""
    shard = Shard(*_shard(part)) if part.head.shard else None
    names: set[str] = set()
    for result in part.results:
        if result.name in names:
            raise NoReport(f"{part.path}: has {result.name} again")
        names.add(result.name)
        if shard is not None and not shard.has(result.id):
            raise NoReport(f"{part.path}: {result.name} is not of shard {part.head.shard}")


def _read_all(paths: Iterable[Path]) -> Iterator[tuple[Path, RunHead, list[Result]]]:
    for path in paths:
        for head, results in _read(path):
            yield path, head, [_checked(path, result) for result in results]


def _read(path: Path) -> list[tuple[RunHead, list[Result]]]:
    try:
        return read_results(path)
    except OSError as error:
        raise NoReport(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise NoReport(str(error)) from None


def _checked(path: Path, result: Result) -> Result:
    """Return *result* after checking its enumerated fields and its bytes."""
    again = () if result.again is None else (result.again.verdict,)
    for verdict in (result.verdict, *again):
        if verdict not in list(Verdict):
            raise NoReport(f"{path}: {result.id}: {verdict!r} is not a verdict")
    if result.overlay and result.overlay not in list(Overlay):
        raise NoReport(f"{path}: {result.id}: {result.overlay!r} is not an overlay")
    if result.level not in LEVELS:
        raise NoReport(f"{path}: {result.id}: {result.level!r} is not a level")
    if result.strength not in ("", *STRENGTHS):
        raise NoReport(f"{path}: {result.id}: {result.strength!r} is not a strength")
    texts = [text for one in result.octets for text in _texts(one)]
    if any(ord(max(text, default="\0")) > 0xFF for text in texts):
        raise NoReport(f"{path}: {result.id}: bytes: a character is beyond U+00FF")
    for one in result.octets:
        if isinstance(one, Clipped) and one.length < len(one.first) + len(one.last):
            raise NoReport(f"{path}: {result.id}: bytes: more than their length")
    if not _is_place(result):
        raise NoReport(f"{path}: {result.id}: differs: not a place in the bytes")
    return result


def _texts(one: Kept) -> tuple[str, ...]:
    return (one,) if isinstance(one, str) else (one.first, one.last)


def _is_place(result: Result) -> bool:
    match result.differs:
        case []:
            return True
        case [connection, start, end]:
            known = 0 <= connection < len(result.octets)
            sent = kept_length(result.octets[connection]) if known else 0
            return connection >= 0 and 0 <= start <= end <= sent
    return False


def as_document(run: Run) -> dict[str, object]:
    """Return *run* as plain values, for JSON."""
    found = run.score
    return {
        **msgspec.to_builtins(run.head),
        "exit_code": run.exit_code,
        "score": {**dataclasses.asdict(found), "text": found.text},
        "causes": [_cause(cause) for cause in run.causes],
        "results": msgspec.to_builtins(run.results),
    }


def _cause(cause: Cause) -> dict[str, object]:
    return {
        "text": cause.text,
        "verdict": cause.example.verdict,
        "level": cause.weight,
        "example": cause.example.name,
        "cases": [result.name for result in cause.results],
        **({"parts": [_cause(part) for part in cause.parts]} if cause.parts else {}),
    }
