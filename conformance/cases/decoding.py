"""From plain tables to closed ones, with errors that state the problem and its place.

The input is what `tomllib` returned, and the type to convert it to. The output is a struct of
`tables` or `steptables`. The error for an unknown key says where that key is allowed, if anywhere.
"""

import re
from collections.abc import Iterator
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from conformance.cases import tables, words
from conformance.cases.errors import CaseError
from conformance.wording import near_clause

T = TypeVar("T")

_TABLES: dict[str, type[msgspec.Struct]] = {
    "the head of the file": tables.FileHead,
    "a case": tables.CaseTable,
    "`new`": tables.NewTable,
    "an op": tables.OpTable,
    "a typed argument": tables.ArgumentTable,
    "an outcome": tables.OutcomeHead,
    "the entry of an op in an outcome": tables.ExpectationTable,
    "an expected value": tables.ValueTable,
    "`wire` in an outcome": tables.WireTable,
    "`fetch`": tables.FetchTable,
    "`fetch.expect`": tables.FetchResult,
    "`fetch.expect.accept`": tables.AcceptTable,
    "`session`": tables.SessionTable,
    "an exchange": tables.ExchangeTable,
    "`arrives`": tables.ArrivesTable,
    "`on`": tables.PlacementTable,
    "`ends`": tables.EndingTable,
    "`sweep` or `when`": tables.Dimensions,
    "`server`": tables.ServerTable,
    "a connection": tables.ConnectionTable,
    "a route": tables.RouteTable,
    "an axis value of a grid": tables.AxisValue,
}


def decode(raw: Any, kind: type[T], field: str = "") -> T:
    """Return *raw* as a value of *kind*.

    Raises:
        CaseError: *raw* is not of this type; with the path of the field, and for an unknown key
            with the tables in which it is allowed.
    """
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise _complaint(str(error), field, kind) from None


def _complaint(text: str, field: str, kind: Any) -> CaseError:
    problem, _, path = text.partition(" - at `$")
    path = path.rstrip("`").lstrip(".")
    unknown = re.search(r"unknown field `(.*)`", problem)
    if unknown:
        own = () if path else getattr(kind, "__struct_encode_fields__", ())
        clause = near_clause(unknown[1], own) or _belongs(unknown[1])
        problem = f"unknown key `{unknown[1]}`{clause}"
    value = re.fullmatch(r"Invalid enum value '(.*)'", problem)
    if value:
        problem += near_clause(value[1], _words())
    place = f"{field}{'' if path.startswith('[') or not field or not path else '.'}{path}"
    return CaseError(problem, field=place)


def _words() -> Iterator[str]:
    """Yield every word that selects one of a few alternatives."""
    for one in vars(words).values():
        if get_origin(one) is Literal:
            yield from map(str, get_args(one))


def _belongs(key: str) -> str:
    # Imported only for an error: it imports the mock server, which decoding does not need.
    from conformance.cases.steptables import step_tables, transform_tables

    homes: dict[str, Any] = {
        **_TABLES,
        **{f"the step `{name}`": table for name, table in step_tables().items()},
        **{f"the transform `{name}`": table for name, table in transform_tables().items()},
    }
    found = [home for home, table in homes.items() if key in _keys(table)]
    if key in step_tables():
        found.append("`connections`, as a step")
    if key in transform_tables():
        found.append("`transforms`")
    if found:
        return f"; it belongs in {' or '.join(found[:3])}"
    return near_clause(key, {one for table in homes.values() for one in _keys(table)})


def _keys(table: type[msgspec.Struct]) -> tuple[str, ...]:
    return table.__struct_encode_fields__
