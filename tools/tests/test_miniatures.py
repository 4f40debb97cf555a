"""The corpus finds deliberately wrong clients out."""

import gc
from collections.abc import Sequence
from pathlib import Path

import pytest

from certs import CertificateAuthority
from conformance.cases import JUDGED_LEVELS, Case
from conformance.drivers import target
from conformance.results import Result
from conformance.run import DEADLINE, Runner
from conformance.tests.support import EVERY
from tools.miniatures import lies
from tools.miniatures.cover import COVERING, named, recorded, unshown
from tools.miniatures.miniature import LIES, Miniature
from tools.miniatures.subjects import SESSIONS, UNJUDGED, UNREACHED, subjects

CASES = [case for case in EVERY if case.level in JUDGED_LEVELS]
AUTHORITY = CertificateAuthority()
RECORDED = recorded()
SOON = 0.1
"""Seconds without progress after which a case hangs that gives its client no timeout.

The reference passes these cases within it, and hundreds of them hang.  A machine that is too busy
for it makes a case fail, which is what the case must do here.
"""


def is_timed(case: Case) -> bool:
    return any("timeout" in str(op.message) for op in case.ops)


def results(miniature: Miniature, cases: Sequence[Case]) -> list[Result]:
    found: list[Result] = []
    timed = [case for case in cases if is_timed(case)]
    untimed = [case for case in cases if not is_timed(case)]
    with miniature.active():
        for some, deadline in ((untimed, SOON), (timed, DEADLINE)):
            if some:
                with Runner(target("httplib_impl"), AUTHORITY, deadline=deadline) as runner:
                    found += runner.run(some)
    gc.collect()  # what it leaked is reported here, and not in the test after this one
    gc.freeze()  # the next collection visits nothing of what is left, such as other tests' fixtures
    return found


# A wrong client may well forget its sockets.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("miniature", LIES, ids=lambda miniature: miniature.name)
def test_a_wrong_client_fails_the_cases_that_hold_it(
    miniature: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    held = named(CASES, RECORDED.get(miniature.name, ()))
    assert held, f"no case of {COVERING.name} holds it: run `make covering`"
    with capsys.disabled():
        found = results(miniature, held)
    assert [result.id for result in found if not result.failed] == []
    # A lie that uses a private name that the reference has no more fails every case by accident.
    assert [result.seen for result in found if "has no attribute '_" in result.seen] == []


def test_every_case_is_failed_by_a_client_that_is_wrong_about_one_thing() -> None:
    """That it is failed is shown above; by whom, is written down."""
    narrow = [one for one in LIES if not one.universal]
    holding = {name for one in narrow for name in RECORDED.get(one.name, ())}
    assert not [case.id for case in CASES if holding.isdisjoint((case.id, case.authored))]


def test_every_subject_of_a_lie_is_that_of_a_case_that_finds_it_out() -> None:
    assert not unshown(CASES, RECORDED)


def test_every_requirement_reading_and_real_bug_is_lied_about() -> None:
    about = {subject for one in LIES for subject in one.about}
    assert subjects() - about == UNJUDGED | UNREACHED | SESSIONS
    assert about <= subjects()


def test_nothing_is_recorded_of_cases_that_are_not_there() -> None:
    known = {name for case in CASES for name in (case.id, case.authored)}
    assert {name for held in RECORDED.values() for name in held} <= known


def test_there_are_lies_enough_and_each_has_a_name_of_its_own() -> None:
    assert len(LIES) >= 60
    assert len({miniature.name for miniature in LIES}) == len(LIES)
    assert lies.__all__


def test_nothing_is_recorded_of_clients_that_are_not_there() -> None:
    assert set(RECORDED) <= {miniature.name for miniature in LIES}


def test_the_files_of_the_table_are_all_imported() -> None:
    files = {path.stem for path in Path(lies.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(lies.__all__)
