"""The four faults that WireMock made known, by its names, as steps.

In comes a name, out come the steps that do the same on the wire; each stands behind the step that
reads the request. `FAULTS` has them by the names that WireMock users look for.
"""

from collections.abc import Callable

from mockserver._control import Close
from mockserver._step import Step
from mockserver._writing import EndHeaders, Garbage, Header, StatusLine

_NOISE = 256
"""Octets of noise; with the fixed seed they hold no status line and no chunk-size line."""


def empty_response() -> tuple[Step, ...]:
    """`EMPTY_RESPONSE`: the connection ends in order, and nothing was said: `close fin`."""
    return (Close("fin"),)


def malformed_response_chunk() -> tuple[Step, ...]:
    """`MALFORMED_RESPONSE_CHUNK`: a good head, noise, the end.

    A status line 200, `Transfer-Encoding: chunked`, the blank line, `garbage`, `close fin`.
    """
    coding = Header(b"Transfer-Encoding", b"chunked")
    return (StatusLine(), coding, EndHeaders(), Garbage(_NOISE), Close("fin"))


def random_data_then_close() -> tuple[Step, ...]:
    """`RANDOM_DATA_THEN_CLOSE`: noise in place of a response: `garbage`, `close fin`."""
    return (Garbage(_NOISE), Close("fin"))


def connection_reset_by_peer() -> tuple[Step, ...]:
    """`CONNECTION_RESET_BY_PEER`: a reset in place of a response: `close rst`."""
    return (Close("rst"),)


FAULTS: dict[str, Callable[[], tuple[Step, ...]]] = {
    "EMPTY_RESPONSE": empty_response,
    "MALFORMED_RESPONSE_CHUNK": malformed_response_chunk,
    "RANDOM_DATA_THEN_CLOSE": random_data_then_close,
    "CONNECTION_RESET_BY_PEER": connection_reset_by_peer,
}
"""The builders by WireMock's names."""
