"""What an implementation lacks is asked once: one failure, and no case that needs it is run."""

import sys
from pathlib import Path

import pytest

from certs import CertificateAuthority
from conformance.cases import load_corpus
from conformance.drivers import Target
from conformance.judge.verdicts import FAILURES
from conformance.results import Result
from conformance.run import Runner
from conformance.run.interface import probed, probes, used

MODULE = """
import http.client
from http.client import *
class HTTPConnection(object):
    def __init__(self, host, port=None, {arguments}):
        self._conn = http.client.HTTPConnection(host, port)
    def __getattr__(self, name):
        {lacking}
        return getattr(self._conn, name)
{more}
"""
CASES = ["interface.has.*", "requests.steps.*", "interface.arguments.timeout-*"]


def results(
    tmp_path: Path,
    authority: CertificateAuthority,
    lacking: str = "pass",
    arguments: str = "timeout=5",
    more: str = "",
) -> dict[str, Result]:
    module = MODULE.format(lacking=lacking, arguments=arguments, more=more)
    (tmp_path / "lacking.py").write_text(module)
    target = Target("lacking", sys.executable, "lacking", path=(str(tmp_path),))
    with Runner(target, authority) as runner:
        runner.examine()
        return {one.id: one for one in runner.run(load_corpus().select(CASES))}


def failed(found: dict[str, Result]) -> set[str]:
    assert not [one.id for one in found.values() if one.verdict in ("HANG", "DRIVER_ERROR")]
    return {one.id for one in found.values() if one.verdict in FAILURES}


def test_a_missing_method_is_one_failure(
    tmp_path: Path, certificate_authority: CertificateAuthority
) -> None:
    whole = results(tmp_path, certificate_authority)
    lacking = results(
        tmp_path, certificate_authority, "if name == 'putheader': raise AttributeError(name)"
    )
    assert failed(lacking) - failed(whole) == {"interface.has.method.putheader"}
    not_run = [one for one in lacking.values() if "no HTTPConnection.putheader" in one.reason]
    assert {one.verdict for one in not_run} == {"UNSUPPORTED"}
    assert "requests.steps.send.bytes" in {one.id for one in not_run}


def test_a_missing_argument_is_one_failure(
    tmp_path: Path, certificate_authority: CertificateAuthority
) -> None:
    whole = results(tmp_path, certificate_authority)
    lacking = results(tmp_path, certificate_authority, arguments="unused=None")
    assert failed(lacking) - failed(whole) == {"interface.has.argument.httpconnection.timeout"}
    assert "no HTTPConnection(timeout)" in lacking["interface.arguments.timeout-none"].reason


def test_a_name_that_exists_and_raises_is_judged(
    tmp_path: Path, certificate_authority: CertificateAuthority
) -> None:
    raising = "    def putheader(self, *args): raise TypeError('not here')"
    found = results(tmp_path, certificate_authority, more=raising)
    assert found["interface.has.method.putheader"].verdict == "PASS"
    steps = [one for name, one in found.items() if name.startswith("requests.steps.")]
    assert len([one for one in steps if one.verdict in FAILURES]) >= 5
    assert not [one for one in steps if "putheader" in one.reason]


def test_a_constructor_that_accepts_everything_and_raises_is_judged(
    tmp_path: Path, certificate_authority: CertificateAuthority
) -> None:
    refuses = "    def refuse(self): raise TypeError('unexpected keyword argument')\n"
    init = (
        "    def __init__(self, *args, **kwargs):\n"
        "        if kwargs: self.refuse()\n"
        "        self._conn = http.client.HTTPConnection(*args)\n"
    )
    found = results(tmp_path, certificate_authority, more=refuses + init)
    assert found["interface.arguments.timeout-none"].verdict in FAILURES


def test_a_name_that_appears_after_the_examination_is_a_contradiction(
    tmp_path: Path, certificate_authority: CertificateAuthority
) -> None:
    late = (
        "if name == 'putheader' and not hasattr(http, 'seen'):"
        " http.seen = 1; raise AttributeError(name)"
    )
    found = results(tmp_path, certificate_authority, late)
    presence = found["interface.has.method.putheader"]
    assert presence.verdict == "DRIVER_ERROR"
    assert "had it not when it was examined" in presence.reason


def test_each_probe_is_about_a_name_of_its_own() -> None:
    names = [probed(case) for case in probes()]
    assert len(set(names)) == len(names) > 80
    assert {"responses", "OK", "HTTPConnection.putheader", "HTTPResponse.read(amt)"} <= set(names)


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("requests.steps.send.bytes", {"HTTPConnection.send", "HTTPConnection.putrequest"}),
        ("interface.responses.by-constant", {"responses", "NOT_FOUND", "OK"}),
        ("interface.arguments.timeout-none", {"HTTPConnection(timeout)"}),
    ],
)
def test_a_case_needs_what_its_ops_use(name: str, needed: set[str]) -> None:
    case = load_corpus().case(name)
    assert case is not None
    assert needed <= set(used(case.ops))
