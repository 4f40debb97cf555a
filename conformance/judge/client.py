"""The client profile: what a client did with one response, compared with what it may do.

The input is the accepted results of one exchange and the driver's entry for it; the output is a
`Mismatch` or None. `session` makes the verdict.

A client accepts a response or rejects it. Only the parts of a response that the client's interface
gives to its users are compared: a client that offers no reason phrase is not wrong about it. An
exception that is not one of the client's own is a LEAK.

An answer that comes too late, or not at all, is a rejection of the category ``timeout``, no matter
whether the client's own timeout expired or the kit gave up: a timeout is as good as another
rejection where the response must be rejected, and a HANG where a response is there to be read.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.cases import (
    Accept,
    Expected,
    Fetch,
    Octets,
    Reject,
    bytes_equal,
    expected_text,
)
from conformance.judge.verdicts import Mismatch, Verdict

LEAK, TIMEOUT = "leak", "timeout"
NO_ANSWER = "NoAnswer"
"""The class of the error in place of an answer for which the kit has not waited longer."""
_FIELDS = ("status", "reason", "headers", "body")


EMPTY = "it takes a response, and reports neither its status nor its body"
"""What is wrong with a driver whose `response` has no part that could be compared."""


def is_empty(value: Any) -> bool:
    """Return whether *value* is a response without any part that could be compared."""
    if not isinstance(value, dict) or value.get("type") != "response":
        return False
    return value.get("status") is None and value.get("body") is None


def late_entry(name: str, reason: str) -> dict[str, Any]:
    """Return the entry of the trace for an exchange that the client has not ended in time.

    Args:
        name: the id of the exchange.
        reason: what the kit did.
    """
    error = {"class": NO_ANSWER, "bases": [], "attributes": {}, "message": reason}
    return {"id": name, "error": {**error, "category": TIMEOUT}}


def is_late(entry: Mapping[str, Any]) -> bool:
    """Return whether *entry* stands for an answer that has not come in time."""
    return bool(entry.get("error", {}).get("class") == NO_ANSWER)


def difference(
    fetch: Fetch, name: str, entry: Mapping[str, Any], error_map: Mapping[str, str]
) -> Mismatch | None:
    """Return how *entry* differs from what *fetch* accepts; None where it does not.

    Args:
        fetch: what the client may do with the response.
        name: the id of the exchange.
        entry: what it did.
        error_map: native exception names to categories.
    """
    if "error" in entry:
        return _refusal_difference(fetch, name, entry["error"], error_map)
    accepts = [result for result in fetch.results if isinstance(result, Accept)]
    value = entry.get("value")
    if not isinstance(value, dict) or value.get("type") != "response":
        return _mismatch(Verdict.WRONG_VALUE, fetch, name, "no response")
    if not accepts:
        return _mismatch(Verdict.NO_ERROR, fetch, name, response_text(value))
    misses = [_first_difference(one, value) for one in accepts]
    if None in misses:
        return None
    # The nearest accepted response is the one whose first difference comes last.
    where, wanted, seen = max(
        (miss for miss in misses if miss is not None), key=lambda miss: _FIELDS.index(miss[0])
    )
    text = response_text(value) + (f", {seen}" if where == "headers" else "")
    return Mismatch(Verdict.WRONG_VALUE, name, _FIELDS.index(where), wanted, text)


def _refusal_difference(
    fetch: Fetch, name: str, error: Mapping[str, Any], error_map: Mapping[str, str]
) -> Mismatch | None:
    category, seen = error_category(error, error_map), error_text(error, error_map)
    rejects = [result for result in fetch.results if isinstance(result, Reject)]
    if category == LEAK:
        return _mismatch(Verdict.LEAK, fetch, name, seen)
    if any(not one.categories or category in one.categories for one in rejects):
        return None
    if category == TIMEOUT and not rejects:
        return _mismatch(Verdict.HANG, fetch, name, seen)
    if rejects and not category:
        return None  # the driver reports no category, so there is nothing to compare
    verdict = Verdict.WRONG_ERROR if rejects else Verdict.FALSE_ERROR
    return _mismatch(verdict, fetch, name, seen)


def _mismatch(verdict: Verdict, fetch: Fetch, where: str, seen: str) -> Mismatch:
    return Mismatch(verdict, where, 0, result_text(fetch.results[0]), seen)


def _first_difference(wanted: Accept, seen: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Return the first part of the response that is not as *wanted*, and both as text."""
    for part, expected, found in _told(wanted, seen):
        if expected != found:
            return part, _part_text(part, expected), _part_text(part, found)
    return None


def _told(wanted: Accept, seen: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield each part that *wanted* names and the client reports: its name, wanted, seen."""
    if wanted.status is not None and seen.get("status") is not None:
        yield "status", wanted.status, seen["status"]
    for part in ("reason", "body"):
        expected = getattr(wanted, part)
        if part == "body" and seen.get("headers") is not None:
            yield from _fields(wanted.headers, seen["headers"])
        if expected is not None and seen.get(part) is not None:
            found = str(seen[part])
            yield part, expected, expected if bytes_equal(expected.pieces, found) else found


def _fields(
    wanted: Mapping[str, Expected], seen: list[tuple[str, str]]
) -> Iterator[tuple[str, Any, Any]]:
    given: dict[str, list[str]] = {}
    for name, value in seen:
        given.setdefault(str(name).lower(), []).append(str(value))
    for name, expected in wanted.items():
        found = ", ".join(given[name]) if name in given else None
        fits = found is not None and _fits(expected, found)
        yield "headers", (name, expected), (name, expected if fits else found)


def _fits(expected: Expected, found: str) -> bool:
    if isinstance(expected, Octets):
        return bytes_equal(expected.pieces, found)
    return re.fullmatch(getattr(expected, "pattern", ""), found, re.DOTALL) is not None


def did_in(trace: Sequence[Mapping[str, Any]]) -> str:
    """Return what the client did in each exchange of *trace*."""
    if len(trace) == 1:
        return did_of(trace[0])
    return "; ".join(f"{entry['id']} {did_of(entry)}" for entry in trace)


def did_of(entry: Mapping[str, Any], error_map: Mapping[str, str] | None = None) -> str:
    """Return what the client did, in one or two words: ``accepts``, or ``rejects`` and why."""
    if "error" not in entry:
        return "not done" if entry.get("skipped") else "accepts"
    category = error_category(entry["error"], error_map or {})
    return f"rejects ({category})" if category else "rejects"


def error_category(error: Mapping[str, Any], error_map: Mapping[str, str]) -> str:
    """Return the category of *error*: from *error_map*, else as the driver reports it, or empty.

    A key of the map is the qualified name of the class or of one of its bases.
    """
    natives = [str(error.get("class", "")), *map(str, error.get("bases", ()))]
    mapped = next((error_map[native] for native in natives if native in error_map), None)
    return mapped if mapped is not None else str(error.get("category", ""))


def error_text(error: Mapping[str, Any], error_map: Mapping[str, str] | None = None) -> str:
    """Return a refusal in readable form, its category first."""
    category = error_category(error, error_map or {})
    text = ": ".join(str(error[key]) for key in ("class", "message") if error.get(key))
    return f"rejects ({category or 'no category'}): {text}".removesuffix(": ")


def response_text(value: Mapping[str, Any]) -> str:
    """Return a response that a driver reported in readable form."""
    parts = [
        _part_text(part, value[part])
        for part in ("status", "reason", "body")
        if value.get(part) is not None
    ]
    return "accepts " + ", ".join(parts) if parts else "accepts"


def result_text(result: Accept | Reject) -> str:
    """Return an expected result in readable form."""
    if isinstance(result, Reject):
        return "rejects" + (f" ({' or '.join(result.categories)})" if result.categories else "")
    parts = [
        _part_text(part, getattr(result, part))
        for part in ("status", "reason", "body")
        if getattr(result, part) is not None
    ]
    parts[-1:-1] = [_part_text("headers", pair) for pair in result.headers.items()]
    return "accepts " + ", ".join(parts) if parts else "accepts"


def _part_text(part: str, value: Any) -> str:
    if part == "headers":
        name, content = value
        if content is None:
            return f"no field {name}"
        text = content if isinstance(content, str) else expected_text(content)
        return f"{name}: {text}"
    if isinstance(value, Octets):
        value = expected_text(value)
    elif isinstance(value, str):
        value = repr(value) if len(value) <= 200 else f"<{len(value)} bytes>"
    if part == "body":  # bytes, which are no letters
        value = value.encode("ascii", "backslashreplace").decode()
    return f"{part} {value}"
