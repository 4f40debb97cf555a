"""Whether twice the octets cost twice the time: nothing a server sends may cost more than its size.

Each row grows one thing that a server chooses (header lines, folds, chunks, the length of a line,
trailers, interim responses …) by factors of two, up to its limit where there is one, plays the
response from memory, and tells the exponent of the growth of CPU time: 1 is linear, 2 quadratic.
The last two columns give the same for octets that come one by one.

Run ``python -m benchmarks.scaling``.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

from httplib_impl import HTTPConnection, HTTPException
from httplib_impl.tests.support import Event, Wire

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

# What grows, how many of it there are at first, and how often it is doubled.
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


def play(events: list[Event], amount: int | None) -> None:
    """Read one response; whether it is well-formed does not matter."""
    connection = HTTPConnection("example.com")
    connection.sock = Wire(events)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        response.getheaders()
        if amount is None:
            response.read()
        while response.read(amount):
            pass
    except HTTPException:
        return


def segments(octets: bytes, size: int) -> list[Event]:
    """The octets as a server sends them, last first: a list is emptied from its end."""
    return [octets[i : i + size] for i in range(0, len(octets), size)]


def exponent(make: Callable[[int], bytes], first: int, doublings: int, step: int) -> float:
    """The slope of log time over log size, from end to end."""
    costs = []
    for n in (first, first << doublings):
        octets = make(n)
        best = math.inf
        repeat = max(3, 2_000_000 // len(octets)) if step > 1 else 3
        for _ in range(min(repeat, 200)):
            events = segments(octets, step)
            started = time.process_time()
            play(events, None)
            best = min(best, time.process_time() - started)
        costs.append((len(octets), best))
    (small, fast), (large, slow) = costs
    return math.log(slow / fast) / math.log(large / small)


def main() -> None:
    """Measure, print, and fail where something grows like a square."""
    print("| what grows | to | exponent, 16 KiB segments | exponent, octet by octet |")
    print("|---|---|---|---|")
    worst = 0.0
    for what, (make, first, doublings) in GROWING.items():
        whole = exponent(make, first, doublings, 16384)
        single = exponent(make, first, min(doublings, 3), 1) if first < 1 << 16 else float("nan")
        print(f"| {what} | {first << doublings} | {whole:.2f} | {single:.2f} |", flush=True)
        worst = max(worst, whole, 0.0 if math.isnan(single) else single)
    if worst > 1.5:
        sys.exit(f"something grows with the power of {worst:.2f}")


if __name__ == "__main__":
    main()
