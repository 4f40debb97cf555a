"""Plays the steps that read and check.

In comes a session and a step, out come its events: what was read, and where the client did
otherwise than it should. A wait that comes to nothing ends in one of the endings.
"""

from collections.abc import Callable

from mockserver import _control as control
from mockserver._endings import Ended, EndOfStream, PeerReset
from mockserver._expect import differences
from mockserver._request import read_request as read_one_request
from mockserver._session import Session


def read_request(session: Session, step: control.ReadRequest) -> None:
    """Read one request."""
    whole = session.bare_request(step.limit)
    if whole is not None:
        session.took_request(whole)
        session.whole = True
    else:
        _take_request(session, step.limit, always if step.body == "framed" else _never)


def always(_: bytes) -> bool:
    """Whether to read a body: whatever the head is."""
    return True


def _never(_: bytes) -> bool:
    return False


def take_request(session: Session, limit: int, with_body: Callable[[bytes], bool]) -> None:
    """Read a request and note it.

    Args:
        session: The connection.
        limit: How many octets to read at most.
        with_body: Whether to read the body that a head announces.
    """
    whole = session.bare_request(limit)
    if whole is not None:
        with_body(whole)
        session.took_request(whole)
        session.whole = True
    else:
        _take_request(session, limit, with_body)


def _take_request(session: Session, limit: int, with_body: Callable[[bytes], bool]) -> None:
    reads_body = False

    def framed(head: bytes) -> bool:
        nonlocal reads_body
        reads_body = with_body(head)
        return reads_body

    session.whole = False
    try:
        oddity = read_one_request(session.inbox, limit, framed)
    finally:
        if raw := session.inbox.take():
            session.took_request(raw)
    if oddity:
        session.note(oddity)
    # After a CONNECT come bytes for the other end.
    session.whole = reads_body and not oddity and not raw.startswith(b"CONNECT ")


def read(session: Session, step: control.Read) -> None:
    """Read so many octets."""
    _take(session, lambda: session.inbox.exactly(step.n))


def read_until(session: Session, step: control.ReadUntil) -> None:
    """Read through a marker."""
    _take(session, lambda: session.inbox.through(step.marker))


def _take(session: Session, read: Callable[[], object]) -> None:
    session.whole = False
    session.inbox.start()
    try:
        read()
    finally:
        session.took(session.inbox.take(), "data")


def read_eof(session: Session, _: control.ReadEof) -> None:
    """Read to the end of the client's stream."""
    _until_end(session)
    session.took(_all(session), "data")
    session.note(EndOfStream.note)


def _until_end(session: Session) -> None:
    while not session.stream_over:
        try:
            session.inbox.start()
            session.inbox.exactly(len(session.buffer) + 1)
        except EndOfStream:
            return


def _all(session: Session) -> bytes:
    session.inbox.start()
    session.inbox.exactly(len(session.buffer))
    return session.inbox.take()


def expect_eof(session: Session, _: control.ExpectEof) -> None:
    """Wait for the client's next move, which must be its end of stream."""
    _next_end(session, EndOfStream)


def expect_reset(session: Session, _: control.ExpectReset) -> None:
    """Wait for the client's next move, which must be a reset."""
    _next_end(session, PeerReset)


def _next_end(session: Session, wanted: type[Ended]) -> None:
    """Wait for the client's next move, which must be the wanted ending."""
    session.inbox.start()
    try:
        session.inbox.exactly(1)
    except (EndOfStream, PeerReset) as ending:
        session.stream_over = True
        session.note(ending.note)
        if not isinstance(ending, wanted):
            session.problem(f"{ending.note}; expected that {wanted.note}")
    else:
        session.problem(f"the client sent octets; expected that {wanted.note}")


def expect_no_bytes(session: Session, _: control.ExpectNoBytes) -> None:
    """Wait, as long as it takes, for nothing but the client's end."""
    data = bytes(session.buffer)
    try:
        if not (data or session.stream_over):
            data = session.channel.read(patient=False)
    except PeerReset as ending:
        session.note(ending.note)
    if data:
        session.buffer[:] = data
        session.problem("the client sent octets; expected none")
    else:
        session.stream_over = True


def expect(session: Session, step: control.Expect) -> None:
    """Compare the request that was read last."""
    stage, is_first = session.stage, session.request_count == 1
    for difference in differences(step, session.last_request, is_first, stage.address_text):
        session.note(f"expected otherwise: {difference}")
        session.problem(difference)
