"""The driver of a module with the interface of httplib, as an HTTP client like any other.

The input is the driver of such a module, which performs any call of httplib.  The output is a
driver with the ops `fetch` and `exchange`: a request, and all that the response has.  One
connection object makes all exchanges of a case.  So the module is judged by the RFCs alone, and not
by what its calls have in common with those of 2.7.

The first call that raises ends the exchange, and its error is the result; then the connection is
closed, as a caller has to who wants to use the object again.  The module's own exceptions, as far
as it exports them, and the errors of the operating system and of TLS are those that its users
expect; any other is a leak.

The interface has no way to leave a response unread, to send content in pieces, to wait for a 100,
or to make two exchanges at a time: cases that need that are not run.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from conformance.drivers.base import EXCHANGE, FETCH, Driver, Identity, Message, Trace
from conformance.drivers.clients.registry import ErrorTable, registry
from conformance.drivers.effort import Effort

HTTPLIB = "httplib:"
"""Prefix of a module, after the prefix of a client; also that of the client's own name."""
_OF_THE_SYSTEM = frozenset({"OSError", "IOError", "EnvironmentError", "error", "SSLError"})
"""Names of classes, in any module, of errors of a socket or of TLS."""
_PARTS = ("status", "reason", "headers", "body")
_CONN, _SOCK = "conn", "sock"
_NONE = {"type": "none"}


class HttplibClient(Driver):
    """Makes exchanges by the calls of a module with the interface of httplib.

    Args:
        written: the client as the user wrote it.
        module: the driver of the module, which this one stops.
    """

    def __init__(self, written: str, module: Driver) -> None:
        self._module = module
        self._identity = replace(
            module.identity,
            written=written,
            name=f"{HTTPLIB}{module.identity.name}",
            features=frozenset({"part", "timeout", "proxy"} | _secure(module.identity)),
            ops=frozenset({FETCH, EXCHANGE}),
        )
        self._is_open = False

    @property
    def identity(self) -> Identity:
        """The module as a client."""
        return self._identity

    def run(self, message: Message) -> Trace:
        """Make an exchange for each of the ops of *message*."""
        return [self._entry(message, op) for op in message["ops"]]

    def _entry(self, message: Message, op: Message) -> dict[str, Any]:
        if op.get("call") not in (FETCH, EXCHANGE):
            return {"id": op["id"], "unsupported": True}
        parts, asked = urlsplit(str(message["url"])), op["kwargs"]
        if not self._is_open:
            self._is_open = True
            self._done(message, list(_opening(message)))
        if "timeout" in asked:
            self._set_timeout(message, asked["timeout"])
        is_forwarded = "proxy" in message and parts.scheme == "http"
        origin = f"http://{parts.netloc}" if is_forwarded else ""
        trace = self._done(message, list(_calls(asked, parts.path or "/", origin)))
        for entry in trace.values():
            if "error" in entry:
                self._done(message, [_call("close", _CONN, "close")])
                return {"id": op["id"], "error": _with_category(entry["error"])}
        value = {name: trace[name].get("value") for name in _PARTS}
        return {"id": op["id"], "value": _response(value)}

    def _done(self, message: Message, calls: Sequence[Message]) -> dict[str, Message]:
        """Return an entry for each of *calls*, by its id."""
        return {entry["id"]: entry for entry in self._module.run({**message, "ops": calls})}

    def _set_timeout(self, message: Message, seconds: float) -> None:
        """Set the timeout of the next connection, and of the one that is open."""
        attributes = [{"id": "set", "on": _CONN, "set": "timeout", "value": seconds}]
        sock = {"id": _SOCK, "on": _CONN, "get": "sock", "as": _SOCK}
        if self._done(message, [*attributes, sock])[_SOCK].get("value") is not None:
            self._done(message, [_call("settimeout", _SOCK, "settimeout", [seconds])])

    def release(self) -> None:
        """Let the module's driver close and drop its objects."""
        self._is_open = False
        self._module.release()

    def settle(self) -> None:
        """Wait until the module's driver has done so."""
        self._module.settle()

    @property
    def busy(self) -> bool:
        """Whether a process is starting or ending."""
        return self._module.busy

    @property
    def start_cost(self) -> float:
        """Processor time of the start, in seconds."""
        return self._module.start_cost

    @property
    def allowance(self) -> float:
        """Seconds to the first connection."""
        return self._module.allowance

    def effort(self) -> Effort | None:
        """Return the processor time used and waited for so far; None if unknown."""
        return self._module.effort()

    def kill(self) -> bool:
        """End what is running."""
        return self._module.kill()

    def stop(self) -> None:
        """Stop the module's driver."""
        self._module.stop()


def _call(name: str, on: str, call: str, args: Sequence[Any] = ()) -> dict[str, Any]:
    return {"id": name, "on": on, "call": call, "args": list(args), "kwargs": {}}


def _secure(module: Identity) -> set[str]:
    """Return the features of a *module* whose connections take a context that verifies."""
    return {"tls", "connect"} if {"HTTPSConnection", "context"} <= module.features else set()


def _opening(message: Message) -> Iterator[dict[str, Any]]:
    """Yield the calls that make the connection object, to the proxy where there is one."""
    origin = urlsplit(str(message["url"]))
    server = urlsplit(str(message.get("proxy", message["url"])))
    is_secure = origin.scheme == "https"
    name = "HTTPSConnection" if is_secure else "HTTPConnection"
    new = _call(_CONN, "module", name, [server.hostname, server.port])
    context = {"context": {"type": "context", "value": "verify"}}
    yield {**new, "as": _CONN, "kwargs": context if is_secure else {}}
    if is_secure and "proxy" in message:
        yield _call("tunnel", _CONN, "set_tunnel", [origin.hostname, origin.port or 443])


def _calls(asked: Mapping[str, Any], path: str, origin: str) -> Iterator[dict[str, Any]]:
    """Yield the calls of one exchange.

    Args:
        asked: the keyword arguments of the exchange.
        path: the target of a `fetch`.
        origin: what comes before the target in a request to a proxy; else empty.
    """
    request = [asked.get("method", "GET"), origin + asked.get("target", path)]
    if "body" in asked or "fields" in asked:
        request += [asked.get("body", _NONE), asked.get("fields", {"type": "mapping", "value": []})]
    yield _call("request", _CONN, "request", request)
    yield {**_call("getresponse", _CONN, "getresponse"), "as": "resp"}
    yield {"id": "status", "on": "resp", "get": "status"}
    yield {"id": "reason", "on": "resp", "get": "reason"}
    yield _call("headers", "resp", "getheaders")
    yield _call("body", "resp", "read", [asked["amount"]] if "amount" in asked else ())
    if "amount" in asked:
        yield _call("close", "resp", "close")
    if _says_close(asked.get("fields", {})):
        yield _call("end", _CONN, "close")


def _says_close(fields: Mapping[str, Any]) -> bool:
    """Return whether a request with *fields* says that its connection ends with the response.

    The interface does not read the fields that its caller gives, so the caller has to close it.
    """
    given = [value for name, value in fields.get("value", ()) if name.lower() == "connection"]
    return "close" in {one.strip().lower() for value in given for one in value.split(",")}


def _with_category(error: Mapping[str, Any]) -> dict[str, Any]:
    """Return *error* with its category."""
    names = [str(error["class"]), *map(str, error.get("bases", ()))]
    expected = "HTTPException" in error.get("exported", ()) or any(
        name.rpartition(".")[2] in _OF_THE_SYSTEM for name in names
    )
    rows = [("No status line received", "no-response"), *registry().errors["http-client"].rows]
    texts = [f"{name}: {error.get('message', '')}" for name in names]
    category = ErrorTable(rows).category({**error, "causes": texts})
    return {**error, "category": category if expected else "leak"}


def _response(value: Mapping[str, Any]) -> Any:
    """Return the response whose parts are *value*; or the first part that has another type."""
    whole = value["status"] if isinstance(value["status"], int) else None
    texts = {part: _text(value[part]) for part in ("reason", "body")}
    found = {"status": whole, **texts, "headers": _fields(value["headers"])}
    odd = [value[part] for part, one in found.items() if one is None]
    return odd[0] if odd else {"type": "response", **found}


def _text(value: Any) -> str | None:
    """Return the text or the bytes that the agent reports as *value*; None for anything else."""
    if isinstance(value, Mapping) and value.get("type") in ("text", "bytes"):
        return str(value["value"])
    return None


def _fields(value: Any) -> list[list[str]] | None:
    if not isinstance(value, list):
        return None
    pairs = [one.get("value") for one in value if isinstance(one, Mapping)]
    found = [[_text(part) for part in pair] for pair in pairs if isinstance(pair, list)]
    whole = len(found) == len(value) and all(len(pair) == 2 and None not in pair for pair in found)
    return found if whole else None  # type: ignore[return-value]  # none of them is None
