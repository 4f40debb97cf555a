"""Responses whose faults are named in a URL, one after the other.

The input is a path such as ``/c/status/503/delay/0.2/bytes/10000/cut/5000/end/reset``.  The output
is a script of one connection, made of the steps that every script has.  The grammar::

    path  =  "/c/" word *( "/" word )
    word  =  "status/" CODE  /  "delay/" SECONDS  /  "header/" NAME "/" VALUE
          /  "bytes/" COUNT  /  "echo"  /  "gzip"
          /  "cut/" COUNT  /  "dribble/" COUNT [ "/" SECONDS ]  /  "end/" END

Each word is given at most once, ``header`` any number of times; their order has no meaning.  What
is played is always: the request is read, then come the silence, the head, the body, the end.
`WORDS` says what each of them does; ``/c/`` shows it.  CODE, NAME and VALUE are percent-decoded
bytes, so ``%2F`` is a slash in them.

A value is refused if playing it could exceed a limit of the server, so a path is either played as
it says or answered with 400.  A HEAD request gets the same head and the same end, and no body:
``cut`` and ``dribble``, which act on the body, then do nothing.
"""

import re
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import unquote_to_bytes

from conformance.wording import near_clause
from mockserver import (
    Close,
    Drain,
    Dribble,
    EndHeaders,
    Header,
    Limits,
    Pause,
    ReadRequest,
    Recipe,
    Reply,
    Request,
    Respond,
    Script,
    Send,
    StatusLine,
    Step,
    connection,
    script,
)

PREFIX = "/c/"
WORDS = {
    "status": ("CODE", "the status, 200 without it; what is not three digits is sent as it is"),
    "delay": ("SECONDS", "so long a silence before the response"),
    "header": ("NAME/VALUE", "a field; Content-Length is added unless it, or a coding, is given"),
    "bytes": ("COUNT", "a body of so many bytes; without it, a line that names the status"),
    "echo": ("", "the body is what the client sent, as JSON"),
    "gzip": ("", "the body is compressed, and Content-Encoding says so"),
    "cut": ("COUNT", "the body ends after so many of its bytes; Content-Length stays the same"),
    "dribble": ("COUNT[/SECONDS]", "the body comes so many bytes at a time, with pauses between"),
    "end": ("END", "fin (without it), reset, or open: the connection carries the next request"),
}
"""Each word: the values that follow it, and what it does."""
EXAMPLES = (
    "/c/status/503/header/Retry-After/1",
    "/c/bytes/10000/cut/5000/end/reset",
    "/c/delay/0.2/bytes/2000/dribble/500/0.1",
    "/c/bytes/1000/gzip/cut/10/end/open",
    "/c/status/503/delay/0.2/bytes/10000/cut/5000/end/reset",
    "/c/echo/end/open",
)
ENDS = {"fin": "fin", "reset": "rst", "rst": "rst", "open": "open"}
_COUNT = re.compile(r"[0-9]{1,12}")
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_WAITS = 6
"""How many of the longest silences a response may have in all."""
_PIECES = 10_000
"""The most pieces of a body that is dribbled."""
_HELD = 1 << 20
"""The most bytes of a body that is dribbled, which is held in memory."""
_SHOWN = 80
_FRAMED = (b"content-length", b"transfer-encoding")

Given = dict[str, list[str]]
Echo = Callable[[Request], bytes]
"""Returns the body of ``echo``."""


class BadTarget(ValueError):
    """The target does not describe a response; the message is one line with place and remedy."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A response with its faults.

    Args:
        status: the status code, or what stands in its place.
        reason: the reason phrase; None for the registered one.
        headers: the fields, without those of the framing and of ``gzip``.
        delay: seconds of silence before it.
        size: bytes of the body; None for the usual body, or for ``echo``.
        is_zipped: whether the body is compressed.
        cut: how many bytes of the body are sent; None for all.
        piece: bytes of each piece of the body; None for one piece.
        every: seconds of silence between two pieces.
    """

    status: bytes = b"200"
    reason: bytes | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    delay: float = 0
    size: int | None = None
    is_zipped: bool = False
    cut: int | None = None
    piece: int | None = None
    every: float = 0

    @property
    def is_code(self) -> bool:
        """Whether the status is a status code."""
        return bool(re.fullmatch(rb"[1-9][0-9]{2}", self.status))

    @property
    def is_bare(self) -> bool:
        """Whether a response with this status has no body (RFC 9112, 6.3)."""
        return self.is_code and (self.status[:1] == b"1" or self.status in (b"204", b"304"))

    @property
    def own_body(self) -> bytes | Recipe:
        """The body that the path describes, before it is compressed."""
        if self.size is not None:
            return Recipe(((b"x", self.size),))
        return b"status " + self.status + b"\n" if self.is_code and not self.is_bare else b""

    def coded(self, body: bytes | Recipe) -> bytes | Recipe:
        """Return *body* as it is sent, but whole."""
        return _zipped(body) if self.is_zipped else body

    def steps(self, body: bytes | Recipe, *, head_only: bool = False) -> list[Step]:
        """Return the response with *body*, which is coded; for a HEAD request its head alone."""
        headers = self.headers
        if self.is_zipped:
            headers += ((b"Content-Encoding", b"gzip"),)
        if not self.is_bare and not any(name.lower() in _FRAMED for name, _ in headers):
            headers += ((b"Content-Length", b"%d" % len(body)),)
        sent = b"" if head_only else self._sent(body)
        at_once = sent if self.piece is None and isinstance(sent, bytes) and self.is_code else b""
        return [*self._head(headers, at_once), *self._body(sent if not at_once else b"")]

    def _head(self, headers: tuple[tuple[bytes, bytes], ...], body: bytes) -> list[Step]:
        if self.is_code:
            code, reason, delay = int(self.status), self.reason, self.delay
            return [Reply(code, reason, b"HTTP/1.1", headers, body, "none", delay=delay)]
        line = b"HTTP/1.1 " + self.status + (b"" if self.reason is None else b" " + self.reason)
        fields = [Header(name, value) for name, value in headers]
        pause = [Pause(self.delay)] if self.delay else []
        return [*pause, StatusLine(line), *fields, EndHeaders()]

    def _body(self, sent: bytes | Recipe) -> list[Step]:
        if not len(sent):
            return []
        return [Send(sent) if self.piece is None else Dribble(bytes(sent), self.piece, self.every)]

    def _sent(self, body: bytes | Recipe) -> bytes | Recipe:
        if self.cut is None:
            return body
        if isinstance(body, bytes):
            return body[: self.cut]
        return Recipe(((body.parts[0][0], min(self.cut, len(body))),))


def is_chain(path: str) -> bool:
    """Return whether *path* is one of these, valid or not; the id of a case has no slash."""
    own = path.removeprefix(PREFIX)
    return path.startswith(PREFIX) and ("/" in own or own in WORDS) and own != "bytes"


def chained(
    path: str, query: Mapping[str, bytes], limits: Limits, echo: Echo, *, head_only: bool
) -> Script:
    """Return the script that *path* describes.

    Args:
        path: the path, still percent-encoded.
        query: its query, whose ``reason`` and ``end`` are used.
        limits: those of the connection.
        echo: makes the body of ``echo``.
        head_only: whether the request is a HEAD.

    Raises:
        BadTarget: the path is not valid, or could exceed a limit.
    """
    given = _given(path.removeprefix(PREFIX))
    chain = _chain(given, query.get("reason"), limits)
    if "end" in given and "end" in query:
        raise BadTarget("the end is given in the path and in the query; give one of them")
    end = given.get("end", [query.get("end", b"fin").decode("latin-1")])[0]
    ending = ending_by(end)
    if "echo" in given:

        def answer(request: Request) -> list[Step]:
            body = chain.coded(echo(request))
            try:
                _check_body(chain, given, len(body), limits)
            except BadTarget as problem:
                return [Reply(400, text=f"{problem}\n")]
            return chain.steps(body, head_only=head_only)

        return script(connection(ReadRequest(), Respond(answer), *ending))
    body = chain.coded(chain.own_body)
    _check_body(chain, given, len(body), limits)
    return script(connection(ReadRequest(), *chain.steps(body, head_only=head_only), *ending))


def ending_by(end: str) -> list[Step]:
    """Return the steps that end the connection.

    Raises:
        BadTarget: there is no such end.
    """
    if end not in ENDS:
        raise BadTarget(f"end/{_shown(end)}: the end is one of {', '.join(ENDS)}")
    if ENDS[end] == "open":
        return []
    how = cast('Literal["fin", "rst"]', ENDS[end])
    return [Drain(), Close(how)] if how == "rst" else [Close(how)]


def grammar(limits: Limits) -> str:
    """Return the page that explains the paths."""
    forms = [(f"{word}/{values}".rstrip("/"), text) for word, (values, text) in WORDS.items()]
    lines = [
        "A path after /c/ is words, in any order, that make one response together:",
        "",
        *(f"  {form:<24}{text}" for form, text in forms),
        "",
        f"A body has at most {limits.total // 2} bytes; {_HELD} bytes in {_PIECES} pieces where it "
        f"is dribbled.",
        f"A silence lasts at most {limits.wait:g} s, all those of a response together "
        f"{_WAITS * limits.wait:g} s.",
        "CODE, NAME and VALUE are percent-decoded. HEAD gets the same head and end, and no body.",
        "",
        "Examples:",
        "",
        *(f"  {one}" for one in EXAMPLES),
        "",
        "Also: /c/CASE is a case (/_/ lists them), and /c/bytes?text=...&hex=...&chunk=... exactly "
        "these bytes.",
    ]
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------------------- reading the path


def _given(path: str) -> Given:
    """Return the values of each word; those of all its ``header`` in one list."""
    given: Given = {}
    rest = deque(path.split("/"))
    while rest:
        word = rest.popleft()
        if word not in WORDS:
            known = near_clause(word[:_SHOWN], WORDS, f"; the words are {', '.join(WORDS)}")
            raise BadTarget(f"'{_shown(word)}' is not a word of /c/{known}")
        if word in given and word != "header":
            raise BadTarget(f"{word}: is given twice; each word but header is given once")
        form = WORDS[word][0]
        count = len(form.partition("[")[0].split("/")) if form else 0
        if len(rest) < count:
            raise BadTarget(f"{word}: write {word}/{form}; /c/ explains it")
        values = [rest.popleft() for _ in range(count)]
        if "[" in form and rest and rest[0][:1].isdigit():
            values.append(rest.popleft())
        given.setdefault(word, []).extend(values)
    return given


def _chain(given: Given, reason: bytes | None, limits: Limits) -> Chain:
    fields = [unquote_to_bytes(one) for one in given.get("header", [])]
    piece, *every = given.get("dribble", [""])
    headers = tuple(zip(fields[::2], fields[1::2], strict=True))
    if "echo" in given and not any(name.lower() == b"content-type" for name, _ in headers):
        headers += ((b"Content-Type", b"application/json"),)
    chain = Chain(
        status=unquote_to_bytes(given.get("status", ["200"])[0]),
        reason=reason,
        headers=headers,
        delay=_seconds("delay", given.get("delay", ["0"])[0], limits),
        size=_count("bytes", given["bytes"][0], limits.total // 2) if "bytes" in given else None,
        is_zipped="gzip" in given,
        cut=_count("cut", given["cut"][0], limits.total) if "cut" in given else None,
        piece=_count("dribble", piece, _HELD, 1) if piece else None,
        every=_seconds("dribble", every[0], limits) if every else 0,
    )
    if "bytes" in given and "echo" in given:
        raise BadTarget("bytes and echo both give the body; give one of them")
    for word in ("bytes", "echo", "gzip", "cut", "dribble"):
        if word in given and chain.is_bare:
            raise BadTarget(f"{word}: a response with status/{chain.status.decode()} has no body")
    return chain


def _check_body(chain: Chain, given: Given, size: int, limits: Limits) -> None:
    """Refuse what only the size of the body shows."""
    if chain.cut is not None and chain.cut > size:
        raise BadTarget(f"cut/{chain.cut}: the body has {size} bytes; bytes/COUNT makes more")
    if chain.piece is None:
        return
    form = "/".join(("dribble", *given["dribble"]))
    if size > _HELD:
        raise BadTarget(f"{form}: the body has {size} bytes; at most {_HELD} are dribbled")
    pieces = -(-size // chain.piece)
    if pieces > _PIECES:
        raise BadTarget(f"{form}: {pieces} pieces; at most {_PIECES} are sent")
    seconds, most = chain.delay + (pieces - 1) * chain.every, _WAITS * limits.wait
    if seconds > most:
        raise BadTarget(f"{form}: {pieces} pieces take {seconds:g} s; at most {most:g} s in all")


def _count(word: str, text: str, most: int, least: int = 0) -> int:
    if not _COUNT.fullmatch(text) or not least <= int(text) <= most:
        raise BadTarget(f"{word}/{_shown(text)}: COUNT is a number from {least} to {most}")
    return int(text)


def _seconds(word: str, text: str, limits: Limits) -> float:
    if not _SECONDS.fullmatch(text) or float(text) > limits.wait:
        problem = f"SECONDS is a number from 0 to {limits.wait:g}, such as 0.5"
        raise BadTarget(f"{word}/{_shown(text)}: {problem}")
    return float(text)


def _shown(text: str) -> str:
    """Return a segment as it was sent, printable and not longer than a line."""
    return ascii(text[:_SHOWN])[1:-1] + "…" * (len(text) > _SHOWN)


def _zipped(body: bytes | Recipe) -> bytes:
    zipper = zlib.compressobj(wbits=31)
    blocks = (body,) if isinstance(body, bytes) else body.blocks()
    return b"".join([*(zipper.compress(block) for block in blocks), zipper.flush()])
