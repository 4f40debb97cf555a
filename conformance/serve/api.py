"""The plays over HTTP, and their description in OpenAPI 3.1: both are made from `OPERATIONS`.

The input is a request under ``/_/plays``.  The output is a reply: JSON, or nothing.  Every refusal
is JSON too, one line with what is wrong and, for a script, the place in it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

import msgspec

from conformance.cases import CaseError, parse, script_definitions
from conformance.definitions import definitions_of
from conformance.serve.gate import Gate, Refused, media_type
from conformance.serve.plays import PlayReport, Plays, PlaySummary, PlayTable, SignalReport
from mockserver import Reply, Request

PLAYS = "/_/plays"
_JSON, _TOML = "application/json", "application/toml"
_EXAMPLE = {
    "routes": [
        {"steps": [{"reply": 503}]},
        {"path": "/items/7", "steps": [{"reply": {"json": {"id": 7}}}]},
    ]
}
_WORDS = {
    400: "The request cannot be read.",
    401: "The token is missing, or is not that of this server.",
    403: "The request is not from this machine, or from a page of another site.",
    404: "There is no such play, gate or signal.",
    405: "The path has other methods.",
    413: "The request is too long.",
    415: "The content is neither JSON nor TOML.",
    422: "The script cannot be played; the error names the place and the remedy.",
    429: "Too many plays are running.",
}
_ANY = (401, 403, 404, 405, 413)
"""How every operation can refuse a request."""


class Problem(msgspec.Struct, frozen=True):
    """Why a request is refused.

    Args:
        error: one line.
        field: the place in the script, such as `routes[0].steps[1].reply`; empty for none.
    """

    error: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """What a method does on a path.

    Args:
        method: the method.
        path: the path, with the names of its variable segments in braces.
        name: its name in the description.
        summary: what it does, in one line.
        status: the status of its reply.
        result: the type of its reply's content; None for no content.
        act: does it, and returns the content.
        refusals: how it refuses a request, in addition to `_ANY`.
        query: the schema of its only parameter, ``seconds``; None for none.
    """

    method: str
    path: str
    name: str
    summary: str
    status: int
    result: Any
    act: Callable[[Plays, Mapping[str, str], Request], Any]
    refusals: tuple[int, ...] = ()
    query: Mapping[str, Any] | None = None

    def values(self, path: str) -> dict[str, str] | None:
        """Return the variable segments of *path*, by name; None if it is another path."""
        own, given = self.path.split("/"), path.split("/")
        if len(own) != len(given):
            return None
        found: dict[str, str] = {}
        for name, segment in zip(own, given, strict=True):
            if name.startswith("{"):
                found[name[1:-1]] = unquote(segment)
            elif name != segment:
                return None
        return found


def _script(request: Request) -> Any:
    """Return the script that *request* contains, as plain values."""
    media = media_type(request)
    if media not in (_JSON, _TOML):
        raise Refused(415, f"a script is {_JSON} or {_TOML}; say so in Content-Type")
    try:
        text = request.body.decode()
        return msgspec.json.decode(text) if media == _JSON else parse(text)
    except (ValueError, RecursionError) as error:
        kind = "JSON" if media == _JSON else "TOML"
        raise Refused(400, f"the script is not {kind}: {error}") from None


def _seconds(request: Request) -> float:
    """Return how long *request* waits."""
    given, most = request.query.get("seconds", "5"), _SECONDS["maximum"]
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= most:
        raise Refused(400, f"seconds is a number from 0 to {most}, not {given[:80]!r}")
    return seconds


_SECONDS: dict[str, Any] = {"type": "number", "minimum": 0, "maximum": 10, "default": 5}
_ONE = f"{PLAYS}/{{id}}"
OPERATIONS = (
    Operation(
        "POST",
        PLAYS,
        "beginPlay",
        "Play a script, on a port of its own",
        201,
        PlaySummary,
        lambda plays, _, request: plays.begin(_script(request)),
        (400, 415, 422, 429),
    ),
    Operation(
        "GET",
        PLAYS,
        "listPlays",
        "List the plays",
        200,
        list[PlaySummary],
        lambda plays, _, __: plays.all(),
    ),
    Operation(
        "GET",
        _ONE,
        "getPlay",
        "Wait until nothing is on its way, and report what has happened",
        200,
        PlayReport,
        lambda plays, values, _: plays.report(values["id"]),
    ),
    Operation(
        "DELETE",
        _ONE,
        "endPlay",
        "End a play, and forget it",
        204,
        None,
        lambda plays, values, _: plays.end(values["id"]),
    ),
    Operation(
        "POST",
        f"{_ONE}/gates/{{name}}",
        "openGate",
        "Open a gate of the script, for as long as the play lasts",
        204,
        None,
        lambda plays, values, _: plays.open_gate(values["id"], values["name"]),
    ),
    Operation(
        "GET",
        f"{_ONE}/signals/{{name}}",
        "awaitSignal",
        "Wait until a signal of the script is given",
        200,
        SignalReport,
        lambda plays, values, request: plays.await_signal(
            values["id"], values["name"], _seconds(request)
        ),
        (400,),
        _SECONDS,
    ),
)


class PlaysApi:
    """Answers the requests under ``/_/plays``.

    Args:
        plays: the plays.
        gate: refuses what does not come from a program with the token.
    """

    def __init__(self, plays: Plays, gate: Gate) -> None:
        self.plays = plays
        self.gate = gate

    def reply(self, request: Request | str, path: str, client: str) -> Reply:
        """Return the reply to a request, or to the one that cannot be read for this reason.

        Args:
            request: the request, or why it cannot be read.
            path: its path, still percent-encoded.
            client: the address of its client.
        """
        head_only = isinstance(request, Request) and request.method == "HEAD"
        try:
            if isinstance(request, str):
                raise Refused(413, request)
            self.gate.check_program(request, client)
            if request.problem is not None:
                raise Refused(400, request.problem)
            operation, values = self._operation(request.method, path)
            result = operation.act(self.plays, values, request)
        except Refused as refusal:
            more = {401: (b"WWW-Authenticate", b"Bearer"), 405: (b"Allow", _allowed(path).encode())}
            fields = (more[refusal.status],) if refusal.status in more else ()
            return _reply(refusal.status, Problem(str(refusal)), fields, head_only)
        except CaseError as error:
            return _reply(422, Problem(error.problem, error.field), (), head_only)
        fields = (
            ((b"Location", f"{PLAYS}/{result.id}".encode()),) if operation.status == 201 else ()
        )
        return _reply(operation.status, result, fields, head_only)

    def _operation(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        on_path = [(one, one.values(path)) for one in OPERATIONS]
        known = [(one, values) for one, values in on_path if values is not None]
        for one, values in known:
            if one.method == ("GET" if method == "HEAD" else method):
                return one, values
        if known:
            raise Refused(405, f"{path} takes {_allowed(path)}")
        raise Refused(404, f"there is nothing at {path}; /_/openapi.json describes what there is")


def _allowed(path: str) -> str:
    methods = [one.method for one in OPERATIONS if one.values(path) is not None]
    return ", ".join([*methods, "HEAD"] if "GET" in methods else methods)


def _reply(status: int, result: Any, fields: tuple[tuple[bytes, bytes], ...], bare: bool) -> Reply:
    if status == 204:
        return Reply(status, headers=fields, framing="close")
    body = msgspec.json.encode(result)
    headers = (
        *fields,
        (b"Content-Type", _JSON.encode()),
        (b"Content-Length", b"%d" % len(body)),
        (b"X-Content-Type-Options", b"nosniff"),
        (b"Cache-Control", b"no-store"),
    )
    return Reply(status, headers=headers, body=b"" if bare else body, framing="close")


# ---------------------------------------------------------------------------- the description


@cache
def description() -> bytes:
    """Return the OpenAPI 3.1 document of the plays, as JSON."""
    results = definitions_of([PlaySummary, PlayReport, SignalReport, Problem])
    scripts = _without_null(script_definitions([PlayTable], PlayTable.__name__))
    paths: dict[str, dict[str, Any]] = {}
    for one in OPERATIONS:
        paths.setdefault(one.path, {})[one.method.lower()] = _described(one)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Plays of httplib-kit serve",
            "version": "1",
            "description": "Scripts of the mock server, played for a program in any language.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {**scripts, **results},
        },
    }
    text = json.dumps(document, indent=1, ensure_ascii=False)
    return text.replace('"#/$defs/', '"#/components/schemas/').encode() + b"\n"


def _described(one: Operation) -> dict[str, Any]:
    names = [part[1:-1] for part in one.path.split("/") if part.startswith("{")]
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in names
    ]
    if one.query is not None:
        parameters.append({"name": "seconds", "in": "query", "schema": one.query})
    success: dict[str, Any] = {"description": one.summary}
    if one.result is not None:
        success["content"] = {_JSON: {"schema": _schema(one.result)}}
    if one.status == 201:
        success["headers"] = {"Location": {"required": True, "schema": {"type": "string"}}}
        success["links"] = {
            other.name: {"operationId": other.name, "parameters": {"id": "$response.body#/id"}}
            for other in OPERATIONS
            if other.path == _ONE
        }
    refused = {
        str(status): {
            "description": _WORDS[status],
            "content": {_JSON: {"schema": {"$ref": f"#/$defs/{Problem.__name__}"}}},
        }
        for status in sorted((*_ANY, *one.refusals))
    }
    described: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "parameters": parameters,
        "responses": {str(one.status): success, **refused},
    }
    if 415 in one.refusals:
        table = {"$ref": f"#/$defs/{PlayTable.__name__}"}
        described["requestBody"] = {
            "required": True,
            "content": {
                _JSON: {"schema": table, "example": _EXAMPLE},
                _TOML: {"schema": {"type": "string"}},
            },
        }
    return described


def _schema(result: Any) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([result], ref_template="#/$defs/{name}")
    return schema


def _without_null(schema: Any) -> Any:
    """Return *schema* without null, which no script contains: a key is given or left out."""
    if isinstance(schema, list):
        return [_without_null(one) for one in schema if one != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if (key, value) != ("default", None)}
    if "enum" in kept and isinstance(kept["enum"], list):
        kept["enum"] = [one for one in kept["enum"] if one is not None]
    kept = {key: _without_null(value) for key, value in kept.items()}
    if len(alone := kept.get("anyOf", ())) == 1:
        del kept["anyOf"]
        kept = {**alone[0], **kept}
    return kept
