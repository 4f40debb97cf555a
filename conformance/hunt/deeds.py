"""What an implementation did with a response, in a form in which two can be compared.

The input is a case, and what a run of it resulted in.  The output is a `Deed` for each call, or for
each part of the response that a client reports.  Bytes and text are the same here, exceptions have
the names that the corpus uses for them, and the order of fields does not matter: what is left
differs in more than form.
"""

import re
from collections.abc import Mapping, Sequence
from string import whitespace
from typing import Any, NamedTuple

from conformance.cases import Case
from conformance.judge import Observation, Verdict, did_of, error_names
from conformance.results import Result

_COMPARED = {"IncompleteRead": ("partial", "expected"), "BadStatusLine": ("line",)}
_UNORDERED = frozenset({"getheaders", "keys", "items", "values"})
_PARTS = ("status", "reason", "headers", "body")
_ENDED = {Verdict.HANG: "hangs", Verdict.CRASH: "crashes"}

_COMMA = re.compile(r"(?a:\s*,\s*)")

Fact = Any


class Deed(NamedTuple):
    """What one call resulted in.

    Args:
        kind: in one or two words: ``a value``, ``raises IncompleteRead``, ``rejects``, ``hangs``.
        detail: what is compared as well: the value, or the attributes of the error.
    """

    kind: str
    detail: Fact = None


def deeds_of(case: Case, result: Result, seen: Observation | None) -> dict[str, Deed]:
    """Return what was done in each call of *case*, by its text; the last one may not have ended.

    Args:
        case: the case, of one exchange.
        result: the result of its run.
        seen: what was observed; None if it did not end, or was not run.
    """
    verdict = Verdict(result.verdict)
    if verdict in _ENDED:
        return {result.call or "the exchange": Deed(_ENDED[verdict])}
    if seen is None:
        return {}
    if "fetch" in seen.trace:
        return _of_client(seen.trace["fetch"])
    return {op.text: _of_call(op.message, seen.trace[op.id]) for op in case.ops}


def _of_client(entry: Mapping[str, Any]) -> dict[str, Deed]:
    if "error" in entry:
        leaks = did_of(entry) == "rejects (leak)"
        return {"fetch": Deed(f"leaks {entry['error']['class']}" if leaks else "rejects")}
    value = entry.get("value")
    given = value if isinstance(value, dict) else {}
    parts = {part: given[part] for part in _PARTS if given.get(part) is not None}
    if "headers" in parts:
        parts["headers"] = _fields(parts["headers"])
    return {"fetch": Deed("accepts"), **{name: Deed("a value", one) for name, one in parts.items()}}


def _of_call(op: Mapping[str, Any], entry: Mapping[str, Any]) -> Deed:
    value = entry.get("value")
    if isinstance(value, dict) and value.get("type") in ("class", "object"):
        return Deed("a value")  # each implementation has classes of its own
    if op.get("call") == "getheaders" and isinstance(value, list):
        return Deed("a value", _fields(_plain(value)))
    found = fact(op, entry)
    if isinstance(found, tuple):
        _, name, detail = found
        return Deed(f"raises {name}", detail)
    return Deed("skipped") if found == "skipped" else Deed("a value", found)


def _fields(pairs: Sequence[Sequence[Any]]) -> tuple[tuple[str, str], ...]:
    """Return fields in one form: names in lower case, the values of each joined, in order.

    Some implementations have joined them already, with blanks after the comma or without.
    """
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(str(name).lower(), []).append(str(value))
    joined = {
        name: _COMMA.sub(", ", ",".join(values)).strip(whitespace) for name, values in found.items()
    }
    return tuple(sorted(joined.items()))


def fact(op: Mapping[str, Any], entry: Mapping[str, Any]) -> Fact:
    """Return what a call of httplib's interface resulted in: a value, an error, or ``skipped``.

    Args:
        op: the call, in the form of the driver protocol.
        entry: its entry in the trace.
    """
    if "error" in entry:
        return _error(entry["error"])
    if entry.get("skipped"):
        return "skipped"
    value = _plain(entry["value"])
    return sorted(value, key=repr) if op.get("call") in _UNORDERED else value


def _error(error: Mapping[str, Any]) -> Fact:
    names = error_names(error, {})
    name = names[0] if names else str(error["class"])
    if name == "OSError" and "TimeoutError" in names:
        name = "TimeoutError"
    plain = {key: _plain(error["attributes"].get(key)) for key in _COMPARED.get(name, ())}
    return ("raised", name, tuple(plain.items()))


def _plain(value: Any) -> Any:
    """Return a value in which bytes and text are the same, and objects are their class."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, dict):
        return value
    if value["type"] in ("bytes", "text"):
        return value["value"]
    if value["type"] in ("tuple", "mapping"):
        return [_plain(item) for item in value["value"]]
    if value["type"] in ("class", "object"):
        return str(value["class"]).rpartition(".")[2]
    return value
