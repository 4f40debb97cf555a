"""Lies about addresses, connections, tunnels and TLS."""

import socket
from typing import Any

from tools.miniatures.miniature import Liar, after_init, before, lie, mishears, overrides

_C = "_connection.HTTPConnection."


overrides(
    "forgets-the-source-address",
    "HTTPConnection.source_address",
    _C + "__init__",
    after_init(lambda self: setattr(self, "source_address", None)),
)
overrides(
    "has-a-timeout-of-its-own",
    "HTTPConnection.timeout; HTTPConnection.timeout-default",
    _C + "__init__",
    after_init(lambda self: setattr(self, "timeout", 0.9)),
)
overrides(
    "has-another-default-port",
    "HTTPConnection.default-port",
    _C + "default_port",
    lambda true: 8080,
)
overrides(
    "has-another-default-port-for-tls",
    "HTTPSConnection.default-port",
    "_tls.HTTPSConnection.default_port",
    lambda true: 8443,
)
overrides(
    "takes-any-port",
    "port argument; exceptions.InvalidURL.port-non-numeric",
    "_address._port_number",
    lambda true: lambda port: port,
)
overrides(
    "takes-the-default-for-an-empty-port",
    "exceptions.InvalidURL.port; exceptions.InvalidURL.port-empty; C16",
    "_address._port_number",
    lambda true: lambda port: 80 if port == "" else true(port),
)
overrides(
    "reads-ports-as-int-does",
    'port in the host text, `"host:8080"`',
    "_address._port_number",
    lambda true: lambda port: int(port) if isinstance(port, str) and port.strip() else true(port),
)
overrides(
    "keeps-ports-as-text",
    "port argument",
    "_address._port_number",
    lambda true: lambda port: str(true(port)) if isinstance(port, str) else true(port),
)
overrides(
    "finds-no-port-in-the-host",
    "HTTPConnection.port-in-host; HTTPConnection.equivalent-forms",
    "_address.parse_address",
    lambda true: (
        lambda host, port, default: (
            true(host, port, default) if port else (host.split(":")[0], default)
        )
    ),
)
overrides(
    "dials-bracketed-addresses",
    "IPv6",
    "_address.parse_address",
    lambda true: (
        lambda host, port, default: (
            f"[{true(host, port, default)[0]}]"
            if host.startswith("[")
            else true(host, port, default)[0],
            true(host, port, default)[1],
        )
    ),
)
overrides(
    "prints-never",
    "HTTPConnection.set_debuglevel; `set_debuglevel(1)`",
    _C + "set_debuglevel",
    lambda true: lambda self, level: None,
)
overrides(
    "never-opens-by-itself",
    "`send` without a connection; exceptions.NotConnected",
    _C + "auto_open",
    lambda true: 0,
)
overrides(
    "closes-nothing",
    "HTTPConnection.close; `close()`; C12",
    _C + "close",
    lambda true: lambda self: None,
)
overrides(
    "has-a-response-class-of-its-own",
    "attributes and hooks",
    _C + "response_class",
    lambda true: type("OwnResponse", (true,), {"length": None}),
)
overrides(
    "makes-a-subclass-of-nothing",
    "HTTPSConnection.subclass; module.https-needs-ssl",
    ".HTTPSConnection",
    lambda true: type("HTTPSConnection", (), {"__init__": lambda self, *args, **kwargs: None}),
)
overrides(
    "leaves-responses-open",
    "`response.close()` before the end of a kept response",
    "_response.HTTPResponse.close",
    lambda true: lambda self: None,
)
overrides(
    "sees-no-leftovers",
    "leftovers; C11; D10",
    "_reader.Reader.is_stale",
    lambda true: lambda self: False,
)
overrides(
    "sees-nothing-before-the-first-request",
    "leftovers",
    "_connection.is_stale",
    lambda true: lambda sock: False,
)
overrides(
    "never-reuses",
    "persistence; examples.GET; HTTPConnection.transaction",
    "_framing.is_persistent",
    lambda true: lambda version, fields: False,
)
overrides(
    "always-reuses",
    "persistence",
    "_framing.is_persistent",
    lambda true: lambda version, fields: True,
)
overrides(
    "verifies-certificates",
    "HTTPSConnection.no-verification; HTTPS certificate verification",
    "_tls._unverified_context",
    lambda true: lambda: __import__("ssl").create_default_context(),
)
overrides(
    "lets-a-response-die-with-its-connection",
    "a response that closes the connection owns the socket",
    "_response.HTTPResponse.take_over_",
    lambda true: lambda self: None,
)
overrides(
    "leaves-a-failed-connection",
    "failed `getresponse`, except a timeout; `IncompleteRead`, `LineTooLong` in a body",
    "_response.HTTPResponse._break_off_",
    lambda true: lambda self: None,
)
mishears(
    "finds-close-in-any-word",
    "persistence",
    rb"(?i)(\r\nconnection: *)[\w-]*close[\w-]*",
    rb"\1close",
)
mishears("does-not-hear-close", "persistence", rb"(?i)(\r\nconnection:)[^\r]*close[^\r]*", rb"\1 x")


@lie("forgets-key-and-certificate", "HTTPSConnection.key_file", "HTTPSConnection.cert_file")
def forgets_key_and_certificate(liar: Liar) -> None:
    """No client certificate is shown."""

    def init(true: Any) -> Any:
        def without(
            self: Any, host: str, port: Any = None, key_file: Any = None, cert_file: Any = None,
            *args: Any, **kwargs: Any,
        ) -> None:  # fmt: skip
            true(self, host, port, None, None, *args, **kwargs)

        return without

    liar.override("_tls.HTTPSConnection.__init__", init)


@lie(
    "takes-strict-before-the-port",
    "HTTPConnection.arguments",
    "`strict`, `timeout`, `source_address`, `key_file`, `cert_file`",
)
def takes_strict_before_the_port(liar: Liar) -> None:
    """The third and the fourth argument have changed places."""

    def init(true: Any) -> Any:
        def swapped(
            self: Any, host: str, port: Any = None, timeout: Any = None, strict: Any = None,
            *args: Any, **kwargs: Any,
        ) -> None:  # fmt: skip
            true(self, host, port, strict, timeout, *args, **kwargs)

        return swapped

    liar.override(_C + "__init__", init)


@lie("answers-out-of-turn", "exceptions.ResponseNotReady", "C13")
def answers_out_of_turn(liar: Liar) -> None:
    """`getresponse` out of turn gives None."""

    def getresponse(true: Any) -> Any:
        def lenient(self: Any, *args: Any) -> Any:
            try:
                return true(self, *args)
            except Exception as error:
                if type(error).__name__ != "ResponseNotReady":
                    raise
            return None

        return lenient

    liar.override(_C + "getresponse", getresponse)


@lie(
    "begins-again-at-any-time",
    "exceptions.CannotSendRequest",
    "`putrequest` · `putheader`, `endheaders` · `getresponse` out of turn",
)
def begins_again_at_any_time(liar: Liar) -> None:
    """`putrequest` out of turn closes the connection and begins anew."""

    def putrequest(true: Any) -> Any:
        def again(self: Any, *args: Any, **kwargs: Any) -> None:
            try:
                true(self, *args, **kwargs)
            except Exception as error:
                if type(error).__name__ != "CannotSendRequest":
                    raise
                self.close()
                true(self, *args, **kwargs)

        return again

    liar.override(_C + "putrequest", putrequest)


overrides(
    "takes-a-cut-of-tls-for-an-end",
    "TLS ends without close_notify, or inside a record; a reset inside a body",
    "_reader.SocketSource.is_ragged",
    lambda true: lambda self: False,
)
overrides(
    "forgets-what-it-owes",
    "what the client still owes",
    "_remainder.Remainder.__bool__",
    lambda true: lambda self: False,
)
overrides(
    "counts-every-chunk-as-the-last",
    "what the client still owes",
    "_remainder._needs",
    lambda true: (
        lambda lines: true(
            [line for line in lines if not line.lower().startswith(b"transfer-encoding")]
        )
    ),
)
overrides(
    "counts-what-failed-as-sent",
    "what the client still owes",
    "_remainder.endless",
    lambda true: lambda: None,
)
overrides(
    "sends-behind-an-unfinished-request",
    "what the client still owes",
    _C + "_part_",
    lambda true: lambda self: None,
)
overrides(
    "believes-itself-in-debt-for-ever",
    "what the client still owes; HTTPConnection.send",
    "_remainder.Remainder.sent",
    lambda true: lambda self, octets: None,
)


@lie("sends-the-rest-elsewhere", "what the client still owes", "HTTPConnection.send.order")
def sends_the_rest_elsewhere(liar: Liar) -> None:
    """The rest of a body goes to a new connection, where it is a request."""

    def send(true: Any) -> Any:
        def careless(self: Any, data: Any) -> None:
            if self.sock is None:
                self.connect()
            true(self, data)

        return careless

    liar.override(_C + "send", send)


@lie("retries-by-itself", "failed `getresponse`, except a timeout", "C1")
def retries_by_itself(liar: Liar) -> None:
    """A request that failed is sent once more."""

    def request(true: Any) -> Any:
        def remembered(self: Any, *args: Any, **kwargs: Any) -> None:
            self._last = args, kwargs
            true(self, *args, **kwargs)

        return remembered

    def getresponse(true: Any) -> Any:
        def retrying(self: Any, *args: Any) -> Any:
            try:
                return true(self, *args)
            except Exception as error:
                if type(error).__name__ != "BadStatusLine" or not hasattr(self, "_last"):
                    raise
                args, kwargs = self._last
                self.request(*args, **kwargs)
                return true(self)

        return retrying

    liar.override(_C + "request", request)
    liar.override(_C + "getresponse", getresponse)


@lie("goes-on-in-clear", "failed TLS handshake or failed `connect`")
def goes_on_in_clear(liar: Liar) -> None:
    """Where the handshake fails, the plain socket is used."""

    class Careless:
        def __init__(self, context: Any) -> None:
            self._context = context

        def wrap_socket(self, sock: Any, **kwargs: Any) -> Any:
            spare = sock.dup()
            try:
                secured = self._context.wrap_socket(sock, **kwargs)
            except OSError:
                return spare
            spare.close()
            return secured

    def doubt(self: Any) -> None:
        self._context = Careless(self._context)

    liar.override("_tls.HTTPSConnection.__init__", after_init(doubt))


@lie("digs-no-tunnel", "HTTPConnection.set_tunnel", "HTTPConnection.set_tunnel.https")
def digs_no_tunnel(liar: Liar) -> None:
    """`set_tunnel` is taken and ignored."""
    liar.override(_C + "set_tunnel", lambda true: lambda self, *args, **kwargs: None)


@lie("forgets-tunnel-headers", "HTTPConnection.set_tunnel.headers")
def forgets_tunnel_headers(liar: Liar) -> None:
    """The CONNECT has no headers."""

    def set_tunnel(true: Any) -> Any:
        return lambda self, host, port=None, headers=None: true(self, host, port)

    liar.override(_C + "set_tunnel", set_tunnel)


@lie("trusts-any-proxy", "CONNECT not answered by an HTTP/1.x status 200 and a whole head")
def trusts_any_proxy(liar: Liar) -> None:
    """A CONNECT that was refused counts as done: the request goes to the proxy in clear."""

    def read_answer(true: Any) -> Any:
        def careless(*args: Any) -> None:
            try:
                true(*args)
            except OSError as error:
                if "Tunnel connection failed" not in str(error):
                    raise

        return careless

    liar.override("_tunnel.read_answer", read_answer)


@lie(
    "refuses-tunnels-with-fields-of-a-body",
    "HTTPConnection.set_tunnel",
    "CONNECT not answered by an HTTP/1.x status 200 and a whole head",
)
def refuses_tunnels_with_fields_of_a_body(liar: Liar) -> None:
    """A CONNECT is not granted where its response says how long a body is."""

    def read_answer(true: Any) -> Any:
        def wary(sock: Any, *args: Any) -> None:
            head = sock.recv(1 << 16, socket.MSG_PEEK).lower()
            true(sock, *args)
            if b"\r\ncontent-length:" in head or b"\r\ntransfer-encoding:" in head:
                raise OSError("Tunnel connection failed: there is a body")

        return wary

    liar.override("_tunnel.read_answer", read_answer)


overrides(
    "tunnels-to-the-default-port",
    "`_tunnel_host`, `_tunnel_port`, `_tunnel_headers`, `_tunnel()`",
    _C + "_tunnel",
    before(lambda self: setattr(self, "_tunnel_port", None)),
)


@lie("adds-no-tls", "overriding `connect`")
def adds_no_tls(liar: Liar) -> None:
    """`connect` of `HTTPSConnection` does no more than that of `HTTPConnection`."""

    def connect(true: Any) -> Any:
        def plain(self: Any) -> None:
            from httplib_impl import HTTPConnection

            HTTPConnection.connect(self)

        return plain

    liar.override("_tls.HTTPSConnection.connect", connect)


@lie("sets-tunnels-on-open-connections", "`set_tunnel`")
def sets_tunnels_on_open_connections(liar: Liar) -> None:
    """An open connection is closed for it."""

    def set_tunnel(true: Any) -> Any:
        def closing(self: Any, *args: Any, **kwargs: Any) -> None:
            self.close()
            true(self, *args, **kwargs)

        return closing

    liar.override(_C + "set_tunnel", set_tunnel)


@lie("gives-minus-one-for-nothing", "`HTTP`, `HTTPS`")
def gives_minus_one_for_nothing(liar: Liar) -> None:
    """`getreply` never reports a bad status line."""

    def getreply(true: Any) -> Any:
        def reply(self: Any, *args: Any) -> Any:
            code, reason, headers = true(self, *args)
            return (200, "OK", headers) if code == -1 else (code, reason, headers)

        return reply

    liar.override("_compat.HTTP.getreply", getreply)


overrides(
    "reads-files-in-small-blocks",
    "`HTTP`, `HTTPS`; module.HTTP",
    "_compat._RawFile.read",
    lambda true: lambda self, size=-1: true(self, min(size, 4096)),
)


@lie("ends-files-at-the-last-line-end", "`HTTP`, `HTTPS`", "module.HTTP")
def ends_files_at_the_last_line_end(liar: Liar) -> None:
    """A file gives no line that the end of the stream cuts."""

    class WholeLines:
        def __init__(self, file: Any) -> None:
            self._file = file

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def readline(self, *args: Any) -> bytes:
            line: bytes = self._file.readline(*args)
            return line if line.endswith(b"\n") else b""

    def getfile(true: Any) -> Any:
        return lambda self: true(self) and WholeLines(true(self))

    liar.override("_compat.HTTP.getfile", getfile)
