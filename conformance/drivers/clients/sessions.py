"""How curl and wget make the exchanges of a session in one run.

The input is the exchanges; the output is options, and what the program wrote about each exchange.
curl waits in a transfer of its own: that of a ``file:`` URL which names a pipe. wget waits in the
program that it asks for a user name before each URL; it makes all its requests alike.

Neither makes two requests at the same time, nor leaves a response unread or reads a part of it, nor
takes content that cannot be read again: cases that need that are not run.
"""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from conformance.drivers.base import Message
from conformance.drivers.clients.invocation import HEAD, Ended, Sessions, content_of, filled

_TIMEOUT = "5"
"""Seconds, more than the kit's own deadline, which alone decides whether a client hangs."""


class CurlSessions:
    """Each exchange of curl is a transfer with options of its own, and so is each wait.

    Args:
        command: the program and its arguments for one URL, which is the last of them.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._start, self._usual = command[:2], command[2:-1]

    def problem(self, _asked: Sequence[Message]) -> str:
        """Return nothing: transfers need not have anything in common."""
        return ""

    def words(
        self, asked: Sequence[Message], urls: Sequence[str], place: Path, options: Sequence[str]
    ) -> list[str]:
        """Return the transfers."""
        words = [*self._start]
        for number, (one, url) in enumerate(zip(asked, urls, strict=True), 1):
            # Where `--head` is given, curl writes the head as the content too.
            out = "/dev/null" if one["method"] == "HEAD" else str(place / f"{number}.out")
            holes = {HEAD: str(place / f"{number}.head")}
            words += [filled(word, holes) for word in self._usual]
            words += [*options, "-o", out, *_curl_options(one, place / f"{number}.sent"), url]
            pause = (place / str(number)).as_uri()
            words += ["--next", "-sS", "-o", "/dev/null", pause, "--next"]
        return words[:-1]

    def ended(
        self, number: int, _code: int | None, said: bytes, _written: bytes, place: Path
    ) -> Ended:
        """Return the result; only a transfer that fails has a line on standard error."""
        failed = re.search(rb"curl: \((\d+)\)", said)
        head, body = (content_of(place / f"{number}.{part}") for part in ("head", "out"))
        return Ended(int(failed[1]) if failed else 0, body, said, head)


def _curl_options(asked: Message, content: Path) -> Iterator[str]:
    """Yield the options for a request; its content is written to the file *content*."""
    method = str(asked["method"])
    yield from ("--max-time", f"{asked.get('timeout', _TIMEOUT)}")
    yield from ("--head",) if method == "HEAD" else ("-X", method) if method != "GET" else ()
    for name, value in asked.get("fields", {"value": ()})["value"]:
        yield from ("-H", f"{name}: {value}" if value else f"{name};")
    if "body" in asked:
        content.write_bytes(asked["body"]["value"].encode("latin-1"))
        expect = "Expect: 100-continue" if "expect_continue" in asked else "Expect:"
        yield from ("-H", expect, "--expect100-timeout", _TIMEOUT, "--data-binary", f"@{content}")


class WgetSessions:
    """wget takes many URLs, with options for all; it asks a program for a user before each.

    Args:
        command: the program and its arguments for one URL, which is the last of them.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._usual = command[:-1]

    def problem(self, asked: Sequence[Message]) -> str:
        """Return why not: the requests differ in more than their targets."""
        alike = [{key: one[key] for key in one if key != "target"} for one in asked]
        different = any(one != alike[0] for one in alike)
        return "all requests of one run of wget are alike, but for their targets" * different

    def words(
        self, asked: Sequence[Message], urls: Sequence[str], place: Path, options: Sequence[str]
    ) -> list[str]:
        """Return the options, the URLs, and one more, for which it only asks."""
        asks, first = place / "asks", asked[0]
        pipes = shlex.quote(str(place))
        asks.write_text(_ASKS.replace("PLACE", pipes), encoding="utf-8")
        asks.chmod(0o700)
        words = [*self._usual, *options, f"--use-askpass={asks}"]
        if "timeout" in first:
            words.append(f"--timeout={first['timeout']}")
        if first["method"] != "GET":
            words.append(f"--method={first['method']}")
        fields = first.get("fields", {"value": ()})["value"]
        words += [f"--header={name}: {value}" for name, value in fields]
        if "body" in first:
            content = place / "sent"
            content.write_bytes(first["body"]["value"].encode("latin-1"))
            words.append(f"--body-file={content}")
        return [*words, *urls, urls[-1]]

    def ended(
        self, _number: int, _code: int | None, said: bytes, written: bytes, _place: Path
    ) -> Ended:
        """Return the result: an error status is one of those that `_ANSWERED` stands for."""
        return Ended(0 if _WGET_TAKES.search(said) else 4, written, said, None)


_ASKS = """#!/bin/sh
# Before the second URL this waits until the pipe 1 has a writer, and so on.
case "$1" in Username*)
  n=$(cat PLACE/asked 2>/dev/null || echo 0)
  echo $((n + 1)) > PLACE/asked
  if [ "$n" -gt 0 ]; then cat "PLACE/$n" > /dev/null; fi
esac
echo user
"""
_WGET_TAKES = re.compile(
    rb"(?m)written to stdout \[|^\S+ \S+ ERROR \d|redirections? exceeded|Authentication Failed"
    rb"|Unknown authentication scheme|not retrieving|^Remote file exists"
)
"""What wget writes where it has taken a response: its content, or an error status."""


SESSIONS: Mapping[str, Callable[[Sequence[str]], Sessions]] = {
    "curl": CurlSessions,
    "wget": WgetSessions,
}
"""By the names that the registry has for them; each takes the command for one URL."""
