"""Grading: what a class has done, in the forms that Gradescope, GitHub Classroom and programs read.

The input is what a client did in the stages, with fresh cases, or in result files.  The output is a
`Work` for each student, and one text.  A stage earns all of its points or none.  Of other cases, a
client earns the lower of two shares: of those that it must accept, and of those that it must
reject, so that one that accepts or rejects everything earns nothing.
"""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from conformance.cases import Corpus
from conformance.course.checking import Checked
from conformance.course.stages import load_stages
from conformance.judge import ERRORS, OK, Verdict
from conformance.report import visible_text
from conformance.results import Result
from conformance.wording import counted

_UNABLE = {Verdict.UNSUPPORTED, Verdict.NOT_INSTALLED}
_MOST = 5
"""Cases that failed and are named in the text of a mark."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What one part of the work earns.

    Args:
        name: the part.
        share: how much of its points is earned, from 0 to 1.
        text: why, for the student.
    """

    name: str
    share: float
    text: str


@dataclass(frozen=True, slots=True)
class Work:
    """The work of one student.

    Args:
        name: as the teacher wrote it.
        marks: of its parts, which earn equal points.
        client: what was judged, so that the teacher sees whether it is the student's own.
    """

    name: str
    marks: Sequence[Mark]
    client: str


def mark_of_stage(found: Checked) -> Mark:
    """Return the mark of a stage."""
    whole = len(found.results) + found.unreached
    text = f"{found.count} of {counted(whole, 'case')} pass{_named(found.failed)}"
    text += f"; {counted(found.unreached, 'case')} not run" if found.unreached else ""
    title = load_stages()[found.number - 1].title
    return Mark(f"stage {found.number}: {title}", float(found.passes), text)


def mark_of_results(
    name: str, results: Iterable[Result], corpus: Corpus, *, unreached: int = 0
) -> Mark:
    """Return the mark of *results*, called *name*.

    A client that gives no answer, or one that cannot be read, fails the case: otherwise it could
    choose the cases by which it is judged.

    Args:
        name: of the part.
        results: of cases for clients; those of other strengths than ``must`` earn nothing.
        corpus: the cases.
        unreached: how many further cases were not run, because the client hangs or ends.
    """
    found = list(results)
    judged = [one for one in found if one.strength == "must" and one.verdict not in _UNABLE]
    kinds: dict[str, list[bool]] = {}
    for one in judged:
        kinds.setdefault(_kind(one, corpus), []).append(one.verdict in OK)
    shares = [sum(found) / len(found) for kind, found in kinds.items() if kind != "either"]
    failed = [one for one in judged if one.verdict not in OK]
    text = f"{len(judged) - len(failed)} of {counted(len(judged), 'case')} pass{_named(failed)}"
    text += f"; {counted(unreached, 'case')} not run" if unreached else ""
    reached = len(found) / (len(found) + unreached) if found else 0
    return Mark(name, min(shares, default=0.0) * reached, text)


def _kind(one: Result, corpus: Corpus) -> str:
    """Return whether a client must accept or reject the response of a case, or may do either."""
    case = corpus.case(one.id)
    fetch = None if case is None else case.fetch
    kinds = {type(result).__name__ for result in fetch.results} if fetch else set()
    return kinds.pop() if len(kinds) == 1 else "either"


def _named(failed: Sequence[Result]) -> str:
    names = [visible_text(f"{one.name} ({one.verdict}{_why(one)})") for one in failed[:_MOST]]
    more = f", and {len(failed) - _MOST} more" if len(failed) > _MOST else ""
    return f"; failed: {', '.join(names)}{more}" if names else ""


def _why(one: Result) -> str:
    """Return why a client gave no answer; empty if it gave one."""
    return f": {one.reason}" if one.reason and one.verdict in ERRORS | {Verdict.CRASH} else ""


def _gradescope(works: Sequence[Work], points: float) -> bytes:
    tests = [
        {
            "name": one.name,
            "number": str(number),
            "score": _earned([one], works[0], points),
            "max_score": round(points / len(works[0].marks), 2),
            "status": "passed" if one.share == 1 else "failed",
            "output": one.text,
        }
        for number, one in enumerate(works[0].marks, 1)
    ]
    earned = _earned(works[0].marks, works[0], points)
    return _json({"score": earned, "output": f"client: {works[0].client}", "tests": tests})


def _github(works: Sequence[Work], points: float) -> bytes:
    tests = [
        {
            "name": one.name,
            "status": _STATUS[one.share == 1],
            "score": _earned([one], works[0], points),
            "message": one.text,
        }
        for one in works[0].marks
    ]
    status = _STATUS[all(one.share == 1 for one in works[0].marks)]
    found = {"version": 1, "status": status, "max_score": points, "tests": tests}
    return base64.b64encode(msgspec.json.encode(found)) + b"\n"


_STATUS = ("fail", "pass")


def _plain(works: Sequence[Work], points: float) -> bytes:
    return _json({"works": [_work(one, points) for one in works]})


def _work(work: Work, points: float) -> Mapping[str, object]:
    parts = [
        {"name": one.name, "points": _earned([one], work, points), "text": one.text}
        for one in work.marks
    ]
    earned = _earned(work.marks, work, points)
    found = {"name": work.name, "client": work.client, "points": earned, "of": points}
    return {**found, "parts": parts}


def _json(found: Mapping[str, object]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(found)) + b"\n"


def _earned(marks: Sequence[Mark], work: Work, points: float) -> float:
    return round(sum(one.share for one in marks) * points / len(work.marks), 2)


FORMATS: Mapping[str, Callable[[Sequence[Work], float], bytes]] = {
    "gradescope": _gradescope,
    "github": _github,
    "json": _plain,
}
"""The formats; each function receives the works and the points for all parts of one.

Only ``json`` has more than one work.
"""
