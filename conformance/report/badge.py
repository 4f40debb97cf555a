"""A badge: how much of the corpus passes, as a picture and as JSON for a badge service.

The input is runs.  The output is an SVG document, or the JSON that a badge service fetches
(``schemaVersion``, ``label``, ``message``, ``color``), as bytes.  With several runs, the badge
shows the one with the lowest score.
"""

import json
from collections.abc import Sequence
from html import escape

from conformance.report.octets import visible_text
from conformance.report.runs import Run

LABEL = "HTTP/1.1 client conformance"
_COLOURS = {"brightgreen": "#4c1", "yellow": "#9a6700", "red": "#cf222e", "lightgrey": "#6e7781"}
_HALF = 50
_GLYPH = 6.6
"""Pixels for each letter; the text is stretched to the width that results."""


def badge_endpoint(runs: Sequence[Run]) -> bytes:
    """Return the JSON for a badge service."""
    message, colour = _told(runs)
    badge = {"schemaVersion": 1, "label": LABEL, "message": message, "color": colour}
    return json.dumps(badge, indent=2).encode("ascii") + b"\n"


def badge_svg(runs: Sequence[Run]) -> bytes:
    """Return the SVG document."""
    message, colour = _told(runs)
    left, right = _width(LABEL), _width(message)
    text = escape(f"{LABEL}: {message}")
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="{text}">',
        f"<title>{text}</title>",
        f'<rect width="{left}" height="20" fill="#555"/>',
        f'<rect x="{left}" width="{right}" height="20" fill="{_COLOURS[colour]}"/>',
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" '
        'text-anchor="middle">',
        *(_text(LABEL, left / 2, left), _text(message, left + right / 2, right)),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines).encode("utf-8") + b"\n"


def _text(text: str, middle: float, width: int) -> str:
    return f'<text x="{middle:g}" y="14" textLength="{width - 12}">{escape(text)}</text>'


def _width(text: str) -> int:
    return round(len(text) * _GLYPH) + 12


def _told(runs: Sequence[Run]) -> tuple[str, str]:
    """Return message and colour."""
    judged = [(found, run) for run in runs if (found := run.score).judged]
    gap = ", incomplete" if any(run.head.incomplete for run in runs) else ""
    if not judged:
        observed = any(run.score.observed for run in runs)
        return f"{'nothing judged' if observed else 'not run'}{gap}", "lightgrey"
    found, run = min(judged, key=lambda one: one[0].well / one[0].judged)
    name = f"{visible_text(run.head.name)} " if len(runs) > 1 else ""
    colour = "red"
    if 2 * found.well >= found.judged:
        # The colour for a complete pass requires that every case was judged.
        whole = found.well == found.judged and not found.not_judged
        colour = "brightgreen" if whole else "yellow"
    return f"{name}{found.short}{gap}", "lightgrey" if gap else colour
