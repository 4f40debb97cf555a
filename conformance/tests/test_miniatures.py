"""The corpus finds deliberately wrong clients out."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from certs import CertificateAuthority
from conformance.cases import Case, fixtures_directory, load_corpus
from conformance.cases.corpus import JUDGED_LEVELS
from conformance.drivers import target
from conformance.miniatures import lies
from conformance.miniatures.cover import COVERING, recorded
from conformance.miniatures.miniature import LIES, Miniature
from conformance.run import Result, Runner

CASES = load_corpus().select(levels=JUDGED_LEVELS)
BY_ID = {case.id: case for case in CASES}
AUTHORITY = CertificateAuthority()
RECORDED = recorded()


def results(miniature: Miniature, cases: Sequence[Case]) -> list[Result]:
    with miniature.told(), Runner(target("httplib_impl"), AUTHORITY) as runner:
        return list(runner.run(cases))


@pytest.mark.parametrize("miniature", LIES, ids=lambda miniature: miniature.name)
def test_a_wrong_client_fails_the_cases_that_cover_its_lie(
    miniature: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    covering = [BY_ID[name] for name in RECORDED.get(miniature.name, ()) if name in BY_ID]
    assert covering, f"no case of {COVERING.name} covers it: run `make covering`"
    with capsys.disabled():
        found = results(miniature, covering)
    assert [result.id for result in found if result.failed] == [case.id for case in covering]


def test_a_client_without_a_lie_passes_them_all() -> None:
    covering = sorted({name for names in RECORDED.values() for name in names} & set(BY_ID))
    honest = Miniature("tells-the-truth", (), lambda _: None)
    assert not [one.id for one in results(honest, [BY_ID[name] for name in covering]) if one.failed]


def test_every_case_is_failed_by_a_wrong_client() -> None:
    """Those that are wrong about everything come first: they leave few cases to the others."""
    left = list(CASES)
    for miniature in sorted(LIES, key=lambda miniature: not miniature.universal):
        if left:
            passed = {result.id for result in results(miniature, left) if not result.failed}
            left = [case for case in left if case.id in passed]
    assert not [case.id for case in left]


def test_there_are_lies_enough_and_each_has_a_name_of_its_own() -> None:
    assert len(LIES) >= 60
    assert len({miniature.name for miniature in LIES}) == len(LIES)
    assert lies.__all__


def test_nothing_is_recorded_of_clients_that_are_not_there() -> None:
    assert set(RECORDED) <= {miniature.name for miniature in LIES}


def test_every_part_of_the_page_is_lied_about() -> None:
    spec = fixtures_directory() / "spec.toml"
    rows = tomllib.loads(spec.read_text(encoding="utf-8"))["requirement"]
    parts = {row["id"].partition(".")[0] for row in rows}
    assert parts <= {subject.partition(".")[0] for one in LIES for subject in one.about}


def test_the_files_of_the_table_are_all_imported() -> None:
    files = {path.stem for path in Path(lies.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(lies.__all__)
