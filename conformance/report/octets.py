r"""Octets made visible: each can be told from all others, and none acts on a terminal.

In: bytes.  Out: text of printable ASCII, with ``\r``, ``\n``, ``\t``, ``\\`` and ``\xNN`` for the
rest.
"""

_NAMES = {0x0D: "\\r", 0x0A: "\\n", 0x09: "\\t", 0x5C: "\\\\"}
_VISIBLE = tuple(
    _NAMES.get(octet, chr(octet) if 0x20 <= octet < 0x7F else f"\\x{octet:02x}")
    for octet in range(256)
)


def visible(octets: bytes) -> str:
    """Return *octets* as printable text, unambiguously."""
    return "".join(_VISIBLE[octet] for octet in octets)


def visible_text(text: str) -> str:
    """Return *text* with everything that a terminal might act on made visible."""
    return "".join(
        character
        if character.isprintable()
        else visible(character.encode("utf-8", "surrogatepass"))
        for character in text
    )


def lines(octets: bytes, width: int = 96) -> list[str]:
    """Return *octets* as visible lines, cut behind each line feed and at *width*."""
    found: list[str] = []
    for line in _split(octets):
        text = visible(line)
        found += [text[at : at + width] for at in range(0, len(text), width)]
    return found


def _split(octets: bytes) -> list[bytes]:
    """Split behind every line feed, and nowhere else: a bare CR is data."""
    parts = octets.split(b"\n")
    ended = [part + b"\n" for part in parts[:-1]]
    return ended + ([parts[-1]] if parts[-1] else [])
