"""A kit that gets no processor for a while: its own time is not held against the client."""

import threading
import time
from typing import Any

import pytest

from certs import CertificateAuthority
from conformance.cases import Case, load_corpus
from conformance.drivers import target
from conformance.judge import Verdict
from conformance.run.runner import Runner
from mockserver import Drain, Dribble
from mockserver._wire import Wire

DEADLINE = 0.1
"""Seconds; the kit's own thread is kept waiting for several of them."""


def case_with(step: type[Drain] | type[Dribble]) -> Case:
    """The first plain case whose server waits in such a step."""
    return next(
        case
        for case in load_corpus().cases
        if len(case.script.connections) == 1
        and any(isinstance(one, step) for one in case.script.connections[0].steps)
        and not case.certificates
    )


@pytest.mark.parametrize("step", [Drain, Dribble])
def test_a_server_that_is_kept_waiting_is_no_hang(
    monkeypatch: pytest.MonkeyPatch, step: type[Drain] | type[Dribble]
) -> None:
    wait, waited = Wire._poll_peer, threading.Event()

    def late(wire: Wire) -> None:
        wait(wire)
        if not waited.is_set():
            waited.set()
            time.sleep(8 * DEADLINE)

    monkeypatch.setattr(Wire, "_poll_peer", late)
    with Runner(target("httplib_impl"), CertificateAuthority(), deadline=DEADLINE) as runner:
        result: Any = runner.run_case(case_with(step))
    assert waited.is_set()
    assert result.verdict == Verdict.PASS, result.reason
