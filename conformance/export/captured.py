"""The bytes that a server sent, out of a capture of the network or an archive of a browser.

The input is the content of a pcap, pcapng or HAR file. The output is the bytes of one TCP stream,
reassembled, or of one response of the archive, and what a reader has to be told about them. A file
that is damaged, or of which the bytes are not known, is refused in one line.

A HAR file has the content decoded and no framing: a response is written with the length of its
content, and without the fields that said otherwise.
"""

import base64
import json
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.wording import counted

_LINKS = {0: 4, 1: 14, 12: 0, 14: 0, 101: 0, 108: 4, 113: 16, 228: 0, 229: 0, 276: 20}
"""Bytes before the header of IP, by link type: loopback, Ethernet, raw, Linux cooked."""
_VLAN = (b"\x81\x00", b"\x88\xa8")
_TCP, _SYN, _ACK = 6, 2, 16
_SECTION, _INTERFACE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 3, 6
"""Types of the blocks of pcapng."""
_TLS = (b"\x16\x03", b"\x15\x03", b"\x17\x03")
_DECODED = ("content-encoding", "content-length", "transfer-encoding")
End = tuple[bytes, int]


class CaptureError(ValueError):
    """The file cannot be used; the message is one line."""


@dataclass
class _Stream:
    """One TCP connection: the segments of each end, by their sequence numbers."""

    server: End | None = None
    first: dict[End, int] = field(default_factory=dict)
    segments: dict[End, list[tuple[int, bytes]]] = field(default_factory=dict)


def of_capture(data: bytes, number: int | None = None) -> tuple[bytes, str]:
    """Return what the server sent in a stream of the capture *data*, and an empty text.

    Args:
        data: the content of a pcap or pcapng file.
        number: which of the streams that have bytes of a server, from 1; None for the only one.

    Raises:
        CaptureError: it is not a capture, or does not have these bytes as a whole.
    """
    try:
        found = [sent for one in _streams(_frames(data)) if (sent := _server_bytes(one))]
    except (struct.error, IndexError):
        raise CaptureError("the capture is cut short, or damaged") from None
    octets = _chosen(found, number, "TCP stream")
    if octets[:2] in _TLS:
        raise CaptureError("the stream is encrypted by TLS; capture it in clear")
    return octets, ""


def of_archive(data: bytes, number: int | None = None) -> tuple[bytes, str]:
    """Return a response of the HAR file *data*, and what was changed in it.

    Args:
        data: the content of the file.
        number: which entry, from 1; None for the only one.

    Raises:
        CaptureError: it is not a HAR file, or has no such response.
    """
    try:
        entries = json.loads(data)["log"]["entries"]
        if not isinstance(entries, list):
            raise TypeError
    except (ValueError, TypeError, KeyError, RecursionError):
        raise CaptureError("not a HAR file, which is JSON with log.entries") from None
    entry = _chosen(entries, number, "entry", "entries")
    try:
        return _response(entry["response"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CaptureError(f"an entry is not one of HAR: {type(error).__name__}: {error}") from None


def _chosen(found: Sequence[Any], number: int | None, noun: str, plural: str = "") -> Any:
    if not found:
        raise CaptureError(f"there is no {noun} with bytes of a server")
    if number is None and len(found) > 1:
        many = counted(len(found), noun, plural)
        raise CaptureError(f"there are {many}; choose one with --entry 1 to {len(found)}")
    if not 1 <= (number or 1) <= len(found):
        raise CaptureError(f"there is no {noun} {number}; there are {len(found)}")
    return found[(number or 1) - 1]


# Captures.


def _frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each frame of a capture, after its link type."""
    magic = data[:4]
    if magic == struct.pack("<I", _SECTION):
        yield from _blocks(data)
        return
    for order in "<>":
        if magic in (struct.pack(f"{order}I", one) for one in (0xA1B2C3D4, 0xA1B23C4D)):
            (link,) = struct.unpack_from(f"{order}I", data, 20)
            at = 24
            while at < len(data):
                (size,) = struct.unpack_from(f"{order}I", data, at + 8)
                yield link & 0xFFFF, _part(data, at + 16, size)
                at += 16 + size
            return
    raise CaptureError("not a capture: it begins neither as pcap nor as pcapng does")


def _blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    order, at, links = "<", 0, list[int]()
    while at < len(data):
        if data[at : at + 4] == data[:4]:
            order = "<" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            links = []
        kind, size = struct.unpack_from(f"{order}II", data, at)
        if size < 12:
            raise IndexError
        if kind == _INTERFACE:
            links += struct.unpack_from(f"{order}H", data, at + 8)
        elif kind == _ENHANCED:
            number, length = struct.unpack_from(f"{order}I8xI", data, at + 8)
            yield links[number], _part(data, at + 28, length)
        elif kind == _SIMPLE:
            (whole,) = struct.unpack_from(f"{order}I", data, at + 8)
            yield links[0], _part(data, at + 12, min(whole, size - 16))
        at += size


def _part(data: bytes, start: int, size: int) -> bytes:
    if start + size > len(data):
        raise IndexError
    return data[start : start + size]


def _streams(frames: Iterator[tuple[int, bytes]]) -> list[_Stream]:
    """Return the TCP connections in *frames*, in the order in which they begin."""
    found: list[_Stream] = []
    current: dict[frozenset[End], _Stream] = {}
    for link, frame in frames:
        if link not in _LINKS:
            raise CaptureError(f"link type {link} is not known; capture Ethernet, loopback or IP")
        segment = _segment(link, frame)
        if segment is None:
            continue
        source, target, number, flags, content = segment
        ends = frozenset((source, target))
        if ends not in current or (flags & (_SYN | _ACK) == _SYN and current[ends].segments):
            current[ends] = _Stream()
            found.append(current[ends])
        stream = current[ends]
        if flags & _SYN:
            stream.server = source if flags & _ACK else target
            stream.first[source] = number + 1
        elif content:
            stream.server = stream.server or (source if content[:5] == b"HTTP/" else target)
            stream.segments.setdefault(source, []).append((number, content))
    return found


def _segment(link: int, frame: bytes) -> tuple[End, End, int, int, bytes] | None:
    """Return source, target, sequence number, flags and content of a TCP segment; None if none."""
    at = _LINKS[link]
    while link == 1 and frame[at - 2 : at] in _VLAN:
        at += 4
    packet = frame[at:]
    if not packet or packet[0] >> 4 not in (4, 6):
        return None
    if packet[0] >> 4 == 4:
        head, size, kind = (packet[0] & 15) * 4, *struct.unpack_from("!H5xB", packet, 2)
        source, target = packet[12:16], packet[16:20]
        if kind == _TCP and struct.unpack_from("!H", packet, 6)[0] & 0x3FFF:
            raise CaptureError("a packet of the stream is a fragment of IP, which is not supported")
    else:
        size, kind = struct.unpack_from("!HB", packet, 4)
        head, size, source, target = 40, size + 40, packet[8:24], packet[24:40]
    if kind != _TCP:
        return None
    if len(packet) < (size or len(packet)):
        raise CaptureError("the capture has the beginnings of packets only; capture them whole")
    tcp = packet[head : size or None]  # 0: the network card has cut it into segments later
    ports = struct.unpack_from("!HH", tcp)
    (number,) = struct.unpack_from("!I", tcp, 4)
    return (source, ports[0]), (target, ports[1]), number, tcp[13], tcp[(tcp[12] >> 4) * 4 :]


def _server_bytes(stream: _Stream) -> bytes:
    """Return what the server sent in *stream*, each byte once and in order."""
    server = stream.server
    if server is None or server not in stream.segments:
        return b""
    numbers = [number for number, _ in stream.segments[server]]
    # Without the beginning of the connection, the lowest number is the first.
    first = stream.first.get(server, numbers[0])
    if server not in stream.first:
        first += min(_distance(first, number) for number in numbers)
    placed = sorted((_distance(first, number), data) for number, data in stream.segments[server])
    made = bytearray()
    for at, data in placed:
        if at > len(made):
            raise CaptureError(f"bytes {len(made)} to {at - 1} of the server are not in it")
        made += data[len(made) - at :]
    return bytes(made)


def _distance(first: int, number: int) -> int:
    """Return how far *number* is after *first*, both modulo 2**32."""
    return ((number - first + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


# Archives.


def _response(given: dict[str, Any]) -> tuple[bytes, str]:
    status = int(given["status"])
    if not status:
        raise CaptureError("the entry has no response, only an error")
    content = given.get("content") or {}
    text = content.get("text") or ""
    is_base64 = content.get("encoding") == "base64"
    body = base64.b64decode(text, validate=True) if is_base64 else text.encode()
    # A browser joins field lines of one name by line ends, and names of HTTP/2 begin with a colon.
    fields = [(one["name"], part) for one in given["headers"] for part in one["value"].split("\n")]
    kept = [one for one in fields if one[0].lower() not in _DECODED and one[0][:1] != ":"]
    if body or status not in (204, 304):
        kept.append(("Content-Length", str(len(body))))
    lines = [f"HTTP/1.1 {status} {given.get('statusText') or ''}"]
    lines += [f"{name}: {value}" for name, value in kept]
    note = "the archive has content without framing: it is sent with Content-Length"
    if left := sorted({name.lower() for name, _ in fields} & {*_DECODED}):
        note += f", in place of {', '.join(left)}"
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body, note


READERS: dict[str, Callable[[bytes, int | None], tuple[bytes, str]]] = {
    ".pcap": of_capture,
    ".pcapng": of_capture,
    ".har": of_archive,
}
"""What reads a file, by its suffix."""
