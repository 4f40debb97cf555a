"""The fixtures that give mock servers to anyone's tests: for a test, a module or a session.

The input is scripts.  The output is servers, and at their end a short report of what did not go as
written: as an error of a test that has passed, or as a section of the report of one that has
failed already.  `mockserver` is imported when the first server is started.
"""

import os
import sys
import sysconfig
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mockserver import MockServer, ScriptPart, TLSProvider

_PATIENCE = "mock_server_patience"
_ENDLESS = 999_999.0
"""Seconds that outlast any debugging."""
_ACTIVE = pytest.StashKey[list["MockServers"]]()


class MockServers:
    """Starts mock servers: ``server = mock_server(route(Reply()))``; they end with the fixture.

    Args:
        fixture: the name of the fixture.
        tls: where TLS contexts come from.
        patience: seconds without progress after which a wait for the client expires.

    Attributes:
        running: the servers that have been started.
        has_failed: whether a test that uses them has failed.
    """

    def __init__(self, fixture: str, tls: "TLSProvider", patience: float) -> None:
        self.fixture = fixture
        self.running: list[MockServer] = []
        self.has_failed = False
        self._tls = tls
        self._patience = patience

    def __call__(self, *parts: "ScriptPart", **options: Any) -> "MockServer":
        """Start a server that plays *parts*, or that waits for `add`; the options of `MockServer`.

        Raises:
            ScriptError: they cannot be played.
        """
        __tracebackhide__ = True
        from mockserver import MockServer

        options.setdefault("tls", self._tls)
        options.setdefault("patience", self._patience)
        server = MockServer(*parts, **options)
        server.start()
        self.running.append(server)
        if not parts:
            server.add()
        return server

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        from mockserver import MockServer

        text = f"{self.fixture} is a function and has no {name}"
        if not hasattr(MockServer, name):
            try:
                getattr(MockServer(), name)
            except AttributeError as error:
                raise AttributeError(f"{text}; {error}") from None
        raise AttributeError(f"{text}; write server = {self.fixture}(...), then server.{name}")

    def report(self) -> str:
        """Return what has happened on the servers so far, in a few lines."""
        plays = [server.current for server in self.running]
        return "\n\n".join(play.report().strip() for play in plays if play is not None)

    @property
    def has_unmatched(self) -> bool:
        """Whether a request has come that no route fits."""
        plays = [server.current for server in self.running]
        return any(play.so_far.has_unmatched for play in plays if play is not None)

    def close(self) -> None:
        """Stop the servers; fail the test that has passed although a script was not met."""
        __tracebackhide__ = True
        from mockserver import MockServerError

        problems: list[str] = []
        for server in reversed(self.running):
            try:
                server.__exit__(None, None, None)
            except MockServerError as error:
                problems.append(str(error))
        if problems and not self.has_failed:
            pytest.fail("\n\n".join(problems), pytrace=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of the configuration file."""
    text = "seconds without progress after which a wait of a mock server for its client expires"
    parser.addini(_PATIENCE, f"{text} (by default 1)", default="1")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the servers have seen to the report of a test that fails."""
    report = yield
    if call.excinfo is not None and call.when != "teardown":
        for servers in item.config.stash.get(_ACTIVE, []):
            if servers.fixture in getattr(item, "fixturenames", ()):
                servers.has_failed = True
                if report.failed and (text := servers.report()):
                    report.sections.append(("mock server", text))
                    if servers.has_unmatched and item.config.option.tbstyle == "auto":
                        _leave_out_library_code(item.config, report.longrepr)
    return report


def _leave_out_library_code(config: pytest.Config, shown: Any) -> None:
    """Leave installed modules out of a traceback, except for the line that raised the last error.

    A request without a route is explained by the section; by default pytest prints the whole
    functions of the client in which the answer to it has led to one error after the other.
    """
    paths = sysconfig.get_paths()
    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    installed = tuple(paths[kind] + os.sep for kind in kinds)

    def is_installed(entry: Any) -> bool:
        place = getattr(entry, "reprfileloc", None)
        path = config.invocation_params.dir / place.path if place else ""
        return os.path.normpath(path).startswith(installed)

    chain = getattr(shown, "chain", None)
    if not chain:  # the error is not shown as a traceback
        return
    last = chain[-1][0].reprentries[-1]
    for traceback, *_ in chain:
        entries = traceback.reprentries
        traceback.reprentries = [one for one in entries if one is last or not is_installed(one)]
    shown.chain = [one for one in chain if one[0].reprentries]
    if is_installed(last):
        marked = (index for index, line in enumerate(last.lines) if line[:1] in (">", "E"))
        last.lines = last.lines[next(marked, 0) :]
        last.reprfuncargs = None


def pytest_enter_pdb(config: pytest.Config) -> None:
    """Let no wait expire while a person debugs."""
    for servers in config.stash.get(_ACTIVE, []):
        for server in servers.running:
            server.patience = _ENDLESS


def _servers(request: pytest.FixtureRequest) -> Iterator[MockServers]:
    authority = request.getfixturevalue("certificate_authority")
    name = request.fixturename or "mock_server"
    servers = MockServers(name, authority.server_context, _patience(request.config))
    active = request.config.stash.setdefault(_ACTIVE, [])
    active.append(servers)
    yield servers
    active.remove(servers)
    servers.close()


def _patience(config: pytest.Config) -> float:
    if {"pydevd", "debugpy"} & sys.modules.keys():  # the debuggers of PyCharm and of VS Code
        return _ENDLESS
    written = config.getini(_PATIENCE)
    try:
        patience = float(written)
    except ValueError:
        patience = 0.0
    if not 0 < patience < 1e6:
        raise pytest.UsageError(f"{_PATIENCE}: {written!r} is not a number of seconds above 0")
    return patience


@pytest.fixture
def mock_server(request: pytest.FixtureRequest) -> Iterator[MockServers]:
    """Start mock servers for one test, for instance with ``route(Reply(json={}))``.

    At the end of the test each script must have been played as written; otherwise the test ends
    with an error that says what was not.
    """
    yield from _servers(request)


@pytest.fixture(scope="module")
def module_mock_server(request: pytest.FixtureRequest) -> Iterator[MockServers]:
    """Start mock servers for a module: ``server.add(route(…))`` in a test, then ``server.clear()``.

    `clear` checks that the routes were asked for, as does the end of the module.
    """
    yield from _servers(request)


@pytest.fixture(scope="session")
def session_mock_server(request: pytest.FixtureRequest) -> Iterator[MockServers]:
    """Start mock servers for a session; each worker of pytest-xdist has its own."""
    yield from _servers(request)
