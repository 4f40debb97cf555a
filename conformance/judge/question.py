"""Whether the requests arrived on which a verdict rests.

A verdict on a response is valid only if the client sent the request that the case prescribes. The
input is a case and what was seen of one run of it. The output is what is wrong with the requests
that arrived; None where they are those that the client had to send.

The required requests follow from the script and the trace, so that no case has to state them: a
script that reads a request, on a connection that is not optional, must receive one for each call
that claims to have sent one. A call that raised need not have sent a request; where its error is
one of sockets or TLS, it must at least have connected. So no request is required where the listener
refuses, the URL is not valid, or the call is out of turn. Where a TLS handshake fails, requests can
be lost. An outcome that names its requests, or fewer connections than the script has, states what
is required itself.

The requests of a client of another interface are compared by `session`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.cases import Case, WireExpectation
from conformance.judge.forms import error_names
from conformance.judge.observation import ConnectionFacts, Observation
from conformance.judge.verdicts import Mismatch, Verdict
from mockserver import ReadRequest, Script

_SENDING = frozenset({"request", "endheaders"})
_RAW = frozenset({"send", "sendall"})
_CONNECTING = _SENDING | {"connect", "send"}
_OF_SOCKETS = frozenset({"OSError", "SSLError"})
_UNSAID = WireExpectation()
Asked = tuple[str, str]
"""Method and request target; empty where the arguments of the calls are not plain text."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the requests that arrived.

    Args:
        mismatch: the place and the difference.
        absent: whether no complete request arrived, so that the driver's answer has no basis.
    """

    mismatch: Mismatch
    absent: bool = False

    @property
    def text(self) -> str:
        """The fault as one line of text."""
        return f"{self.mismatch.seen}, where the script needs {self.mismatch.expected}"


def question_fault(
    case: Case,
    seen: Observation,
    error_map: Mapping[str, str],
    wire: WireExpectation = _UNSAID,
) -> Fault | None:
    """Return what is wrong with the requests of *seen*, a run of *case*.

    Args:
        case: the case.
        seen: what was seen of it.
        error_map: native exception names to names that outcomes use.
        wire: what the matching outcome states about the wire; these facts are already compared.
    """
    if wire.request is not None:
        return None
    return next(_httplib_faults(case, seen, error_map, wire.connections), None)


def _httplib_faults(
    case: Case, seen: Observation, errors: Mapping[str, str], connections: int | None
) -> Iterator[Fault]:
    called = list(_called(case, seen.trace))
    claimed = sum(sent for _, sent in called)
    arrived = [raw for one in seen.connections for raw in one.requests]
    if all(method != "CONNECT" for (method, _), _ in called):
        arrived = [raw for raw in arrived if not raw.startswith(b"CONNECT ")]
    missing = not seen.connections and connections != 0
    if missing and _needs_a_connection(case, seen.trace, errors):
        yield _absent("a connection", "no connection came")
    if len(arrived) < claimed and not any(map(_broke_in_tls, seen.connections)):
        needed = min(claimed, _reads_of(case.script, connections))
        if len(arrived) < needed:
            came = f"{len(arrived)} whole requests came" if arrived else "no whole request came"
            wanted = "a request" if needed == 1 else f"{needed} requests"
            yield _absent(wanted, came) if not arrived else _wrong(wanted, came)
    yield from _strangers([asked for asked, _ in called], arrived, case)


def _strangers(called: list[Asked], arrived: list[bytes], case: Case) -> Iterator[Fault]:
    """Yield a fault for each request that no call made, where the calls state what they send."""
    if not called or ("", "") in called or any(op.message.get("call") in _RAW for op in case.ops):
        return
    lines = [f"{method} {target} HTTP/1.".encode("latin-1", "replace") for method, target in called]
    for raw in arrived:
        line = next(filter(raw.lstrip(b"\r\n").startswith, lines), None)
        if line is None:
            wanted = " or ".join(" ".join(asked) for asked in called) or "no request"
            yield _wrong(wanted, f"{_line_of(raw)!r} came")
            return
        lines.remove(line)


def _called(case: Case, trace: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[Asked, bool]]:
    """Yield for each call that sends: what it must send, and whether it claims that it has."""
    begun: dict[Any, Mapping[str, Any]] = {}
    for op in case.ops:
        call, on, entry = op.message.get("call"), op.message["on"], trace[op.id]
        if call == "putrequest" and "value" in entry:
            begun[on] = op.message
        elif call in _SENDING and "skipped" not in entry:
            message = op.message if call == "request" else begun.get(on, {})
            yield _line_asked(message), "value" in entry


def _line_asked(message: Mapping[str, Any]) -> Asked:
    args, kwargs = [*message.get("args", ()), None, None], message.get("kwargs", {})
    method, target = kwargs.get("method", args[0]), kwargs.get("url", args[1])
    plain = isinstance(method, str) and isinstance(target, str)
    return (method, target or "/") if plain else ("", "")


def _needs_a_connection(
    case: Case, trace: Mapping[str, Mapping[str, Any]], errors: Mapping[str, str]
) -> bool:
    line = case.script.connections
    return bool(line) and not line[0].optional and any(_connects(case, trace, errors))


def _connects(
    case: Case, trace: Mapping[str, Mapping[str, Any]], errors: Mapping[str, str]
) -> Iterator[bool]:
    for op in case.ops:
        call, entry = op.message.get("call"), trace[op.id]
        if call in _SENDING and "value" in entry:
            yield True
        elif call in _CONNECTING and "error" in entry:
            yield not _OF_SOCKETS.isdisjoint(error_names(entry["error"], errors))


def _reads_of(script: Script, connections: int | None) -> int:
    """Return how many requests *script* reads on the first *connections*, or on all it needs."""
    reads, left = 0, connections
    for one in script.connections:
        # A client need not make an optional connection, so nothing after it is required either.
        if one.optional or left == 0:
            break
        times = one.times or 1
        if left is not None:
            times = min(times, left)
            left -= times
        reads += times * sum(isinstance(step, ReadRequest) for step in one.steps)
    return reads


def _broke_in_tls(one: ConnectionFacts) -> bool:
    return one.tls is not None and one.tls.startswith("failed")


def _line_of(raw: bytes) -> str:
    """Return the request line of *raw*, truncated where it is long."""
    return raw.lstrip(b"\r\n").partition(b"\n")[0].rstrip(b"\r")[:200].decode("latin-1")


# Faults.


def _absent(wanted: str, came: str) -> Fault:
    place = "connections" if "connection" in came else "request"
    verdict = Verdict.WRONG_CONNECTION if "connection" in came else Verdict.WRONG_VALUE
    return Fault(Mismatch(verdict, place, 0, wanted, came), absent=True)


def _wrong(wanted: str, came: str) -> Fault:
    return Fault(Mismatch(Verdict.WRONG_VALUE, "request", 0, wanted, came))
