"""Conformance statements: what they say, how they are checked, and the page of many."""

import datetime as dt
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import msgspec
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from markdown_it import MarkdownIt

from conformance.cli import main
from conformance.judge import Verdict
from conformance.report import Run, Statement, statement_markdown, statement_of
from conformance.report.statement import statement_json
from conformance.results import ResultFile, RunHead
from conformance.tests.test_formats import HEAD, RUN, result
from conformance.tests.test_reports import NASTY, PROPERTY, runs

DAY = dt.date(2026, 11, 30)
ON = ("--date", "2026-11-30")
LATER = ("--today", "2026-12-24")


def kit(*args: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in args])


def write(path: Path, *found: Run) -> Path:
    with ResultFile(path) as file:
        file.write((run.head, run.results) for run in found)
    return path


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return write(tmp_path / "results.jsonl", RUN)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A private key as OpenSSH writes it, with the public one next to it."""
    private = Ed25519PrivateKey.generate()
    kept = private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    (tmp_path / "key").write_bytes(kept)
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    (tmp_path / "key.pub").write_bytes(public + b" me@example\n")
    return tmp_path / "key"


def stated(results: Path, *more: object) -> Path:
    path = results.with_name("statement.json")
    done = kit("statement", results, *ON, "--json", path, *more)
    assert done.exit_code == 0, done.output
    return path


def verified(*args: object) -> Result:
    return kit("statement", "--verify", *args, *LATER)


def test_a_statement_says_who_was_judged_by_what_and_with_which_result(results: Path) -> None:
    made = json.loads(stated(results).read_bytes())
    jsonschema.validate(made, msgspec.json.schema(Statement))
    assert made["client"]["name"] == "x"
    assert made["client"]["version"] == "2"
    assert made["client"]["judged"] == "judged as a drop-in for the httplib of Python 2.7"
    assert (made["kit"], made["corpus"]) == ("1.0", "c")
    assert (made["date"], made["expires"]) == ("2026-11-30", "2027-11-30")
    assert sum(made["verdicts"].values()) == len(RUN.results)
    assert sum(one["judged"] + one["not_run"] for one in made["levels"].values()) == 7
    assert sum(one["passed"] for one in made["levels"].values()) == RUN.score.well == 1
    assert made["not_run"] == {"DRIVER_ERROR: died": 1, "UNSUPPORTED: no feature": 1}
    shown = subprocess.run(["sha256sum", results], capture_output=True, text=True, check=True)
    assert made["results"] == {"results.jsonl": shown.stdout.split()[0]}


def test_the_same_results_and_date_give_the_same_bytes(results: Path, key: Path) -> None:
    first = stated(results, "--key", key).read_bytes()
    assert stated(results, "--key", key).read_bytes() == first


def test_the_statement_for_people_has_every_number(results: Path) -> None:
    done = kit("statement", results, *ON)
    made = statement_of(RUN, {results.name: results.read_bytes()}, DAY)
    assert done.output == statement_markdown(made)
    tokens = MarkdownIt().enable("table").parse(done.output)
    cells = [one.content for one in tokens if one.type == "inline"]
    for level, counts in made.levels.items():
        at = cells.index(f"`{level}`")
        assert cells[at + 1 : at + 4] == [
            str(one) for one in (counts.passed, counts.judged, counts.not_run)
        ]
    for verdict, count in made.verdicts.items():
        assert cells[cells.index(f"`{verdict}`") + 1] == str(count)


def test_how_a_run_was_limited_is_said() -> None:
    head = msgspec.structs.replace(
        HEAD,
        set="1.0",
        select=["chunked.*"],
        levels=["guard"],
        sweep="each",
        tolerant=False,
        unable=["GET"],
    )
    made = statement_of(Run(head, RUN.results), {}, DAY)
    assert made.set == "1.0"
    assert "corpus c, set 1.0" in statement_markdown(made)
    text = "\n".join(made.limits)
    for part in ("--select chunked.*", "levels: guard", "--sweep each", "--no-tolerance", "GET"):
        assert part in text


def test_an_incomplete_run_states_nothing(tmp_path: Path) -> None:
    cut = Run(msgspec.structs.replace(HEAD, incomplete="killed"), RUN.results)
    done = kit("statement", write(tmp_path / "cut", cut), *ON)
    assert done.exit_code == 2
    assert done.output == "httplib-kit: client:x: incomplete: killed\n"


def test_of_several_implementations_one_is_chosen(tmp_path: Path) -> None:
    other = Run(msgspec.structs.replace(HEAD, implementation="y", name="y"), RUN.results)
    both = write(tmp_path / "both", RUN, other)
    done = kit("statement", both, *ON)
    assert (done.exit_code, "give --implementation: client:x, y" in done.output) == (2, True)
    path = stated(both, "--implementation", "y")
    assert json.loads(path.read_bytes())["client"]["name"] == "y"
    assert verified(path, both).exit_code == 0
    done = kit("statement", both, *ON, "--implementation", "z")
    assert (done.exit_code, "z is none of client:x, y" in done.output) == (2, True)


def test_what_is_as_stated_is_verified(results: Path, key: Path) -> None:
    path = stated(results, "--key", key)
    done = verified(path, results, "--signer", f"{key}.pub")
    assert done.exit_code == 0, done.output
    public = Path(f"{key}.pub").read_text().rpartition(" ")[0]
    assert f"signed with {public}; made on 2026-11-30, valid until 2027-11-30\n" in done.output
    assert done.output.endswith("it follows from the results\n")


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="OpenSSH is not installed")
def test_a_key_of_ssh_keygen_signs(results: Path, tmp_path: Path) -> None:
    key = tmp_path / "made"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    path = stated(results, "--key", key)
    assert verified(path, "--signer", f"{key}.pub").exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"passed": 1', '"passed": 2', "it was changed after it was written"),
        ('"2027-11-30"', '"2037-11-30"', "it was changed after it was written"),
        ('"version": "2"', '"version": "3"', "it was changed after it was written"),
        ('"statement": 1', '"statement": 9', "it has the format 9, and this kit reads 1"),
    ],
)
def test_a_change_is_found(results: Path, old: str, new: str, problem: str) -> None:
    path = stated(results)
    text = path.read_text()
    assert text.count(old)
    path.write_text(text.replace(old, new, 1))
    done = verified(path)
    assert done.exit_code == 1
    assert f"NOT VALID: {problem}" in done.output


def forged(path: Path, **fields: object) -> None:
    """Change fields of the statement at *path*, and make its digest that of the new text."""
    made = msgspec.json.decode(path.read_bytes(), type=Statement)
    changed = msgspec.structs.replace(made, **fields)
    digest = hashlib.sha256(changed.content).hexdigest()
    path.write_bytes(statement_json(msgspec.structs.replace(changed, digest=digest)))


def test_a_forged_digest_does_not_help_where_the_statement_is_signed(
    results: Path, key: Path
) -> None:
    path = stated(results, "--key", key)
    forged(path, score="all pass")
    assert "NOT VALID: its signature is not valid" in verified(path).output


def test_a_forged_statement_does_not_follow_from_the_results(results: Path) -> None:
    path = stated(results)
    forged(path, verdicts={"PASS": 7})
    assert verified(path).exit_code == 0  # without signature and results nothing is wrong
    done = verified(path, results)
    assert done.exit_code == 1
    assert "NOT VALID: it does not follow from the results: verdicts\n" in done.output


def test_other_result_files_are_not_those(results: Path, tmp_path: Path) -> None:
    path = stated(results)
    other = write(tmp_path / "other", Run(HEAD, RUN.results[:3]))
    done = verified(path, other)
    assert done.exit_code == 1
    assert "it was made from other result files" in done.output


def test_a_statement_by_another_key_or_none_is_not_accepted(results: Path, key: Path) -> None:
    unsigned = stated(results)
    done = verified(unsigned, "--signer", f"{key}.pub")
    assert (done.exit_code, "none of the given keys has signed it" in done.output) == (1, True)


@pytest.mark.parametrize(("day", "code"), [("2027-11-30", 0), ("2027-12-01", 1)])
def test_the_last_day_of_a_statement_is_valid(results: Path, day: str, code: int) -> None:
    assert kit("statement", "--verify", stated(results), "--today", day).exit_code == code


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 9999, b"\xff", b'{"statement": 1, "x": 2}'])
def test_what_is_no_statement_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad").write_bytes(content)
    done = verified(tmp_path / "bad")
    assert done.exit_code == 2
    assert re.fullmatch(r"httplib-kit: .*bad: not a statement: .*\n", done.output)


@pytest.mark.parametrize("kind", ["text", "rsa"])
def test_a_key_that_cannot_be_used_is_one_line(results: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "key"
    path.write_text("no key")
    if kind == "rsa":
        path.write_bytes(
            generate_private_key(65537, 2048).private_bytes(
                Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
            )
        )
    done = kit("statement", results, *ON, "--key", path)
    assert done.exit_code == 2
    assert "ssh-keygen -t ed25519 -N '' -f FILE" in done.output
    assert done.output.count("\n") == 1


def test_a_date_beyond_the_calendar_is_one_line(results: Path) -> None:
    done = kit("statement", results, "--date", "9999-12-31")
    assert done.exit_code == 2
    assert "no calendar has that day" in done.output


@PROPERTY
@given(runs())
def test_hostile_text_of_a_client_is_no_markup(run: Run) -> None:
    try:
        msgspec.json.encode([run.head, run.results])
    except UnicodeEncodeError:
        return  # no result file has half a character
    made = statement_of(run, {"a`|": b""}, DAY)
    for token in MarkdownIt().enable("table").parse(statement_markdown(made)):
        assert token.type != "html_block"
        for child in token.children or ():
            assert child.type not in ("html_inline", "image", "link_open")


class Page(HTMLParser):
    """Collects the names of all elements and attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def named(name: str) -> Run:
    return Run(msgspec.structs.replace(HEAD, name=name, version="1"), RUN.results)


@pytest.fixture
def collected(tmp_path: Path, key: Path) -> tuple[Path, Result]:
    """The page of five statements: good, signed, expired, changed, and no statement at all."""
    for name, run in (("good", named("good")), ("signed", named("signed")), ("old", named("old"))):
        write(tmp_path / name, run)
        date = ("--date", "2020-01-01") if name == "old" else ON
        more = ("--key", key) if name == "signed" else ()
        kit("statement", tmp_path / name, *date, *more, "--json", tmp_path / f"{name}.json")
    changed = (tmp_path / "good.json").read_text().replace('"passed": 1', '"passed": 2', 1)
    (tmp_path / "changed.json").write_text(changed.replace('"good"', '"changed"'))
    (tmp_path / "none.json").write_text("<script>")
    names = ("good", "signed", "old", "changed", "none")
    files = [tmp_path / f"{name}.json" for name in names]
    return tmp_path / "site", kit("collect", *files, "--html", tmp_path / "site", *LATER)


def test_one_page_shows_what_is_good_signed_expired_changed_and_unreadable(
    collected: tuple[Path, Result],
) -> None:
    site, done = collected
    assert done.exit_code == 1
    page = (site / "index.html").read_text(encoding="utf-8")
    rows = re.findall(r"<tr>(.*?)</tr>", page.partition("<tbody>")[2])
    states = [re.sub("<.*?>", "", re.findall("<td>(.*?)</td>", row)[0]) for row in rows]
    assert states == ["valid", "signed", "expired", "not valid", "not readable"]
    assert ["<s>" in row for row in rows] == [False, False, True, True, False]
    for line in (
        "old.json: it expired on 2020-12-31",
        "changed.json: it was changed after it was written: its digest is another",
        "none.json: ",
    ):
        assert f"httplib-kit: {line}" in done.output


def test_badges_of_what_is_not_valid_have_no_numbers(collected: tuple[Path, Result]) -> None:
    site, _ = collected
    found = {one.name: ET.parse(one).getroot() for one in site.glob("*.svg")}
    assert found
    for name, picture in found.items():
        number = int(name.partition("-")[0])
        message = (picture.get("aria-label") or "").rpartition(": ")[2]
        wanted = r"\d+/\d+|not judged" if number <= 2 else "expired" if number == 3 else "not valid"
        assert re.fullmatch(wanted, message)
        page = (site / "index.html").read_text(encoding="utf-8")
        assert f"]({name})" in page


def test_the_page_is_one_file_that_loads_nothing(collected: tuple[Path, Result]) -> None:
    site, _ = collected
    text = (site / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not page.tags & {"script", "img", "iframe", "object"}
    assert set(re.findall(r'(?:href|src)="?([^"\s>]*)', text)) <= {
        "data:,",
        *(f"#s{number}" for number in range(1, 6)),
    }
    assert "default-src 'none'" in text


def test_hostile_statements_are_text(tmp_path: Path) -> None:
    files = []
    for index, text in enumerate(one for one in NASTY if one.encode(errors="ignore").decode()):
        if any("\ud800" <= character <= "\udfff" for character in text):
            continue
        path = tmp_path / f"{index}.json"
        head = RunHead(
            kit=text, corpus=text, implementation=text, name=text, version=text, features=[]
        )
        found = [result("headers.none", Verdict.UNSUPPORTED, reason=text), *RUN.results]
        made = statement_of(Run(head, found), {text: b""}, DAY)
        made = msgspec.structs.replace(made, levels={text: made.levels["guard"], **made.levels})
        path.write_bytes(statement_json(made))
        forged(path, limits=[text], set=text)
        files.append(path)
    done = kit("collect", *files, "--html", tmp_path / "site", *LATER)
    assert done.exit_code == 0, done.output
    page = Page((tmp_path / "site" / "index.html").read_text(encoding="utf-8"))
    assert not page.tags & {"script", "img", "iframe", "b", "i"}
    assert not {one for one in page.names if one.startswith("on")}
    assert "alert(1)" in page.text
    assert {one.parent for one in (tmp_path / "site").rglob("*")} == {tmp_path / "site"}
    for one in (tmp_path / "site").glob("*.svg"):
        ET.parse(one)


def test_a_directory_that_is_not_ours_is_not_replaced(results: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("x")
    done = kit("collect", stated(results), "--html", tmp_path / "mine")
    assert done.exit_code == 2
    assert "it exists and is not a report of this kit" in done.output
