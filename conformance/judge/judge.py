"""The verdict on one observation.

The outcomes of the case are tried in order; the first that the whole observation matches decides.
If none matches, the verdict names the difference from the outcome whose first difference comes
last. An exception that no outcome names and that is not from the module, from sockets or from TLS
is a LEAK; this verdict takes precedence over all other differences.

A documented case compares more than the page says. Where the part that the page says matches, the
failure has the level `precedent`.

A matching outcome alone is not enough: if the requests that the client claims to have sent have not
arrived, the case fails, or the driver is at fault.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.cases import (
    ERROR_KINDS,
    AddressHole,
    Case,
    Expectation,
    Op,
    Outcome,
    Pieces,
    WireExpectation,
    documented_part,
    expected_text,
    fill,
    met_by,
)
from conformance.judge.client import error_text, response_text
from conformance.judge.forms import error_names, page_forms
from conformance.judge.match import Matcher, seen_text
from conformance.judge.observation import Observation
from conformance.judge.question import Fault, question_fault
from conformance.judge.session import judge_session, sequence
from conformance.judge.verdicts import FAILURES, OK, Judgement, Mismatch, Verdict

_OCTET_CALLS = frozenset({"read", "recv", "readline"})
_NAME_CALLS = frozenset({"getheaders", "keys", "items"})
_ATTRIBUTE_TYPES = {"partial": "bytes", "before": "bytes", "args": ""}


def judge(
    case: Case,
    observation: Observation,
    features: frozenset[str] = frozenset({"python3", "lowercase-names"}),
    error_map: Mapping[str, str] | None = None,
    *,
    tolerant: bool = True,
    foreign: bool = False,
) -> Judgement:
    """Return the verdict on *observation*, a run of *case*.

    Args:
        case: the case, with its setting.
        observation: what was seen.
        features: the optional features that the driver declared.
        error_map: native exception names to names that outcomes use; used before the usual rules.
        tolerant: whether outcomes with the grade ``tolerated`` count; not so for the reference.
        foreign: whether the facts come from a driver program that is not part of the kit.
    """
    if observation.faults:
        return Judgement(Verdict.HARNESS_ERROR, faults=observation.faults)
    if case.profile == "client":
        return judge_session(case, observation, error_map)
    if case.level == "observe":
        found, met = Judgement(Verdict.INFO), None
    else:
        bench = _Bench(case, observation, features, error_map or {})
        found, met = _by_level(case, bench, tolerant=tolerant)
    wire = WireExpectation() if met is None else met.wire
    fault = question_fault(case, observation, error_map or {}, wire)
    return found if fault is None else _faulted(found, fault, observation, foreign=foreign)


def _faulted(
    found: Judgement, fault: Fault, observation: Observation, *, foreign: bool
) -> Judgement:
    """Return *found*, changed by a *fault* in the requests that arrived."""
    passes = found.verdict in OK
    # Without a complete request, what a program outside the kit reports is not a fact about a
    # client.
    if fault.absent and foreign:
        silent = not any(one.received for one in observation.connections)
        if passes or silent:
            return Judgement(Verdict.DRIVER_ERROR, faults=(fault.text,))
    if not passes:
        return found
    mismatch = fault.mismatch
    return Judgement(mismatch.verdict, mismatch=mismatch, accepted=(mismatch.expected,))


def _by_level(case: Case, bench: "_Bench", *, tolerant: bool) -> tuple[Judgement, Outcome | None]:
    """Return the verdict, with the level of a failure, and the outcome that matched."""
    judgement, met = _judged(case, bench, tolerant=tolerant)
    if judgement.verdict not in FAILURES or case.level != "documented":
        return judgement, met
    # If the part that the page says matches, the failure is only of a precedent. Otherwise the
    # verdict is that of this part; the whole case names the same place with more detail.
    by_the_page, _ = _judged(documented_part(case), bench, tolerant=tolerant)
    if by_the_page.mismatch is None:
        return dataclasses.replace(judgement, level="precedent"), None
    same = judgement.mismatch is not None and by_the_page.mismatch.where == judgement.mismatch.where
    return (judgement if same else by_the_page), None


def _judged(case: Case, bench: "_Bench", *, tolerant: bool) -> tuple[Judgement, Outcome | None]:
    """Return the verdict, and the outcome that matched."""
    outcomes = [one for one in case.accepted() if tolerant or one.grade == "pass"]
    if not outcomes:
        faults = ("no outcome is for this setting",)
        return Judgement(Verdict.HARNESS_ERROR, faults=faults), None
    misses: list[Mismatch] = []
    for outcome in outcomes:
        miss = bench.mismatch(outcome)
        if miss is None:
            return _met(outcome), outcome
        misses.append(miss)
    leak = bench.leak(outcomes)
    nearest = leak or max(misses, key=lambda miss: miss.position)
    pairs = sorted(
        zip(outcomes, misses, strict=True), key=lambda pair: _is_missed_before(pair[1], nearest)
    )
    texts = (bench.accepted_text(outcome, miss, nearest) for outcome, miss in pairs)
    return Judgement(nearest.verdict, mismatch=nearest, accepted=tuple(dict.fromkeys(texts))), None


def _is_missed_before(miss: Mismatch, nearest: Mismatch) -> bool:
    """Return whether an outcome whose first difference is *miss* was excluded before *nearest*."""
    return miss.position < nearest.position


def _met(outcome: Outcome) -> Judgement:
    if outcome.grade == "tolerated":
        return Judgement(Verdict.TOLERATED, basis=outcome.basis or "")
    return Judgement(Verdict.PASS)


class _Bench:
    """One observation, with everything that is the same for each outcome it is compared with."""

    def __init__(
        self,
        case: Case,
        observation: Observation,
        features: frozenset[str],
        error_map: Mapping[str, str],
    ) -> None:
        self.ops = case.ops
        self.scripted = case.script.room
        self.seen = observation
        self.error_map = error_map
        host, port, typed = observation.host, observation.port, "python3" in features
        self.matcher = Matcher(host, port, typed)
        self._folded = "lowercase-names" not in features

    # Few cases compare names of fields or requests, so these are made where they are needed.

    @property
    def plain(self) -> bool:
        """Whether no call makes a connection with TLS."""
        return not any(str(op.message.get("call")).startswith("HTTPS") for op in self.ops)

    @property
    def name_matcher(self) -> Matcher:
        """Compares names of header fields as the driver reports them."""
        return dataclasses.replace(self.matcher, folded=self._folded)

    @property
    def page_matcher(self) -> Matcher:
        """Compares lists of header fields as far as the documentation page describes them."""
        return dataclasses.replace(self.matcher, folded=True, ordered=False)

    def mismatch(self, outcome: Outcome) -> Mismatch | None:
        """Return the first difference from *outcome*: the ops in order, then the wire."""
        for position, op in enumerate(self.ops):
            entry, wanted = self.seen.trace[op.id], outcome.ops.get(op.id, _SILENT)
            if wanted is _SILENT and "error" not in entry:
                continue
            verdict = self._op_verdict(op, entry, wanted, exact=outcome.exact)
            if verdict is not None:
                texts = expectation_text(wanted), entry_text(entry)
                return Mismatch(verdict, op.id, position, *texts)
        for verdict, key, expected, seen in self._wire(outcome):
            if expected != seen:
                texts = _wire_text(expected), _wire_text(seen)
                return Mismatch(verdict, key, len(self.ops), *texts, on_wire=True)
        return None

    def _op_verdict(
        self, op: Op, entry: Mapping[str, Any], wanted: Expectation, *, exact: bool
    ) -> Verdict | None:
        if wanted.anything:
            return None
        if "error" in entry:
            if not wanted.raises:
                return Verdict.FALSE_ERROR
            return None if self._error_fits(entry["error"], wanted) else Verdict.WRONG_ERROR
        if entry.get("skipped"):
            return Verdict.WRONG_VALUE if wanted.raises or wanted.has_value else None
        if wanted.raises:
            return Verdict.NO_ERROR
        if wanted.has_value and not self._value_fits(op, entry["value"], wanted, exact=exact):
            return Verdict.WRONG_VALUE
        return None

    def _error_fits(self, error: Mapping[str, Any], wanted: Expectation) -> bool:
        names = error_names(error, self.error_map)
        if not any(met_by(name, names) for name in wanted.raises):
            return False
        seen = {**error["attributes"], "message": {"type": "text", "value": error["message"]}}
        return all(
            key in seen
            and self.matcher.matches(value, seen[key], _ATTRIBUTE_TYPES.get(key, "text"))
            for key, value in wanted.attributes.items()
        )

    def _value_fits(self, op: Op, value: Any, wanted: Expectation, *, exact: bool) -> bool:
        call = op.message.get("call")
        if not exact and call in _NAME_CALLS:
            return self.page_matcher.matches(wanted.value, value, "text")
        matcher = self.name_matcher if call in _NAME_CALLS else self.matcher
        own = op.message["on"] == "builtins" or (op.message["on"], call) == ("agent", "keep")
        usual = "bytes" if call in _OCTET_CALLS else "" if own else "text"
        return matcher.matches(wanted.value, value, usual)

    def _wire(self, outcome: Outcome) -> Iterator[tuple[Verdict, str, Any, Any]]:
        """Yield each fact of the wire that *outcome* states and that was seen, with both values."""
        wire, seen = outcome.wire, self.seen.connections
        if wire.request is not None:
            requests = [request for connection in seen for request in connection.requests]
            wanted = self._filled(wire.request)
            forms = (wanted, requests) if outcome.exact else page_forms(wanted, requests)
            yield Verdict.WRONG_VALUE, "request", *forms
        if wire.received is not None:
            received = [connection.received for connection in seen]
            wanted = self._filled(wire.received)
            forms = (wanted, received) if outcome.exact else page_forms(wanted, received)
            yield Verdict.WRONG_VALUE, "received", *forms
        elif wire.request is not None:
            # An outcome that names the requests implies that nothing else was sent. Bytes that a
            # TLS client sends to a server without TLS are a handshake and not a request.
            unread = b"".join(one.unread for one in seen if self.plain or one.tls is not None)
            yield Verdict.WRONG_VALUE, "bytes after the requests", b"", unread
        made = len(seen) + self.seen.unexpected
        room = made if self.scripted is None else self.scripted
        if outcome.exact or wire.connections is not None:
            count = wire.connections if wire.connections is not None else min(made, room)
            yield Verdict.WRONG_CONNECTION, "connections", count, made
        if outcome.exact or not made:
            yield Verdict.WRONG_CONNECTION, "script", [], list(self.seen.problems)
        for key in ("after", "left"):
            expected = getattr(wire, key)
            if expected is not None:
                found = [getattr(connection, key) for connection in seen]
                yield Verdict.WRONG_CONNECTION, key, _known(list(expected), found), found
        if wire.source is not None:
            # Without a port in the expected address, the port of the client is not compared.
            whole = any(isinstance(part, AddressHole) for item in wire.source for part in item)
            sources = [f"{one.source}:{one.source_port}" if whole else one.source for one in seen]
            expected = [octets.decode("ascii") for octets in self._filled(wire.source)]
            yield Verdict.WRONG_CONNECTION, "source", expected, sources

    def _filled(self, wanted: tuple[Pieces, ...]) -> list[bytes]:
        return [fill(item, self.seen.host, self.seen.port) for item in wanted]

    def leak(self, outcomes: Sequence[Outcome]) -> Mismatch | None:
        """Return the first exception that no outcome names and that users need not expect."""
        for position, op in enumerate(self.ops):
            entry = self.seen.trace[op.id]
            if "error" not in entry:
                continue
            names = error_names(entry["error"], self.error_map)
            wanted = [outcome.ops.get(op.id, _SILENT) for outcome in outcomes]
            named = any(
                item.anything or any(met_by(name, names) for name in item.raises) for item in wanted
            )
            if not named and ERROR_KINDS.isdisjoint(names):
                text = expectation_text(wanted[0]) if wanted else ""
                return Mismatch(Verdict.LEAK, op.id, position, text, entry_text(entry))
        return None

    def accepted_text(self, outcome: Outcome, own: Mismatch, miss: Mismatch) -> str:
        """Return what *outcome* accepts at the place of *miss*, as text.

        If *own*, its first difference, is before that, what it accepts there.
        """
        grade = f" ({outcome.grade}: {outcome.basis})" if outcome.grade == "tolerated" else ""
        if _is_missed_before(own, miss):
            return f"{own.expected} (at {own.where}){grade}"
        if not miss.on_wire:
            return expectation_text(outcome.ops.get(miss.where, _SILENT)) + grade
        wanted = {key: value for _, key, value, _ in self._wire(outcome)}
        return _wire_text(wanted[miss.where]) + grade if miss.where in wanted else f"any{grade}"


_SILENT = Expectation()


def _known(wanted: list[Any], seen: list[Any]) -> list[Any]:
    """Return *wanted* without the values that this system cannot observe."""
    if len(wanted) != len(seen):
        return wanted
    return [one if other is not None else None for one, other in zip(wanted, seen, strict=True)]


def expectation_text(wanted: Expectation) -> str:
    """Return what *wanted* accepts, in readable form."""
    if wanted.anything:
        return "anything"
    if wanted.has_value:
        return expected_text(wanted.value)
    if not wanted.raises:
        return "no exception"
    details = ", ".join(f"{key} {expected_text(value)}" for key, value in wanted.attributes.items())
    return " or ".join(wanted.raises) + (f" with {details}" if details else "")


def trace_lines(case: Case, observation: Observation) -> list[str]:
    """Return a line for each op of *case* and its result; for a session also its connections."""
    if case.profile == "client" and case.fetch is None:
        return sequence(case, observation)
    return [f"{op.text} -> {entry_text(observation.trace[op.id])}" for op in case.ops]


def entry_text(entry: Mapping[str, Any]) -> str:
    """Return an entry of a trace in readable form."""
    if "error" not in entry:
        if entry.get("skipped"):
            return "not called: no such object"
        value = entry["value"]
        is_response = isinstance(value, dict) and value.get("type") == "response"
        return response_text(value) if is_response else seen_text(value)
    error = entry["error"]
    if "category" in error:
        return error_text(error)
    kept = {
        key: value
        for key, value in sorted(error["attributes"].items())
        if key != "args" and (key, value) != ("errno", None)
    }
    details = ", ".join(f"{key} {seen_text(value)}" for key, value in kept.items())
    return f"{error['class']}: {error['message']}" + (f" ({details})" if details else "")


def _wire_text(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_wire_text, value)) + "]"
    if isinstance(value, bytes) and len(value) > _LONGEST:
        return f"{value[:_LONGEST]!r}… ({len(value)} bytes)"
    return repr(value)


_LONGEST = 2_000
"""Bytes of the wire that a report shows."""
