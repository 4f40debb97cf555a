"""The package of the corpus for npm; its runner agrees with `check` on the cases that it plays."""

import gzip
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from conformance.cases import load_corpus
from conformance.cli import main
from conformance.results import read_results
from tools.corpus_package import SOURCE, files, tarball, write

GLOBS = (
    *("headers.fold.*", "framing.content-length.valid.*", "chunked.size.invalid.[m-z]*"),
    *("framing.transfer-encoding.*", "session.kept.after-1*", "tls.client.upload"),
)
"""Cases of every verdict that node:http gets, and of those that the runner skips."""
SELECTED = [word for glob in GLOBS for word in ("--select", glob)]
LIAR = """
export async function fetch(url) {
  await globalThis.fetch(url).catch(() => null);
  return { status: 200 };
}
"""
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the runner and a small corpus."""
    directory = tmp_path_factory.mktemp("corpus")
    shutil.copy(SOURCE / "play.mjs", directory)
    written = ["export", *SELECTED, "-o", str(directory / "corpus.json")]
    assert CliRunner().invoke(main, written).exit_code == 0
    return directory


def verdicts(place: Path, *arguments: str) -> tuple[int, dict[str, str]]:
    """Return the exit code of the runner, and by id the verdict, or why the case was skipped."""
    ran = subprocess.run(
        ["node", "play.mjs", *arguments], capture_output=True, text=True, timeout=300, cwd=place
    )
    assert ran.stderr == ""
    lines = (line.rpartition(" ") for line in ran.stdout.splitlines())
    return ran.returncode, {name: found for found, _, name in lines}


def test_the_runner_is_short() -> None:
    assert len((SOURCE / "play.mjs").read_text(encoding="utf-8").splitlines()) <= 80


@needs_node
def test_the_runner_agrees_with_check(place: Path) -> None:
    results = place / "results.jsonl"
    checked = ["check", "client:node-http", *SELECTED, "--results", str(results)]
    assert CliRunner().invoke(main, checked).exit_code == 1
    ((_, judged),) = read_results(results)
    code, seen = verdicts(place)
    assert code == 1
    assert seen.keys() == {one.id for one in judged}
    played = {one.id: one.verdict for one in judged if not seen[one.id].startswith("SKIPPED")}
    assert {name: seen[name] for name in played} == played
    assert {"PASS", "TOLERATED", "FALSE_ERROR", "WRONG_VALUE"} <= {*played.values()}
    assert len(played) > len(judged) / 2
    skipped = {found for found in seen.values() if found.startswith("SKIPPED")}
    assert skipped >= {"SKIPPED more than one GET:", "SKIPPED TLS or a proxy:"}


@needs_node
def test_the_runner_finds_a_client_that_accepts_everything(place: Path) -> None:
    (place / "liar.mjs").write_text(LIAR, encoding="utf-8")
    code, seen = verdicts(place, "liar.mjs", "chunked.size.invalid.")
    assert code == 1
    assert {*seen.values()} == {"TOLERATED", "NO_ERROR"}
    code, seen = verdicts(place, "liar.mjs", "framing.content-length.valid.")
    assert (code, {*seen.values()}) == (0, {"PASS"})


@pytest.fixture(scope="module")
def content() -> dict[str, bytes]:
    return files(load_corpus().select(GLOBS))


def test_a_tarball_has_the_package_and_nothing_of_this_machine(content: dict[str, bytes]) -> None:
    packed = tarball(content)
    assert packed == tarball(content)
    assert packed[4:8] == b"\0" * 4  # no time
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as archive:
        entries = {one.name: one for one in archive}
        read = {name: archive.extractfile(one) for name, one in entries.items()}
        found = {name: file.read() for name, file in read.items() if file is not None}
    assert found == {f"package/{name}": data for name, data in content.items()}
    assert {(one.mtime, one.uid, one.uname) for one in entries.values()} == {(0, 0, "")}


def test_the_package_is_as_its_description_says(content: dict[str, bytes]) -> None:
    about, corpus = (json.loads(content[name]) for name in ("package.json", "corpus.json"))
    assert about["version"] == corpus["kit"]
    assert {*about["files"], *about["bin"].values()} <= content.keys()
    assert {one.removeprefix("./") for one in about["exports"].values()} <= content.keys()
    schema = json.loads(content["schema.json"])
    jsonschema.validate({**corpus, "cases": corpus["cases"][:20]}, schema)


@pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm here")
def test_npm_packs_the_package(
    tmp_path: Path, content: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, content)
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    ran = subprocess.run(
        ["npm", "pack", "--json", "--offline"],
        cwd=tmp_path / "package",
        capture_output=True,
        check=True,
    )
    (packed,) = json.loads(ran.stdout)
    (ours,) = tmp_path.glob("*.tgz")
    assert packed["filename"] == ours.name
    with tarfile.open(tmp_path / "package" / ours.name) as theirs, tarfile.open(ours) as archive:
        assert sorted(theirs.getnames()) == sorted(archive.getnames())
