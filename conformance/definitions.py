"""JSON Schema definitions of typed tables and messages, equal on every Python.

The input is types that msgspec decodes.  The output is the definition of each, by its name.  A
description is the docstring without its indentation, which Python 3.13 removes itself and earlier
versions keep.
"""

import inspect
from collections.abc import Iterable
from typing import Any

import msgspec


def definitions_of(types: Iterable[Any]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of each of *types*, and of what they refer to."""
    _, definitions = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    for definition in definitions.values():
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])
    return definitions
