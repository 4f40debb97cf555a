"""Keeps which ops a driver has performed, so that it cannot later report them as unsupported.

The input is the ops of cases with their entries.  The output is whether a similar op was performed,
and which names of the interface the implementation was found to lack.

Two ops are similar if name, kind and receiver are the same, and the kinds of the arguments too: a
driver may support `request` without supporting an open file as its body.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.cases import Op
from conformance.drivers import Trace

_Shape = tuple[str, ...]


class Performed:
    """The ops that were performed in any process of one driver; safe to share between threads.

    Only their shapes are kept: the ops themselves contain every body that a case sends.

    Attributes:
        lacking: the names of the interface that do not exist (`interface`).
        unable: the titles of the well-formed exchanges that were not completed.
    """

    def __init__(self) -> None:
        self.lacking: set[str] = set()
        self.unable: list[str] = []
        self._shapes: set[_Shape] = set()
        self._latest: tuple[Op, ...] = ()

    def note(self, ops: tuple[Op, ...], trace: Trace) -> None:
        """Add *ops* with the entries of *trace*, none of which is unsupported."""
        if all("value" in entry for entry in trace):
            if ops is self._latest:  # the cases of a grid share them
                return
            self._latest = ops
            self._shapes.update(map(_shape, ops))
        else:
            done = zip(ops, trace, strict=True)
            self._shapes.update(_shape(op) for op, entry in done if "skipped" not in entry)

    def has(self, op: Op) -> bool:
        """Return whether an op similar to *op* was performed."""
        return _shape(op) in self._shapes


def _shape(op: Op) -> _Shape:
    message = op.message
    kind = next(kind for kind in ("call", "get", "set", "item") if kind in message)
    name = message[kind] if kind != "item" else ""
    given: Sequence[Any] = (
        *message.get("args", ()),
        *message.get("kwargs", {}).values(),
        *([message["value"]] if "value" in message else ()),
        *([message["item"]] if kind == "item" else ()),
    )
    keywords = sorted(message.get("kwargs", {}))
    repeated = ["repeat"] if "repeat" in message else []
    return (kind, str(name), str(message["on"]), *repeated, *keywords, *sorted(_kinds(given)))


def _kinds(values: Sequence[Any]) -> Iterator[str]:
    """Yield the kind of each argument, including those nested in others."""
    for value in values:
        if isinstance(value, dict):
            yield str(value["type"])
            value = value["value"] if isinstance(value["value"], list) else []
        if isinstance(value, list):
            yield from _kinds(value)
        else:
            yield type(value).__name__
