r"""Abbreviates what an implementation does in most cases, so that its record has only the rest.

The input is the observations of one implementation in the form of `Codec`.  The output is the usual
heads of its requests, and the usual class of its errors of each category; and the same observations
without them.  Two clients that differ only in these then have one observation.

A head is a text after the target, with two holes: ``{host}`` is the value of Host, and ``{length}``
the number of bytes after the blank line.  It is stored by method, and under ``""`` for the methods
without an entry.  In a request an ellipsis stands for the head; the host stands between two of them
if it is not the address of the server::

    "GET /a\u2026\r\n"    "GET /a\u2026example.test\u2026\r\n"    "POST /a\u2026\r\nhello"

What is usual is found once, when the implementation is first recorded, and again only with another
version: otherwise one new observation could change every record.
"""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from conformance.results.golden.stable import PORT
from conformance.results.golden.values import lengthened, shortened

ELLIPSIS = "\u2026"
"""It is not a byte, so no request can contain it."""
_START = re.compile(r" HTTP/1\.[01]\r\n")
_HOST = re.compile(r"(?mi)^(Host: )[^\r\n]*")
_LENGTH = re.compile(r"(?mi)^(Content-Length: )(\d+)(?=\r$)")
_HOLES = {r"\{host\}": r"(?P<host>[^\r\n\u2026]*)", r"\{length\}": r"(?P<length>\d+)"}
_FEWEST = 8
"""Requests from which the head of a method is stored."""
_LARGE = 65_536
"""Repetitions from which a text is not searched for a head."""
_TEXTS = ("received", "unread")


class Heads:
    """The usual heads of the requests of one implementation.

    Args:
        by_method: text with holes by method; that of ``""`` is for the methods without an entry.
    """

    def __init__(self, by_method: Mapping[str, str]) -> None:
        self.by_method = by_method

    def short(self, text: str, host: str) -> str:
        """Return *text*, requests for a server at the address *host*, without the usual heads."""
        made, at = "", 0
        for start in _START.finditer(text):
            head = self._head(text[at : start.start()]) if start.start() >= at else ""
            found = _pattern(head).match(text, start.start()) if head else None
            if found is None:
                continue
            rest, parts = text[found.end() :], found.groupdict()
            if parts.get("length") not in (None, str(_size(rest))):
                continue
            other = parts.get("host") not in (None, host)
            mark = f"{ELLIPSIS}{parts['host']}{ELLIPSIS}" if other else ELLIPSIS
            made += text[at : start.start()] + mark
            at = found.end()
        made += text[at:]
        return made if self.full(made, host) == text else text

    def full(self, text: str, host: str) -> str:
        """Return the text of which *text* is the short form."""
        before, mark, rest = text.partition(ELLIPSIS)
        if not mark:
            return text
        named, mark, after = rest.partition(ELLIPSIS)
        if mark and not _is_between(named):
            mark = ""
        rest = self.full(after if mark else rest, host)
        head = self._head(before).replace("{length}", str(_size(rest)))
        return before + head.replace("{host}", named if mark else host) + rest

    def _head(self, before: str) -> str:
        method = before.rpartition("\n")[2].partition(" ")[0]
        return self.by_method.get(method) or self.by_method.get("", "")


def _is_between(text: str) -> bool:
    """Tell whether *text*, between two ellipses, is a host: what follows a head begins a line."""
    return "\n" not in text


def _size(rest: str) -> int:
    """Return how many bytes of *rest*, which begins in a head, are after the head."""
    return len(f"\r\n{rest}".partition("\r\n\r\n")[2])


@functools.cache
def _pattern(head: str) -> re.Pattern[str]:
    pattern = re.escape(head)
    for hole, group in _HOLES.items():
        pattern = pattern.replace(hole, group, 1)
    return re.compile(pattern)


def address_of(host: str) -> str:
    """Return the value of Host for the server, which is at *host*."""
    return f"[{host}]:{PORT}" if ":" in host else f"{host}:{PORT}"


STANDARD = Heads({"": " HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: identity\r\n"})
"""What every implementation with httplib's interface sends; the fields of the caller follow."""


class Usual(NamedTuple):
    """What one client does in most cases.

    Args:
        heads: the heads of its requests, by method.
        raises: the class of its errors, by category.
    """

    heads: dict[str, str]
    raises: dict[str, str]

    def short(self, encoded: Any, host: str) -> Any:
        """Return an observation in the form of `Codec` without what is usual.

        Args:
            encoded: the observation, or a verdict.
            host: the host of the server.
        """
        if isinstance(encoded, str):
            return encoded
        calls, *wire = encoded
        made = [{name: self._short_call(call) for name, call in calls.items()}, *wire]
        if wire:
            made[1] = [self._short_connection(one, address_of(host)) for one in wire[0]]
        return made

    def _short_call(self, call: Any) -> Any:
        category = call.get("category") if isinstance(call, dict) else None
        if category is None or self.raises.get(category) != call.get("raises"):
            return call
        return {key: value for key, value in call.items() if key != "raises"}

    def _short_connection(self, one: Mapping[str, Any], host: str) -> dict[str, Any]:
        made = dict(one)
        for name in _TEXTS:
            if name in made:
                made[name] = self._short_text(made[name], host)
        if "requests" in made:
            made["requests"] = [self._short_text(text, host) for text in made["requests"]]
        return made

    def _short_text(self, encoded: Any, host: str) -> Any:
        text = _text(encoded)
        return encoded if text is None else shortened(Heads(self.heads).short(text, host))


def usual_of(seen: Iterable[Any]) -> Usual:
    """Return what is usual in the observations *seen*, which are in the form of `Codec`."""
    heads: dict[str, Counter[str]] = {}
    classes: dict[str, Counter[str]] = {}
    for encoded in seen:
        calls, connections, *_ = (*encoded, []) if isinstance(encoded, list) else ({}, [])
        for call in calls.values():
            if isinstance(call, dict) and "category" in call and "raises" in call:
                classes.setdefault(call["category"], Counter())[call["raises"]] += 1
        for one in connections:
            for request in one.get("requests", ()):
                for method, head in _heads_of(_text(request) or ""):
                    heads.setdefault(method, Counter())[head] += 1
    best = {method: _first(counts) for method, counts in heads.items()}
    most = _first(Counter({method: max(heads[method].values()) for method in heads}))
    others = {
        method: head
        for method, head in sorted(best.items())
        if head != best[most] and heads[method][head] >= _FEWEST
    }
    return Usual(
        {"": best[most], **others} if best else {},
        {category: _first(counts) for category, counts in sorted(classes.items())},
    )


def _heads_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield the method of the request *text* and its head, also with a hole for the length."""
    head, end, body = text.partition("\r\n\r\n")
    start = _START.search(head)
    if not end or start is None:
        return
    method = text.partition(" ")[0]
    named = _HOST.sub(r"\1{host}", f"{head[start.start() :]}\r\n", count=1)
    yield method, named
    length = _LENGTH.search(named)
    if length is not None and length[2] == str(len(body)):
        yield method, _LENGTH.sub(r"\1{length}", named, count=1)


def _first(counts: Counter[str]) -> str:
    """Return what was counted most often; of several, the first in order."""
    return min(counts, key=lambda one: (-counts[one], one), default="")


def _text(encoded: Any) -> str | None:
    """Return the text of which *encoded* is the short form; None if it is a digest, or large."""
    if isinstance(encoded, list):
        sizes = [len(one) if isinstance(one, str) else one.get("times", _LARGE) for one in encoded]
        if sum(sizes) >= _LARGE:
            return None
    return lengthened(encoded)
