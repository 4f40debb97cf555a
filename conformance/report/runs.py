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
from conformance.report.score import score
from conformance.report.standing import EXIT_ERROR, EXIT_FAILED, exit_code
from conformance.run.bounds import Clipped, Kept, length
from conformance.run.results import Overlay, Result, RunHead, read_results


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
    def exit_code(self) -> int:
        """What `check` says of it."""
        code = exit_code(self.results, fail_on_flaky=self.head.fail_on_flaky)
        return EXIT_FAILED if self.head.stale and code != EXIT_ERROR else code


def read_runs(paths: Iterable[Path]) -> list[Run]:
    """Return the runs in the files at *paths*; files of one implementation are parts of one run.

    Raises:
        NoReport: a file is no result file, two tell of the same case, or they are from different
            corpora.
    """
    heads: dict[tuple[str, ...], RunHead] = {}
    parts: dict[tuple[str, ...], dict[str, Result]] = {}
    for path, head, results in _read_all(paths):
        key = head.implementation, head.name, head.version
        first = next(iter(heads.values()), head)
        if head.corpus != first.corpus:
            raise NoReport(
                f"{path}: made with corpus {head.corpus}, and the file before with {first.corpus}; "
                "report on them one by one"
            )
        heads.setdefault(key, head)
        found = parts.setdefault(key, {})
        for result in results:
            if found.setdefault(result.name, result) is not result:
                raise NoReport(f"{path}: tells of {result.name} again")
    return [Run(head, list(parts[key].values())) for key, head in heads.items()]


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
    found = score(run.results)
    return {
        **msgspec.to_builtins(run.head),
        "exit_code": run.exit_code,
        "score": {**dataclasses.asdict(found), "text": found.text},
        "results": msgspec.to_builtins(run.results),
    }
