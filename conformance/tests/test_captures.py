"""Captures, both ways, with dpkt at the other end, and archives of browsers."""

import io
import json
import socket
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dpkt
import pytest
from click.testing import CliRunner

from conformance.cases import load_corpus
from conformance.cli import main
from conformance.drivers import target
from conformance.export import READERS, CaptureError, pcap, played

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello, world"
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
CLIENT, SERVER = (b"\x0a\0\0\1", 4000), (b"\x0a\0\0\2", 80)
SYN, ACK, PSH = 2, 16, 24
Segment = tuple[bool, int, int, bytes]
"""Whether the server sent it, its sequence number, flags and content."""
STREAM: list[Segment] = [
    (False, 99, SYN, b""),
    (True, 499, SYN | ACK, b""),
    (False, 100, PSH, REQUEST),
    (True, 500, PSH, RESPONSE[:20]),
    (True, 520, PSH, RESPONSE[20:]),
]


# What we write, read by dpkt.


def conversation(data: bytes) -> tuple[dict[bool, bytes], list[int], set[bytes]]:
    """Return what each end sent, as dpkt reads it, the flags of each packet, and the addresses."""
    sent, flags, hosts = {False: b"", True: b""}, [], set()
    numbers: dict[tuple[int, int], int] = {}
    reader = dpkt.pcap.Reader(io.BytesIO(data))
    assert reader.datalink() == 101  # LINKTYPE_RAW of tcpdump.org: IPv4 or IPv6
    for _, frame in reader:
        packet = (dpkt.ip6.IP6 if frame[0] >> 4 == 6 else dpkt.ip.IP)(frame)
        tcp = packet.data
        carried, tcp.sum = tcp.sum, 0  # dpkt computes the checksums anew
        if frame[0] >> 4 == 4:
            packet.sum = 0
        assert bytes(packet) == frame
        assert carried == type(packet)(bytes(packet)).data.sum
        is_server = tcp.sport == 8080
        key = (tcp.sport, tcp.dport)
        assert numbers.setdefault(key, tcp.seq) == tcp.seq
        numbers[key] += len(tcp.data) + bool(tcp.flags & (SYN | 1))
        if tcp.flags & ACK:
            assert tcp.ack == numbers[key[::-1]]
        sent[is_server] += tcp.data
        flags.append(tcp.flags)
        hosts |= {packet.src, packet.dst}
    return sent, flags, hosts


def capture_of(name: str, written: str = "httplib_impl") -> bytes:
    case = load_corpus().case(name)
    assert case is not None
    return pcap(played(case, target(written)))


def test_a_capture_has_what_both_ends_sent() -> None:
    sent, flags, hosts = conversation(capture_of("chunked.two-chunks"))
    assert sent[True].startswith(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello")
    assert sent[False].startswith(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n")
    assert flags[:3] == [SYN, SYN | ACK, ACK]
    assert flags.count(ACK | 1) == 1  # the server ends its stream; the client keeps its own
    assert hosts == {bytes([127, 0, 0, 1])}


def test_a_capture_is_the_same_each_time() -> None:
    assert capture_of("chunked.two-chunks") == capture_of("chunked.two-chunks")


def test_a_client_that_closes_ends_its_stream_too() -> None:
    _, flags, _ = conversation(capture_of("framing.to-the-end.empty"))
    assert flags.count(ACK | 1) == 2


def test_a_reset_is_a_reset() -> None:
    _, flags, _ = conversation(capture_of("faults.early-response.reset"))
    assert any(one & 4 for one in flags)


def test_a_session_is_played_by_a_client_and_over_a_megabyte_whole() -> None:
    data = capture_of("session.kept.two-uploads.post", "client:httplib:httplib_impl")
    sent, _, _ = conversation(data)
    assert sent[False].count(b"0123456789abcdef") == 1 << 16
    assert sent[True].endswith(b"second")


def test_a_capture_of_ipv6_is_one() -> None:
    listed = load_corpus().every.where(lambda one: one.table.get("server", {}).get("host") == "::1")
    name = listed.listed[0].id
    _, _, hosts = conversation(capture_of(name))
    assert hosts == {socket.inet_pton(socket.AF_INET6, "::1")}


def test_what_the_kit_writes_it_reads(tmp_path: Path) -> None:
    file = tmp_path / "one.pcap"
    result = CliRunner().invoke(main, ["export", "--pcap", "chunked.two-chunks", "-o", str(file)])
    assert result.output == ""
    result = CliRunner().invoke(main, ["try", str(file)])
    assert "response.read()           'helloworld'" in result.output


# What dpkt writes, read by us.


def frame(segment: Segment, form: str) -> bytes:
    by_server, number, flags, data = segment
    source, target = (SERVER, CLIENT) if by_server else (CLIENT, SERVER)
    tcp = dpkt.tcp.TCP(
        sport=source[1], dport=target[1], seq=number & 0xFFFFFFFF, flags=flags, data=data
    )
    if form == "ipv6":
        packet = dpkt.ip6.IP6(src=source[0] * 4, dst=target[0] * 4, nxt=6, hlim=64, data=tcp)
        packet.plen = len(tcp)
        return bytes(dpkt.ethernet.Ethernet(data=packet, type=0x86DD))
    packet = dpkt.ip.IP(src=source[0], dst=target[0], p=6, data=tcp)
    packet.len = len(packet)
    if form == "raw":
        return bytes(packet)
    if form == "vlan":
        return b"\0" * 12 + b"\x81\x00\0\1" + b"\x08\x00" + bytes(packet)
    if form == "cooked":
        return b"\0" * 14 + b"\x08\x00" + bytes(packet)
    return bytes(dpkt.ethernet.Ethernet(data=packet)) + b"\0\0\0\0"  # padded, as short frames are


LINKS = {"raw": 101, "cooked": 113}


def written(segments: Iterable[Segment], form: str = "ethernet", *, ng: bool = False) -> bytes:
    file = io.BytesIO()
    link = LINKS.get(form, 1)
    if ng:
        writer = dpkt.pcapng.Writer(file, linktype=link)
    else:
        writer = dpkt.pcap.Writer(file, linktype=link)
    for index, one in enumerate(segments):
        writer.writepkt(frame(one, form), ts=float(index))
    return file.getvalue()


def read(data: bytes, number: int | None = None, suffix: str = ".pcap") -> bytes:
    return READERS[suffix](data, number)[0]


@pytest.mark.parametrize("ng", [False, True], ids=["pcap", "pcapng"])
@pytest.mark.parametrize("form", ["ethernet", "raw", "vlan", "cooked", "ipv6"])
def test_a_capture_that_dpkt_wrote_is_read(form: str, ng: bool) -> None:
    assert read(written(STREAM, form, ng=ng)) == RESPONSE


def test_a_capture_of_another_byte_order_is_read() -> None:
    frames = [frame(one, "raw") for one in STREAM]
    head = struct.pack(">IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 1 << 16, 101)
    data = head + b"".join(struct.pack(">IIII", 0, 0, len(one), len(one)) + one for one in frames)
    assert read(data) == RESPONSE


@pytest.mark.parametrize(
    "segments",
    [
        pytest.param([*STREAM[:3], STREAM[4], STREAM[3]], id="out-of-order"),
        pytest.param([*STREAM, STREAM[3], STREAM[4]], id="sent-again"),
        pytest.param([*STREAM[:4], (True, 510, PSH, RESPONSE[10:])], id="overlap"),
        pytest.param(STREAM[2:], id="without-beginning"),
        pytest.param([STREAM[4], STREAM[3]], id="without-beginning-and-out-of-order"),
        pytest.param([*STREAM[:4], (True, 519, ACK, RESPONSE[19:20]), STREAM[4]], id="keep-alive"),
        pytest.param(
            [
                (one, number + ((1 << 32) - 510 if one else 0), *rest)
                for one, number, *rest in STREAM
            ],
            id="numbers-begin-again",
        ),
    ],
)
def test_a_stream_is_put_together(segments: list[Segment]) -> None:
    if segments[0][3][:4] != b"GET " and segments[0] == STREAM[4]:
        segments = [(False, 100, PSH, REQUEST), *segments]
    assert read(written(segments)) == RESPONSE


def moved(segments: Iterable[Segment], by: int) -> list[Segment]:
    return [(one, number + by, flags, data) for one, number, flags, data in segments]


def test_one_of_several_streams_is_chosen() -> None:
    other = [(*one[:3], one[3].replace(b"world", b"again")) for one in moved(STREAM, 9000)]
    data = written([*STREAM, *other])
    with pytest.raises(
        CaptureError, match=r"there are 2 TCP streams; choose one with --entry 1 to 2"
    ):
        read(data)
    assert read(data, 1) == RESPONSE
    assert read(data, 2) == RESPONSE.replace(b"world", b"again")
    with pytest.raises(CaptureError, match="there is no TCP stream 3; there are 2"):
        read(data, 3)


def fragment() -> bytes:
    whole = bytearray(written(STREAM, "raw"))
    whole[24 + 16 + 6] |= 0x20
    return bytes(whole)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "not a capture"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "not a capture"),
        (written(STREAM)[:-30], "cut short, or damaged"),
        (written(STREAM, ng=True)[:-30], "cut short, or damaged"),
        (b"\x0a\x0d\x0d\x0a" + b"\0" * 60, "cut short, or damaged"),
        (written(STREAM[:3]), "no TCP stream with bytes of a server"),
        (written([*STREAM[:3], STREAM[4]]), "bytes 0 to 19 of the server are not in it"),
        (written([*STREAM[:3], (True, 500, PSH, b"\x16\x03\x03\0")]), "encrypted by TLS"),
        (written(STREAM).replace(b"\x01\0\0\0", b"\x93\0\0\0", 1), "link type 147 is not known"),
        (fragment(), "a fragment of IP"),
    ],
)
def test_a_damaged_capture_is_refused_in_one_line(data: bytes, text: str) -> None:
    with pytest.raises(CaptureError, match=text) as refused:
        read(data)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("ng", [False, True], ids=["pcap", "pcapng"])
def test_a_capture_that_is_cut_anywhere_is_refused_or_read(ng: bool) -> None:
    data = written(STREAM, ng=ng)
    for end in range(len(data)):
        try:
            assert RESPONSE.startswith(read(data[:end]))
        except CaptureError:
            continue


def test_beginnings_of_packets_are_refused() -> None:
    frames = [frame(one, "raw")[:50] for one in STREAM]
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 50, 101)
    data = head + b"".join(struct.pack("<IIII", 0, 0, len(one), 400) + one for one in frames)
    with pytest.raises(CaptureError, match="the beginnings of packets only"):
        read(data)


# Archives.


def archive(*responses: Any) -> bytes:
    return json.dumps({"log": {"entries": [{"response": one} for one in responses]}}).encode()


def response(**content: Any) -> dict[str, Any]:
    fields = [
        {"name": ":status", "value": "200"},
        {"name": "Content-Encoding", "value": "gzip"},
        {"name": "Set-Cookie", "value": "a=1\nb=2"},
    ]
    return {"status": 200, "statusText": "OK", "headers": fields, "content": content}


HEAD = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: %d\r\n\r\n"


@pytest.mark.parametrize(
    ("content", "body"),
    [
        ({"text": "hello"}, b"hello"),
        ({"text": "\u00e9"}, b"\xc3\xa9"),
        ({"text": "AP8=", "encoding": "base64"}, b"\0\xff"),
        ({}, b""),
    ],
)
def test_a_response_of_an_archive_is_written_with_a_length(
    content: dict[str, Any], body: bytes
) -> None:
    octets, note = READERS[".har"](archive(response(**content)), None)
    assert octets == HEAD % len(body) + body
    assert note.endswith("with Content-Length, in place of content-encoding")


def test_one_of_several_entries_is_chosen() -> None:
    data = archive(response(text="1"), response(text="2"))
    assert read(data, 2, ".har").endswith(b"\r\n\r\n2")
    with pytest.raises(CaptureError, match=r"there are 2 entries; choose one with --entry 1 to 2"):
        read(data, None, ".har")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "not a HAR file"),
        (b"[]", "not a HAR file"),
        (b'{"log": {"entries": {}}}', "not a HAR file"),
        (b"[" * 100_000, "not a HAR file"),
        (archive(), "there is no entry"),
        (archive(None), "an entry is not one of HAR"),
        (archive({"status": 200}), "an entry is not one of HAR: KeyError: 'headers'"),
        (archive({"status": 0, "headers": []}), "the entry has no response, only an error"),
        (archive(response(text="a", encoding="base64")), "an entry is not one of HAR"),
        (archive({"status": 200, "headers": [1]}), "an entry is not one of HAR"),
    ],
)
def test_a_damaged_archive_is_refused_in_one_line(data: bytes, text: str) -> None:
    with pytest.raises(CaptureError, match=text) as refused:
        read(data, None, ".har")
    assert "\n" not in str(refused.value)


def trying(file: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["try", str(file), *arguments])
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("name", "data", "arguments", "code", "text"),
    [
        ("a.har", archive(response(text="hello")), (), 0, "response.read()           'hello'"),
        ("a.HAR", archive(response(text="hello")), ("--entry", "1"), 0, "'hello'"),
        ("a.pcapng", written(STREAM, ng=True), (), 0, "'hello, world'"),
        ("a.pcap", b"no", (), 2, "a.pcap: not a capture: it begins neither as pcap nor as pcapng"),
        ("a.http", RESPONSE, ("--entry", "1"), 2, "a.http is sent as a whole"),
    ],
)
def test_try_sends_what_a_server_sent(
    tmp_path: Path, name: str, data: bytes, arguments: Iterable[str], code: int, text: str
) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    found, output = trying(file, *arguments)
    assert (found, text in output) == (code, True), output
