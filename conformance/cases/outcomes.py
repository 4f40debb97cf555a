"""The accepted observations of a case: from the tables of its outcomes to `Outcome` values.

The input is a `CaseTable` and the ids of its ops; the output is outcomes in the order of the file.
At least one of them must apply when no dimension is varied, and each must apply in some sweep.
"""

from collections.abc import Mapping, Set
from typing import Any

from conformance.cases.decoding import decode
from conformance.cases.errors import CaseError, within
from conformance.cases.model import USUAL, Expectation, Outcome, WireExpectation
from conformance.cases.names import PARENTS
from conformance.cases.octets import Bytes, Pieces, pieces
from conformance.cases.tables import (
    RESERVED_IDS,
    CaseTable,
    Dimensions,
    ExpectationTable,
    OutcomeHead,
    ValueTable,
    WireTable,
)
from conformance.cases.values import expected


def outcomes(table: CaseTable, ids: Set[str]) -> tuple[Outcome, ...]:
    """Return the outcomes of the case of *table*, whose ops have the ids *ids*.

    Raises:
        CaseError: naming the outcome and its field.
    """
    found = tuple(
        within(f"outcome[{index}]", _outcome, raw, ids, table.sweep)
        for index, raw in enumerate(table.outcome)
    )
    if not found and table.level == "observe":
        return ()
    if not found:
        raise CaseError("a case that is judged has at least one outcome", field="outcome")
    if not any(outcome.holds({}) for outcome in found):
        raise CaseError("each is limited by `when`; none applies without a sweep", field="outcome")
    return found


def _outcome(raw: Mapping[str, Any], ids: Set[str], sweep: Dimensions) -> Outcome:
    entries = {key: value for key, value in raw.items() if key not in RESERVED_IDS}
    head = decode({key: value for key, value in raw.items() if key in RESERVED_IDS}, OutcomeHead)
    unknown = sorted(set(entries) - ids)
    if unknown:
        raise CaseError(f"no op has the id `{unknown[0]}`; there are {', '.join(sorted(ids))}")
    return Outcome(
        ops={key: within(key, _expectation, value) for key, value in entries.items()},
        wire=WireExpectation() if head.wire is None else within("wire", _wire, head.wire),
        grade=head.grade,
        basis=head.basis,
        when=_when(head.when, sweep),
    )


def _when(table: Dimensions, sweep: Dimensions) -> dict[str, tuple[str, ...]]:
    when = {key: tuple(values) for key, values in table.given().items()}
    for dimension, values in when.items():
        played = getattr(sweep, dimension)
        for value in values:
            if played is not None and value not in (*played, USUAL[dimension]):
                problem = f"the case's `sweep` never plays `{value}`"
                raise CaseError(problem, field=f"when.{dimension}")
    return when


def _expectation(raw: Any) -> Expectation:
    if not isinstance(raw, dict):
        return Expectation(has_value=True, value=expected(raw))
    table = decode(raw, ExpectationTable)
    if table.any is not None:
        return Expectation(anything=True)
    if table.value is not None:
        return Expectation(has_value=True, value=within("value", expected, table.value))
    names = (table.raises,) if isinstance(table.raises, str) else tuple(table.raises or ())
    unknown = [name for name in names if name not in PARENTS]
    if unknown or not names:
        given = f"`{unknown[0]}`" if unknown else "an empty list"
        raise CaseError(f"{given} is not one of: {', '.join(PARENTS)}", field="raises")
    return Expectation(raises=names, attributes=_attributes(table))


def _attributes(table: ExpectationTable) -> dict[str, Any]:
    attributes = {
        key: within(key, expected, value)
        for key in ("expected", "line", "version", "args", "message")
        if (value := getattr(table, key)) is not None
    }
    for key in ("partial", "before"):
        if (octets := getattr(table, key)) is not None:
            attributes[key] = within(key, expected, ValueTable(concat=octets))
    return attributes


def _wire(table: WireTable) -> WireExpectation:
    return WireExpectation(
        connections=table.connections,
        after=None if table.after is None else tuple(table.after),
        left=None if table.left is None else tuple(table.left),
        request=_all_pieces("request", table.request),
        received=_all_pieces("received", table.received),
        source=_all_pieces("source", table.source),
    )


def _all_pieces(field: str, items: list[Bytes] | None) -> tuple[Pieces, ...] | None:
    if items is None:
        return None
    return tuple(within(f"{field}[{index}]", pieces, item) for index, item in enumerate(items))
