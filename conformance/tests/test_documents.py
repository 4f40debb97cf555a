"""Blocks of the documents: tutorials are run as written, commands are accepted, data is read."""

import json
import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from conformance.cases import LEVELS, load_corpus
from conformance.cli import main
from conformance.tests.documents import (
    ROOT,
    Block,
    blocks,
    changed,
    commands,
    documents,
    missing,
    run,
)

BLOCKS = [block for path in documents() for block in blocks(path)]
READ_BY: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "python": lambda code: compile(code, "a document", "exec"),
}
KIT = ("httplib-kit", "kit/bin/httplib-kit", ".kit/bin/httplib-kit", ".venv/bin/httplib-kit")


def kit_commands() -> list[tuple[str, list[str]]]:
    """Return each call of this kit in the documents: where, and its arguments."""
    found = []
    for block in BLOCKS:
        lines = [command for command, _ in commands(block)]
        if block.language == "sh":
            lines = block.code.replace("\\\n", " ").splitlines()
        for line in lines:
            words = shlex.shlex(line, posix=True, punctuation_chars="|>;&")
            words.whitespace_split = True
            read = list(words)
            for at, word in enumerate(read):
                if word in KIT and "pip" not in line:
                    ends = (n for n in range(at, len(read)) if read[n][0] in "|>;&")
                    found.append((block.where, read[at + 1 : next(ends, len(read))]))
    return found


@pytest.mark.parametrize(
    "block", [one for one in BLOCKS if one.language in READ_BY], ids=lambda block: block.where
)
def test_data_and_programs_can_be_read(block: Block) -> None:
    READ_BY[block.language](block.code)


FILES = frozenset([".jsonl", ".json", ".bin", ".toml", ".pcap", ".har", ".key", ".pub"])
"""How the files that commands read are named."""


@pytest.mark.parametrize(("where", "arguments"), kit_commands())
def test_a_command_is_one_that_there_is(
    where: str, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for word in arguments:
        if Path(word).suffix in FILES and not Path(word).is_absolute():
            Path(word).touch()
    with click.Context(main, info_name="httplib-kit") as context:
        _, command, rest = main.resolve_command(context, arguments)
        assert command is not None
        with command.make_context(command.name, list(rest), parent=context) as made:
            selected = made.params.get("select") or ()
    for pattern in selected:
        assert load_corpus().select([pattern], LEVELS), where


ELSEWHERE = {
    "docs/tutorial-": "the tests of the tutorials, below",
    "docs/recipes.md": "test_recipes",
    "docs/export.md": "test_export",
}
"""Pages whose commands are run by other tests."""
NOT_HERE = {
    "^(check|check http.client|hunt .*|clients --install .*)$": "takes minutes, or downloads",
    "^(serve|export|atlas)( |$)": "test_serve, test_export, test_atlas",
    "^record ": "writes golden records: test_golden",
    "--fresh|course grade": "test_grading",
    "--key|--verify|^collect": "test_statement",
    "^course (check|unmask 4 case)": "test_course, test_unmask",
    "gevent|client:(?!httplib)|curl|python2.7|exec:": "other programs: test_clients, test_drivers",
}
"""What is not run here, as a pattern of the arguments, and why or where it is run."""
STANDS_IN = {"yourpackage.client": "http.client"}
ONE_CASE = "chunked.two-chunks"
"""What a command is run with; `test_a_command_is_one_that_there_is` has what it selects."""


def shown_commands(page: Path) -> list[list[str]]:
    """Return the commands of a page that are run here, each once."""
    where = str(page.relative_to(ROOT))
    found = [arguments for place, arguments in kit_commands() if place.partition(":")[0] == where]
    if where.startswith(tuple(ELSEWHERE)):
        return []
    rest = [one for one in found if not any(re.search(how, " ".join(one)) for how in NOT_HERE)]
    return [one for at, one in enumerate(rest) if one not in rest[:at]]


@pytest.mark.parametrize(
    "page", [one for one in documents() if shown_commands(one)], ids=lambda page: page.name
)
def test_the_commands_of_a_page_run_in_their_order(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("response.bin").write_bytes(b"HTTP/1.1 200 OK\r\n\r\nhi")
    options = ["--select", ONE_CASE, "--results"]
    for name in ("before.jsonl", "after.jsonl", "results.jsonl"):
        if any(name in one for one in shown_commands(page)):
            CliRunner().invoke(main, ["check", "http.client", *options, name])
    for arguments in shown_commands(page):
        words = [STANDS_IN.get(one, one) for one in arguments]
        if "--select" in words:
            words[words.index("--select") + 1] = ONE_CASE
        elif words[0] in ("check", "matrix") or re.match("diff py", " ".join(words)):
            words += ["--select", ONE_CASE]
        with Path("response.bin").open("rb") as stream:
            done = CliRunner().invoke(main, words, input=stream)
        assert done.exit_code in (0, 1), (arguments, done.output[-2000:])
        assert done.output, arguments


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.name)
def test_each_link_leads_to_a_file(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert [one for one in links if not (page.parent / one).exists()] == []


def test_the_citation_names_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert [citation[key] for key in ("title", "version", "license")] == [
        project[key] for key in ("name", "version", "license")
    ]


def test_each_document_is_a_page_of_the_site() -> None:
    trees = [one.code.splitlines() for one in blocks(ROOT / "docs" / "index.md")]
    pages = {line for lines in trees for line in lines if line and not line.startswith(":")}
    assert pages | {"index"} == {path.stem for path in (ROOT / "docs").glob("*.md")}


def test_there_are_commands_of_each_kind() -> None:
    assert {arguments[0] for _, arguments in kit_commands()} >= {
        "check",
        "show",
        "list",
        "serve",
        "report",
    }


def test_the_tutorial_of_a_client(tmp_path: Path) -> None:
    page = ROOT / "docs" / "tutorial-client.md"
    ((client,), (mended,)) = blocks(page, "python"), blocks(page, "diff")
    first, *others = (one for block in blocks(page, "console") for one in commands(block))
    file = tmp_path / "fetch.py"
    file.write_text(client.code, encoding="utf-8")
    assert missing(first[1], run(first[0], tmp_path, code=1)) == []
    file.write_text(changed(client.code, mended), encoding="utf-8")
    for command, printed in others:
        assert missing(printed, run(command, tmp_path, code=0)) == []


@pytest.mark.slow
def test_the_tutorial_of_a_class(tmp_path: Path) -> None:
    directory = tmp_path
    for block in blocks(ROOT / "docs" / "tutorial-class.md", "console"):
        for command, printed in commands(block):
            if command.startswith("cd "):
                directory = (directory / command.removeprefix("cd ")).resolve()
            else:
                assert missing(printed, run(command, directory, code=0)) == []


def test_the_tutorial_of_a_test(tmp_path: Path) -> None:
    page = ROOT / "docs" / "tutorial-test.md"
    shop, test, more = (block.code for block in blocks(page, "python"))
    broken, whole, unplayed = (one for block in blocks(page, "console") for one in commands(block))

    def tried(shop: str, test: str, told: tuple[str, list[str]], code: int) -> list[str]:
        (tmp_path / "shop.py").write_text(shop, encoding="utf-8")
        (tmp_path / "test_shop.py").write_text(test, encoding="utf-8")
        return missing(told[1], run(told[0] + " -p no:cacheprovider", tmp_path, code))

    assert tried(shop, test, broken, code=1) == []
    for change in blocks(page, "diff"):
        shop = changed(shop, change)
    assert tried(shop, test, whole, code=0) == []
    assert tried(shop, test + more, unplayed, code=1) == []
