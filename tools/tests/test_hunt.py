"""A hunt between the reference and a wrong client finds in what it is wrong."""

from typing import Self

import pytest

from conformance.cases import Case
from conformance.drivers import target
from conformance.hunt import Hunter
from conformance.judge import Observation
from conformance.results import Result
from conformance.run import Trials
from tools.miniatures import lies
from tools.miniatures.miniature import LIES, Miniature

assert lies.__doc__  # it is imported for what it enters into LIES
_NAMED = {one.name: one for one in LIES}


class Lying(Trials):
    """The reference with one override, which is there only while it is asked."""

    def __init__(self, miniature: Miniature) -> None:
        super().__init__(target("httplib_impl"))
        self._miniature = miniature

    def __enter__(self) -> Self:
        return self

    def observed(self, case: Case) -> tuple[Result, Observation | None]:
        with self._miniature.active():
            return super().observed(case)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("knows-no-chunks", set()),
        ("believes-the-length-beside-chunked", {"coding.unknown", "coding-and-length"}),
        ("believes-the-last-of-two-lengths", {"content-length.invalid", "content-length.repeated"}),
    ],
)
def test_the_planted_difference_is_found_and_shrunk(name: str, rules: set[str]) -> None:
    with Trials(target("httplib_impl")) as right, Lying(_NAMED[name]) as wrong:
        hunter = Hunter([right, wrong], {b"HTTP/1.1 200 OK\r\n\r\n": "plain"}, seed=1, draws=2000)
        hunter.stopped = lambda: hunter.found > 0
        (found,) = hunter.findings()
    assert len(found.signature.rules) == bool(rules)
    assert rules >= set(found.signature.rules)
    assert len(found.drawn.octets) < 120
