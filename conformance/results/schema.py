"""Generates the JSON Schema of a result file from the types that are written there.

The schema is stored among the fixtures, and a test compares it with the generated one.  A result
file is JSON lines: a head, and a result for each case.
"""

import json
from typing import Any

from conformance.cases import LEVELS, fixtures_directory
from conformance.definitions import definitions_of
from conformance.judge import Verdict
from conformance.results.result import Again, Overlay, Result, RunHead

SCHEMA_FILE = "results.schema.json"


def results_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one line of a result file."""
    kinds = [RunHead, Result, Again]
    definitions = definitions_of(kinds)
    result = definitions["Result"]["properties"]
    verdicts = {"enum": [verdict.value for verdict in Verdict]}
    result["verdict"] = definitions["Again"]["properties"]["verdict"] = verdicts
    result["level"] = {"enum": list(LEVELS)}
    result["overlay"] = {"enum": ["", *(overlay.value for overlay in Overlay)], "default": ""}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of a result file of httplib-kit: the head first, then the results",
        "oneOf": [{"$ref": "#/$defs/RunHead"}, {"$ref": "#/$defs/Result"}],
        "$defs": {name: definitions[name] for name in sorted(definitions)},
    }


def schema_text() -> str:
    """Return the text of the schema file."""
    return json.dumps(results_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (fixtures_directory() / SCHEMA_FILE).write_text(schema_text(), encoding="utf-8")
