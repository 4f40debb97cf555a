"""The steps of a connection or a route, from tables with one key each.

The input is a list of steps in a case file. The output is steps of the mock server, each checked by
its own constructor. ``fault`` is not a step; it stands for several, under the name that WireMock
gives to the fault.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, get_args

from conformance.cases.decoding import decode
from conformance.cases.errors import CaseError, within
from conformance.cases.octets import AddressHole, Bytes, filled_by, octets, pieces, short_or_recipe
from conformance.cases.steptables import step_tables
from conformance.cases.words import Fault
from mockserver import ADDRESS, FAULTS, STEPS, Expect, Recipe, ScriptError, Send, Step

FAULT = "fault"
"""The key of a WireMock fault among steps."""
_OCTET_KEYS = frozenset({"hex", "base64", "repeat", "times", "file", "address"})


def steps(raw: Sequence[Mapping[str, Any]], field: str) -> tuple[Step, ...]:
    """Return the steps that *raw* describes.

    Raises:
        CaseError: naming the step by its index after *field*, and the problem in it.
    """
    return tuple(
        step for index, one in enumerate(raw) for step in _steps_of(one, f"{field}[{index}]")
    )


def _steps_of(raw: Mapping[str, Any], field: str) -> Iterator[Step]:
    if len(raw) != 1:
        raise CaseError(
            "a step is a table with one key, its name; arguments stand in its value", field=field
        )
    ((name, content),) = raw.items()
    if name == FAULT:
        yield from _fault(content, f"{field}.{name}")
    elif name in STEPS:
        yield _step(name, content, f"{field}.{name}")
    else:
        known = ", ".join(sorted((*STEPS, FAULT)))
        raise CaseError(f"no step is called `{name}`; there are {known}", field=field)


def _fault(name: Any, field: str) -> tuple[Step, ...]:
    if name not in get_args(Fault):
        raise CaseError(f"the faults are {', '.join(get_args(Fault))}", field=field)
    return FAULTS[name]()


def _step(name: str, content: Any, field: str) -> Step:
    step = STEPS[name]
    if not _is_table_of(step, content):
        if step.primary is None:
            raise CaseError("this step takes a table", field=field)
        content = {step.primary: content}
    table = decode(content, step_tables()[name], field)
    try:
        return step(**within(field, _arguments, step, table))
    except ScriptError as error:
        raise CaseError(str(error), field=field) from None


def _is_table_of(step: type[Step], content: Any) -> bool:
    """Return whether *content* is the step's own table and not bytes written as a table."""
    if not isinstance(content, dict):
        return False
    takes_octets = step.primary is not None and _holds_octets(step, step.primary)
    return not (content and takes_octets and set(content) <= _OCTET_KEYS)


def _holds_octets(step: type[Step], key: str) -> bool:
    return "bytes" in str(step.__dataclass_fields__[key].type)


def _arguments(step: type[Step], table: Any) -> dict[str, Any]:
    made: Callable[[Bytes], bytes | Recipe] = _with_address if step is Expect else octets
    if step is Send:  # only its bytes can be so many that they stay a recipe
        made = short_or_recipe
    return {
        key: times(value)
        if key == "times"
        else within(key, _value, value, _holds_octets(step, key), made)
        for key in table.__struct_fields__
        if (value := getattr(table, key)) is not None
    }


def times(value: int | str) -> int | None:
    """Return how often something happens, in the mock server's form: None for any number."""
    return None if isinstance(value, str) else value


def _value(value: Any, is_octets: bool, made: Callable[[Bytes], bytes | Recipe]) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return tuple((made(name), made(content)) for name, content in value)
    if is_octets and not isinstance(value, bool | int | float):
        return () if value == [] else made(value)
    return tuple(value) if isinstance(value, list) else value


def _with_address(spec: Bytes) -> bytes:
    """Return the bytes of *spec*, with the placeholders of `Expect` for the server's address."""
    found = pieces(spec)
    if any(isinstance(piece, AddressHole) and piece.part != "server" for piece in found):
        raise CaseError('a step has the whole address only: { address = "server" }')
    return filled_by(found, lambda _: ADDRESS)
