"""The pytest plugin: every case an ordinary test, run by the same `run_case` as the command.

In: ``--httplib-impl IMPL``, by default ``httplib_impl``.  Out: the fixture `wire_case`,
parametrised over the cases of the family that a test module names as ``FAMILY``; `mock_server`,
which plays a script; and `certificate_authority`, one for the whole session.

Loading this module imports nothing but pytest and the standard library: the kit comes in when a
test asks for it.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from certs import CertificateAuthority
    from conformance.cases import Case, Corpus
    from conformance.run import Runner
    from mockserver import MockServer, Script

DEFAULT = "httplib_impl"
_CORPUS = pytest.StashKey["Corpus"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the implementation."""
    group = parser.getgroup("httplib-kit")
    group.addoption(
        "--httplib-impl",
        metavar="IMPL",
        default=DEFAULT,
        help="the implementation that the conformance tests judge, as `httplib-kit check` takes it",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse the name of an implementation that leads nowhere, before any test is collected."""
    written = config.getoption("--httplib-impl")
    if written == DEFAULT:
        return
    from conformance.drivers import UnknownImplementation, target

    try:
        target(written)
    except UnknownImplementation as error:
        raise pytest.UsageError(str(error)) from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give `wire_case` every case of the module's family."""
    if "wire_case" not in metafunc.fixturenames:
        return
    family = getattr(metafunc.module, "FAMILY", None)
    corpus = _corpus(metafunc.config)
    cases = [
        case
        for case in corpus.cases
        if case.level != "observe" and (family is None or case.family == family)
    ]
    if not cases:
        raise pytest.UsageError(f"{metafunc.module.__name__}: no case belongs to FAMILY {family!r}")
    metafunc.parametrize("wire_case", cases, ids=[case.id for case in cases], indirect=True)


def _corpus(config: pytest.Config) -> "Corpus":
    from conformance.cases import CaseError, load_corpus

    if _CORPUS not in config.stash:
        try:
            config.stash[_CORPUS] = load_corpus()
        except CaseError as error:
            raise pytest.UsageError(str(error)) from None
    return config.stash[_CORPUS]


class WireCase:
    """A case, and the runner that plays it against the implementation under test."""

    def __init__(self, case: "Case", runner: "Runner") -> None:
        self.case = case
        self._runner = runner

    def check(self) -> None:
        """Run the case; skip where it cannot be run, fail with the story where it is not met."""
        from conformance.judge.verdicts import NOT_RUN, OK, Verdict
        from conformance.report import story
        from conformance.run import RunHead

        result = self._runner.run_case(self.case)
        verdict = Verdict(result.verdict)
        if verdict in NOT_RUN and not result.is_error:
            pytest.skip(result.reason)
        if verdict not in OK:
            head = RunHead.of(self._runner.identity, kit="", corpus="")
            pytest.fail("\n".join(story(result, head)), pytrace=False)


@pytest.fixture(scope="session")
def certificate_authority() -> "CertificateAuthority":
    """The certificate authority of this session; nothing of it is ever kept."""
    from certs import CertificateAuthority

    return CertificateAuthority()


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


@pytest.fixture(scope="session")
def httplib_runner(
    request: pytest.FixtureRequest, certificate_authority: "CertificateAuthority"
) -> Iterator["Runner"]:
    """The runner for the implementation under test, kept for the session."""
    from conformance.drivers import DriverError, UnknownImplementation, target
    from conformance.run import Runner

    try:
        runner = Runner(target(request.config.getoption("--httplib-impl")), certificate_authority)
    except (DriverError, UnknownImplementation) as error:
        raise pytest.UsageError(str(error)) from None
    with runner:
        yield runner


@pytest.fixture
def wire_case(request: Any, httplib_runner: "Runner") -> WireCase:
    """One case of the module's family, ready to be checked."""
    return WireCase(request.param, httplib_runner)
