"""The driver of a command: a program that is run once for each URL.

The input is a command in which ``{url}`` is replaced by the URL; the output is traces. Exit code 0
means that the response was accepted, any other that it was rejected. Standard output is the
content, or the file whose name replaces ``{out}``, or ``out`` in the directory whose name replaces
``{directory}``. A file whose name replaces ``{head}`` contains the head, in the format of ``curl
--dump-header``; without such a file, status, reason and fields are reported as unknown. A client
that reports its result in another way needs a function that reads it.

A program that takes several URLs, and can be made to wait between two of them, makes sessions too.
A command says so by ``[ A | B ]``, which becomes A B A B A: A makes a request, and B opens the file
whose name replaces ``{pause}``. Standard error is empty, unless the exchange was rejected.

The environment has the name of the case as ``HTTPLIB_KIT_CASE``. Processes of the program's group
that are still running when it ends are killed.
"""

import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from conformance.drivers.base import (
    EXCHANGE,
    FETCH,
    START_ALLOWANCE,
    Driver,
    DriverDied,
    Identity,
    Message,
    NotShown,
    Trace,
)
from conformance.drivers.clients.invocation import (
    CA,
    HEAD,
    MOST,
    MOST_SAID,
    OUT,
    PAUSE,
    PLACE,
    PROXY,
    URL,
    Ended,
    ProgramSession,
    Sessions,
    content_of,
    death,
    end_group,
    filled,
    started,
)
from conformance.drivers.clients.python_client import head_of
from conformance.drivers.clients.registry import ErrorTable
from conformance.drivers.effort import Effort, effort_of

_START = 2.0
Taken = tuple[bytes | None, bytes | None]
"""Head and content of a response, each None where the program does not report it."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How a program reaches its origin: options before the URL, its last argument.

    Args:
        direct: those to use no proxy.
        proxied: those to use the proxy.
        trusting: those to trust the authority.
    """

    direct: Sequence[str] = ()
    proxied: Sequence[str] = ()
    trusting: Sequence[str] = ()

    def options(self, message: Message) -> list[str]:
        """Return the options for the case of *message*."""
        chosen = [*(self.proxied if "proxy" in message else self.direct)]
        chosen += self.trusting if "certificates" in message else ()
        return [filled(word, _reach(message)) for word in chosen]


def _reach(message: Message) -> dict[str, str]:
    """Return the proxy and the file of the authority by their names in a command."""
    ca = message.get("certificates", {}).get("ca", {}).get("chain", os.devnull)
    return {PROXY: str(message.get("proxy", "")), CA: str(ca)}


def as_written(ended: Ended) -> Taken:
    """Return the head and the content that the program wrote."""
    return ended.head, ended.output


class Command(Driver):
    """Runs a program for each `fetch`, and one for each session.

    Args:
        written: the client as the user wrote it.
        name: what the client is called.
        version: its version; empty if unknown.
        words: the program and its arguments.
        table: from exit codes and standard error to categories.
        answered: the exit codes that mean that the response was accepted.
        taken: reads the response from the result of the program.
        allowance: seconds that the program may take to its first connection.
        sessions: how it makes several exchanges; None if it cannot.
        features: what it can do besides a request with content, of its own origin.
        ways: how it reaches its origin.
    """

    def __init__(
        self,
        written: str,
        name: str,
        version: str,
        words: Sequence[str],
        table: ErrorTable | None = None,
        answered: Sequence[int] = (0,),
        taken: Callable[[Ended], Taken] = as_written,
        allowance: float = START_ALLOWANCE,
        sessions: Sessions | None = None,
        features: Iterable[str] = (),
        ways: Ways | None = None,
    ) -> None:
        ops = frozenset({FETCH} if sessions is None else {FETCH, EXCHANGE})
        self._identity = Identity(written, name, version, frozenset(features), ops)
        self._words = list(words)
        self._ways = ways or Ways()
        self._table = table or ErrorTable([])
        self._answered = answered
        self._taken = taken
        self._allowance = allowance
        self._process: subprocess.Popen[bytes] | None = None
        self._sessions = sessions
        self._asked: Sequence[Message] = ()
        self._session: ProgramSession | None = None

    @property
    def identity(self) -> Identity:
        """The client."""
        return self._identity

    def run(self, message: Message) -> Trace:
        """Run the program for the URL of *message*, or let it make the next exchange."""
        if any(op["call"] == EXCHANGE for op in message["ops"]):
            return [self._exchange(message, op) for op in message["ops"]]
        with tempfile.TemporaryDirectory(prefix="httplib-kit-") as directory:
            place = Path(directory)
            case = str(message.get("name", message["id"]))
            words = [*self._words[:-1], *self._ways.options(message), self._words[-1]]
            words = [filled(word, _reach(message)) for word in words]
            url = str(message["url"])
            return [self._entry(op, words, url, case, place) for op in message["ops"]]

    def announce(self, ops: Sequence[Message]) -> None:
        """Take notice of the exchanges that the program will make in one invocation."""
        self._asked = [op["kwargs"] for op in ops]
        problem = self._sessions.problem(self._asked) if self._sessions else ""
        if problem:
            raise NotShown(problem)

    @property
    def start_cost(self) -> float:
        """Seconds that a start may take, at most that of a JVM; each case includes one start."""
        return _START

    @property
    def allowance(self) -> float:
        """Seconds that the program may take to its first connection."""
        return self._allowance

    def effort(self) -> Effort | None:
        """Return the processor time that the program used and waited for; None if none runs.

        That of its children counts too: a program is often started by a shell.
        """
        process = self._process
        return None if process is None else effort_of(process.pid, children=True)

    def release(self) -> None:
        """End the program of a session; that of a `fetch` has ended."""
        session, self._session = self._session, None
        if session is not None:
            session.close()
            self._process = None

    def kill(self) -> bool:
        """End the program and its group; a `run` that waits for it raises `DriverDied`."""
        process = self._process
        if process is not None:
            end_group(process)
        return True

    def stop(self) -> None:
        """End the program if it is running."""
        self.kill()
        self.release()

    def _entry(
        self, op: Message, words: Sequence[str], url: str, case: str, directory: Path
    ) -> dict[str, Any]:
        files = {HEAD: directory / "head", OUT: directory / "out"}
        holes = {
            URL: url,
            PAUSE: os.devnull,
            PLACE: str(directory),
            **{name: str(path) for name, path in files.items()},
        }
        words = [filled(word, holes) for word in words]
        ended = self._ended(words, case, directory)
        if any(HEAD in word for word in self._words):
            ended = replace(ended, head=content_of(files[HEAD]))
        if any(OUT in word or PLACE in word for word in self._words):
            ended = replace(ended, output=content_of(files[OUT]))
        if ended.code < 0 and ended.code not in self._answered:
            raise death(words[0], ended.code)
        return self._fact(op, ended)

    def _fact(self, op: Message, ended: Ended) -> dict[str, Any]:
        """Return the entry of the trace for *ended*."""
        if ended.code in self._answered:
            return {"id": op["id"], "value": response(*self._taken(ended))}
        return {"id": op["id"], "error": self._error(ended)}

    def _exchange(self, message: Message, op: Message) -> dict[str, Any]:
        """Let the program make its next exchange."""
        if self._sessions is None or op["call"] != EXCHANGE:
            return {"id": op["id"], "unsupported": True}
        if self._session is None:
            asked = self._asked or [op["kwargs"]]
            urls = [urljoin(str(message["url"]), one["target"]) for one in asked]
            options = self._ways.options(message)
            self._session = ProgramSession(
                self._sessions, asked, urls, str(message.get("name")), options, _reach(message)
            )
        self._process = self._session.process
        try:
            ended = self._session.next()
        except DriverDied:
            self.release()
            raise
        return self._fact(op, ended)

    def _ended(self, words: Sequence[str], case: str, directory: Path) -> Ended:
        # Files instead of pipes: a process that the program starts and leaves running could keep a
        # pipe open, and reading it would never end.
        with (directory / "output").open("w+b") as output, (directory / "said").open("w+b") as said:
            process = self._process = started(words, case, directory, output, said)
            try:
                code = process.wait()
            finally:
                end_group(process)
                process.wait()
                self._process = None
            output.seek(0)
            said.seek(0)
            return Ended(code, output.read(MOST), said.read(MOST_SAID), None)

    def _error(self, ended: Ended) -> dict[str, Any]:
        error = {
            "class": f"exit-{ended.code}",
            "bases": [],
            "attributes": {},
            "message": ended.last_words,
        }
        text = f"exit {ended.code}: {ended.said.decode('utf-8', 'replace')}"
        return {**error, "category": self._table.category({**error, "causes": [text]})}


def command_words(text: str) -> list[str]:
    """Return the words of a command as a user wrote it.

    Raises:
        ValueError: it has no ``{url}``, or is not a command line; the message says which.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"not a command line: {error}") from None
    if not any(URL in word for word in words[1:]):
        raise ValueError(f"a command has {URL} among its arguments, where the URL is to stand")
    if any(PAUSE in word for word in words):
        marks = [word for word in words if word in ("[", "|", "]")]
        between = words[words.index("|") :] if "|" in words else ()
        if marks != ["[", "|", "]"] or not any(PAUSE in word for word in between):
            problem = "is to stand in [ REQUEST | WAIT ], in the part that waits"
            raise ValueError(f"{PAUSE} {problem}: each of the marks is a word")
    return words


def response(head: bytes | None, content: bytes | None) -> dict[str, Any]:
    """Return a response in the form of the protocol."""
    value: dict[str, Any] = {
        "type": "response",
        "status": None,
        "reason": None,
        "headers": None,
        "body": None if content is None else content.decode("latin-1"),
    }
    if head is not None:
        status, reason, fields = head_of(re.split(rb"(?<=\n)", head))
        value["status"] = status
        value["reason"] = reason.decode("latin-1")
        value["headers"] = [[a.decode("latin-1"), b.decode("latin-1")] for a, b in fields]
    return value
