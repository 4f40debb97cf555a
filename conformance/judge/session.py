"""The client profile: the verdict on a session, by what RFC 9110 and RFC 9112 let any client do.

The input is a case for the client profile and the observation of its exchanges; the output is a
`Judgement`. A `fetch` is judged by the same code: it is the session of one GET.

Each exchange is compared in up to four parts, each with its strength and its sections:

- what the client did with the response (`client`);
- how often its request arrived, and whether one arrived whole;
- on which connection it arrived;
- what had become of that connection at the end.

Of several differences, the one whose verdict takes precedence is reported; of equal verdicts, that
of the first exchange. Only a `must` fails; other differences are TOLERATED. Four faults fail at any
strength: an exception that is not the client's own, a response that is made of the bytes of another
message, a request that does not arrive whole, and one that arrives too often and is not idempotent:
RFC 9110 says SHOULD NOT there, and an order is placed twice all the same. An exchange that the
client has not ended in time is one that it rejected.

A verdict on a response is valid only if the request was sent. If no whole request arrived at all,
the driver's answer has no basis: DRIVER_ERROR.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from conformance.cases import IDEMPOTENT, AddressHole, Arrivals, Case, Exchange
from conformance.judge.arrivals import Arrival, arrivals_of, tunnels_of
from conformance.judge.client import (
    EMPTY,
    difference,
    error_text,
    is_empty,
    response_text,
    result_text,
)
from conformance.judge.observation import ConnectionFacts, Observation
from conformance.judge.verdicts import Judgement, Mismatch, Verdict
from mockserver import Dispatch, ReadRequest, Script, pieces_of

_ORDER = {verdict: index for index, verdict in enumerate(Verdict)}
_READING = (ReadRequest, Dispatch)
_HOST = re.compile(rb"\n[ \t]*host[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_CREDENTIALS = re.compile(rb"\nproxy-authorization[ \t]*:", re.IGNORECASE)
_REUSED = {
    "error": "reused after an error",
    "unfinished": "reused with an unfinished request",
    "leftovers": "reused with leftover bytes",
    "closing": "reused after one side said that it closes it",
}
"""The kinds of WRONG_CONNECTION for a connection that must not be used again."""
LEAKED, ABANDONED = "leaked", "abandoned"


@dataclass(frozen=True, slots=True)
class _Miss:
    """One difference.

    Args:
        mismatch: the place and the difference.
        strength: the strength of the part that differs.
        rfc: its sections.
        accepted: what is accepted there, as text.
        fails: whether it fails at any strength.
    """

    mismatch: Mismatch
    strength: str = "must"
    rfc: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    fails: bool = False

    @property
    def is_failure(self) -> bool:
        return self.strength == "must" or self.fails or self.mismatch.verdict == Verdict.LEAK


def judge_session(
    case: Case, observation: Observation, error_map: Mapping[str, str] | None = None
) -> Judgement:
    """Return the verdict on *observation*, a run of *case* for the client profile.

    Args:
        case: a case of the client profile.
        observation: what was seen; its trace has one entry for each exchange.
        error_map: native exception names to categories; used before the category that the driver
            reports.
    """
    if case.session is None:
        return Judgement(Verdict.HARNESS_ERROR, faults=("nothing is expected of a client",))
    exchanges = case.session.exchanges
    if any(is_empty(observation.trace[one.id].get("value")) for one in exchanges):
        return Judgement(Verdict.DRIVER_ERROR, faults=(EMPTY,))
    arrivals = arrivals_of(case, observation)
    if absent := _absence(case, observation, arrivals):
        errors = (one["error"] for one in observation.trace.values() if "error" in one)
        told = (error_text(one, error_map) for one in errors)
        return Judgement(Verdict.DRIVER_ERROR, faults=("; the client ".join([absent, *told][:2]),))
    misses = [
        *_results(case, observation, error_map or {}),
        *_requests(case, observation, arrivals),
        *_connections(exchanges, observation, arrivals),
    ]
    return _judgement(misses)


def judge_late(case: Case, observation: Observation) -> Judgement:
    """Return the verdict on a client of which only is known that it has not answered in time.

    Args:
        case: a case of the client profile.
        observation: has a `late_entry` for each exchange, and no connection.
    """
    return _judgement(list(_results(case, observation, {})))


def _judgement(misses: Sequence[_Miss]) -> Judgement:
    failures = [one for one in misses if one.is_failure]
    if failures:
        worst = min(failures, key=lambda one: _ORDER[one.mismatch.verdict])
        accepted = worst.accepted or (worst.mismatch.expected,)
        return Judgement(worst.mismatch.verdict, mismatch=worst.mismatch, accepted=accepted)
    if misses:
        first = misses[0]
        accepted = first.accepted or (first.mismatch.expected,)
        basis = " ".join((first.strength, *first.rfc))
        return Judgement(Verdict.TOLERATED, basis=basis, mismatch=first.mismatch, accepted=accepted)
    return Judgement(Verdict.PASS)


def _absence(case: Case, seen: Observation, arrivals: Sequence[Arrival]) -> str:
    """Return why the answers of the driver have no basis; empty if they have one."""
    needed = asks(case.script)
    if needed and not seen.connections:
        return "no connection came, where the script needs a connection"
    if needed and case.session is not None and case.session.has_tunnel:
        return "" if arrivals or tunnels_of(case, seen) else _NO_CONNECT
    if needed and case.session is not None and case.session.is_secure:
        # A handshake is as good as a request: a client sends none to a server that it refuses.
        return "" if any(map(_has_shaken, seen.connections)) else _NO_HANDSHAKE
    if needed == "request" and not arrivals:
        return "no whole request came, where the script needs a request"
    return ""


def asks(script: Script) -> str:
    """Return what *script* needs of a client: a ``request``, a ``connection``, or nothing.

    Of a script with one exchange, the verdict depends on nothing else.
    """
    if script.listener.mode in ("refuse", "connect_stall"):
        return ""
    reads = any(isinstance(step, _READING) for one in script.connections for step in one.steps)
    return "request" if reads or script.routes else "connection"


_NO_CONNECT = "no CONNECT came, where the script needs one"
_NO_HANDSHAKE = "no TLS handshake was begun, where the script needs one"


def _has_shaken(one: ConnectionFacts) -> bool:
    """Return whether the client has begun a handshake, or sent something else in its place."""
    return one.tls not in (None, "failed: end of stream") or bool(one.received)


def sequence(case: Case, seen: Observation) -> list[str]:
    """Return a line for each exchange: the request, its connections, what the client did."""
    exchanges = () if case.session is None else case.session.exchanges
    arrivals = arrivals_of(case, seen)
    lines = []
    for one in exchanges:
        own = [arrival for arrival in arrivals if arrival.exchange is one]
        place = _on(own).removeprefix(", ") or "arrives nowhere"
        lines.append(f"{one.id}  {one.op.text}  {place} -> {_done(seen.trace[one.id])}")
    return lines


def _done(entry: Mapping[str, Any]) -> str:
    if "error" in entry:
        return error_text(entry["error"])
    value = entry.get("value")
    return response_text(value) if isinstance(value, dict) else "not done"


def expectations(one: Exchange) -> list[str]:
    """Return what must be seen of *one*, a line for each part, with its strength and sections."""
    results = " or ".join(map(result_text, one.fetch.results))
    arrives = f"arrives {_number(one.arrivals)}{'' if one.arrivals.partial else ', whole'}"
    lines = [_with_basis(results, one.fetch), _with_basis(arrives, one.arrivals)]
    if one.placement is not None:
        kind, of = one.placement.kind, one.placement.of
        where = f"not on the connection of {of} ({kind})" if kind else f"on that of {of}"
        lines.append(_with_basis(where, one.placement))
    if one.ending is not None:
        lines.append(_with_basis(f"its connection is {one.ending.after} at the end", one.ending))
    return lines


class _Part(Protocol):
    """A part of what must be seen of an exchange."""

    @property
    def strength(self) -> str: ...

    @property
    def rfc(self) -> tuple[str, ...]: ...


def _with_basis(text: str, part: _Part) -> str:
    return f"{text} ({' '.join((part.strength, *part.rfc))})"


# What the client did with each response.


def _results(case: Case, seen: Observation, error_map: Mapping[str, str]) -> Iterator[_Miss]:
    exchanges = () if case.session is None else case.session.exchanges
    for position, one in enumerate(exchanges):
        entry = seen.trace[one.id]
        miss = difference(one.fetch, one.id, entry, error_map)
        if miss is None:
            continue
        accepted = tuple(map(result_text, one.fetch.results))
        other = _other_message(case, one, entry)
        if other:
            miss = Mismatch(
                Verdict.WRONG_VALUE,
                one.id,
                position,
                miss.expected,
                f"{miss.seen}, bytes that were sent for the exchange {other}",
            )
        yield _Miss(miss, one.fetch.strength, one.fetch.rfc, accepted, fails=bool(other))


def _other_message(case: Case, exchange: Exchange, entry: Mapping[str, Any]) -> str:
    """Return the id of the exchange for which the server sent the content; else nothing."""
    value = entry.get("value")
    body = value.get("body") if isinstance(value, dict) else None
    if not body or case.session is None:
        return ""
    content = str(body).encode("latin-1")
    if content in _sent_for(case, exchange):
        return ""
    others = (one for one in case.session.exchanges if one is not exchange)
    return next((one.id for one in others if content in _sent_for(case, one)), "")


def _sent_for(case: Case, exchange: Exchange) -> bytes:
    """Return what the server sends after the request of *exchange*, as its routes say."""
    origin = "" if case.session is None else case.session.origin("")
    targets = (exchange.target, origin + exchange.target)
    routes = (one.steps for one in case.script.routes if one.target in targets)
    return b"".join(bytes(piece.data) for steps in routes for piece in pieces_of(*steps))


# Which requests arrived, and how often.


def _requests(case: Case, seen: Observation, arrivals: Sequence[Arrival]) -> Iterator[_Miss]:
    server = AddressHole("server").text(seen.host, seen.port)
    exchanges = () if case.session is None else case.session.exchanges
    origin = f"http://{server}" if case.session is None else case.session.origin(server)
    authority = origin.partition("://")[2]
    for one in arrivals:
        is_forwarded = case.session is not None and bool(case.session.proxy_to)
        is_forwarded = is_forwarded and not origin.startswith("https")
        if problem := request_problem(one, origin, exchanges, is_forwarded=is_forwarded):
            wanted = f"{_wanted(case, exchanges)} with Host: {authority}"
            yield _Miss(Mismatch(Verdict.WRONG_VALUE, "request", 0, wanted, problem, True))
    wanted = authority if ":" in authority else f"{authority}:443"
    tunnels = tunnels_of(case, seen)
    if case.session is not None and case.session.has_tunnel:
        for one in arrivals:
            if one.connection not in {tunnel.connection for tunnel in tunnels}:
                text = f"{one.raw[:60]!r} arrives without a tunnel"
                yield _Miss(
                    Mismatch(Verdict.WRONG_VALUE, "request", 0, f"CONNECT {wanted}", text, True)
                )
    for one in tunnels:
        if problem := _tunnel_problem(one, wanted):
            text = f"CONNECT {wanted} with that Host"
            yield _Miss(Mismatch(Verdict.WRONG_VALUE, "request", 0, text, problem, True))
    if any("HTTP_REQUEST" in (one.tls or "") for one in seen.connections):
        yield _Miss(Mismatch(Verdict.WRONG_VALUE, "request", 0, "a TLS handshake", _IN_CLEAR, True))
    for position, exchange in enumerate(exchanges):
        own = [one for one in arrivals if one.exchange is exchange]
        yield from _count(exchange, position, own, is_fetch=case.fetch is not None)
        yield from _content(exchange, position, own)


def _wanted(case: Case, exchanges: Sequence[Exchange]) -> str:
    return " or ".join(f"{one.method} {one.target or case.path}" for one in exchanges)


_IN_CLEAR = "a request arrives in clear"
_TO_THE_ORIGIN = "the credentials for the proxy arrive at the origin"


def _tunnel_problem(one: Arrival, wanted: str) -> str:
    """Return why *one* is no request for a tunnel to *wanted*; empty where it is one."""
    if one.target.lower() != wanted:
        return f"CONNECT {one.target} came"
    hosts = [host.strip().decode("latin-1").lower() for host in _HOST.findall(one.head)]
    is_old = b" HTTP/1.0" in one.head.partition(b"\n")[0]
    if hosts in ([wanted], [wanted.removesuffix(":443")]) or (is_old and not hosts):
        return ""
    return f"CONNECT with Host: {', '.join(hosts) or 'none'} came"


def request_problem(
    one: Arrival, origin: str, exchanges: Sequence[Exchange], *, is_forwarded: bool = False
) -> str:
    """Return why *one* is not the request of an exchange; empty where it is one.

    Args:
        one: the request.
        origin: scheme and authority of the URL.
        exchanges: what was asked for.
        is_forwarded: whether it goes to a proxy, which needs the whole URL.
    """
    scheme, _, address = origin.partition("://")
    if one.in_clear:
        return _IN_CLEAR
    if scheme == "https" and _CREDENTIALS.search(one.head):
        return _TO_THE_ORIGIN
    line = one.raw.lstrip(b"\r\n").partition(b"\n")[0].rstrip(b"\r")[:200].decode("latin-1")
    method, _, rest = line.partition(" ")
    target, _, version = rest.rpartition(" ")
    if method not in {other.method for other in exchanges}:
        return f"the method {method!r} came"
    if one.exchange is None or (is_forwarded and not target.startswith(f"{origin}/")):
        return f"the request target {target!r} came" + " to a proxy" * is_forwarded
    hosts = _HOST.findall(one.head)
    if version == "HTTP/1.0" and not hosts:
        return ""
    usual = f"{address}:{443 if scheme == 'https' else 80}".lower()
    given = [host.strip().decode("latin-1").lower() for host in hosts]
    if given not in ([address.lower()], [usual]):
        return f"Host: {', '.join(host.decode('latin-1') for host in hosts) or 'none'} came"
    return ""


def _count(
    exchange: Exchange, position: int, own: Sequence[Arrival], *, is_fetch: bool
) -> Iterator[_Miss]:
    wanted = exchange.arrivals
    if is_fetch:  # that a request came at all is established, and any number is accepted
        return
    too_many = wanted.most is not None and len(own) > wanted.most
    if len(own) < wanted.least or too_many:
        verdict = Verdict.REPLAYED if too_many and wanted.most else Verdict.WRONG_VALUE
        seen = f"it arrives {_times(len(own))}{_on(own)}"
    elif own and not wanted.partial and not any(one.whole for one in own):
        verdict, seen = Verdict.WRONG_VALUE, f"only a part of it arrives{_on(own)}"
    else:
        return
    expected = f"{exchange.op.text} arrives {_number(wanted)}{'' if wanted.partial else ', whole'}"
    fails = not too_many or exchange.method not in IDEMPOTENT
    yield _Miss(
        Mismatch(verdict, f"{exchange.id}: request", position, expected, seen, True),
        wanted.strength,
        wanted.rfc,
        (_with_basis(expected, wanted),),
        fails=fails,
    )


def _times(count: int) -> str:
    words = ("never", "once", "twice")
    return words[count] if count < len(words) else f"{count} times"


def _number(wanted: Arrivals) -> str:
    """Return how often a request may arrive, as text."""
    if wanted.most is None:
        return f"at least {_times(wanted.least)}" if wanted.least else "any number of times"
    if wanted.least == wanted.most:
        return _times(wanted.least)
    return f"{_times(wanted.least)} to {_times(wanted.most)}"


def _on(own: Sequence[Arrival]) -> str:
    if not own:
        return ""
    return f", on connection {' and '.join(str(one.connection + 1) for one in own)}"


def _content(exchange: Exchange, position: int, own: Sequence[Arrival]) -> Iterator[_Miss]:
    for one in own:
        if one.whole and one.content != exchange.body:
            expected, seen = repr(exchange.body[:100]), repr(one.content[:100])
            where = f"{exchange.id}: request"
            text = f"the content {seen} arrives{_on([one])}"
            yield _Miss(
                Mismatch(
                    Verdict.WRONG_VALUE, where, position, f"the content {expected}", text, True
                )
            )


# On which connections the requests arrived, and what became of these.


def _connections(
    exchanges: Sequence[Exchange], seen: Observation, arrivals: Sequence[Arrival]
) -> Iterator[_Miss]:
    made = len(seen.connections) + seen.unexpected
    beyond = "a request on each connection that comes"
    if seen.unexpected:
        yield _Miss(
            Mismatch(Verdict.WRONG_CONNECTION, "connections", 0, beyond, f"{made} connections came")
        )
    # A pool may open a connection before it needs one; for one GET there is no reason to, but to
    # replace the connection that was given up with a rejected response.
    if len(exchanges) == 1 and arrivals:
        used = [bool(one.received) for one in seen.connections]
        if any("error" in entry for entry in seen.trace.values()):
            used = used[: len(used) - used[::-1].index(True)]
        if not all(used):
            text = "a connection came on which nothing was sent"
            yield _Miss(Mismatch(Verdict.WRONG_CONNECTION, "connections", 0, beyond, text))
    carried: dict[str, list[int]] = {one.id: [] for one in exchanges}
    for one in arrivals:
        if one.exchange is not None:
            carried[one.exchange.id].append(one.connection)
    unfinished = {one.connection for one in arrivals if not one.whole}
    for position, exchange in enumerate(exchanges):
        yield from _placement(exchange, position, carried, unfinished)
    for position, exchange in enumerate(exchanges):  # a connection that is reused is not leaked
        yield from _ending(exchange, position, carried[exchange.id], seen)


def _placement(
    exchange: Exchange,
    position: int,
    carried: Mapping[str, Sequence[int]],
    unfinished: Collection[int],
) -> Iterator[_Miss]:
    wanted, mine = exchange.placement, carried[exchange.id]
    if wanted is None or not mine or not carried[wanted.of]:
        return
    others = carried[wanted.of]
    if wanted.kind == "unfinished":  # a client may send the rest, and use the connection again
        others = [one for one in others if one in unfinished]
    at = " and ".join(str(one + 1) for one in mine)
    where = f"{exchange.id}: connection"
    if wanted.kind is not None and set(mine) & set(others):
        kind = _REUSED[wanted.kind]
        expected = f"another connection than that of the exchange {wanted.of}"
    elif wanted.kind is None and mine[0] != others[-1]:
        kind, expected = ABANDONED, f"the connection of the exchange {wanted.of}, which is open"
    else:
        return
    seen = f"{kind}: {exchange.op.text} arrives on connection {at}"
    yield _Miss(
        Mismatch(Verdict.WRONG_CONNECTION, where, position, expected, seen, True),
        wanted.strength,
        wanted.rfc,
        (_with_basis(expected, wanted),),
    )


def _ending(
    exchange: Exchange, position: int, carried: Sequence[int], seen: Observation
) -> Iterator[_Miss]:
    wanted = exchange.ending
    if wanted is None or not carried:
        return
    after = seen.connections[carried[-1]].after
    if after in (wanted.after, "gone", None):  # the server had reset it, or it cannot be seen
        return
    kind = LEAKED if wanted.after == "closed" else ABANDONED
    expected = f"connection {carried[-1] + 1} is {wanted.after}"
    yield _Miss(
        Mismatch(
            Verdict.WRONG_CONNECTION,
            f"{exchange.id}: connection",
            position,
            expected,
            f"{kind}: connection {carried[-1] + 1} is {after} at the end",
            True,
        ),
        wanted.strength,
        wanted.rfc,
        (_with_basis(expected, wanted),),
    )
