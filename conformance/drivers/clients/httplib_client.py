"""The driver of a module with the interface of httplib, as an HTTP client like any other.

The input is the driver of such a module, which performs any call of httplib.  The output is a
driver with the only op `fetch`: a new connection, one GET, and all that the response has.  So the
module is judged by RFC 9112 alone, and not by what its calls have in common with those of 2.7.

The first call that raises ends the fetch, and its error is the result.  The module's own
exceptions, as far as it exports them, and the errors of the operating system and of TLS are those
that its users expect; any other is a leak.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from conformance.drivers.base import FETCH, Driver, Identity, Message, Trace
from conformance.drivers.clients.registry import ErrorTable, registry
from conformance.drivers.effort import Effort

HTTPLIB = "httplib:"
"""Prefix of a module, after the prefix of a client; also that of the client's own name."""
_OF_THE_SYSTEM = frozenset({"OSError", "IOError", "EnvironmentError", "error", "SSLError"})
"""Names of classes, in any module, of errors of a socket or of TLS."""
_OUR_CALLS = {
    "new": {"on": "module", "call": "HTTPConnection", "as": "conn"},
    "request": {"on": "conn", "call": "request"},
    "getresponse": {"on": "conn", "call": "getresponse", "as": "resp"},
    "status": {"on": "resp", "get": "status"},
    "reason": {"on": "resp", "get": "reason"},
    "headers": {"on": "resp", "call": "getheaders"},
    "body": {"on": "resp", "call": "read"},
}


class HttplibClient(Driver):
    """Performs `fetch` by the calls of a module with the interface of httplib.

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
            features=frozenset(),
            ops=frozenset({FETCH}),
        )

    @property
    def identity(self) -> Identity:
        """The module as a client."""
        return self._identity

    def run(self, message: Message) -> Trace:
        """Fetch the URL of *message* for each of its ops."""
        return [self._entry(message, op) for op in message["ops"]]

    def _entry(self, message: Message, op: Message) -> dict[str, Any]:
        if op.get("call") != FETCH:
            return {"id": op["id"], "unsupported": True}
        calls = {**message, "ops": list(_calls(str(message["url"])))}
        trace = {entry["id"]: entry for entry in self._module.run(calls)}
        for entry in trace.values():
            if "error" in entry:
                return {"id": op["id"], "error": _with_category(entry["error"])}
        value = {name: trace[name].get("value") for name in ("status", "reason", "headers", "body")}
        return {"id": op["id"], "value": _response(value)}

    def release(self) -> None:
        """Let the module's driver close and drop its objects."""
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


def _calls(url: str) -> Iterator[dict[str, Any]]:
    parts = urlsplit(url)
    arguments = {"new": [parts.hostname, parts.port], "request": ["GET", parts.path or "/"]}
    for name, call in _OUR_CALLS.items():
        args = {} if "get" in call else {"args": arguments.get(name, []), "kwargs": {}}
        yield {"id": name, **call, **args}


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
