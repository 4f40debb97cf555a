"""Checks whether a program follows the driver protocol, and reports each finding in plain words.

The input is a command.  The output is findings: what is right, what is wrong and how to correct it,
and what is useful to know.  The program is started and receives every message that a run would
send, well-formed and malformed, and connects to real servers.  Nothing here judges the client that
the driver uses: the checks are only about the form of the reported facts.

Each check continues with the driver of the previous check, and starts a new process if that has
ended.
"""

import shlex
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from certs import CertificateAuthority
from conformance.cases import CLIENT_FEATURES, FEATURES
from conformance.driver_check.conversation import PATIENCE, STOP, Conversation, Problem
from conformance.drivers import (
    ANY_OP,
    EXCHANGE,
    EXEC,
    FETCH,
    PROBE,
    DriverError,
    ProgramTarget,
    Started,
    op_name,
)
from conformance.judge import KNOWN_ERRORS, ErrorMapError, checked_error_map
from conformance.run import Runner
from conformance.wording import near_clause
from mockserver import Close, MockServer, ReadRequest, Send, Stall, Step, connection, script

Kind = Literal["ok", "wrong", "note"]
SLOW_START = 3.0
"""Seconds for a start above which a finding says that every hang costs a new start."""
EVERY_OCTET = bytes(range(256))
_LARGE_SERIAL = 2**31 + 7
_CONN = {"on": "conn", "args": [], "kwargs": {}}
_ADDRESS = [{"type": "address", "value": "host"}, {"type": "address", "value": "port"}]
_NEW = {"id": "new", "call": "HTTPConnection", "on": "module", "as": "conn", "kwargs": {}}
_EXCHANGE: Sequence[dict[str, Any]] = (
    {**_NEW, "args": _ADDRESS},
    {**_CONN, "id": "request", "call": "request", "args": ["GET", "/"]},
    {**_CONN, "id": "getresponse", "call": "getresponse", "as": "response"},
    {"id": "status", "on": "response", "get": "status"},
    {**_CONN, "id": "getheader", "on": "response", "call": "getheader", "args": ["X-Check"]},
    {**_CONN, "id": "read", "on": "response", "call": "read"},
    {**_CONN, "id": "isclosed", "on": "response", "call": "isclosed"},
    {"id": "set", "on": "conn", "set": "timeout", "value": 3},
    {"id": "msg", "on": "response", "get": "msg", "as": "msg"},
    {"id": "item", "on": "msg", "item": "x-check"},
)
_FETCH = {"id": "fetch", "on": "client", "call": FETCH, "args": [], "kwargs": {}}
_SESSION: Sequence[dict[str, Any]] = (
    {**_FETCH, "id": "1", "call": EXCHANGE, "kwargs": {"method": "GET", "target": "/1"}},
    {
        **_FETCH,
        "id": "2",
        "call": EXCHANGE,
        "kwargs": {
            "method": "POST",
            "target": "/2",
            "body": {"type": "bytes", "value": EVERY_OCTET.decode("latin-1")},
        },
    },
)
_GOOD = b"HTTP/1.1 200 OK\r\nX-Check: yes\r\nContent-Length: 256\r\n\r\n" + EVERY_OCTET
_OPTIONAL = frozenset({"item", "isclosed", "set", "msg"})
"""What an implementation may lack: an error there is a fact about it, not a fault."""
_SILENCE = 0.3
"""Seconds until the silent server resets its connection."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Args:
        kind: whether something is right, wrong, or useful to know.
        what: the part of the protocol that it is about.
        text: the finding, in one line.
    """

    kind: Kind
    what: str
    text: str


class Checkup:
    """All checks of one driver.

    Args:
        command: the program and its arguments.
        patience: seconds allowed for its start.
    """

    def __init__(self, command: Sequence[str], patience: float) -> None:
        self._command = command
        self._patience = patience
        self._talk: Conversation | None = None
        self._identity: Started | None = None

    def findings(self) -> Iterator[Finding]:
        """Yield each finding as soon as it is known."""
        try:
            took = self._timed_start()
        except Problem as error:
            yield Finding("wrong", "start", str(error))
            return
        yield from self._about_the_start(took)
        checks: list[tuple[str, Callable[[], str]]] = [
            ("unknown message", self._unknown_message),
            ("unknown op", self._unknown_op),
            ("serial", self._serial),
            ("run", self._good_exchange),
            ("error", self._broken_exchange),
            ("deadline", self._silent_server),
            *([("session", self._session)] if EXCHANGE in self._driver.ops else []),
            ("release", self._release),
            ("stop", self._stop),
            ("end of input", self._end_of_input),
        ]
        for what, check in checks:
            try:
                yield Finding("ok", what, check())
            except Problem as error:
                yield Finding("wrong", what, str(error))
                self._hang_up()
        self._hang_up()
        yield from self._claims()

    def _claims(self) -> Iterator[Finding]:
        """Compare the claimed features with what arrives at a server, as before a run."""
        written = EXEC + shlex.join(self._command)
        try:
            with Runner(
                ProgramTarget(written, tuple(self._command)), CertificateAuthority()
            ) as one:
                for exchange, problem in one.completed():
                    title = exchange.case.title
                    yield Finding(
                        "wrong" if problem else "ok",
                        "claims",
                        f"{title} is not completed: {problem}" if problem else title,
                    )
        except DriverError as error:
            yield Finding("wrong", "claims", str(error))

    def _hang_up(self) -> None:
        talk, self._talk = self._talk, None
        if talk is not None:
            talk.program.end()

    def _started(self) -> Conversation:
        """Return the driver, in a new process if none is running."""
        if self._talk is None:
            self._talk = Conversation(self._command, self._patience)
            self._identity = self._talk.start()
        return self._talk

    def _timed_start(self) -> float:
        began = time.monotonic()
        try:
            self._started()
        finally:
            if self._identity is None:
                self._hang_up()
        return time.monotonic() - began

    @property
    def _driver(self) -> Started:
        if self._identity is None:
            raise Problem("it did not start")
        return self._identity

    def _about_the_start(self, took: float) -> Iterator[Finding]:
        driver = self._driver
        named = ", ".join(driver.ops)
        yield Finding("ok", "start", f"{driver.name} {driver.version}; ops: {named}")
        if took > SLOW_START:
            text = f"it took {took:.1f} s; a client that hangs or dies costs that again"
            yield Finding("note", "start", text)
        for name in driver.features:
            features = (*FEATURES, *CLIENT_FEATURES)
            hint = "" if name in features else near_clause(name, features)
            if hint:
                yield Finding("wrong", "start", f"no feature is called {name!r}{hint}")
        if not driver.ops:
            yield Finding("wrong", "start", "`ops` is empty, so no case could be run")
        try:
            checked_error_map(driver.errors, "`errors` in the answer to `start`")
        except ErrorMapError as error:
            known = ", ".join(sorted(KNOWN_ERRORS))
            yield Finding("wrong", "start", f"{error}; there are {known}")

    def _unknown_message(self) -> str:
        answer = self._started().ask({"type": PROBE})
        if answer.get("unsupported") != PROBE:
            wanted = '{"serial": N, "unsupported": "the type"}'
            raise Problem(f"a message of an unknown type needs the answer {wanted}")
        return "a message of an unknown type is answered by `unsupported`"

    def _unknown_op(self) -> str:
        op: dict[str, Any] = {"id": PROBE, "on": "module", "args": [], "kwargs": {}}
        op["kind" if ANY_OP in self._driver.ops else "call"] = PROBE
        (entry,) = self._started().run([op], ("127.0.0.1", 0))
        if "unsupported" not in entry:
            wanted = '{"id": …, "unsupported": true}'
            raise Problem(f"an unknown op needs the entry {wanted}")
        return "an unknown op is answered by `unsupported`"

    def _serial(self) -> str:
        talk = self._started()
        talk.skip_to(_LARGE_SERIAL)
        talk.ask({"type": "release"})
        return "every answer has the serial number of its message, large ones too"

    def _good_exchange(self) -> str:
        trace = self._played(Send(_GOOD), Close("fin"))
        for entry in trace:
            if "unsupported" in entry:
                raise Problem(f"it declares `{entry['id']}`, and then does not support it")
        failed = [entry for entry in trace if "error" in entry and entry["id"] not in _OPTIONAL]
        if failed:
            error = failed[0]["error"]
            text = f"{error['class']}: {error['message']}"
            raise Problem(f"`{failed[0]['id']}` fails for a well-formed response: {text}")
        _check_content({entry["id"]: entry.get("value") for entry in trace})
        ops = ", ".join(entry["id"] for entry in trace)
        return f"a well-formed response gives the exact bytes ({ops})"

    def _broken_exchange(self) -> str:
        """Reset the connection instead of a response: no client can report this as a response."""
        trace = self._played(Close("rst"))
        taken = [one for one in trace if one["id"] in ("fetch", "getresponse") and "value" in one]
        if taken:
            raise Problem(f"`{taken[0]['id']}` has a value, though the connection was reset")
        return "a reset in place of a response gives an error with its class and text"

    def _silent_server(self) -> str:
        trace = self._played(Stall(), reset_after=_SILENCE)
        if not any("error" in entry for entry in trace):
            raise Problem("no op fails, though the server said nothing and then reset everything")
        return "it comes back when the server resets a connection that was silent"

    def _session(self) -> str:
        """Make two exchanges in two runs, and compare what arrived."""
        talk = self._started()
        talk.ask({"type": "release"})  # the objects of earlier checks
        good = connection(ReadRequest(), Send(_GOOD), ReadRequest(), Send(_GOOD), times=None)
        with MockServer(patience=PATIENCE) as server:
            play = server.play(script(good))
            for op in _SESSION:
                trace = talk.run([op], play.address)
                failed = [entry["error"]["message"] for entry in trace if "error" in entry]
                if failed or "unsupported" in trace[0]:
                    why = failed[0] if failed else "it answers `unsupported`"
                    raise Problem(f"`exchange` fails for a well-formed response: {why}")
                _check_content({"fetch": trace[0].get("value")}, EXCHANGE)
            talk.ask({"type": "release"})
            requests = [one for came in play.finish().connections for one in came.requests]
        lines = [one.partition(b"\r\n")[0].rpartition(b" ")[0] for one in requests]
        if lines != [b"GET /1", b"POST /2"]:
            raise Problem(f"GET /1 and POST /2 were asked for, and {lines} came")
        if not requests[1].endswith(EVERY_OCTET):
            raise Problem("the content of `body` did not arrive: one byte is one character of it")
        return "two exchanges in two runs give the exact bytes, and arrive as they were asked for"

    def _played(self, *steps: Step, reset_after: float | None = None) -> list[Any]:
        """Return the trace of an exchange with a server that reads a request and plays *steps*."""
        ops = self._exchange()
        if not ops:
            raise Problem("none of the ops that it declares makes a request: there is no `fetch`")
        talk, every_time = self._started(), connection(ReadRequest(), *steps, times=None)
        talk.ask({"type": "release"})  # the objects of earlier checks
        with MockServer(patience=PATIENCE) as server:
            play = server.play(script(every_time))
            timer = threading.Timer(reset_after or 0, play.abort)
            if reset_after is not None:
                timer.start()
            try:
                return talk.run(ops, play.address)
            finally:
                timer.cancel()
                play.finish()

    def _exchange(self) -> Sequence[Mapping[str, Any]]:
        """Return ops for an exchange that the driver declares, at least one of each kind."""
        declared = self._driver.ops
        if FETCH in declared:
            return [_FETCH]
        if ANY_OP in declared:
            return _EXCHANGE
        mine = [op for op in _EXCHANGE if op_name(op) in declared]
        return mine if {"HTTPConnection", "request"} <= {op_name(op) for op in mine} else []

    def _release(self) -> str:
        talk = self._started()
        with MockServer(patience=PATIENCE) as server:
            play = server.play(script(connection(ReadRequest(), Send(_GOOD), times=None)))
            talk.run(self._exchange(), play.address)
            answer = talk.ask({"type": "release"})
            record = play.finish()
        if "error" in answer or "unsupported" in answer:
            raise Problem(f'`release` needs the answer {{"serial": N}}, not {answer}')
        if FETCH in self._driver.ops:
            return "`release` is answered; a client with one op may keep its connections"
        if any(one.after == "kept" for one in record.connections):
            raise Problem(
                "after `release` a connection is still open: close the objects of the run"
            )
        return "the objects of a run are closed by `release`"

    def _stop(self) -> str:
        talk, self._talk = self._started(), None
        return talk.goodbye(STOP)

    def _end_of_input(self) -> str:
        talk, self._talk = self._started(), None
        return talk.goodbye(None)


def _check_content(values: Mapping[str, Any], op: str = FETCH) -> None:
    """Compare the reported values with all 256 bytes; a usual mistake is to send them as UTF-8."""
    value = values.get("fetch", values.get("read"))
    if "fetch" in values:
        if not isinstance(value, dict) or value.get("type") != "response":
            raise Problem(f"the value of `{op}` needs the type `response`")
        if value["status"] not in (200, None):
            raise Problem(f"the status is {value['status']}, where the server says 200")
        seen = value["body"]
    elif isinstance(value, dict):
        seen = value.get("value")
    else:
        return
    if seen is not None and seen != EVERY_OCTET.decode("latin-1"):
        hint = "a byte is one character, U+0000 to U+00FF, whatever it means"
        raise Problem(f"the bytes 00 to ff were returned as {str(seen)[-40:]!r}; {hint}")
