"""The grammar of responses: parts that are usual or odd, and how a response is drawn from them.

The input is a dimension, such as the status line or the chunks; the output is a Hypothesis strategy
for responses that are odd in that dimension alone, so that what two clients do differently has one
possible cause.  Earlier parts of each list are plainer: a response shrinks towards them.

The grammar is given by lists of literal bytes, without a parser: `law` names the rules
that the drawn bytes break.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

STATUS_LINES = [
    b"HTTP/1.1 200 OK",
    b"HTTP/1.0 200 OK",
    b"HTTP/1.1 404 Not Found",
    b"HTTP/1.1 200",
    b"HTTP/1.1 200 ",
    b"HTTP/1.1  299 \t much  space ",
    b"HTTP/1.1\t200\tTabs",
    b"HTTP/1.1 999 Top",
    b"HTTP/1.1 200 N\xa0B\x85\x1c",
    b"HTTP/1.1 200 nul\x00",
    b"HTTP/1.1 205 Reset",
]
ODD_STATUS_LINES = [
    b"HTTP/1.1 204 No Content",
    b"HTTP/1.1 304 Not Modified",
    b"HTTP/1.2 200 OK",
    b"HTTP/1.x 200 OK",
    b"HTTP/1. 200 OK",
    b"HTTP/2.0 200 OK",
    b"HTTP/ 200 OK",
    b"HTTP/0.9 200 OK",
    b"http/1.1 200 OK",
    b" HTTP/1.1 200 OK",
    b"\x0bHTTP/1.1 200 OK",
    b"\xa0HTTP/1.1 200 OK",
    b"HTTP/1.1",
    b"HTTP/1.1 ",
    b"HTTP",
    b"ICY 200 OK",
    b"",
    b"hello",
    b"HTTP/1.1 20 OK",
    b"HTTP/1.1 +200 OK",
    b"HTTP/1.1 0200 OK",
    b"HTTP/1.1 099 OK",
    b"HTTP/1.1 1000 OK",
    b"HTTP/1.1 -200 OK",
    b"HTTP/1.1 2x0 OK",
    b"HTTP/1.1 200L OK",
    b"HTTP/1.1 200OK",
    b"HTTP/1.1 2\x000 OK",
    b"HTTP/2.0 abc OK",
    b"HTTP/1.1 101 Switching",
]
INTERIM = [
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n",
    b"HTTP/1.0 100 Continue\r\n\r\n",
]
ODD_INTERIM = [
    b"HTTP/1.1 102 Processing\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
    b"HTTP/2.0 100 Continue\r\n\r\n",
]
FIELDS = [
    b"X-A: 1\r\n",
    b"x-a:2\r\n",
    b"X-Fold: a\r\n b\r\n\tc\r\n",
    b"X-Fold: a\r\n \r\n",
    b"X-Empty:\r\n",
    b"X-Blank : 3\r\n",
    b"no colon\r\n",
    b"no colon\r\n folded\r\n",
    b": no name\r\n",
    b"From nobody\r\n",
    b"From nobody: x\r\n",
    b"X-Lf: 4\n",
    b"X-Cr: a\rb\r\n",
    b"X-8: \xe9\xa0\x85\r\n",
    b"X-\xc3\xa9: 5\r\n",
    b"X-Nul: a\x00b\r\n",
    b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n",
    b"Upgrade: x\r\n",
]
ODD_FIELDS = [
    b" leading: blank\r\n",
    b"no colon\r\n folded: x\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Connection: Keep-Alive, Upgrade\r\n",
    b"Connection: not-close\r\n",
    b"Proxy-Connection: keep-alive\r\n",
    b"Keep-Alive: timeout=5\r\n",
]
ODD_LENGTHS = [
    b"3",
    b"9",
    b"10000000000000",
    b"+5",
    b"-5",
    b"5_0",
    b"0x5",
    b"5, 5",
    b"5\r\nContent-Length: 5",
    b"5\r\nContent-Length: 3",
    b"5L",
    b"\xa05",
]
CODINGS = [
    b"chunked",
    b"Chunked",
    b" chunked ",
]
ODD_CODINGS = [
    b"identity",
    b"gzip",
    b"gzip, chunked",
    b"chunked, chunked",
    b"chunked;q=1",
    b"chunked\r\nTransfer-Encoding: chunked",
    b", chunked",
    b"",
]
CHUNKS = [
    b"5\r\nhello\r\n",
    b"05\r\nhello\r\n",
    b"1\r\nx\r\n",
    b"A\r\n0123456789\r\n",
    b"a;name=value\r\n0123456789\r\n",
    b"5  \r\nhello\r\n",
    b"5 ;x\r\nhello\r\n",
    b"5\t\r\nhello\r\n",
    b"",
]
ODD_CHUNKS = [
    b"+5\r\nhello\r\n",
    b"-5\r\nhello\r\n",
    b"0x5\r\nhello\r\n",
    b" 5\r\nhello\r\n",
    b"\r\nhello\r\n",
    b"zz\r\nhello\r\n",
    b"5\nhello\r\n",
    b"5;a\rb\r\nhello\r\n",
    b"5L\r\nhello\r\n",
    b"5 5\r\nhello\r\n",
    b"5\x0b\r\nhello\r\n",
    b"5\r\nhelloXX",
    b"5\r\nhello\n",
    b"5\r\nhel\r\n",
    b"5\r\nhel",
    b"5\r\nhello",
    b"5",
]
LAST_CHUNKS = [
    b"0\r\n\r\n",
    b"0\r\n\r\n",
    b"000\r\n\r\n",
    b"0;x=1\r\n\r\n",
    b"0\r\nX-T: 1\r\n\r\n",
    b"0\r\nX-T: 1\n\r\n",
    b"0\r\nno colon\r\n\r\n",
    b"0\r\n\n",
    b"0\r\n",
    b"0\r\nX-T: 1",
    b"0",
]
ODD_LAST_CHUNKS = [
    b"0\n\r\n",
    b"+0\r\n\r\n",
    b"-0\r\n\r\n",
    b"",
]
LEFTOVERS = [b"!", b"HTTP/1.1 200 Evil\r\n\r\n"]

ODD_RESPONSES = (
    *("nothing", "status line", "interim", "fields", "length", "coding", "chunks"),
    *("cut", "noise", "leftovers"),
)
"""What may be odd about a response."""


@dataclass(frozen=True, slots=True)
class Response:
    """One response, as bytes.

    Args:
        octets: as they are sent.
        definite: whether any client finds its end while the connection stays open.
    """

    octets: bytes
    definite: bool = False


def pick(odd: bool, usual: Sequence[Any], others: Sequence[Any]) -> st.SearchStrategy[Any]:
    """Return a strategy for one of *usual*; where this is odd, most often one of *others*."""
    return st.sampled_from([*usual, *others, *others]) if odd else st.sampled_from(usual)


@st.composite
def _framed(draw: st.DrawFn, odd: str) -> tuple[bytes, bytes, bool]:
    """Draw a framing field, a body, and whether its end is definite."""
    kind = {"length": 0, "leftovers": 0, "coding": 1, "chunks": 1}.get(odd)
    kind = draw(st.integers(0, 3)) if kind is None else kind
    if kind == 0:
        length = draw(pick(odd == "length", [b"5", b" 5\t", b"05"], ODD_LENGTHS))
        more = draw(st.sampled_from(LEFTOVERS)) if odd == "leftovers" else b""
        return b"Content-Length: " + length + b"\r\n", b"hello" + more, odd != "length"
    if kind == 1:
        coding = draw(pick(odd == "coding", CODINGS, ODD_CODINGS))
        chunks = draw(st.lists(pick(odd == "chunks", CHUNKS, ODD_CHUNKS), max_size=4))
        last = draw(pick(odd == "chunks", LAST_CHUNKS, ODD_LAST_CHUNKS))
        length = b"Content-Length: 5\r\n" if odd == "coding" and draw(st.booleans()) else b""
        fields = length + b"Transfer-Encoding: " + coding + b"\r\n"
        definite = odd not in ("coding", "chunks") and last.endswith(b"\r\n\r\n")
        return fields, b"".join([*chunks, last]), definite
    if kind == 2:
        return b"Content-Length: 0\r\n", b"", True
    return b"", draw(st.sampled_from([b"", b"hello", b"a\r\nb"])), False


@st.composite
def responses(draw: st.DrawFn, odd: str) -> Response:
    """Draw a response that is odd in the dimension *odd*, after interim ones.

    A dimension that is not one of `ODD_RESPONSES` leaves the response usual; ``strict`` stands for
    the status line.
    """
    interim = draw(st.lists(pick(odd == "interim", INTERIM, ODD_INTERIM), max_size=2))
    if odd not in ("interim", "nothing"):
        interim = []
    plain = odd in ("status line", "strict", "interim")
    status = draw(pick(plain, STATUS_LINES, ODD_STATUS_LINES if odd != "interim" else ()))
    end = draw(st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r\r\n", b" \r\n"]))
    fields = draw(st.lists(pick(odd == "fields", FIELDS, ODD_FIELDS), max_size=4))
    framing, body, definite = draw(_framed(odd))
    lines = b"".join(draw(st.permutations([*fields, framing])))
    blank = draw(st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n"]))
    octets = b"".join([*interim, status, end, lines, blank, body])
    if odd == "cut":
        octets = octets[: draw(st.integers(0, len(octets)))]
    if odd == "noise":
        octets = draw(_with_noise(octets))
    return Response(octets, definite and odd not in _INDEFINITE)


_INDEFINITE = frozenset({"strict", *ODD_RESPONSES}) - {"nothing", "leftovers"}


@st.composite
def _with_noise(draw: st.DrawFn, octets: bytes) -> bytes:
    """Draw *octets* with a few bytes more somewhere."""
    place, noise = draw(st.integers(0, len(octets))), draw(_NOISE)
    return octets[:place] + noise.encode("latin-1") + octets[place:]


_NOISE = st.text(alphabet="HTP/1.0 25:;,\r\n\tax-\x00\x85\xa0", min_size=1, max_size=12)


@st.composite
def mutations(draw: st.DrawFn, known: Sequence[bytes]) -> bytes:
    """Draw one of *known*, changed: joined with the end of another, cut short, or with noise.

    It shrinks towards the first of *known*.
    """
    one_of_them = st.integers(0, len(known) - 1).map(known.__getitem__)
    octets = draw(one_of_them)
    change = draw(st.integers(0, 4))
    if change == 1:
        here, there = octets.splitlines(True), draw(one_of_them).splitlines(True)
        rest = there[draw(st.integers(0, len(there))) :]
        octets = b"".join([*here[: draw(st.integers(0, len(here)))], *rest])
    elif change == 2:
        octets = octets[: draw(st.integers(0, len(octets)))]
    elif change == 3:
        octets = draw(_with_noise(octets))
    elif change == 4:
        place, count = draw(st.integers(0, len(octets))), draw(st.integers(1, 4))
        octets = octets[:place] + octets[place + count :]
    return octets
