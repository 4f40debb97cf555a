"""Text to reproduce a case by hand, in four forms.

The input is an entry of the catalogue, and the ports of a server.  The output is text to paste.

``curl``     a command for use with ``httplib-kit serve``
``raw``      a shell command that prints the bytes that the server sends
``python``   a few lines with the reference implementation, for ``httplib-kit serve CASE``
``script``   one file with server and client, for a bug report; the standard library only
"""

import base64
from collections.abc import Iterator

from conformance.cases import sent_octets
from conformance.reproduce.catalogue import DEFAULT_PORTS, Entry, Ports, curl
from conformance.reproduce.code import NotReproducible
from conformance.reproduce.programs import script, snippet
from mockserver import Connection, Route

FORMS = ("curl", "raw", "python", "script")
_LONGEST_PRINTF = 4096
_PRINTED = {octet: f"\\{octet:03o}" for octet in range(256) if not 0x20 <= octet < 0x7F}
_PRINTED |= {0x0D: "\\r", 0x0A: "\\n", 0x09: "\\t", 0x5C: "\\\\", 0x25: "%%", 0x27: "\\047"}


def reproduce(entry: Entry, form: str, ports: Ports = DEFAULT_PORTS) -> str:
    """Return *form* of the case, ended by a line end.

    Raises:
        NotReproducible: the case cannot be written in this form; the message gives the reason.
    """
    if form == "curl":
        return _command(entry, ports)
    if form == "raw":
        return "".join(_raw(entry))
    return snippet(entry, ports) if form == "python" else script(entry)


def _command(entry: Entry, ports: Ports) -> str:
    if entry.how == "none":
        raise NotReproducible(entry.why_not)
    if entry.how == "port":
        cases = f"http://{ports.at(ports.http)}/_/cases.json"
        raise NotReproducible(f"its port is chosen by the server; {cases} lists it")
    return f"{curl(entry, ports)}\n"


def _raw(entry: Entry) -> Iterator[str]:
    whole = entry.case.script
    parts: list[tuple[str, Connection | Route]] = [
        *((f"connection {number}", one) for number, one in enumerate(whole.connections, 1)),
        *((f"route {number}", one) for number, one in enumerate(whole.routes, 1)),
    ]
    if not parts:
        raise NotReproducible("the server sends nothing")
    for name, part in parts:
        yield f"# {name}\n" if len(parts) > 1 else ""
        yield f"{shell_octets(sent_octets(part))}\n"


def shell_octets(octets: bytes) -> str:
    r"""Return a command that prints *octets*.

    >>> print(shell_octets(b"100%\r\n"))
    printf '100%%\r\n'
    """
    if len(octets) > _LONGEST_PRINTF:
        return f"base64 -d <<'END'\n{base64.encodebytes(octets).decode('ascii')}END"
    return f"printf '{octets.decode('latin-1').translate(_PRINTED)}'"
