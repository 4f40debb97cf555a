"""What each recorded implementation did with a case, for `show`.

In: a case and the golden records.  Out: lines; those who did the same stand together, under the
verdict that this comes to.
"""

from collections.abc import Iterator

from conformance.cases import Case
from conformance.judge.client import error_text, response_text
from conformance.judge.judge import entry_text
from conformance.run.golden import Book, Judged, judged


def recorded_lines(book: Book, case: Case) -> Iterator[str]:
    """Yield the lines; none where nobody was recorded with the case as it is now."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for one in judged(book, case):
        groups.setdefault((_verdict(one), *_calls(one)), []).append(one.key)
    for (verdict, *calls), keys in groups.items():
        versions = (f"{key} ({book.implementations[key].version})" for key in keys)
        yield f"  {verdict}  {', '.join(versions)}"
        yield from (f"    {call}" for call in calls)


def _verdict(one: Judged) -> str:
    judgement = one.judgement
    told = f"{judgement.verdict} ({judgement.basis})" if judgement.basis else str(judgement.verdict)
    miss = judgement.mismatch
    # What was seen at an op stands among the calls.
    if miss is None or any(op.id == miss.where for op in one.case.ops):
        return told if miss is None else f"{told} at {miss.where}"
    return f"{told} at {miss.where}: {miss.seen}"


def _calls(one: Judged) -> Iterator[str]:
    """Yield what each call came to that says more than that it was made."""
    if one.observation is None:
        return
    for op in one.case.ops:
        entry = one.observation.trace[op.id]
        value = entry.get("value")
        if isinstance(value, dict) and value.get("type") == "response":
            yield f"{op.id:<14} {response_text(value)}"
        elif "error" in entry and one.case.profile == "client":
            yield f"{op.id:<14} {error_text(entry['error'])}"
        elif "error" in entry or not _says_nothing(value):
            yield f"{op.id:<14} {entry_text(entry)}"


def _says_nothing(value: object) -> bool:
    return value is None or (isinstance(value, dict) and value.get("type") == "object")
