"""What the tests of the server share: a request, a response, and plain reads."""

import contextlib
import socket
from pathlib import Path

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

VOCABULARY = frozenset(
    {
        *("read_request", "read", "read_until", "read_eof", "expect", "send", "reply"),
        *("status_line", "header", "end_headers", "interim", "chunk", "last_chunk", "fill"),
        *("garbage", "dribble", "drain", "gate", "signal", "pause", "stall", "shutdown", "close"),
        *("expect_eof", "expect_reset", "expect_no_bytes", "starttls", "tunnel"),
        *("label", "goto", "dispatch", "tls_fault"),
    }
)
"""The steps that scripts rely on; newer ones have tests of their own."""


def listens(port: int) -> bool:
    """Say whether a socket of this process accepts connections at *port* of 127.0.0.1.

    To dial does not tell: a port that is given back is free for every other process.
    """
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    address = f"0100007F:{port:04X}"
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1] == address and row[3] == "0A"}
    for one in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # another thread has closed it
            if str(one.readlink()) in sockets:
                return True
    return False


def exactly(sock: socket.socket, n: int) -> bytes:
    """Read n octets, or fewer if the stream ends."""
    data = b""
    while len(data) < n and (more := sock.recv(n - len(data))):
        data += more
    return data


def to_end(sock: socket.socket) -> bytes:
    """Read up to the end of the stream."""
    return b"".join(each_read(sock))


def each_read(sock: socket.socket) -> list[bytes]:
    """What each read up to the end of the stream returned."""
    reads = []
    while data := sock.recv(65536):
        reads.append(data)
    return reads


def is_reset(sock: socket.socket) -> bool:
    """Whether the next thing on a stream is a reset; an end or octets are not."""
    try:
        sock.recv(65536)
    except ConnectionResetError:
        return True
    return False
