"""The arena: one wrong client after the other, each in a process of its own, against the corpus.

A mutant and the cases that execute its lines come in, the first case that finds it out goes out.
The process is forked from one that has loaded the corpus and no implementation, imports the
reference with one module changed, and ends at the first failure. Whatever a mutant does, to its
process, to its memory or by never coming back, is done to that process alone.
"""

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import multiprocessing
import os
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import CodeType
from typing import Any, TypeVar

from certs import CertificateAuthority
from conformance.cases import Case
from conformance.drivers import target
from conformance.drivers.factory import OURS
from conformance.judge.verdicts import NOT_RUN
from conformance.run import Result, Runner

T = TypeVar("T")

_FORK = multiprocessing.get_context("fork")
_MEMORY = 2 << 30
"""Octets of address space for one mutant."""
_LONGEST = 120.0
"""Seconds of processor time for one mutant, far more than all cases need."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a wrong client.

    Args:
        killer: the name of the case that it failed; empty where it got through, or died alone.
        verdict: the verdict of that case, or how the client died: ``IMPORT``, ``DIED``.
        cases: how many cases it met.
    """

    killer: str
    verdict: str
    cases: int

    @property
    def survived(self) -> bool:
        """Whether no case found it out."""
        return not self.verdict


def meet(module: str, source: str, cases: Sequence[Case]) -> Fate:
    """Run *cases* on the reference with one module's source changed, up to one that fails twice.

    A case that cannot be run any more is a failure: a probe has found out what the change broke.
    Changes the process for good.
    """
    _install(module, source)
    try:
        runner = Runner(target(OURS), CertificateAuthority())
    except Exception:  # noqa: BLE001 # a mutant raises what it likes
        return Fate("", "IMPORT", 0)
    for count, case in enumerate(cases, 1):
        result = runner.run_case(case)
        # Who fails by chance, on a busy machine, is not found out.
        if _fails(result) and _fails(runner.run_case(case)):
            return Fate(result.name, result.verdict, count)
    return Fate("", "", len(cases))


def _fails(result: Result) -> bool:
    """Whether a wrong client is found out; the reference can run all cases."""
    return result.failed or result.verdict in NOT_RUN


def _install(module: str, source: str) -> None:
    """Let the next import of the reference find *source* in the place of one of its modules."""
    for name in [name for name in sys.modules if name.partition(".")[0] == OURS]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Changed(f"{OURS}.{module}", source))


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds one module, and compiles another source for it."""

    def __init__(self, name: str, source: str) -> None:
        spec = importlib.util.find_spec(OURS)
        assert spec is not None
        assert spec.origin is not None
        self._name = name
        self._path = Path(spec.origin).with_name(name.rpartition(".")[2] + ".py")
        self._source = source

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """Answer for the one module."""
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def get_source(self, _: str) -> str:
        """Return the changed source."""
        return self._source

    def get_code(self, _: str) -> CodeType:
        """Compile the changed source, as if it stood in the file; nothing is cached."""
        return compile(self._source, self._path, "exec", dont_inherit=True)


def forked(tasks: Iterator[Callable[[], T]], workers: int) -> Iterator[tuple[int, T | None]]:
    """Run each task in a process of its own, *workers* at a time.

    Yields:
        The number of the task and what it returned, in the order in which they end; None for a
        process that died.
    """
    gc.freeze()  # what is loaded by now stays: a collection in a fork would copy all of it
    running: dict[BaseProcess, tuple[int, Connection]] = {}
    numbered = enumerate(tasks)
    while True:
        while len(running) < workers and (task := next(numbered, None)) is not None:
            process, connection = _begun(task[1])
            running[process] = task[0], connection
        if not running:
            return
        ready = wait([connection for _, connection in running.values()])
        for process, (number, connection) in list(running.items()):
            if connection in ready:
                del running[process]
                result: T | None = _received(connection)
                yield number, result
                process.join()
                connection.close()


def _begun(task: Callable[[], T]) -> tuple[BaseProcess, Connection]:
    ours, theirs = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_work, args=(task, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _work(task: Callable[[], T], connection: Connection) -> None:
    """Do one task, silent and within limits, and leave without a word to the threads that hang."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(_LONGEST), int(_LONGEST)))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    connection.send(task())
    connection.close()
    os._exit(0)


def _received(connection: Connection) -> Any:
    try:
        return connection.recv()
    except EOFError:
        return None
