"""The client's side of a case: from tables of calls to ops in the form of the driver protocol.

The input is ``new`` and the ops of the table. The output is `Op` values, each with its id, its
receiver, and all arguments in the form of the driver protocol. A receiver must be made by an
earlier op: an op on an object that is never made would always be skipped, and would test nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from conformance.cases.arguments import argument
from conformance.cases.errors import CaseError, within
from conformance.cases.model import Op
from conformance.cases.tables import RESERVED_IDS, NewTable, OpTable

RESPONSE_NAMES = frozenset(
    {"read", "getheader", "getheaders", "isclosed", "fileno", "begin", "msg", "version"}
    | {"status", "reason", "length", "chunked", "will_close"}
)
_FIXED = frozenset({"module", "builtins", "agent"})
"""Receivers that exist in every run; `as` must not redefine them."""
_TELLING = frozenset(
    {"strict", "key_file", "cert_file", "context", "HTTP", "HTTPS", "HTTPSConnection"}
)
"""Keywords and classes that are optional features: an implementation may lack them."""
_DEFAULT_ADDRESS = [argument({"address": "host"}), argument({"address": "port"})]


def client_ops(new: NewTable, ops: Sequence[OpTable]) -> tuple[Op, ...]:
    """Return what the client does: the op of *new*, then *ops*.

    Raises:
        CaseError: naming the op and its field.
    """
    messages = [within("new", _new, new)]
    response = "response"
    for index, op in enumerate(ops):
        message = within(f"ops[{index}]", _message, op, response)
        if op.call == "getresponse":
            response = message["as"]
        messages.append(message)
    _check_receivers(messages)
    return _identified(messages)


def implied_needs(ops: Iterable[Op]) -> frozenset[str]:
    """Return the features that the calls use and that a case therefore needs."""
    named: set[str] = set()
    for op in ops:
        if op.message["on"] == "module":
            named.update(op.message.get("kwargs", ()), (str(op.message.get("call")),))
        refs = (value for kind, value in typed_arguments(op.message) if kind == "ref")
        named.update(ref.removeprefix("module.") for ref in refs if ref.startswith("module."))
    return _TELLING & named


def need_certificates(ops: Iterable[Op]) -> bool:
    """Return whether the driver needs files of the certificate authority for these calls."""
    return any(kind in ("cert", "context") for op in ops for kind, _ in typed_arguments(op.message))


def _new(new: NewTable) -> dict[str, Any]:
    args = _DEFAULT_ADDRESS if new.args is None else [argument(item) for item in new.args]
    kwargs = {key: argument(value) for key, value in new.kwargs.items()}
    return {
        "id": "new",
        "call": new.call,
        "on": "module",
        "as": "conn",
        "args": args,
        "kwargs": kwargs,
    }


def _message(op: OpTable, response: str) -> dict[str, Any]:
    kind = _kind(op)
    name = getattr(op, kind)
    receiver = response if kind in ("call", "get") and name in RESPONSE_NAMES else "conn"
    message: dict[str, Any] = {"on": op.on or receiver}
    message[kind] = within("item", argument, name) if kind == "item" else name
    if kind == "set":
        message["value"] = within("value", argument, op.value)
    if kind == "call":
        message["args"] = [
            within(f"args[{index}]", argument, item) for index, item in enumerate(op.args)
        ]
        message["kwargs"] = {
            key: within(f"kwargs.{key}", argument, value) for key, value in op.kwargs.items()
        }
    bound = op.as_ or ("response" if name == "getresponse" else None)
    if bound is not None:
        message["as"] = bound
    if op.id is not None:
        message["id"] = op.id
    return message


def _kind(op: OpTable) -> str:
    """Return which of the four kinds *op* is, after checking that its other keys go with it."""
    kinds = [kind for kind in ("call", "get", "set", "item") if getattr(op, kind) is not None]
    if len(kinds) != 1:
        raise CaseError("an op is exactly one of call, get, set and item")
    (kind,) = kinds
    if (op.value is not None) != (kind == "set"):
        raise CaseError("`value` goes with `set`, and only with it")
    if kind != "call" and (op.args or op.kwargs):
        raise CaseError("only a call has `args` and `kwargs`")
    if op.as_ in _FIXED:
        raise CaseError(f"`{op.as_}` is there in every case and is not replaced", field="as")
    return kind


def _check_receivers(messages: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a receiver, or an object in an argument, that no earlier op has made."""
    known = {*_FIXED, "conn", "response"}
    for index, message in enumerate(messages):
        place = "new" if index == 0 else f"ops[{index - 1}]"
        if message["on"] not in known:
            raise CaseError(_unknown(message["on"], known), field=f"{place}.on")
        for kind, value in typed_arguments(message):
            if kind == "ref" and value.partition(".")[0] not in known:
                raise CaseError(_unknown(value, known), field=f"{place}: ref")
        if "as" in message:
            known.add(message["as"])


def _unknown(name: str, known: Iterable[str]) -> str:
    return f"no earlier op makes `{name}`; there are {', '.join(sorted(known))}"


def typed_arguments(message: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield kind and value of each typed argument of *message*, nested ones included."""
    waiting = [*message.get("args", ()), *message.get("kwargs", {}).values()]
    waiting += [message.get("value"), message.get("item")]
    waiting = [item for item in waiting if not isinstance(item, str)]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item["type"], item["value"]
            item = item["value"]
        if isinstance(item, list):
            waiting += item


def _identified(messages: Sequence[Mapping[str, Any]]) -> tuple[Op, ...]:
    seen: Counter[str] = Counter()
    ops: dict[str, Op] = {}
    for index, message in enumerate(messages):
        name = message.get("id")
        if name is None:
            name = str(message.get("call") or message.get("get") or message.get("set") or "item")
            seen[name] += 1
            name = name if seen[name] == 1 else f"{name}{seen[name]}"
        if name in RESERVED_IDS or name in ops:
            problem = (
                "is reserved in outcomes" if name in RESERVED_IDS else "is taken by an earlier op"
            )
            raise CaseError(f"the id `{name}` {problem}", field=f"ops[{index - 1}].id")
        ops[name] = Op(name, {**message, "id": name})
    return tuple(ops.values())
