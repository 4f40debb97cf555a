"""The test suite on every Python that is here, and with other dependencies: ``make check-all``."""

from pathlib import Path

import nox

nox.options.error_on_missing_interpreters = False
nox.options.stop_on_first_error = False

QUICK = (
    *("certs", "httplib_impl", "conformance/tests/test_corpus.py"),
    *("conformance/tests/test_loader.py", "conformance/tests/test_options.py"),
    *("conformance/tests/test_reports.py", "conformance/tests/test_cli.py"),
)


def run(session: nox.Session, *arguments: str) -> None:
    """Run pytest in the environment of *session*."""
    session.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """Run the suite with what is locked; arguments after ``--`` go to pytest."""
    session.install("--require-hashes", "--requirement", "requirements/test.txt")
    session.install("--no-deps", "--no-build-isolation", "--editable", ".")
    run(session, *session.posargs)


@nox.session(python=["3.11"])
@nox.parametrize("resolution", ["lowest-direct", "highest"])
def dependencies(session: nox.Session, resolution: str) -> None:
    """Run quick tests with the oldest and with the newest dependencies that are allowed."""
    session.install("uv")
    chosen = str(Path(session.create_tmp()) / "chosen.txt")
    compile_ = ("uv", "pip", "compile", "--quiet", "--resolution", resolution, "--extra", "test")
    session.run(*compile_, "--output-file", chosen, "pyproject.toml")
    session.install("--requirement", chosen)
    session.install("--no-deps", "--no-build-isolation", "--editable", ".")
    run(session, *(session.posargs or QUICK))
