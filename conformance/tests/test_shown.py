"""Octets shown are octets sent: what `show` tells of a case, beside the transcript of its run.

Of each kind of script and of bytes, one case is played once against the reference.  For each
connection the octets that `show` prints are read back from its lines and held against those that
the server's record has: all of them where the script was played to its end, those before an
optional read where the client ended in it, and their beginning where the client had gone before.
"""

import re
from collections.abc import Iterator

import pytest

from certs import CertificateAuthority
from conformance.cases import Case
from conformance.cases.twins import sent_octets
from conformance.cli.show import script_lines
from conformance.drivers import target
from conformance.tests.support import EVERY, RecordingRunner, each_kind_once, played_whole
from mockserver import Dispatch, Fill, Garbage, Goto, Record

FAMILIES = sorted({case.family for case in EVERY if case.profile == "httplib"})
_TOLD_BY_ARGUMENTS = (Dispatch, Fill, Garbage, Goto)
"""Steps whose octets `show` does not print: bulk, loops, and what a route answers."""
_ROLE = 4 + 15 + 2
"""Characters before the octets in a line of `show`."""
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|[rnt\\])")
_OCTETS = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}


@pytest.fixture(scope="module")
def authority() -> CertificateAuthority:
    return CertificateAuthority()


def shown(case: Case) -> list[str]:
    """Return for each connection the octets that `show` prints, as text of Latin-1."""
    found: list[list[str]] = []
    inside = False
    for line in (text.plain for text in script_lines(case)):
        if line.startswith("server, connection"):
            found.append([])
            inside = True
        elif line.startswith("server, route"):
            inside = False
        elif inside and line.startswith("    "):
            found[-1].append(line[_ROLE:])
    return [_ESCAPE.sub(_octet, "".join(lines)) for lines in found]


def _octet(escape: re.Match[str]) -> str:
    name = escape[1]
    return chr(int(name[1:], 16)) if name[0] == "x" and len(name) == 3 else _OCTETS[name]


def sent(record: Record) -> Iterator[tuple[str, bool]]:
    """Yield for each connection the octets that steps wrote, and whether all steps were played."""
    for connection in record.connections:
        octets = [
            event.data for event in connection.events if event.direction == ">" and event.step >= 0
        ]
        yield b"".join(octets).decode("latin-1"), not connection.unplayed


def written(case: Case) -> object:
    """The bytes of *case* that are not printed unchanged; those beyond ASCII are one kind."""
    octets = b"".join(sent_octets(one) for one in case.script.connections)
    unlike = {one for one in octets if one == 0x5C or not 0x20 <= one < 0x7F}
    return frozenset(min(one, 0x80) for one in unlike)


@pytest.mark.parametrize("family", FAMILIES)
def test_octets_shown_are_octets_sent(family: str, authority: CertificateAuthority) -> None:
    every = [case for case in EVERY if (case.family, case.profile) == (family, "httplib")]
    cases = each_kind_once(every, written)
    with RecordingRunner(target("httplib_impl"), authority) as runner:
        for _ in runner.run(cases):
            pass
        records = runner.records
    differing = [case.id for case in cases if case.id in records and differs(case, records)]
    assert not differing
    assert len(records) >= len(cases) - 2


def differs(case: Case, records: dict[str, Record]) -> bool:
    told_octets = shown(case)
    steps = [step for connection in case.script.connections for step in connection.steps]
    if any(isinstance(step, _TOLD_BY_ARGUMENTS) for step in steps):
        return False
    script = zip(told_octets, case.script.connections, strict=True)
    for (octets, connection), (played, whole) in zip(script, sent(records[case.id]), strict=False):
        if not octets.startswith(played):
            return True
        if octets != played and whole and played.encode("latin-1") not in played_whole(connection):
            return True
    return False
