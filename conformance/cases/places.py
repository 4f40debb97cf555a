"""Where the fixtures are: the only place in the project that builds such a path."""

from pathlib import Path


def fixtures_directory() -> Path:
    """Return the directory of the fixtures.

    In an installed wheel it lies inside the package `conformance`, in a checkout beside it.

    Raises:
        FileNotFoundError: neither is there: the installation is damaged.
    """
    package = Path(__file__).resolve().parent.parent
    for candidate in (package / "fixtures", package.parent / "fixtures"):
        if (candidate / "cases").is_dir():
            return candidate
    raise FileNotFoundError(f"no fixtures inside or beside {package}; reinstall httplib-kit")
