"""The pytest plugin: every case an ordinary test, run by the same `run_case` as the command.

In: options, such as ``--httplib-impl mypkg.client``.  Out: tests, for whoever collects this package
(``pytest --pyargs conformance``), with an id that is the case's, and marks for family, level and
exceptions; and fixtures for anybody's tests: `wire_case`, `mock_server`, `certificate_authority`.

Loading this module imports nothing but pytest and the standard library: the kit comes in when a
test asks for it, by way of `session`.
"""

import gc
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance.plugin import collecting
from conformance.plugin.kept import SESSION, authority_of, session_of
from conformance.plugin.options import BASELINE, Options, add_options

if TYPE_CHECKING:
    from certs import CertificateAuthority
    from conformance.plugin.session import WireCase
    from mockserver import MockServer, Script

__all__ = ["WireCase"]


def __getattr__(name: str) -> Any:
    """Give test modules the type of `wire_case` without loading the kit for all others."""
    if name == "WireCase":
        from conformance.plugin.session import WireCase

        return WireCase
    raise AttributeError(name)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks, and refuse options that lead nowhere before any test is collected."""
    for line in collecting.marks():
        config.addinivalue_line("markers", line)
    options = Options.of(config)
    if options.usual and not config.getoption("markers"):
        return
    from conformance.plugin.session import check_options, exception_marks

    check_options(options)
    for line in exception_marks():
        config.addinivalue_line("markers", line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what the session has started."""
    if SESSION in config.stash:
        gc.unfreeze()
        config.stash[SESSION].close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a worker of pytest-xdist the baseline's text: it may run where the file is not."""
    node.workerinput[BASELINE] = Options.of(node.config).baseline_text


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:  # noqa: ARG001
    """Leave the kit's own modules alone, whatever the host's patterns say."""
    return collecting.is_no_test(collection_path) or None


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[Any], list[Any]]:
    """Collect the conformance tests where the host's ``python_files`` do not name them."""
    found = yield
    if found or not collecting.is_ours(file_path):
        return found
    return [collecting.ConformanceModule.from_parent(parent, path=file_path)]


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    """Make the conformance tests modules whose functions are found whatever the host calls his."""
    if not collecting.is_ours(module_path):
        return None
    module: pytest.Module = collecting.ConformanceModule.from_parent(parent, path=module_path)
    return module


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give `wire_case` the cases that the module or a mark asks for."""
    if "wire_case" not in metafunc.fixturenames:
        return
    parameters = session_of(metafunc.config).parameters(metafunc)
    metafunc.parametrize("wire_case", parameters, indirect=True)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Take the corpus out of the garbage collector's rounds: it stays to the end anyhow."""
    if SESSION in session.config.stash:
        gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a session whose baseline is about cases that are not there."""
    if SESSION in session.config.stash and session.config.stash[SESSION].nowhere:
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Tell what a baseline says about cases that are not there."""
    lines = config.stash[SESSION].nowhere if SESSION in config.stash else ()
    if lines:
        terminalreporter.section("stale entries of the baseline")
    for line in lines:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def certificate_authority(request: pytest.FixtureRequest) -> "CertificateAuthority":
    """The certificate authority of this session; nothing of it is ever kept."""
    return authority_of(request.config)


@pytest.fixture
def mock_server(
    certificate_authority: "CertificateAuthority",
) -> Iterator["Callable[..., MockServer]"]:
    """Give a call that plays a script on a server of its own and returns the server.

    When the test is over, each script must have been met, or the test ends with an error that shows
    the annotated transcript.
    """
    from mockserver import MockServer

    with ExitStack() as servers:

        def play(script: "Script", **options: Any) -> "MockServer":
            options.setdefault("tls", certificate_authority.server_context)
            return servers.enter_context(MockServer(script, **options))

        yield play


@pytest.fixture
def wire_case(request: pytest.FixtureRequest) -> "WireCase":
    """One case with an implementation, ready to be checked.

    A module says with ``FAMILY = "chunked"`` which cases its tests are about, or a test with
    ``@pytest.mark.wire_cases("chunked.*", …)``; without either, it is about all.
    """
    found: WireCase = request.param
    return found
