"""Ready pieces of HTML: untrusted text and bytes, visible and escaped.

The input is text from anywhere, and the lines of `wire`.  The output is markup that a template
inserts unchanged.

Pages consist mostly of such pieces.  A loop of a template takes some ten times as long for them,
and the same labels and sentences return on thousands of pages, so a piece of text is kept.
"""

import functools
import re
from collections.abc import Iterable

from markupsafe import Markup, escape

from conformance.atlas.facts import Group
from conformance.atlas.wire import Event, Line, Span
from conformance.report import OctetRuns, octet_runs, visible_text


@functools.lru_cache(maxsize=2**13)
def shown(text: str) -> Markup:
    """Return *text* in one line, with each character that could act shown by name."""
    return escape(visible_text(text))


def coded(text: str) -> Markup:
    """Return a sentence, with what stands between grave accents as code.

    >>> coded("`a < b` is true")
    Markup('<code>a &lt; b</code> is true')
    """
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def octets(runs: OctetRuns) -> Markup:
    """Return bytes as text, with the names of those that are not shown as themselves."""
    return Markup("".join(_pieces(runs)))  # each piece is escaped


def _pieces(runs: OctetRuns) -> Iterable[str]:
    for text, names in runs:
        yield escape(text)
        if names:
            yield f"<i>{names}</i>"  # only escapes such as \r, in ASCII


@functools.lru_cache(maxsize=2**13)
def span(one: Span) -> Markup:
    """Return bytes in the colour of their role."""
    names = f'"r-{one.role} marked"' if one.marked else f"r-{one.role}"
    runs = [(one.note, "")] if one.note else octet_runs(one.octets)
    return Markup(f"<b class={names}>{octets(runs)}</b>")  # each piece is escaped


def spans(found: Iterable[Span]) -> Markup:
    """Return the bytes of one line, each part in the colour of its role."""
    return Markup("".join(map(span, found)))  # each is markup


def rows(lines: Iterable[Line], *, by: bool = True) -> Markup:
    """Return the rows of a table of *lines*; *by* adds a column for the call that consumes them."""
    return Markup(
        "".join(
            f"<tr><td>{line.offset}<td>{spans(line.spans)}<td>{line.role}"
            f"{f'<td>{shown(line.by)}' if by else ''}"
            for line in lines
        )
    )


def event_head(one: Event) -> Markup:
    """Return the beginning of the item of a list for *one*: who does what, and the state after."""
    return _event_head(one.who, one.connection, one.name, one.text, one.state)


@functools.lru_cache(maxsize=2**13)
def _event_head(who: str, connection: int, name: str, text: str, state: str) -> Markup:
    quoted = name if name.isalnum() else f'"{shown(name)}"'
    named = f" data-name={quoted}" if name else ""
    number = f" {connection}" if connection else ""
    found = f"<li{named}><b>{who}{number}</b> <code>{shown(text)}</code>"
    if state:
        hidden = ' class="answer"' if "raises" in state else ""
        found += f" <em{hidden}>{shown(state)}</em>"
    return Markup(found)  # all text is shown, and the rest is ours


def calls(one: Group) -> Markup:
    """Return what each call of a group resulted in."""
    return _calls(one.calls, one.where if len(one.calls) > 1 else "")


@functools.lru_cache(maxsize=2**13)
def _calls(found: tuple[tuple[str, str], ...], where: str) -> Markup:
    return Markup(
        "".join(
            f"<code{' class=here' if name == where else ''}>"
            f"{'' if name == 'fetch' else f'<i>{shown(name)}</i> '}{shown(text)}</code>"
            for name, text in found
        )
    )  # all text is shown
