"""Result files: JSON lines, one for the head of each run and one for each result.

Heads and results are written to a file and read from it.

Nothing that was measured is lost.  During a run, each result is written to ``F.partial`` next to
the file as soon as it is measured; at the end the complete file replaces it.  So after a `kill -9`
the partial file is readable and says that the run did not end; if the disk is full, the results
before that are still in it.

A head says how many results follow (`RunHead.cases`), and which other implementations have a run in
the same file (`RunHead.among`).  A reader thus detects a file that was cut after any line, and
reads its run as incomplete.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec

from conformance.results.result import Result, RunHead
from conformance.wording import counted

FORMAT = 2
"""The format of result files: raised when an older kit would misread one."""
NOT_ENDED = "the run did not end"
"""The note in the head of a partial file."""

Runs = Iterable[tuple[RunHead, Sequence[Result]]]


class ResultFile:
    """A result file: partial during the run, replaced by the complete file at the end.

    It is opened before the run, so that a path that cannot be written is reported at once.  A
    regular file is replaced; anything else, such as a pipe or a terminal, is written to at the end.

    Args:
        path: the path of the file; a link is followed.

    Attributes:
        partial: the path of the partial file; None for a pipe or a terminal.

    Raises:
        OSError: the path cannot be written.
    """

    def __init__(self, path: Path) -> None:
        replaces = path.is_file() or not path.exists()
        # Only a regular file is resolved: /dev/stdout, if it is a pipe, may resolve to no path.
        self._path = path.resolve() if replaces else path
        self.partial: Path | None = None
        if replaces:
            self.partial = self._path.with_name(f"{self._path.name}.partial")
        self._file: IO[bytes] | None = (self.partial or self._path).open("wb")
        self._holds_results = False

    def __enter__(self) -> "ResultFile":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._close()
        if self.partial is not None and not self._holds_results:
            self.partial.unlink(missing_ok=True)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:  # the buffered rest does not fit on the disk
                return

    def begin(self, head: RunHead) -> None:
        """Write the head of a run; its results follow."""
        self._append(stamped(head, [], cases=head.cases, incomplete=NOT_ENDED))

    def add(self, result: Result) -> None:
        """Write a result at once, so that it is kept even if this process is killed."""
        self._append(result)
        self._holds_results = True

    def _append(self, line: RunHead | Result) -> None:
        if self.partial is None or self._file is None:
            return
        try:
            self._file.write(msgspec.json.encode(line) + b"\n")
            self._file.flush()
        except OSError:  # the run continues: `write` tries again, and reports the error
            self._close()

    def write(self, runs: Runs) -> None:
        """Write all runs, and replace the partial file by the complete one.

        Raises:
            OSError: it cannot be written; the partial file stays.
        """
        if self.partial is None:
            if self._file is not None:
                _write(self._file, runs)
                self._file.close()
            return
        self._close()
        whole = self._path.with_name(f".{self._path.name}.whole")
        try:
            with whole.open("wb") as file:
                _write(file, runs)
            whole.replace(self._path)
        except BaseException:
            whole.unlink(missing_ok=True)
            raise
        self._holds_results = False


def _write(file: IO[bytes], runs: Runs) -> None:
    for head, results in runs:
        for line in (stamped(head, results), *results):
            file.write(msgspec.json.encode(line) + b"\n")


def stamped(
    head: RunHead, results: Sequence[Result], cases: int = 0, incomplete: str = ""
) -> RunHead:
    """Return *head* with the format and the number of results, unless it already has them."""
    return msgspec.structs.replace(
        head,
        format=FORMAT,
        cases=cases or head.cases or len(results),
        incomplete=incomplete or head.incomplete,
    )


def read_results(path: Path) -> list[tuple[RunHead, list[Result]]]:
    """Return the head and the results of each run in the file at *path*.

    A run of which results are missing, because the file was cut or its run did not end, has the
    reason in `RunHead.incomplete`.

    Raises:
        ValueError: a line is not valid, or the file has another format; the message names file and
            line.
        OSError: it cannot be read.
    """
    *lines, tail = path.read_bytes().split(b"\n")
    if tail and (_is_whole(tail) or not lines):
        lines.append(tail)
    if not lines:
        raise ValueError(f"{path}: empty, so it is not a result file")
    runs: list[tuple[RunHead, list[Result]]] = []
    for number, line in enumerate(lines, 1):
        if not runs or _decoded(path, number, line, _Kind).kit:
            head = _decoded(path, number, line, RunHead)
            if head.format != FORMAT:
                raise ValueError(
                    f"{path}: line {number}: written by kit {head.kit} in another format; "
                    "write it anew with `httplib-kit check --results`"
                )
            runs.append((head, []))
        else:
            runs[-1][1].append(_decoded(path, number, line, Result))
    there = {head.implementation for head, _ in runs}
    absent = [name for name in runs[0][0].among if name not in there]
    return [
        (_with_gaps(head, results, absent if index == len(runs) - 1 else []), results)
        for index, (head, results) in enumerate(runs)
    ]


def _with_gaps(head: RunHead, results: Sequence[Result], absent: Sequence[str]) -> RunHead:
    """Return *head* with a note on what is missing.

    Args:
        head: the head of a run.
        results: its results.
        absent: implementations that `RunHead.among` names and that have no run in the file.
    """
    count = f" ({len(results)} of {counted(head.cases, 'result')})"
    gaps = [head.incomplete + (count if head.incomplete == NOT_ENDED else "")]
    if len(results) != head.cases and not head.incomplete:
        gaps = [f"lines are missing{count}"]
    if absent and not any(name in head.incomplete for name in absent):
        gaps.append(f"nothing of {', '.join(absent)}")
    return msgspec.structs.replace(head, incomplete="; ".join(filter(None, gaps)))


def _is_whole(line: bytes) -> bool:
    """Return whether *line* is complete JSON."""
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


class _Kind(msgspec.Struct):
    """The key that distinguishes a head from a result."""

    kit: str = ""


def _decoded(path: Path, number: int, line: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        hint = ", so it is not a result file" if number == 1 else ""
        raise ValueError(f"{path}: line {number}: {error}{hint}") from None
