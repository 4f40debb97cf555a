"""The small client over TLS and through proxies: right as it stands, wrong with a flaw."""

import socket
import ssl
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

from conformance.drivers import Identity
from conformance.drivers.base import EXCHANGE, FETCH, Message, Trace
from conformance.drivers.clients import ClientTarget
from conformance.tests.small_client import FEATURES, WAIT, Broken, Line, Small

FLAWS = (
    "trusts any authority",
    "compares no name",
    "asks before it has verified",
    "takes any end of TLS for that of the content",
    "takes a broken record for the end of the content",
    "speaks in clear where TLS fails",
    "takes what comes in clear",
    "goes on in clear where no tunnel is opened",
    "takes any answer for a tunnel",
    "takes a part of an answer for a tunnel",
    "returns the answer of the proxy",
    "reads content of the answer that opens a tunnel",
    "refuses what comes before a tunnel is opened",
    "asks a proxy as an origin",
    "names the proxy in Host",
    "asks for a tunnel without a port",
    "asks a proxy for a URL of https",
    "sends the credentials for its proxy to the origin",
    "sends refused credentials again and again",
    "repeats a challenged request without its content",
)


class Answered(Exception):
    """The proxy has answered in place of the origin."""


class Secure(Small):
    """The client, as a driver in this process.

    Args:
        flaws: what is wrong with it.
        waits: whether it sends its credentials for a proxy only after a 407.
    """

    def __init__(self, flaws: tuple[str, ...] = (), waits: bool = False) -> None:
        super().__init__()
        self.flaws = frozenset(flaws)
        self.waits = waits or "repeats a challenged request without its content" in flaws
        self.challenged = False
        assert self.flaws <= {*FLAWS}
        self.message: Message = {}

    @property
    def identity(self) -> Identity:
        features = frozenset((*FEATURES, "tls", "proxy", "connect", "proxy-credentials"))
        return Identity("client:small", "small", "1", features, frozenset({FETCH, EXCHANGE}))

    def run(self, message: Message) -> Trace:
        self.message = message
        return super().run(message)

    @property
    def credentials(self) -> list[tuple[str, str]]:
        """The field with the credentials for the proxy, where it is to be sent."""
        parts = urlsplit(str(self.message.get("proxy", "")))
        if not parts.username or (self.waits and not self.challenged):
            return []
        encoded = b64encode(f"{parts.username}:{parts.password}".encode()).decode()
        return [("Proxy-Authorization", f"Basic {encoded}")]

    def asked(self, host: str, given: dict[str, Any]) -> tuple[list[tuple[str, str]], bytes | None]:
        fields, body = super().asked(host, given)
        wrong = "sends the credentials for its proxy to the origin" in self.flaws
        return [*fields, *(self.credentials if not self.secure or wrong else [])], body

    def exchange(self, url: str, given: dict[str, Any]) -> dict[str, Any]:
        value = super().exchange(url, given)
        times = 3 if "sends refused credentials again and again" in self.flaws else 0
        times = times or (self.waits and not self.challenged)
        for _ in range(times if value["status"] == 407 else 0):
            self.challenged = True
            if "repeats a challenged request without its content" in self.flaws:
                given.pop("body", None)
            value = super().exchange(url, given)
        self.challenged = False
        return value

    @property
    def secure(self) -> bool:
        return str(self.message["url"]).startswith("https:")

    @property
    def server(self) -> tuple[str, int]:
        """The proxy, or the origin."""
        parts = urlsplit(str(self.message.get("proxy", self.message["url"])))
        return str(parts.hostname), int(parts.port or 0)

    def line(self, _address: tuple[str, int]) -> Line:
        with self.lock:
            while self.idle:
                line = self.idle.pop()
                if self.is_idle(line):
                    return line
                self.close(line)
        return self.dialled()

    def is_idle(self, line: Line) -> bool:
        """Whether nothing came but what TLS says itself, and no end."""
        line.sock.setblocking(False)
        try:
            line.buffer += line.sock.recv(1)
            return False
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False

    def dialled(self) -> Line:
        line = Line(self.server)
        try:
            if "asks a proxy for a URL of https" in self.flaws:
                return line
            if self.secure and "proxy" in self.message:
                self.tunnelled(line)
            if self.secure:
                self.encrypted(line)
        except BaseException:
            self.close(line)
            raise
        return line

    def encrypted(self, line: Line) -> None:
        context = ssl.create_default_context(cafile=self.message["certificates"]["ca"]["chain"])
        context.check_hostname = not self.flaws & {"compares no name"}
        if self.flaws & {"trusts any authority", "asks before it has verified"}:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        name = str(urlsplit(str(self.message["url"])).hostname)
        plain = line.sock
        try:
            # Without this option, Python takes an end without close_notify for a proper one.
            ragged = "takes any end of TLS for that of the content" in self.flaws
            made = context.wrap_socket(plain, server_hostname=name, suppress_ragged_eofs=ragged)
            line.sock = made
        except OSError as error:
            if "speaks in clear where TLS fails" in self.flaws:
                again = line.sock = socket.create_connection(self.server, timeout=WAIT)
                again.sendall(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n")
            if self.flaws & {"takes what comes in clear"} and "WRONG_VERSION" in str(error):
                raise Answered from None
            raise

    def tunnelled(self, line: Line) -> None:
        parts = urlsplit(str(self.message["url"]))
        target = f"{parts.hostname}:{parts.port or 443}"
        if "asks for a tunnel without a port" in self.flaws:
            target = str(parts.hostname)
        fields = "".join(f"{name}: {value}\r\n" for name, value in self.credentials)
        line.sock.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{fields}\r\n".encode())
        try:
            status, _, found, _ = self.head(line)
            while 100 <= status < 200 and status != 101:
                if "refuses what comes before a tunnel is opened" in self.flaws:
                    raise Broken("no-response", line.came)
                status, _, found, _ = self.head(line)
        except Broken:
            if line.came and "takes a part of an answer for a tunnel" in self.flaws:
                line.sock.sendall(b"GET /1 HTTP/1.1\r\nHost: example.test\r\n\r\n")
            raise
        if status // 100 == 2:
            self.opened(line, dict(found).get("content-length", ""))
        elif "takes any answer for a tunnel" not in self.flaws:
            self.refused(line)
        line.buffer = b""

    def opened(self, line: Line, length: str) -> None:
        if "reads content of the answer that opens a tunnel" in self.flaws:
            line.sock.settimeout(0.3)
            line.exactly(int(length) if length.isdigit() else 0)
        if line.buffer:
            raise Broken("bad-framing", line.came)

    def refused(self, line: Line) -> None:
        if "goes on in clear where no tunnel is opened" in self.flaws:
            line.sock.sendall(b"GET /1 HTTP/1.1\r\nHost: example.test\r\n\r\n")
        if "returns the answer of the proxy" in self.flaws:
            raise Answered
        raise Broken("no-response", line.came)

    def once(self, url: str, given: dict[str, Any]) -> dict[str, Any]:
        try:
            value = super().once(url, given)
        except Answered:
            return {"type": "response", "status": 403, "reason": "", "headers": [], "body": "first"}
        except OSError:
            raise Broken("no-response") from None
        if "asks before it has verified" in self.flaws:
            raise Broken("no-response")
        return value

    def through(self, line: Line, host: str, given: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        if "proxy" in self.message and not self.secure:
            if "asks a proxy as an origin" not in self.flaws:
                given = {**given, "target": f"http://{host}{given.get('target', '/')}"}
            if "names the proxy in Host" in self.flaws:
                host = "{}:{}".format(*self.server)
        if "asks a proxy for a URL of https" in self.flaws and self.secure:
            given = {**given, "target": f"https://{host}{given['target']}"}
        try:
            return super().through(line, host, given)
        except ssl.SSLError:
            raise Broken("truncated-body", line.came, reset=True) from None

    def to_the_end(self, line: Line) -> bytes:
        try:
            return super().to_the_end(line)
        except Broken as error:
            if (
                not error.reset
                or "takes a broken record for the end of the content" not in self.flaws
            ):
                raise
            return line.buffer


def secure(*flaws: str, waits: bool = False) -> ClientTarget:
    """Return the client with these flaws; with *waits*, one that waits to be asked."""
    return ClientTarget("client:small", lambda _written: Secure(flaws, waits))
