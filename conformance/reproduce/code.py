"""Writes the ops of a case as lines of Python.

The input is ops in the form of the driver protocol.  The output is expressions and statements that
do the same, written for a reader: ``response = conn.getresponse()``.  An op that cannot be written
in this way raises `NotReproducible` with the reason.
"""

import builtins
import keyword
import re
from collections.abc import Callable, Mapping
from typing import Any

from conformance.cases import Op

_RUN = 64
"""How many equal bytes are written as a repetition."""
_LONG_RUN = re.compile(rb"(.)\1{%d,}" % (_RUN - 1), re.DOTALL)


class NotReproducible(ValueError):
    """The case cannot be written in this form; the message gives the reason."""


def octets_code(data: bytes) -> str:
    """Return an expression for *data*; long runs of one byte are written as repetitions.

    >>> octets_code(b"ab" + b"x" * 100)
    "b'ab' + b'x' * 100"
    """
    parts: list[str] = []
    start = 0
    for run in _LONG_RUN.finditer(data):
        plain = data[start : run.start()]
        parts += [repr(plain)] if plain else []
        parts.append(f"{run[1]!r} * {len(run[0])}")
        start = run.end()
    rest = data[start:]
    return " + ".join([*parts, *([repr(rest)] if rest or not parts else [])])


def argument_code(item: Any) -> str:
    """Return an expression for an argument of the driver protocol."""
    if isinstance(item, list):
        return "[" + ", ".join(map(argument_code, item)) + "]"
    if isinstance(item, dict):
        kind = item["type"]
        if kind not in _KINDS:
            raise NotReproducible(f"an argument of the kind {kind} needs the kit's own files")
        return _KINDS[kind](item)
    return repr(item)


def _octets(item: Mapping[str, Any]) -> str:
    return octets_code(item["value"].encode("latin-1"))


def _array(item: Mapping[str, Any]) -> str:
    return f"array.array({item.get('typecode', 'B')!r}, {_octets(item)})"


def _tuple(item: Mapping[str, Any]) -> str:
    return "(" + "".join(f"{argument_code(part)}, " for part in item["value"]) + ")"


def _mapping(item: Mapping[str, Any]) -> str:
    pairs = (f"{argument_code(key)}: {argument_code(value)}" for key, value in item["value"])
    return "{" + ", ".join(pairs) + "}"


def _opened(item: Mapping[str, Any]) -> str:
    return f"opened({_octets(item)}, {item.get('mode', 'rb')!r}, {item.get('seek') or 0})"


def _reference(item: Mapping[str, Any]) -> str:
    first, _, rest = item["value"].partition(".")
    if first == "builtins":
        return str(rest)
    return ".".join(filter(None, (variable(first), rest)))


_ADDRESS = {
    "host": "HOST",
    "port": "PORT",
    "port-text": "str(PORT)",
    "server": 'f"[{HOST}]:{PORT}" if ":" in HOST else f"{HOST}:{PORT}"',
}
_KINDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "none": lambda _: "None",
    "text": lambda item: repr(item["value"]),
    "bytes": _octets,
    "bytearray": lambda item: f"bytearray({_octets(item)})",
    "array": _array,
    "memoryview": lambda item: f"memoryview({_array(item)})",
    "tuple": _tuple,
    "generator": lambda item: f"(part for part in {argument_code(item['value'])})",
    "mapping": _mapping,
    "open": _opened,
    "socketlike": lambda item: f"SocketLike({_octets(item)})",
    "address": lambda item: _ADDRESS[item["value"]],
    "ref": _reference,
    "context": lambda item: f"context({item['value']!r})",
}
_RECEIVERS = {"module": "httplib"}
_TAKEN = frozenset(
    {"array", "fcntl", "httplib", "importlib", "io", "listen", "opened", "os", "play", "read"}
    | {
        "socket",
        "ssl",
        "step",
        "struct",
        "sys",
        "tempfile",
        "termios",
        "threading",
        "time",
        "shown",
    }
    | {"urllib", "wait", "context"}
    | set(dir(builtins))
)
"""Names that a program uses itself: its own, its modules, and the built-in ones."""


def variable(receiver: str) -> str:
    """Return the variable for a receiver of ops.

    >>> variable("module"), variable("first"), variable("socket"), variable("list")
    ('httplib', 'first', 'socket_', 'list_')
    """
    return _RECEIVERS.get(receiver, f"{receiver}_" if receiver in _TAKEN else receiver)


_OPERATORS = {"contains": "({1} in {0})", "same": "({0} is {1})"}
_QUIET = frozenset(
    {"request", "putrequest", "putheader", "endheaders", "send", "connect", "close"}
    | {"set_tunnel", "set_debuglevel"}
)


def op_code(op: Op) -> str:
    """Return the expression of *op*; for `set` a call of `setattr`."""
    message = op.message
    on = variable(str(message["on"]))
    if "item" in message:
        return f"{on}[{argument_code(message['item'])}]"
    if "get" in message:
        return f"{on}.{message['get']}"
    if "set" in message:
        return f"setattr({on}, {message['set']!r}, {argument_code(message['value'])})"
    given = [argument_code(item) for item in message["args"]]
    if on == "agent":
        return _agent_code(str(message["call"]), given)
    if on == "builtins" and message["call"] in _OPERATORS:
        return _OPERATORS[message["call"]].format(*given)
    given += [f"{name}={argument_code(item)}" for name, item in message["kwargs"].items()]
    function = message["call"] if on == "builtins" else f"{on}.{message['call']}"
    return f"{function}({', '.join(given)})"


def _agent_code(call: str, given: list[str]) -> str:
    if call != "keep":
        raise NotReproducible("what the calls print is looked at by the kit itself")
    return given[0]


def bound_name(op: Op) -> str | None:
    """Return the variable that stores the result of *op*.

    Raises:
        NotReproducible: the op's id is not a valid name in Python.
    """
    name = op.message.get("as")
    if name is not None and (not str(name).isidentifier() or keyword.iskeyword(name)):
        raise NotReproducible(f"{name!r} is not the name of a variable")
    return None if name is None else variable(str(name))


def statement(op: Op) -> str:
    """Return *op* as a line of Python; its value is printed if it is worth reading."""
    code, name = op_code(op), bound_name(op)
    if name is not None:
        return f"{name} = {code}"
    if "set" in op.message:
        on = variable(str(op.message["on"]))
        return f"{on}.{op.message['set']} = {argument_code(op.message['value'])}"
    return code if op.message.get("call") in _QUIET else f"print({code})"


def checked_statement(op: Op) -> str:
    """Return *op* as a step that prints its result or its error, and continues."""
    name = bound_name(op)
    call = f"step({op.id!r}, lambda: {op_code(op)})"
    return call if name is None else f"{name} = {call}"
