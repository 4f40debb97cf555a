"""Sweeps: the same case with one dimension of its execution varied.

The input is a case and the name of a sweep. The output is the case itself, and the cases that
differ from it in one or more dimensions.

=============  ===================================================================================
dimension      values
=============  ===================================================================================
`cut`          ``whole``: each step's bytes in one write; ``bytes``: one byte a segment;
               ``steps``: the client has received each step's bytes before the next step is played
`read_style`   ``read()``; ``read(1)``, ``read(7)`` and ``read(amt)``: reads of this many bytes
               (*amt*: more than the body has) until nothing is returned; they replace only a
               ``read`` without arguments
`end`          ``fin``, ``rst``, ``open``: how the server ends a connection that the script closes
               with a FIN
`reuse`        ``fresh``; ``kept``: the case as the second exchange on its first connection (see
               `reuse`)
=============  ===================================================================================

The runner does not treat swept cases differently: each is an ordinary case with a setting.
"""

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TypeVar

from conformance.cases.model import Case, Op
from conformance.cases.reuse import can_be_second, on_a_kept_connection
from mockserver import (
    Close,
    Connection,
    Drain,
    Dribble,
    Reply,
    Route,
    Step,
    Tunnel,
    WritingStep,
    pieces_of,
)

P = TypeVar("P", Connection, Route)
Sweep = Literal["none", "each", "product"]

DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "cut": ("whole", "bytes", "steps"),
    "read_style": ("read()", "read(1)", "read(7)", "read(amt)"),
    "end": ("fin", "rst", "open"),
    "reuse": ("fresh", "kept"),
}
_AMOUNTS = {"read(1)": 1, "read(7)": 7, "read(amt)": 1 << 20}
# One byte a segment costs about 50 µs a byte, so a longer body is not cut.
_LONGEST_DRIBBLE = 2_000


def swept(case: Case, sweep: Sweep) -> Iterator[Case]:
    """Yield *case* and its variations.

    Args:
        case: a case without a setting.
        sweep: ``none`` yields only the case, ``each`` varies one dimension at a time, ``product``
            yields every combination.
    """
    yield case
    if sweep == "none":
        return
    variations = {dimension: _variations(case, dimension) for dimension in DIMENSIONS}
    if sweep == "each":
        for dimension, made in variations.items():
            for value, varied in made.items():
                yield dataclasses.replace(varied, setting={dimension: value})
        return
    choices = [
        [(dimension, value) for value in ("", *made)] for dimension, made in variations.items()
    ]
    for combination in itertools.product(*choices):
        setting = {dimension: value for dimension, value in combination if value}
        if setting:
            yield with_setting(case, setting)


def swept_count(case: Case, sweep: Sweep) -> int:
    """Return how many cases `swept` yields, without building them."""
    counts = [len(_values(case, dimension)) for dimension in DIMENSIONS]
    if sweep == "product":
        return math.prod(1 + count for count in counts)
    return 1 + sum(counts) if sweep == "each" else 1


def with_setting(case: Case, setting: Mapping[str, str]) -> Case:
    """Return *case*, which has no setting, with the setting *setting*."""
    for dimension, value in setting.items():
        case = _VARY[dimension](case, value)
    return dataclasses.replace(case, setting=dict(setting)) if setting else case


def _variations(case: Case, dimension: str) -> dict[str, Case]:
    """Return the variation of *case* for each allowed *dimension* value that changes the case."""
    return {value: _VARY[dimension](case, value) for value in _values(case, dimension)}


def _values(case: Case, dimension: str) -> list[str]:
    """Return the allowed values of *dimension* that change *case*."""
    if not _APPLIES[dimension](case):
        return []
    allowed = getattr(case.sweep, dimension)
    return [value for value in DIMENSIONS[dimension][1:] if allowed is None or value in allowed]


def _parts(case: Case) -> tuple[Connection | Route, ...]:
    return (*case.script.connections, *case.script.routes)


def _writes(case: Case) -> bool:
    return any(_written(step) for part in _parts(case) for step in part.steps)


def _reads_all(case: Case) -> bool:
    return any(map(_is_plain_read, case.ops))


def _ends_with_fin(case: Case) -> bool:
    return any(part.steps[-1:] == (Close(how="fin"),) for part in _parts(case))


def _vary_cut(case: Case, value: str) -> Case:
    def cut(steps: tuple[Step, ...]) -> Iterator[Step]:
        for step in steps:
            octets = _written(step)
            if not octets:
                yield step
            elif value == "bytes" and len(octets) <= _LONGEST_DRIBBLE:
                yield Dribble(data=octets, size=1)
            else:
                yield step
                yield Drain()

    return _with_steps(case, lambda steps: tuple(cut(steps)))


def _written(step: Step) -> bytes:
    """Return the bytes that *step* writes; empty if it does something else as well.

    Only the first bytes are made if there are too many to send one byte a segment.
    """
    octets = b""
    if isinstance(step, WritingStep) and not _does_more(step):
        for piece in pieces_of(step):
            octets += piece.data
            if len(octets) > _LONGEST_DRIBBLE:
                break
    return octets


def _does_more(step: WritingStep) -> bool:
    """Return whether *step* also reads, closes or waits; such a step is left unchanged."""
    more = isinstance(step, Reply) and (step.framing == "close" or step.delay > 0)
    return more or isinstance(step, Dribble | Tunnel)


def _vary_read_style(case: Case, value: str) -> Case:
    return dataclasses.replace(
        case,
        ops=tuple(
            Op(op.id, {**op.message, "repeat": _AMOUNTS[value]}) if _is_plain_read(op) else op
            for op in case.ops
        ),
    )


def _is_plain_read(op: Op) -> bool:
    return op.message.get("call") == "read" and not op.message["args"] and not op.message["kwargs"]


def _vary_end(case: Case, value: str) -> Case:
    def end(steps: tuple[Step, ...]) -> tuple[Step, ...]:
        if not steps or steps[-1] != Close(how="fin"):
            return steps
        # A reset discards what the client has not received, so drain before it.
        return steps[:-1] if value == "open" else (*steps[:-1], Drain(), Close(how="rst"))

    return _with_steps(case, end)


def _with_steps(case: Case, change: Callable[[tuple[Step, ...]], tuple[Step, ...]]) -> Case:
    def changed(parts: tuple[P, ...]) -> tuple[P, ...]:
        return tuple(dataclasses.replace(part, steps=change(part.steps)) for part in parts)

    script = case.script
    varied = dataclasses.replace(
        script, connections=changed(script.connections), routes=changed(script.routes)
    )
    return dataclasses.replace(case, script=varied)


_APPLIES: Mapping[str, Callable[[Case], bool]] = {
    "cut": _writes,
    "read_style": _reads_all,
    "end": _ends_with_fin,
    "reuse": can_be_second,
}
_VARY: Mapping[str, Callable[[Case, str], Case]] = {
    "cut": _vary_cut,
    "read_style": _vary_read_style,
    "end": _vary_end,
    "reuse": lambda case, _: on_a_kept_connection(case),
}
