"""What the kit is installed with: extras, locks, and the Pythons that several files name."""

import ast
import json
import re
import tomllib
from collections import Counter

import pytest
import yaml
from packaging.requirements import Requirement

from conformance.cases.places import fixtures_directory
from conformance.tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BASE = [Requirement(one) for one in PROJECT["dependencies"]]
EXTRAS = {
    name: [Requirement(one) for one in some]
    for name, some in PROJECT["optional-dependencies"].items()
}
LOCKS = {path.stem: path.read_text("utf-8") for path in (ROOT / "requirements").glob("*.txt")}


def wanted(extra: str) -> list[Requirement]:
    """Return what *extra* asks for, with what the extras that it refers to ask for."""
    found = list[Requirement]()
    for one in EXTRAS[extra]:
        more = [other for name in one.extras for other in wanted(name)]
        found += more if one.name == PROJECT["name"] else [one]
    return found


def locked(name: str) -> set[tuple[str, str]]:
    """Return package and version of all that the lock *name* lists."""
    return set(re.findall(r"^([\w.-]+)==(\S+)", LOCKS[name], re.MULTILINE))


def test_a_package_is_asked_for_once() -> None:
    named = Counter(one.name for some in (BASE, *EXTRAS.values()) for one in some)
    del named[PROJECT["name"]]
    assert [name for name, times in named.items() if times > 1] == []


def test_each_dependency_has_a_reason() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## Dependencies")[2].partition("\n## ")[0]
    given = set(re.findall(r"[\w-]+", table))
    named = {one.name for some in (BASE, *EXTRAS.values()) for one in some}
    assert named - given - {PROJECT["name"]} == set()


@pytest.mark.parametrize("lock", sorted(LOCKS))
def test_a_lock_has_what_is_asked_for(lock: str) -> None:
    extras = {"kit": [], "records": ["records"], "test": ["test"]}.get(lock, ["test", lock])
    versions = dict(locked(lock))
    for one in [*BASE, *(one for extra in extras for one in wanted(extra))]:
        assert one.specifier.contains(versions[one.name]), f"`make lock`: {one}"
    pins = re.findall(r"^[a-z].*?(?=^[a-z]|\Z)", LOCKS[lock], re.MULTILINE | re.DOTALL)
    assert all("--hash=sha256:" in one for one in pins)


def test_locks_that_meet_in_one_environment_agree() -> None:
    by_lock = {name: Counter(package for package, _ in locked(name)) for name in LOCKS}
    every = {pin for name in LOCKS for pin in locked(name)}
    for package, times in Counter(package for package, _ in every).items():
        assert times == max(some[package] for some in by_lock.values()), f"`make lock`: {package}"


def test_the_locked_clients_are_those_that_are_recorded() -> None:
    path = fixtures_directory() / "observed" / "implementations.json"
    recorded = json.loads(path.read_text(encoding="utf-8"))
    names = {one.name for one in wanted("records")}
    assert {name: version for name, version in locked("records") if name in names} == {
        name: recorded[name]["version"] for name in names
    }


def test_the_pythons_are_the_same_everywhere() -> None:
    classifier = "Programming Language :: Python :: "
    named = [one.removeprefix(classifier) for one in PROJECT["classifiers"] if classifier in one]
    matrix = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    assert matrix["jobs"]["test"]["strategy"]["matrix"]["python"] == named
    sessions = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    lists = [ast.literal_eval(one) for one in ast.walk(sessions) if isinstance(one, ast.List)]
    assert named in lists
    assert PROJECT["requires-python"] == f">={named[0]}"
