"""Which file may import which, read from the source: every import counts, wherever it stands."""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from conformance.drivers.clients import registry

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ("httplib_impl", "mockserver", "certs", "conformance")
PACKAGES = (*INSTALLED, "tools", "benchmarks")
ROOMS = (
    ("cases",),
    ("drivers",),
    ("judge",),
    ("results",),
    ("run",),
    ("export",),
    ("hunt",),
    ("driver_check",),
    ("report",),
    ("reproduce",),
    ("atlas",),
    ("course",),
    ("serve",),
    ("cli", "plugin"),
)
"""The packages in `conformance`: each may import those before it."""
LOOSE = {"lazy", "definitions", "wording"}
"""The modules of `conformance` that every package in it may import."""

PYTHON_2 = {"__builtin__", "thread"}
"""What Python 2 calls `builtins` and `_thread`; the agent runs there as well."""

MAY_IMPORT = {
    "httplib_impl": set(),
    "mockserver": set(),
    "certs": {"trustme", "cryptography"},
    "conformance": {
        "mockserver",
        "certs",
        "click",
        "cryptography",  # signs and verifies statements
        "hypothesis",
        "jinja2",
        "markupsafe",  # the form in which jinja2 takes what is escaped already
        "msgspec",
        "rich",
        "tomli",
        "tomlkit",
    },
    "tools": {
        *(*INSTALLED, "click", "hatchling", "hypothesis", "libcst", "mutmut", "playwright"),
        *("pygments", "sphinx"),
    },
}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def files() -> Mapping[str, Path]:
    """Return every module that is no test, by its name."""
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    tested = [path for path in found if "tests" not in path.parts and path.stem[:5] != "test_"]
    return {name_of(path): path for path in sorted(tested)}


@cache
def imports(name: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return what a module imports: modules, each with the names that are taken from it."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for node in ast.walk(ast.parse(files()[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = [*name.split("."), *([""] if is_package(name) else [])][: -node.level or None]
            module = ".".join(filter(None, [*(parents if node.level else []), node.module]))
            found.append((module, tuple(alias.name for alias in node.names)))
    return tuple(found)


def imported(name: str) -> Iterator[str]:
    """Yield the modules that a module imports, also those that it imports as names."""
    for module, names in imports(name):
        modules = [f"{module}.{one}" for one in names if is_module(module, one)]
        yield from modules
        if len(modules) < len(names) or not names:
            yield module


def is_package(name: str) -> bool:
    return name in files() and files()[name].name == "__init__.py"


def room(name: str) -> str:
    """Return the package of a module that others enter through its `__init__` alone."""
    first = ".".join(name.split(".")[:2])
    return first if is_package(first) else name.partition(".")[0]


def is_module(module: str, wanted: str) -> bool:
    """Return whether a name in a package is a module, not what the package takes from it."""
    inner = f"{module}.{wanted}"
    taken = is_package(module) and (inner, wanted) in {
        (other, one) for other, names in imports(module) for one in names
    }
    return inner in files() and not taken


def source(module: str, wanted: str) -> str:
    """Return the module that defines a name which *module* may only pass on."""
    if is_module(module, wanted):
        return f"{module}.{wanted}"
    if is_package(module):
        for other, names in imports(module):
            if wanted in names and other.startswith(module):
                return source(other, wanted)
    return module


def loaded_late(name: str) -> set[str]:
    """Return the names that a package imports on their first use; empty if it imports all early."""
    for node in ast.walk(ast.parse(files()[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "loader":
            names: list[str] = ast.literal_eval(node.args[1]).values()
            return {one for line in names for one in line.split()}
    return set()


def edges(name: str) -> set[str]:
    """Return the files that a file needs: those that define what it imports."""
    found: set[str] = set()
    for module, names in imports(name):
        found |= {source(module, one) for one in names} if names else {module}
    return found & files().keys()


def circle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """Return a circle of *graph*; empty if there is none."""
    done: set[str] = set()

    def walked(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        found = next(filter(None, (walked(to, [*path, node]) for to in sorted(graph[node]))), [])
        done.add(node)
        return found

    return next(filter(None, (walked(node, []) for node in graph)), [])


def rooms_after(name: str) -> set[str]:
    index = next((at for at, names in enumerate(ROOMS) if name in names), len(ROOMS))
    return {one for names in ROOMS[index:] for one in names} - {name}


@pytest.mark.parametrize("name", [one for one in files() if room(one) != "benchmarks"])
def test_a_package_imports_only_what_it_may(name: str) -> None:
    package = name.partition(".")[0]
    allowed = MAY_IMPORT[package] | {package, "__future__"}
    if files()[name].name == "agent.py":
        allowed |= PYTHON_2
    if ".clients.adapters." in name:  # each function imports its client
        allowed |= {one.module.partition(".")[0] for one in registry().client.values()}
        allowed |= {"clr", "clr_loader", "pythonnet", "System"}
        allowed |= {"python_client"}  # the program that loads it
    if ".drivers.kits.python." in name:  # it is copied, with the client next to it
        allowed |= {"client"}
    if room(name) == "conformance.plugin":
        allowed |= {"pytest"}
    tops = {module.partition(".")[0] for module in imported(name)}
    assert tops <= sys.stdlib_module_names | allowed


def test_no_module_is_too_long_to_read() -> None:
    """The agent is one file, so that any interpreter can run it."""
    lines = {name: path.read_bytes().count(b"\n") for name, path in files().items()}
    assert {name for name, count in lines.items() if count > 500} == {"conformance.drivers.agent"}


def test_every_room_has_its_place_in_the_order() -> None:
    found = {name.partition(".")[2] for name in files() if room(name) == name != "conformance"}
    inner = {path.parent.name for path in (ROOT / "conformance").glob("*/__init__.py")} - {"tests"}
    assert {one for names in ROOMS for one in names} == inner
    assert inner <= found


@pytest.mark.parametrize("name", [one for one in files() if one.startswith("conformance.")])
def test_rooms_import_in_one_direction(name: str) -> None:
    after = {f"conformance.{one}" for one in rooms_after(room(name).partition(".")[2])}
    if room(name) != "conformance":
        assert not {room(module) for module in imported(name)} & after


@pytest.mark.parametrize("name", files())
def test_a_room_is_entered_through_its_door(name: str) -> None:
    """A package in `conformance` or `tools` is imported from outside through its `__init__`."""
    inside = {
        module
        for module in imported(name)
        if module.partition(".")[0] in ("conformance", "tools")
        and room(module) != room(name)
        and not is_package(module)
        and module not in {f"conformance.{one}" for one in (*LOOSE, "__main__")}
    }
    assert not inside


def test_no_files_import_one_another_in_a_circle() -> None:
    assert circle({name: edges(name) for name in files()}) == []


@pytest.mark.parametrize("name", [one for one in files() if is_package(one)])
def test_a_door_gives_what_it_says(name: str) -> None:
    package = import_module(name)
    listed = set(getattr(package, "__all__", ()))
    if loaded := loaded_late(name):
        stated = {one for module, names in imports(name) for one in names if room(module) == name}
        assert loaded <= stated
        listed |= stated
    for one in listed:
        module = source(name, one)
        assert module == f"{name}.{one}" or getattr(package, one) is getattr(
            import_module(module), one
        )


def test_drivers_see_no_case_and_no_judge() -> None:
    for name in files():
        if room(name) == "conformance.drivers":
            parts = {one for one in imported(name) if one.startswith("conformance.")}
            allowed = {"conformance.drivers", *(f"conformance.{one}" for one in LOOSE)}
            assert {one if one in allowed else room(one) for one in parts} <= allowed, name


def test_the_agent_imports_nothing_but_the_standard_library() -> None:
    tops = {name.partition(".")[0] for name in imported("conformance.drivers.agent")}
    assert tops <= sys.stdlib_module_names | {"__future__", *PYTHON_2}


def test_only_one_function_builds_the_path_of_the_fixtures() -> None:
    naming = {
        path.name
        for name, path in files().items()
        if name.partition(".")[0] != "benchmarks"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value == "fixtures"
    }
    assert naming == {"places.py"}
