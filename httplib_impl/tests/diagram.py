"""``docs/state.md``, made from the transition table: ``python -m httplib_impl.tests.diagram``."""

from __future__ import annotations

from pathlib import Path

from httplib_impl._state import (
    ANSWERED,
    ENDHEADERS,
    GETRESPONSE,
    PUTHEADER,
    PUTREQUEST,
    READ,
    Row,
    State,
)

TABLE: dict[str, Row] = {
    "putrequest": PUTREQUEST,
    "putheader": PUTHEADER,
    "endheaders": ENDHEADERS,
    "getresponse, of a response that closes": GETRESPONSE,
    "getresponse, of a response that keeps": ANSWERED,
    "the unread response is read": READ,
}

DOCUMENT = Path(__file__).parents[2] / "docs" / "state.md"

INTRODUCTION = """\
# The states of a connection

Made from the table in `httplib_impl/_state.py` by `python -m httplib_impl.tests.diagram`. A call
that has no arrow in a state raises what the last column of the table says. `close()` leads from
everywhere to idle, and so does an error while a response is read, but for a timeout.

A request of which less was sent than its head announced leaves the server waiting for the rest. Its
response can be read as any other; with the end of it the socket is closed, and the state is idle
without a connection. Where the next request is sent before that, it goes out on a new connection,
and the response keeps the old one. The rest of the body is sent nowhere else: `send` then raises
`NotConnected`.

"""


def document() -> str:
    """The page: a diagram, and the table that it shows."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {State.IDLE.name}"]
    lines += [f"    {state.name}: {state.value}" for state in State]
    for call, row in TABLE.items():
        lines += [f"    {before.name} --> {after.name}: {call}" for before, after in row.items()]
    lines += ["```", "", "| call | in state | leads to | else |", "|---|---|---|---|"]
    for call, row in TABLE.items():
        for before, after in row.items():
            lines.append(f"| {call} | {before.value} | {after.value} | {row.refusal.__name__} |")
    return INTRODUCTION + "\n".join(lines) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
