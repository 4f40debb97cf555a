"""SARIF 2.1.0: what a failure may mean for security, for code scanning services.

The input is runs.  The output is one document, as bytes, with a SARIF run for each implementation
and a result for each failure that a row of `RISKS` is about; every other failure is left out.  A
failure that a baseline lists is a suppressed result.  The kit says what a client did, and calls
nothing vulnerable: whether it matters depends on what reads the same bytes in front of the client.
"""

import functools
import hashlib
import json
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple
from urllib.parse import quote

from conformance.cases import Corpus
from conformance.judge import Verdict
from conformance.report.junit import effective, headline
from conformance.report.locations import location_of
from conformance.report.octets import visible_text
from conformance.report.runs import Run
from conformance.report.standing import Standing
from conformance.report.story import command
from conformance.results import Result, RunHead

_DONE = (Verdict.NO_ERROR, Verdict.WRONG_VALUE, Verdict.WRONG_CONNECTION)
"""The client did what it must not do; a HANG, or an error of the wrong class, is no such risk."""


class Risk(NamedTuple):
    """A kind of failure that matters for security: a rule of SARIF.

    Args:
        id: the id of the rule, which does not change.
        name: the same as one word.
        short: what the client does.
        help: what that makes possible, and what to do.
        cwe: the number of the weakness in the Common Weakness Enumeration.
        severity: the score of GitHub's property ``security-severity``, from 0.0 to 10.0.
        cases: globs of ids; a case is about the first risk whose globs match.
        verdicts: the verdicts that have this meaning.
    """

    id: str
    name: str
    short: str
    help: str
    cwe: int
    severity: str
    cases: tuple[str, ...]
    verdicts: tuple[Verdict, ...] = _DONE


RISKS = (
    Risk(
        "clear-text",
        "ClearTextAfterFailure",
        "Goes on without TLS after TLS or a tunnel has failed",
        "What the application sends as secret, such as credentials and cookies, can be read and "
        "changed on the way, or a page of an unverified server is taken for the requested one. "
        "After a failed handshake, a refused certificate or a refused CONNECT, close the socket "
        "and forget it; the next request needs a handshake of its own.",
        319,
        "7.4",
        (
            *("tls.client.refused.*", "tls.client.handshake.*", "tls.handshake.*"),
            *("tls.refused-certificate.*", "tls.certificate.*", "tls.context.*", "tls.redial-*"),
            *("tls.client-certificate-refused.*", "tls.client-certificate-broken.*"),
            *("tls.idle-ended.*", "tunnel.tls.*", "tunnel.inside.refused.*"),
            *("tunnel.inside.failed.*", "tunnel.unopened*", "tunnel.refused.*", "tunnel.redial.*"),
            *("tunnel.malformed.*", "tunnel.not-http.*", "tunnel.broken-off.*"),
        ),
    ),
    Risk(
        "injection",
        "LineInjection",
        "Takes a part of a value for a line of its own",
        "If an attacker controls a part of a URL, a method, a field or a host name, the attacker "
        "adds fields or whole requests to those of the application; in a response, fields that the "
        "server never sent. Refuse control characters in what the caller gives, before anything is "
        "sent, and end the lines of a response at CRLF or LF only.",
        93,
        "7.5",
        (
            *("requests.refused.*", "requests.after-refusal.*a-field-*", "requests.field-value.*"),
            "requests.after-refusal.method",
            *("tunnel.headers.invalid.*", "tunnel.invalid-host.*", "headers.no-line-end.*"),
            *("headers.bare-cr.*", "connection-state.*.line-in-*", "interface.host.crlf-*"),
        ),
    ),
    Risk(
        "desynchronisation",
        "ResponseDesynchronisation",
        "Ends a message at another place than the RFC, or takes leftovers for a response",
        "Two programs that disagree where a message ends take a part of one message for the next: "
        "the response to one user reaches another, or a cache stores it under the wrong name. "
        "Refuse a length, a transfer coding or a chunk that is not valid, and do not use a "
        "connection again on which anything unread or unasked is left.",
        444,
        "7.5",
        (
            *("framing.content-length.*", "framing.odd-length.*", "framing.both.*"),
            *("framing.http-1-0-both.*", "framing.chunked-after.*", "framing.transfer-encoding.*"),
            *("framing.odd-coding.*", "framing.unknown-coding-and-length.*", "framing.odd-name.*"),
            *("framing.bare-cr.*", "framing.no-body*", "framing.head.*", "chunked.size.*"),
            *("chunked.size-line.*", "chunked.broken.*", "chunked.*row-broken.*"),
            *("chunked.grammar.*", "chunked.look-alike.*", "chunked.line-end.*"),
            *("chunked.data-end.*", "chunked.extension.*", "headers.frames-nothing.*"),
            *("headers.odd-name.*", "persistence.leftover*", "persistence.unsolicited.*"),
            *("persistence.before-the-first-request.*", "persistence.unfinished*"),
            *("persistence.broken*", "persistence.rest-after-the-answer.*"),
            *("session.leftovers.*", "session.unasked.*", "session.unread.*", "session.short.*"),
            *("tls.leftovers*", "tunnel.leftovers.*"),
        ),
    ),
)
"""What is reported, the most specific first."""


@functools.cache
def _named(name: str) -> Risk | None:
    """Return the risk that the case called *name* is about."""
    return next((one for one in RISKS if any(fnmatchcase(name, glob) for glob in one.cases)), None)


def risk_of(result: Result) -> Risk | None:
    """Return what the failure *result* may mean for security; None if it means nothing."""
    found = _named(result.id)
    return found if found is not None and result.verdict in found.verdicts else None


def sarif_json(runs: Sequence[Run], corpus: Corpus) -> bytes:
    """Return the document."""
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [_run(run, corpus) for run in runs],
    }
    return json.dumps(document, indent=1).encode("ascii") + b"\n"


def _run(run: Run, corpus: Corpus) -> dict[str, Any]:
    head = run.head
    name = visible_text(f"{head.name} {head.version}".strip()) or "unnamed"
    notes = [_note(line) for line in [head.incomplete] if line]
    return {
        "tool": {
            "driver": {
                "name": "httplib-kit",
                "version": head.kit,
                "rules": [_rule(one) for one in RISKS],
            }
        },
        # A service keeps the results of each category apart, so each implementation has its own.
        "automationDetails": {"id": f"httplib-kit/{quote(name, safe=' ')}/"},
        "invocations": [{"executionSuccessful": not notes, "toolExecutionNotifications": notes}],
        "columnKind": "unicodeCodePoints",
        "results": list(_results(run, name, corpus)),
    }


def _note(line: str) -> dict[str, Any]:
    return {"level": "error", "message": {"text": visible_text(f"incomplete: {line}")}}


def _rule(one: Risk) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "shortDescription": {"text": f"{one.short}."},
        "fullDescription": {"text": one.help},
        "help": {
            "text": f"{one.help} `httplib-kit show CASE` shows the bytes of a case, what the RFC "
            "says of them, and what other clients do."
        },
        "defaultConfiguration": {"level": "error"},
        "properties": {
            "tags": ["security", f"external/cwe/cwe-{one.cwe}"],
            "precision": "medium",
            "security-severity": one.severity,
        },
    }


_LEVELS = {Standing.FAILED: "error", Standing.EXPECTED: "error", Standing.FLAKY: "note"}


def _results(run: Run, name: str, corpus: Corpus) -> Iterator[dict[str, Any]]:
    for result in run.results:
        stands, risk = effective(result, run.head), risk_of(result)
        if risk is not None and stands in _LEVELS:
            yield _result(result, run.head, name, corpus, risk, stands)


def _result(
    result: Result, head: RunHead, name: str, corpus: Corpus, risk: Risk, stands: Standing
) -> dict[str, Any]:
    place = location_of(corpus, result, head)
    case = visible_text(result.name)
    texts = (f"{case}: {headline(result)}", result.title, f"Again: {command(result, head)}")
    found: dict[str, Any] = {
        "ruleId": risk.id,
        "ruleIndex": RISKS.index(risk),
        "level": _LEVELS[stands],
        "message": {"text": "\n".join(visible_text(text) for text in texts)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(place.path) or "."},
                    "region": {"startLine": place.line},
                },
                "logicalLocations": [{"fullyQualifiedName": case, "kind": "member"}],
            }
        ],
        "partialFingerprints": {"case/v1": fingerprint(name, result.name)},
        "properties": {"verdict": result.verdict, "level": result.weight, "rfc": result.rfc},
    }
    if stands is Standing.EXPECTED:
        found["suppressions"] = [{"kind": "external", "justification": visible_text(result.known)}]
    return found


def fingerprint(*parts: str) -> str:
    """Return 64 hexadecimal digits that are the same for the same *parts*, and for no others."""
    text = json.dumps(parts)
    return hashlib.sha256(text.encode()).hexdigest()
