"""Clients in Python that make sessions, each as one function that opens its pooled object.

`python_client.py`, which is a program there, loads this file for a client whose name, with `_` for
`-` and `.`, is a function here. Each is closed after its last exchange. None follows a redirect.
"""

import contextlib
import functools
import importlib
import io
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from python_client import TIMEOUT, Asked, Response, Together, Way, head_of, threaded


@contextlib.contextmanager
def urllib_request(way: Way) -> Iterator[Together]:
    """`urllib.request`; an error status counts as a response, not as an error."""
    from urllib.error import HTTPError
    from urllib.request import Request

    opener = _opener(way)

    def exchange(asked: Asked) -> Response:
        request = Request(asked.url, asked.content, asked.fields, method=asked.method)
        try:
            answer = opener.open(request, timeout=asked.timeout)
        except HTTPError as error:
            answer = error
        content = asked.taken(answer, answer.read)
        if asked.consume != "drop":
            answer.close()
        return answer.status, answer.reason, answer.headers.items(), content

    yield threaded(exchange)


@functools.cache
def _opener(way: Way) -> Any:
    """Return an opener that returns a redirect like any other response."""
    from urllib.request import HTTPRedirectHandler, HTTPSHandler, ProxyHandler, build_opener

    class NoRedirect(HTTPRedirectHandler):
        def redirect_request(self, *_: Any, **__: Any) -> None:
            """Return None, so that no request follows a redirect."""

    handlers = [HTTPSHandler(context=way.context)] if way.ca else []
    return build_opener(ProxyHandler(way.proxies), NoRedirect, *handlers)


@contextlib.contextmanager
def urllib3(way: Way) -> Iterator[Together]:
    """`urllib3` with the content read at once, by the parser of `http.client`."""
    with _urllib3(way, preload_content=True) as request:

        def exchange(asked: Asked) -> Response:
            answer = request(asked)
            return answer.status, answer.reason, answer.headers.iteritems(), answer.data

        yield threaded(exchange)


@contextlib.contextmanager
def urllib3_stream(way: Way) -> Iterator[Together]:
    """`urllib3` with the content read in pieces, by its own parser of chunks."""
    with _urllib3(way, preload_content=False) as request:

        def exchange(asked: Asked) -> Response:
            answer = request(asked)

            def read(amount: int = 1024) -> bytes:
                pieces = answer.stream(amount, decode_content=False)
                return next(pieces, b"") if asked.consume == "part" else b"".join(pieces)

            try:
                content = asked.taken(answer, read)
            except BaseException:
                answer.close()
                raise
            if asked.consume == "read":
                answer.release_conn()
            return answer.status, answer.reason, answer.headers.iteritems(), content

        yield threaded(exchange)


@contextlib.contextmanager
def _urllib3(way: Way, **options: Any) -> Iterator[Callable[[Asked], Any]]:
    module = importlib.import_module("urllib3")
    options.update(redirect=False, decode_content=False)
    made = {"retries": False, "maxsize": 4, **({"ca_certs": way.ca} if way.ca else {})}
    proxy = way.proxy
    if user := urlsplit(proxy).netloc.rpartition("@")[0]:
        made["proxy_headers"] = module.make_headers(proxy_basic_auth=user)
    with module.ProxyManager(proxy, **made) if proxy else module.PoolManager(**made) as pool:
        yield lambda asked: pool.request(
            asked.method,
            asked.url,
            body=asked.content,
            headers=asked.fields,
            timeout=asked.timeout,
            **options,
        )


@contextlib.contextmanager
def requests(way: Way) -> Iterator[Together]:
    """`requests`."""
    with importlib.import_module("requests").Session() as session:
        session.trust_env = False
        session.proxies, session.verify = way.proxies, way.ca or True

        def exchange(asked: Asked) -> Response:
            answer = session.request(
                asked.method,
                asked.url,
                data=asked.content,
                headers=asked.fields,
                timeout=asked.timeout,
                allow_redirects=False,
                stream=asked.consume in ("part", "drop"),
            )
            raw = answer.raw
            content = asked.taken(
                answer, lambda *amount: raw.read(*amount) if amount else answer.content
            )
            return answer.status_code, answer.reason, answer.headers.items(), content

        yield threaded(exchange)


@contextlib.contextmanager
def httpx(way: Way) -> Iterator[Together]:
    """`httpx`, its synchronous client."""
    module = importlib.import_module("httpx")
    # Making a TLS context takes longer than the rest of a fetch, so all fetches share one.
    options = {"verify": way.context, "proxy": way.proxy or None, "trust_env": False}
    with module.Client(**options) as client:

        def exchange(asked: Asked) -> Response:
            request = client.build_request(
                asked.method,
                asked.url,
                content=asked.content,
                headers=asked.fields,
                timeout=asked.timeout,
            )
            answer = client.send(request, stream=asked.consume in ("part", "drop"))
            content = asked.taken(
                answer,
                lambda *amount: next(answer.iter_raw(*amount), b"") if amount else answer.content,
            )
            reason = answer.extensions.get("reason_phrase")
            return answer.status_code, reason, answer.headers.raw, content

        yield threaded(exchange)


@contextlib.contextmanager
def aiohttp(way: Way) -> Iterator[Together]:
    """`aiohttp`, with whichever parser it was built with."""
    import asyncio

    module = importlib.import_module("aiohttp")

    secure = {"ssl": way.context} if way.ca else {}

    async def opened() -> Any:
        return module.ClientSession(auto_decompress=False)

    async def exchange(asked: Asked) -> Response:
        answer = await session.request(
            asked.method,
            asked.url,
            data=pieces(asked.body) if asked.streamed else asked.body,
            headers=asked.fields,
            expect100=asked.expect_continue,
            timeout=module.ClientTimeout(total=asked.timeout),
            allow_redirects=False,
            proxy=way.proxy or None,
            **secure,
        )
        # The parser decodes the reason as UTF-8 with surrogateescape; encoding restores it.
        reason = (answer.reason or "").encode("utf-8", "surrogateescape")
        head = answer.status, reason, answer.raw_headers
        if asked.consume == "drop":
            return *head, None
        if asked.consume == "part":
            content = await answer.content.read(asked.amount) if asked.amount else b""
            answer.close()
            return *head, content
        async with answer:
            return *head, await answer.read()

    async def pieces(body: bytes | None) -> AsyncIterator[bytes]:
        yield body or b""

    async def gathered(several: Sequence[Asked]) -> list[Response | Exception]:
        # While a program is idle, its loop runs: it receives what came since the last exchange.
        for _ in range(3):
            await asyncio.sleep(0)
        return await asyncio.gather(*map(exchange, several), return_exceptions=True)  # type: ignore[return-value]

    with asyncio.Runner() as runner:
        session = runner.run(opened())
        yield lambda several: runner.run(gathered(several))
        runner.run(session.close())


@contextlib.contextmanager
def httplib2(way: Way) -> Iterator[Together]:
    """`httplib2`."""
    module: Any = importlib.import_module("httplib2")
    module.RETRIES = 1
    http = module.Http(timeout=TIMEOUT, proxy_info=None, ca_certs=way.ca or None)
    http.follow_redirects = False

    def exchange(asked: Asked) -> Response:
        answer, content = http.request(asked.url, asked.method, asked.body, asked.fields)
        fields = [pair for pair in answer.items() if pair[0] not in ("status", "content-location")]
        return answer.status, answer.reason, fields, content

    with contextlib.closing(http):
        yield threaded(exchange)


@contextlib.contextmanager
def pycurl(way: Way) -> Iterator[Together]:
    """`pycurl`, one handle for all exchanges: it keeps its connections."""
    module = importlib.import_module("pycurl")

    def exchange(asked: Asked) -> Response:
        content, lines = io.BytesIO(), list[bytes]()

        def take(data: bytes) -> int:
            room = asked.amount - content.tell() if asked.consume == "part" else len(data)
            content.write(data[:room])
            return len(data) if len(data) < room or asked.consume != "part" else 0  # 0 ends it

        curl.reset()
        curl.setopt(module.URL, asked.url)
        _curl_options(curl, module, way)
        curl.setopt(module.TIMEOUT_MS, int(asked.timeout * 1000))
        curl.setopt(module.WRITEFUNCTION, take)
        curl.setopt(module.HEADERFUNCTION, lines.append)
        fields = [f"{name}: {value}" for name, value in asked.fields.items()]
        if asked.streamed:
            curl.setopt(module.UPLOAD, 1)
            curl.setopt(module.READFUNCTION, io.BytesIO(asked.body or b"").read)
        elif asked.body is not None:
            curl.setopt(module.POSTFIELDS, asked.body)
        if asked.body is not None:
            fields.append("Expect: 100-continue" if asked.expect_continue else "Expect:")
        if asked.method == "HEAD":
            curl.setopt(module.NOBODY, 1)
        elif asked.method != "GET":
            curl.setopt(module.CUSTOMREQUEST, asked.method)
        curl.setopt(module.HTTPHEADER, fields)
        try:
            curl.perform()
        except module.error as error:
            if asked.consume != "part" or error.args[0] != module.E_WRITE_ERROR:
                raise
        _, reason, received = head_of(lines)
        return curl.getinfo(module.RESPONSE_CODE), reason, received, content.getvalue()

    with contextlib.closing(module.Curl()) as curl:
        yield threaded(exchange)


_SUPPRESS_CONNECT_HEADERS = 265
"""An option of libcurl for which pycurl has no name."""


def _curl_options(curl: Any, module: Any, way: Way) -> None:
    curl.setopt(module.NOPROXY, "" if way.proxy else "*")
    curl.setopt(module.PROXY, way.proxy)
    curl.setopt(_SUPPRESS_CONNECT_HEADERS, 1)
    if way.ca:
        curl.setopt(module.CAINFO, way.ca)
