"""The worker for clients in Python: one process, one client, one pooled object for each case.

The arguments are an adapter, the module and the package of its client, the limit of memory, and
directories with modules; each line on standard input is a message of the driver protocol and gets
one line on standard output. This file runs as a program under the interpreter in
which the client is installed, so it imports nothing of the kit; it loads the file with the adapter,
and the agent, which finds the client's own lines in a traceback.

An adapter opens a client's pooled object, which lives until `release`, and makes exchanges with it;
a `fetch` is one exchange. Each gives status, reason, fields and content, in the form in which the
client gives them, and None for what its interface does not offer. As far as the client has options
for it, it follows no redirect, uses no proxy but a given one, reads no ``.netrc``, repeats no
request, and decodes no content. An error is reported with its class, and with those that caused it;
the kit finds its category by a table of the registry.
"""

import contextlib
import functools
import importlib
import importlib.metadata
import importlib.util
import json
import os
import resource
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

TIMEOUT = 5.0
"""Seconds, more than the kit's own deadline, which alone decides whether a client hangs."""

Fields = Iterable[tuple[str | bytes, str | bytes]]
Response = tuple[int | None, str | bytes | None, Fields | None, bytes | None]


@dataclass(frozen=True)
class Asked:
    """One exchange that the client is asked for; by default a GET whose response is read.

    Args:
        url: the URL.
        method: the method.
        fields: the header fields that the caller adds.
        body: the content; None for a request without.
        streamed: whether the content is given in pieces, by an iterator that is used once.
        expect_continue: whether the client is to wait for a 100 before the content.
        consume: ``read``, ``part``, ``drop`` or ``timeout``.
        amount: how many bytes a ``part`` has.
        timeout: seconds that the client may wait.
    """

    url: str
    method: str = "GET"
    fields: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    streamed: bool = False
    expect_continue: bool = False
    consume: str = "read"
    amount: int = 0
    timeout: float = TIMEOUT

    @property
    def content(self) -> Any:
        """The content as most clients take it: bytes, an iterator, or None."""
        return iter([self.body]) if self.streamed else self.body

    def taken(self, answer: Any, read: Callable[..., bytes]) -> bytes | None:
        """Return what is read of *answer* by *read*; close it after a part."""
        if self.consume == "drop":
            return None
        if self.consume != "part":
            return read()
        content = read(self.amount) if self.amount else b""
        answer.close()
        return content


@functools.cache
def _context(ca: str | None) -> Any:
    import ssl

    return ssl.create_default_context(cafile=ca)


@dataclass(frozen=True)
class Way:
    """How the client reaches its origin.

    Args:
        ca: a file with the authority that it trusts, for TLS; empty for the usual ones.
        proxy: the URL of the proxy that it uses; empty for none.
    """

    ca: str = ""
    proxy: str = ""

    @property
    def proxies(self) -> dict[str, str]:
        """The proxy for each scheme."""
        return {scheme: self.proxy for scheme in ("http", "https") if self.proxy}

    @property
    def context(self) -> Any:
        """A TLS context with the authority."""
        return _context(self.ca or None)


Exchange = Callable[[Asked], Response]
Together = Callable[[Sequence[Asked]], list[Response | Exception]]
"""Makes several exchanges at the same time, and returns a response or an error for each."""


def threaded(exchange: Exchange) -> Together:
    """Return a function that makes several exchanges by *exchange*, each in a thread."""

    def outcome(asked: Asked) -> Response | Exception:
        try:
            return exchange(asked)
        except Exception as error:  # noqa: BLE001 # whatever escapes is a fact
            return error

    def together(several: Sequence[Asked]) -> list[Response | Exception]:
        if len(several) == 1:  # in the main thread, whose stack shows where a client waits
            return [outcome(several[0])]
        with ThreadPoolExecutor(len(several)) as pool:
            return list(pool.map(outcome, several))

    return together


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
                *_, rest = line.split(None, 1)  # some programs accept any blank there
                code, _, reason = rest.strip().partition(b" ")
                status = int(code) if code.isdigit() else None
                fields, inside = [], True
        elif not line.strip(b"\r\n"):
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


@functools.cache
def file_at(path: str) -> Any:
    """Return the module in the file at *path*, from the directory above this one."""
    place = Path(__file__).resolve().parents[1] / path
    spec: Any = importlib.util.spec_from_file_location(f"httplib_kit_{place.stem}", place)
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def adapter_called(name: str) -> tuple[Callable[[Way], AbstractContextManager[Together]], bool]:
    """Return how the client called *name* is opened, and whether it makes sessions."""
    sys.modules.setdefault("python_client", sys.modules[__name__])  # what the adapters import
    function = name.replace("-", "_").replace(".", "_")
    if opened := getattr(file_at("clients/adapters/python_sessions.py"), function, None):
        return opened, True
    fetch = getattr(file_at("clients/adapters/python_packages.py"), function)

    @contextlib.contextmanager
    def once(_way: Way) -> Iterator[Together]:
        yield threaded(lambda asked: fetch(asked.url))

    return once, False


class Worker:
    """Answers the messages of the kit with one client.

    Args:
        name: the name of its adapter.
        module: the module that must be there; empty for a client of the standard library.
        package: the package whose version is reported; by default that of the module.
    """

    def __init__(self, name: str, module: str = "", package: str = "") -> None:
        self.opened, self.makes_sessions = adapter_called(name)
        self.name = name
        self.module = module
        self.package = package or module
        self._open = contextlib.ExitStack()
        self._together: Together | None = None

    def answer_to(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to *message*."""
        if message["type"] == "start":
            if absent := self.absent():
                return {"error": {"class": "NotInstalled", "message": absent}}
            python = ".".join(map(str, sys.version_info[:3]))
            version = importlib.metadata.version(self.package) if self.package else python
            offers = {"ops": ["fetch", "exchange"]}
            return {"name": self.name, "version": version, "python": python, **offers}
        if message["type"] == "run":
            return {"trace": self.entries(message)}
        if message["type"] == "release":
            self._together = None
            self._open.close()
            return {}
        return {"unsupported": message["type"]}

    def absent(self) -> str:
        """Import the client, not in the time of the first case; return what is not installed."""
        try:
            if self.module:
                importlib.import_module(self.module)
            if not self.makes_sessions:  # what it imports when it is used
                (outcome,) = self.outcomes([Asked("http://127.0.0.1:1/")], Way())
                if isinstance(outcome, ImportError):
                    return str(outcome)
        except ImportError as error:
            return str(error)
        return ""

    def entries(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the entry of the trace for each op of *message*; several begin together."""
        ops = message["ops"]
        if any(op.get("call") not in ("fetch", "exchange") for op in ops):
            return [{"id": op["id"], "unsupported": True} for op in ops]
        several = [asked_by(op["kwargs"], message["url"]) for op in ops]
        ca = message.get("certificates", {}).get("ca", {}).get("chain", "")
        way = Way(ca, message.get("proxy", ""))
        pairs = zip(ops, self.outcomes(several, way), strict=True)
        return [{"id": op["id"], **fact(self.module, outcome)} for op, outcome in pairs]

    def outcomes(self, several: Sequence[Asked], way: Way) -> list[Response | Exception]:
        """Return what becomes of *several* exchanges that begin together."""
        try:
            if self._together is None:
                self._together = self._open.enter_context(self.opened(way))
            return self._together(several)
        except Exception as error:  # noqa: BLE001 # whatever escapes is a fact
            return [error for _ in several]


def asked_by(given: dict[str, Any], url: str) -> Asked:
    """Return the exchange that the keyword arguments of an op ask for, at *url*."""
    plain = {key: value for key, value in given.items() if key not in ("target", "fields", "body")}
    if "fields" in given:
        plain["fields"] = dict(given["fields"]["value"])
    if "body" in given:
        plain["body"] = given["body"]["value"].encode("latin-1")
    return Asked(urljoin(url, given.get("target", "")), **plain)


def fact(module: str, outcome: Response | Exception) -> dict[str, Any]:
    """Return *outcome* as the value or the error of an entry."""
    if isinstance(outcome, BaseException):
        return {"error": error_facts(module, outcome)}
    status, reason, fields, content = outcome
    value = {
        "type": "response",
        "status": status,
        "reason": None if reason is None else latin1(reason),
        "headers": None if fields is None else [[latin1(a), latin1(b)] for a, b in fields],
        "body": None if content is None else latin1(content),
    }
    return {"value": value}


def latin1(octets: Any) -> str:
    """Return *octets* in the form of the protocol: one character for each byte."""
    if not isinstance(octets, str | bytes):  # such as a memoryview, or a number for a field
        octets = bytes(octets) if isinstance(octets, bytearray | memoryview) else str(octets)
    if isinstance(octets, str):
        if octets.isascii() or max(octets) <= "\xff":
            return octets
        octets = octets.encode("utf-8", "surrogateescape")
    return str(octets, "latin-1")


def error_facts(module: str, error: BaseException) -> dict[str, Any]:
    """Return the facts of *error*, whose client is in *module*."""
    natives = [qualified(kind) for kind in type(error).__mro__]
    return {
        "class": natives[0],
        "bases": natives[1:],
        "attributes": {},
        "message": str(error),
        "causes": [*story(error)][1:],
        "frames": _frames(module).of(file_at("agent.py").stack_of(error.__traceback__)),
    }


@functools.cache
def _frames(module: str) -> Any:
    """Return what chooses the frames of *module* in a stack, once it is imported."""
    return file_at("agent.py").frames_of(sys.modules[module or "urllib"])


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


def serve(name: str, module: str = "", package: str = "") -> None:
    """Answer the messages on standard input until it ends or a message is ``stop``."""
    message: dict[str, Any] = {}
    worker, thread = Worker(name, module, package), threading.get_ident()

    def position() -> dict[str, Any]:
        stack = file_at("agent.py").stack_at(sys._current_frames()[thread], Worker.entries.__code__)
        return {"serial": message["serial"], "frames": _frames(worker.module).of(stack)}

    file_at("agent.py").answer_where(position)
    # Standard output is for the protocol only: what a client prints goes to standard error.
    with os.fdopen(os.dup(1), "wb") as answers, os.fdopen(os.dup(0), "rb") as lines:
        os.dup2(2, 1)
        for line in lines:
            message = json.loads(line)
            if message["type"] == "stop":
                return
            answer = worker.answer_to(message)
            answer["serial"] = message.get("serial")
            answers.write(file_at("agent.py").encoded(answer) + b"\n")
            answers.flush()


if __name__ == "__main__":
    adapter, module, package, memory, *places = sys.argv[1:]
    sys.path[:0] = places
    if int(memory):  # not for a runtime that reserves far more than it uses
        resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    serve(adapter, module, package)
