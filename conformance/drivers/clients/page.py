"""The tables of clients in ``docs/clients.md``, made from the registry.

``python -m conformance.drivers.clients.page docs/clients.md`` writes them again, between two marks;
a test compares the page with the registry.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from conformance.drivers.clients.registry import registry
from conformance.drivers.clients.starting import remedy

BEGIN, END = "<!-- The registry's clients begin. -->", "<!-- The registry's clients end. -->"
_HEAD = (
    "| name | engine | what is driven | how the content is read | what is not reported | "
    "what it does besides | how to get it |"
)


def page_with_clients(text: str) -> str:
    """Return the page *text* with the tables between the marks made anew.

    Raises:
        ValueError: a mark is missing.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no {END if begin else BEGIN}")
    return "\n".join([before + begin, "", *_tables(), end + after])


def _tables() -> Iterator[str]:
    known = registry()
    by_language: dict[str, list[str]] = {}
    for name in known.client:
        by_language.setdefault(known.language(name), []).append(name)
    for language, names in by_language.items():
        yield from (f"### {language}", "", _HEAD, "|---|---|---|---|---|---|---|")
        yield from map(_row, names)
        yield ""


def _row(name: str) -> str:
    one = registry().client[name]
    traps = ", ".join(one.traps)
    cells = (f"`{name}`", one.engine, one.about, one.reads, one.hides, traps, remedy(name))
    return f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |")


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(page_with_clients(page.read_text(encoding="utf-8")), encoding="utf-8")
