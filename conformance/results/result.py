"""Results: what a run stores, one JSON line for each case, with all that a report needs.

The input is a case and its judgement.  The output is a `Result`; in a file (`result_file`), a
`RunHead` precedes the results of each run.  Neither contains port numbers, nor times unless they
are asked for, so that the same run gives the same file, except for what a client draws at random,
such as the bytes of a TLS handshake.
"""

import enum
import re
from typing import Any

import msgspec

from conformance.cases import Case, key_of_script, load_requirements
from conformance.drivers import Frame, Identity
from conformance.judge import ERRORS, FAILURES, Judgement, Verdict
from conformance.results.bounds import Kept, kept_name
from mockserver import Script

_NO_CHARACTER = re.compile("[\ud800-\udfff]")


class RunHead(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first line of a result file: the implementation under test and the corpus.

    Args:
        kit: the version of the kit.
        corpus: the digest of the corpus.
        implementation: as the user wrote it.
        name: the implementation's own name.
        version: its own version.
        label: name and version as one word, with the runtime if it is not CPython.
        runtime: the name that its interpreter reports; empty if unknown.
        features: the optional features that it has.
        requirements: the text of each requirement, by its id.
        baseline: the source of the known deviations, and their implementation; empty without a
            baseline.
        stale: a line for each entry of that baseline that matches no case of the corpus.
        deadline: seconds without progress after which a case was given up; 0 if unknown.
        fail_on_flaky: whether a flaky case fails the run.
        format: the format of the result file; 0 before it is written.
        select: the globs by which cases were chosen; empty for all.
        exclude: the globs by which cases were left out.
        family: the families of which cases were chosen; empty for all.
        own: the files with a user's own cases.
        levels: the levels that were chosen.
        sweep: how cases were varied: ``none``, ``each`` or ``product``.
        profile: ``httplib`` or ``client``.
        tolerant: whether outcomes graded tolerated were accepted.
        error_map: native exception names to known ones, as the user gave them.
        exit_first: whether the first failure ended the run.
        shard: which part of the run this is, as ``2/5``; empty for the whole.
        among: all implementations of the command, if there are several.
        cases: how many results follow, in a complete file.
        unreached: how many chosen cases were not run, because the first failure ended the run.
        incomplete: why results are missing; empty if the run is complete.
        unable: the well-formed exchanges that the implementation did not complete.
        started: when the run began, in seconds since 1970, if its times were asked for; else 0.
        set: the name of the set to which the cases were limited; empty for none.
        outside: a line for each chosen case of the set that was not judged, because the kit no
            longer has it in that revision.
    """

    kit: str
    corpus: str
    implementation: str
    name: str
    version: str
    features: list[str]
    requirements: dict[str, str] = {}
    label: str = ""
    runtime: str = ""
    baseline: str = ""
    stale: list[str] = []
    deadline: float = 0
    fail_on_flaky: bool = False
    format: int = 0
    select: list[str] = []
    exclude: list[str] = []
    family: list[str] = []
    own: list[str] = []
    levels: list[str] = []
    sweep: str = "none"
    profile: str = "httplib"
    tolerant: bool = True
    error_map: dict[str, str] = {}
    exit_first: bool = False
    shard: str = ""
    among: list[str] = []
    cases: int = 0
    unreached: int = 0
    incomplete: str = ""
    unable: list[str] = []
    started: int = 0
    set: str = ""
    outside: list[str] = []

    @classmethod
    def of(cls, identity: Identity, *, kit: str, corpus: str, **settings: Any) -> "RunHead":
        """Return the head of a run on the implementation with this *identity*.

        Args:
            identity: the implementation under test.
            kit: the version of the kit.
            corpus: the digest of the corpus.
            settings: further fields of the head, which describe the run.
        """
        return cls(
            kit=kit,
            corpus=corpus,
            implementation=_sound(identity.written),
            name=kept_name(_sound(identity.name)),
            version=kept_name(_sound(identity.version)),
            label=kept_name(_sound(identity.label)),
            runtime=kept_name(_sound(identity.runtime)),
            features=sorted(kept_name(_sound(one)) for one in identity.features),
            requirements={name: one.text for name, one in load_requirements().items()},
            profile="client" if identity.is_client else "httplib",
            **settings,
        )


class Overlay(enum.StrEnum):
    """How a result compares with the baseline and with its second run."""

    EXPECTED = "EXPECTED"
    """It fails as the baseline says."""
    REGRESSION = "REGRESSION"
    """It fails, and no entry that applies says so."""
    STALE = "STALE"
    """An entry says that it fails, and it passes or fails differently."""
    FLAKY = "FLAKY"
    """It was unexpected, and as expected when run again, alone and after the same cases."""


class Again(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a case did when it was run again, alone; the fields are those of `Result`.

    Args:
        fine: whether this result would have been as expected in the first run.
    """

    verdict: str
    fine: bool
    reason: str = ""
    where: str = ""
    call: str = ""
    seen: str = ""
    trace: list[str] = []
    transcript: str = ""


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """One case, judged.

    Args:
        id: the case's id; with *rev* and *setting* it names what was run.
        verdict: a `Verdict`.
        basis: why a tolerated outcome is tolerated.
        reason: why the case was not run, or how the implementation hung or died.
        where: the op or the key of ``wire`` at which the observation left the outcome.
        call: that op as a call.
        accepted: what the accepted outcomes require there.
        seen: what was seen there.
        frames: the lines of the implementation at which it raised or hung, the innermost first.
        trace: the result of every op, as text; present if the case failed.
        transcript: the wire as text; present if the case failed.
        octets: what the server sent on each connection of this run, one character for each byte, or
            both ends of it; if the case did not fail, only if it is short.
        twin: the well-formed case that differs in one place.
        differs: that place in *octets*: connection, first byte, byte after the last; empty if there
            is none.
        within: the name of the smallest part of the setting under which the case fails too.
        overlay: an `Overlay`, if it is listed, unexpected or flaky.
        known: what the baseline says about the case, and why.
        link: a URL with further information, from the baseline.
        again: the second run, alone, if it gave another verdict.
        after: the cases that have to run before this one to give this result; ``other cases`` if
            they were not found, and empty if the result does not depend on other cases.
        strength: in the client profile, the strength of the expectation: `must`, `should` or `may`.
        rfc: in the client profile, the sections that support the expectation.
        did: in the client profile, what the client did: ``accepts``, or ``rejects`` and why.
        case_level: the level of the case, if *level* is that of the part that failed.
        script: a key of what the server plays; cases with the same key play the same. Empty for a
            case that was not run.
        seconds: how long the case took, to a millisecond, if times were asked for; else 0.
    """

    id: str
    rev: int
    verdict: str
    level: str
    family: str
    title: str
    spec: list[str]
    setting: dict[str, str] = {}
    basis: str = ""
    reason: str = ""
    where: str = ""
    call: str = ""
    accepted: list[str] = []
    seen: str = ""
    frames: list[Frame] = []
    trace: list[str] = []
    transcript: str = ""
    octets: list[Kept] = []
    twin: str = ""
    differs: list[int] = []
    within: str = ""
    overlay: str = ""
    known: str = ""
    link: str = ""
    again: Again | None = None
    after: list[str] = []
    strength: str = ""
    rfc: list[str] = []
    did: str = ""
    case_level: str = ""
    script: str = ""
    seconds: float = 0

    @property
    def weight(self) -> str:
        """The weight of the expectation: its strength in the client profile, else its level."""
        return self.strength or self.level

    @property
    def failed(self) -> bool:
        """Whether the verdict is a failure of the implementation."""
        return self.verdict in FAILURES

    @property
    def is_error(self) -> bool:
        """Whether the verdict is an error of the kit or the driver."""
        return self.verdict in ERRORS

    @property
    def name(self) -> str:
        """The id, with the setting if a dimension was varied."""
        setting = ",".join(f"{key}={value}" for key, value in sorted(self.setting.items()))
        return f"{self.id}@{setting}" if setting else self.id


def result_of(case: Case, judgement: Judgement, **details: Any) -> Result:
    """Return the result of *case*; *details* are further fields of it."""
    mismatch = judgement.mismatch
    if mismatch is not None:
        calls = {op.id: op.text for op in case.ops}
        details.update(
            where=mismatch.where,
            call="" if mismatch.on_wire else calls.get(mismatch.where, ""),
            accepted=list(judgement.accepted),
            seen=mismatch.seen,
        )
    if case.profile == "client" and case.session is not None:
        details.update(strength=case.session.strength, rfc=list(case.session.rfc))
    return Result(
        id=case.id,
        rev=case.rev,
        verdict=judgement.verdict.value,
        level=judgement.level or case.level,
        case_level=case.level if judgement.level else "",
        family=case.family,
        title=case.title,
        spec=list(case.spec),
        setting=dict(case.setting),
        basis=judgement.basis,
        **{name: _sound_all(value) for name, value in details.items()},
    )


def _sound(text: str) -> str:
    """Return *text* with surrogates replaced by their names, so that it can be encoded as JSON."""
    return _NO_CHARACTER.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _sound_all(value: Any) -> Any:
    if isinstance(value, list):
        return [_sound_all(one) for one in value]
    if isinstance(value, Frame):
        return Frame(*map(_sound_all, msgspec.structs.astuple(value)))
    return _sound(value) if isinstance(value, str) else value


def without_port(result: Result, port: int) -> Result:
    """Return *result* with ``PORT`` in place of the server's port, which differs between runs."""
    if not (result.seen or result.accepted or result.trace):  # so it is with all that passes
        return result
    number = re.compile(rf"(?<!\d){port}(?!\d)")

    def stable(text: str) -> str:
        return number.sub("PORT", text)

    return msgspec.structs.replace(
        result,
        seen=stable(result.seen),
        accepted=[stable(text) for text in result.accepted],
        trace=[stable(text) for text in result.trace],
    )


def not_run(case: Case, verdict: Verdict, reason: str) -> Result:
    """Return the result of a case that has *verdict* without being judged."""
    return result_of(case, Judgement(verdict), reason=reason)


def with_script(result: Result, played: Script) -> Result:
    """Return *result* with the key of the script that was *played* for it."""
    return msgspec.structs.replace(result, script=key_of_script(played))
