"""Runs: what a report is made from.

In: result files, or results as they were just made.  Out: `Run` values, with every word in them
known.  The parts of one run, as shards leave them, are put together again.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from conformance.cases.corpus import LEVELS, STRENGTHS
from conformance.judge import Verdict
from conformance.report.score import Score, score
from conformance.report.standing import EXIT_ERROR, EXIT_FAILED, exit_code
from conformance.run.bounds import Clipped, Kept, length
from conformance.run.result_file import read_results
from conformance.run.results import Overlay, Result, RunHead
from conformance.run.shard import Shard


class NoReport(ValueError):
    """Nothing can be reported; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one implementation came to.

    Args:
        head: who was judged, by which corpus.
        results: a result for each case, in the order of the corpus.
    """

    head: RunHead
    results: Sequence[Result]

    @property
    def is_absent(self) -> bool:
        """Whether there was nobody to judge."""
        return all(result.verdict == Verdict.NOT_INSTALLED for result in self.results)

    @property
    def is_client(self) -> bool:
        """Whether it was judged by what any client may do."""
        return any(result.strength for result in self.results)

    @property
    def score(self) -> Score:
        """How much of it is well, of how much that was judged, and what was not run."""
        return score(self.results, self.head.unreached)

    @property
    def exit_code(self) -> int:
        """What `check` says of it: a run of which results are missing ends as an error does."""
        code = exit_code(self.results, fail_on_flaky=self.head.fail_on_flaky)
        if self.head.incomplete:
            return EXIT_ERROR
        return EXIT_FAILED if self.head.stale and code != EXIT_ERROR else code


def read_runs(paths: Iterable[Path]) -> list[Run]:
    """Return the runs in the files at *paths*; shards of one implementation are joined to one run.

    A run of which lines or shards are missing says so in its head.

    Raises:
        NoReport: a file is not a result file, two tell of the same case or the same shard, or they
            were not made by the same kit, with the same corpus and in the same way.
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
    """A run as it stands in one file."""

    path: Path
    head: RunHead
    results: list[Result]


_OWN = frozenset({"shard", "cases", "stale", "incomplete", "unreached", "among", "requirements"})
"""What the heads of two parts of one run need not have in common."""


def _joined(parts: Sequence[_Part]) -> Run:
    """Return the run of which *parts* are the shards, or the only part."""
    first = parts[0]
    if len(parts) == 1:
        return Run(first.head, first.results)
    shards: dict[int, _Part] = {}
    for part in parts:
        for field in RunHead.__struct_fields__:
            if field not in _OWN:
                _check_same(first, part, field)
        if not part.head.shard:
            raise NoReport(
                f"{part.path}: tells of {part.head.implementation} again, and is no shard"
            )
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
    """Refuse two files whose heads say different things about *field*."""
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
    """Refuse a part that tells of a case twice, or of one of another shard."""
    shard = Shard(*_shard(part)) if part.head.shard else None
    names: set[str] = set()
    for result in part.results:
        if result.name in names:
            raise NoReport(f"{part.path}: tells of {result.name} again")
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
    """Return *result* if its words are known ones and its octets are octets."""
    again = () if result.again is None else (result.again.verdict,)
    for verdict in (result.verdict, *again):
        if verdict not in list(Verdict):
            raise NoReport(f"{path}: {result.id}: {verdict!r} is no verdict")
    if result.overlay and result.overlay not in list(Overlay):
        raise NoReport(f"{path}: {result.id}: {result.overlay!r} is no overlay")
    if result.level not in LEVELS:
        raise NoReport(f"{path}: {result.id}: {result.level!r} is no level")
    if result.strength not in ("", *STRENGTHS):
        raise NoReport(f"{path}: {result.id}: {result.strength!r} is no strength")
    texts = [text for one in result.octets for text in _texts(one)]
    if any(ord(max(text, default="\0")) > 0xFF for text in texts):
        raise NoReport(f"{path}: {result.id}: octets: a character is beyond U+00FF")
    for one in result.octets:
        if isinstance(one, Clipped) and one.length < len(one.first) + len(one.last):
            raise NoReport(f"{path}: {result.id}: octets: more than their length")
    if not _is_place(result):
        raise NoReport(f"{path}: {result.id}: differs: not a place in octets")
    return result


def _texts(one: Kept) -> tuple[str, ...]:
    return (one,) if isinstance(one, str) else (one.first, one.last)


def _is_place(result: Result) -> bool:
    match result.differs:
        case []:
            return True
        case [connection, start, end]:
            known = 0 <= connection < len(result.octets)
            sent = length(result.octets[connection]) if known else 0
            return connection >= 0 and 0 <= start <= end <= sent
    return False


def as_document(run: Run) -> dict[str, object]:
    """Return *run* as plain values, for JSON."""
    found = run.score
    return {
        **msgspec.to_builtins(run.head),
        "exit_code": run.exit_code,
        "score": {**dataclasses.asdict(found), "text": found.text},
        "results": msgspec.to_builtins(run.results),
    }
