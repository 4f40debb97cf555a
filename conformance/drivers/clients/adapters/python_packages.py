"""Further clients in Python, each as one function: a URL in, status, reason, fields, content out.

`python_client.py` loads this file for a client that `python_sessions.py` does not have; a part of a
response that a client does not report is None. Each function imports its client, since one of them
runs in a process. None makes sessions.
"""

import asyncio
import contextlib
import functools
import os
import socket
import tempfile
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 5
Response = tuple[int | None, Any, Any, Any]


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop


def _awaited(work: Coroutine[Any, Any, Any]) -> Any:
    return _loop().run_until_complete(asyncio.wait_for(work, TIMEOUT))


def niquests(url: str) -> Response:
    """`niquests`, a `Session` without the environment."""
    import niquests

    with niquests.Session() as session:
        session.trust_env = False
        answer = session.get(url, timeout=TIMEOUT, allow_redirects=False)
        return answer.status_code, answer.reason, answer.headers.items(), answer.content


def httpcore(url: str) -> Response:
    """`httpcore`, a `ConnectionPool`."""
    import httpcore

    times = dict.fromkeys(("read", "connect", "pool"), TIMEOUT)
    with httpcore.ConnectionPool() as pool:
        answer = pool.request("GET", url, extensions={"timeout": times})
        return (
            answer.status,
            answer.extensions.get("reason_phrase"),
            answer.headers,
            answer.content,
        )


def httpx2(url: str) -> Response:
    """`httpx2`, a synchronous `Client`."""
    import httpx2

    with httpx2.Client(trust_env=False, timeout=TIMEOUT) as client:
        answer = client.get(url)
        return answer.status_code, answer.reason_phrase, answer.headers.raw, answer.content


def tornado(url: str) -> Response:
    """`tornado`, its own client."""
    from tornado.httpclient import AsyncHTTPClient

    return _tornado(url, lambda: AsyncHTTPClient(force_instance=True))


def tornado_curl(url: str) -> Response:
    """`tornado` with libcurl."""
    from tornado.curl_httpclient import CurlAsyncHTTPClient

    return _tornado(url, lambda: CurlAsyncHTTPClient(force_instance=True))


def _tornado(url: str, opened: Callable[[], Any]) -> Response:
    from tornado.httpclient import HTTPRequest

    asked = HTTPRequest(
        url, follow_redirects=False, decompress_response=False, request_timeout=TIMEOUT
    )

    async def fetch() -> Any:
        with contextlib.closing(opened()) as client:
            return await client.fetch(asked, raise_error=False)

    answer = _awaited(fetch())
    if answer.error is not None and answer.code == 599:
        raise answer.error
    return answer.code, answer.reason, answer.headers.get_all(), answer.body


@functools.cache
def _reactor() -> Any:
    from twisted.internet import asyncioreactor

    asyncioreactor.install(_loop())
    from twisted.internet import reactor

    reactor.startRunning(installSignalHandlers=False)
    return reactor


def _of_twisted(asked: Callable[[], Any], read: Callable[[Any], Any]) -> Response:
    from twisted.internet import defer

    @defer.inlineCallbacks  # type: ignore[untyped-decorator, unused-ignore]
    def fetch() -> Any:
        answer = yield asked()
        content = yield read(answer)
        return answer, content

    answer, content = _awaited(_future(fetch()))
    fields = [(name, one) for name, values in answer.headers.getAllRawHeaders() for one in values]
    return answer.code, answer.phrase, fields, content


async def _future(deferred: Any) -> Any:
    return await deferred.asFuture(_loop())


def twisted(url: str) -> Response:
    """`twisted`, an `Agent`."""
    reactor = _reactor()
    from twisted.web.client import Agent, readBody

    agent = Agent(reactor, connectTimeout=TIMEOUT)
    return _of_twisted(lambda: agent.request(b"GET", url.encode()), readBody)


def treq(url: str) -> Response:
    """`treq`."""
    _reactor()
    import treq

    return _of_twisted(lambda: treq.get(url, allow_redirects=False, persistent=False), treq.content)


def _connected(url: str) -> socket.socket:
    where = urlsplit(url)
    return socket.create_connection((where.hostname, where.port), timeout=TIMEOUT)


def h11(url: str) -> Response:
    """`h11`, which parses what a socket gives; the loop is the adapter's."""
    import h11

    client, where = h11.Connection(our_role=h11.CLIENT), urlsplit(url)
    head, content = None, b""
    asked = h11.Request(method="GET", target=where.path or "/", headers=[("Host", where.netloc)])
    with _connected(url) as sock:
        sock.sendall(client.send(asked) + client.send(h11.EndOfMessage()))
        while type(event := client.next_event()) is not h11.EndOfMessage:
            if event is h11.NEED_DATA:
                client.receive_data(sock.recv(65536))
            elif event is h11.PAUSED:
                raise h11.RemoteProtocolError("the protocol was switched")
            elif type(event) is h11.Response:
                head = event
            elif type(event) is h11.Data:
                content += event.data
    return head.status_code, head.reason, head.headers.raw_items(), content


def httptools(url: str) -> Response:  # noqa: C901 # its callbacks stand in it
    """`httptools`, which parses what a socket gives; the loop is the adapter's."""
    import httptools

    class Seen:
        done, content, reason, fields = False, b"", b"", []

        def on_message_begin(self) -> None:
            if not self.done:  # a second response can follow in the same bytes
                self.fields, self.reason = [], b""

        def on_status(self, text: bytes) -> None:
            self.reason += b"" if self.done else text

        def on_header(self, name: bytes, value: bytes) -> None:
            if not self.done:
                self.fields.append((name, value))

        def on_body(self, data: bytes) -> None:
            self.content += b"" if self.done else data

        def on_message_complete(self) -> None:
            code = parser.get_status_code()
            if not self.done and code >= 200:
                self.done, self.status = True, code

    seen = Seen()
    parser = httptools.HttpResponseParser(seen)
    where = urlsplit(url)
    with _connected(url) as sock:
        sock.sendall(f"GET {where.path or '/'} HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
        while not seen.done:
            data = sock.recv(65536)
            if not data:  # it has no call for the end of the connection
                raise EOFError("the connection ended before the message")
            parser.feed_data(data)
    return seen.status, seen.reason, seen.fields, seen.content


def primp(url: str) -> Response:
    """`primp`."""
    import primp

    answer = primp.Client(follow_redirects=False, timeout=TIMEOUT).get(url)
    return answer.status_code, None, answer.headers.items(), answer.content


def pyreqwest(url: str) -> Response:
    """`pyreqwest`, its synchronous client."""
    from pyreqwest.client import SyncClientBuilder

    made = SyncClientBuilder().timeout(timedelta(seconds=TIMEOUT)).follow_redirects(False)
    with made.no_proxy().build() as client:
        answer = client.get(url).build().send()
        return answer.status, None, answer.headers.items(), bytes(answer.bytes())


def rnet(url: str) -> Response:
    """`rnet`, its blocking client."""
    from rnet import BlockingClient

    return _of_rnet(BlockingClient(timeout=TIMEOUT, allow_redirects=False).get(url))


def wreq(url: str) -> Response:
    """`wreq`, its blocking client."""
    from wreq.blocking import Client

    return _of_rnet(Client().get(url))


def _of_rnet(answer: Any) -> Response:
    status = getattr(answer, "status_code", None) or answer.status
    content = answer.bytes()
    fields = answer.headers.items() if hasattr(answer.headers, "items") else answer.headers
    return int(getattr(status, "as_int", lambda: status)()), None, fields, content


def impit(url: str) -> Response:
    """`impit`."""
    import impit

    answer = impit.Client(follow_redirects=False, timeout=TIMEOUT).get(url)
    return answer.status_code, answer.reason_phrase, answer.headers.items(), answer.content


def httpr(url: str) -> Response:
    """`httpr`."""
    import httpr

    answer = httpr.Client(timeout=TIMEOUT, follow_redirects=False).get(url)
    return answer.status_code, None, answer.headers.items(), answer.content


def curl_cffi(url: str) -> Response:
    """`curl_cffi`, in the manner of requests."""
    from curl_cffi import requests

    answer = requests.get(url, timeout=TIMEOUT, allow_redirects=False)
    return answer.status_code, answer.reason, answer.headers.multi_items(), answer.content


def aiosonic(url: str) -> Response:
    """`aiosonic`."""
    import aiosonic

    async def fetch() -> Response:
        async with aiosonic.HTTPClient() as client:
            times = aiosonic.timeout.Timeouts(request_timeout=TIMEOUT)
            answer = await client.get(url, timeouts=times)
            return answer.status_code, None, answer.headers.items(), await answer.content()

    return _awaited(fetch())


def geventhttpclient(url: str) -> Response:
    """`geventhttpclient`."""
    from geventhttpclient import HTTPClient

    options = {"concurrency": 1, "network_timeout": TIMEOUT, "connection_timeout": TIMEOUT}
    with contextlib.closing(HTTPClient.from_url(url, **options)) as client:
        answer = client.get(urlsplit(url).path or "/")
        content = bytes(answer.read())
        return answer.status_code, answer.status_message, [*answer.headers], content


def zapros(url: str) -> Response:
    """`zapros`, its synchronous client."""
    import zapros

    answer = zapros.Client().get(url)
    return answer.status, None, answer.headers.items(), answer.read()


def dugong(url: str) -> Response:
    """`dugong`, an `HTTPConnection`."""
    import dugong

    where = urlsplit(url)
    with dugong.HTTPConnection(where.hostname, where.port) as client:
        client.timeout = TIMEOUT
        client.send_request("GET", where.path or "/")
        answer = client.read_response()
        return answer.status, answer.reason, answer.headers.items(), client.readall()


def tls_client(url: str) -> Response:
    """`tls-client`."""
    import tls_client

    answer = tls_client.Session().get(url, timeout_seconds=TIMEOUT)
    return answer.status_code, None, answer.headers.items(), answer.content


def httpmorph(url: str) -> Response:
    """`httpmorph`."""
    import httpmorph

    answer = httpmorph.Client().get(url, timeout=TIMEOUT, allow_redirects=False)
    return answer.status_code, None, answer.headers.items(), answer.content


def httpcloak(url: str) -> Response:
    """`httpcloak`."""
    import httpcloak

    answer = httpcloak.Session().get(url)
    fields = [
        (name, value)
        for name, values in answer.headers.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    return answer.status_code, None, fields, answer.content


@functools.cache
def _dotnet() -> Any:
    import clr_loader
    import dotnetcore2
    import pythonnet

    os.environ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1"
    text = (
        '{"runtimeOptions": {"tfm": "netcoreapp3.1", '
        '"framework": {"name": "Microsoft.NETCore.App", "version": "3.1.23"}}}'
    )
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory, "r.runtimeconfig.json")
        config.write_text(text, encoding="utf-8")
        root = Path(dotnetcore2.__file__).parent / "bin"
        runtime = clr_loader.get_coreclr(runtime_config=str(config), dotnet_root=str(root))
        pythonnet.set_runtime(runtime)
        import clr
    clr.AddReference("System.Net.Http")
    return clr


def dotnet(url: str) -> Response:
    """`System.Net.Http.HttpClient` of .NET Core."""
    _dotnet()
    from System import TimeSpan
    from System.Net.Http import HttpClient, SocketsHttpHandler

    handler = SocketsHttpHandler()
    handler.AllowAutoRedirect = handler.UseProxy = False
    client = HttpClient(handler)
    client.Timeout = TimeSpan.FromSeconds(TIMEOUT)
    try:
        answer = client.GetAsync(url).GetAwaiter().GetResult()
        content = bytes(answer.Content.ReadAsByteArrayAsync().GetAwaiter().GetResult())
        groups = (answer.Headers, answer.Content.Headers)
        fields = [(one.Key, value) for group in groups for one in group for value in one.Value]
        return int(answer.StatusCode), str(answer.ReasonPhrase), fields, content
    finally:
        client.Dispose()


@functools.cache
def _application() -> Any:
    from PySide6.QtCore import QCoreApplication

    return QCoreApplication([])  # Qt has one in a process, as long as it is referred to


def qt6(url: str) -> Response:
    """`QNetworkAccessManager` of Qt 6."""
    from PySide6.QtCore import QEventLoop, QUrl
    from PySide6.QtNetwork import QNetworkAccessManager, QNetworkProxy, QNetworkRequest

    _application()
    client = QNetworkAccessManager()
    client.setProxy(QNetworkProxy(QNetworkProxy.ProxyType.NoProxy))
    client.setAutoDeleteReplies(False)
    asked, kind = QNetworkRequest(QUrl(url)), QNetworkRequest.Attribute
    manual = QNetworkRequest.RedirectPolicy.ManualRedirectPolicy
    asked.setAttribute(kind.RedirectPolicyAttribute, manual)
    asked.setTransferTimeout(TIMEOUT * 1000)
    answer, loop = client.get(asked), QEventLoop()
    answer.finished.connect(loop.quit)
    if not answer.isFinished():
        loop.exec()
    status, error = answer.attribute(kind.HttpStatusCodeAttribute), answer.error()
    if error.value and not (status and status >= 300 and error.value >= 201):
        raise OSError(f"{error.name}: {answer.errorString()}")
    fields = [(bytes(a.data()), bytes(b.data())) for a, b in answer.rawHeaderPairs()]
    reason = answer.attribute(kind.HttpReasonPhraseAttribute)
    return status, reason, fields, bytes(answer.readAll().data())


def soup2(url: str) -> Response:
    """`libsoup` 2.4, by its introspection."""
    session, message = _soup("2.4", url)
    session.set_property("proxy-resolver", None)
    status = session.send_message(message)
    if status < 100:
        raise OSError(f"{status} {message.get_property('reason-phrase')}")
    fields: list[tuple[str, str]] = []
    message.get_property("response-headers").foreach(lambda *pair: fields.append(pair[:2]))
    content = message.get_property("response-body-data").get_data() or b""
    return status, message.get_property("reason-phrase"), fields, bytes(content)


def soup3(url: str) -> Response:
    """`libsoup` 3.0, by its introspection."""
    session, message = _soup("3.0", url)
    session.set_proxy_resolver(None)
    content = session.send_and_read(message, None)
    fields: list[tuple[str, str]] = []
    message.get_response_headers().foreach(lambda *pair: fields.append(pair[:2]))
    status = int(message.get_property("status-code"))
    return status, message.get_reason_phrase(), fields, content.get_data() or b""


def _soup(version: str, url: str) -> tuple[Any, Any]:
    import gi

    try:
        gi.require_version("Soup", version)
    except ValueError as error:  # no description of this version is installed
        raise ImportError(str(error)) from None
    from gi.repository import Soup

    session, message = Soup.Session(), Soup.Message.new("GET", url)
    session.set_property("timeout", TIMEOUT)
    message.set_flags(Soup.MessageFlags.NO_REDIRECT)
    session.remove_feature_by_type(Soup.ContentDecoder)
    return session, message
