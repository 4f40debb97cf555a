"""What a driver and a server have reported: as an observation for the judge, and as texts.

Texts are bounded, and without what differs between runs.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

import msgspec

from conformance.cases import Case
from conformance.drivers import Trace
from conformance.judge import CONNECT, Observation, entry_text
from conformance.results import Kept, Result, kept_octets
from conformance.run.sent import recorded
from mockserver import Record

_LONGEST_ERROR = 200
"""Characters of the text of an error that are kept for a case that passes."""
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
"""A memory address in the text of an object, which differs between runs."""
_LONGEST_STORY = 64 * 1024
"""Characters of the transcript of a case that does not end: a longer one means an endless script.
"""


def asked_again(case: Case, record: Record) -> Iterator[str]:
    """Yield how many requests a client of another interface has sent, if more than one."""
    count = sum(not raw.startswith(CONNECT) for one in record.connections for raw in one.requests)
    if case.profile == "client" and case.fetch is not None and count > 1:
        yield f"it sent its request {count} times"


def errors_told(case: Case, trace: Trace) -> Iterator[str]:
    """Yield the text of each error in *trace*, bounded, and without what differs between runs."""
    for op, entry in zip(case.ops, trace, strict=True):
        if "error" in entry:
            text = _ADDRESS.sub("0x…", entry_text(entry))
            short = text if len(text) <= _LONGEST_ERROR else f"{text[: _LONGEST_ERROR - 1]}…"
            yield short if case.profile == "client" else f"{op.id}: {short}"


def with_wire(result: Result, record: Record) -> Result:
    """Return *result* with the transcript, unless its size differs between runs."""
    transcript = record.transcript()
    if len(transcript) > _LONGEST_STORY:
        return result
    return msgspec.structs.replace(result, transcript=transcript, octets=kept_of(recorded(record)))


def kept_of(sent: Iterable[bytes]) -> list[Kept]:
    """Return what results keep of the bytes that were sent on each connection."""
    return [kept_octets(one) for one in sent]


def observation_of(
    trace: Trace, record: Record, address: tuple[str, int], *, blind: bool = False
) -> Observation:
    """Return the observation in a driver's *trace* and a server's *record*.

    Args:
        trace: the entries that the driver reported.
        record: the record of the play.
        address: the address of the server.
        blind: whether the runtime reads sockets ahead of its program and closes them automatically,
            so that the record does not show what the client did with a connection.
    """
    host, port = address
    connections = record.connections
    if blind:
        connections = tuple(replace(one, after=None, left=None) for one in connections)
    return Observation(
        trace={entry["id"]: entry for entry in trace},
        host=host,
        port=port,
        connections=connections,
        unexpected=record.refused_extra,
        problems=record.problems,
        faults=record.errors,
    )
