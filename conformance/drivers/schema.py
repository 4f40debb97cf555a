"""The JSON Schema of the driver protocol, generated from its types.

The result is a JSON value that is committed as ``fixtures/driver.schema.json``, so that authors of
drivers can check every line in any language. One test compares the committed file with this value;
another checks captured messages against the schema.

``python -m conformance.drivers.schema > fixtures/driver.schema.json`` writes it again.
"""

import json
import sys
from typing import Any, get_args

from conformance.definitions import definitions_of
from conformance.drivers.protocol import ANSWERS, MESSAGES, Exchange, Typed

SCHEMA_FILE = "driver.schema.json"
_ONE_OF = ("value", "error", "skipped", "unsupported")
_KINDS_OF_OP = ("call", "get", "set", "item")


def driver_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one line, in either direction."""
    values = get_args(Typed)
    types = [*MESSAGES, *ANSWERS, *values, Exchange]
    definitions = definitions_of(types)
    definitions["Value"] = _value(_ref(kind.__name__) for kind in values)
    definitions["Argument"] = _argument()
    definitions["Entry"]["oneOf"] = [{"required": [key]} for key in _ONE_OF]
    definitions["Op"]["oneOf"] = [{"required": [key]} for key in _KINDS_OF_OP]
    definitions["Op"]["if"] = {"properties": {"call": {"const": "exchange"}}, "required": ["call"]}
    definitions["Op"]["then"] = {"properties": {"kwargs": _ref("Exchange")}}
    definitions["Message"] = {"anyOf": [_ref(kind.__name__) for kind in MESSAGES]}
    definitions["Answer"] = {"anyOf": [_ref(kind.__name__) for kind in ANSWERS]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of the driver protocol of httplib-kit",
        "description": "Message: from the kit. Answer: from the driver, one line for each message.",
        "anyOf": [_ref("Message"), _ref("Answer")],
        "$defs": {name: definitions[name] for name in sorted(definitions)},
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _value(typed: Any) -> dict[str, Any]:
    """Return the schema of a value: JSON values are unchanged, except text, which has a type."""
    return {
        "description": "null, a truth value, a number of 64 bits, a list, or a typed table",
        "anyOf": [
            {"type": ["null", "boolean", "number"]},
            {"type": "array", "items": _ref("Value")},
            *typed,
        ],
    }


def _argument() -> dict[str, Any]:
    """Return the schema of an argument: a bare string has the implementation's string type."""
    return {
        "description": "JSON values are written as they are; all else is a table with a type",
        "anyOf": [
            {"type": ["null", "boolean", "number", "string"]},
            {"type": "array", "items": _ref("Argument")},
            {
                "type": "object",
                "required": ["type", "value"],
                "properties": {"type": {"type": "string"}, "value": True},
            },
        ],
    }


if __name__ == "__main__":
    json.dump(driver_schema(), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
