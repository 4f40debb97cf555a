"""Records which cases execute which lines of the reference.

The input is cases, the output a `Coverage`.  The interpreter's own tracing records it, in the
thread in which the case runs.  The time of each case is recorded too, so that quick cases can run
first.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from certs import CertificateAuthority
from conformance.cases import Case
from conformance.drivers import OURS, target
from conformance.run import Runner

Trace = Any
"""The type that `sys.settrace` takes and returns."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a run executed.

    Args:
        cases: for each module and line the indices of the cases that executed it.
        seconds: how long each case took, with tracing.
        failed: the names of the cases that the unchanged reference failed.
    """

    cases: dict[tuple[str, int], list[int]]
    seconds: list[float]
    failed: list[str]

    def covering(self, module: str, lines: range) -> list[int]:
        """The indices of the cases that executed one of *lines*, the quick ones first."""
        found = {index for line in lines for index in self.cases.get((module, line), ())}
        return sorted(found, key=lambda index: (round(self.seconds[index], 2), index))


def record(cases: Sequence[Case], package: Path) -> Coverage:
    """Run *cases* on the reference, whose files are in *package*, and record what they execute."""
    recorder = _Recorder(package)
    threading.settrace(recorder.trace)
    try:
        with Runner(target(OURS), CertificateAuthority()) as runner:
            results = list(runner.run(recorder.watched(cases)))
    finally:
        threading.settrace(None)
    failed = [result.name for result in results if result.failed or result.is_error]
    return Coverage(recorder.by_line(), recorder.seconds, failed)


class _Recorder:
    def __init__(self, package: Path) -> None:
        self.seconds: list[float] = []
        self._prefix = str(package)
        self._lines: set[tuple[str, int]] = set()
        self._seen: list[set[tuple[str, int]]] = []

    def watched(self, cases: Sequence[Case]) -> Iterator[Case]:
        """Yield the cases; the runner takes each when the previous one has ended."""
        for case in cases:
            self._lines = set()
            begun = time.perf_counter()
            yield case
            self.seconds.append(time.perf_counter() - begun)
            self._seen.append(self._lines)

    def trace(self, frame: FrameType, event: str, _: object) -> Trace:
        if event == "call" and frame.f_code.co_filename.startswith(self._prefix):
            return self._trace_line
        return None

    def _trace_line(self, frame: FrameType, event: str, _: object) -> Trace:
        if event == "line":
            self._lines.add((frame.f_code.co_filename, frame.f_lineno))
        return self._trace_line

    def by_line(self) -> dict[tuple[str, int], list[int]]:
        """Return for each module and line the cases that executed it."""
        found: dict[tuple[str, int], list[int]] = defaultdict(list)
        for index, lines in enumerate(self._seen):
            for file, line in lines:
                found[Path(file).stem, line].append(index)
        return dict(found)
