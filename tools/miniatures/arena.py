"""The arena: runs each wrong client against the corpus in a process of its own.

The input is a mutant and the cases that execute its lines; the output is the first case that fails
it.  The process is forked from one that has loaded the corpus and no implementation, imports the
reference with one module changed, and ends at the first failure.  A mutant that damages its
process, uses up memory or never returns affects only that process.
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
from conformance.drivers import OURS, target
from conformance.judge import NOT_RUN
from conformance.results import Result
from conformance.run import Runner

T = TypeVar("T")

_FORK = multiprocessing.get_context("fork")
_MEMORY = 2 << 30
"""Bytes of address space for one mutant."""
_LONGEST = 120.0
"""Seconds of processor time for one mutant, far more than all cases need."""


@dataclass(frozen=True, slots=True)
class Fate:
    """The result of a wrong client.

    Args:
        killer: the name of the case that it failed; empty if it survived, or died without a case.
        verdict: the verdict of that case, or how the client died: ``IMPORT``, ``DIED``.
        cases: how many cases were run.
    """

    killer: str
    verdict: str
    cases: int

    @property
    def survived(self) -> bool:
        """Whether no case failed it."""
        return not self.verdict


def meet(module: str, source: str, cases: Sequence[Case]) -> Fate:
    """Run *cases* on the reference with one module's source changed, up to one that fails twice.

    A case that can no longer be run counts as a failure: a probe has detected the change.  The
    change to this process is permanent.
    """
    _install(module, source)
    try:
        runner = Runner(target(OURS), CertificateAuthority())
    except Exception:  # noqa: BLE001 # a mutant raises what it likes
        return Fate("", "IMPORT", 0)
    for count, case in enumerate(cases, 1):
        result = runner.run_case(case)
        # A failure by chance, on a busy machine, does not count.
        if _fails(result) and _fails(runner.run_case(case)):
            return Fate(result.name, result.verdict, count)
    return Fate("", "", len(cases))


def _fails(result: Result) -> bool:
    """Return whether the client fails.

    A case that was not run counts, as the reference runs all.
    """
    return result.failed or result.verdict in NOT_RUN


def _install(module: str, source: str) -> None:
    """Make the next import of the reference load *source* for one of its modules."""
    for name in [name for name in sys.modules if name.partition(".")[0] == OURS]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Changed(f"{OURS}.{module}", source))


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """A finder and loader for one module, which compiles another source for it."""

    def __init__(self, name: str, source: str) -> None:
        spec = importlib.util.find_spec(OURS)
        assert spec is not None
        assert spec.origin is not None
        self._name = name
        self._path = Path(spec.origin).with_name(name.rpartition(".")[2] + ".py")
        self._source = source

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """Return the spec of the one module."""
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def get_source(self, _: str) -> str:
        """Return the changed source."""
        return self._source

    def get_code(self, _: str) -> CodeType:
        """Compile the changed source under the file's name; nothing is cached."""
        return compile(self._source, self._path, "exec", dont_inherit=True)


def forked(tasks: Iterator[Callable[[], T]], workers: int) -> Iterator[tuple[int, T | None]]:
    """Run each task in a process of its own, *workers* at a time.

    Yields:
        The number of the task and what it returned, in the order in which they end; None for a
        process that died.
    """
    gc.freeze()  # a collection in a fork would copy all objects of the parent
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
    """Do one task, without output and within limits; exit without waiting for hanging threads."""
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
