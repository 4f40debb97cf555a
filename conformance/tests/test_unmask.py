"""The liars: each is unmasked by a case of the corpus, and by no case that it is not about."""

import base64
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conformance.cases import fixtures_directory, load_corpus
from conformance.cli import main
from conformance.course import load_liars, unmaskings

LIARS = load_liars()
NUMBERS = range(1, len(LIARS) + 1)
UNMASKED_BY = {
    1: "framing.content-length.invalid.plus",
    2: "framing.content-length.valid.lower-case-name",
    3: "headers.fold.space",
    4: "interim.skipped.103.off",
    5: "chunked.size.0x",
    6: "chunked.size.valid.seven-leading-zeros",
    7: "framing.content-length.ignored-not-reused",
    8: "status-line.not-http.icy.off",
    9: "status-line.reason.missing.off",
    10: "framing.no-body.304.length-0",
    11: "chunked.extension.valid.a-name",
}
"""A case of the corpus that unmasks each liar."""
USUAL = ("chunked.two-chunks", "framing.length.all-octets", "status-line.valid.1-1.on")


def kit(*args: str) -> Result:
    return CliRunner().invoke(main, ["course", "unmask", *args], prog_name="httplib-kit")


def test_there_are_ten_liars_and_none_tells_its_lie() -> None:
    assert len(LIARS) >= 10
    text = (fixtures_directory() / "course" / "liars.toml").read_text(encoding="utf-8")
    shown = kit().output
    for one in LIARS:
        assert one.about.endswith("?")
        assert one.told not in text
        assert one.told not in shown
        assert b"told" in base64.b64decode(one.lie)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_case_unmasks_each_liar_and_usual_ones_do_not(number: int) -> None:
    corpus = load_corpus()
    cases = [corpus.select([name])[0] for name in (UNMASKED_BY[number], *USUAL)]
    first, *others = unmaskings(LIARS[number - 1], cases)
    assert first.unmasks, (first.true.verdict, first.lied.verdict)
    assert not any(one.unmasks for one in others)
    assert all(one.is_right for one in others)


RIGHT = "HTTP/1.1 200 OK\\r\\nContent-Length: +5\\r\\n\\r\\nhello world"


def edited(path: Path, respond: str, read: str) -> None:
    kit("1", "--new", str(path))
    text = path.read_text(encoding="utf-8")
    usual = "HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello"
    assert usual in text
    path.write_text(text.replace(usual, respond).replace('read = "hello" ', f'read = "{read}" '))


def test_the_case_to_begin_with_is_right_and_unmasks_no_liar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in NUMBERS:
        assert kit(str(number), "--new", f"{number}.toml").exit_code == 0
        done = kit(str(number), f"{number}.toml")
        assert done.exit_code == 1
        assert f"liar {number} passes mine.liar-{number}" in done.output, done.output
    assert "is there already" in kit("1", "--new", "1.toml").output


def test_a_right_case_unmasks_the_liar_and_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    edited(tmp_path / "case.toml", RIGHT, "hello world")
    done = kit("1", "case.toml")
    assert done.exit_code == 0, done.output
    assert "Unmasked. It takes a Content-Length with a plus sign for a number." in done.output
    assert "right     'hello world'" in done.output
    assert "the liar  'hello'" in done.output
    assert "x  1  How does it read a length?" in kit().output


def test_a_case_that_the_reference_fails_is_not_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    edited(tmp_path / "case.toml", RIGHT, "hello")
    done = kit("1", "case.toml")
    assert done.exit_code == 1
    assert "mine.liar-1 is not right: the reference fails it" in done.output
    assert "again     httplib-kit course unmask 1 case.toml" in done.output
    assert LIARS[0].told not in done.output


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("99",), "'99' is not the number of a liar"),
        (("1", "no.toml"), "no.toml: cannot be read"),
        (("1", "observed.toml"), "has no [[case.outcome]], so nothing can fail"),
    ],
)
def test_a_wrong_argument_gets_one_line(
    arguments: tuple[str, ...], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kit("1", "--new", "observed.toml")
    path = tmp_path / "observed.toml"
    text = path.read_text(encoding="utf-8").replace('"documented"', '"observe"')
    path.write_text(text.partition("[[case.outcome]]")[0], encoding="utf-8")
    done = kit(*arguments)
    assert done.exit_code == 2
    assert problem in done.output
    assert done.output.count("\n") == 1
