"""A small client with a pool, right as it stands, and wrong where a flaw is switched on.

A wrong client is the right one with one flaw, so that whatever a case finds is that flaw. It shares
no code with the kit's adapters or with any library.
"""

import socket
import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from conformance.drivers import Identity
from conformance.drivers.base import EXCHANGE, FETCH, Driver, Message, Trace
from conformance.drivers.clients import ClientTarget

FEATURES = ("streamed", "expect-continue", "part", "drop", "timeout", "parallel")
WAIT = 10.0
REPEATS = ("repeats when nothing came", "repeats after a reset", "repeats after a part")
FLAWS = (
    *REPEATS,
    "repeats after a timeout",
    "repeats without content",
    "ignores close of the server",
    "ignores its own close",
    "ignores the end of an idle connection",
    "takes what came while it was idle",
    "keeps what follows a response",
    "keeps an unread response",
    "keeps a connection after an error",
    "keeps an unfinished request",
    "never closes",
    "keeps nothing",
    "reads content after HEAD",
)


CARELESS = {"ignores the end of an idle connection", "keeps a connection after an error"}
"""The flaws by which an idle connection is used without a look at it."""


class Broken(Exception):
    """The response cannot be used; `category` says why."""

    def __init__(self, category: str, came: bytes = b"", *, reset: bool = False) -> None:
        super().__init__(category)
        self.category = category
        self.came = came
        self.reset = reset


class Line:
    """One connection, and what has been received on it and not used."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.sock = socket.create_connection(address, timeout=WAIT)
        self.buffer = b""
        self.came = b""

    def more(self) -> None:
        try:
            data = self.sock.recv(65536)
        except TimeoutError:
            raise Broken("timeout", self.came) from None
        except OSError:
            raise Broken("no-response", self.came, reset=True) from None
        if not data:
            raise Broken("truncated-body" if self.came else "no-response", self.came)
        self.buffer += data
        self.came += data

    def through(self, mark: bytes) -> bytes:
        while mark not in self.buffer:
            self.more()
        part, _, self.buffer = self.buffer.partition(mark)
        return part

    def exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self.more()
        part, self.buffer = self.buffer[:size], self.buffer[size:]
        return part

    def is_idle(self) -> bool:
        """Whether nothing came, no end either."""
        self.sock.setblocking(False)
        try:
            return not self.buffer and self.sock.recv(1, socket.MSG_PEEK) is None
        except BlockingIOError:
            return not self.buffer
        except OSError:
            return False


class Small(Driver):
    """The client, as a driver in this process."""

    def __init__(self, flaws: Collection[str] = ()) -> None:
        self.flaws = frozenset(flaws)
        assert self.flaws <= {*FLAWS}
        self.idle: list[Line] = []
        self.kept: list[Line] = []
        self.lock = threading.Lock()

    @property
    def identity(self) -> Identity:
        ops = frozenset({FETCH, EXCHANGE})
        return Identity("client:small", "small", "1", frozenset(FEATURES), ops)

    def run(self, message: Message) -> Trace:
        several = [(message["url"], op) for op in message["ops"]]
        if len(several) == 1:
            return [self.entry(*several[0])]
        with ThreadPoolExecutor(len(several)) as pool:
            return list(pool.map(lambda one: self.entry(*one), several))

    def release(self) -> None:
        for line in (*self.idle, *self.kept):
            line.sock.close()
        self.idle, self.kept = [], []

    def kill(self) -> bool:
        return True

    def stop(self) -> None:
        self.release()

    def entry(self, url: str, op: Message) -> dict[str, Any]:
        try:
            return {"id": op["id"], "value": self.exchange(url, dict(op["kwargs"]))}
        except Broken as error:
            facts = {"class": "Broken", "bases": [], "attributes": {}, "message": str(error)}
            return {"id": op["id"], "error": {**facts, "category": error.category}}

    def exchange(self, url: str, given: dict[str, Any]) -> dict[str, Any]:
        """Make one exchange, and repeat it where a flaw says so."""
        try:
            return self.once(url, given)
        except Broken as error:
            wanted = REPEATS[error.reset] if not error.came else REPEATS[2]
            wanted = "repeats after a timeout" if error.category == "timeout" else wanted
            if "repeats without content" in self.flaws and given.get("method") == "PUT":
                given.pop("body", None)
                given["fields"] = {"value": [["Content-Length", "0"]]}
            elif wanted not in self.flaws:
                raise
            given.pop("timeout", None)
            return self.once(url, given)

    def line(self, address: tuple[str, int]) -> Line:
        """Return an idle connection that can be used, or a new one."""
        with self.lock:
            while self.idle:
                line = self.idle.pop()
                if self.flaws & CARELESS or self.holds(line) or line.is_idle():
                    return line
                self.close(line)
        return Line(address)

    def holds(self, line: Line) -> bool:
        """Whether a flaw lets the client use a connection on which something came."""
        unused = {"takes what came while it was idle", "keeps what follows a response"}
        unused |= {"keeps an unread response"}
        return bool(unused & self.flaws) and bool(line.buffer or not line.is_idle())

    def close(self, line: Line) -> None:
        if "never closes" in self.flaws:
            self.kept.append(line)
        else:
            line.sock.close()

    def once(self, url: str, given: dict[str, Any]) -> dict[str, Any]:
        parts = urlsplit(url)
        line = self.line((str(parts.hostname), int(parts.port or 0)))
        line.sock.settimeout(given.get("timeout", WAIT))
        line.came = b""
        if not self.flaws & {"takes what came while it was idle", "keeps what follows a response"}:
            line.buffer = b""
        try:
            value, free = self.through(line, parts.netloc, given)
        except Broken:
            if "keeps a connection after an error" in self.flaws:
                self.idle.append(line)
            else:
                self.close(line)
            raise
        except OSError:
            self.close(line)
            raise Broken("no-response", line.came, reset=True) from None
        if free and "keeps nothing" not in self.flaws:
            self.idle.append(line)
        else:
            self.close(line)
        return value

    def through(self, line: Line, host: str, given: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """Send a request and read its response; return it, and whether the connection is free."""
        method, target = given.get("method", "GET"), given.get("target", "/")
        fields = [("Host", host), *given.get("fields", {"value": ()})["value"]]
        body = given["body"]["value"].encode("latin-1") if "body" in given else None
        if body is not None and given.get("streamed"):
            fields.append(("Transfer-Encoding", "chunked"))
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        elif body is not None or method in ("POST", "PUT", "PATCH"):
            body = body or b""
            if not any(name == "Content-Length" for name, _ in fields):
                fields.append(("Content-Length", str(len(body))))
        waits = bool(given.get("expect_continue"))
        if waits:
            fields.append(("Expect", "100-continue"))
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        request = f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1")
        line.sock.sendall(request if waits else request + (body or b""))
        status, reason, found, version = self.head(line)
        unsent = waits
        while 100 <= status < 200:
            if status == 101:
                raise Broken("bad-status-line", line.came)
            if status == 100 and unsent:
                line.sock.sendall(body or b"")
                unsent = False
            status, reason, found, version = self.head(line)
        content, whole = self.content(line, method, status, found, given)
        options = ",".join(value for name, value in found if name == "connection").lower()
        says = {one.strip() for one in options.split(",")}
        closes = "close" in says or (version == "HTTP/1.0" and "keep-alive" not in says)
        asked = ",".join(value for name, value in fields if name == "Connection").lower()
        own = "close" in {one.strip() for one in asked.split(",")}
        free = (not closes or "ignores close of the server" in self.flaws) and (
            not own or "ignores its own close" in self.flaws
        )
        free = free and (whole or "keeps an unread response" in self.flaws)
        free = free and (not unsent or "keeps an unfinished request" in self.flaws)
        follows = whole and bool(line.buffer)
        free = free and (not follows or "keeps what follows a response" in self.flaws)
        value = {
            "type": "response",
            "status": status,
            "reason": reason,
            "headers": [[name, value] for name, value in found],
            "body": None if content is None else content.decode("latin-1"),
        }
        return value, free

    def head(self, line: Line) -> tuple[int, str, list[tuple[str, str]], str]:
        first, *rest = line.through(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, _, words = first.partition(" ")
        code, _, reason = words.partition(" ")
        if not version.startswith("HTTP/1.") or not code.isdigit():
            raise Broken("bad-status-line", line.came)
        pairs = (one.partition(":") for one in rest)
        return int(code), reason, [(n.lower(), value.strip()) for n, _, value in pairs], version

    def content(
        self,
        line: Line,
        method: str,
        status: int,
        fields: list[tuple[str, str]],
        given: dict[str, Any],
    ) -> tuple[bytes | None, bool]:
        """Return the content, and whether it was read to its end."""
        named = dict(fields)
        if given.get("consume") == "drop":
            return None, False
        if given.get("consume") == "part":
            return self.part(line, named, given["amount"]), False
        if status in (204, 304) or (
            method == "HEAD" and "reads content after HEAD" not in self.flaws
        ):
            return b"", True
        if "chunked" in named.get("transfer-encoding", ""):
            return self.chunks(line), True
        if "content-length" in named:
            if not named["content-length"].isdigit():
                raise Broken("bad-framing", line.came)
            return line.exactly(int(named["content-length"])), True
        return self.to_the_end(line), False

    def to_the_end(self, line: Line) -> bytes:
        try:
            while True:
                line.more()
        except Broken as error:
            if error.category == "timeout" or error.reset:
                raise
        content, line.buffer = line.buffer, b""
        return content

    def part(self, line: Line, fields: dict[str, str], size: int) -> bytes:
        if size and "chunked" in fields.get("transfer-encoding", ""):
            line.through(b"\r\n")  # the first chunk has enough
        return line.exactly(size)

    def chunks(self, line: Line) -> bytes:
        content = b""
        while True:
            try:
                size = int(line.through(b"\r\n").partition(b";")[0], 16)
            except ValueError:
                raise Broken("bad-framing", line.came) from None
            if not size:
                break
            content += line.exactly(size)
            if line.exactly(2) != b"\r\n":
                raise Broken("bad-framing", line.came)
        while line.through(b"\r\n"):
            pass
        return content


def small(*flaws: str) -> ClientTarget:
    """Return the client with these flaws."""
    return ClientTarget("client:small", lambda _written: Small(flaws))
