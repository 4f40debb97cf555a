"""The recorder: runs every case once, and stores what was seen instead of judging it.

The input is an implementation and the corpus.  The output is a `Recorded` with its key, and the
short form of the observation of each case.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from certs import CertificateAuthority
from conformance.cases import Case, client_cases
from conformance.drivers import DriverError, Identity, Implementation, apart
from conformance.drivers.clients import COMMAND, PREFIX, registry
from conformance.judge import Observation, Verdict, is_late
from conformance.results import Result
from conformance.results.golden import Codec, Heads, Recorded, Values, stable_observation
from conformance.run.deadlines import DEADLINE
from conformance.run.parallel import Runners
from conformance.run.performed import Performed
from conformance.run.runner import Runner

ROSTER = (
    "python2.7:httplib",
    "jython:httplib",
    *(f"python3.{minor}:http.client" for minor in range(8, 14)),
    "pypy3:http.client",
    "eventlet.green.http.client",
    "future.backports.http.client",
    *(f"{PREFIX}{name}" for name in registry().client),
)
"""The implementations that have golden records, as a user writes them.

Those that are not installed keep their records.
"""
_STANDARD = ("httplib", "http.client")
_ENDED = (Verdict.HANG, Verdict.CRASH)
_PREFIXES = {"CPython": "py", "": "py"}


class NotRecorded(Exception):
    """The implementation is not installed, or the kit failed; the message is one line."""


def record(
    target: Implementation,
    cases: Iterable[Case],
    *,
    jobs: int = 1,
    deadline: float = DEADLINE,
) -> tuple[str, Recorded, list[tuple[Case, Any]]]:
    """Return the key of the implementation, its identity, and the observation of each of *cases*.

    Args:
        target: the implementation.
        cases: of the corpus, without sweeps; a client runs the client profile of each.
        jobs: how many cases are run at a time.
        deadline: seconds without progress after which a case is late.

    Raises:
        NotRecorded: it is not installed, or a case ended in an error of the kit or the driver.
    """
    seen: dict[str, tuple[Case, Observation]] = {}

    def note(case: Case, observation: Observation) -> None:
        seen[case.id] = case, observation

    one, performed = target if jobs == 1 else apart(target), Performed()

    def started() -> Runner:
        authority = CertificateAuthority()
        return Runner(one, authority, deadline=deadline, witness=note, performed=performed)

    try:
        runners = Runners(started, jobs)
        runners.examine()
    except DriverError as error:
        raise NotRecorded(str(error)) from None
    with runners:
        identity = runners.identity
        selected = [*client_cases(cases)] if identity.is_client else [*_of_httplib(cases)]
        values = Values(identity.name, "python3" in identity.features or identity.is_client, {})
        codec = Codec(values, Heads({})) if identity.is_client else Codec(values)
        results = map(_sound, runners.run(selected))
        encoded = list(_encoded(selected, results, seen, codec))
    return key_of(identity), _recorded(identity, values.classes), encoded


def _of_httplib(cases: Iterable[Case]) -> Iterator[Case]:
    return (case for case in cases if case.profile == "httplib")


def _sound(result: Result) -> Result:
    if result.verdict == Verdict.NOT_INSTALLED:
        raise NotRecorded(result.reason)
    if result.is_error:
        raise NotRecorded(f"{result.id} ended in {result.verdict}: {result.reason}")
    return result


def _encoded(
    cases: Iterable[Case],
    results: Iterable[Result],
    seen: dict[str, tuple[Case, Observation]],
    codec: Codec,
) -> Iterator[tuple[Case, Any]]:
    for case, result in zip(cases, results, strict=True):
        # A client that hung was reset by the kit at an arbitrary moment, so only its verdict is
        # stored; of a session also what came before, on which its verdict depends.
        # An observation is given up here: those of all cases have hundreds of megabytes.
        ran, observation = seen.pop(case.id, (case, None))
        late = observation is not None and any(map(is_late, observation.trace.values()))
        hung = late and ran.fetch is not None
        if observation is None or hung or (result.verdict in _ENDED and not result.did):
            yield case, Verdict.HANG if late else result.verdict
        else:
            yield case, codec.short(ran, stable_observation(observation))


def key_of(identity: Identity) -> str:
    """Return a short name for the implementation with this *identity*: ``py3.11``, ``requests``."""
    if identity.is_client:
        written = identity.written.removeprefix(PREFIX)
        is_named = written.startswith(COMMAND) and written != f"{COMMAND}{identity.name}"
        return identity.name if is_named else written
    if identity.name not in _STANDARD:
        return identity.name.partition(".")[0]
    prefix = _PREFIXES.get(identity.runtime, identity.runtime.lower())
    return prefix + ".".join(identity.version.split(".")[:2])


def _recorded(identity: Identity, classes: dict[str, list[str]]) -> Recorded:
    return Recorded(
        written=identity.written,
        name=identity.name,
        version=identity.version,
        runtime=identity.runtime,
        features=sorted(identity.features),
        ops=sorted(identity.ops),
        errors=dict(sorted(identity.errors.items())),
        classes=dict(sorted(classes.items())),
    )
