"""Whether CPU time is linear in the size of a response, whatever part of it the server enlarges.

Each row grows one thing that a server chooses (header lines, folds, chunks, the length of a line,
trailers, interim responses …) by factors of two, up to its limit if it has one. It plays the
response from memory and reports the exponent of the growth of CPU time: 1 is linear, 2 quadratic.
The last two columns contain the same for a response that arrives in segments of one byte.

Run ``python -m benchmarks.scaling``.
"""

from __future__ import annotations

import math
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from httplib_impl import HTTPConnection, HTTPException

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

# name: (how a response is made, its first size, how often the size is doubled)
GROWING: dict[str, tuple[Callable[[int], bytes], int, int]] = {
    "header lines": (lambda n: HEAD + b"Name: value\r\n" * n + b"\r\n", 12, 3),
    "header lines without colon": (lambda n: HEAD + b"no field\r\n" * n + b"\r\n", 12, 3),
    "header lines of one name": (lambda n: HEAD + b"Connection: a, b\r\n" * n + b"\r\n", 12, 3),
    "folds": (lambda n: HEAD + b"A: b\r\n" + b" fold\r\n" * n + b"\r\n", 12, 3),
    "long header line": (lambda n: HEAD + b"A: " + b"b" * n + b"\r\n\r\n", 4000, 4),
    "blanks in a header line": (lambda n: HEAD + b"A: " + b" " * n + b"\r\n\r\n", 4000, 4),
    "elements of a list": (lambda n: HEAD + b"Connection: " + b"a," * n + b"\r\n\r\n", 2000, 4),
    "digits of a length": (lambda n: HEAD + b"Content-Length: " + b"1" * n + b"\r\n\r\n", 4000, 4),
    "long status line": (lambda n: b"HTTP/1.1 200 " + b"a" * n + b"\r\n\r\n", 4000, 4),
    "line without end": (lambda n: HEAD + b"a" * n, 4000, 4),
    "interim responses": (lambda n: b"HTTP/1.1 100 Go\r\nA: b\r\n\r\n" * n + HEAD + b"\r\n", 12, 3),
    "equal chunks": (lambda n: CHUNKED + b"5\r\nhello\r\n" * n + b"0\r\n\r\n", 1000, 6),
    "chunks of two sizes": (
        lambda n: CHUNKED + b"1\r\na\r\n2\r\nab\r\n" * n + b"0\r\n\r\n",
        500,
        6,
    ),
    "chunks with line ends in them": (
        lambda n: CHUNKED + b"7\r\na\r\n\r\nbc\r\n" * n + b"0\r\n\r\n",
        1000,
        6,
    ),
    "short runs of equal chunks": (
        lambda n: CHUNKED + (b"1\r\na\r\n" * 17 + b"2\r\nab\r\n") * n + b"0\r\n\r\n",
        100,
        6,
    ),
    "large chunks": (lambda n: CHUNKED + (b"8000\r\n" + bytes(32768) + b"\r\n") * n, 8, 5),
    "long chunk extension": (lambda n: CHUNKED + b"1;" + b"a" * n + b"\r\na\r\n0\r\n\r\n", 4000, 4),
    "digits of a chunk size": (lambda n: CHUNKED + b"0" * n + b"1\r\na\r\n0\r\n\r\n", 4000, 4),
    "trailers": (lambda n: CHUNKED + b"0\r\n" + b"A: b\r\n" * n + b"\r\n", 12, 3),
    "body to the end of the connection": (lambda n: HEAD + b"\r\n" + bytes(n), 1 << 20, 4),
    "body of a length": (
        lambda n: HEAD + b"Content-Length: %d\r\n\r\n" % n + bytes(n),
        1 << 20,
        4,
    ),
}


class Segments(socket.socket):
    """A socket in memory with one segment per `recv`, at a cost independent of their number."""

    def __init__(self, segments: Iterator[bytes], descriptor: int) -> None:
        super().__init__()
        super().close()  # a subclass of a real socket, without one
        self._closed = False  # which `makefile` reads
        self._segments = segments
        self._descriptor = descriptor
        self._rest = b""
        self.received = 0

    def sendall(self, request: Any, flags: int = 0, /) -> None:
        """Discard the request."""

    def recv(self, n: int, flags: int = 0, /) -> bytes:
        """Return the rest of a segment, or the next one."""
        del flags
        segment = self._rest or next(self._segments, b"")
        self._rest = segment[n:]
        self.received += len(segment[:n])
        return segment[:n]

    def recv_into(self, room: Any, *limits: int) -> int:
        """Do the same, into *room*; return the number of bytes."""
        del limits
        segment = self.recv(len(room))
        room[: len(segment)] = segment
        return len(segment)

    def fileno(self) -> int:
        """Return a descriptor on which nothing arrives."""
        return self._descriptor

    def close(self) -> None:
        """Do nothing."""


def play(response: bytes, step: int, descriptor: int) -> None:
    """Read one response in segments of *step* bytes; an error of its format is accepted."""
    segments = (response[i : i + step] for i in range(0, len(response), step))
    connection = HTTPConnection("example.com")
    connection.sock = sock = Segments(segments, descriptor)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.getheaders()
        answer.read()
    except HTTPException:
        pass
    if sock.received < len(response):
        raise SystemExit(f"only {sock.received} of {len(response)} bytes were read")


def exponent(make: Callable[[int], bytes], first: int, doublings: int, step: int) -> float:
    """Return the slope of log time over log size between the ends, from the best of some rounds."""
    costs = []
    descriptor, never_written = os.pipe()
    for n in (first, first << doublings):
        response = make(n)
        best = math.inf
        for _ in range(max(5, 200_000 // len(response))):
            started = time.process_time()
            play(response, step, descriptor)
            best = min(best, time.process_time() - started)
        costs.append((len(response), best))
    os.close(descriptor)
    os.close(never_written)
    (small, fast), (large, slow) = costs
    return math.log(slow / fast) / math.log(large / small)


def main() -> None:
    """Measure, print, and fail if some cost grows quadratically."""
    print("| what grows | to | exponent, 16 KiB segments | exponent, byte by byte |")
    print("|---|---|---|---|")
    worst = 0.0
    for what, (make, first, doublings) in GROWING.items():
        whole = exponent(make, first, doublings, 16384)
        # A large first size is not played byte by byte, which would take hours.
        small = len(make(first)) < 20_000
        single = exponent(make, first, min(doublings, 3), 1) if small else math.nan
        print(f"| {what} | {first << doublings} | {whole:.2f} | {single:.2f} |", flush=True)
        worst = max(worst, whole, 0.0 if math.isnan(single) else single)
    if worst > 1.5:
        sys.exit(f"something grows with the power of {worst:.2f}")


if __name__ == "__main__":
    main()
