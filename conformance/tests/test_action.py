"""The action and the hooks for guests, carried out as far as one machine allows.

GitHub's part is what this file has: the values of expressions, the conditions of steps, an upload
that is only named, and a `gh` that records what it is asked.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from conformance.cli import main
from conformance.cli.outputs import FORMATS
from conformance.tests.conftest import ROOT
from conformance.tests.support import OWN_CASE

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
FILES = [one.option for one in FORMATS if one.option != "comment"]
"""The formats that the input `formats` names; a comment has an input of its own."""
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
SELECT = "framing.content-length.different.*\n\n  framing.head.* \n"
GH = """#!{python}
import json, sys
from pathlib import Path
here = Path(__file__).parent
with (here / "asked").open("a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
if (here / "refuses").exists():
    sys.exit("HTTP 403: Resource not accessible by integration")
if "--jq" in sys.argv and (here / "known").exists():
    print((here / "known").read_text(), end="")
"""


def expanded(text: str, values: Mapping[str, str]) -> str:
    """Return *text* as GitHub fills it in."""
    return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: values[found[1]], text)


def holds(condition: str, values: Mapping[str, str]) -> bool:
    """Return whether a step runs: a conjunction of comparisons, of names, and of `!cancelled()`."""
    text = condition.removeprefix("${{ ").removesuffix(" }}") or "!cancelled()"
    for part in text.split(" && "):
        name, sign, value = (*part.split(" "), "", "")[:3]
        found = values[name] if name != "!cancelled()" else "yes"
        met = bool(found) if not sign else (found == value.strip("'")) is (sign == "==")
        if not met:
            return False
    return True


class Service:
    """A job of GitHub's in a directory.

    Args:
        place: the directory; its parent has what is not of the repository.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.summary = place.parent / "summary.md"
        self.gh = place.parent / "bin"
        self.gh.mkdir()
        (self.gh / "gh").write_text(GH.format(python=sys.executable))
        (self.gh / "gh").chmod(0o755)

    def run(self, number: str = "7", **given: str) -> dict[str, "subprocess.CompletedProcess[str]"]:
        """Run the steps that the inputs *given* ask for, but the one that installs the kit."""
        inputs = {name: str(one.get("default", "")) for name, one in ACTION["inputs"].items()}
        inputs |= {"python": sys.executable, "select": SELECT}
        inputs |= {name.replace("_", "-"): value for name, value in given.items()}
        assert inputs.keys() == ACTION["inputs"].keys()
        values = {f"inputs.{name}": value for name, value in inputs.items()}
        values |= {"github.action_path": "", "github.repository": "own/er", "github.token": "T"}
        values["github.event.pull_request.number"] = number
        done = {}
        for name, step in STEPS.items():
            if (
                "run" in step
                and name != "Install httplib-kit"
                and holds(step.get("if", ""), values)
            ):
                done[name] = self._shell(step, values)
        return done

    def _shell(
        self, step: Mapping[str, Any], values: Mapping[str, str]
    ) -> "subprocess.CompletedProcess[str]":
        assert step["shell"] == "bash"
        environment = {key: expanded(one, values) for key, one in step["env"].items()}
        path = f"{self.gh}{os.pathsep}{os.environ['PATH']}"
        service = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(self.summary), "PATH": path}
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.place,
            env={**os.environ, **service, **environment, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def asked(self) -> list[list[str]]:
        """What `gh` was asked."""
        path = self.gh / "asked"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def service(tmp_path: Path) -> Service:
    (tmp_path / "repository").mkdir()
    return Service(tmp_path / "repository")


def every(done: Mapping[str, "subprocess.CompletedProcess[str]"]) -> dict[str, int]:
    return {name: one.returncode for name, one in done.items()}


def test_each_format_is_written_where_the_inputs_say(service: Service) -> None:
    formats = f"{' '.join(FILES)}\nbadge badges html"
    done = service.run(implementations="http.client", formats=formats, directory="out")
    assert every(done) == {"Judge": 1}, done["Judge"].stderr
    found = {one.name for one in (service.place / "out").iterdir()}
    assert found == {
        *("badge.svg", "badges", "code-quality.json", "ctrf.json", "site", "results.json"),
        *("junit.xml", "summary.md", "findings.sarif", "results.jsonl"),
    }
    assert "::error title=http.client%3A framing." in done["Judge"].stdout
    assert service.summary.read_text(encoding="utf-8").startswith("## `http.client ")
    head, *results = (service.place / "out" / "results.jsonl").read_text().splitlines()
    assert json.loads(head)["select"] == ["framing.content-length.different.*", "framing.head.*"]
    assert all("seconds" in json.loads(one) for one in results)


def test_every_format_of_the_kit_can_be_asked_for() -> None:
    known = set(
        re.findall(r"[a-z-]+", ACTION["inputs"]["formats"]["description"].partition(", of")[2])
    )
    assert known == {*FILES, "badge", "badges", "html"}


def test_a_format_that_does_not_exist_is_one_line(service: Service) -> None:
    done = service.run(implementations="http.client", formats="junit xml")["Judge"]
    assert done.returncode == 2
    assert done.stdout.startswith("::error title=httplib-kit::formats: there is no xml; there are ")


def test_inputs_become_options(service: Service, tmp_path: Path) -> None:
    kit = tmp_path / "python"
    kit.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    kit.chmod(0o755)
    done = service.run(
        implementations="client:cmd:curl -sS {url}\n\nhttp.client\n",
        python=str(kit),
        baseline="known.toml",
        set="1.0",
        level="guard",
        fail_on_flaky="true",
        arguments="--sweep each -q",
        select="a.*",
    )["Judge"]
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        *("-m", "conformance", "check", "--times", "--sweep", "each", "-q", "--select", "a.*"),
        *("--baseline", "known.toml", "--set", "1.0", "--level", "guard", "--fail-on-flaky"),
        *("--junit", "httplib-kit/junit.xml", "--badge", "httplib-kit/badge.svg"),
        *("--results", "httplib-kit/results.jsonl", "--"),
        *("client:cmd:curl -sS {url}", "http.client"),
    ]


@pytest.fixture
def commenting(service: Service, tmp_path: Path) -> Service:
    """A job after which a comment is written, with results of the branch before."""
    before = tmp_path / "before.jsonl"
    args = ["check", "--select", "framing.content-length.different.*", "--results", str(before)]
    assert CliRunner().invoke(main, args).exit_code == 0
    return service


def test_a_comment_compares_and_is_posted_once(commenting: Service, tmp_path: Path) -> None:
    given = {
        "implementations": "http.client",
        "comment": "true",
        "before": str(tmp_path / "before.jsonl"),
        "artifact": "a job $(x)",
    }
    done = commenting.run(**given)
    assert every(done) == {"Judge": 1, "Write the comment": 0, "Post the comment": 0}
    comment = (commenting.place / "httplib-kit" / "comment.md").read_text(encoding="utf-8")
    mark, heading = comment.splitlines()[:2]
    assert mark == "<!-- httplib-kit a-job---x- -->"
    assert heading.startswith("## `httplib_impl ")
    assert "| **worse** | " in comment
    listed, posted = commenting.asked
    assert listed[:3] == ["api", "--paginate", "repos/own/er/issues/7/comments"]
    assert mark in listed[-1]
    body = "body=@httplib-kit/comment.md"
    address = "repos/own/er/issues/7/comments"
    assert posted == ["api", "--silent", "--method", "POST", address, "--field", body]
    (commenting.gh / "known").write_text("42\n43\n")
    commenting.run(**given)
    address = "repos/own/er/issues/comments/42"
    assert commenting.asked[-1] == [
        *("api", "--silent", "--method", "PATCH", address, "--field", body)
    ]


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
def test_the_comment_is_found_by_its_mark_and_only_among_those_of_bots(commenting: Service) -> None:
    commenting.run(implementations="http.client", comment="true")
    (question,) = (one[-1] for one in commenting.asked if "--jq" in one)
    mark = (commenting.place / "httplib-kit" / "comment.md").read_text().splitlines()[0]
    comments = [
        {"id": 1, "user": {"type": "User"}, "body": f"{mark}\nforged"},
        {"id": 2, "user": {"type": "Bot"}, "body": f"says {mark}"},
        {"id": 3, "user": {"type": "Bot"}, "body": f"{mark}\nours"},
    ]
    found = subprocess.run(
        ["jq", question], input=json.dumps(comments), capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == ["3"]


def test_without_results_before_the_comment_is_the_summary(service: Service) -> None:
    done = service.run(implementations="http.client", comment="true")
    assert every(done) == {"Judge": 1, "Write the comment": 0, "Post the comment": 0}
    text = (service.place / "httplib-kit" / "comment.md").read_text(encoding="utf-8")
    assert text.startswith("<!-- httplib-kit httplib-kit -->\n## `http.client ")
    assert "::" not in done["Write the comment"].stdout


def test_a_comment_that_may_not_be_written_is_a_warning(service: Service) -> None:
    (service.gh / "refuses").touch()
    done = service.run(implementations="http.client", comment="true")["Post the comment"]
    assert done.returncode == 0
    assert (
        "::warning title=httplib-kit::the comment cannot be written; the job needs" in done.stdout
    )


def test_outside_a_pull_request_nothing_is_posted(service: Service) -> None:
    done = service.run("", implementations="http.client", comment="true")
    assert list(done) == ["Judge", "Write the comment"]
    assert not service.asked


def test_a_run_without_results_has_no_comment(service: Service) -> None:
    done = service.run(implementations="no.such.module", comment="true")
    assert every(done) == {"Judge": 2, "Write the comment": 0, "Post the comment": 0}
    assert not service.asked


def test_actions_of_others_are_pinned_and_one_step_alone_has_a_token() -> None:
    used = [step["uses"] for step in STEPS.values() if "uses" in step]
    assert [re.sub("@[0-9a-f]{40}$", "", one) for one in used] == ["actions/upload-artifact"]
    tokens = [name for name, step in STEPS.items() if "token" in json.dumps(step).lower()]
    assert tokens == ["Post the comment"]
    assert holds(STEPS["Upload the reports"]["if"], {"inputs.artifact": "x"})
    assert not holds(STEPS["Upload the reports"]["if"], {"inputs.artifact": ""})


HOOKS: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
)
BASELINE = """
implementation = "http.client"
[[entry]]
case = "mine.one"
verdict = "HANG"
reason = "It is known."
"""


def test_the_hooks_run_a_command_that_exists_on_files_of_their_names() -> None:
    names = {one["id"]: one["files"] for one in HOOKS}
    assert re.search(names["httplib-kit-cases"], "tests/mine.cases.toml")
    assert re.search(names["httplib-kit-baselines"], "known.toml")
    assert re.search(names["httplib-kit-baselines"], "tests/curl.baseline.toml")
    assert not any(re.search(one, "pyproject.toml") for one in names.values())
    for one in HOOKS:
        command, word = one["entry"].split()
        assert (command, word in main.list_commands(None)) == ("httplib-kit", True)  # type: ignore[arg-type]


def linted(*paths: Path) -> tuple[int, list[str]]:
    done = CliRunner().invoke(main, ["lint", *map(str, paths)])
    return done.exit_code, done.output.splitlines()


def test_lint_takes_cases_and_a_baseline_about_them(tmp_path: Path) -> None:
    cases, known = tmp_path / "mine.cases.toml", tmp_path / "known.toml"
    cases.write_text(OWN_CASE)
    known.write_text(BASELINE)
    assert linted(cases, known) == (0, [])
    (tmp_path / "own").mkdir()
    cases.rename(tmp_path / "own" / "mine.toml")
    cases = tmp_path / "own" / "mine.toml"
    assert linted(known, Path("--cases"), cases.parent) == (0, [])
    assert linted(known, cases, Path("--cases"), cases.parent) == (0, [])
    code, lines = linted(known)
    assert code == 1
    assert lines == [
        f"httplib-kit: {known}:4: mine.one: there is no such case: remove it, or run "
        "with --update-baseline"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = [", "is not TOML"),
        (OWN_CASE.replace('"guard"', '"gard"'), "gard"),
        (OWN_CASE.replace("[[case.outcome]]\nread", "[[case.outcome]]\nreed"), "reed"),
        (OWN_CASE + OWN_CASE[OWN_CASE.index("[[case]]") :], "mine.one"),
        (BASELINE.replace("HANG", "BAD"), "BAD"),
        ("levels = ['observe']\n", "levels: 'observe' is none of"),
    ],
)
def test_lint_names_file_and_fault(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    code, lines = linted(path)
    assert code == 1
    assert len(lines) == 1
    assert lines[0].startswith(f"httplib-kit: {path}")
    assert problem in lines[0]
