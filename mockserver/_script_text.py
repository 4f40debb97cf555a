"""A script as text: as Python, or as the keys of a case file in TOML.

In comes a script, out comes text that makes the same script again. Only what differs from a default
is written. Bytes are written in lines as they are on the wire, so that a difference between two
recordings is a difference of lines.
"""

import base64
import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from mockserver._script import Connection, Listener, Route, Script
from mockserver._step import Recipe, ScriptError, Step

_LINE = re.compile(rb"[^\n]{0,72}\n|[^\n]{1,72}")
_TEXT = re.compile(rb"[\t\r\n\x20-\x7e]*\Z")
_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_INDENT = "    "


def script_text(script: Script, form: Literal["python", "toml"] = "python") -> str:
    """A script as text.

    Args:
        script: What `script`, `script_from` or `routes_from` returns.
        form: `python` for a module that defines `recorded`; `toml` for keys of a case file.

    Raises:
        ScriptError: The form has no words for a part of it, for instance for a function.
    """
    if form not in ("python", "toml"):
        raise ScriptError(f"script_text: form must be 'python' or 'toml', not {form!r}")
    if form == "toml":
        return "".join(_toml_lists(script))
    parts: list[Connection | Route] = [*script.connections, *script.routes]
    made = [step for part in parts for step in part.steps]
    names = {"script", *(type(one).__name__ for one in made), *map(_maker, parts)}
    lines = [f"{_INDENT}{line}" for one in parts for line in _python_call(one, _maker(one))]
    if script.listener != Listener():
        names.add("Listener")
        lines.append(f"{_INDENT}listener={script.listener!r},")
    if script.routes and script.unmatched != "reply":
        lines.append(f"{_INDENT}unmatched={script.unmatched!r},")
    head = [f"from mockserver import {', '.join(sorted(names))}", "", "recorded = script("]
    if not script.obliging:
        head.insert(0, "from dataclasses import replace\n")
        lines.append(")\nrecorded = replace(recorded, obliging=False")
    return "\n".join((*head, *lines, ")", ""))


def _maker(part: Connection | Route) -> str:
    """The function that makes a part of a script."""
    return type(part).__name__.lower()


def _changed(value: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a step, or of a part of a script, that differ from their defaults."""
    for field in dataclasses.fields(value):
        given = getattr(value, field.name)
        if field.name != "steps" and given is not field.default and given != field.default:
            yield field.name, given


def _unlisted(step: Step) -> ScriptError:
    return ScriptError(f"script_text: there are no words for {step.step_name}")


# ---------------------------------------------------------------------------- Python


def _python_call(value: Any, name: str) -> Iterator[str]:
    """The lines of a call that makes a value."""
    primary = getattr(value, "primary", None)
    inner = [line for step in getattr(value, "steps", ()) for line in _python_step(step)]
    for field, given in _changed(value):
        first, *others = _python_value(given)
        inner += [first if field == primary else f"{field}={first}", *others]
        inner[-1] += ","
    short = f"{name}({' '.join(inner).rstrip(',')}),"
    if len(inner) < 3 and len(short) < 80:
        yield short
        return
    yield f"{name}("
    yield from (f"{_INDENT}{line}" for line in inner)
    yield "),"


def _python_step(step: Step) -> Iterator[str]:
    if not step.listed:
        raise _unlisted(step)
    return _python_call(step, type(step).__name__)


def _python_value(value: Any) -> list[str]:
    data = bytes(value) if isinstance(value, Recipe) else value
    if not isinstance(data, bytes) or len(data) <= 40:
        return [repr(data)]
    return ["(", *(f"{_INDENT}{line!r}" for line in _LINE.findall(data)), ")"]


# ---------------------------------------------------------------------------- TOML


def script_tables(script: Script) -> dict[str, Any]:
    """A script as the keys of a case file, with what differs from a default; bytes stay bytes.

    Raises:
        ScriptError: The form has no words for a step.
    """
    listener = script.listener
    server = {
        "listener": (listener.mode, "accept"),
        "receive_buffer": (listener.receive_buffer, None),
        "unmatched": (script.unmatched, "reset"),
    }
    tables = {
        "server": {key: one for key, (one, usual) in server.items() if one != usual},
        "connections": [_part_table(one) for one in script.connections],
        "routes": [_part_table(one) for one in script.routes],
    }
    return {key: table for key, table in tables.items() if table}


def _part_table(part: Connection | Route) -> dict[str, Any]:
    return {**_fields(part), "steps": [_step_table(step) for step in part.steps]}


def _fields(value: Any) -> dict[str, Any]:
    """The changed fields; how often is `any`, where it is any number."""
    return {name: "any" if given is None else given for name, given in _changed(value)}


def _step_table(step: Step) -> dict[str, Any]:
    if not step.listed:
        raise _unlisted(step)
    fields = _fields(step)
    bare = fields.keys() == {step.primary}
    return {step.step_name: fields[step.primary] if bare and step.primary else fields}


def _toml_lists(script: Script) -> Iterator[str]:
    tables = script_tables(script)
    if "server" in tables:
        yield f"server = {_toml_value(tables['server'])}\n"
    for key in ("connections", "routes"):
        if key in tables:
            yield f"{key} = [\n"
            for part in tables[key]:
                steps = part.pop("steps")
                fields = "".join(f"{name} = {_toml_value(one)}, " for name, one in part.items())
                yield f"  {{ {fields}steps = [\n"
                yield from (f"    {_toml_value(step)},\n" for step in steps)
                yield "  ] },\n"
            yield "]\n"


def _toml_value(value: Any) -> str:
    if isinstance(value, Recipe):
        value = bytes(value)
    if isinstance(value, bytes):
        return _toml_bytes(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_toml_key(name)} = {_toml_value(one)}" for name, one in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml_value, value))}]"
    if isinstance(value, str | bool | int | float):
        return json.dumps(value)  # what is left is written alike in both
    raise ScriptError(f"script_text: TOML has no words for {value!r:.80}")


def _toml_key(name: str) -> str:
    return name if _BARE.match(name) else json.dumps(name)


def _toml_bytes(data: bytes) -> str:
    lines = [_toml_line(line) for line in _LINE.findall(data)]
    if len(lines) < 2:
        return "".join(lines) or '""'
    return "[\n" + "".join(f"      {line},\n" for line in lines) + "    ]"


def _toml_line(line: bytes) -> str:
    if _TEXT.match(line):
        return json.dumps(line.decode("ascii"))
    return f'{{ base64 = "{base64.b64encode(line).decode("ascii")}" }}'
