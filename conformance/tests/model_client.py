"""A model solution of the course, in levels: at level k it passes stage k, and not stage k + 1.

It is not installed, so that no student meets it.  Each ``self.level >= k`` below is what stage k
teaches; `Levelled` is its driver, in this process.
"""

import contextlib
import re
import select
import socket

from conformance.drivers import EXCHANGE, FETCH, Driver, Identity, Message, Trace, checked_trace

_STATUS = re.compile(rb"HTTP/1\.[0-9] ([0-9]{3})(?: ([^\r\n]*))?")
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LINE, _LINES, _INTERIM = 65536, 200, 200


class HTTPError(Exception):
    """A response that is rejected."""


class Model:
    """A client of one server.

    Args:
        host: the address.
        port: the port.
        level: how many stages it has passed.
    """

    def __init__(self, host: str, port: int, level: int) -> None:
        self.host, self.port, self.level = host, port, level
        self.sock: socket.socket | None = None
        self.kept = b""

    def exchange(
        self, method: str, target: str, fields: list[tuple[str, str]], body: bytes | None
    ) -> dict[str, object]:
        """Send a request and return the parts of the response to it."""
        was_used = self.sock is not None
        try:
            response = self._once(method, target, fields, body)
        except (HTTPError, OSError):
            nothing_came = not self.kept and self.sock is not None
            self.close()
            safe = self.level < 17 or method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")
            if not (self.level >= 16 and was_used and safe and nothing_came and self.silent):
                raise
            response = self._once(method, target, fields, body)
        return response

    def close(self) -> None:
        """End the connection."""
        if self.sock is not None:
            self.sock.close()
        self.sock, self.kept = None, b""

    def _once(
        self, method: str, target: str, fields: list[tuple[str, str]], body: bytes | None
    ) -> dict[str, object]:
        self.silent = True
        if self.level >= 16 and self.sock is not None and (self.kept or self._readable()):
            self.close()
        if self.sock is None:
            self.sock = socket.create_connection((self.host, self.port))
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        if self.level >= 14:
            lines += [f"{name}: {value}" for name, value in fields]
            if body is not None or method in ("POST", "PUT", "PATCH"):
                lines.append(f"Content-Length: {len(body or b'')}")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        sent = head + (body or b"" if self.level >= 14 else b"")
        try:
            self.sock.sendall(sent)
        except OSError:
            if self.level < 17 or not self._readable():
                raise
        response = self._response(method)
        asked = [value for name, value in fields if name.lower() == "connection"]
        options = ", ".join([*asked, *self._all("connection")]).lower().split(",")
        closing = "close" in [one.strip() for one in options]
        if self.level < 15 or (self.level >= 16 and (closing or self.to_the_end or self.old)):
            self.close()
        return response

    def _readable(self) -> bool:
        assert self.sock is not None
        return bool(select.select([self.sock], [], [], 0)[0])

    def _more(self) -> bytes:
        assert self.sock is not None
        try:
            data = self.sock.recv(65536)
        except OSError:
            if self.level >= 13:
                raise
            return b""
        self.silent = self.silent and not data
        return data

    def _line(self, *, strict: bool = False) -> bytes:
        while b"\n" not in self.kept:
            if self.level >= 18 and len(self.kept) > _LINE:
                raise HTTPError("a line is too long")
            data = self._more()
            if not data:
                if self.level >= 2:
                    raise HTTPError("the stream ends in a line")
                line, self.kept = self.kept, b""
                return line
            self.kept += data
        line, _, self.kept = self.kept.partition(b"\n")
        if strict and self.level >= 18 and not line.endswith(b"\r"):
            raise HTTPError("a line of the chunks ends without CR")
        return line.removesuffix(b"\r")

    def _exactly(self, count: int) -> bytes:
        parts, length = [self.kept], len(self.kept)
        while length < count:
            data = self._more()
            if not data:
                if self.level >= 5:
                    raise HTTPError("the stream ends in the content")
                break
            parts.append(data)
            length += len(data)
        whole = b"".join(parts)
        self.kept = whole[count:]
        return whole[:count]

    def _rest(self) -> bytes:
        parts = [self.kept, *iter(self._more, b"")]
        self.kept = b""
        return b"".join(parts)

    def _response(self, method: str) -> dict[str, object]:
        self.fields: list[tuple[bytes, bytes]] = []
        self.to_the_end = False
        line = self._line()
        if self.level < 2:
            return {"status": int(line[9:12])}
        found = _STATUS.fullmatch(line)
        if not found:
            raise HTTPError(f"not a status line: {line!r:.40}")
        status, reason = int(found[1]), (found[2] or b"").decode("latin-1")
        self.old = line.startswith(b"HTTP/1.0")
        parts: dict[str, object] = {"status": status, "reason": reason}
        if self.level < 3:
            return parts
        self._head()
        heads = 0
        while self.level >= 12 and 100 <= status < 200 and status != 101:
            heads += 1
            if self.level >= 18 and heads > _INTERIM:
                raise HTTPError("too many interim responses")
            self.fields = []
            line = self._line()
            found = _STATUS.fullmatch(line)
            if not found:
                raise HTTPError(f"not a status line: {line!r:.40}")
            status, reason = int(found[1]), (found[2] or b"").decode("latin-1")
            self.old = line.startswith(b"HTTP/1.0")
            parts = {"status": status, "reason": reason}
            self._head()
        if self.old and "keep-alive" in ", ".join(self._all("connection")).lower():
            self.old = False
        parts["headers"] = [(a.decode("latin-1"), b.decode("latin-1")) for a, b in self.fields]
        if self.level >= 5:
            parts["body"] = self._content(method, status)
        return parts

    def _head(self) -> None:
        count = 0
        while line := self._line():
            count += 1
            if self.level >= 18 and count > _LINES:
                raise HTTPError("too many field lines")
            if line[:1] in b" \t" and self.fields and self.level >= 4:
                name, value = self.fields[-1]
                self.fields[-1] = (name, (value + b" " + line.strip(b" \t")).strip(b" \t"))
                continue
            name, colon, value = line.partition(b":")
            if not colon or not _TOKEN.fullmatch(name):
                raise HTTPError(f"not a field line: {line!r:.40}")
            self.fields.append((name, value.strip(b" \t")))

    def _all(self, name: str) -> list[str]:
        wanted = name.encode()
        return [v.decode("latin-1") for n, v in self.fields if n.lower() == wanted]

    def _content(self, method: str, status: int) -> bytes:
        if self.level >= 8 and (status in (204, 304) or 100 <= status < 200):
            return b""
        if self.level >= 14 and method == "HEAD":
            return b""
        codings = [
            one.strip().lower() for one in ",".join(self._all("transfer-encoding")).split(",")
        ]
        codings = [one for one in codings if one]
        lengths = self._all("content-length")
        if self.level >= 11 and codings:
            if codings != ["chunked"] or lengths:
                raise HTTPError("the end of the content is not certain")
            return self._chunked()
        if lengths:
            return self._by_length(lengths)
        if self.level >= 9 and codings == ["chunked"]:
            return self._chunked()
        if self.level >= 7:
            self.to_the_end = True
            return self._rest()
        return b""

    def _by_length(self, lengths: list[str]) -> bytes:
        if self.level >= 6:
            values = {one.strip(" \t") for text in lengths for one in text.split(",")}
            if len(values) > 1 or not all(re.fullmatch("[0-9]{1,18}", one) for one in values):
                raise HTTPError(f"not a length: {lengths}")
            return self._exactly(int(values.pop()))
        digits = re.match("[0-9]+", lengths[0])
        return self._exactly(int(digits[0]) if digits else 0)

    def _chunked(self) -> bytes:
        body = b""
        while True:
            try:
                line = self._line(strict=True).partition(b";")[0].rstrip(b" \t")
            except HTTPError:
                if self.level >= 10:
                    raise
                return body
            if self.level >= 10 and not re.fullmatch(rb"0*[0-9A-Fa-f]{1,16}", line):
                raise HTTPError(f"not a chunk-size: {line!r:.40}")
            digits = re.match(rb"[0-9A-Fa-f]+", line)
            size = int(digits[0], 16) if digits else 0
            if not size:
                break
            if self.level < 10:
                with contextlib.suppress(HTTPError):
                    body += self._exactly(size)
                    self._exactly(2)
                continue
            body += self._exactly(size)
            if self._exactly(2) != b"\r\n":
                raise HTTPError("no CRLF after the data of a chunk")
        count = 0
        with contextlib.suppress(HTTPError) if self.level < 10 else contextlib.nullcontext():
            while self._line():
                count += 1
                if self.level >= 18 and count > _LINES:
                    raise HTTPError("too many trailers")
        return body


class Levelled:
    """The model at one level, as an implementation that runs in this process.

    Args:
        level: how many stages it has passed.
    """

    is_reference = False

    def __init__(self, level: int) -> None:
        self.level = level
        self.written = f"exec:model-{level}"

    def make(self) -> Driver:
        """Return its driver."""
        return _ModelDriver(self)


class _ModelDriver(Driver):
    def __init__(self, one: Levelled) -> None:
        self._level = one.level
        self._client: Model | None = None
        ops = frozenset({FETCH, EXCHANGE})
        self._identity = Identity(one.written, "model", str(one.level), frozenset(), ops)

    @property
    def identity(self) -> Identity:
        return self._identity

    def run(self, message: Message) -> Trace:
        host, port = message["address"]
        client = self._client = self._client or Model(host, port, self._level)
        trace = [self._entry(client, op) for op in message["ops"]]
        return checked_trace(message["ops"], {"serial": 1, "trace": trace})

    def _entry(self, client: Model, op: Message) -> Message:
        asked = op["kwargs"]
        fields = [(a, b) for a, b in asked["fields"]["value"]] if "fields" in asked else []
        body = asked["body"]["value"].encode("latin-1") if "body" in asked else None
        method = asked.get("method", "GET")
        try:
            got = client.exchange(method, asked.get("target", "/"), fields, body)
        except (HTTPError, OSError) as error:
            fact = {"class": type(error).__name__, "message": str(error)}
            return {"id": op["id"], "error": fact}
        parts = {"status": None, "reason": None, "headers": None, "body": None, **got}
        if isinstance(parts["body"], bytes):
            parts["body"] = parts["body"].decode("latin-1")
        return {"id": op["id"], "value": {"type": "response", **parts}}

    def release(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None

    def kill(self) -> bool:
        return False

    def stop(self) -> None:
        self.release()
