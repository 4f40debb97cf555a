"""The JSON Schema of a case file, generated from the tables and the mock server's steps.

The result is a JSON value that is committed next to the cases, so that an editor can check a case
while it is written. A test compares the committed file with this one. A grid is a case in which a
hole may replace any value, so its schema restricts only its own keys.
"""

import json
from collections.abc import Iterable
from typing import Any

from conformance.cases.places import fixtures_directory
from conformance.cases.steps import FAULT
from conformance.cases.steptables import step_tables, transform_tables
from conformance.cases.tables import (
    AxisValue,
    CaseTable,
    ExpectationTable,
    FileHead,
    OutcomeHead,
)
from conformance.definitions import definitions_of
from mockserver import FAULTS, STEPS

SCHEMA_FILE = "case.schema.json"


def case_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one case file."""
    tables = [FileHead, CaseTable, OutcomeHead, ExpectationTable, AxisValue]
    definitions = script_definitions(tables, "CaseTable")
    # The schema allows any item in an array of arguments or values: the loader checks the items.
    case = definitions["CaseTable"]["properties"]
    case["outcome"]["items"] = {"$ref": "#/$defs/Outcome"}
    head = definitions["FileHead"]
    head["properties"]["case"]["items"] = {"$ref": "#/$defs/CaseTable"}
    head["properties"]["grid"]["items"] = _grid(case)
    # The further keys of an axis value fill holes, so they cannot be listed here.
    del definitions["AxisValue"]["additionalProperties"]
    definitions["Outcome"] = _outcome(definitions["OutcomeHead"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A case file of httplib-kit",
        **head,
        "$defs": {name: definitions[name] for name in sorted(definitions) if name != "FileHead"},
    }


def script_definitions(tables: Iterable[type[Any]], name: str) -> dict[str, Any]:
    """Return the definitions of *tables* and of all that a script has.

    Args:
        tables: types, one of which extends `ScriptTable`.
        name: the name of that one, whose steps and transforms are described here.
    """
    steps = step_tables()
    transforms = transform_tables()
    definitions = definitions_of([*tables, *steps.values(), *transforms.values()])
    fault = {FAULT: {"enum": [*FAULTS]}}
    definitions["Steps"] = {
        "type": "array",
        "items": _one_key({**fault, **_steps(steps, definitions)}),
    }
    listed = {"$ref": "#/$defs/Steps"}
    script = definitions[name]["properties"]
    script["connections"] = {
        "type": "array",
        "items": {"anyOf": [listed, {"$ref": "#/$defs/ConnectionTable"}]},
    }
    for one in ("ConnectionTable", "RouteTable"):
        definitions[one]["properties"]["steps"] = listed
    named = {one: {"$ref": f"#/$defs/{one}"} for one in sorted(transforms)}
    script["transforms"] = {"type": "array", "items": _one_key(named)}
    return definitions


def _one_key(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a table with exactly one of these keys."""
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": properties,
    }


def _steps(steps: Iterable[str], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema for each name of a step: the step's table, or its main argument."""
    return {
        name: {
            "anyOf": [
                _bare(definitions[name]["properties"], STEPS[name].primary),
                {"$ref": f"#/$defs/{name}"},
                {"$ref": "#/$defs/BytesTable"},
            ]
        }
        for name in sorted(steps)
    }


def _bare(properties: dict[str, Any], primary: str | None) -> dict[str, Any]:
    """Return the schema of a step's main argument, which is not a table, or of any other value."""
    return {"not": {"type": "object"}, **(properties[primary] if primary else {})}


def _outcome(head: dict[str, Any]) -> dict[str, Any]:
    entry = {"anyOf": [{"not": {"type": "object"}}, {"$ref": "#/$defs/ExpectationTable"}]}
    return {
        "title": "Outcome",
        "type": "object",
        "properties": head["properties"],
        "additionalProperties": entry,
    }


def _grid(case: dict[str, Any]) -> dict[str, Any]:
    keys: dict[str, Any] = dict.fromkeys(case, True)
    keys["axes"] = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {
            "type": "array",
            "minItems": 1,
            "items": {"$ref": "#/$defs/AxisValue"},
        },
    }
    return {
        "type": "object",
        "properties": keys,
        "required": ["id", "title", "axes"],
        "additionalProperties": False,
    }


if __name__ == "__main__":
    text = json.dumps(case_schema(), indent=1, ensure_ascii=False) + "\n"
    (fixtures_directory() / SCHEMA_FILE).write_text(text, encoding="utf-8")
