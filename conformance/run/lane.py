"""A lane: a driver and its servers, through which cases run one after the other.

The input is a case, the output its result.  The lane runs in the thread that calls it and waits
without limit.  The watching thread sets `late` to the text of what it did, when it has reset the
sockets or killed the driver; the case then ends with the verdict HANG.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from conformance.cases import AddressHole, Case, Op, client_case
from conformance.drivers import (
    Driver,
    DriverDied,
    DriverError,
    Message,
    NotShown,
    Trace,
)
from conformance.judge import (
    OK,
    Observation,
    Verdict,
    did_in,
    entry_text,
    judge,
    late_entry,
    trace_lines,
)
from conformance.results import (
    Result,
    kept_frames,
    not_run,
    result_of,
    without_port,
)
from conformance.run.deadlines import did_not_wait, ended_case, ended_process, no_connection
from conformance.run.hangs import Hangs
from conformance.run.interface import probed, used
from conformance.run.observed import asked_again, errors_told, kept_of, observation_of, with_wire
from conformance.run.performed import Performed
from conformance.run.sent import planned, recorded
from mockserver import (
    MockServer,
    Play,
    ReadRequest,
    Record,
    Reply,
    TLSProvider,
    connection,
    script,
)

Certificates = Mapping[str, Mapping[str, str]]
Witness = Callable[[Case, Observation], None]
_PATIENCE = 60.0
"""How long a step waits for the client, in deadlines, or in seconds if that is longer.  It is so
long that only the deadline ends a case."""
_PAGE = ((b"Content-Type", b"text/html; charset=utf-8"), (b"Cache-Control", b"no-store"))
_SPARED = 8
"""The part of the deadline that a case has at a place where others have hung."""


@dataclass(frozen=True, slots=True)
class _Look:
    """Where a case that makes no progress is.

    Args:
        case: the case.
        position: what the driver reports; empty if it cannot.
        failed: the index of the call that has failed and that no outcome lets fail.
        same: the name of a case that hung there, if enough cases have.
        is_idle: whether only the client can go on, and does nothing; known for other interfaces.
        done: the entries of what it has done.
    """

    case: Case | None
    position: Message = field(default_factory=dict)
    failed: int | None = None
    same: str = ""
    is_idle: bool = False
    done: Trace = ()


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
        hangs: where cases have hung, so that others need not be waited for; by default all are.
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
        hangs: Hangs | None = None,
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
        self._hangs = hangs
        self._case: Case | None = None
        self._done: list[Mapping[str, Any]] = []
        self._look = _Look(None)

    @property
    def is_starting(self) -> bool:
        """Whether the running case is of a client that has made no connection yet."""
        case, play = self._case, self._play
        is_client = case is not None and case.profile == "client"
        return is_client and play is not None and not (play.connections or play.refused_extra)

    @property
    def activity(self) -> tuple[int, ...]:
        """A value that changes with every event on the wire, also when the client reads."""
        play = self._play
        return () if play is None else play.activity

    def look(self) -> float:
        """Look where the running case is, which makes no progress; called by the watching thread.

        Returns:
            How many seconds without progress it may have: less than the deadline if it has failed
            already, in a call that no outcome lets fail, or if other cases have hung there.
        """
        look = self._look = self._looked()
        if look.failed is not None:
            return 0.0
        if not look.same:
            return self._deadline
        # A client may do nothing for a while before it answers: some do so at every end.
        pause = self._hangs.pause if self._hangs else 0.0
        least = max(2.0, 4.0 * _SPARED * pause / self._deadline) if look.is_idle else 1.0
        return self._deadline * min(1.0, least / _SPARED)

    def paused(self, seconds: float) -> None:
        """Note that nothing happened for *seconds* in a case that went on."""
        if self._hangs is not None:
            self._hangs.pause = max(self._hangs.pause, seconds)

    def _looked(self) -> "_Look":
        case, position = self._case, self.driver.where()
        if position and self._done:
            position = {**position, "trace": [*self._done, *position.get("trace", ())]}
        if case is None:
            return _Look(case)
        failed = _failed(case, position.get("trace", ()))
        is_client, play = case.profile == "client", self._play
        # In a session, the client's own timeouts are part of what is asked for.
        is_idle = case.fetch is not None and is_client and play is not None and play.is_idle
        compared = self._hangs is not None and (is_idle or not is_client)
        same = self._hangs.known(case, position) if self._hangs and compared else ""
        done = position["trace"] if position else tuple(self._done)
        return _Look(case, position, failed, same, is_idle, done)

    @property
    def patience_after_reset(self) -> float:
        """How many seconds the running case has to come back once its sockets are reset."""
        look, hangs = self._look, self._hangs
        if look.case is None or not look.same or hangs is None:
            return self._deadline
        is_stuck = hangs.is_stuck(look.case, look.position)
        return self._deadline / _SPARED if is_stuck else self._deadline

    def reset(self, act: str) -> None:
        """Reset all sockets of the running case; called by the watching thread.

        Args:
            act: the text for what the kit does; it appears in the record and the result.
        """
        play, case, look = self._play, self._case, self._look
        if case is not None and look.case is case and look.failed is not None:
            act = ended_case(case.ops[look.failed].text)
        elif look.case is case and look.same:
            act = did_not_wait(look.same)
        else:
            self._look = replace(self._looked(), failed=None, same="")
        if case is self._case:  # else it has ended meanwhile
            self.late = act
            if play is not None:
                play.abort(act)

    def given_up(self, case: Case, reason: str, record: Record | None = None) -> Result:
        """Return the result of *case*, which the kit gave up.

        It is a HANG, with what the client had done and where it was; if the client had failed
        before, that failure; or NOT_RUN, if the kit did not wait. For a client of another
        interface it is the verdict on a timeout, or DRIVER_ERROR if it has not connected.

        Args:
            case: the case.
            reason: what the kit did.
            record: the record of its play; by default what has happened so far.
        """
        case, play = self._case or case, self._play
        look = self._look if self._look.case is case else _Look(case)
        if play is None:
            return not_run(case, Verdict.HANG, reason)
        record, entries = record or play.so_far, look.position.get("trace", [])
        if case.profile == "client":
            return self._timed_out(case, reason, record, look, play.address)
        if look.failed is not None:
            done = entries[: look.failed + 1]
            rest = [{"id": op.id, "skipped": True} for op in case.ops[len(done) :]]
            result = self._judged(case, [*done, *rest], record, play.address)
            return msgspec.structs.replace(result, reason=reason, trace=result.trace[: len(done)])
        if self._hangs and not look.same:
            self._hangs.note(case, look.position)
        result = not_run(case, Verdict.NOT_RUN if look.same else Verdict.HANG, reason)
        if look.position:
            calls = [op.text for op in case.ops]
            pairs = zip(calls, entries, strict=False)
            result = msgspec.structs.replace(
                result,
                call=(*calls, "")[len(entries)],
                trace=[f"{call} -> {entry_text(entry)}" for call, entry in pairs],
                frames=kept_frames(look.position["frames"]),
            )
        return without_port(with_wire(result, record), play.address[1])

    def _timed_out(
        self, case: Case, reason: str, record: Record, look: _Look, address: tuple[str, int]
    ) -> Result:
        """Return the verdict on a client that has not answered in time."""
        came = record.connections or record.refused_extra
        if not came and case.script.listener.mode == "accept":
            reason = no_connection(self.driver.allowance)
            return with_wire(not_run(case, Verdict.DRIVER_ERROR, reason), record)
        if self._hangs and look.is_idle and not look.same:
            self._hangs.note(case, look.position)
        rest = [late_entry(op.id, reason) for op in case.ops[len(look.done) :]]
        result = self._judged(case, [*look.done, *rest], record, address)
        if result.verdict == Verdict.DRIVER_ERROR:
            return result
        frames = kept_frames(look.position.get("frames", ()))
        return msgspec.structs.replace(result, reason=reason, frames=frames)

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
            if case.session is None:
                return not_run(case, Verdict.UNSUPPORTED, "the case is about httplib's interface")
            case = client_case(case)
        elif case.profile == "client":
            reason = "the case is a session of a client with another interface"
            return not_run(case, Verdict.UNSUPPORTED, reason)
        if self.driver.absent:
            return not_run(case, Verdict.NOT_INSTALLED, self.driver.absent)
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
            server = self._server(self.driver.host or case.host)
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
        self.late, self._case, self._done = "", case, []
        self._look = _Look(case)
        try:
            self._load_page(server)
        except DriverError as error:
            return not_run(case, Verdict.DRIVER_ERROR, str(error))
        play = self._play = server.play(case.script)
        try:
            trace = self._performed_on(case, play)
            record = play.finish()
            self.driver.release()
            result = self._told(case, trace, record, play.address)
            self.driver.settle()
        except NotShown as error:
            return not_run(case, Verdict.UNSUPPORTED, str(error))
        except (DriverDied, DriverError) as error:
            return self._unanswered(case, error, play.finish())
        finally:
            play.finish()
        result = self.given_up(case, self.late, record) if self.late else result
        self._play = None  # its record can be large, and the next case may not begin soon
        return result

    def _load_page(self, server: MockServer) -> None:
        """Serve the page from which the client fetches, if it has to load one from this origin.

        Raises:
            DriverError: it did not load it.
        """
        origin = server.url
        page = self.driver.page(origin)
        if not page:
            return
        reply = Reply(200, headers=_PAGE, body=page, framing="close")
        served = connection(ReadRequest(), reply, optional=True, times=None)
        play = server.play(script(served))
        try:
            self.driver.load(origin)
        finally:
            play.finish()

    def _performed_on(self, case: Case, play: Play) -> Trace:
        """Let the driver perform the ops of *case*; return an entry for each.

        Between two exchanges of a session the server becomes idle, so that the next one begins in
        a known state. An exchange after one that the kit has ended is skipped.
        """
        if case.fetch is not None or case.session is None or case.profile != "client":
            return self.driver.run(self._message(case, case.ops, play.address))
        self.driver.announce([op.message for op in case.ops])
        for group in case.session.groups:
            if self.late:
                self._done += [{"id": one.id, "skipped": True} for one in group]
                continue
            ops = [one.op for one in group]
            self._done += self.driver.run(self._message(case, ops, play.address))
            for one in group:
                play.release(one.id)
            play.rest()
        return self._done

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
        look = self._look
        if self.late:
            if self._hangs and look.case is case and not look.same:
                self._hangs.note_stuck(case, look.position)
            seconds = self.patience_after_reset
            return self.given_up(case, ended_process(self.late, seconds), record)
        verdict = Verdict.CRASH if isinstance(error, DriverDied) else Verdict.DRIVER_ERROR
        return with_wire(not_run(case, verdict, str(error)), record)

    def _message(self, case: Case, ops: Iterable[Op], address: tuple[str, int]) -> dict[str, Any]:
        message: dict[str, Any] = {
            "type": "run",
            "id": case.id,
            "rev": case.rev,
            "name": case.name,
            "ops": [op.message for op in ops],
            "address": list(address),
            "deadline": self._deadline,
        }
        if case.profile == "client":
            server, session = AddressHole("server").text(*address), case.session
            message["url"] = (session.origin(server) if session else server) + case.path
            if session and session.proxy_to:
                user = f"{session.proxy_user}@" if session.proxy_user else ""
                message["proxy"] = f"http://{user}{server}"
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
        did = did_in(trace) if case.profile == "client" else ""
        if self.witness is not None:
            self.witness(case, observation)
        reason = "; ".join(
            judgement.faults or (*errors_told(case, trace), *asked_again(case, record))
        )
        if not self._thorough and judgement.verdict in OK:
            octets = kept_of(planned(case, record))
            result = result_of(case, judgement, reason=reason, did=did, octets=octets)
            return without_port(result, address[1])
        lines = trace_lines(case, observation)
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
            octets=kept_of(recorded(record)),
        )
        return without_port(result, address[1])


def _failed(case: Case, entries: Trace) -> int | None:
    """Return the index of the first call that failed and that no outcome of *case* lets fail."""
    if case.profile == "client" or case.level == "observe":
        return None
    for index, (op, entry) in enumerate(zip(case.ops, entries, strict=False)):
        wanted = [outcome.ops.get(op.id) for outcome in case.accepted()]
        if "error" in entry and not any(one and (one.anything or one.raises) for one in wanted):
            return index
    return None
