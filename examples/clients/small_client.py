"""A small HTTP/1.1 client with the interface of `httplib`, and with bugs that clients often have.

It is here to be judged.  In this directory, `httplib-kit check small_client` shows what the kit
reports about a client that is new to it; mend one bug after the other, and see what is left.
"""

import re
import socket
import ssl
from http.client import *  # the exceptions


class HTTPResponse:
    def __init__(self, sock, debuglevel=0, strict=0, method=None):  # noqa: ARG002 # not printed
        self._file = sock.makefile("rb")
        self._method, self._strict = method, strict
        self.msg, self.status, self.reason, self.version = None, None, None, None
        self.will_close, self.chunked, self.length, self._left = True, False, None, 0

    def begin(self):
        while self.status is None or self.status in (100, *range(102, 200)):
            self._read_head()
        self.will_close = self.version < 11
        self.chunked = self.getheader("transfer-encoding", "").strip().lower() == "chunked"
        length = self.getheader("content-length", "").strip()
        self.length = int(length) if re.fullmatch("[0-9]+", length) and not self.chunked else None
        if self._method == "HEAD" or self.status in (101, 304):
            self.length, self.chunked = 0, False
        if self.length is None and not self.chunked:
            self.will_close = True
        if self.length == 0:
            self.close()

    def _read_head(self):
        line = self._file.readline(65537).decode("latin-1")
        if not re.match(r"HTTP/1\.[0-9]+ +[1-9][0-9][0-9]( |$)", line.rstrip("\r\n")):
            raise BadStatusLine(line or "No status line received")
        version, status, self.reason = [*line.split(), ""][:3]
        self.version, self.status = 10 if version == "HTTP/1.0" else 11, int(status)
        self.msg = {}
        for line in iter(self._file.readline, b""):
            line = line.decode("latin-1").rstrip("\r\n")
            if not line:
                break
            name, colon, value = line.partition(":")
            if colon and name:
                name, value = name.lower(), value.strip()
                self.msg[name] = f"{self.msg[name]}, {value}" if name in self.msg else value

    def isclosed(self):
        return self._file is None

    def close(self):
        if self._file is not None:
            self._file.close()
            self._file = None

    def getheader(self, name, default=None):
        if self.msg is None:
            raise ResponseNotReady()
        return self.msg[name.lower()] if default is None else self.msg.get(name.lower(), default)

    def getheaders(self):
        if self.msg is None:
            raise ResponseNotReady()
        return list(self.msg.items())

    def read(self, amt=None):
        if self._file is None:
            return b""
        if self.chunked:
            return self._read_chunked(amt)
        wanted = self.length if amt is None or amt < 0 else amt
        if self.length is not None:
            wanted = min(wanted, self.length)
        body = self._file.read(wanted)
        if self.length is not None:
            self.length -= len(body)
        if not self.length and not (self.length is None and body and wanted is not None):
            self.close()
        return body

    def _read_chunked(self, amt):
        body = b""
        while amt is None or amt < 0 or len(body) < amt:
            if not self._left:
                line = self._file.readline(65537)
                self._left = int(line, 16)
                if not self._left:
                    self.close()
                    break
            wanted = self._left if amt is None or amt < 0 else min(self._left, amt - len(body))
            data = self._file.read(wanted)
            if len(data) < wanted:
                self.close()
                raise IncompleteRead(body + data, wanted - len(data))
            body, self._left = body + data, self._left - len(data)
            if not self._left:
                self._file.read(2)
        return body


class HTTPConnection:
    default_port = 80
    response_class = HTTPResponse

    def __init__(self, host, port=None, strict=None, timeout=None, source_address=None):
        name, colon, digits = host.rpartition(":") if not host.endswith("]") else ("", "", "")
        if port is None and colon:
            host, port = name, digits
        port = self.default_port if port is None else port
        if not re.fullmatch("[0-9]+", str(port)) or int(port) > 65535:
            raise InvalidURL(f"the port {port!r} is not a number from 0 to 65535")
        if re.search(r"[\x00-\x20\x7f]", host):
            raise InvalidURL(f"the host {host!r} has a blank or a control character")
        self.host, self.port, self.strict = host.strip("[]"), int(port), strict
        self.timeout, self.source_address = timeout, source_address
        self.sock, self._state, self._response, self._lines = None, "idle", None, []

    def connect(self):
        self.sock = socket.create_connection(
            (self.host, self.port), self.timeout, self.source_address
        )

    def close(self):
        if self.sock is not None:
            self.sock.close()
        self.sock, self._state, self._response = None, "idle", None

    def request(self, method, url, body=None, headers=()):
        headers = dict(headers)
        names = {name.lower() for name in headers}
        self.putrequest(method, url, "host" in names, "accept-encoding" in names)
        if isinstance(body, str):
            body = body.encode("latin-1")
        elif hasattr(body, "read"):
            body = body.read()
        if "content-length" not in names and (body is not None or method in ("POST", "PUT")):
            self.putheader("Content-Length", len(body or b""))
        for name, value in headers.items():
            self.putheader(name, value)
        self.endheaders(body)

    def putrequest(self, method, url, skip_host=False, skip_accept_encoding=False):
        if self._state == "idle" and self._response is not None and self._response.isclosed():
            self._response = None
        if self._state != "idle":
            raise CannotSendRequest()
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", method):
            raise ValueError(f"the method {method!r} is not a token")
        if not re.fullmatch(r"[\x21-\x7e]*", url or "/"):
            raise InvalidURL(f"the URL {url!r} has a blank or a control character")
        self._method, self._lines = method, [f"{method} {url or '/'} HTTP/1.1"]
        self._state = "headers"
        if not skip_host:
            host = f"[{self.host}]" if ":" in self.host else self.host
            self.putheader(
                "Host", host if self.port == self.default_port else f"{host}:{self.port}"
            )
        if not skip_accept_encoding:
            self.putheader("Accept-Encoding", "identity")

    def putheader(self, name, *values):
        if self._state != "headers":
            raise CannotSendHeader()
        texts = [one.decode("latin-1") if isinstance(one, bytes) else str(one) for one in values]
        if not re.fullmatch(r"[^:\s][^:\r\n\0]*", name) or re.search(r"[\r\n\0]", "".join(texts)):
            raise ValueError(f"the field {name!r} cannot be sent")
        self._lines.append(name + ": " + "\r\n\t".join(texts))

    def endheaders(self, message_body=None):
        if self._state != "headers":
            raise CannotSendHeader()
        self._state = "sent"
        head = "\r\n".join([*self._lines, "", ""]).encode("latin-1")
        self._send(head + bytes(message_body or b""))

    def _send(self, data):
        if self.sock is None:
            self.connect()
        self.sock.sendall(data)

    def getresponse(self):
        if self._state != "sent" or self._response is not None:
            raise ResponseNotReady()
        response = self.response_class(self.sock, strict=self.strict, method=self._method)
        try:
            response.begin()
        except (HTTPException, OSError):
            self.close()
            raise
        self._state, self._response = "idle", response
        if response.will_close:
            self.close()
        return response


class HTTPSConnection(HTTPConnection):
    default_port = 443

    def connect(self):
        super().connect()
        context = ssl._create_unverified_context()
        self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
