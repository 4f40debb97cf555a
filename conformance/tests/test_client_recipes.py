"""The recipes of ``docs/clients.md``: each is extracted, and run where its client is there."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from certs import CertificateAuthority
from conformance.cases import client_cases
from conformance.cases.casefile import load_text
from conformance.drivers import target
from conformance.run import Runner
from conformance.tests.support import BY_ID

PAGE = Path(__file__).resolve().parents[2] / "docs" / "clients.md"
FIRST = re.compile(
    r"\W*(?:<\?php // )?(?:(?P<build>[a-z ]+ (?P<source>\S+)) && )?client:cmd:(?P<run>.*)"
)
EXPECTED = {
    "faults.whole.by-length": "accepts",
    "chunked.two-chunks": "accepts",
    "exceptions.bad-status-line.nothing": "rejects",
}
PARSERS = ("h11", "httptools")
"""They are given bytes by the recipe, which has to stop at the end of the message."""
(TWO,) = load_text(
    r"""
family = "framing"
[[case]]
id = "clients.two-in-one"
title = "Two responses to one request, in one segment"
level = "observe"
spec = ["HTTPResponse.read"]
rfc = ["9112#6.3"]
why = "A parser that is given all bytes at once begins with the next message."
respond = [{ repeat = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", times = 2 }]
[case.fetch]
strength = "must"
expect = [{ accept = { status = 200, body = "hi" } }]
""",
    "x.toml",
)
PATIENCE = 20.0
"""Seconds: some of these start slowly, and this is no test of that."""


class Recipe(NamedTuple):
    """A recipe: what it is called, its file, and how it is built and run."""

    title: str
    text: str
    build: str | None
    run: str
    file: str


def recipes() -> list[Recipe]:
    found = []
    page = PAGE.read_text(encoding="utf-8").partition("## Recipes")[2]
    for title, text in re.findall(r"### (.+?)\n\n```\w+\n(.*?)```", page, re.DOTALL):
        first = FIRST.match(text)
        assert first is not None, title
        source = first["source"] or shlex.split(first["run"])[1]
        found.append(Recipe(title, text, first["build"], first["run"], source))
    return found


def missing(recipe: Recipe) -> str | None:
    """Return what is not here of what *recipe* needs."""
    program = (recipe.build or recipe.run).split()[0]
    if shutil.which(program) is None:
        return f"no program {program}"
    checks = {
        "python": [
            sys.executable,
            "-c",
            "\n".join(re.findall(r"(?m)^import \w+|^from .*", recipe.text)),
        ],
        "perl": ["perl", "-e", "\n".join(re.findall(r"(?m)^use .*", recipe.text))],
    }
    if (
        program in checks
        and subprocess.run(checks[program], capture_output=True, check=False).returncode
    ):
        return f"no {recipe.title} here"
    return None


def test_every_client_that_is_not_built_in_has_a_recipe() -> None:
    assert len(recipes()) == 12


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.title)
def test_a_recipe_runs(
    recipe: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    certificate_authority: CertificateAuthority,
) -> None:
    lacking = missing(recipe)
    if lacking is not None:
        pytest.skip(lacking)
    monkeypatch.chdir(tmp_path)
    (tmp_path / recipe.file).write_text(recipe.text, encoding="utf-8")
    if recipe.build:
        subprocess.run(recipe.build.split(), check=True, capture_output=True)
    run = re.sub(r"^python ", f"{sys.executable} ", recipe.run)
    expected = {**EXPECTED, **({TWO.id: "accepts"} if recipe.title in PARSERS else {})}
    known = {**BY_ID, TWO.id: TWO}
    cases = client_cases(known[name] for name in expected)
    with Runner(target(f"client:cmd:{run}"), certificate_authority, deadline=PATIENCE) as runner:
        results = list(runner.run(cases))
    assert [one.did.partition(" ")[0] for one in results] == list(expected.values())
    assert [one.verdict for one in results] == ["PASS"] * len(expected)
