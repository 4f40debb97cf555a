"""Error maps: files, and what they make of an implementation's own exceptions."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.judge.error_map import ErrorMapError, read_error_map
from conformance.judge.forms import error_names


def test_a_file_maps_names(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text('[errors]\n"mylib.Cut" = "IncompleteRead"\nTimeout = "timeout"\n')
    assert read_error_map(path) == {"mylib.Cut": "IncompleteRead", "Timeout": "timeout"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", r"the table \[errors\] is missing"),
        ("errors = 3", r"the table \[errors\] is missing"),
        ("[errors]\n[more]", "`more` is not part of an error map"),
        ('[errors]\n"a.B" = "NoSuch"', "errors.a.B: 'NoSuch' is neither an exception"),
        ('[errors]\n"a.B" = 3', "errors.a.B: 3 is neither an exception"),
        ('[errors]\n"a.B" = ["OSError"]', r"errors.a.B: \['OSError'\] is neither an exception"),
        ('[errors]\na.B = "OSError"', "a name with dots needs quotes"),
        ('[errors]\n"" = "OSError"', "a name is empty"),
        ("[errors", "at end of document"),
        ("\xff", "UTF-8"),
    ],
)
def test_a_file_that_is_none_is_one_line(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "map.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ErrorMapError, match=problem) as raised:
        read_error_map(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


def test_what_a_mapped_class_is_a_kind_of_counts_too() -> None:
    names = error_names({"class": "Cut", "bases": []}, {"Cut": "IncompleteRead"})
    assert names[:2] == ("IncompleteRead", "HTTPException")


def test_a_base_can_be_mapped() -> None:
    error = {"class": "mylib.Worse", "bases": ["mylib.Bad"]}
    assert error_names(error, {"mylib.Bad": "OSError"})[0] == "OSError"


def test_a_driver_can_use_the_names_of_the_page_itself() -> None:
    error = {"class": "BadStatusLine", "bases": ["HTTPException"]}
    assert error_names(error, {}) == ("BadStatusLine", "HTTPException")


def test_the_command_line_takes_a_map_and_refuses_what_is_none(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text('[errors]\n"a" = "b"\n')
    for name, problem in (
        ("map.toml", "'b' is neither an exception"),
        ("none.toml", "No such file"),
    ):
        given = ["check", "--error-map", str(tmp_path / name)]
        result = CliRunner().invoke(main, given)
        assert result.exit_code == 2
        assert problem in result.output
        assert result.output.count("\n") == 1
