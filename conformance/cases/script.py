"""The server's side of a case: from ``respond``, or connections and routes, to a script.

The input is a `ScriptTable`. The output is a `Script` of the mock server, which checks the steps
and their order when it is made. The transforms are applied to it in order; each breaks one part.
"""

import re
from typing import TypeVar

from conformance.cases.decoding import decode
from conformance.cases.errors import CaseError, within
from conformance.cases.octets import octets, short_or_recipe
from conformance.cases.parsing import check_plain
from conformance.cases.session import is_about_closing
from conformance.cases.steps import steps, times
from conformance.cases.steptables import transform_tables
from conformance.cases.tables import CaseTable, ConnectionTable, RouteTable, ScriptTable
from mockserver import (
    TRANSFORMS,
    Close,
    Connection,
    Listener,
    ReadRequest,
    Route,
    Script,
    ScriptError,
    Send,
)

_PLACE = re.compile(r"(connection|route|listener)s?\b")
_FIELDS = {"connection": "connections", "route": "routes", "listener": "server"}


ScriptT = TypeVar("ScriptT", bound=ScriptTable)


def load_script(raw: object, kind: type[ScriptT]) -> tuple[ScriptT, Script]:
    """Return *raw* as a table of *kind*, and the script in it.

    Args:
        raw: what a TOML or JSON text contains.
        kind: the type of the table, which may have further keys.

    Raises:
        CaseError: naming the step and its field.
    """
    try:
        check_plain(raw)
        table = decode(raw, kind)
        return table, script(table)
    except CaseError:
        raise
    except (ValueError, TypeError, RecursionError, OverflowError, MemoryError) as error:
        raise CaseError(f"{type(error).__name__}: {error}") from error  # as for a case file


def script(table: ScriptTable) -> Script:
    """Return what the server plays in the case, or the script, of *table*.

    Raises:
        CaseError: naming the step and its field.
    """
    try:
        whole = Script(
            connections=_connections(table),
            listener=Listener(table.server.listener, table.server.receive_buffer),
            routes=tuple(_route(one, f"routes[{index}]") for index, one in enumerate(table.routes)),
            unmatched=table.server.unmatched,
            obliging=_is_obliging(table),
        )
    except ScriptError as error:
        place = _PLACE.match(str(error))
        field = _FIELDS[place[1]] if place else "connections"
        raise CaseError(str(error), field=field) from None
    for index, transform in enumerate(table.transforms):
        whole = within(f"transforms[{index}]", _transformed, whole, transform)
    return whole


def _is_obliging(table: ScriptTable) -> bool:
    """Return whether the server closes for a client that asks for it.

    Of httplib's interface, also what it leaves open is compared, and a session may be about that.
    """
    asked = table.session if isinstance(table, CaseTable) else None
    return asked is not None and not is_about_closing(asked)


def _connections(table: ScriptTable) -> tuple[Connection, ...]:
    if table.respond is None:
        listed = enumerate(table.connections or ())
        return tuple(_connection(one, f"connections[{index}]") for index, one in listed)
    if table.connections is not None or table.routes:
        other = "routes" if table.connections is None else "connections"
        problem = f"`respond` is short for `connections`; give it or `{other}`, not both"
        raise CaseError(problem, field="respond")
    data = within("respond", short_or_recipe, table.respond)
    return (Connection((ReadRequest(), Send(data), Close("fin"))),)


def _connection(one: list[dict[str, object]] | ConnectionTable, field: str) -> Connection:
    if isinstance(one, list):
        return Connection(steps(one, field))
    return Connection(steps(one.steps, f"{field}.steps"), one.optional, times(one.times))


def _route(one: RouteTable, field: str) -> Route:
    return Route(
        steps(one.steps, f"{field}.steps"),
        one.method,
        one.target,
        times(one.times),
        one.optional,
        one.body,
        one.path,
        one.prefix,
        one.pattern,
        one.query,
        one.headers,
        ... if one.json is None else one.json,
    )


def _transformed(whole: Script, raw: dict[str, object]) -> Script:
    """Return *whole* broken by a transform: *raw* is a table whose one key names it."""
    if len(raw) != 1 or not raw.keys() <= TRANSFORMS.keys():
        raise CaseError(f"a transform is a table with one key: {', '.join(TRANSFORMS)}")
    ((name, content),) = raw.items()
    given = within(name, decode, content, transform_tables()[name]).given()
    if "data" in given:
        given["data"] = within(f"{name}.data", octets, given["data"])
    try:
        return TRANSFORMS[name](whole, **given)
    except ScriptError as error:
        raise CaseError(str(error), field=name) from None
