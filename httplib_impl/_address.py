"""Where to connect: the host text and the port of a constructor, read before anything is dialled.

The arguments of the caller come in; a host without brackets and a port from 0 to 65535 go out, and
from these the form that is written on the wire. No name is resolved here.
"""

from __future__ import annotations

from ._exceptions import InvalidURL
from ._grammar import NOT_IN_HOST


def parse_address(host: str, port: int | str | None, default_port: int) -> tuple[str, int]:
    """Split the host text, unless a port argument says that it carries no port.

    >>> parse_address("example.com:8080", None, 80)
    ('example.com', 8080)
    >>> parse_address("[::1]", 8080, 80)
    ('::1', 8080)

    Args:
        host: a name, an IPv4 address, or an IPv6 address, which needs brackets before a port.
        port: None to look for a port in the host text, else 0 to 65535, also as digits.
        default_port: the port where neither gives one.

    Raises:
        InvalidURL: the port is empty or no number in range, or the host has characters that
            would break a line or cannot be an internationalised name.
    """
    bad = NOT_IN_HOST.search(host)
    if bad:
        raise InvalidURL(f"host {host!r} contains {bad.group()!r}")
    colon = host.rfind(":")
    if port is None and colon > host.rfind("]"):  # those inside brackets belong to the address
        host, port = host[:colon], host[colon + 1 :]
    number = _port_number(default_port if port is None else port)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    return _ascii_host(host), number


def _port_number(port: int | str) -> int:
    if isinstance(port, str) and port.isascii() and port.isdigit():
        # The limit keeps a port of a million digits away from int().
        port = int(port.lstrip("0")[:6] or "0")
    if type(port) is int and 0 <= port <= 65535:
        return port
    raise InvalidURL(f"nonnumeric port: {port!r}")


def _ascii_host(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise InvalidURL(f"host {host!r} is not a name: {error}") from None


def written(host: str) -> str:
    """The host as it stands before a port on the wire: an IPv6 address has two colons or more.

    >>> written("::1"), written("name:80")
    ('[::1]', 'name:80')
    """
    return f"[{host}]" if host.count(":") > 1 else host


def authority(host: str, port: int, default_port: int) -> str:
    """The value of a Host field: the default port is left out.

    >>> authority("::1", 8080, 80)
    '[::1]:8080'
    """
    if ":" in host:  # 2.7: here one colon is enough
        host = f"[{host}]"
    return host if port == default_port else f"{host}:{port}"
