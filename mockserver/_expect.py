"""Compares a request with what a script expected; a pure function.

In comes a raw request, out come the differences, each in a sentence.
"""

from collections.abc import Iterator

from mockserver._control import ADDRESS, Expect
from mockserver._request import RequestParts, request_parts


def differences(step: Expect, raw: bytes, is_first: bool, address: bytes) -> list[str]:
    """How a request differs from what a step expects.

    Args:
        step: What is expected.
        raw: The request.
        is_first: Whether it is the first of its connection.
        address: What stands for `ADDRESS`.
    """
    parts = request_parts(raw)
    wanted_raw = None if step.raw is None else step.raw.replace(ADDRESS, address)
    wanted_connection = None if step.connection == "any" else step.connection
    seen_connection = "new" if is_first else "same"
    compared = (
        ("the method", parts.method, step.method),
        ("the target", parts.target, step.target),
        ("the body", parts.body, step.body),
        ("the request", raw, wanted_raw),
        ("the connection", seen_connection, wanted_connection),
    )
    found = [
        f"{what} is {seen!r}, expected {wanted!r}"
        for what, seen, wanted in compared
        if wanted is not None and seen != wanted
    ]
    return [*found, *_field_differences(step, parts, address)]


def _field_differences(step: Expect, parts: RequestParts, address: bytes) -> Iterator[str]:
    for name, wanted in step.headers:
        value = wanted.replace(ADDRESS, address)
        if value not in (values := parts.values(name)):
            yield f"field {name!r} has {values!r}, expected {value!r}"
    for absent in step.absent:
        if values := parts.values(absent.encode("latin-1")):
            yield f"field {absent!r} has {values!r}, expected none"
