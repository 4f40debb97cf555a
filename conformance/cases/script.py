"""The server's side of a case: from ``respond`` or ``connections`` to a script.

In: a `CaseTable`.  Out: a `Script` of the mock server, every step checked by its own constructor.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.cases.decoding import decode, step_tables
from conformance.cases.errors import CaseError, within
from conformance.cases.octets import octets
from conformance.cases.tables import CaseTable
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

_OCTET_KEYS = frozenset({"hex", "base64", "repeat", "times", "file"})


def script(table: CaseTable) -> Script:
    """Return what the server plays in the case of *table*.

    Raises:
        CaseError: naming the step and its field.
    """
    if table.respond is not None and table.connections is not None:
        raise CaseError("`respond` is short for `connections`; give one of them", field="respond")
    if table.respond is not None:
        data = within("respond", octets, table.respond)
        plan: list[tuple[Step, ...]] = [(ReadRequest(), Send(data), Close("fin"))]
    else:
        plan = [
            _steps(steps, f"connections[{number}]")
            for number, steps in enumerate(table.connections or ())
        ]
    try:
        return Script(
            connections=tuple(Connection(steps=steps) for steps in plan),
            listener=Listener(mode=table.server.listener),
        )
    except ScriptError as error:
        raise CaseError(str(error), field="connections") from None


def _steps(steps: Sequence[Mapping[str, Any]], field: str) -> tuple[Step, ...]:
    return tuple(_step(step, f"{field}[{index}]") for index, step in enumerate(steps))


def _step(raw: Mapping[str, Any], field: str) -> Step:
    if len(raw) != 1:
        raise CaseError("a step is a table with one key, its name", field=field)
    ((name, content),) = raw.items()
    if name not in STEPS:
        known = ", ".join(sorted(STEPS))
        raise CaseError(f"no step is called `{name}`; there are {known}", field=field)
    step = STEPS[name]
    if not _is_table_of(step, content):
        if step.primary is None:
            raise CaseError("this step takes a table", field=f"{field}.{name}")
        content = {step.primary: content}
    table = decode(content, step_tables()[name], f"{field}.{name}")
    try:
        return step(**_arguments(step, table))
    except (ScriptError, CaseError) as error:
        raise CaseError(str(error), field=f"{field}.{name}") from None


def _is_table_of(step: type[Step], content: Any) -> bool:
    """Tell the step's own table from octets that are written as a table."""
    if not isinstance(content, dict):
        return False
    return not content or step.primary is None or not set(content) <= _OCTET_KEYS


def _arguments(step: type[Step], table: Any) -> dict[str, Any]:
    hints = step.__dataclass_fields__
    return {
        key: _value(value, "bytes" in str(hints[key].type))
        for key in table.__struct_fields__
        if (value := getattr(table, key)) is not None
    }


def _value(value: Any, is_octets: bool) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return tuple((octets(name), octets(content)) for name, content in value)
    if is_octets and not isinstance(value, bool | int | float):
        return () if value == [] else octets(value)
    return tuple(value) if isinstance(value, list) else value
