"""The worker for clients in Python: one process, one client, one URL at a time.

The argument is the name of a client; each line on standard input is a message of the driver
protocol and gets one line on standard output. This file runs as a program under the interpreter in
which the client is installed, so it imports nothing of the kit; it loads one file, the agent, which
finds the client's own lines in a traceback.

An adapter gets a URL and returns status, reason, fields and content, in the form in which the
client gives them, and None for what its interface does not offer. As far as the client has options
for it, it follows no redirect, uses no proxy, reads no ``.netrc``, repeats no request, and decodes
no content. A table maps the client's errors to categories. An error of a class that its users do
not have to expect is in the category ``leak``.
"""

import contextlib
import functools
import importlib
import importlib.metadata
import importlib.util
import io
import json
import os
import re
import resource
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT = 5.0
"""Seconds, more than the kit's own deadline, which alone decides whether a client hangs."""

Fields = Iterable[tuple[str | bytes, str | bytes]]
Response = tuple[int | None, str | bytes | None, Fields | None, bytes]
Rows = Sequence[tuple[str, str]]


def urllib_request(url: str) -> Response:
    """`urllib.request`; an error status counts as a response, not as an error."""
    from urllib.error import HTTPError

    try:
        answer = _opener().open(url, timeout=TIMEOUT)
    except HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.reason, answer.headers.items(), answer.read()


@functools.cache
def _opener() -> Any:
    """Return an opener that uses no proxy and returns a redirect like any other response."""
    from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener

    class NoRedirect(HTTPRedirectHandler):
        def redirect_request(self, *_: Any, **__: Any) -> None:
            """Return None, so that no request follows a redirect."""

    return build_opener(ProxyHandler({}), NoRedirect)


def urllib3_preload(url: str) -> Response:
    """`urllib3` with the content read at once, by the parser of `http.client`."""
    with _urllib3(url, preload_content=True) as answer:
        return answer.status, answer.reason, answer.headers.iteritems(), answer.data


def urllib3_stream(url: str) -> Response:
    """`urllib3` with the content read in pieces, by its own parser of chunks."""
    with _urllib3(url, preload_content=False) as answer:
        content = b"".join(answer.stream(1024, decode_content=False))
        return answer.status, answer.reason, answer.headers.iteritems(), content


@contextlib.contextmanager
def _urllib3(url: str, **options: Any) -> Iterator[Any]:
    urllib3 = importlib.import_module("urllib3")
    with urllib3.PoolManager(retries=False, timeout=TIMEOUT) as pool:
        answer = pool.request("GET", url, redirect=False, decode_content=False, **options)
        try:
            yield answer
        finally:
            answer.close()


def requests(url: str) -> Response:
    """`requests`."""
    with importlib.import_module("requests").Session() as session:
        session.trust_env = False
        answer = session.get(url, timeout=TIMEOUT, allow_redirects=False)
        return answer.status_code, answer.reason, answer.headers.items(), answer.content


def httpx(url: str) -> Response:
    """`httpx`, its synchronous client."""
    module = importlib.import_module("httpx")
    # Making a TLS context takes longer than the rest of a fetch, so all fetches share one.
    options = {"verify": _context(), "trust_env": False, "timeout": TIMEOUT}
    with module.Client(**options) as client:
        answer = client.get(url)
        reason = answer.extensions.get("reason_phrase")
        return answer.status_code, reason, answer.headers.raw, answer.content


@functools.cache
def _context() -> Any:
    import ssl

    return ssl.create_default_context()


def aiohttp(url: str) -> Response:
    """`aiohttp`, with whichever parser it was built with."""
    import asyncio

    module = importlib.import_module("aiohttp")

    async def get() -> Response:
        timeout = module.ClientTimeout(total=TIMEOUT)
        async with (
            module.ClientSession(timeout=timeout, auto_decompress=False) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            # The parser decodes the reason as UTF-8 with surrogateescape; encoding restores it.
            reason = (answer.reason or "").encode("utf-8", "surrogateescape")
            return answer.status, reason, answer.raw_headers, await answer.read()

    return asyncio.run(get())


def httplib2(url: str) -> Response:
    """`httplib2`."""
    module: Any = importlib.import_module("httplib2")
    module.RETRIES = 1
    http = module.Http(timeout=TIMEOUT, proxy_info=None)
    http.follow_redirects = False
    with contextlib.closing(http):
        answer, content = http.request(url)
    fields = [pair for pair in answer.items() if pair[0] not in ("status", "content-location")]
    return answer.status, answer.reason, fields, content


def pycurl(url: str) -> Response:
    """`pycurl`."""
    module = importlib.import_module("pycurl")
    content, lines = io.BytesIO(), list[bytes]()
    with contextlib.closing(module.Curl()) as curl:
        curl.setopt(module.URL, url)
        curl.setopt(module.NOPROXY, "*")
        curl.setopt(module.TIMEOUT, int(TIMEOUT))
        curl.setopt(module.WRITEDATA, content)
        curl.setopt(module.HEADERFUNCTION, lines.append)
        curl.perform()
        _, reason, fields = head_of(lines)
        return curl.getinfo(module.RESPONSE_CODE), reason, fields, content.getvalue()


def head_of(
    lines: Iterable[bytes],
) -> tuple[int | None, bytes, list[tuple[bytes, bytes]]]:
    """Return status, reason and fields of the last head among *lines*, in the order of curl.

    A head ends with an empty line; a line of blanks continues the field before it. After it can
    follow another head, if the first was of an interim response or one that leads to another
    request, or trailer fields, which are not part of the head's fields.
    """
    status, reason, fields, inside = None, b"", list[tuple[bytes, bytes]](), False
    for line in lines:
        if not inside:
            is_last = status is not None and status // 100 not in (1, 3) and status not in _AGAIN
            if line.startswith(b"HTTP/") and not is_last:
                _, _, rest = line.partition(b" ")
                code, _, reason = rest.strip().partition(b" ")
                status = int(code) if code.isdigit() else None
                fields, inside = [], True
        elif line[:1] in b"\r\n":
            inside = False
        elif line[:1] in b" \t" and fields:
            name, value = fields[-1]
            fields[-1] = name, (value + b" " + line.strip(_BLANKS)).rstrip(_BLANKS)
        elif line.strip(_BLANKS):
            name, _, value = line.partition(b":")
            fields.append((name, value.strip(_BLANKS)))
    return status, reason, fields


_AGAIN = (401, 407)
"""Final status codes, besides those of a redirect, after which a client may send a new request."""
_BLANKS = b" \t\r\n"


@dataclass(frozen=True)
class Client:
    """A client: how it fetches, its package, and how its errors are classified.

    Args:
        fetch: the adapter.
        package: the package that must be installed and whose version is reported; empty for a
            client of the standard library.
        families: the classes of errors that its users have to expect, in addition to `OSError`.
        rows: patterns for ``class: message`` of an error or of one that caused it, each with a
            category; the first row that matches decides.
    """

    fetch: Callable[[str], Response]
    package: str = ""
    families: tuple[str, ...] = ()
    rows: Rows = ()


TIMED_OUT = (r"(?i)timed? ?out", "timeout")
RESET = (r"(?i)reset by peer|refused|broken pipe", "no-response")
HTTP_CLIENT: Rows = (
    TIMED_OUT,
    (r"RemoteDisconnected", "no-response"),
    (r"exceeded maximum|LineTooLong|(?i:got more than|too many)", "limit-exceeded"),
    (r"Decod(e|ing)Error", "unsupported-coding"),
    (r"UnknownProtocol", "unsupported-version"),
    (r"BadStatusLine", "bad-status-line"),
    (r"InvalidChunkLength|Content-Length contained", "bad-framing"),
    (r"IncompleteRead|ended prematurely|Connection broken", "truncated-body"),
    RESET,
)
"""The errors of `http.client`, which four of the clients raise or wrap, and those of urllib3.

An `IncompleteRead` does not show whether a body was truncated or a chunk was malformed.
"""
HTTPX: Rows = (
    (r"httpx\.\w*Timeout", "timeout"),
    (r"Server disconnected without|unexpectedly closed", "no-response"),
    (r"without sending complete message body", "truncated-body"),
    (r"too (long|many|large)", "limit-exceeded"),
    (r"illegal status line|no response line|status_code|SWITCH_UPGRADE", "bad-status-line"),
    (r"Only Transfer-Encoding: chunked", "unsupported-coding"),
    (r"Content-Length|chunk|Transfer-Encoding", "bad-framing"),
    (r"header", "bad-header"),
    (r"httpx\.(Read|Write|Connect|Close)Error", "no-response"),
)
AIOHTTP: Rows = (
    TIMED_OUT,
    (r"Got more than|(?i:too many|too large)|overflow", "limit-exceeded"),
    (r"Bad status line|Expected (HTTP/|LF after CR)|Invalid (HTTP|status)", "bad-status-line"),
    (r"chunk|Content-Length|Transfer-Encoding|Data after", "bad-framing"),
    (r"Not enough data|not completed|Connection closed", "truncated-body"),
    (r"(?i)header", "bad-header"),
    (r"ServerDisconnectedError|ClientOSError|ClientConnect", "no-response"),
)
CURL: Rows = (
    (r"\(28\b", "timeout"),
    (r"\(52\b", "no-response"),
    (r"\(18\b", "truncated-body"),
    (r"\(61\b|Unsolicited Transfer-Encoding", "unsupported-coding"),
    (r"HTTP version|subversion|Version mismatch|HTTP/1\.x", "unsupported-version"),
    (r"HTTP/0\.9|response code|status line", "bad-status-line"),
    (r"(?i)\((27|63|100)\b|too (large|long|many)|longer than", "limit-exceeded"),
    (r"(?i)chunk|hexadecimal|content-length|transfer-encoding", "bad-framing"),
    (r"(?i)header|NUL byte|Carriage return|\((8|43)\b", "bad-header"),
    (r"\((1|7|55|56)\b", "no-response"),
)
"""The error codes and texts of libcurl, which the program `curl` prints too."""

_HTTP_ERRORS = ("http.client.HTTPException",)
_URLLIB3_ERRORS = ("urllib3.exceptions.HTTPError",)
_REQUESTS_ERRORS = ("requests.exceptions.RequestException",)
_HTTPLIB2_ERRORS = ("httplib2.error.HttpLib2Error", *_HTTP_ERRORS)
CLIENTS = {
    "urllib.request": Client(urllib_request, "", _HTTP_ERRORS, HTTP_CLIENT),
    "urllib3": Client(urllib3_preload, "urllib3", _URLLIB3_ERRORS, HTTP_CLIENT),
    "urllib3-stream": Client(urllib3_stream, "urllib3", _URLLIB3_ERRORS, HTTP_CLIENT),
    "requests": Client(requests, "requests", _REQUESTS_ERRORS, HTTP_CLIENT),
    "httpx": Client(httpx, "httpx", ("httpx.HTTPError",), HTTPX),
    "aiohttp": Client(aiohttp, "aiohttp", ("aiohttp.client_exceptions.ClientError",), AIOHTTP),
    "httplib2": Client(httplib2, "httplib2", _HTTPLIB2_ERRORS, HTTP_CLIENT),
    "pycurl": Client(pycurl, "pycurl", ("pycurl.error",), CURL),
}


def answer_to(client: Client, name: str, message: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to *message*."""
    if message["type"] == "start":
        python = ".".join(map(str, sys.version_info[:3]))
        version = importlib.metadata.version(client.package) if client.package else python
        return {"name": name, "version": version, "python": python, "ops": ["fetch"]}
    if message["type"] == "run":
        return {"trace": [entry(client, message.get("url", ""), op) for op in message["ops"]]}
    return {} if message["type"] == "release" else {"unsupported": message["type"]}


def entry(client: Client, url: str, op: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of the trace for *op*."""
    if op.get("call") != "fetch":
        return {"id": op["id"], "unsupported": True}
    try:
        status, reason, fields, content = client.fetch(url)
    except Exception as error:  # noqa: BLE001 # whatever escapes is a fact
        return {"id": op["id"], "error": error_facts(client, error)}
    value = {
        "type": "response",
        "status": status,
        "reason": None if reason is None else latin1(reason),
        "headers": None if fields is None else [[latin1(a), latin1(b)] for a, b in fields],
        "body": latin1(content),
    }
    return {"id": op["id"], "value": value}


def latin1(octets: str | bytes) -> str:
    """Return *octets* in the form of the protocol: one character for each byte."""
    if isinstance(octets, str):
        if octets.isascii() or max(octets) <= "\xff":
            return octets
        octets = octets.encode("utf-8", "surrogateescape")
    return octets.decode("latin-1")


def error_facts(client: Client, error: BaseException) -> dict[str, Any]:
    """Return the facts of *error*, with its category by the client's table."""
    natives = [qualified(kind) for kind in type(error).__mro__]
    return {
        "class": natives[0],
        "bases": natives[1:],
        "attributes": {},
        "message": str(error),
        "category": category(client, natives, error),
        "frames": _frames(client).of(_agent().stack_of(error.__traceback__)),
    }


@functools.cache
def _agent() -> Any:
    path = Path(__file__).resolve().parents[1] / "agent.py"
    spec: Any = importlib.util.spec_from_file_location("httplib_kit_agent", path)
    agent: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(agent)
    return agent


@functools.cache
def _frames(client: Client) -> Any:
    """Return what chooses the frames of *client* in a stack, once the client is imported."""
    return _agent().frames_of(sys.modules[client.package or "urllib"])


def category(client: Client, natives: Sequence[str], error: BaseException) -> str:
    """Return the category of *error*, whose class and bases are *natives*."""
    if not {*client.families, "builtins.OSError"} & set(natives):
        return "leak"
    texts = list(story(error))
    for pattern, name in client.rows:
        if any(re.search(pattern, text) for text in texts):
            return name
    return ""


def story(error: BaseException) -> Iterator[str]:
    """Yield class and message of *error* and of every exception that caused it."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield f"{qualified(type(one))}: {one}"
        led = (one.__cause__, one.__context__, *one.args, getattr(one, "reason", None))
        waiting += [cause for cause in led if isinstance(cause, BaseException)]


def qualified(kind: type) -> str:
    """Return the name of a class with its module."""
    return f"{kind.__module__}.{kind.__qualname__}"


def serve(name: str) -> None:
    """Answer the messages on standard input until it ends or a message is ``stop``."""
    message: dict[str, Any] = {}
    client, thread = CLIENTS[name], threading.get_ident()

    def position() -> dict[str, Any]:
        stack = _agent().stack_at(sys._current_frames()[thread], entry.__code__)
        return {"serial": message["serial"], "frames": _frames(client).of(stack)}

    _agent().answer_where(position)
    # Standard output is for the protocol only: what a client prints goes to standard error.
    with os.fdopen(os.dup(1), "wb") as answers, os.fdopen(os.dup(0), "rb") as lines:
        os.dup2(2, 1)
        for line in lines:
            message = json.loads(line)
            if message["type"] == "stop":
                return
            answer = answer_to(client, name, message)
            answer["serial"] = message.get("serial")
            answers.write(json.dumps(answer).encode() + b"\n")
            answers.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
    serve(sys.argv[1])
