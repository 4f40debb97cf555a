"""The whole test suite on every supported Python that is here: ``make check-all``, or ``nox``."""

import nox

nox.options.error_on_missing_interpreters = False
nox.options.stop_on_first_error = False


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """Run the suite; arguments after ``--`` go to pytest."""
    session.install("--editable", ".[test]")
    session.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *session.posargs)
