"""What level precedent means, held against 2.7 itself where there is one.

A case of that level says that 2.7 does so; then 2.7 does, without tolerance.
"""

import shutil
import subprocess
from functools import cache

import pytest

from certs import CertificateAuthority
from conformance.cases import load_corpus
from conformance.drivers import target
from conformance.results import Result
from conformance.results.golden import read_book
from conformance.results.golden.book import observed_directory
from conformance.results.golden.judging import judged_one
from conformance.run import Runner
from conformance.tests.support import EVERY

FAMILIES = sorted({case.family for case in EVERY if case.level == "precedent"})
INTERPRETER = "python2.7"


@cache
def is_here() -> bool:
    """Tell whether 2.7 is here, and not only a launcher for one that is not."""
    program = shutil.which(INTERPRETER)
    command = [program or "", "-c", "import httplib"]
    return program is not None and subprocess.run(command, capture_output=True).returncode == 0


@cache
def results() -> tuple[Result, ...]:
    cases = load_corpus().select(levels=("precedent",))
    under_test = target(f"{INTERPRETER}:httplib")
    # No case of this level hangs in 2.7, so a long deadline costs nothing, and a busy machine is
    # not taken for a client that hangs.
    with Runner(under_test, CertificateAuthority(), deadline=20.0, tolerant=False) as runner:
        return tuple(runner.run(cases))


@pytest.mark.parametrize("family", FAMILIES)
def test_2_7_does_what_is_called_its_precedent(family: str) -> None:
    if not is_here():
        pytest.skip(f"no {INTERPRETER} here")
    failed = [one for one in results() if one.family == family and one.verdict != "PASS"]
    assert not [(one.id, one.verdict, one.where) for one in failed]


def test_what_is_recorded_of_2_7_is_its_precedent() -> None:
    book, corpus = read_book(observed_directory()), load_corpus()
    judged = [judged_one(book, "py2.7", case) for case in corpus.select(levels=("precedent",))]
    found = [(one.case.id, one.judgement.verdict) for one in judged if one is not None]
    assert len(found) > 1000
    assert not [(name, verdict) for name, verdict in found if verdict != "PASS"]
