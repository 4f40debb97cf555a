"""The pytest plugin: every case is an ordinary test, run by the same `run_case` as the command.

The input is options, such as ``--httplib-impl mypkg.client``.  The output is tests, for a session
that collects this package (``pytest --pyargs conformance``), with the ids of the cases, and marks
for family, level and exceptions; and fixtures for any test: `wire_case`, `certificate_authority`,
and those of `mock_servers`.

Loading this module imports only pytest and the standard library.  The kit is imported, through
`session`, when a test needs it.
"""

import gc
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance.plugin import collect
from conformance.plugin.collect import SESSION, authority_of, session_of
from conformance.plugin.options import SENT, Options, add_options
from conformance.plugin.summary import summary_of

if TYPE_CHECKING:
    from certs import CertificateAuthority
    from conformance.plugin.judged import WireCase
    from conformance.plugin.mock_servers import MockServers

__all__ = ["MockServers", "WireCase"]

pytest_plugins = ["conformance.plugin.mock_servers"]


def __getattr__(name: str) -> Any:
    """Provide the types of the fixtures.

    Only tests that use `wire_case` import the kit for it, and pytest has to see `mock_servers`
    before anything imports it.
    """
    if name == "WireCase":
        from conformance.plugin.judged import WireCase

        return WireCase
    if name == "MockServers":
        from conformance.plugin.mock_servers import MockServers

        return MockServers
    raise AttributeError(name)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the marks, and reject invalid options before any test is collected."""
    config.add_cleanup(lambda: _thaw(config))  # the first to be added is the last to be called
    for line in collect.marks():
        config.addinivalue_line("markers", line)
    config.pluginmanager.register(summary_of(config))
    options = Options.of(config)
    if options.usual and not config.getoption("markers"):
        return
    from conformance.plugin.session import check_options, exception_marks

    if not hasattr(config, "workerinput"):  # the main process has checked the options that it sends
        check_options(options)
    for line in exception_marks():
        config.addinivalue_line("markers", line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the processes that the session has started."""
    if SESSION in config.stash:
        config.stash[SESSION].close()


def _thaw(config: pytest.Config) -> None:
    """Undo `pytest_collection_finish`, after pytest has run the garbage collector itself."""
    if SESSION in config.stash:
        gc.unfreeze()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Send the options to a worker of pytest-xdist, which may not have their files."""
    node.workerinput[SENT] = Options.of(node.config).to_send


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Receive what a worker of pytest-xdist sends in addition to its reports."""
    summary_of(node.config).add(**getattr(node, "workeroutput", {}).get(SENT, {}))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:  # noqa: ARG001
    """Ignore the kit's own modules, whatever the host's patterns match."""
    return collect.is_no_test(collection_path) or None


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[Any], list[Any]]:
    """Collect the conformance tests, also if the host's ``python_files`` do not match them."""
    found = yield
    if found or not collect.is_ours(file_path):
        return found
    return [collect.ConformanceModule.from_parent(parent, path=file_path)]


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    """Make conformance modules collect their tests, whatever ``python_functions`` is."""
    if not collect.is_ours(module_path):
        return None
    module: pytest.Module = collect.ConformanceModule.from_parent(parent, path=module_path)
    return module


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize `wire_case` with the cases that the module or a mark names."""
    if "wire_case" not in metafunc.fixturenames:
        return
    parameters = session_of(metafunc.config).parameters(metafunc)
    metafunc.parametrize("wire_case", parameters, indirect=True)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Exclude the corpus from garbage collection: it lives until the end of the session."""
    if SESSION in session.config.stash:
        gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Set the exit status of `httplib-kit check`.

    A worker of pytest-xdist sends its part instead.
    """
    config = session.config
    found = config.stash[SESSION].lines if SESSION in config.stash else {}
    if hasattr(config, "workeroutput"):
        config.workeroutput[SENT] = found
        return
    summary = summary_of(config)
    summary.add(**found)
    session.exitstatus = summary.exit_status(session.exitstatus)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Report what no single test reports."""
    for title, lines in summary_of(config).sections():
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def certificate_authority(request: pytest.FixtureRequest) -> "CertificateAuthority":
    """The certificate authority of this session; none of its files is kept."""
    return authority_of(request.config)


@pytest.fixture
def wire_case(request: pytest.FixtureRequest) -> "WireCase":
    """One case with an implementation, ready to be checked.

    A module selects the cases of its tests with ``FAMILY = "chunked"``, or a test with
    ``@pytest.mark.wire_cases("chunked.*", …)``; without either, the test is run for all.
    """
    from conformance.plugin.judged import WireCase

    cases, name, judged = request.param
    return WireCase(cases, name, judged, request.node)
