"""Expected values compared with observed ones.

The input is an `Expected` of a case and a value in the form of the driver protocol; the output is
whether they agree.

Strings are compared byte by byte. Their type counts only where the implementation runs on Python 3:
it must be `bytes` for a body and text for everything else, unless the case names the type. An
object of another class, such as a bytearray or a subclass, has neither type.
"""

import re
from dataclasses import dataclass
from typing import Any

from conformance.cases import (
    Containing,
    Expected,
    Items,
    Matching,
    ObjectOf,
    Octets,
    Pairs,
    Scalar,
    bytes_equal,
    fill,
)


@dataclass(frozen=True, slots=True)
class Matcher:
    """Compares values of one run.

    Args:
        host: the host of the server, which fills an `AddressHole` in expected bytes.
        port: its port.
        typed: whether bytes and text are distinguished.
        folded: whether the names of header fields are compared without regard to case.
        ordered: whether the order of the items of a list counts.
    """

    host: str
    port: int
    typed: bool
    folded: bool = False
    ordered: bool = True

    def matches(self, expected: Expected, seen: Any, usual: str = "") -> bool:
        """Return whether *seen* is what *expected* says; bytes without a type are *usual*."""
        match expected:
            case Octets():
                return self._octets(expected, seen, usual)
            case Scalar():
                number = _number(seen)
                return type(number) is type(expected.value) and number == expected.value
            case Items():
                return self._items(expected, seen, usual)
            case Pairs():
                return self._pairs(expected, seen, usual)
            case ObjectOf():
                return expected.name in _class_names(seen)
            case Containing():
                return expected.part in (_text(seen) or "")
            case Matching():
                return re.fullmatch(expected.pattern, _text(seen) or "", re.DOTALL) is not None

    def _octets(self, expected: Octets, seen: Any, usual: str) -> bool:
        text = _text(seen)
        if text is None:
            return False
        wanted = expected.type or usual
        if wanted and (seen.get("class") or (self.typed and seen["type"] != wanted)):
            return False
        if bytes_equal(expected.pieces, text, self.host, self.port):
            return True
        octets = fill(expected.pieces, self.host, self.port) if self.folded else b""
        return self.folded and text.lower() == octets.decode("latin-1").lower()

    def _items(self, expected: Items, seen: Any, usual: str) -> bool:
        items = _items(expected.type, seen)
        if items is not None and expected.type == "list" and not self.ordered:
            items = self._in_order(expected, items, usual)
        return (
            items is not None
            and len(items) == len(expected.items)
            and all(
                self.matches(one, other, usual)
                for one, other in zip(expected.items, items, strict=True)
            )
        )

    def _in_order(self, expected: Items, items: list[Any], usual: str) -> list[Any]:
        """Return *items*, reordered: each in the place of the expected item that it matches."""
        left, found = list(items), []
        for one in expected.items:
            match = next((item for item in left if self.matches(one, item, usual)), None)
            if match is not None:
                left.remove(match)
                found.append(match)
        return found + left

    def _pairs(self, expected: Pairs, seen: Any, usual: str) -> bool:
        if not isinstance(seen, dict) or seen.get("type") != "mapping":
            return False
        left = list(seen["value"])
        for key, value in expected.pairs:
            found = next(
                (
                    p
                    for p in left
                    if self.matches(key, p[0], usual) and self.matches(value, p[1], usual)
                ),
                None,
            )
            if found is None:
                return False
            left.remove(found)
        return not left


def _number(seen: Any) -> Any:
    """Return *seen*, or the whole number that it encodes where JSON could not represent it."""
    if isinstance(seen, dict) and seen.get("type") == "int":
        return int(str(seen["value"]), 16)
    return seen


def _text(seen: Any) -> str | None:
    if isinstance(seen, dict) and seen.get("type") in ("bytes", "text"):
        return str(seen["value"])
    return None


def _items(kind: str, seen: Any) -> list[Any] | None:
    if kind == "list":
        return seen if isinstance(seen, list) else None
    if isinstance(seen, dict) and seen.get("type") == "tuple":
        return list(seen["value"])
    return None


def _class_names(seen: Any) -> set[str]:
    if not isinstance(seen, dict) or seen.get("type") not in ("object", "class"):
        return set()
    return {str(name).rpartition(".")[2] for name in (seen["class"], *seen["bases"])}


def seen_text(seen: Any) -> str:
    """Return an observed value in readable form."""
    if isinstance(seen, list):
        return f"[{', '.join(seen_text(item) for item in seen)}]"
    if not isinstance(seen, dict):
        return repr(seen)
    match seen["type"]:
        case "bytes" | "text":
            value = str(seen["value"])
            text = repr(value) if len(value) <= 200 else f"<{len(value)} bytes>"
            return f"{text} of the class {seen['class']}" if seen.get("class") else text
        case "tuple":
            return f"({', '.join(seen_text(item) for item in seen['value'])})"
        case "mapping":
            inner = (f"{seen_text(key)}: {seen_text(value)}" for key, value in seen["value"])
            return f"{{{', '.join(inner)}}}"
        case "int":
            return f"0x{seen['value']}"
        case kind:
            return f"{'the class' if kind == 'class' else 'an object of class'} {seen['class']}"
