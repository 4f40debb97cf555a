"""What `explain` says about each kind of word, from the records."""

from typing import get_args

import pytest
from click.testing import CliRunner, Result

from conformance.cases import load_corpus
from conformance.cli.explain import CATEGORIES, FAULTS, Deed, _shared
from conformance.cli.main import main
from conformance.results.golden import load_book
from conformance.wording import Category


def explain(*words: str) -> Result:
    return CliRunner().invoke(main, ["explain", *words])


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_cases_that_clients_ran(name: str) -> None:
    corpus, book = load_corpus(), load_book().whole()
    for glob in FAULTS[name].cases:
        listed = corpus.select([glob]).listed
        assert any("curl" in book.seen.get(one.id, ()) for one in listed), glob


def test_every_category_has_a_meaning() -> None:
    assert set(CATEGORIES) == {*get_args(Category), "leak"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["NO_ERROR"], ["NO_ERROR: failed: accepted what must be rejected"]),
        (["should"], ["should: strength: RFC 9112 says SHOULD"]),
        (["IncompleteRead"], ["its classes: IncompleteRead, HTTPException", "such as"]),
        (["timeout"], ["no answer in time"]),
        (["chunked.two-chunks"], ["Two chunks make one body", "page: HTTPResponse.read"]),
        (
            ["requests", "reset-in-body"],
            ["raises requests.exceptions.", "catch: except requests.exceptions."],
        ),
        (["curl", "end-in-body"], ["ends with exit-18 (truncated-body)", "[ $? -eq 18 ]"]),
        (["reset-in-body"], ["the server or a proxy fails", "\ncurl ", "\nrequests "]),
        (["py3.11"], ["http.client 3.11", "it has the interface of httplib"]),
        (["ChunkedEncodingError"], ["which recorded clients raise", "(truncated-body)"]),
    ],
)
def test_each_kind_of_word_is_explained(words: list[str], said: list[str]) -> None:
    done = explain(*words)
    assert done.exit_code == 0, done.output
    for one in said:
        assert one in done.output


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["IncompleteReed"], "near names: IncompleteRead"),
        (["requests", "reset-in-bodi"], "near names: reset-in-body"),
        (["requets", "reset-in-body"], "neither a result file nor a recorded implementation"),
    ],
)
def test_what_is_not_known_is_one_line(words: list[str], problem: str) -> None:
    done = explain(*words)
    assert done.exit_code == 2
    assert problem in done.output
    assert done.output.count("\n") == 1


def test_one_line_catches_classes_that_share_a_base() -> None:
    one = Deed("a", "timeout", "a.Slow", ("a.Error", "builtins.OSError", "builtins.Exception"))
    two = Deed("a", "bad-header", "a.Bad", ("a.Error", "builtins.Exception"))
    assert _shared([one, two]) == "a.Error"
    assert _shared([one, Deed("a", "leak", "builtins.KeyError", ("builtins.Exception",))]) == ""
