"""A small client with a pool, right as it stands, and wrong where a flaw is switched on.

A wrong client is the right one with one flaw, so that whatever a case finds is that flaw. It shares
no code with the kit's adapters or with any library.
"""

import contextlib
import select
import socket
import threading
from collections.abc import Collection, Iterable
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
    "repeats again and again",
    "repeats without content",
    "repeats after an error status",
    "follows a redirect",
    "ignores close of the server",
    "ignores close in a list",
    "ignores its own close",
    "takes HTTP/1.0 for HTTP/1.1",
    "ignores the end of an idle connection",
    "takes what came while it was idle",
    "takes an interim response for the final one",
    "keeps what follows a response",
    "keeps an unread response",
    "keeps a dropped response",
    "keeps a response that is read in part",
    "keeps a connection after an error",
    "keeps a connection after a bad length",
    "keeps a connection after a bad chunk",
    "keeps an unfinished request",
    "keeps unfinished chunks",
    "keeps a request whose content a 100 permits",
    "stops an upload and keeps the connection",
    "never closes",
    "never closes after its own close",
    "never closes after HTTP/1.0",
    "keeps nothing",
    "keeps nothing after HEAD",
    "keeps nothing after chunks",
    "reads content after HEAD",
    "reads one byte too few",
    "leaves trailers",
    "sends content with the next request",
    "sends no content",
    "reads as much as the last time",
    "refuses content without a length",
    "leaves the content of a response with Upgrade",
)


CARELESS = {
    "ignores the end of an idle connection",
    "keeps a connection after an error",
    "keeps a connection after a bad length",
    "keeps a connection after a bad chunk",
    "reads one byte too few",
    "leaves trailers",
    "reads as much as the last time",
    "leaves the content of a response with Upgrade",
    "takes an interim response for the final one",
}
"""The flaws by which an idle connection is used without a look at it."""
UNREAD = {
    "drop": {"keeps an unread response", "keeps a dropped response"},
    "part": {"keeps an unread response", "keeps a response that is read in part"},
}
"""The flaws that keep a connection whose response is not read to its end, by how it is consumed."""


REPLY_CLOSE = "ignores close of the server"
UNFINISHED = {
    "keeps an unfinished request",
    "keeps a request whose content a 100 permits",
    "stops an upload and keeps the connection",
}
"""The flaws that keep a connection on which content is missing, however it was announced."""


class Broken(Exception):
    """The response cannot be used; `category` says why, and `part` of what part it is."""

    def __init__(
        self, category: str, came: bytes = b"", *, reset: bool = False, part: str = ""
    ) -> None:
        super().__init__(category)
        self.category = category
        self.came = came
        self.reset = reset
        self.part = part


class Line:
    """One connection, and what has been received on it and not used."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.sock = socket.create_connection(address, timeout=WAIT)
        self.buffer = b""
        self.came = b""
        self.leaks = False

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
        self.content_before: bytes | None = None
        self.size_before: int | None = None

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
            value = self.once(url, given)
            if value["status"] >= 400 and "repeats after an error status" in self.flaws:
                return self.once(url, given)
            if value["status"] // 100 == 3 and "follows a redirect" in self.flaws:
                places = [value for name, value in value["headers"] if name == "location"]
                return self.once(url, {**given, "target": places[0]}) if places else value
            return value
        except Broken as error:
            if "repeats again and again" in self.flaws and given.get("method", "GET") == "GET":
                return self.again(url, given, 4)
            wanted = REPEATS[error.reset] if not error.came else REPEATS[2]
            wanted = "repeats after a timeout" if error.category == "timeout" else wanted
            if "repeats without content" in self.flaws and given.get("method") == "PUT":
                given.pop("body", None)
                given["fields"] = {"value": [["Content-Length", "0"]]}
            elif wanted not in self.flaws:
                raise
            given.pop("timeout", None)
            return self.once(url, given)

    def again(self, url: str, given: dict[str, Any], times: int) -> dict[str, Any]:
        """Repeat an exchange until it succeeds, at most so many times."""
        for _ in range(times - 1):
            with contextlib.suppress(Broken):
                return self.once(url, given)
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
        unused |= UNREAD["part"] | UNREAD["drop"]
        return bool(unused & self.flaws) and bool(line.buffer or not line.is_idle())

    def close(self, line: Line) -> None:
        if "never closes" in self.flaws or line.leaks:
            self.kept.append(line)
        else:
            line.sock.close()

    def once(self, url: str, given: dict[str, Any]) -> dict[str, Any]:
        parts = urlsplit(url)
        line = self.line((str(parts.hostname), int(parts.port or 0)))
        line.sock.settimeout(given.get("timeout", WAIT))
        line.came = b""
        if not self.flaws & {
            "takes what came while it was idle",
            "keeps what follows a response",
            "reads one byte too few",
            "leaves trailers",
            "reads as much as the last time",
            "leaves the content of a response with Upgrade",
            "takes an interim response for the final one",
        }:
            line.buffer = b""
        try:
            value, free = self.through(line, parts.netloc, given)
        except Broken as error:
            if self.flaws & {
                "keeps a connection after an error",
                f"keeps a connection after a bad {error.part}",
            }:
                self.idle.append(line)
            else:
                self.close(line)
            raise
        except OSError as error:
            self.close(line)
            category = "timeout" if isinstance(error, TimeoutError) else "no-response"
            raise Broken(category, line.came, reset=True) from None
        if free and "keeps nothing" not in self.flaws:
            self.idle.append(line)
        else:
            self.close(line)
        return value

    def through(self, line: Line, host: str, given: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """Send a request and read its response; return it, and whether the connection is free."""
        fields, body = self.asked(host, given)
        unsent = self.send(line, given, fields, body)
        status, reason, found, version = self.head(line)
        while 100 <= status < 200 and (
            status == 100 or "takes an interim response for the final one" not in self.flaws
        ):
            if status == 101:
                raise Broken("bad-status-line", line.came)
            forgets = "keeps a request whose content a 100 permits" in self.flaws
            if status == 100 and unsent and given.get("expect_continue") and not forgets:
                line.sock.sendall(body or b"")
                unsent = False
            status, reason, found, version = self.head(line)
        content, whole = self.content(line, given.get("method", "GET"), status, found, given)
        is_old = version == "HTTP/1.0" and "takes HTTP/1.0 for HTTP/1.1" not in self.flaws
        says = self.options(value for name, value in found if name == "connection")
        own = "close" in self.options(value for name, value in fields if name == "Connection")
        line.leaks = (own and "never closes after its own close" in self.flaws) or (
            is_old and "never closes after HTTP/1.0" in self.flaws
        )
        reasons = (  # each says that the connection is not free, and names the flaws that ignore it
            ("close" in says or (is_old and "keep-alive" not in says), {REPLY_CLOSE}),
            (own, {"ignores its own close"}),
            (not whole, UNREAD.get(given.get("consume", ""), set())),
            (unsent, UNFINISHED | ({"keeps unfinished chunks"} if "streamed" in given else set())),
            (whole and bool(line.buffer), {"keeps what follows a response", *CARELESS}),
        )
        free = all(flaws & self.flaws for holds, flaws in reasons if holds)
        value = {
            "type": "response",
            "status": status,
            "reason": reason,
            "headers": [[name, value] for name, value in found],
            "body": None if content is None else content.decode("latin-1"),
        }
        return value, free and not self.abandons(given, found)

    def asked(self, host: str, given: dict[str, Any]) -> tuple[list[tuple[str, str]], bytes | None]:
        """Return the fields of a request, and its content with its framing."""
        fields = [("Host", host), *map(tuple, given.get("fields", {"value": ()})["value"])]
        body = given["body"]["value"].encode("latin-1") if "body" in given else None
        if "sends content with the next request" in self.flaws:
            body, self.content_before = self.content_before if body is None else body, body
        if body and "sends no content" in self.flaws:
            body = b""
        if body is not None and given.get("streamed"):
            fields.append(("Transfer-Encoding", "chunked"))
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        elif body is not None or given.get("method") in ("POST", "PUT", "PATCH"):
            body = body or b""
            if not any(name == "Content-Length" for name, _ in fields):
                fields.append(("Content-Length", str(len(body))))
        if given.get("expect_continue"):
            fields.append(("Expect", "100-continue"))
        return fields, body

    def send(
        self, line: Line, given: dict[str, Any], fields: list[tuple[str, str]], body: bytes | None
    ) -> bool:
        """Send the request; return whether content is still to be sent."""
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        target = f"{given.get('method', 'GET')} {given.get('target', '/')}"
        request = f"{target} HTTP/1.1\r\n{head}\r\n".encode("latin-1")
        if given.get("expect_continue"):
            line.sock.sendall(request)
            return True
        if body and "stops an upload and keeps the connection" in self.flaws:
            line.sock.sendall(request)
            came = bool(select.select([line.sock], [], [], WAIT)[0])
            line.sock.sendall(body[:1000] if came else body)
            return came
        line.sock.sendall(request + (body or b""))
        return False

    def options(self, values: Iterable[str]) -> set[str]:
        """Return the connection options of the field lines with *values*."""
        whole = ",".join(values).lower()
        if "ignores close in a list" in self.flaws:
            return {whole}
        return {one.strip() for one in whole.split(",")}

    def abandons(self, given: dict[str, Any], found: list[tuple[str, str]]) -> bool:
        """Whether a flaw ends a connection that is free."""
        in_chunks = "chunked" in dict(found).get("transfer-encoding", "")
        return (given.get("method") == "HEAD" and "keeps nothing after HEAD" in self.flaws) or (
            in_chunks and "keeps nothing after chunks" in self.flaws
        )

    def head(self, line: Line) -> tuple[int, str, list[tuple[str, str]], str]:
        first, *rest = line.through(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, _, words = first.partition(" ")
        code, _, reason = words.partition(" ")
        if not version.startswith("HTTP/1.") or not (len(code) == 3 and code.isdigit()):
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
        if status in (103, 204, 304) or (
            method == "HEAD" and "reads content after HEAD" not in self.flaws
        ):
            return b"", True
        if "upgrade" in named and "leaves the content of a response with Upgrade" in self.flaws:
            return b"", True
        if "chunked" in named.get("transfer-encoding", ""):
            return self.chunks(line), True
        if "content-length" in named:
            if not named["content-length"].isdigit():
                raise Broken("bad-framing", line.came, part="length")
            size = int(named["content-length"])
            if "reads as much as the last time" in self.flaws:
                size = self.size_before = self.size_before or size
            return line.exactly(max(0, size - ("reads one byte too few" in self.flaws))), True
        if "refuses content without a length" in self.flaws:
            raise Broken("bad-framing", line.came)
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
            digits = line.through(b"\r\n").partition(b";")[0]
            try:
                size = int(digits, 16)
            except ValueError:
                size = -1
            if size < 0:
                raise Broken("bad-framing", line.came, part="chunk")
            if not size:
                break
            content += line.exactly(size)
            if line.exactly(2) != b"\r\n":
                raise Broken("bad-framing", line.came)
        while line.through(b"\r\n") and "leaves trailers" not in self.flaws:
            pass
        return content


def small(*flaws: str) -> ClientTarget:
    """Return the client with these flaws."""
    return ClientTarget("client:small", lambda _written: Small(flaws))
