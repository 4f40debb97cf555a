"""What the steps that read have in common: a request, so many bytes, the client's end.

In comes a connection, out come its events: what was read, and where the client did otherwise than
it should. A wait that leads to nothing ends in one of the endings.
"""

from collections.abc import Callable

from mockserver._connection import LiveConnection
from mockserver._phase import Ended, EndOfStream, PeerReset
from mockserver._request import read_request


def always(_: bytes) -> bool:
    """Whether to read a body: whatever the head is."""
    return True


def never(_: bytes) -> bool:
    """Whether to read a body: in no case."""
    return False


def take_request(
    connection: LiveConnection, limit: int, with_body: Callable[[bytes], bool]
) -> None:
    """Read a request and note it.

    Args:
        connection: The connection.
        limit: How many bytes to read at most.
        with_body: Whether to read the body that a head announces.
    """
    bare = connection.bare_request(limit)
    if bare is not None:
        with_body(bare)
        connection.took_request(bare, True)
    else:
        take_framed(connection, limit, with_body)


def take_framed(connection: LiveConnection, limit: int, with_body: Callable[[bytes], bool]) -> None:
    """Read a request that may have a body, as `take_request` does."""
    reads_body = False

    def framed(head: bytes) -> bool:
        nonlocal reads_body
        # After a CONNECT come bytes for the other end.
        reads_body = with_body(head) and not head.startswith(b"CONNECT ")
        return reads_body

    oddity: str | None = "cut off"
    try:
        oddity = read_request(connection.inbox, limit, framed)
    finally:
        if raw := connection.inbox.take():
            connection.took_request(raw, reads_body and not oddity)
    if oddity:
        connection.note(oddity)


def take(connection: LiveConnection, read: Callable[[], object]) -> None:
    """Read off the inbox, and note what was read, also where it is cut off."""
    connection.request_is_whole = False
    connection.inbox.start()
    try:
        read()
    finally:
        connection.took(connection.inbox.take(), "data")


def take_all(connection: LiveConnection) -> None:
    """Read to the end of the client's stream."""
    inbox = connection.inbox
    try:
        while not connection.channel.client_ended:
            inbox.start()
            inbox.exactly(len(connection.buffer) + 1)
    except EndOfStream:
        pass
    inbox.start()
    inbox.exactly(len(connection.buffer))
    connection.took(inbox.take(), "data")
    connection.note(EndOfStream.note)


def await_end(connection: LiveConnection, expected: type[Ended]) -> None:
    """Wait for the client's next move, which must be the expected ending."""
    connection.inbox.start()
    try:
        connection.inbox.exactly(1)
    except (EndOfStream, PeerReset) as ending:
        connection.note(ending.note)
        if not isinstance(ending, expected):
            connection.problem(f"{ending.note}; expected that {expected.note}")
    else:
        connection.problem(f"the client sent bytes; expected that {expected.note}")


def await_silence(connection: LiveConnection) -> None:
    """Wait, as long as it takes, for nothing but the client's end."""
    data = bytes(connection.buffer)
    try:
        if not (data or connection.channel.client_ended):
            data = connection.channel.read(patient=False)
    except PeerReset as ending:
        connection.note(ending.note)
    if data:
        connection.buffer[:] = data
        connection.problem("the client sent bytes; expected none")
