"""The measured clients: one class each, with the same two methods, in their fastest normal use.

`get` sends a GET on a kept connection and returns the number of body bytes received; `fresh` does
so on a connection of its own. A client that is not installed is left out.
"""

from __future__ import annotations

import asyncio
import http.client
import importlib.util
import io
import re
import select
import socket
from collections.abc import Callable
from types import ModuleType
from typing import Any

import httplib_impl
from benchmarks import canned

BLOCK = 65536


class Peer:
    """A client that is measured.

    Args:
        port: where the server listens on 127.0.0.1.
    """

    modules: tuple[str, ...] = ()
    # The only paths that it can request, on a kept connection; None if it can request all.
    paths: tuple[str, ...] | None = None
    # Whether it reads a response from the file that an object in place of a socket makes.
    reads_files = False

    def __init__(self, port: int) -> None:
        self.port = port
        self.base = f"http://127.0.0.1:{port}"

    def get(self, path: str, amount: int | None) -> int:
        """Send a GET on the kept connection; read the body at once, or in blocks of *amount*."""
        raise NotImplementedError

    def fresh(self, path: str) -> int:
        """Send a GET on a new connection, and close it."""
        raise NotImplementedError

    def many(self, path: str, amount: int | None, count: int) -> int:
        """Repeat `get`."""
        return sum(self.get(path, amount) for _ in range(count))

    def many_fresh(self, path: str, count: int) -> int:
        """Repeat `fresh`."""
        return sum(self.fresh(path) for _ in range(count))

    def many_files(self, path: str, count: int) -> int:
        """Read the response of *path* from a file, *count* times."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the kept connection."""


class FileSocket:
    """The least that may be given in place of a socket: its file has one response."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets

    def sendall(self, octets: bytes) -> None:
        """Discard what is sent."""

    def makefile(self, mode: str, bufsize: int = -1) -> io.BytesIO:
        """Return the response as a file."""
        del mode, bufsize
        return io.BytesIO(self.octets)

    def close(self) -> None:
        """Nothing is open."""


class Httplib(Peer):
    """A module with the interface of httplib."""

    module: ModuleType = httplib_impl
    reads_files = True

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.connection: Any = self.module.HTTPConnection("127.0.0.1", port)

    def get(self, path: str, amount: int | None) -> int:
        self.connection.request("GET", path)
        response = self.connection.getresponse()
        if amount is None:
            return len(response.read())
        return sum(map(len, iter(lambda: response.read(amount), b"")))

    def fresh(self, path: str) -> int:
        connection: Any = self.module.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", path)
        octets = connection.getresponse().read()
        connection.close()
        return len(octets)

    def many_files(self, path: str, count: int) -> int:
        connection: Any = self.module.HTTPConnection("127.0.0.1")
        octets, total = canned.responses()[path], 0
        for _ in range(count):
            connection.sock = FileSocket(octets)
            connection.request("GET", path)
            total += len(connection.getresponse().read())
            connection.close()
        return total

    def close(self) -> None:
        self.connection.close()


class HttpClient(Httplib):
    """The standard library's client, to which all others are compared."""

    module = http.client


class Urllib3(Peer):
    """A pool of one connection."""

    modules = ("urllib3",)

    def __init__(self, port: int) -> None:
        super().__init__(port)
        import urllib3

        self.pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=1)

    def get(self, path: str, amount: int | None) -> int:
        response = self.pool.request("GET", path, preload_content=amount is None, retries=False)
        if amount is None:
            return len(response.data)
        total = sum(map(len, response.stream(amount)))
        response.release_conn()
        return total

    def fresh(self, path: str) -> int:
        import urllib3

        with urllib3.HTTPConnectionPool("127.0.0.1", self.port, maxsize=1) as pool:
            return len(pool.request("GET", path, retries=False).data)

    def close(self) -> None:
        self.pool.close()


class Requests(Peer):
    """A session that uses no proxy."""

    modules = ("requests",)

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.session = self.new_session()

    @staticmethod
    def new_session() -> Any:
        """Return a session that ignores the environment."""
        import requests

        session = requests.Session()
        session.trust_env = False
        return session

    def get(self, path: str, amount: int | None) -> int:
        response = self.session.get(self.base + path, stream=amount is not None)
        if amount is None:
            return len(response.content)
        return sum(map(len, response.iter_content(amount)))

    def fresh(self, path: str) -> int:
        with self.new_session() as session:
            return len(session.get(self.base + path).content)

    def close(self) -> None:
        self.session.close()


class Httpx(Peer):
    """A client that uses no proxy."""

    modules = ("httpx",)

    def __init__(self, port: int) -> None:
        super().__init__(port)
        import httpx

        self.client = httpx.Client(trust_env=False, verify=False, timeout=None)

    def get(self, path: str, amount: int | None) -> int:
        if amount is None:
            return len(self.client.get(self.base + path).content)
        with self.client.stream("GET", self.base + path) as response:
            return sum(map(len, response.iter_bytes(amount)))

    def fresh(self, path: str) -> int:
        import httpx

        with httpx.Client(trust_env=False, verify=False, timeout=None) as client:
            return len(client.get(self.base + path).content)

    def close(self) -> None:
        self.client.close()


class Aiohttp(Peer):
    """A session in an event loop that runs for a whole round at a time."""

    modules = ("aiohttp",)

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.loop = asyncio.new_event_loop()
        self.session = self.loop.run_until_complete(self.new_session())

    @staticmethod
    async def new_session() -> Any:
        """Return a session; it must be made inside a running loop."""
        import aiohttp

        return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))

    @staticmethod
    async def read(session: Any, url: str, amount: int | None) -> int:
        """Send one GET and return the number of body bytes."""
        async with session.get(url) as response:
            if amount is None:
                return len(await response.read())
            return sum([len(block) async for block in response.content.iter_chunked(amount)])

    def many(self, path: str, amount: int | None, count: int) -> int:
        async def run() -> int:
            return sum(
                [await self.read(self.session, self.base + path, amount) for _ in range(count)]
            )

        return self.loop.run_until_complete(run())

    def many_fresh(self, path: str, count: int) -> int:
        async def run() -> int:
            total = 0
            for _ in range(count):
                session = await self.new_session()
                total += await self.read(session, self.base + path, None)
                await session.close()
            return total

        return self.loop.run_until_complete(run())

    def close(self) -> None:
        self.loop.run_until_complete(self.session.close())
        self.loop.close()


class Pycurl(Peer):
    """One handle that writes the body to a buffer."""

    modules = ("pycurl",)

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.handle = self.new_handle()

    @staticmethod
    def new_handle() -> Any:
        """Return a handle that uses no proxy."""
        import pycurl

        handle = pycurl.Curl()
        handle.setopt(pycurl.PROXY, "")
        return handle

    def transfer(self, handle: Any, path: str) -> int:
        """Send one GET and return the number of body bytes."""
        buffer = io.BytesIO()
        handle.setopt(handle.URL, self.base + path)
        handle.setopt(handle.WRITEDATA, buffer)
        handle.perform()
        return len(buffer.getvalue())

    def get(self, path: str, amount: int | None) -> int:
        if amount is None:
            return self.transfer(self.handle, path)
        sizes: list[int] = []
        self.handle.setopt(self.handle.URL, self.base + path)
        self.handle.setopt(self.handle.WRITEFUNCTION, lambda block: sizes.append(len(block)))
        self.handle.perform()
        return sum(sizes)

    def fresh(self, path: str) -> int:
        handle = self.new_handle()
        octets = self.transfer(handle, path)
        handle.close()
        return octets

    def close(self) -> None:
        self.handle.close()


class RawSocket(Peer):
    """The lower bound: the same bytes sent and received in one buffer, without any parsing."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.socket = self.new_socket()
        self.buffer = bytearray(1 << 20)
        self.sizes: dict[str, int] = {}

    def new_socket(self) -> socket.socket:
        """Return a connected socket."""
        sock = socket.create_connection(("127.0.0.1", self.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def transfer(self, sock: socket.socket, path: str) -> int:
        """Send a head; receive as many bytes as the first response to this path had."""
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: identity\r\n\r\n"
        sock.sendall(head.encode())
        size = self.sizes.get(path)
        if size is None:
            # First request: the response is complete when nothing arrives for a second.
            sock.settimeout(1)
            size = 0
            try:
                while count := sock.recv_into(self.buffer):
                    size += count
            except TimeoutError:
                sock.settimeout(None)
            self.sizes[path] = size
            return size
        received = 0
        while received < size:
            received += sock.recv_into(self.buffer)
        return received

    def get(self, path: str, amount: int | None) -> int:
        del amount
        return self.transfer(self.socket, path)

    def fresh(self, path: str) -> int:
        sock = self.new_socket()
        received = self.transfer(sock, path)
        sock.close()
        return received

    def close(self) -> None:
        self.socket.close()


METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
NOT_IN_URL = re.compile(r"[^!-~]")
FRAMING_FIELD = re.compile(
    rb"\n(?=[ \t\nCKPTckpt])(?:([ \t\n])|"
    rb"(connection|content-length|keep-alive|proxy-connection|transfer-encoding):([^\n]*))",
    re.IGNORECASE,
)


class BareLoop(RawSocket):
    """The lower bound with all documented checks of a small exchange, in one function.

    It has no object, no state, no method that could be overridden and no error handling, and it
    requires that the whole response arrives at once.
    """

    paths = ("/small", "/30", "/99")

    def __init__(self, port: int) -> None:
        super().__init__(port)
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        self.poll = poll.poll
        self.fields = f"Host: 127.0.0.1:{port}\r\nAccept-Encoding: identity\r\n\r\n"

    def get(self, path: str, amount: int | None) -> int:
        del amount
        if not METHOD.fullmatch("GET") or NOT_IN_URL.search(path) or self.poll(0):
            raise SystemExit("the request cannot be sent")
        self.socket.sendall(f"GET {path} HTTP/1.1\r\n{self.fields}".encode("ascii"))
        octets = self.socket.recv(BLOCK)
        behind = octets.find(b"\n") + 1
        end = octets.find(b"\n\r\n", behind - 1) + 1
        ((odd, name, value),) = FRAMING_FIELD.findall(octets, behind - 1, end)
        length = value.strip()
        usual = octets[:behind] == b"HTTP/1.1 200 OK\r\n" and octets.count(b"\n", behind, end) < 101
        if odd or name.lower() != b"content-length" or not length.isdigit() or not usual:
            raise SystemExit("the response is not the one that was expected")
        return len(octets[end + 2 : end + 2 + int(length)])


PEERS: dict[str, Callable[[int], Peer]] = {
    "httplib_impl": Httplib,
    "http.client": HttpClient,
    "urllib3": Urllib3,
    "requests": Requests,
    "httpx": Httpx,
    "aiohttp": Aiohttp,
    "pycurl": Pycurl,
    "bare loop": BareLoop,
    "raw socket": RawSocket,
}


def installed() -> dict[str, Callable[[int], Peer]]:
    """Return the clients that are installed."""
    return {
        name: peer
        for name, peer in PEERS.items()
        if all(importlib.util.find_spec(module) for module in getattr(peer, "modules", ()))
    }
