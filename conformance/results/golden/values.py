"""Encodes observed values in the short form of golden records, and decodes them.

The input is values in the form of the driver protocol.  The output is JSON values that are short
where a value can be predicted, and from which the same value is restored.

A bare string is bytes of the usual type at its place: the only string type in Python 2; in Python
3, bytes for what was read and text for all else.  So both are written the same where both do the
same.  Bytes with a pattern are written as in a case file, with `repeat` and `times`; longer ones
without a pattern are written as a digest, from which the bytes cannot be restored.
"""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.cases import LONG, in_parts

_BUILT_IN = ("builtins.", "exceptions.", "__builtin__.")
OWN = "~."
"""Stands for the name of the implementation's module before the name of a class."""
_STRINGS = ("bytes", "text")


@dataclass(frozen=True, slots=True)
class Values:
    """Encoder and decoder for one implementation.

    Args:
        module: its import name, which precedes the names of its classes.
        typed: whether bytes and text are two types.
        classes: the bases of each class, by its short name; `short` adds to it, `full` reads it.
    """

    module: str
    typed: bool
    classes: dict[str, list[str]]

    def short(self, value: Any, usual: str) -> Any:
        """Return the short form of *value*; in it, a bare string is of type *usual*."""
        if isinstance(value, list):
            return [self.short(item, usual) for item in value]
        if not isinstance(value, dict):
            return value
        kind = value.get("type")
        if kind in _STRINGS:
            encoded = shortened(value["value"])
            bare = isinstance(encoded, str) and kind == self._usual(usual)
            return encoded if bare else {kind: encoded}
        if kind in ("tuple", "mapping"):
            return {kind: self.short(value["value"], usual)}
        if kind in ("class", "object"):
            return {kind: self.short_class(value)}
        return {"is": value}

    def full(self, encoded: Any, usual: str) -> Any:
        """Return the value of which *encoded* is the short form."""
        if isinstance(encoded, str):
            return {"type": self._usual(usual), "value": encoded}
        if isinstance(encoded, list):
            return [self.full(item, usual) for item in encoded]
        if not isinstance(encoded, dict):
            return encoded
        ((kind, inner),) = encoded.items()
        if kind in _STRINGS:
            return {"type": kind, "value": lengthened(inner)}
        if kind in ("tuple", "mapping"):
            return {"type": kind, "value": self.full(inner, usual)}
        if kind in ("class", "object"):
            return {"type": kind, **self.full_class(inner)}
        return inner

    def short_class(self, facts: Mapping[str, Any]) -> str:
        """Return the short name of the class in *facts*, and store its bases."""
        name = self.short_name(facts["class"])
        self.classes[name] = [self.short_name(base) for base in facts["bases"]]
        return name

    def full_class(self, name: str) -> dict[str, Any]:
        """Return the names of the class called *name* and of its bases."""
        bases = [self.full_name(base) for base in self.classes.get(name, ())]
        return {"class": self.full_name(name), "bases": bases}

    def short_name(self, native: str) -> str:
        """Return the name of a class without the name of its module."""
        for module, short in ((f"{self.module}.", OWN), *((one, "") for one in _BUILT_IN)):
            if native.startswith(module):
                return short + native.removeprefix(module)
        return native if "." in native else f".{native}"

    def full_name(self, short: str) -> str:
        """Return the qualified name that *short* abbreviates."""
        if short.startswith(OWN):
            return f"{self.module}.{short.removeprefix(OWN)}"
        if short.startswith("."):
            return short[1:]
        built_in = "builtins" if self.typed else "exceptions"
        return short if "." in short else f"{built_in}.{short}"

    def _usual(self, usual: str) -> str:
        return usual if self.typed else "bytes"


def shortened(text: str) -> Any:
    """Return *text*, or its abbreviation if it is long."""
    if len(text) <= LONG:
        return text
    parts = in_parts(text)
    if parts is not None:
        return parts
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return [text[:40], {"sha256": digest[:32], "length": len(text)}]


def lengthened(encoded: Any) -> str:
    """Return the text that *encoded* abbreviates; for a digest, the beginning and the note."""
    if isinstance(encoded, str):
        return encoded
    return _joined(
        tuple(
            part
            if isinstance(part, str)
            else (part["repeat"], part["times"])
            if "repeat" in part
            else f"? {part['length']} bytes, sha256 {part['sha256']}"
            for part in encoded
        )
    )


@functools.lru_cache(maxsize=8)
def _joined(parts: tuple[str | tuple[str, int], ...]) -> str:
    """Return the text; a hundred clients that read one body of 20 MB share it."""
    return "".join(part if isinstance(part, str) else part[0] * part[1] for part in parts)
