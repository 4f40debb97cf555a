"""A lane: a driver and its servers, through which cases run one after the other.

The input is a case, the output its result.  The lane runs in the thread that calls it and waits
without limit.  The watching thread sets `late` to the text of what it did, when it has reset the
sockets or killed the driver; the case then ends with the verdict HANG.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from conformance.cases import AddressHole, Case, client_case
from conformance.drivers import Driver, DriverDied, DriverError, Message, NotInstalled, Trace
from conformance.judge import OK, Observation, Verdict, did_of, entry_text, judge
from conformance.results import (
    Kept,
    Result,
    kept_frames,
    kept_octets,
    not_run,
    result_of,
    without_port,
)
from conformance.run.deadlines import ended_process
from conformance.run.interface import probed, used
from conformance.run.performed import Performed
from conformance.run.sent import planned, recorded
from mockserver import MockServer, Play, Record, TLSProvider

Certificates = Mapping[str, Mapping[str, str]]
Witness = Callable[[Case, Observation], None]
_PATIENCE = 60.0
"""How long a step waits for the client, in deadlines, or in seconds if that is longer.  It is so
long that only the deadline ends a case."""
_LONGEST_ERROR = 200
"""Characters of the text of an error that are kept for a case that passes."""
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
"""A memory address in the text of an object, which differs between runs."""
_LONGEST_STORY = 64 * 1024
"""Characters of the transcript of a case that does not end: a longer one means an endless script.
"""


class Lane:
    """Runs cases one after the other.

    Args:
        driver: the implementation under test; the lane stops it.
        tls: makes the servers' TLS contexts.
        certificates: returns the names of the PEM files for the driver; called for the first case
            that needs them.
        error_map: native exception names to known ones.
        tolerant: whether outcomes graded tolerated are accepted.
        deadline: seconds without progress after which a case is late; sent to the driver.
        thorough: whether results contain trace and transcript also if nothing failed.
        witness: called with each case and its observation, before it is judged.
        performed: what the driver has performed, in this lane or another; by default nothing.
    """

    def __init__(
        self,
        driver: Driver,
        tls: TLSProvider,
        certificates: Callable[[], Certificates],
        error_map: Mapping[str, str],
        *,
        tolerant: bool,
        deadline: float,
        thorough: bool = False,
        witness: Witness | None = None,
        performed: Performed | None = None,
    ) -> None:
        self.driver = driver
        self.late = ""
        self._tls = tls
        self._certificates = certificates
        self._error_map = error_map
        self._tolerant = tolerant
        self._deadline = deadline
        self._patience = _PATIENCE * max(1.0, deadline)
        self._thorough = thorough
        self.witness = witness
        self._performed = Performed() if performed is None else performed
        self._servers: dict[str, MockServer] = {}
        self._play: Play | None = None
        self._position: Message = {}

    @property
    def activity(self) -> tuple[int, ...]:
        """A value that changes with every event on the wire, also when the client reads."""
        play = self._play
        return () if play is None else play.activity

    def reset(self, act: str) -> None:
        """Reset all sockets of the running case; called by the watching thread.

        Args:
            act: the text for what the kit does; it appears in the record and the result.
        """
        play, position = self._play, self.driver.where()
        if play is self._play:  # else the case has ended meanwhile
            self.late, self._position = act, position
            if play is not None:
                play.abort(act)

    def hang(self, case: Case, reason: str, record: Record | None = None) -> Result:
        """Return the result of *case*, which hung: what it has done, where it was, and the wire.

        Args:
            case: the case.
            reason: what the kit did.
            record: the record of its play; by default what has happened so far.
        """
        if self.driver.identity.is_client and case.fetch is not None:
            case = client_case(case)
        play, position = self._play, self._position
        result = not_run(case, Verdict.HANG, reason)
        if position:
            done = zip(case.ops, position["trace"], strict=False)
            result = msgspec.structs.replace(
                result,
                call=case.ops[len(position["trace"])].text,
                trace=[f"{op.text} -> {entry_text(entry)}" for op, entry in done],
                frames=kept_frames(position["frames"]),
            )
        if play is None:
            return result
        told = _with_wire(result, play.so_far if record is None else record)
        return without_port(told, play.address[1])

    def close(self) -> None:
        """Stop the driver and the servers."""
        self.driver.stop()
        self.abandon()

    def abandon(self) -> None:
        """Stop the servers.  The driver's thread is stuck and cannot be stopped."""
        for server in self._servers.values():
            server.stop()

    def run_case(self, case: Case) -> Result:
        """Play, run and judge *case*; in the client profile if the driver has only `fetch`."""
        if self.driver.identity.is_client:
            if case.fetch is None:
                return not_run(case, Verdict.UNSUPPORTED, "the case is about httplib's interface")
            case = client_case(case)
        lacking = self.driver.identity.lacking(op.message for op in case.ops)
        if lacking:
            reason = f"the driver does not declare {', '.join(lacking)}"
            return not_run(case, Verdict.UNSUPPORTED, reason)
        missing = case.needs - self.driver.identity.features
        if missing:
            reason = f"the implementation has no {', '.join(sorted(missing))}"
            return not_run(case, Verdict.UNSUPPORTED, reason)
        name = probed(case)
        absent = self._performed.lacking
        if absent and (needed := absent.intersection(used(case.ops)) - {name}):
            reason = f"the implementation has no {', '.join(sorted(needed))}"
            return not_run(case, Verdict.UNSUPPORTED, reason)
        try:
            server = self._server(case.host)
        except OSError as error:
            reason = f"no server can listen on {case.host}: {error.strerror}"
            return not_run(case, Verdict.UNSUPPORTED, reason)
        result = self._played(case, server)
        if name in absent and result.verdict in OK:
            reason = f"the implementation has {name}, and had it not when it was examined"
            return not_run(case, Verdict.DRIVER_ERROR, reason)
        return result

    def _server(self, host: str) -> MockServer:
        server = self._servers.get(host)
        if server is None:
            server = MockServer(tls=self._tls, host=host, patience=self._patience)
            server.start()
            self._servers[host] = server
        return server

    def _played(self, case: Case, server: MockServer) -> Result:
        self.late = ""
        self._position = {}
        play = self._play = server.play(case.script)
        try:
            trace = self.driver.run(self._message(case, play.address))
            record = play.finish()
            self.driver.release()
            result = self._told(case, trace, record, play.address)
            self.driver.settle()
        except NotInstalled as error:
            return not_run(case, Verdict.NOT_INSTALLED, str(error))
        except (DriverDied, DriverError) as error:
            return self._unanswered(case, error, play.finish())
        finally:
            play.finish()
        result = self.hang(case, self.late, record) if self.late else result
        self._play = None  # its record can be large, and the next case may not begin soon
        return result

    def _told(self, case: Case, trace: Trace, record: Record, address: tuple[str, int]) -> Result:
        """Return the result of what the driver reported.

        The driver releases its objects meanwhile.
        """
        lacking = [op for op, one in zip(case.ops, trace, strict=True) if "unsupported" in one]
        if not lacking:
            self._performed.note(case.ops, trace)
            return self._judged(case, trace, record, address)
        denied = next(filter(self._performed.has, lacking), None)
        if denied is not None:
            reason = f"the driver does not support {denied.text}, which it has performed before"
            return not_run(case, Verdict.DRIVER_ERROR, reason)
        return not_run(case, Verdict.UNSUPPORTED, f"the driver does not support {lacking[0].text}")

    def _unanswered(self, case: Case, error: Exception, record: Record) -> Result:
        if self.late:
            return self.hang(case, ended_process(self.late, self._deadline), record)
        verdict = Verdict.CRASH if isinstance(error, DriverDied) else Verdict.DRIVER_ERROR
        return _with_wire(not_run(case, verdict, str(error)), record)

    def _message(self, case: Case, address: tuple[str, int]) -> dict[str, Any]:
        message: dict[str, Any] = {
            "type": "run",
            "id": case.id,
            "rev": case.rev,
            "name": case.name,
            "ops": [op.message for op in case.ops],
            "address": list(address),
            "deadline": self._deadline,
        }
        if case.profile == "client":
            message["url"] = f"http://{AddressHole('server').text(*address)}{case.path}"
        if case.certificates:
            message["certificates"] = self._certificates()
        return message

    def _judged(self, case: Case, trace: Trace, record: Record, address: tuple[str, int]) -> Result:
        identity = self.driver.identity
        blind = "reads-ahead" in identity.features
        observation = observation_of(trace, record, address, blind=blind)
        judgement = judge(
            case,
            observation,
            identity.features,
            self._error_map,
            tolerant=self._tolerant,
            foreign=identity.is_foreign,
        )
        did = did_of(trace[0]) if case.profile == "client" else ""
        if self.witness is not None:
            self.witness(case, observation)
        reason = "; ".join(
            judgement.faults or (*errors_told(case, trace), *asked_again(case, record))
        )
        if not self._thorough and judgement.verdict in OK:
            octets = _kept(planned(case, record))
            result = result_of(case, judgement, reason=reason, did=did, octets=octets)
            return without_port(result, address[1])
        lines = [
            f"{op.text} -> {entry_text(entry)}" for op, entry in zip(case.ops, trace, strict=True)
        ]
        where = judgement.mismatch.where if judgement.mismatch else ""
        failed = observation.trace.get(where, {}).get("error", {})
        result = result_of(
            case,
            judgement,
            reason=reason if judgement.faults or judgement.verdict in OK else "",
            frames=kept_frames(failed.get("frames", ())),
            trace=lines,
            transcript=record.transcript(),
            did=did,
            octets=_kept(recorded(record)),
        )
        return without_port(result, address[1])


def asked_again(case: Case, record: Record) -> Iterator[str]:
    """Yield how many requests a client of another interface has sent, if more than one."""
    count = sum(len(one.requests) for one in record.connections)
    if case.profile == "client" and count > 1:
        yield f"it sent its request {count} times"


def errors_told(case: Case, trace: Trace) -> Iterator[str]:
    """Yield the text of each error in *trace*, bounded, and without what differs between runs."""
    for op, entry in zip(case.ops, trace, strict=True):
        if "error" in entry:
            text = _ADDRESS.sub("0x…", entry_text(entry))
            short = text if len(text) <= _LONGEST_ERROR else f"{text[: _LONGEST_ERROR - 1]}…"
            yield short if case.profile == "client" else f"{op.id}: {short}"


def _with_wire(result: Result, record: Record) -> Result:
    """Return *result* with the transcript, unless its size differs between runs."""
    transcript = record.transcript()
    if len(transcript) > _LONGEST_STORY:
        return result
    return msgspec.structs.replace(result, transcript=transcript, octets=_kept(recorded(record)))


def _kept(sent: Iterable[bytes]) -> list[Kept]:
    return [kept_octets(one) for one in sent]


def observation_of(
    trace: Trace, record: Record, address: tuple[str, int], *, blind: bool = False
) -> Observation:
    """Return the observation in a driver's *trace* and a server's *record*.

    Args:
        trace: the entries that the driver reported.
        record: the record of the play.
        address: the address of the server.
        blind: whether the runtime reads sockets ahead of its program and closes them automatically,
            so that the record does not show what the client did with a connection.
    """
    host, port = address
    connections = record.connections
    if blind:
        connections = tuple(replace(one, after=None, left=None) for one in connections)
    return Observation(
        trace={entry["id"]: entry for entry in trace},
        host=host,
        port=port,
        connections=connections,
        unexpected=record.refused_extra,
        problems=record.problems,
        faults=record.errors,
    )
