"""A comparison of runs as Markdown, sized for a comment on a pull request.

The input is pairs of runs, each before and after.  The output is text: what became better or worse
in one table, and the cases of each kind, folded.  A comment has at most `MOST` characters, so cases
for which there is no room are only counted, the least important first.  Untrusted text appears only
in code spans (`markdown`).
"""

from collections.abc import Iterable, Iterator, Sequence

from conformance.judge import OK
from conformance.report.diff import Change, changes, settings_lines, told
from conformance.report.markdown import cells, code, markdown_texts
from conformance.report.runs import Run
from conformance.report.summary import scope
from conformance.results import Overlay, Result
from conformance.wording import counted

MOST = 65_536
"""The characters that GitHub accepts in a comment."""
MARK = "<!-- httplib-kit -->"
"""The first line, by which a later run finds the comment that it replaces."""
_FRAME = 400
"""Characters that are kept free for what encloses the rows of a kind, or names what is left out."""
_LONGEST = 160
_MOST_LINES = 10

KINDS = {
    "worse": "passed or was not run before, and fails now",
    "stale": "an entry of the baseline that is no longer true",
    "otherwise": "fails as before, but in another way",
    "new": "not in the results before",
    "better": "failed before, and passes now",
    "revised": "the case itself has changed, so that the results cannot be compared",
    "retired": "in the results before, and not in those now",
    "other": "another difference, such as a case that is not run any more",
}
"""The kinds of differences, the most important first."""


def kind_of(change: Change) -> str:
    """Return the kind of *change*."""
    before, after = change.before, change.after
    if before is None or after is None:
        return "new" if before is None else "retired"
    if change.is_of_revisions:
        return "revised"
    if after.failed:
        return "otherwise" if before.failed else "worse"
    return "better" if before.failed and after.verdict in OK else "other"


def diff_markdown(pairs: Sequence[tuple[Run, Run]], notes: Sequence[str] = ()) -> str:
    """Return the comment.

    Args:
        pairs: the runs before and after, of each implementation.
        notes: lines about the whole, such as an implementation that only one side has.
    """
    notes = [f"- {code(_short(note))}" for note in notes[:_MOST_LINES]]
    text = "\n".join([MARK, *notes, *([""] if notes else [])])
    for index, (before, after) in enumerate(pairs):
        room = (MOST - len(text)) // (len(pairs) - index)
        part = _pair(before, after, room)
        if len(text) + len(part) > MOST - _FRAME and index:
            left = len(pairs) - index
            return f"{text}\n\nThere is no room for {counted(left, 'more implementation')}.\n"
        text += f"\n{part}"
    return f"{text}\n"


def comment_text(runs: Sequence[Run]) -> str:
    """Return the summary of *runs*, of at most `MOST` characters."""
    for summary in markdown_texts(runs, (MOST * 2 // 3, MOST // 3, 0)):
        text = f"{MARK}\n{summary}"
        if len(text) <= MOST:
            return text
    text = text[: text.rfind("\n", 0, MOST - _FRAME)]
    return f"{text}\n\nThere is no room here for the rest; `httplib-kit report` shows all.\n"


def _pair(before: Run, after: Run, room: int) -> str:
    rows: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for change in changes(before, after):
        rows[kind_of(change)].append(
            cells([code(_short(change.name)), _result(change.before), _result(change.after)])
        )
    rows["stale"] = [cells([code(_short(line)), "", ""]) for line in _stale(after)]
    lines = [
        f"## {code(_short(_title(before)))} → {code(_short(_title(after)))}",
        "",
        cells(["", "cases", "what it means"]),
        cells(["---", "---:", "---"]),
        *(cells([f"**{kind}**", str(len(rows[kind])), text]) for kind, text in KINDS.items()),
        "",
        f"Before: {before.score.text}. Now: {after.score.text}.",
        "",
        *_warnings(before, after),
    ]
    return "\n".join([*lines, *_folded(rows, room - sum(len(line) + 1 for line in lines))])


def _folded(rows: dict[str, list[str]], room: int) -> Iterator[str]:
    """Yield the rows of each kind, in at most *room* characters.

    A kind takes no more than half of the room that is left, as long as others follow.
    """
    room -= _FRAME * (1 + sum(map(bool, rows.values())))
    left: list[str] = []
    some = [kind for kind, every in rows.items() if every]
    for kind in some:
        every, shown = rows[kind], list[str]()
        share = room if kind == some[-1] else room // 2
        for row in every:
            if len(row) + 1 > share:
                break
            shown.append(row)
            share, room = share - len(row) - 1, room - len(row) - 1
        if shown:
            part = f"{len(shown)} of {len(every)}" if len(shown) < len(every) else str(len(every))
            yield from (f"<details><summary>{kind}: {part}</summary>", "")
            yield from (cells(["case", "before", "now"]), cells(["---", "---", "---"]), *shown)
            yield from ("", "</details>", "")
        if len(shown) < len(every):
            left.append(f"{len(every) - len(shown)} {kind}")
    if left:
        yield f"There is no room here for {', '.join(left)}; `httplib-kit diff` lists all."


def _stale(run: Run) -> Iterator[str]:
    yield from run.head.stale
    yield from (one.name for one in run.results if one.overlay == Overlay.STALE)


def _warnings(before: Run, after: Run) -> Iterator[str]:
    """Yield what limits the comparison: a partial run, or settings that differ."""
    found = [
        *(f"before: {line}" for line in scope(before.head)),
        *(f"now: {line}" for line in scope(after.head)),
        *settings_lines(before.head, after.head),
    ]
    yield from (f"- {code(_short(line))}" for line in found[:_MOST_LINES])
    if len(found) > _MOST_LINES:
        yield f"- and {len(found) - _MOST_LINES} more"
    yield from [""] if found else []


def _title(run: Run) -> str:
    return " ".join(filter(None, [run.head.name, run.head.version])) or "unnamed"


def _result(result: Result | None) -> str:
    return "" if result is None else code(_short(told(result)))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def paired(before: Iterable[Run], after: Iterable[Run]) -> tuple[list[tuple[Run, Run]], list[str]]:
    """Return the runs that belong together, and a line for each that has no other.

    If each side has one run, they are compared whatever they are; else runs of one implementation.
    """
    left = {run.head.implementation: run for run in before}
    right = {run.head.implementation: run for run in after}
    if len(left) == len(right) == 1:
        return list(zip(left.values(), right.values(), strict=True)), []
    pairs = [(left[name], right[name]) for name in left if name in right]
    notes = [f"only before: {name}" for name in left if name not in right]
    notes += [f"only now: {name}" for name in right if name not in left]
    return pairs, notes
