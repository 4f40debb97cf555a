"""The record of a play: events, facts about each connection, and a stable text of both.

In come the events that the threads noted, out come immutable facts. They hold no times and no
ports, so that two runs of the same play can be compared byte by byte. Nothing here judges.
"""

import difflib
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from mockserver._phase import Unanswered
from mockserver._step import Recipe, Step

UNREAD = "unread"
NO_ROUTE = "no route fits"
FIN_SENT = "fin sent"
RST_SENT = "rst sent"
ABANDONED = "abandoned"
CLIENT_CLOSED = "the client closed its end"
TLS_ESTABLISHED = "TLS established: "
NOT_KEPT = "more bytes were passed on and are not kept"


_REPORTED, _COMPLAINTS, _WIDE = 24, 4, 160
"""How many lines of a transcript, how many complaints and how wide lines a report has."""

# ---------------------------------------------------------------------------- text

_TEXT = re.compile(rb"[\t\r\n\x20-\x7e]*\Z")
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_SHOWN = 4096
_VISIBLE = str.maketrans({"\\": "\\\\", "\r": "\\r", "\n": "\\n", "\t": "\\t"})


class Mask:
    """Shows the server's own address without its port.

    Args:
        address: Host and port of the server; None to show everything as it is.
    """

    def __init__(self, address: tuple[str, int] | None) -> None:
        self._text: re.Pattern[str] | None = None
        if address is not None:
            host, port = re.escape(address[0]), address[1]
            names = rf"(?:(?<![\d.]){host}|\[{host}\]|(?i:\blocalhost)):"
            self._text = re.compile(rf"({names}){port}(?!\d)")
            self._bytes = re.compile(self._text.pattern.encode())

    def text(self, text: str) -> str:
        r"""The text, with a word in place of the port.

        >>> Mask(("127.0.0.1", 4711)).text("Host: 127.0.0.1:4711")
        'Host: 127.0.0.1:PORT'
        """
        return self._text.sub(r"\1PORT", text) if self._text else text

    def masked(self, data: bytes) -> bytes:
        """As many bytes, with a letter for each digit of the port."""
        if self._text is None:
            return data
        return self._bytes.sub(
            lambda found: found[1] + b"P" * (len(found[0]) - len(found[1])), data
        )


_BARE = Mask(None)


def lines_of(
    direction: str, offset: int, role: str, data: bytes | Recipe, mask: Mask = _BARE
) -> Iterator[str]:
    r"""The lines for bytes that went in one direction.

    >>> list(lines_of(">", 17, "field-line", b"Content-Length: 5\r\n"))
    ['  >     17  field-line      Content-Length: 5\\r\\n']
    """
    shown = data[:_SHOWN]
    for start, text in _rows(shown, mask):
        yield f"  {direction} {offset + start:>6}  {role:<14}  {text}"
    if len(data) > _SHOWN:
        more = len(data) - _SHOWN
        yield f"  {direction} {offset + _SHOWN:>6}  {role:<14}  … {_counted(more, 'byte')} more"


_UNREAD = "from the client that no step reads"


def _counted(count: int, noun: str) -> str:
    """*count* with *noun* in the singular or the plural."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _rows(data: bytes, mask: Mask) -> Iterator[tuple[int, str]]:
    lines = _LINE.finditer(data)
    for is_text, run in itertools.groupby(lines, lambda line: bool(_TEXT.match(line[0]))):
        if is_text:
            for line in run:
                yield line.start(), mask.text(line[0].decode("ascii").translate(_VISIBLE))
            continue
        together = list(run)
        first = together[0].start()
        for start, text in _dump_lines(mask.masked(data[first : together[-1].end()])):
            yield first + start, text


def _dump_lines(data: bytes) -> Iterator[tuple[int, str]]:
    for start in range(0, len(data), 16):
        row = data[start : start + 16]
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        yield start, f"{row.hex(' '):<47}  |{text}|"


# ---------------------------------------------------------------------------- facts


class Event(NamedTuple):
    """One thing that happened on a connection.

    Attributes:
        direction: `<` received, `>` sent, `note` for what has no bytes.
        offset: Bytes of this direction before it.
        content: The bytes, or the recipe of a step that has one; empty for a note.
        role: What they are on the wire (`status-line`, `chunk-size`, …), or the note's text.
        step: The index of the step in its connection, from 0; -1 where no step did it.
    """

    direction: Literal["<", ">", "note"]
    offset: int
    content: bytes | Recipe
    role: str
    step: int

    @property
    def data(self) -> bytes:
        """The bytes; those of a recipe are made anew."""
        return bytes(self.content)


Entry = tuple[
    Literal["<", ">", "note"], int, bytes | tuple[tuple[str, bytes | Recipe], ...], str, int
]
"""An event, or, with pieces in place of bytes, the events of one write, which are made later."""


def events_of(entries: Iterable[Entry]) -> Iterator[Event]:
    """The events of entries, each piece of a write as an event of its own."""
    for direction, offset, what, role, step in entries:
        if isinstance(what, bytes):
            yield Event(direction, offset, what, role, step)
            continue
        at = offset
        for piece_role, data in what:
            if data:
                yield Event(direction, at, data, piece_role, step)
                at += len(data)


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    """The facts about one accepted connection, taken when the play was finished.

    Attributes:
        events: What happened, in order, inside TLS as the application's bytes.
        requests: Each request as `read_request` or `tunnel` took it, head and body, raw.
        unplayed: The steps that were not reached or not completed.
        after: What the client did with its end: `closed` it, `kept` it open; `gone` where the
            server reset the connection, so that nothing is to be seen.
        left: Bytes that the client's kernel holds and the client has not read; None where the
            client has closed or the kernel cannot be asked. Inside TLS these are encrypted bytes.
        tls: What the handshake came to: the protocol version, or `failed:` and the reason; None
            where there was none.
        source: The address from which the client connected, without its port.
        source_port: The port from which the client connected.
        ended: Whether a step ended the connection or our stream on it (`close`, `shutdown`, a reply
            framed by `close`, `tls_fault`), so that what no step has read may have been in flight.
            A client cannot know of the end in advance: such bytes are no complaint;
            `expect_no_bytes`, `expect_eof` and `read_eof` are for scripts that allow nothing more,
            or take it. False where bytes that belong to no request came together with the last
            bytes of one.
    """

    events: tuple[Event, ...] = ()
    requests: tuple[bytes, ...] = ()
    unplayed: tuple[Step, ...] = ()
    after: Literal["closed", "kept", "gone"] | None = None
    left: int | None = None
    tls: str | None = None
    source: str = ""
    source_port: int = 0
    ended: bool = False

    @property
    def received(self) -> bytes:
        """Every byte that arrived, also those that no step has read."""
        return b"".join(event.data for event in self.events if event.direction == "<")

    @property
    def sent(self) -> bytes:
        """Every byte that the server's kernel took for sending."""
        return b"".join(event.data for event in self.events if event.direction == ">")

    @property
    def unread(self) -> bytes:
        """The bytes that arrived and that no step has read."""
        return b"".join(
            event.data for event in self.events if event.direction == "<" and event.role == UNREAD
        )

    def transcript(self, mask: Mask) -> Iterable[str]:
        """The lines of this connection's transcript; the mask hides the server's port."""
        for event in self.events:
            if event.direction == "note":
                yield f"  = {event.role}"
            else:
                yield from lines_of(event.direction, event.offset, event.role, event.content, mask)
        if self.after is not None:
            left = f", {_counted(self.left, 'byte')} unread by it" if self.left else ""
            yield f"  = client: {self.after}{left}"
        for step in self.unplayed:
            yield f"  - not played: {step.step_name}"


@dataclass(frozen=True, slots=True)
class Record:
    """The facts about one play.

    Attributes:
        connections: One for each accepted connection that the script has, in accept order.
        refused_extra: Connections beyond the script; each was reset at once.
        problems: What went against the script, each with its connection and step: an expectation
            that failed, a wait that expired, a client that waits after the last step.
        unplayed: Steps and connections of the script that were not reached or not completed.
        errors: Faults of the server itself; never the client's doing.
        address: Host and port of the server, which the transcript shows without the port.
    """

    connections: tuple[ConnectionRecord, ...] = ()
    refused_extra: int = 0
    problems: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    unplayed: tuple[str, ...] = ()
    address: tuple[str, int] | None = None

    def transcript(self) -> str:
        """A stable text of bytes, offsets, roles, notes and problems, without times and ports."""
        lines: list[str] = []
        mask = Mask(self.address)
        for number, one in enumerate(self.connections, 1):
            lines += [f"connection {number}", *one.transcript(mask)]
        if self.refused_extra:
            beyond = _counted(self.refused_extra, "connection")
            lines.append(f"beyond the script: {beyond}, reset by the server")
        lines += [f"problem: {text}" for text in self.problems]
        lines += [f"unplayed: {text}" for text in self.unplayed]
        lines += [f"error: {text}" for text in self.errors]
        return mask.text("\n".join(lines) + "\n") if lines else ""

    def report(self, most: int = _REPORTED) -> str:
        """The complaints, and what happened, in a few lines: `transcript` has it all.

        Requests without a route are explained by their complaints, which then stand alone.

        Args:
            most: How many lines of what happened to show, the first and the last of them.
        """
        complaints = [f"- {one}" for one in self.complaints()]
        if len(complaints) > _COMPLAINTS:
            more = len(complaints) - _COMPLAINTS
            complaints[_COMPLAINTS:] = [f"- and {more} more of them"]
        alone = bool(self.problems) and all(NO_ROUTE in one for one in self.problems)
        shown = () if alone else self.connections
        happened = Record(shown, address=self.address).transcript().splitlines()
        if len(happened) > most:
            last = most // 3
            cut = f"  … {len(happened) - most} lines more"
            happened[most - last : -last] = [cut]
        lines = "\n".join((*complaints, "", *happened)).splitlines()
        return "\n".join(line if len(line) <= _WIDE else f"{line[:_WIDE]}…" for line in lines)

    @property
    def has_unmatched(self) -> bool:
        """Whether a request came that no route fits: an error of the test, or of its client."""
        return any(NO_ROUTE in one or Unanswered.note in one for one in self.problems)

    def difference(self, golden: str) -> str:
        """How the transcript differs from one that was kept: a unified diff, or nothing."""
        lines = golden.splitlines(keepends=True), self.transcript().splitlines(keepends=True)
        return "".join(difflib.unified_diff(*lines, "expected", "seen"))

    def complaints(self) -> tuple[str, ...]:
        """Everything that makes a test fail.

        Errors, problems, what was not played, connections beyond the script, and bytes that no
        step has read on a connection that the script did not end.
        """
        unread = tuple(
            f"connection {number}: {_counted(len(one.unread), 'byte')} {_UNREAD}"
            for number, one in enumerate(self.connections, 1)
            if one.unread and not one.ended
        )
        extra = [f"{_counted(self.refused_extra, 'connection')} beyond the script"]
        beyond = extra if self.refused_extra else []
        return (*self.errors, *self.problems, *self.unplayed, *beyond, *unread)
