"""A trial: bytes of a caller, without a case, and what an implementation does with them.

The input is bytes, and an `Implementation`.  The output is a case file with these bytes, and the
result of each call that an implementation makes when a server sends them.  Nothing is judged.
"""

import dataclasses
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import msgspec

from certs import CertificateAuthority
from conformance.cases import (
    Accept,
    Case,
    Fetch,
    Reject,
    law_of,
    one_get,
    rules_broken,
    sections_of,
)
from conformance.drivers import Implementation
from conformance.judge import Observation, Verdict, entry_text, error_text, is_late, response_text
from conformance.results import Result
from conformance.results.golden import stable_observation
from conformance.run.deadlines import DEADLINE
from conformance.run.runner import Runner

_SKELETON = """\
{notes}family = "framing"

[[case]]
id = {id}
title = {title}
level = "observe"                          # documented, precedent or guard, once it has outcomes
spec = ["HTTPConnection.getresponse"]      # the requirements that it is about
why = "to be said"
{rfc}connections = [ [ {{ read_request = {{}} }}, {{ send = {octets} }}, {end} ] ]
ops = [
  {{ call = "request", args = [{method}, "/"] }},
  {{ call = "getresponse" }},
  {{ get = "version" }},
  {{ get = "status" }},
  {{ get = "reason" }},
  {{ call = "getheaders" }},
  {{ call = "read" }},
  {{ call = "isclosed" }},
]
{fetch}# [[case.outcome]]                         # what must be seen, for each op that is compared
# status = 200
# read = "hello"
"""
_ENDS = {
    "fin": '{ close = "fin" }',
    "rst": '{ drain = {} }, { close = "rst" }',
    "open": '{ close = "abandon" }',
}
ENDS = tuple(_ENDS)
"""How the connection can end after the bytes: FIN, a reset, or not at all."""


class NotTried(Exception):
    """The implementation cannot take part; the message is one line."""


def trial_text(octets: bytes, name: str, method: str, end: str, notes: Sequence[str] = ()) -> str:
    """Return a case file with one case, which plays *octets*.

    It cites the RFC, and says what any client may do, if the law of the response to a GET is known.

    Args:
        octets: the bytes that the server sends.
        name: the name of the file, from which the id is made.
        method: the method of the request.
        end: how the connection ends: ``fin``, ``rst`` or ``open``.
        notes: lines for a reader, which become comments.
    """
    rules = rules_broken(octets, end)
    law = law_of(rules) if method == "GET" else None
    cited = _strings(section for one in rules or ["well-formed"] for section in sections_of(one))
    slug = "-".join(
        "".join(c if c.isascii() and c.isalnum() else " " for c in name.lower()).split()
    )
    return _SKELETON.format(
        id=_string(f"tried.{slug or 'bytes'}"),
        title=_string(f"Bytes of {slug or 'a file'}"[:70]),
        octets=_string(octets.decode("latin-1")),
        end=_ENDS[end],
        method=_string(method),
        notes="".join(f"# {_string(line)[1:-1]}".rstrip() + "\n" for line in notes),
        rfc="" if law is None else f"rfc = {cited}\n",
        fetch="" if law is None else _fetch(*law),
    )


def _fetch(strength: str, results: Collection[str]) -> str:
    """Return the table of what any client may do."""
    forms = {"accept": "{ accept = {} }", "reject": '"reject"'}
    expected = ", ".join(forms[one] for one in sorted(results))
    return (
        "fetch.strength = "
        f"{_string(strength):<22}   # what RFC 9112 lets any client do with these bytes\n"
        f"fetch.expect = [{expected}]\n"
    )


def _strings(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_string, dict.fromkeys(texts)))}]"


def _string(text: str) -> str:
    """Return *text* as a TOML basic string, whose escapes are those of JSON except for DEL."""
    return json.dumps(text).replace("\x7f", "\\u007f")


@dataclass(frozen=True, slots=True)
class Trial:
    """What one implementation did with the bytes.

    Args:
        label: the name of the implementation.
        calls: the result of each call, by op.
        verdict: the verdict on a judged run with these calls.
        ended: why there are no calls, or why they ended early.
        transcript: the bytes and events on the wire.
    """

    label: str
    calls: Mapping[str, str]
    verdict: Verdict
    ended: str = ""
    transcript: str = ""


def tried(one: Implementation, case: Case, method: str, deadline: float = DEADLINE) -> Trial:
    """Return what *one* does with the bytes of *case*, which `trial_text` has made.

    Args:
        one: the implementation.
        case: the case.
        method: the method of its request.
        deadline: seconds without progress after which the kit resets the connection.

    Raises:
        NotTried: *one* sends GET and nothing else.
        DriverError: *one* cannot be started.
    """
    with Trials(one, deadline) as trials:
        if trials.identity.is_client and method != "GET":
            raise NotTried(f"{one.written} sends GET and nothing else")
        return trials.trial(case)


class Trials:
    """One implementation, started, which is given the bytes of cases; a context.

    Args:
        one: the implementation.
        deadline: seconds without progress after which the kit resets the connection.

    Raises:
        DriverError: *one* cannot be started.
    """

    def __init__(self, one: Implementation, deadline: float = DEADLINE) -> None:
        self._seen: list[Observation] = []
        self._runner = Runner(
            one,
            CertificateAuthority(),
            deadline=deadline,
            thorough=True,
            witness=lambda _, what: self._seen.append(what),
        )
        self.identity = self._runner.identity
        self.label = f"{one.written} {self.identity.version}".rstrip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._runner.close()

    def observed(self, case: Case) -> tuple[Result, Observation | None]:
        """Return the result of *case*, which `trial_text` has made, and what was observed.

        The verdict is HANG whatever the interface; what is observed then may come from the reset.
        """
        self._seen.clear()
        result = self._runner.run_case(dataclasses.replace(case, session=_ANYTHING))
        answers = [one for one in self._seen if not any(map(is_late, one.trace.values()))]
        if answers != self._seen:
            result = msgspec.structs.replace(result, verdict=Verdict.HANG)
        return result, answers[0] if answers else None

    def trial(self, case: Case) -> Trial:
        """Return what the implementation does with the bytes of *case*, for a reader."""
        result, seen = self.observed(case)
        return _trial(self.label, result, seen)


_ANYTHING = one_get(Fetch("may", (Reject(), Accept()), ()))
"""Lets a client do anything."""


def _trial(label: str, result: Result, seen: Observation | None) -> Trial:
    verdict = Verdict(result.verdict)
    if seen is None:
        return Trial(label, {}, verdict, f"{verdict}: {result.reason}", result.transcript)
    observation = stable_observation(seen)
    calls = {name: _entry_text(entry) for name, entry in observation.trace.items()}
    ends = [_ENDS_SEEN.get(str(one.after), str(one.after)) for one in observation.connections]
    ended = ""
    if verdict is Verdict.HANG:
        ended = f"{verdict}: {result.reason}"
        calls.update(_after_the_reset(observation.trace.values()))
        ends = ["reset by the kit" for _ in ends]
    calls["connection"] = ", ".join(ends) or "none was made"
    return Trial(label, calls, verdict, ended, result.transcript)


def compared(case: Case, trials: Sequence[Trial]) -> Iterator[tuple[str, list[str]]]:
    """Yield each call of *case* that at least one of *trials* made, with the results of all."""
    texts = {"fetch": "fetch", **{op.id: op.text for op in case.ops}, "connection": "connection"}
    for name, text in texts.items():
        if any(name in one.calls for one in trials):
            called = "new connection" if text.startswith("module.") else text
            yield called, [one.calls.get(name, "") for one in trials]
    if any(one.ended for one in trials):
        yield "outcome", [one.ended for one in trials]


_ENDS_SEEN = {"gone": "reset by the server", "None": "cannot be seen"}
_WAITED = "still waiting when the kit gave up"
_FAILED = "fails, as the kit had reset the connection"


def _after_the_reset(trace: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the calls whose errors come from the kit's own reset, with the text shown instead.

    The first of these errors is the result of the call that hung.  An error that is not of a socket
    was raised before the kit gave up, unless nothing else can have ended the case.
    """
    failed = [entry for entry in trace if "error" in entry]
    of_sockets = [entry for entry in failed if _is_of_a_socket(entry["error"])]
    for index, entry in enumerate(of_sockets or failed[-1:]):
        yield str(entry["id"]), _FAILED if index else _WAITED


def _is_of_a_socket(error: Mapping[str, Any]) -> bool:
    """Return whether *error* or one of its bases is an error of the system or of TLS."""
    names = [str(error.get("class", "")), *map(str, error.get("bases", ()))]
    return "category" in error or any(name.rpartition(".")[2] in _SOCKET_ERRORS for name in names)


_SOCKET_ERRORS = frozenset({"OSError", "IOError", "EnvironmentError", "error", "SSLError"})


def _entry_text(entry: Mapping[str, Any]) -> str:
    if "error" in entry and "category" in entry["error"]:
        return error_text(entry["error"])
    value = entry.get("value")
    if isinstance(value, dict) and value.get("type") == "response":
        return response_text(value)
    return entry_text(entry)
