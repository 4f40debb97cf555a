"""The JSON Schema of the document of the corpus, with the parts that case files and drivers share.

The result is a JSON value that is committed as ``fixtures/export.schema.json``; a test compares the
two. A document is narrower than a case file: only the steps remain that `corpus` leaves, bytes have
one notation, and nothing has a default.

``python -m conformance.export.schema`` writes it again.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from conformance.cases import LEVELS, STRENGTHS, case_schema, fixtures_directory
from conformance.drivers import driver_schema
from conformance.export.corpus import FORMAT, KEPT_WRITES
from mockserver import STEPS, Reply, Send, WritingStep

SCHEMA_FILE = "export.schema.json"
Schema = dict[str, Any]


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _list(items: Schema, least: int = 0) -> Schema:
    return {"type": "array", "items": items, **({"minItems": least} if least else {})}


def _any(*kinds: Schema, about: str = "") -> Schema:
    return {**({"description": about} if about else {}), "anyOf": list(kinds)}


def _table(about: str, optional: Mapping[str, Schema] | None = None, **required: Schema) -> Schema:
    return {
        "description": about,
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": [*required],
        "additionalProperties": False,
    }


def _map(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


TEXT, BOOL = {"type": "string"}, {"type": "boolean"}
COUNT, NUMBER = {"type": "integer", "minimum": 0}, {"type": "integer", "minimum": 1}
TEXTS, STRENGTH = _list(TEXT), {"enum": [*STRENGTHS]}
CHARACTERS = {"type": "string", "pattern": r"^[\x00-\xff]*$(?!\n)"}
OCTETS, VALUE = _ref("Octets"), _ref("ExpectedValue")
LAW = {"strength": STRENGTH, "rfc": TEXTS}
PLAY = {
    "needs": {"description": "features that the client must have", **TEXTS},
    "server": _ref("Server"),
    "connections": _list(_ref("ConnectionTable")),
    "routes": _list(_ref("RouteTable")),
}
OWN: dict[str, Schema] = {
    "Document": _table(
        "The corpus, or a selection of it.",
        format={"const": FORMAT},
        kit={"description": "the version of the kit", **TEXT},
        corpus={"description": "the digest of the case files", **TEXT},
        set={"description": "the name of a set; empty for none", **TEXT},
        requirements=_map(TEXT),
        cases=_list(_ref("Case")),
    ),
    "Case": _table(
        "One case: for the interface of httplib, for clients of any interface, or for both.",
        {"twin": TEXT, "httplib": _ref("Httplib"), "client": _ref("Client")},
        id=TEXT,
        rev=NUMBER,
        title=TEXT,
        level={"enum": [*LEVELS]},
        family=TEXT,
        why=TEXT,
        spec={"description": "keys of `requirements`", **TEXTS},
        rfc=TEXTS,
        origin=TEXTS,
    ),
    "Server": _table(
        "Where the server listens, and how.",
        {"receive_buffer": NUMBER, "unmatched": {"const": "reply"}},
        host={"enum": ["127.0.0.1", "::1"]},
        listener={"enum": ["accept", "refuse", "connect_stall", "accept_rst"]},
        closes_on_request={
            "description": "whether the server closes after the response to a request with "
            "`Connection: close`, where no step is left or the next one reads another request",
            **BOOL,
        },
    ),
    "Httplib": _table(
        "Calls, and the accepted outcomes, of which the first that matches counts.",
        **PLAY,
        ops=_list(_ref("Op"), 1),
        outcomes=_list(_ref("Outcome")),
        sweep=_ref("Dimensions"),
    ),
    "Outcome": _table(
        "One whole accepted observation; an op without an entry must not raise.",
        {"basis": TEXT, "when": _ref("Dimensions"), "wire": _ref("WireTable")},
        exact={
            "description": "false: requests and fields are compared as far as the page says",
            **BOOL,
        },
        grade={"enum": ["pass", "tolerated"]},
        ops=_map(_any(_ref("Value"), _ref("Raises"), _ref("Anything"))),
    ),
    "Value": _table("An op returns this value.", value=VALUE),
    "Raises": _table(
        "An op raises one of these classes.", {"attributes": _map(VALUE)}, raises=_list(TEXT, 1)
    ),
    "Anything": _table("An op may do anything.", any={"const": True}),
    "ExpectedValue": _any(
        {"type": ["string", "number", "boolean"]}, _list(VALUE), _ref("ValueTable")
    ),
    "Client": _table(
        "A session of exchanges; only a difference from a `must` fails.",
        {
            "proxy_to": {
                "description": "the authority in the URLs, where the server is a proxy",
                **TEXT,
            },
            "proxy_user": {
                "description": "the user and the password for that proxy, joined by a colon",
                **TEXT,
            },
        },
        counts={"description": "false where another case has the same script", **BOOL},
        scheme={"enum": ["http", "https"]},
        **PLAY,
        exchanges=_list(_ref("Exchange"), 1),
    ),
    "Exchange": _table(
        "One request that the client makes, and what must be seen of it.",
        {
            "body": OCTETS,
            "amount": {"description": "how many bytes a `part` is", **COUNT},
            "timeout": {"description": "seconds that the client waits", "type": "number"},
            "streamed": BOOL,
            "expect_continue": BOOL,
            "on": _ref("On"),
            "ends": _ref("Ends"),
        },
        id=TEXT,
        method=TEXT,
        target=TEXT,
        fields=_list({**_list(OCTETS, 2), "maxItems": 2}),
        consume={"enum": ["read", "part", "drop", "timeout"]},
        parallel={"description": "begins together with the exchange before it", **BOOL},
        **LAW,
        expect=_list(_any(_ref("Accepts"), _ref("Rejects")), 1),
        arrives=_ref("Arrives"),
    ),
    "Accepts": _table(
        "The client accepts a response; a part that is absent is not compared.",
        accept=_table(
            "the response",
            {
                "status": {"type": "integer"},
                "reason": OCTETS,
                "body": OCTETS,
                "headers": {
                    "description": "by the name in lower case: the values of all field lines with "
                    "that name, joined by a comma and a space, or a pattern for the whole",
                    **_map(_any(OCTETS, _table("a regular expression", matches=TEXT))),
                },
            },
        ),
    ),
    "Rejects": _table(
        "The client rejects the response in one of these categories; without any, in each.",
        reject=TEXTS,
    ),
    "Arrives": _table(
        "How often the request arrives; `most` is null for any number.",
        least=COUNT,
        most={"type": ["integer", "null"]},
        partial={"description": "whether a part of the request is enough", **BOOL},
        **LAW,
    ),
    "On": _table(
        "The request arrives on the connection of the exchange `of`, or for a reason on another.",
        of=TEXT,
        kind={"enum": ["error", "unfinished", "leftovers", "closing", None]},
        **LAW,
    ),
    "Ends": _table(
        "What has become of the connection at the end.", after={"enum": ["closed", "kept"]}, **LAW
    ),
    "Octets": _any(
        _ref("OctetsPart"),
        _list(_ref("OctetsPart")),
        about="bytes: each character of a string is one, and parts follow each other",
    ),
    "OctetsPart": _any(CHARACTERS, _ref("BytesTable")),
    "BytesTable": _any(
        _table("A string, so many times.", repeat=CHARACTERS, times=COUNT),
        _table("The server's address.", address={"enum": ["server", "host", "port"]}),
    ),
}


def export_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of the document."""
    case, driver = case_schema()["$defs"], driver_schema()["$defs"]
    writing = {name for name, one in STEPS.items() if issubclass(one, WritingStep)}
    left = {one.step_name for one in (Send, Reply, *KEPT_WRITES)}
    for name in {*(writing - left), "fault"}:
        del case["Steps"]["items"]["properties"][name]
    del driver["Op"]["if"], driver["Op"]["then"]  # of the op `exchange`, which is not here
    driver["Argument"]["anyOf"].append(_table("A long string.", concat=OCTETS))
    definitions = case | {name: driver[name] for name in ("Op", "Argument")} | OWN
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The corpus of httplib-kit, for runners in any language",
        **_ref("Document"),
        "$defs": {name: definitions[name] for name in sorted(_reached(definitions, "Document"))},
    }


def _reached(definitions: Mapping[str, Schema], name: str) -> set[str]:
    """Return the names of the definitions that the one called *name* uses."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += re.findall(r'"#/\$defs/([^"]+)"', json.dumps(definitions[one]))
    return found


if __name__ == "__main__":
    text = json.dumps(export_schema(), indent=1, ensure_ascii=False) + "\n"
    (fixtures_directory() / SCHEMA_FILE).write_text(text, encoding="utf-8")
