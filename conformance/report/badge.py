"""A badge: how much of the corpus passes, as a picture and as JSON for a badge service.

The input is runs.  The output is an SVG document, or the JSON that a badge service fetches
(``schemaVersion``, ``label``, ``message``, ``color``), as bytes.  With several runs, the badge
shows the one with the lowest score.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from conformance.cases import LEVELS, STRENGTHS
from conformance.report.octets import visible_text
from conformance.report.runs import Run
from conformance.report.summary import OBSERVED
from conformance.results import Result

LABEL = "HTTP/1.1 client conformance"
_COLOURS = {"brightgreen": "#4c1", "yellow": "#9a6700", "red": "#cf222e", "lightgrey": "#6e7781"}
_GLYPH = 6.6
"""Pixels for each letter; the text is stretched to the width that results."""


def badge_endpoint(runs: Sequence[Run], level: str = "") -> bytes:
    """Return the JSON for a badge service; of one *level*, or of all cases."""
    message, colour = _message(runs, level)
    badge = {"schemaVersion": 1, "label": _label(level), "message": message, "color": colour}
    return json.dumps(badge, indent=2).encode("ascii") + b"\n"


def badge_svg(runs: Sequence[Run], level: str = "") -> bytes:
    """Return the SVG document; of one *level*, or of all cases."""
    return picture(_label(level), *_message(runs, level)).encode()


def badge_files(runs: Sequence[Run]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of a picture and of its data, for all cases and each level."""
    for level in ("", *levels_of(one for run in runs for one in run.results)):
        yield f"{level or 'all'}.svg", badge_svg(runs, level)
        yield f"{level or 'all'}.json", badge_endpoint(runs, level)


def levels_of(results: Iterable[Result]) -> list[str]:
    """Return the levels and strengths by which any of *results* are judged, in their order."""
    found = {one.weight for one in results}
    return [one for one in (*LEVELS, *STRENGTHS) if one in found and one != OBSERVED]


def embedding(name: str) -> str:
    """Return the line of Markdown that shows the badge in the file *name*."""
    level = name.rpartition("/")[2].removesuffix(".svg")
    return f"![{_label('' if level == 'all' else level)}]({name})"


def _label(level: str) -> str:
    return f"HTTP/1.1 {level}" if level else LABEL


def picture(label: str, message: str, colour: str) -> str:
    """Return an SVG document; *colour* is a name of those that badge services use."""
    left, right = _width(label), _width(message)
    text = escape(f"{label}: {message}")
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="{text}">',
        f"<title>{text}</title>",
        f'<rect width="{left}" height="20" fill="#555"/>',
        f'<rect x="{left}" width="{right}" height="20" fill="{_COLOURS[colour]}"/>',
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" '
        'text-anchor="middle">',
        *(_text(label, left / 2, left), _text(message, left + right / 2, right)),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _text(text: str, middle: float, width: int) -> str:
    return f'<text x="{middle:g}" y="14" textLength="{width - 12}">{escape(text)}</text>'


def _width(text: str) -> int:
    return round(len(text) * _GLYPH) + 12


def _message(runs: Sequence[Run], level: str) -> tuple[str, str]:
    """Return message and colour."""
    if level:
        of_level = [[one for one in run.results if one.weight == level] for run in runs]
        runs = [Run(run.head, some) for run, some in zip(runs, of_level, strict=True) if some]
    judged = [(found, run) for run in runs if (found := run.score).judged]
    gap = ", incomplete" if any(run.head.incomplete for run in runs) else ""
    if not judged:
        observed = any(run.score.observed for run in runs)
        return f"{'nothing judged' if observed else 'not run'}{gap}", "lightgrey"
    found, run = min(judged, key=lambda one: one[0].well / one[0].judged)
    name = f"{visible_text(run.head.name)} " if len(runs) > 1 else ""
    colour = colour_of(found.well, found.judged, whole=not found.not_judged)
    return f"{name}{found.short}{gap}", "lightgrey" if gap else colour


def colour_of(well: int, judged: int, *, whole: bool) -> str:
    """Return the colour for *well* of *judged* cases; green requires that every case was judged."""
    if 2 * well < judged:
        return "red"
    return "brightgreen" if well == judged and whole else "yellow"
