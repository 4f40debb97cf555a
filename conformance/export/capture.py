"""A capture of a play: what went over each connection, as a pcap file that network tools open.

The input is a case, and an implementation that plays it. The output is the content of the file.
Packets are made from the record of the mock server, so no privilege is needed; the bytes and their
order are those of the play, while times, ports and acknowledgements are invented and always the
same. Inside TLS the record has the application's bytes, and so has the capture.

The two formats are a few fixed fields, so they are packed here and not by a library: scapy and dpkt
would be a dependency of every installation for forty lines. Tests read the files with dpkt.
"""

import itertools
import struct
from dataclasses import dataclass, field
from ipaddress import ip_address

from certs import CertificateAuthority
from conformance.cases import AddressHole, Case
from conformance.drivers import Implementation
from conformance.judge import ConnectionFacts, Observation
from conformance.run import Runner
from mockserver import FIN_SENT, RST_SENT, ConnectionRecord

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
_ENDS = {FIN_SENT: FIN | ACK, RST_SENT: RST | ACK}
RAW_IP = 101
"""The link type of packets that begin with the header of IP."""
_MAGIC = 0xA1B2C3D4
_PORT, _FIRST = 8080, 50001
"""The port of the server, and that of the first connection's client."""
_SEGMENT = 1460
"""Bytes of a segment on Ethernet."""
_TCP = 6


class NotPlayed(ValueError):
    """The implementation cannot play the case; the message is one line."""


def played(case: Case, one: Implementation) -> Observation:
    """Return what is seen when *one* plays *case*.

    Raises:
        NotPlayed: nothing was seen.
        DriverError: *one* cannot be started.
    """
    seen: list[Observation] = []
    runner = Runner(one, CertificateAuthority(), witness=lambda _, what: seen.append(what))
    try:
        result = runner.run_case(case)
    finally:
        runner.close()
    if not seen:
        why = f"{result.verdict} {result.reason}".rstrip()
        raise NotPlayed(f"{case.id}: {one.written} does not play it: {why}")
    return seen[-1]


def pcap(seen: Observation) -> bytes:
    """Return the content of a pcap file of the connections in *seen*."""
    head = struct.pack("<IHHiIII", _MAGIC, 2, 4, 0, 0, 1 << 18, RAW_IP)
    old, new = (_authority(seen.host, port) for port in (seen.port, _PORT))
    return head + b"".join(
        _Connection(seen.host, index).packets(one, old, new)
        for index, one in enumerate(seen.connections)
    )


@dataclass
class _Connection:
    """The packets of one connection.

    Args:
        host: the address of both ends.
        index: its number, from 0.
    """

    host: str
    index: int
    made: list[bytes] = field(default_factory=list)
    sent: dict[bool, int] = field(default_factory=lambda: {False: 1000, True: 2000})
    """The next sequence number of the client (False) and the server (True)."""

    def packets(self, one: ConnectionFacts, old: bytes, new: bytes) -> bytes:
        """Return the packets of *one*, in which the address *old* of the server becomes *new*."""
        self._send(False, SYN)
        self._send(True, SYN | ACK)
        self._send(False, ACK)
        events = one.events if isinstance(one, ConnectionRecord) else ()
        for (direction, _, note), group in itertools.groupby(
            events, lambda event: (event.direction, event.step, event.direction == "note" and event)
        ):
            data = b"".join(event.data for event in group).replace(old, new)
            for start in range(0, len(data), _SEGMENT):
                self._send(direction == ">", PSH | ACK, data[start : start + _SEGMENT])
            if data:
                self._send(direction != ">", ACK)
            if note and note.role in _ENDS:
                self._send(True, _ENDS[note.role])
        if one.after == "closed":
            self._send(False, FIN | ACK)
            self._send(True, ACK)
        return b"".join(self.made)

    def _send(self, by_server: bool, flags: int, data: bytes = b"") -> None:
        ports = [_FIRST + self.index, _PORT]
        seen = self.sent[not by_server] if flags & ACK else 0
        source, target = ports[::-1] if by_server else ports
        numbers = self.sent[by_server], seen, 5 << 4, flags, 65535
        address = ip_address(self.host).packed
        pseudo = address * 2 + struct.pack("!II", 20 + len(data), _TCP)
        bare = struct.pack("!HHIIBBHHH", source, target, *numbers, 0, 0)
        checksum = struct.pack("!H", _checksum(pseudo + bare + data))
        packet = _ip(address, bare[:16] + checksum + bare[18:] + data)
        micros = len(self.made) * 1000
        self.made.append(
            struct.pack("<IIII", self.index, micros, len(packet), len(packet)) + packet
        )
        self.sent[by_server] += len(data) + bool(flags & (SYN | FIN))


def _authority(host: str, port: int) -> bytes:
    return AddressHole("server").text(host, port).encode()


def _ip(address: bytes, content: bytes) -> bytes:
    """Return a packet of IPv4 or IPv6 from *address* to itself."""
    if len(address) == 16:
        return struct.pack("!IHBB", 6 << 28, len(content), _TCP, 64) + address * 2 + content
    fields = 0x45, 0, 20 + len(content), 0, 0, 64, _TCP
    bare = struct.pack("!BBHHHBBH", *fields, 0) + address * 2
    return bare[:10] + struct.pack("!H", _checksum(bare)) + bare[12:] + content


def _checksum(data: bytes) -> int:
    """Return the checksum of the internet protocols (RFC 1071)."""
    words = struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2))
    total: int = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
