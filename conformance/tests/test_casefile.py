"""Parts of case files: found without parsing, and yet always what the whole file says."""

import gc
from pathlib import Path

import pytest

from conformance.cases import CaseError, Corpus, fixtures_directory, load_corpus
from conformance.cases.casefile import CaseFile
from conformance.tests.test_loader import CASE, HEAD

GRID = """
[[grid]]
id = "framing.length.{length}"
title = "A length of {length}"
level = "documented"
spec = ["HTTPResponse.read"]
why = "Lengths are numbers."
respond = ["HTTP/1.1 200 OK\\r\\nContent-Length: ", { hole = "length" }, "\\r\\n\\r\\nhello"]
axes.length = [ { name = "five", value = "5" }, { name = "four", value = "4", outcomes = ["cut"] } ]
[[grid.outcome]]
name = "cut"
read = "hell"
[[grid.outcome]]
read = "hello"
"""
FILES = sorted((fixtures_directory() / "cases").glob("*.toml"))


def corpus_of(*texts: str) -> Corpus:
    files = [CaseFile((HEAD + text).encode(), f"{index}.toml") for index, text in enumerate(texts)]
    return Corpus((part for file in files for part in file.parts), "")


def whole(path: Path) -> CaseFile:
    """The file in another form, in which its parts cannot be found by their headers."""
    return CaseFile(path.read_bytes() + b'\n# """\n', path.name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_case_found_by_its_id_is_the_one_of_the_whole_file(path: Path) -> None:
    corpus = load_corpus()
    for part in whole(path).parts:
        for listed in part.cases:
            found, expected = corpus.listed(listed.id), listed.case()
            assert found is not None
            assert found.case() == expected
            assert found.script() == expected.script
            assert (found.id, found.rev, found.title, found.level, found.family, found.file) == (
                expected.id,
                expected.rev,
                expected.title,
                expected.level,
                expected.family,
                expected.file,
            )
            assert (found.spec, found.origin, found.twin, found.authored) == (
                expected.spec,
                expected.origin,
                expected.twin,
                expected.authored,
            )
            assert found.for_clients == (expected.session is not None)
            assert found.raises == {
                name
                for outcome in expected.outcomes
                if outcome.grade == "pass"
                for one in outcome.ops.values()
                for name in one.raises
            }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_files_of_the_kit_have_the_form_in_which_parts_are_found(path: Path) -> None:
    file = CaseFile.read(path)
    assert all(part.text for part in file.parts)
    assert [part.id for part in file.parts] == [part.id for part in whole(path).parts]


@pytest.mark.parametrize("glob", ["*.length.f*", "framing.length.fiv?", "*four", "f*[r]", "*"])
def test_a_selection_finds_what_it_would_find_in_all_cases(glob: str) -> None:
    import fnmatch

    every = [listed.id for listed in corpus_of(CASE, GRID).cases.listed]
    found = [listed.id for listed in corpus_of(CASE, GRID).select([glob]).listed]
    assert found == fnmatch.filter(every, glob)
    assert found


def test_what_a_selection_does_not_touch_is_not_parsed() -> None:
    corpus = corpus_of(CASE, GRID.replace("[[grid.outcome]]", "[[grid.outcome", 1))
    assert [case.id for case in corpus.select(["framing.hello"])] == ["framing.hello"]
    assert corpus.case("framing.hello") is not None
    with pytest.raises(CaseError, match=r"^1\.toml: is not TOML: .*line 11"):
        corpus.case("framing.length.five")
    with pytest.raises(CaseError, match=r"^1\.toml: is not TOML: .*line 11"):
        corpus.select()


@pytest.mark.parametrize(
    "text",
    [
        CASE.replace("[[case]]", '[["case"]]'),
        CASE.replace("[[case]]", "[[ case ]]"),
        CASE.replace("[[case]]", "  [[case]]"),
        CASE.replace('"framing.hello"', "'framing.hello'"),
        CASE.replace('id = "framing.hello"', '# the id\n"id" = "framing.\\u0068ello"'),
        CASE.replace('why = "It', 'why = """\n[[case]]\nid = "framing.other"\nIt').replace(
            'body."', 'body."""'
        ),
        CASE.replace("\n", "\r\n"),
    ],
)
def test_a_file_in_another_form_says_the_same(text: str) -> None:
    corpus = corpus_of(text, GRID)
    ids = ["framing.hello", "framing.length.five", "framing.length.four"]
    assert [case.id for case in corpus.cases] == ids
    assert corpus.case("framing.hello") is not None
    assert corpus.case("framing.other") is None


def test_a_case_in_use_is_built_once() -> None:
    """Tests and tools that go through the whole corpus many times would build it many times."""
    corpus = corpus_of(CASE)
    case = corpus.case("framing.hello")
    assert corpus.case("framing.hello") is case


def test_a_case_that_nothing_uses_is_forgotten() -> None:
    """Else the bytes of all cases that were ever played would stay in memory."""
    (listed,) = corpus_of(CASE).cases.listed
    case = listed.case()
    assert list(listed.part.built) == ["framing.hello"]
    del case
    gc.collect()
    assert not listed.part.built


def test_an_id_that_two_parts_have_is_refused_where_it_is_asked_for() -> None:
    twice = CASE.replace("framing.hello", "framing.length.five")
    with pytest.raises(CaseError, match=r"framing\.length\.five: id: this id is taken by"):
        corpus_of(twice, GRID).case("framing.length.five")


def test_a_variation_is_made_when_it_is_reached() -> None:
    cases = corpus_of(CASE).cases.swept("each")
    names = [case.name for case in cases]
    assert len(cases) == len(names) > 5
    assert cases[2].name == names[2]
    assert cases[-1].name == names[-1]
    assert [case.name for case in cases[3:]] == names[3:]
    assert len(cases[3:]) == len(names) - 3


@pytest.mark.parametrize("header", ["[[ case ]]", '[["case"]]', "[['case']]", "  [[case]]"])
def test_a_header_in_another_form_is_not_taken_for_a_part_of_the_case_before(header: str) -> None:
    other = CASE.replace("framing.hello", "framing.other").replace("A body", "Bytes")
    corpus = corpus_of(CASE + other.replace("[[case]]", header))
    assert [case.id for case in corpus.cases] == ["framing.hello", "framing.other"]
    assert corpus.case("framing.other") is not None
