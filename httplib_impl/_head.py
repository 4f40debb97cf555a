"""The head of a response: interim heads are skipped, the final one is kept.

Lines of a reader come in, a status line and header lines go out. A head can be read in several
calls: when a line does not arrive in time, the next call continues after the last line that did.
"""

from __future__ import annotations

from collections.abc import Callable

from . import _grammar
from ._exceptions import HTTPException, LineTooLong
from ._reader import Reader
from ._status_line import StatusLine, parse_status_line

SWITCHING_PROTOCOLS = 101


class Head:
    """One response head, while it is read.

    Args:
        strict: accept valid HTTP/1.0 and HTTP/1.1 status lines only.
        debuglevel: above 0, every line is printed.

    Attributes:
        status_line: the status line; None until it is read.
        block: the raw header lines with their ends, without the blank line.
        whole: True once the blank line is read; False where the stream ended before.
    """

    def __init__(self, strict: bool, debuglevel: int = 0) -> None:
        self.status_line: StatusLine | None = None
        self.block = b""
        self.whole = False
        self._lines: list[bytes] = []
        self._strict = strict
        self._debuglevel = debuglevel
        self._interim = 0

    def read(self, reader: Reader) -> StatusLine:
        """Read up to the end of the final head.

        Raises:
            BadStatusLine, UnknownProtocol: see `parse_status_line`.
            LineTooLong: a line of more than 65,536 bytes.
            HTTPException: more than 100 header lines, or more than 100 interim responses.
            OSError: the connection failed; after a timeout the call can be repeated.
        """
        while True:
            if self.status_line is None:
                self.status_line = self._read_status_line(reader)
            if self.status_line.version == 9:
                return self.status_line
            self._read_header_lines(reader)
            # RFC 9110, 15.2: after every 1xx comes another response, but for the one that upgrades.
            if self.status_line.status >= 200 or self.status_line.status == SWITCHING_PROTOCOLS:
                return self.status_line
            self._skip_interim()

    def _read_status_line(self, reader: Reader) -> StatusLine:
        line = reader.line()
        if self._debuglevel > 0:
            print("reply:", ascii(line.decode("latin-1")))
        status_line = parse_status_line(line, self._strict)
        if status_line.is_body:
            reader.unread(line)
        return status_line

    def _read_header_lines(self, reader: Reader) -> None:
        self.whole = read_block(lambda _: reader.line(), self._lines)
        self.block = b"".join(self._lines)
        if self._debuglevel > 0:
            for line in self._lines:  # 2.7: with their ends
                print("header:", line.decode("ascii", "backslashreplace"), end="")

    def _skip_interim(self) -> None:
        self._interim += 1
        if self._interim > _grammar.MAX_LINES:
            raise HTTPException(f"got more than {_grammar.MAX_LINES} interim responses")
        self.status_line = None
        self._lines = []


def read_block(readline: Callable[[int], bytes], lines: list[bytes]) -> bool:
    """Read header lines up to the blank line.

    Args:
        readline: returns the next line with its end, at most so many bytes of it; nothing at the
            end of the stream.
        lines: where they are appended, with their ends.

    Returns:
        Whether a blank line ended them.

    Raises:
        LineTooLong: a line of more than 65,536 bytes.
        HTTPException: more than 100 lines.
    """
    while (line := readline(_grammar.MAX_LINE + 1)) not in (b"\r\n", b"\n", b""):
        if len(line) > _grammar.MAX_LINE:
            raise LineTooLong("header line")
        lines.append(line)
        if len(lines) > _grammar.MAX_LINES:
            raise HTTPException(f"got more than {_grammar.MAX_LINES} headers")
    return bool(line)
