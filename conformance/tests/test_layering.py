"""Who may import whom, read from the source and not from what happens to be loaded."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("httplib_impl", "mockserver", "certs", "conformance", "tools")
ORDER = ("cases", "judge", "results", "run", "driver_check", "report", "serve", "reproduce", "cli")
"""The subpackages of `conformance`: each may import those before it."""

PYTHON_2 = {"__builtin__", "thread"}
"""What Python 2 calls `builtins` and `_thread`; the agent runs there as well."""

MAY_IMPORT = {
    "httplib_impl": set(),
    "mockserver": set(),
    "certs": {"trustme", "cryptography"},
    "conformance": {"mockserver", "certs", "click", "jinja2", "msgspec", "rich", "tomli"},
    "tools": {
        "httplib_impl",
        "mockserver",
        "certs",
        "conformance",
        "hypothesis",
        "libcst",
        "mutmut",
    },
}


def modules(package: str) -> list[Path]:
    found = [path for path in (ROOT / package).rglob("*.py") if "tests" not in path.parts]
    return [path for path in found if not path.name.startswith("test_")]


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 or node.module is not None or path.name != "__init__.py"
            if node.level == 0:
                yield node.module or ""


def every_module() -> list[tuple[str, Path]]:
    return [(package, path) for package in PACKAGES for path in modules(package)]


@pytest.mark.parametrize(
    ("package", "path"), every_module(), ids=lambda part: str(part).replace(f"{ROOT}/", "")
)
def test_a_package_imports_only_what_it_may(package: str, path: Path) -> None:
    allowed = MAY_IMPORT[package] | {package, "__future__"}
    if path.name == "agent.py":
        allowed |= PYTHON_2
    if path.parent == ROOT / "conformance" / "plugin":
        allowed |= {"pytest"}
    tops = {name.partition(".")[0] for name in imported(path)}
    assert tops <= sys.stdlib_module_names | allowed


@pytest.mark.parametrize("package", ORDER)
def test_the_subpackages_import_in_one_direction(package: str) -> None:
    later = set(ORDER[ORDER.index(package) + 1 :]) | {"plugin"}
    for path in modules(f"conformance/{package}"):
        parts = {name.split(".")[1] for name in imported(path) if name.startswith("conformance.")}
        assert not parts & later, path


def test_drivers_see_no_case_and_no_judge() -> None:
    for path in modules("conformance/drivers"):
        parts = {name.split(".")[1] for name in imported(path) if name.startswith("conformance.")}
        assert parts <= {"drivers", "definitions", "lazy"}, path


def test_the_agent_imports_nothing_but_the_standard_library() -> None:
    tops = {name.partition(".")[0] for name in imported(ROOT / "conformance/drivers/agent.py")}
    assert tops <= sys.stdlib_module_names | {"__future__", *PYTHON_2}


def test_only_one_function_builds_the_path_of_the_fixtures() -> None:
    naming = [
        path.name
        for _, path in every_module()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value == "fixtures"
    ]
    assert set(naming) == {"places.py"}
