"""The reference and a live 2.7 agree over drawn exchanges, but for what the readings say.

Bounded and the same in every run; `make differential` draws more, by another seed each time. Where
there is no Python 2.7, there is nothing to compare with.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tools.differential.bench import Bench
from tools.differential.examples import (
    DIMENSIONS,
    Example,
    constructions,
    exchanges,
    requests,
    sequences,
    tunnels,
)
from tools.differential.readings import ROWS, explained
from tools.miniatures.subjects import READINGS

EXAMPLES = int(os.environ.get("HTTPLIB_KIT_EXAMPLES", "12"))
"""How many are drawn in each test."""
SEED = int(os.environ.get("HTTPLIB_KIT_SEED", "0"))
_NO_2_7 = "there is no Python 2.7 here, the precedent to compare with"


def python_2_7() -> str | None:
    """The program, where it is here and not only a launcher for one that is not."""
    program = shutil.which("python2.7")
    if program is None or subprocess.run([program, "-c", ""], capture_output=True).returncode:
        return None
    return program


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    program = python_2_7()
    if program is None:
        pytest.skip(_NO_2_7)
    with Bench(f"{program}:httplib") as made:
        yield made


def check(bench: Bench, strategy: st.SearchStrategy[Example]) -> None:
    """Let every example that is drawn be the same on both sides, or be explained."""

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(strategy)
    def agree(example: Example) -> None:
        difference = bench.difference(example)
        assert difference is None or explained(difference), difference

    agree()


@pytest.mark.parametrize("odd", DIMENSIONS)
def test_exchanges_agree_or_a_reading_says_why(bench: Bench, odd: str) -> None:
    check(bench, exchanges(odd))


def test_tunnels_agree_or_a_reading_says_why(bench: Bench) -> None:
    check(bench, tunnels())


def test_constructors_agree_or_a_reading_says_why(bench: Bench) -> None:
    check(bench, constructions())


def test_requests_agree_octet_by_octet_or_a_reading_says_why(bench: Bench) -> None:
    check(bench, requests())


def test_sequences_of_calls_agree_or_a_reading_says_why(bench: Bench) -> None:
    check(bench, sequences())


def test_every_row_is_a_subject_of_the_readings_and_stands_once() -> None:
    subjects = [subject for subject, _ in ROWS]
    assert len(subjects) == len(set(subjects))
    assert set(subjects) <= set(READINGS)
