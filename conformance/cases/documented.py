"""The part of a documented case that the documentation page says.

`documented_part` takes a case and returns it with outcomes that compare only what is on the page. A
case of the level ``documented`` is played once and compares more than the page says: whether the
connection was kept, the text of an exception, the order of the fields of a request. These details
are judged too, at the level ``precedent``: a failure in nothing else has that level, and a run of
the level ``documented`` alone does not compare them.

This module is the only place of the rule, which applies to all cases; the README of the fixtures
contains it as a table. The page documents no attribute of an exception, no state of a connection
except the effect of `connect` and `close`, no version of CONNECT, no order and no value of
automatic fields, and of connections and responses only the names that it lists.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.cases.model import Case, Expectation, Op, Outcome, WireExpectation
from conformance.cases.values import Octets, Scalar

NOT_ON_THE_PAGE = frozenset(
    {
        "auto_open",
        "begin",
        "chunked",
        "debuglevel",
        "default_port",
        "fileno",
        "gettimeout",
        "isclosed",
        "length",
        "sock",
        "strict",
        "timeout",
        "will_close",
    }
)
"""Methods and attributes of connections, responses and sockets that only a precedent documents."""
_ABOUT_CONNECTIONS = frozenset({"HTTPConnection.connect", "HTTPConnection.close"})
"""The requirements about whether a connection exists or is closed."""
_VERSIONS = (10, 11)
"""The values of `version` that the page lists; any other is that of an HTTP/0.9 response."""
_OF_A_RESPONSE = frozenset({"version", "status", "reason", "read", "getheader", "getheaders"})
_ANYTHING = Expectation(anything=True)


def documented_part(case: Case) -> Case:
    """Return *case* with outcomes that compare only what the page says.

    A case of another level is returned unchanged.
    """
    if case.level != "documented":
        return case
    silent = frozenset(_silent_ops(case.ops))
    return dataclasses.replace(
        case, outcomes=tuple(_on_the_page(outcome, case, silent) for outcome in case.outcomes)
    )


def _silent_ops(ops: tuple[Op, ...]) -> Iterator[str]:
    """Yield the ids of ops that use a name that is not on the page, or an object made with one."""
    made: set[str] = set()
    for op in ops:
        message = op.message
        name = str(message.get("call") or message.get("get") or message.get("set") or "")
        on_the_kits_own = message["on"] in ("module", "builtins", "agent")
        if (
            (name in NOT_ON_THE_PAGE and not on_the_kits_own)
            or message["on"] in made
            or any(_refers(argument, made) for argument in _arguments(message))
        ):
            yield op.id
            if "as" in message:
                made.add(str(message["as"]))


def _arguments(message: Mapping[str, Any]) -> Iterator[Any]:
    yield from message.get("args", ())
    yield from message.get("kwargs", {}).values()


def _refers(argument: Any, made: set[str]) -> bool:
    if isinstance(argument, list):
        return any(_refers(item, made) for item in argument)
    if not isinstance(argument, dict):
        return False
    if argument.get("type") != "ref":
        return _refers(argument.get("value"), made)
    first, *rest = str(argument["value"]).split(".")
    return first in made or (first != "module" and not NOT_ON_THE_PAGE.isdisjoint(rest))


def _on_the_page(outcome: Outcome, case: Case, silent: frozenset[str]) -> Outcome:
    names = {op.id: str(op.message.get("call") or op.message.get("get") or "") for op in case.ops}
    old = any(
        names[op] == "version" and isinstance(wanted.value, Scalar) and not _is_version(wanted)
        for op, wanted in outcome.ops.items()
    )
    left_out = silent | {op for op in outcome.ops if old and names[op] in _OF_A_RESPONSE}
    ops = {
        op: _ANYTHING if op in left_out or _prints(names[op], wanted) else _without_details(wanted)
        for op, wanted in outcome.ops.items()
    }
    ops |= dict.fromkeys(silent, _ANYTHING)
    wire = _wire(outcome.wire, speaks=not _ABOUT_CONNECTIONS.isdisjoint(case.spec))
    return dataclasses.replace(outcome, ops=ops, wire=wire, exact=False)


def _is_version(wanted: Expectation) -> bool:
    return isinstance(wanted.value, Scalar) and wanted.value.value in _VERSIONS


def _prints(name: str, wanted: Expectation) -> bool:
    """Return whether *wanted* is the text that debugging prints, which the page does not define."""
    silence = isinstance(wanted.value, Octets) and not any(wanted.value.pieces)
    return name == "stdout" and wanted.has_value and not silence


def _without_details(wanted: Expectation) -> Expectation:
    return dataclasses.replace(wanted, attributes={}) if wanted.attributes else wanted


def _wire(wire: WireExpectation, *, speaks: bool) -> WireExpectation:
    return dataclasses.replace(
        wire,
        connections=wire.connections if speaks else None,
        after=wire.after if speaks else None,
        left=None,
    )
