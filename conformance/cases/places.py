"""The location of the fixtures and of the pages: the only place that builds such a path."""

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


def page(name: str) -> str:
    """Return the path of a page of the documentation, for a message.

    In an installed wheel it is in the package `conformance`, in a checkout next to it.

    Args:
        name: the page, such as ``docs/clients.md`` or ``fixtures/README.md``.
    """
    return str(fixtures_directory().parent / name)
