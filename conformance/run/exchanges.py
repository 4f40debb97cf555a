"""Well-formed exchanges, which an implementation has to complete before it is judged.

The input is the identity of an implementation.  The output is exchanges, each a case with random
bytes, and what is wrong with an exchange that was run.

A verdict on a malformed response is meaningful only for a client that accepts a usual one.  The
path of each request and the content of each response are random, so that no driver can report them
without doing the exchange; the bytes that arrived at the server are compared as well as the report.
Only a part of the content has to be reported: whether all of it arrives unchanged is the subject of
cases.

An exchange for a feature that is not claimed is not run.  A driver that is not part of the kit and
claims every op gets one more exchange: what it claims to lack must not work.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from conformance.cases import Case, build_case, client_case
from conformance.drivers import ANY_OP, EXCHANGE, EXEC, Identity
from conformance.judge import OK, Observation, Verdict, entry_text
from conformance.results import Result

Check = Callable[[Observation, str], str]
"""Returns what is wrong, given the observation and the random text; empty if nothing is."""
_TLS = b"\x16\x03"
"""The first byte of a TLS record of type handshake, with which a TLS client begins."""
_NOT_ASKED = frozenset({Verdict.NOT_INSTALLED, Verdict.UNSUPPORTED})
_PART = 8
"""How many random characters are enough that no driver guesses them."""
_LONGEST = 200
"""Characters of an error that the one-line message includes."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange that an implementation has to complete.

    Args:
        case: the case to run; its title names the exchange.
        nonce: the random text drawn for it.
        check: finds what the judge does not compare.
    """

    case: Case
    nonce: str
    check: Check

    def problem(self, result: Result, seen: Observation | None) -> str:
        """Return in one line why it was not completed; empty if it was completed or not run.

        Args:
            result: the result of the run.
            seen: the observation; None if the driver did not answer.
        """
        if result.verdict in _NOT_ASKED:
            return ""
        found = "" if seen is None else self.check(seen, self.nonce)
        if result.verdict in OK and not found:
            return ""
        entries = () if seen is None else seen.trace.values()
        errors = [entry_text(entry)[:_LONGEST] for entry in entries if "error" in entry]
        why = found if result.verdict in OK else _why(result)
        return "; ".join(dict.fromkeys([why, *errors[:1]])).removeprefix("; ")


def _why(result: Result) -> str:
    if result.where and result.accepted:
        return f"{result.where}: {result.seen[:_LONGEST]}, where {result.accepted[0]} is expected"
    return result.reason or str(result.verdict)


def exchanges(identity: Identity, *, any_path: bool) -> Iterator[Exchange]:
    """Yield the exchanges that the implementation with this *identity* has to complete.

    Args:
        identity: the implementation under test.
        any_path: whether a client is asked for a random path instead of ``/``, which cases use.
    """
    # One nonce for all: a client that keeps content from one exchange for the next can be judged.
    nonce = secrets.token_hex(16)
    for title, content in _FRAMED.items():
        fetch = {"strength": "must", "expect": [{"accept": {"status": 200}}]}
        one = _exchange(nonce, title, _has_content, content, fetch=fetch)
        if identity.is_client:
            path = f"/{one.nonce}" if any_path else "/"
            one = replace(one, case=replace(client_case(one.case), path=path))
        yield one
    if EXCHANGE in identity.ops:
        yield _two_exchanges(nonce)
    if identity.is_client:
        return
    usual = _FRAMED["a GET whose response has a Content-Length"]
    body = ["POST", "/NONCE", "body=NONCE"]
    yield _exchange(nonce, "a POST with a body", _has_body, usual, args=body)
    for keyword, value in _KEYWORDS.items():
        new = {"call": "HTTPConnection", "kwargs": {keyword: value}}
        title = f"a GET of a connection that was made with {keyword}"
        yield _exchange(nonce, title, _has_content, usual, new=new, needs=[keyword])
    old = "<p>NONCE</p>"
    yield _exchange(nonce, "a GET with a response of HTTP/0.9", _has_content, old, needs=["http09"])
    yield _exchange(nonce, "a GET through a tunnel", _has_content, usual, needs=["set_tunnel"])
    yield _exchange(nonce, "a TLS handshake that is begun", _is_tls, "", needs=["HTTPSConnection"])
    if identity.written.startswith(EXEC) and ANY_OP in identity.ops:
        yield _denied(identity)


_OK = "HTTP/1.1 200 OK\r\n"
_FRAMED = {
    "a GET whose response has a Content-Length": f"{_OK}Content-Length: 40\r\n\r\n<p>NONCE</p>\n",
    "a GET whose response is chunked": f"{_OK}Transfer-Encoding: chunked\r\n\r\n"
    "3\r\n<p>\r\nPARTS5\r\n</p>\n\r\n0\r\n\r\n",
}
"""Each chunk-size is the same in decimal: a client that reads it so is wrong, but can be judged."""
_KEYWORDS = {"strict": True, "source_address": {"tuple": ["127.0.0.1", 0]}}


def _exchange(
    nonce: str,
    title: str,
    check: Check,
    content: str,
    *,
    args: list[str] | None = None,
    **more: Any,
) -> Exchange:
    """Return an exchange whose response has *content*; ``NONCE`` is replaced by its nonce."""
    request = {"call": "request", "args": args or ["GET", "/NONCE"]}
    ops: list[Any] = [request, {"call": "getresponse"}, {"call": "read"}]
    outcome: dict[str, Any] = {}  # nothing may raise; *check* compares what is read
    steps: list[Any] = [{"read_request": {}}, {"send": content}, {"close": "fin"}]
    needs = more.get("needs", ())
    if "set_tunnel" in needs:
        ops.insert(0, {"call": "set_tunnel", "args": ["example.org", 80]})
        steps.insert(0, {"tunnel": {}})
    if "HTTPSConnection" in needs:
        more["new"] = {"call": "HTTPSConnection"}
        ops, steps = [request], [{"read": 3}, {"close": "rst"}]
        outcome = {"request": {"any": True}, "wire": {"connections": 1}}
    case = _case(title, nonce, ops=ops, connections=[steps], outcome=[outcome], **more)
    return Exchange(case, nonce, check)


def _two_exchanges(nonce: str) -> Exchange:
    """Return a session of a GET and a POST with content."""
    reply = {"reply": {"body": "<p>NONCE</p>"}}
    accepted = [{"accept": {"status": 200}}]
    exchanges = [
        {"target": "/NONCE", "expect": accepted},
        {"method": "POST", "target": "/NONCE", "body": "body=NONCE", "expect": accepted},
    ]
    title = "a GET and a POST with content, by `exchange`"
    routes = [{"steps": [reply], "times": "any"}]
    session = {"exchanges": exchanges}
    case = _case(title, nonce, level="observe", routes=routes, session=session)
    return Exchange(case, nonce, _has_content)


def _denied(identity: Identity) -> Exchange:
    """Return an exchange that calls an op or uses a feature that *identity* claims to lack."""
    address = [{"address": "host"}, {"address": "port"}]
    made: list[dict[str, Any]] = [
        {
            "call": "HTTPConnection",
            "on": "module",
            "args": address,
            "kwargs": {name: value},
            "as": name,
            "id": name,
        }
        for name, value in _KEYWORDS.items()
    ]
    ops = [*made, {"call": "set_tunnel", "args": ["example.org", 80], "id": "set_tunnel"}]
    lacking = [op for op in ops if op["id"] not in identity.features]
    title = "calls of features that the driver says it lacks"
    case = _case(title, "", level="observe", ops=lacking, connections=[])
    return Exchange(case, "", _works)


def _case(title: str, nonce: str, **table: Any) -> Case:
    words = {"level": "documented", "spec": ["HTTPResponse.read"], "why": "Every client does this."}
    usual = {"id": "exchange.well-formed", "rev": 1, "title": title, **words}
    filled: dict[str, Any] = _filled({**usual, **table}, nonce)
    return build_case(filled, "interface", "exchanges")


def _filled(value: Any, nonce: str) -> Any:
    """Return *value* with ``NONCE`` replaced by *nonce*, and ``PARTS`` by its parts as chunks."""
    if isinstance(value, str):
        parts = (f"{_PART}\r\n{nonce[at : at + _PART]}\r\n" for at in range(0, len(nonce), _PART))
        return value.replace("NONCE", nonce).replace("PARTS", "".join(parts))
    if isinstance(value, dict):
        return {key: _filled(item, nonce) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(item, nonce) for item in value]
    return value


# The following functions check what the judge does not compare.


def _has_content(seen: Observation, nonce: str) -> str:
    """Return a problem unless a part of the content is reported.

    A client that changes the content is wrong, but can be judged.
    """
    entry = seen.trace.get("read") or list(seen.trace.values())[-1]
    value = entry.get("value")
    if "error" in entry or not isinstance(value, dict):
        return "" if "error" in entry else f"what is read is {value!r:.40}"
    content = str(value.get("body" if value["type"] == "response" else "value") or "").lower()
    if any(nonce[at : at + _PART] in content for at in range(0, len(nonce), _PART)):
        return ""
    return f"what the server sent is not in the content that is reported: {content!r:.60}"


def _has_body(seen: Observation, nonce: str) -> str:
    if problem := _has_content(seen, nonce):
        return problem
    bodies = [raw.partition(b"\r\n\r\n")[2] for one in seen.connections for raw in one.requests]
    body = f"body={nonce}".encode()
    return (
        "" if body in bodies else f"the body that came is {bodies[0]!r:.80}, where {body!r} is sent"
    )


def _is_tls(seen: Observation, _nonce: str) -> str:
    came = seen.connections[0].received if seen.connections else b""
    return "" if came.startswith(_TLS) else f"{came[:20]!r} came, which begins no TLS handshake"


def _works(seen: Observation, _nonce: str) -> str:
    works = [name for name, entry in seen.trace.items() if name != "new" and "value" in entry]
    return f"the driver does not claim {works[0]}, and it works" if works else ""
