"""Plays the faults of TLS: what a server says in place of a handshake, or wrongly behind one.

In comes a session, at its ClientHello or behind its handshake; out come octets on the wire that no
TLS library sends. Octets that are encrypted, or random, are told in notes, so that a transcript
stays the same from run to run.
"""

from collections.abc import Callable

from mockserver._endings import TLSBroken
from mockserver._secure import TlsFault
from mockserver._session import Session
from mockserver._step import Piece
from mockserver._tls import TLS

_HEADER = 5
_HANDSHAKE = 0x16
_ALERT = bytes.fromhex("15 03 03 00 02 02 28")
"""A record with a fatal handshake_failure."""


def fail_tls(session: Session, step: TlsFault) -> None:
    """Play a fault, and end the stream without another word."""
    session.let_others_lead()
    _FAULTS[step.kind](session, step)
    session.tls = f"fault: {step.kind}"
    session.end_by_script()
    session.end_bare()


def _plaintext(session: Session, step: TlsFault) -> None:
    _client_hello(session)
    session.write((Piece("plaintext", step.octets),))


def _alert(session: Session, _: TlsFault) -> None:
    _client_hello(session)
    session.write((Piece("tls-alert", _ALERT),))


def _cut_hello(session: Session, step: TlsFault) -> None:
    hello = _client_hello(session)
    flight = TLS(session.wire, session.stage.contexts[step.handshake], hello).first_flight()
    length = _HEADER + int.from_bytes(flight[3:_HEADER])
    session.wire.write(flight[: length // 2])
    session.note("half of the ServerHello's record sent")


def _client_hello(session: Session) -> bytes:
    """Read the record of a ClientHello."""
    inbox = session.inbox
    inbox.start()
    inbox.exactly(1)
    if inbox.buffer[0] != _HANDSHAKE:
        raise TLSBroken("the client does not begin with a ClientHello")
    inbox.exactly(_HEADER - 1)
    inbox.exactly(int.from_bytes(inbox.buffer[3:_HEADER]))
    session.note("ClientHello read")
    session.deaf = True  # what follows can only be an alert
    return inbox.take()


def _half_record(session: Session, step: TlsFault) -> None:
    record = _encrypted(session, step)
    session.wire.write(record[: len(record) // 2])
    session.note(f"half of a record of {len(step.octets)} octets sent")


def _flipped_bit(session: Session, step: TlsFault) -> None:
    *octets, last = _encrypted(session, step)
    session.wire.write(bytes((*octets, last ^ 1)))
    session.note(f"record of {len(step.octets)} octets sent, its last bit turned")


def _no_close_notify(session: Session, step: TlsFault) -> None:
    if step.octets:
        session.write((Piece("data", step.octets),))
    session.note("no close_notify sent")


def _encrypted(session: Session, step: TlsFault) -> bytes:
    assert isinstance(session.channel, TLS)  # the script's order was checked
    return session.channel.record(step.octets)


_FAULTS: dict[str, Callable[[Session, TlsFault], None]] = {
    "plaintext": _plaintext,
    "alert": _alert,
    "cut-hello": _cut_hello,
    "half-record": _half_record,
    "flipped-bit": _flipped_bit,
    "no-close-notify": _no_close_notify,
}
