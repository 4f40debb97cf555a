"""From the tables of one case to a `Case`: every shorthand spelled out, all octets decoded.

In: a `CaseTable`.  Out: a `Case`.  What a shorthand stands for is decided here and nowhere else:

* *respond* is one connection that reads a request, sends this, and closes with a FIN;
* without *ops*, the client requests ``GET /``, gets the response, reads it, and asks whether it is
closed;
* without *on*, a call goes to the object that has such a name: the latest response, or the
connection;
* without *id*, an op is known by its name, the second of that name as ``read2``;
* an op without an entry in an outcome must not raise.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from conformance.cases.arguments import argument
from conformance.cases.errors import CaseError
from conformance.cases.model import Case, Expectation, Op, Outcome, WireExpectation
from conformance.cases.names import PARENTS
from conformance.cases.octets import octets, pieces
from conformance.cases.tables import (
    CaseTable,
    ExpectationTable,
    NewTable,
    OpTable,
    OutcomeHead,
    ValueTable,
    WireTable,
    decode,
    step_tables,
)
from conformance.cases.values import expected
from mockserver import (
    STEPS,
    Close,
    Connection,
    Listener,
    ReadRequest,
    Script,
    ScriptError,
    Send,
    Step,
)

DEFAULT_OPS = (
    OpTable(call="request", args=["GET", "/"]),
    OpTable(call="getresponse"),
    OpTable(call="read"),
    OpTable(call="isclosed"),
)
RESPONSE_NAMES = frozenset(
    {"read", "getheader", "getheaders", "isclosed", "fileno", "begin", "msg", "version"}
    | {"status", "reason", "length", "chunked", "will_close"}
)
RESERVED_IDS = frozenset(OutcomeHead.__struct_encode_fields__)
_DEFAULT_ADDRESS = [argument({"address": "host"}), argument({"address": "port"})]


def build(raw: Mapping[str, Any], *, family: str, file: str, authored: str = "") -> Case:
    """Return the case that the table *raw* describes.

    Raises:
        CaseError: naming the field.
    """
    table = decode(dict(raw), CaseTable)
    ops = _ops(table)
    return Case(
        id=table.id,
        rev=table.rev,
        title=table.title,
        level=table.level,
        family=family,
        file=file,
        spec=tuple(table.spec),
        rfc=tuple(table.rfc),
        why=table.why,
        origin=tuple(table.origin),
        twin=table.twin,
        needs=frozenset(table.needs) | _implied_needs(ops),
        host=table.server.host,
        script=_script(table),
        ops=ops,
        certificates=any(_names_certificates(op.message) for op in ops),
        outcomes=_outcomes(table, {op.id for op in ops}),
        sweep=table.sweep,
        fetch=table.fetch,
        authored=authored or table.id,
    )


def _ops(table: CaseTable) -> tuple[Op, ...]:
    messages = [_within("new", _new, table.new)]
    response = "response"
    for index, op in enumerate(DEFAULT_OPS if table.ops is None else table.ops):
        try:
            message = _message(op, response)
        except CaseError as error:
            raise error.within(field=f"ops[{index}]") from None
        if op.call == "getresponse":
            response = message["as"]
        messages.append(message)
    return _identified(messages)


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
    kinds = [kind for kind in ("call", "get", "set", "item") if getattr(op, kind) is not None]
    if len(kinds) != 1:
        raise CaseError("an op is exactly one of call, get, set and item")
    kind = kinds[0]
    if (op.value is not None) != (kind == "set"):
        raise CaseError("`value` goes with `set`, and only with it")
    if kind != "call" and (op.args or op.kwargs):
        raise CaseError("only a call has `args` and `kwargs`")
    name = getattr(op, kind)
    receiver = response if kind in ("call", "get") and name in RESPONSE_NAMES else "conn"
    message: dict[str, Any] = {"on": op.on or receiver}
    message[kind] = argument(name) if kind == "item" else name
    if kind == "set":
        message["value"] = argument(op.value)
    if kind == "call":
        message["args"] = [argument(item) for item in op.args]
        message["kwargs"] = {key: argument(value) for key, value in op.kwargs.items()}
    bound = op.as_ or ("response" if name == "getresponse" else None)
    if bound is not None:
        message["as"] = bound
    if op.id is not None:
        message["id"] = op.id
    return message


def _identified(messages: list[dict[str, Any]]) -> tuple[Op, ...]:
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


def _implied_needs(ops: tuple[Op, ...]) -> frozenset[str]:
    """Return the features that the calls themselves name."""
    named: set[str] = set()
    for op in ops:
        if op.message["on"] == "module":
            named.update(op.message.get("kwargs", ()), (str(op.message.get("call")),))
    return _TELLING & named


_TELLING = frozenset({"strict", "key_file", "cert_file", "HTTP", "HTTPS"})
"""Keywords and classes that are features of their own: an implementation may lack them."""


def _names_certificates(message: Mapping[str, Any]) -> bool:
    """Tell whether the driver needs files of the certificate authority for this call."""
    given = [*message.get("args", ()), *message.get("kwargs", {}).values(), message.get("value")]
    return any(isinstance(item, dict) and item["type"] in ("cert", "context") for item in given)


def _script(table: CaseTable) -> Script:
    if table.respond is not None and table.connections is not None:
        raise CaseError("`respond` is short for `connections`; give one of them", field="respond")
    if table.respond is not None:
        data = _within("respond", octets, table.respond)
        plan: list[tuple[Step, ...]] = [(ReadRequest(), Send(data), Close("fin"))]
    else:
        plan = [
            tuple(
                _step(step, f"connections[{number}][{index}]") for index, step in enumerate(steps)
            )
            for number, steps in enumerate(table.connections or ())
        ]
    try:
        return Script(
            connections=tuple(Connection(steps=steps) for steps in plan),
            listener=Listener(mode=table.server.listener),
        )
    except ScriptError as error:
        raise CaseError(str(error), field="connections") from None


def _step(raw: Mapping[str, Any], field: str) -> Step:
    if len(raw) != 1:
        raise CaseError("a step is a table with one key, its name", field=field)
    ((name, content),) = raw.items()
    if name not in STEPS:
        raise CaseError(
            f"no step is called `{name}`; there are {', '.join(sorted(STEPS))}", field=field
        )
    step = STEPS[name]
    if not _is_table_of(step, content):
        if step.primary is None:
            raise CaseError("this step takes a table", field=f"{field}.{name}")
        content = {step.primary: content}
    table = decode(content, step_tables()[name], f"{field}.{name}")
    try:
        return step(**_step_arguments(table))
    except (ScriptError, CaseError) as error:
        raise CaseError(str(error), field=f"{field}.{name}") from None


def _is_table_of(step: type[Step], content: Any) -> bool:
    """Tell the step's own table from octets that are written as a table."""
    if not isinstance(content, dict):
        return False
    return not content or step.primary is None or not set(content) <= _OCTET_KEYS


_OCTET_KEYS = frozenset({"hex", "base64", "repeat", "times", "file"})


def _step_arguments(table: Any) -> dict[str, Any]:
    step = STEPS[type(table).__name__]
    hints = step.__dataclass_fields__
    given = {}
    for key in table.__struct_fields__:
        value = getattr(table, key)
        if value is not None:
            given[key] = _step_value(value, "bytes" in str(hints[key].type))
    return given


def _step_value(value: Any, is_octets: bool) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], list):
        return tuple(tuple(octets(part) for part in pair) for pair in value)
    if is_octets and not isinstance(value, bool | int | float):
        return () if value == [] else octets(value)
    return tuple(value) if isinstance(value, list) else value


def _outcomes(table: CaseTable, ids: set[str]) -> tuple[Outcome, ...]:
    if not table.outcome and table.level != "observe":
        raise CaseError("a case that is judged has at least one outcome", field="outcome")
    return tuple(
        _within(f"outcome[{index}]", _outcome, raw, ids) for index, raw in enumerate(table.outcome)
    )


def _outcome(raw: Mapping[str, Any], ids: set[str]) -> Outcome:
    entries = {key: value for key, value in raw.items() if key not in RESERVED_IDS}
    head = decode({key: value for key, value in raw.items() if key in RESERVED_IDS}, OutcomeHead)
    unknown = sorted(set(entries) - ids)
    if unknown:
        raise CaseError(f"no op has the id `{unknown[0]}`; there are {', '.join(sorted(ids))}")
    if head.grade == "tolerated" and head.basis is None:
        raise CaseError("a tolerated outcome says on which basis")
    return Outcome(
        ops={key: _within(key, _expectation, value) for key, value in entries.items()},
        wire=WireExpectation() if head.wire is None else _within("wire", _wire, head.wire),
        grade=head.grade,
        basis=head.basis,
        when={key: tuple(values) for key, values in head.when.items()},
    )


def _expectation(raw: Any) -> Expectation:
    if not isinstance(raw, dict):
        return Expectation(has_value=True, value=expected(raw))
    table = decode(raw, ExpectationTable)
    if sum(given is not None for given in (table.value, table.raises, table.any)) != 1:
        raise CaseError("the entry of an op says exactly one of value, raises and any")
    if table.any is not None:
        return Expectation(anything=True)
    if table.value is not None:
        return Expectation(has_value=True, value=expected(table.value))
    names = (table.raises,) if isinstance(table.raises, str) else tuple(table.raises or ())
    unknown = [name for name in names if name not in PARENTS]
    if unknown or not names:
        given = f"`{unknown[0]}` is no exception that" if unknown else "none of the exceptions that"
        raise CaseError(f"{given} outcomes know: {', '.join(PARENTS)}", field="raises")
    return Expectation(raises=names, attributes=_attributes(table))


def _attributes(table: ExpectationTable) -> dict[str, Any]:
    attributes = {
        key: expected(getattr(table, key))
        for key in ("expected", "line", "version", "args", "message")
        if getattr(table, key) is not None
    }
    for key in ("partial", "before"):
        if getattr(table, key) is not None:
            attributes[key] = expected(ValueTable(concat=getattr(table, key)))
    return attributes


def _wire(table: WireTable) -> WireExpectation:
    return WireExpectation(
        connections=table.connections,
        after=None if table.after is None else tuple(table.after),
        left=None if table.left is None else tuple(table.left),
        request=None if table.request is None else tuple(pieces(item) for item in table.request),
        received=None if table.received is None else tuple(pieces(item) for item in table.received),
        source=None if table.source is None else tuple(table.source),
    )


def _within(field: str, function: Any, *args: Any) -> Any:
    """Call *function*, and put *field* before the place in its complaint."""
    try:
        return function(*args)
    except CaseError as error:
        raise error.within(field=field) from None
