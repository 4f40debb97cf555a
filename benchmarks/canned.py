"""A server process that answers each path with fixed bytes, at the least cost.

It shares one CPU with the client, so that the scheduler has no choice that could change the result.
It is a process of its own, so that the client's CPU time contains nothing of the server.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import selectors
import signal
import socket
from collections.abc import Iterator

MIB = 1 << 20


def chunked(sizes: list[int]) -> bytes:
    """Return a response in chunks of these sizes."""
    chunks = b"".join(b"%x\r\n%b\r\n" % (size, bytes(size)) for size in sizes)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def with_fields(count: int) -> bytes:
    """Return a small response with *count* header fields."""
    fields = b"".join(b"X-Header-%d: some value %d\r\n" % (i, i) for i in range(count - 1))
    return b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: 5\r\n\r\nhello"


@functools.cache
def responses() -> dict[str, bytes]:
    """Return the response of each path."""
    sizes = random.Random(1)
    large = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 * MIB)
    return {
        "/small": with_fields(2),
        "/30": with_fields(30),
        "/99": with_fields(99),
        "/chunks-16": chunked([16] * 20000),
        "/chunks-random": chunked([sizes.randint(1, 40) for _ in range(20000)]),
        "/chunks-1k": chunked([1024] * 4096),
        "/chunks-64k": chunked([65536] * 256),
        "/64m": large + bytes(64 * MIB),
    }


@contextlib.contextmanager
def server() -> Iterator[int]:
    """Run the server during the body of the ``with`` statement; yield its port."""
    canned = {path.encode(): octets for path, octets in responses().items()}
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        port: int = listener.getsockname()[1]
        child = os.fork()
        if not child:
            serve(listener, canned)
            os._exit(0)
    try:
        yield port
    finally:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)


def serve(listener: socket.socket, canned: dict[bytes, bytes]) -> None:
    """Accept connections and answer their requests, one at a time."""
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                peer = key.fileobj
                assert isinstance(peer, socket.socket)
                if peer is listener:
                    peer, _ = listener.accept()
                    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(peer, selectors.EVENT_READ)
                elif not answer(peer, canned):
                    selector.unregister(peer)
                    peer.close()


def answer(peer: socket.socket, canned: dict[bytes, bytes]) -> bool:
    """Answer one request; return False if the client has closed the connection."""
    try:
        head = peer.recv(65536)
        if head:
            peer.sendall(canned[head.split(b" ", 2)[1]])
        return bool(head)
    except ConnectionError:
        return False
