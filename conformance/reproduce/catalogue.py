"""How each case is reached: by a path, a server name, a CONNECT, or a port of its own.

The input is the corpus, and the ports of a server.  The output is an `Entry` for each case, with
its URL.  The way to a case follows from the first steps of its script alone:

==========  ========================================================================================
how         the script begins
==========  ========================================================================================
``url``     by reading: the request line can name the case
``tls``     with the handshake of a plain certificate, then by reading
``name``    with another handshake, or a broken one: the server name in the ClientHello names it
``proxy``   with a tunnel: the host of the CONNECT names it
``port``    earlier: with silence, with bytes, a reset, or a port that accepts no connection; or
            with routes, which choose by the whole target
``none``    not at all: the client does not connect
==========  ========================================================================================
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from conformance.cases import Case, Corpus
from mockserver import Read, ReadEof, ReadRequest, ReadUntil, Starttls, Step, Tunnel

How = Literal["url", "tls", "name", "proxy", "port", "none"]

_READING = (ReadRequest, Read, ReadUntil, ReadEof)
LOCALHOST = ".localhost"
"""The suffix of every server name; all such names resolve to this machine."""
_WAITING = frozenset(step.step_name for step in (*_READING, Starttls, Tunnel))
_UNSURE = frozenset({"server", "routes", "transforms"})
"""Keys of a case that may change how its script begins."""
_GOOD = frozenset({"server", "names"})
"""Certificates that a client which trusts the authority has no reason to reject."""
_HOSTS = {"names": "www.example.test"}
"""Certificates for these names; the other certificates are for the address."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a server listens.

    Args:
        host: the address.
        http: serves cases by path.
        tls: serves cases by path over TLS.
        proxy: takes CONNECT.
        control: serves control pages only.
        own: the ports of cases that have one of their own, by id.
    """

    host: str
    http: int
    tls: int
    proxy: int
    control: int
    own: Mapping[str, int] = field(default_factory=dict)

    def at(self, port: int) -> str:
        """Return host and port in the form of a URL."""
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"


DEFAULT_PORTS = Ports("127.0.0.1", http=8080, tls=8081, proxy=8082, control=8083)


@dataclass(frozen=True, slots=True)
class Entry:
    """A case, and how it is reached.

    Args:
        case: the case.
        how: the way.
        why_not: for ``none``, the reason.
    """

    case: Case
    how: How
    why_not: str = ""

    @property
    def path(self) -> str:
        """The path at which the case is served."""
        return f"/c/{self.case.id}"

    @property
    def secure(self) -> bool:
        """Whether the client uses TLS, or tries to."""
        return _tries_tls(self.case)

    def port(self, ports: Ports) -> int:
        """Return the port at which the case is served; 0 if there is none."""
        by_way = {"url": ports.http, "tls": ports.tls, "name": ports.tls, "proxy": ports.proxy}
        return ports.own.get(self.case.id, 0) if self.how == "port" else by_way.get(self.how, 0)

    def url(self, ports: Ports) -> str:
        """Return the URL of the case; through the proxy where `how` is ``proxy``."""
        scheme, port = "https" if self.secure else "http", self.port(ports)
        if self.how == "none":
            return ""
        if self.how == "proxy":
            return f"{scheme}://{self.case.id}:{443 if self.secure else 80}{self._first_target}"
        if self.how == "name":
            return f"{scheme}://{self.case.id}{LOCALHOST}:{port}{self._first_target}"
        if self.how == "tls" and (name := self.server_name):
            return f"{scheme}://{name}:{port}{self.path}"
        return (
            f"{scheme}://{ports.at(port)}{self._first_target if self.how == 'port' else self.path}"
        )

    @property
    def _first_target(self) -> str:
        """The target of the first request of a session; that of a `fetch` is ``/``."""
        session = self.case.session
        return "/" if session is None else session.exchanges[0].target or "/"

    @property
    def server_name(self) -> str:
        """The server name that the client has to send for the case; empty if none is needed."""
        first = handshake(self.case)
        if self.how == "name":
            return self.case.id + LOCALHOST
        return "" if first is None else _HOSTS.get(first.cert, "")


class Catalogue:
    """Every case with the way to it.

    Args:
        corpus: the corpus.
        only: the id of the only case, which every connection plays; None for all cases.

    Attributes:
        corpus: the corpus.
        listed: the cases of the catalogue, before they are built.
    """

    def __init__(self, corpus: Corpus, only: str | None = None) -> None:
        self.corpus = corpus
        self.digest = corpus.digest
        self.listed = [one for one in corpus.every.listed if only in (None, one.id)]
        self.entries: Mapping[str, Entry] = _Entries(corpus, only)
        self.only = None if only is None else self.entries[only]
        self._parts = corpus.parts if self.only is None else ()

    def with_own_port(self) -> Iterator[Entry]:
        """Yield the entries that need a port of their own."""
        if self.only is not None and self.only.how == "port":
            yield self.only
        for part in self._parts:
            if not _waits_for_a_client(part.raw):
                entries = (entry_of(listed.case()) for listed in part.cases)
                yield from (entry for entry in entries if entry.how == "port")


class _Entries(Mapping[str, Entry]):
    """The entries by id; each is made when it is requested, and not kept.

    Args:
        corpus: the cases.
        only: the id of the only one; None for all.
    """

    def __init__(self, corpus: Corpus, only: str | None) -> None:
        self._corpus = corpus
        self._only = only

    def __getitem__(self, name: str) -> Entry:
        case = self._corpus.case(name) if self._only in (None, name) else None
        if case is None:
            raise KeyError(name)
        return entry_of(case)

    def __iter__(self) -> Iterator[str]:
        if self._only is not None:
            return iter((self._only,))
        return (listed.id for listed in self._corpus.every.listed)

    def __len__(self) -> int:
        return len(self._corpus.every) if self._only is None else 1


def _waits_for_a_client(raw: Mapping[str, Any]) -> bool:
    """Return whether the server waits for bytes first, in all cases of a table as written.

    If so, none of these cases needs a port of its own, and none has to be built to find that out.
    """
    if not _UNSURE.isdisjoint(raw):
        return False
    connections = raw.get("connections")
    if connections is None:
        return "respond" in raw
    first = connections[0] if isinstance(connections, list) and connections else None
    steps = first.get("steps") if isinstance(first, dict) else first
    step = steps[0] if isinstance(steps, list) and steps else None
    return isinstance(step, dict) and bool(step) and step.keys() <= _WAITING


def entry_of(case: Case) -> Entry:
    """Return *case* with the way to it."""
    if is_silent(case):
        return Entry(case, "port")
    line = case.script.line
    if not line:
        return Entry(case, "none", "the client does not connect")
    return Entry(case, _way(line[0].steps, _tries_tls(case)))


def is_silent(case: Case) -> bool:
    """Return whether no connection to the case's port can be established."""
    return case.script.listener.mode in ("refuse", "connect_stall")


def _tries_tls(case: Case) -> bool:
    is_secure = case.session is not None and case.session.is_secure
    call = str(case.ops[0].message.get("call"))
    return is_secure or call.startswith("HTTPS") or handshake(case) is not None


def _way(steps: Sequence[Step], secure: bool) -> How:
    first, second = (*steps, None, None)[:2]
    if isinstance(first, Tunnel):
        return "proxy"
    if isinstance(first, Starttls):
        usual = Starttls(cert=first.cert if first.cert in _HOSTS else "server")
        return "tls" if first == usual and isinstance(second, _READING) else "name"
    if not isinstance(first, _READING):
        return "port"
    return "name" if secure else "url"


def handshake(case: Case) -> Starttls | None:
    """Return the handshake of the first connection, if it has one."""
    steps = case.script.connections[0].steps if case.script.connections else ()
    return next((step for step in steps if isinstance(step, Starttls)), None)


def curl(entry: Entry, ports: Ports) -> str:
    """Return the command that requests the case of *entry*; empty if the case is not served."""
    if entry.how == "none":
        return ""
    words = ["curl", "-i", "--http1.1", "--noproxy", "*"]
    if entry.how == "proxy":
        words[3:] = ["--proxytunnel", "--noproxy", "", "--proxy", f"http://{ports.at(ports.proxy)}"]
    if entry.server_name and entry.how != "proxy":
        address = f"{entry.server_name}:{ports.tls}:{ports.host}"
        words += ["--resolve", address]
    trust = _trust(entry, ports)
    return " ".join(filter(None, (shlex.join(words), trust, shlex.quote(entry.url(ports)))))


def _trust(entry: Entry, ports: Ports) -> str:
    """Return the option for certificates: the authority's if the case is about the certificate.

    If a valid certificate is for another name than the URL's, it is not verified.
    """
    first = handshake(entry.case)
    if first is None:
        return ""
    if first.cert in _GOOD and entry.how != "tls":
        return "--insecure"
    return f"--cacert <(curl -s http://{ports.at(ports.http)}/_/ca.pem)"
