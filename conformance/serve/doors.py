"""Selects what is played on an accepted connection.

The input is an accepted connection, and the port that accepted it.  The output is what the client
requests there, played on the connection: a case, a made response, or a page.  Each door reads only
what selects its reply: a path, a server name, or the host of a CONNECT.  A case with a port of its
own needs none of these.
"""

import ssl
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from certs import SERVER_CERTIFICATES, CertificateAuthority
from conformance.cases import Case
from conformance.reproduce import LOCALHOST, Catalogue, Entry, Ports
from conformance.serve.api import PLAYS, PlaysApi
from conformance.serve.chain import PREFIX, BadTarget, grammar
from conformance.serve.facts import echo
from conformance.serve.pages import CONTROL, PLAYGROUND, Pages
from conformance.serve.parametric import made
from conformance.serve.playground import Playground
from conformance.serve.request_line import Wanted, wanted
from conformance.serve.rounds import Rounds, Visit
from conformance.serve.visits import JUDGE, Visits
from mockserver import (
    Close,
    EndOfStream,
    GivenConnection,
    Limits,
    Reply,
    Script,
    Starttls,
    Step,
    WritingStep,
)

_CERTIFICATES = frozenset(SERVER_CERTIFICATES)
_HELLO = 0x16
"""The first byte of a TLS handshake; no request begins with it."""
_FORM = 1 << 16
"""Bytes of a request that begins a visit."""
_LONGEST_HEAD = 1 << 16
"""The most bytes of a request for a play, without its script."""
_NO_CASE = 404, "nothing is served here; /_/ lists what there is, and /c/ how to make a response"
_HTTP = ("http/1.1",)
"""What is spoken inside TLS, for clients that ask."""


class Doors:
    """The doors: one function for each way to request a case or a page.

    Args:
        catalogue: the cases.
        ports: where the server listens.
        authority: makes the certificates.
        limits: those of each connection.
        api: the plays; None for none.
        playground: the page on which bytes are edited and played; None for none.
        visits: the judge of visiting browsers; None for none.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        ports: Ports,
        authority: CertificateAuthority,
        limits: Limits,
        api: PlaysApi | None = None,
        playground: Playground | None = None,
        visits: Visits | None = None,
    ) -> None:
        self.rounds = Rounds((ports.host, ports.http), self._contexts)
        self._catalogue = catalogue
        self._authority = authority
        self._limits = limits
        self._api = api
        self._pages = Pages(
            catalogue,
            ports,
            self.rounds.transcript,
            authority,
            grammar(limits),
            playground is not None,
        )
        self._ports = ports
        self._playground = playground
        self._visits = visits

    def of(self, name: str) -> Callable[[GivenConnection], None]:
        """Return the door of the port *name*.

        If the server has one case only, it always plays that.
        """
        only = self._catalogue.only
        if only is not None and name != "control":
            return partial(self.own, entry=only)
        doors = {"http": self.http, "tls": self.tls, "proxy": self.proxy, "control": self.control}
        return doors[name]

    def http(self, given: GivenConnection) -> None:
        """Serve requests by their paths while the connection is open."""
        while not given.ended:
            head = given.head()
            if head is None:
                return
            asked = wanted(head)
            if asked is None:
                given.take(len(head))
                self._page(given, 400, "this is not an HTTP/1.x request")
            else:
                self._answer(given, asked, len(head))

    def control(self, given: GivenConnection) -> None:
        """Serve the control pages; for a path of a case, lead to the port that serves it."""
        head = given.head()
        asked = None if head is None else wanted(head)
        if asked is not None and asked.path == PLAYGROUND and self._playground is not None:
            request = given.request(self._playground.bounds.form)
            self._write(given, self._playground.reply(request, given.client[0]))
        elif asked is not None and self._visits is not None and _is_judge(asked.path):
            self._write(given, self._visits.reply(given.request(_FORM), given.address[0]))
        elif asked is not None and _is_of_plays(asked) and self._api is not None:
            most = _LONGEST_HEAD + self._api.plays.bounds.script
            self._write(given, self._api.reply(given.request(most), asked.path, given.client[0]))
        elif asked is not None and asked.path.startswith("/c/"):
            self._write(given, self._elsewhere(given, self._ports.http, asked.target))
        elif asked is not None:
            self._write(given, self._pages.reply(asked.path, asked.method))

    def tls(self, given: GivenConnection) -> None:
        """Do the handshake that the server name selects; then serve by path."""
        asked = _server_name(given)
        name = asked.removesuffix(LOCALHOST)
        entry = self._catalogue.entries.get(name)
        if entry is not None and entry.how in ("tls", "name"):
            self.own(given, entry)
            return
        if name.endswith("example.test"):
            name = "names"
        known = name if name in _CERTIFICATES else "server"
        offer = Starttls(cert=known, client_cert="optional", alpn=_HTTP)
        given.start_tls(self._context(offer), asked)
        self.http(given)

    def proxy(self, given: GivenConnection) -> None:
        """Serve a tunnel: to the case that the CONNECT names, or to this server."""
        head = given.head()
        asked = None if head is None else wanted(head)
        if head is None or asked is None or asked.method != "CONNECT":
            self.http(given)
            return
        entry = self._catalogue.entries.get(asked.host)
        if entry is not None and entry.how == "proxy":
            self.own(given, entry)
            return
        given.take(len(head))
        given.play((Reply(200, framing="none"),))
        if given.receive() and given.buffer[0] == _HELLO:
            self.tls(given)
        else:
            self.http(given)

    def own(self, given: GivenConnection, entry: Entry) -> None:
        """Play the next connection of a case from its first step.

        Then wait for the client to close.
        """
        self._play(given, self.rounds.visit(entry.case.id, _served(entry.case)))
        if not given.ended:
            given.await_closing()

    def _answer(self, given: GivenConnection, asked: Wanted, head: int) -> None:
        """Play what a request selects; its head is still in the buffer."""
        entry = self._catalogue.entries.get(asked.case_id)
        if asked.path == PLAYGROUND and self._playground is not None:
            given.take(head)
            self._write(given, self._playground.elsewhere(asked.target))
        elif _is_judge(asked.path):
            given.take(head)
            self._write(given, self._elsewhere(given, self._ports.control, asked.target))
        elif _is_of_plays(asked) and self._api is not None:
            where = f"http://{self._api.gate.host}{PLAYS}"
            self._page(given, 421, f"plays are on the control port: {where}", asked.method)
        elif asked.path.startswith(CONTROL) or asked.path in ("/", PREFIX):
            given.take(head)
            self._write(given, self._pages.reply(asked.path, asked.method))
        elif entry is None:
            self._made(given, asked)
        elif entry.how in ("url", "tls"):
            case = entry.case
            visit = self.rounds.visit(case.id, _served(case), asked.connection)
            self._play(given, visit.without_handshake())
        else:
            where = f"this case is served at {entry.url(self._ports)}; see /_/"
            self._page(given, 421, entry.why_not or where, asked.method)

    def _made(self, given: GivenConnection, asked: Wanted) -> None:
        try:
            script = made(
                asked.path,
                asked.query,
                self._limits,
                partial(echo, given),
                head_only=asked.method == "HEAD",
            )
        except BadTarget as problem:
            self._page(given, 400, str(problem), asked.method)
            return
        if script is None:
            self._page(given, *_NO_CASE, asked.method)
            return
        self._play(given, self.rounds.visit(asked.path, script))
        self.rounds.forget(asked.path)

    def _elsewhere(self, given: GivenConnection, port: int, target: str) -> Reply:
        """Return the reply to what only another port serves.

        The bytes of cases share no origin with the control pages.
        """
        location = f"http://{replace(self._ports, host=given.address[0]).at(port)}{target}"
        return Reply(302, headers=((b"Location", location.encode("latin-1")),), framing="close")

    def _play(self, given: GivenConnection, visit: Visit) -> None:
        live = given.play(visit.steps, visit.state, visit.number)
        if live.ended_by is not None and not given.ended:
            given.await_closing()  # not used further: no request is answered on it

    def _page(self, given: GivenConnection, status: int, text: str, method: str = "GET") -> None:
        body = b"" if method == "HEAD" else f"{text}\n".encode()
        self._write(given, Reply(status, body=body, framing="close"))

    def _write(self, given: GivenConnection, reply: WritingStep) -> None:
        given.play((reply, Close()))

    def _contexts(self, script: Script) -> dict[Step, ssl.SSLContext]:
        return {one: self._context(one) for one in script.handshakes}

    def _context(self, step: Starttls) -> ssl.SSLContext:
        return self._authority.server_context(step.cert, step.client_cert, step.alpn, step.tickets)


def _served(case: Case) -> Script:
    """Return the script of *case*, which closes for a client that asks, if any client may come."""
    return replace(case.script, obliging=case.script.obliging or case.fetch is not None)


def _is_judge(path: str) -> bool:
    return path == JUDGE or path.startswith(f"{JUDGE}/")


def _is_of_plays(asked: Wanted) -> bool:
    return asked.path == PLAYS or asked.path.startswith(f"{PLAYS}/")


def _server_name(given: GivenConnection) -> str:
    """Return the server name of the arriving ClientHello, and leave its bytes in the buffer.

    The name is read by a handshake that is aborted as soon as the name is known: this module does
    not parse TLS, and sends no TLS.
    """
    names: list[str | None] = []

    def remember(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> int:
        names.append(name)
        return int(ssl.ALERT_DESCRIPTION_INTERNAL_ERROR)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = remember
    incoming, outgoing, fed = ssl.MemoryBIO(), ssl.MemoryBIO(), 0
    hello = context.wrap_bio(incoming, outgoing, server_side=True)
    while True:
        incoming.write(bytes(given.buffer[fed:]))
        fed = len(given.buffer)
        try:
            hello.do_handshake()
        except ssl.SSLWantReadError:
            if not given.receive():
                raise EndOfStream("the client ended its stream in the handshake") from None
        except ssl.SSLError:
            return (names[0] if names else None) or ""
