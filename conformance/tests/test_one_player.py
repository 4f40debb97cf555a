"""Servable cases played both ways: by the mock server, and by `serve` on a connection it has.

Both have one player, so cases that differ in the content of a step alone are played alike: of each
kind of script and calls, one case is played.
The reference is the client in both.  What is compared is the transcript of the whole case, once the
client has closed everything; the mock server's account of the client's end is left out, because
`serve` does not ask for it.
"""

import difflib
import functools
import re
import select
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from certs import CertificateAuthority
from conformance.cases import Case
from conformance.drivers import Driver, target
from conformance.reproduce import Catalogue, Ports, is_silent
from conformance.serve.doors import Doors
from conformance.tests.support import CORPUS, EVERY, each_kind_once
from mockserver import Ended, GivenConnection, Limits, MockServer

LATE = 20.0
"""Seconds after which a play that should be over is a fault."""
_MORE = re.compile(r"… \d+ bytes more$", re.MULTILINE)
_HALF_SENT = re.compile(r"too-long\.200-kilobytes")
"""Cases in which the client closes before it has read a long write.

How much of it the kernel has taken by then, and so whether the server comes to its own end, depends
on the size of the buffers and on the order in which the two run.
"""
_FROM_THERE = re.compile(
    r"… \d+ bytes more\n  = (fin sent|the client ended its stream)$", re.MULTILINE
)
CATALOGUE = Catalogue(CORPUS)
FAMILIES = list(dict.fromkeys(case.family for case in EVERY))


@functools.cache
def servable(family: str) -> list[Case]:
    """The cases of a family that can be played on a connection that is established."""
    entries = [CATALOGUE.entries[case.id] for case in EVERY if case.family == family]
    return [one.case for one in entries if one.how != "none" and not is_silent(one.case)]


def played(family: str) -> list[Case]:
    """One of them for each kind of script and calls."""
    return each_kind_once(servable(family), calls)


def calls(case: Case) -> tuple[str | None, ...]:
    """What the client of *case* calls, in order."""
    return tuple(op.message.get("call") for op in case.ops)


class Bench:
    """A client, its certificates, and the two servers."""

    def __init__(self, directory: Path) -> None:
        self.authority = CertificateAuthority()
        files = self.authority.files(directory)
        self.certificates = {
            "ca": {"chain": str(files.ca_file)},
            **{
                name: {part: str(getattr(one, part)) for part in ("key", "chain", "combined")}
                for name, one in files.clients.items()
            },
        }
        self.driver: Driver = target("httplib_impl").make()
        self._open = ExitStack()
        self._servers: dict[str, MockServer] = {}

    def stop(self) -> None:
        """Stop the client and the mock servers."""
        self.driver.stop()
        self._open.close()

    def _server(self, host: str) -> MockServer:
        """The mock server of all cases on *host*."""
        if host not in self._servers:
            made = MockServer(tls=self.authority.server_context, host=host, patience=LATE)
            self._servers[host] = self._open.enter_context(made)
        return self._servers[host]

    def run(self, case: Case, address: tuple[str, int]) -> None:
        """Let the client carry out a case, and close everything."""
        message: dict[str, Any] = {
            "type": "run",
            "id": case.id,
            "rev": case.rev,
            "ops": [op.message for op in case.ops],
            "address": list(address),
            "deadline": LATE,
            "certificates": self.certificates,
        }
        self.driver.run(message)
        self.driver.release()
        self.driver.settle()

    def by_mock_server(self, case: Case) -> str:
        """The transcript of the case as `check` plays it."""
        play = self._server(case.host).play(case.script)
        self.run(case, play.address)
        return comparable(play.finish().transcript(), play.address)

    def by_serve(self, case: Case) -> str:
        """The transcript of the case as `serve` plays it."""
        with socket.create_server((case.host, 0), family=family_of(case.host)) as listener:
            address = listener.getsockname()[:2]
            ports = Ports(case.host, address[1], 0, 0, 0)
            doors = Doors(CATALOGUE, ports, self.authority, Limits())
            acceptor = threading.Thread(target=self._accept, args=(listener, case, doors))
            acceptor.start()
            self.run(case, address)
            while select.select([listener], [], [], 0)[
                0
            ]:  # a client may be done before it is let in
                time.sleep(0.001)
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()
        return comparable(doors.rounds.transcript(), address)

    def _accept(self, listener: socket.socket, case: Case, doors: Doors) -> None:
        """Play a case on each connection that comes, each on a thread, until the listener ends."""
        visits: list[threading.Thread] = []
        while True:
            try:
                given = GivenConnection(listener.accept()[0], Limits(LATE))
            except OSError:
                break
            thread = threading.Thread(target=self._visit, args=(given, case, doors))
            thread.start()
            visits.append(thread)
        # The client has closed everything: each play comes to its end, however long that takes.
        for thread in visits:
            thread.join(LATE)
            assert not thread.is_alive(), f"{case.id}: its play does not end"

    def _visit(self, given: GivenConnection, case: Case, doors: Doors) -> None:
        try:
            doors.own(given, CATALOGUE.entries[case.id])
        except Ended:
            pass
        finally:
            given.close()


def family_of(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def comparable(transcript: str, address: tuple[str, int]) -> str:
    """What both ways must show: octets, offsets, roles, notes and problems.

    What no step has read is left out too: it is part of the client's end.  A client that closes
    while an answer is on its way to it ends its stream, or resets it: both are its end.  Only the
    first is answered by a FIN, so that is left out there.
    """
    transcript = transcript.replace("client reset the connection", "client ended its stream")
    transcript = transcript.replace(
        "client ended its stream\n  = fin sent", "client ended its stream"
    )
    lines = transcript.replace(f":{address[1]}", ":PORT").splitlines()
    kept = [line for line in lines if line.startswith(("  <", "  >", "  =", "problem"))]
    left_out = re.compile(r"  = client:|  < +[0-9]+  unread ")
    return "\n".join(line for line in kept if not left_out.match(line))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    one = Bench(tmp_path_factory.mktemp("certificates"))
    yield one
    one.stop()


@pytest.mark.parametrize("family", FAMILIES)
def test_each_step_and_each_call_of_a_family_is_played(family: str) -> None:
    def parts(cases: Sequence[Case]) -> set[object]:
        scripts = [case.script for case in cases]
        steps = {type(step) for one in scripts for part in one.connections for step in part.steps}
        routed = {type(step) for one in scripts for part in one.routes for step in part.steps}
        return steps | routed | {one for case in cases for one in calls(case)}

    assert parts(played(family)) == parts(servable(family))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_case_is_played_alike_both_ways(bench: Bench, family: str) -> None:
    different = []
    for case in played(family):
        wanted, seen = bench.by_mock_server(case), bench.by_serve(case)
        if case.script.listener.receive_buffer is not None:
            # How much a client sends before it gives up depends on the kernel's buffers.
            wanted, seen = _MORE.sub("…", wanted), _MORE.sub("…", seen)
        if _HALF_SENT.search(case.id):
            wanted, seen = _FROM_THERE.sub("…", wanted), _FROM_THERE.sub("…", seen)
        if wanted != seen:
            lines = difflib.unified_diff(wanted.splitlines(), seen.splitlines(), lineterm="")
            different.append("\n".join((case.id, *lines)))
    assert not different, "\n\n".join(different)
