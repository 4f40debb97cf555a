"""The recipes and the action, each carried out as far as one machine allows.

A service's own actions (a checkout, a Python) are what this machine has already; everything that a
recipe itself says is run as it stands, in a third party's repository.  Only what is judged is less
than a recipe asks for: these tests are about the recipes.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from conformance.tests.conftest import ROOT, Installed, first_commands
from conformance.tests.test_action import ACTION, expanded, holds

pytestmark = pytest.mark.slow

RECIPES = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")


def blocks(section: str, language: str) -> list[str]:
    """Return the blocks in *language* of a section of the recipes."""
    text = re.split(rf"^## {section}$", RECIPES, flags=re.MULTILINE)[1].split("\n## ")[0]
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found, section
    return found


@pytest.fixture
def repository(third_party: Path) -> Path:
    """A third party's repository whose package lies in its root, as the recipes have it."""
    (third_party / "src" / "mypkg").rename(third_party / "mypkg")
    (third_party / "pyproject.toml").unlink()
    return third_party


FEWER = "status-line.code.*"


def shell(
    installed: Installed, cwd: Path, script: str, **more: str
) -> "subprocess.CompletedProcess[str]":
    narrow = r"--level documented|--quiet(?= --baseline known.toml)"
    script = re.sub(narrow, rf"--select '{FEWER}' \g<0>", script)
    more.setdefault("PYTEST_ADDOPTS", f"--httplib-select={FEWER}")
    more.setdefault("TOX_OVERRIDE", "testenv:conformance.pass_env=PIP_*,PYTEST_ADDOPTS,PYTHONPATH")
    done = installed.run(["bash", "-eo", "pipefail", "-c", script], cwd, **more)
    assert done.returncode == 0, script + done.stdout + done.stderr
    return done


def test_plain_shell(installed: Installed, repository: Path) -> None:
    first, *others = blocks("Plain shell", "sh")
    # It begins as the README does, by whose commands the environment is made.
    install = "\n".join(first_commands()[:2]).replace("path/to/", "")
    install = re.sub(r"(?<!-)\bkit\b", ".kit", install)
    assert first.startswith(install)
    (repository / ".kit").symlink_to(installed.directory)
    for block in (first.removeprefix(install), *others):
        done = shell(installed, repository, block)
    assert re.search(r"^\d+ cases: \d+ PASS", done.stdout, re.MULTILINE)
    assert (repository / "site" / "index.html").is_file()
    assert (repository / "known.toml").read_text(encoding="utf-8").startswith("# Known deviations")
    assert ET.parse(repository / "junit.xml").getroot().tag == "testsuites"


def test_pytest(installed: Installed, repository: Path) -> None:
    configuration, fixtures = blocks("pytest", "toml"), blocks("pytest", "python")
    (repository / "pyproject.toml").write_text(configuration[0], encoding="utf-8")
    (repository / "test_wrapper.py").write_text(fixtures[0], encoding="utf-8")
    kit = repository / ".kit"
    kit.symlink_to(installed.directory)
    several = f"--httplib-select={FEWER} --httplib-select=status-codes.200.*"
    done = shell(installed, repository, blocks("pytest", "sh")[0], PYTEST_ADDOPTS=several)
    assert re.search(r"\d+ passed, \d+ deselected", done.stdout)
    command = ".kit/bin/pytest -q test_wrapper.py"
    done = shell(installed, repository, command, PYTEST_ADDOPTS="")
    assert re.search(r"\d+ passed", done.stdout)


def test_tox(installed: Installed, repository: Path, dependencies: Path) -> None:
    (repository / "tox.ini").write_text(blocks("tox", "ini")[0], encoding="utf-8")
    done = shell(installed, repository, "tox -e conformance", PYTHONPATH=str(dependencies))
    assert re.search(r"\d+ passed", done.stdout)


def test_nox(installed: Installed, repository: Path, dependencies: Path) -> None:
    (repository / "noxfile.py").write_text(blocks("nox", "python")[0], encoding="utf-8")
    done = shell(installed, repository, "nox -s conformance", PYTHONPATH=str(dependencies))
    assert re.search(r"\d+ passed", done.stdout + done.stderr)


def github_steps(workflow: str, source: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield script and environment of each step of *workflow* that runs something here."""
    (job,) = yaml.safe_load(workflow)["jobs"].values()
    for step in job["steps"]:
        if "run" in step:
            yield step["run"], {}
        if not str(step.get("uses", "")).startswith("./"):
            continue
        inputs = {name: str(one.get("default", "")) for name, one in ACTION["inputs"].items()}
        inputs |= step["with"]
        values = {f"inputs.{name}": value for name, value in inputs.items()}
        values |= {"github.action_path": source, "github.token": ""}
        values["github.event.pull_request.number"] = ""
        here = [one for one in ACTION["runs"]["steps"] if "run" in one]
        for inner in (one for one in here if holds(one.get("if", ""), values)):
            assert inner["shell"] == "bash"
            environment = {key: expanded(one, values) for key, one in inner["env"].items()}
            yield inner["run"], environment


@pytest.mark.parametrize("number", [0, 1], ids=["action", "commands"])
def test_github(installed: Installed, repository: Path, number: int) -> None:
    summary = repository.parent / "summary.md"
    service = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "CI": "true"}
    wheel = str(next(installed.distributions.glob("*.whl")))
    for script, environment in github_steps(blocks("GitHub", "yaml")[number], wheel):
        if "KIT_SELECT" in environment:
            environment["KIT_SELECT"] = FEWER
        done = shell(installed, repository, script, **service, **environment)
    assert "::error" not in done.stdout
    assert summary.read_text(encoding="utf-8").startswith("## `mypkg.client ")


def test_the_action_fails_where_the_client_does_and_says_it_where_people_look(
    installed: Installed, repository: Path
) -> None:
    summary = repository.parent / "summary.md"
    service = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    workflow = blocks("GitHub", "yaml")[0].replace("mypkg.client", "mypkg.wrong")
    workflow = workflow.replace("--level documented", "--select framing.head.*")
    *_, (script, environment) = github_steps(workflow, "")
    done = installed.run(["bash", "-c", script], repository, **service, **environment)
    assert done.returncode == 1
    told = re.findall(r"^::error title=([^:]+)::(.+)$", done.stdout, re.MULTILINE)
    assert 1 <= len(told) <= 10
    assert "mypkg.wrong%3A framing.head." in told[0][0]
    assert "<details>" in summary.read_text(encoding="utf-8")
    assert (repository / "httplib-kit" / "results.jsonl").is_file()


def test_gitlab(installed: Installed, repository: Path) -> None:
    jobs = yaml.safe_load(blocks("GitLab", "yaml")[0])
    for index in ("1", "2"):
        script = "\n".join(jobs["conformance"]["script"])
        shell(installed, repository, script, CI_NODE_INDEX=index, CI_NODE_TOTAL="2")
    shell(installed, repository, "\n".join(jobs["conformance-report"]["script"]))
    cases = ET.parse(repository / "junit.xml").getroot().findall("testsuite/testcase")
    listed = shell(installed, repository, "httplib-kit list --level documented")
    assert cases
    assert len(cases) == len(listed.stdout.splitlines())
    assert (repository / jobs["conformance-report"]["artifacts"]["paths"][0]).is_dir()


def test_the_hooks_name_what_is_there() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repository,) = hooks["repos"]
    assert repository["repo"] == "local"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for hook in repository["hooks"]:
        program, *arguments = hook["entry"].split()
        assert Path(program).parent == Path(".venv", "bin")
        assert f"$(BIN)/{Path(program).name}" in makefile
        assert all((ROOT / one).exists() for one in arguments if os.sep in one)
