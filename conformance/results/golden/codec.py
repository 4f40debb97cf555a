"""Encodes an observation as a golden record, and decodes it.

The input is a case and a stable observation.  The output is a JSON array of the result of each
call, by op, and of the observation of the wire.  Values that can be predicted are omitted:

- a call that returned None, and the object that a constructor or `getresponse` returns;
- the parts of an exception that its class derives from other parts, such as the text of
  IncompleteRead;
- the bytes of a connection that carried only the usual request and was ended by the client.
"""

from collections.abc import Mapping
from typing import Any

from conformance.cases import Accept, Case, Fetch, Op
from conformance.judge import Observation
from conformance.results.golden.stable import PORT, Connection
from conformance.results.golden.usual import ELLIPSIS, STANDARD, Heads, address_of
from conformance.results.golden.values import OWN, Values, lengthened, shortened

_READS = frozenset({"read", "recv", "readline"})
_OCTETS = ("partial", "before")
_CARRIED = ("partial", "line", "version")
"""The parts of an observed exception from which the page's classes are constructed."""
Encoded = list[Any]
_NOTHING: tuple[Any, ...] = ({}, [{}], {})
"""Stands for calls, connections and further facts where all of them are as predicted."""


class Codec:
    """Encoder and decoder for one implementation.

    Args:
        values: encodes and decodes its values.
        heads: the usual heads of its requests.
        raises: the usual class of its errors, by category.
    """

    def __init__(
        self, values: Values, heads: Heads = STANDARD, raises: Mapping[str, str] | None = None
    ) -> None:
        self._values = values
        self._heads = heads
        self._raises = raises or {}

    def short(self, case: Case, observation: Observation) -> Encoded:
        """Return the short form of *observation*, which was made in a run of *case*."""
        calls = {}
        for index, op in enumerate(case.ops):
            if case.session is not None and case.profile == "client":
                wanted = case.session.exchanges[index].fetch
                encoded = self._short_fetch(wanted, observation.trace[op.id])
            else:
                encoded = self._short_entry(op, observation.trace[op.id])
            if encoded != self._guess(op):
                calls[op.id] = encoded
        encoded = [calls, *(() if _is_plain_fetch(case) else _short_wire(observation, self._heads))]
        while len(encoded) > 1 and encoded[-1] == _NOTHING[len(encoded) - 1]:
            encoded.pop()
        return encoded

    def full(self, case: Case, encoded: Encoded) -> Observation:
        """Return the observation of which *encoded* is the short form."""
        usual = _connection_of(case.host)
        calls, connections, further = (*encoded, *_NOTHING[len(encoded) :])
        return Observation(
            trace={
                op.id: self._full_entry(op, calls.get(op.id, self._guess(op))) for op in case.ops
            },
            host=case.host,
            port=PORT,
            connections=tuple(_full_connection(one, usual, self._heads) for one in connections),
            unexpected=further.get("unexpected", 0),
            problems=tuple(further.get("problems", ())),
        )

    def _guess(self, op: Op) -> Any:
        call = op.message.get("call")
        if op.id == "new":
            return {"object": f"{OWN}{call}"}
        return {"object": f"{OWN}HTTPResponse"} if call == "getresponse" else None

    def _short_entry(self, op: Op, entry: Mapping[str, Any]) -> Any:
        if "error" in entry:
            return self._short_error(entry["error"])
        if "value" not in entry:
            return {"skipped": True}
        return self._values.short(entry["value"], _usual(op))

    def _short_fetch(self, wanted: Fetch, entry: Mapping[str, Any]) -> Any:
        """Return the short form of what a client did with a response, without uncompared fields."""
        if entry.get("skipped"):
            return {"skipped": True}
        if "error" in entry:
            category = {"category": entry["error"].get("category", "")}
            return {"raises": self._values.short_class(entry["error"]), **category}
        value = entry.get("value")
        if not isinstance(value, dict) or value.get("type") != "response":
            return self._values.short(value, "text")
        compared = any(isinstance(one, Accept) and one.headers for one in wanted.results)
        parts = {**value, "headers": value.get("headers") if compared else None}
        return {"response": [_short_part(parts.get(part)) for part in _RESPONSE]}

    def _full_entry(self, op: Op, encoded: Any) -> dict[str, Any]:
        entry: dict[str, Any] = {"id": op.id}
        if isinstance(encoded, dict) and "category" in encoded and "raises" not in encoded:
            encoded = {"raises": self._raises[encoded["category"]], **encoded}
        if isinstance(encoded, dict) and "raises" in encoded:
            return {**entry, "error": self._full_error(encoded)}
        if encoded == {"skipped": True}:
            return {**entry, "skipped": True}
        if isinstance(encoded, dict) and "response" in encoded:
            parts = dict(zip(_RESPONSE, map(_full_part, encoded["response"]), strict=True))
            return {**entry, "value": {"type": "response", **parts}}
        return {**entry, "value": self._values.full(encoded, _usual(op))}

    def _short_error(self, error: Mapping[str, Any]) -> dict[str, Any]:
        encoded: dict[str, Any] = {"raises": self._values.short_class(error)}
        for name, value in error["attributes"].items():
            if name != "args" and not (name == "errno" and value is None):
                encoded[name] = self._values.short(value, _usual_of(name))
        native = {"type": "text" if self._values.typed else "bytes", "value": error["message"]}
        args, message = _guessed(error["attributes"], native)
        if "args" in error["attributes"] and error["attributes"]["args"] != args:
            encoded["args"] = self._values.short(error["attributes"]["args"], "text")
        if error["message"] != message:
            encoded["message"] = shortened(error["message"])
        return encoded

    def _full_error(self, encoded: Mapping[str, Any]) -> dict[str, Any]:
        attributes = {
            name: self._values.full(value, _usual_of(name))
            for name, value in encoded.items()
            if name not in ("raises", "message", "category")
        }
        message = lengthened(encoded.get("message", ""))
        native = {"type": "text" if self._values.typed else "bytes", "value": message}
        args, guessed = _guessed(attributes, native)
        attributes.setdefault("args", args)
        if "message" not in encoded:
            message = guessed
        error = {**self._values.full_class(encoded["raises"]), "attributes": attributes}
        category = {"category": encoded["category"]} if "category" in encoded else {}
        return {"type": "error", **error, "message": message, **category}


_RESPONSE = ("status", "reason", "headers", "body")


def _short_part(part: Any) -> Any:
    """Return the short form of a part of a response that a client reported: a text or fields."""
    if isinstance(part, list):
        return [[str(name).lower(), _short_part(value)] for name, value in part]
    encoded = shortened(part) if isinstance(part, str) else part
    return {"text": encoded} if isinstance(encoded, list) else encoded


def _full_part(encoded: Any) -> Any:
    if isinstance(encoded, list):
        return [[name, _full_part(value)] for name, value in encoded]
    return lengthened(encoded["text"]) if isinstance(encoded, dict) else encoded


def _usual(op: Op) -> str:
    return "bytes" if op.message.get("call") in _READS else "text"


def _usual_of(attribute: str) -> str:
    return "bytes" if attribute in _OCTETS else "text"


def _guessed(attributes: Mapping[str, Any], message: Mapping[str, Any]) -> tuple[Any, str]:
    """Return the predicted arguments and text of an exception with these *attributes*.

    Args:
        attributes: without the arguments, or with them.
        message: its text, of the implementation's string type.
    """
    carried = [attributes[name] for name in _CARRIED if attributes.get(name) is not None]
    if "partial" in attributes:
        return {"type": "tuple", "value": carried[:1]}, _incomplete(attributes)
    if carried:
        text = carried[0].get("value") if isinstance(carried[0], dict) else ""
        return {"type": "tuple", "value": carried[:1]}, text if isinstance(text, str) else ""
    if attributes.get("errno") is not None:
        return {"type": "tuple", "value": []}, f"[Errno {attributes['errno']}]"
    args = [dict(message)] if message["value"] else []
    return {"type": "tuple", "value": args}, ""


def _incomplete(attributes: Mapping[str, Any]) -> str:
    partial, expected = attributes["partial"], attributes.get("expected")
    size = len(partial["value"]) if isinstance(partial, dict) and "value" in partial else 0
    more = f", {expected} more expected" if expected is not None else ""
    return f"IncompleteRead({size} bytes read{more})"


# The wire.


def _is_plain_fetch(case: Case) -> bool:
    """Return whether nothing of the wire is judged: TLS and proxies are judged by what arrives."""
    session = case.session if case.profile == "client" else None
    if session is None or case.fetch is None:
        return False
    return not session.is_secure and not session.proxy_to


def _short_wire(observation: Observation, heads: Heads) -> list[Any]:
    usual = _connection_of(observation.host)
    connections = [_short_connection(one, usual, heads) for one in observation.connections]
    further: dict[str, Any] = {}
    if observation.unexpected:
        further["unexpected"] = observation.unexpected
    if observation.problems:
        further["problems"] = list(observation.problems)
    return [connections, further]


def _connection_of(host: str) -> Connection:
    request = STANDARD.full(f"GET /{ELLIPSIS}\r\n", address_of(host)).encode()
    return Connection(requests=(request,), received=request, source=host)


def _short_connection(one: Any, usual: Connection, heads: Heads) -> dict[str, Any]:
    def text(octets: bytes) -> Any:
        return shortened(heads.short(octets.decode("latin-1"), address_of(usual.source)))

    encoded: dict[str, Any] = {}
    if one.requests != usual.requests:
        encoded["requests"] = [text(request) for request in one.requests]
    if one.received != b"".join(one.requests) + one.unread:
        encoded["received"] = text(one.received)
    if one.unread:
        encoded["unread"] = text(one.unread)
    for name in _WORDS:
        if getattr(one, name) != getattr(usual, name):
            encoded[name] = getattr(one, name)
    if one.left != _LEFT.get(one.after):
        encoded["left"] = one.left
    return encoded


_WORDS = ("tls", "after", "source", "source_port")
"""Facts of a connection that are written only if they differ from these values."""
_LEFT = {"kept": 0}
"""The predicted number of bytes that the client has not read, by what became of the connection."""


def _full_connection(encoded: Mapping[str, Any], usual: Connection, heads: Heads) -> Connection:
    def octets(text: Any) -> bytes:
        full = heads.full(lengthened(text), address_of(usual.source))
        return full.encode("latin-1", "replace")

    requests = usual.requests
    if "requests" in encoded:
        requests = tuple(map(octets, encoded["requests"]))
    unread = octets(encoded.get("unread", ""))
    received = octets(encoded["received"]) if "received" in encoded else b"".join(requests) + unread
    rest = {name: encoded.get(name, getattr(usual, name)) for name in _WORDS}
    left = encoded.get("left", _LEFT.get(rest["after"]))
    return Connection(requests=requests, received=received, unread=unread, left=left, **rest)
