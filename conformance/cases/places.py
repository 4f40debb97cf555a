"""The location of the fixtures: the only place in the project that builds such a path."""

from pathlib import Path


def fixtures_directory() -> Path:
    """Return the directory of the fixtures.

    In an installed wheel it is in the package `conformance`, in a checkout next to it.

    Raises:
        FileNotFoundError: neither exists: the installation is damaged.
    """
    package = Path(__file__).resolve().parent.parent
    for candidate in (package / "fixtures", package.parent / "fixtures"):
        if (candidate / "cases").is_dir():
            return candidate
    raise FileNotFoundError(f"no fixtures inside or next to {package}; reinstall httplib-kit")
