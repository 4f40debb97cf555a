"""Which files of this package are tests, their marks, and what one pytest session keeps.

The host's ``python_files`` and ``python_functions`` are about the host's own tests, and do not
count.  The corpus with its implementations and the certificate authority are made when they are
first needed; the kit is imported here, and not before.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.cases import FAMILIES, LEVELS
from conformance.plugin.options import FAMILY, LEVEL, Options

if TYPE_CHECKING:
    from certs import CertificateAuthority
    from conformance.plugin.session import Session

SESSION = pytest.StashKey["Session"]()
REFUSED = pytest.StashKey[bool]()
"""Whether the options have already been reported as invalid, which happens once."""
_AUTHORITY = pytest.StashKey["CertificateAuthority"]()


def session_of(config: pytest.Config) -> "Session":
    """Return the corpus with the implementations that are judged.

    Raises:
        pytest.Collector.CollectError: the options are not valid.
    """
    if SESSION not in config.stash:
        from conformance.plugin.session import Session, exception_marks

        for line in exception_marks():
            config.addinivalue_line("markers", line)
        try:
            session = Session(Options.of(config), authority_of(config))
            config.stash[SESSION] = session
            for line in session.own_marks():
                config.addinivalue_line("markers", line)
        except pytest.Collector.CollectError:
            config.stash[REFUSED] = True
            raise
    return config.stash[SESSION]


def authority_of(config: pytest.Config) -> "CertificateAuthority":
    """Return the certificate authority."""
    if _AUTHORITY not in config.stash:
        from certs import CertificateAuthority

        config.stash[_AUTHORITY] = CertificateAuthority()
    return config.stash[_AUTHORITY]


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
