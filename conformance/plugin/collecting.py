"""Decides which files of this package are tests, independent of the host's patterns; and the marks.

The host's ``python_files`` and ``python_functions`` are about the host's own tests.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from conformance.cases import FAMILIES, LEVELS
from conformance.plugin.kept import REFUSED, session_of
from conformance.plugin.options import FAMILY, LEVEL

_PACKAGE = Path(__file__).resolve().parent.parent
_INSTALLED = not (_PACKAGE / "tests").is_dir()


class ConformanceModule(pytest.Module):
    """A module of conformance tests: its tests are called ``test_…``."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Return the tests; empty if the options select no case."""
        if self.config.stash.get(REFUSED, False) or session_of(self.config).is_empty:
            return []
        return super().collect()

    def funcnamefilter(self, name: str) -> bool:
        """Return whether *name* is that of a test."""
        return name.startswith("test_")


def is_ours(path: Path) -> bool:
    """Return whether *path* is a module of conformance tests."""
    return path.parent == _PACKAGE and path.name.startswith("test_") and path.suffix == ".py"


def is_no_test(path: Path) -> bool:
    """Return whether *path* is a module of the installed kit that contains no tests."""
    return _INSTALLED and path.suffix == ".py" and _PACKAGE in path.parents and not is_ours(path)


def marks() -> Iterator[str]:
    """Yield a line for each mark that is known without importing the kit."""
    yield "wire_cases(*globs): the cases that the fixture wire_case is parametrised with"
    for family in FAMILIES:
        yield f"{FAMILY}{family.replace('-', '_')}: cases of the family {family}"
    for level in LEVELS:
        yield f"{LEVEL}{level}: cases of the level {level}"
