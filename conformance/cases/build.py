"""From the table of one case to a `Case`: every shorthand expanded, all bytes decoded.

The input is a `CaseTable`, the output a `Case`. This module and `ops`, `script` and `outcomes`, one
for each part of a case, define what a shorthand means:

* *respond* is one connection that reads a request, sends this, and closes with a FIN;
* without *ops*, the client requests ``GET /``, gets the response, reads it, and asks whether it is
  closed;
* without *on*, a call goes to the object that has such a method: the latest response, or the
  connection;
* without *id*, the id of an op is its name, and that of the second op of this name is ``read2``;
* an op without an entry in an outcome must not raise.
"""

import functools
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from conformance.cases.decoding import decode
from conformance.cases.errors import CaseError
from conformance.cases.fetch import needs
from conformance.cases.model import Case, Op, Session
from conformance.cases.ops import client_ops, implied_needs, need_certificates
from conformance.cases.outcomes import outcomes
from conformance.cases.script import script
from conformance.cases.session import session
from conformance.cases.tables import CaseTable, Dimensions, NewTable, OpTable

DEFAULT_OPS = (
    OpTable(call="request", args=["GET", "/"]),
    OpTable(call="getresponse"),
    OpTable(call="read"),
    OpTable(call="isclosed"),
)
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+")
_TITLE_LENGTH = 70
_PLAYED = ("respond", "connections", "routes", "transforms", "server", "new", "ops", "session")
"""The keys of a case that decide what server and client do."""
UNSWEPT = Dimensions(cut=["whole"], read_style=["read()"], end=["fin"], reuse=["fresh"])
"""A session is not varied: what its server sends when decides what must be seen."""


Built = tuple[Mapping[str, Any], Case]
"""A table, and the case that it describes."""


def build_case(
    raw: Mapping[str, Any], family: str, file: str, *, authored: str = "", like: Built | None = None
) -> Case:
    """Return the case that the table *raw* describes.

    Args:
        raw: the table.
        family: the family of its file.
        file: the name of its file.
        authored: the id of the grid that the case is from; by default the id of the case.
        like: another case of the same grid; what both build from the same table object is shared.

    Raises:
        CaseError: naming the field.
    """
    table = decode(raw, CaseTable)
    _check_words(table)
    same = like[1] if like is not None and _calls_the_same(raw, like[0]) else None
    played = script(table)
    asked = session(table, played)
    is_session = table.session is not None
    if asked is not None and is_session:
        ops = tuple(one.op for one in asked.exchanges)
        implied = needs(asked)
    else:
        ops = _ops(table) if same is None else same.ops
        implied = implied_needs(ops)
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
        needs=implied.union(table.needs),
        host=table.server.host,
        script=played,
        ops=ops,
        certificates=_has_certificates(ops, same, asked if is_session else None),
        outcomes=() if is_session else outcomes(table, {op.id for op in ops}),
        sweep=UNSWEPT if is_session else table.sweep,
        session=asked,
        authored=authored or table.id,
        profile="client" if is_session else "httplib",
        played=_played(raw),
    )


def _has_certificates(ops: tuple[Op, ...], same: Case | None, asked: Session | None) -> bool:
    """Return whether the driver needs the files with certificates."""
    if asked is not None:
        return asked.is_secure
    return need_certificates(ops) if same is None else same.certificates


def _played(raw: Mapping[str, Any]) -> str:
    """Return a digest of what server and client do in the case that *raw* describes.

    What was observed of a case is valid while this digest stays the same: a new title, level or
    expectation does not change the exchange. Two parts of a client's expectation are exceptions:
    its record contains header fields only if some are compared, and where it may wait, the server
    ends the connection.
    """
    fetch = raw.get("fetch") or {}
    fields = '"headers": ' in _ENCODER.encode(fetch) if fetch else False
    played = [{key: raw[key] for key in _PLAYED if key in raw}, fields]
    if fetch.get("may_wait"):
        played.append("may_wait")
    return hashlib.sha256(_ENCODER.encode(played).encode()).hexdigest()[:8]


_ENCODER = json.JSONEncoder(sort_keys=True)


def _calls_the_same(raw: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(raw.get(key) is other.get(key) for key in ("new", "ops"))


def _ops(table: CaseTable) -> tuple[Op, ...]:
    if table.ops is not None:
        return client_ops(table.new, table.ops)
    return _default_ops() if table.new == NewTable() else client_ops(table.new, DEFAULT_OPS)


@functools.cache
def _default_ops() -> tuple[Op, ...]:
    """Return the ops of a case without *ops*; all such cases share one tuple."""
    return client_ops(NewTable(), DEFAULT_OPS)


def _check_words(table: CaseTable) -> None:
    """Refuse ids and titles of the wrong form, which the types of the tables do not check."""
    if not _ID.fullmatch(table.id):
        raise CaseError("an id is a dotted slug, such as chunked.size-line.not-hex", field="id")
    if not 0 < len(table.title) <= _TITLE_LENGTH:
        problem = f"a title has 1 to {_TITLE_LENGTH} characters, not {len(table.title)}"
        raise CaseError(problem, field="title")
    if not table.title.isprintable() or table.title != table.title.strip():
        raise CaseError("a title is one line of printable characters", field="title")
    if re.search(r"\bshould\b", table.title, re.IGNORECASE):
        raise CaseError("a title states a fact, so it has no `should`", field="title")
