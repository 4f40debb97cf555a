"""How a visitor is led from a port to what is played.

In: an accepted connection, and the door it came in by.  Out: whatever is asked for there, played on
it: a case, a made response, a page.  A door waits only for what it needs to know: a path, a server
name, the host of a CONNECT; a case with a port of its own needs nothing.
"""

import ssl
from collections.abc import Callable
from functools import partial

from certs import SERVER_CERTIFICATES, CertificateAuthority
from conformance.serve.catalogue import LOCALHOST, Catalogue, Entry, Ports
from conformance.serve.channel import Channel, Over
from conformance.serve.pages import CONTROL, Pages
from conformance.serve.parametric import BadTarget, made
from conformance.serve.player import play
from conformance.serve.request_line import Wanted, wanted
from conformance.serve.rounds import Rounds, Visit
from mockserver import Reply, Starttls, WritingStep

_CERTIFICATES = frozenset(SERVER_CERTIFICATES)
_HELLO = 0x16
"""The first octet of a TLS handshake, and of no request."""
_NO_CASE = 404, "nothing is served here; /_/ lists what there is"


class Doors:
    """Everything that can be asked for, by whichever way.

    Args:
        catalogue: the cases.
        ports: where the server listens.
        authority: makes the certificates.
    """

    def __init__(self, catalogue: Catalogue, ports: Ports, authority: CertificateAuthority) -> None:
        self.rounds = Rounds(self._context)
        self._catalogue = catalogue
        self._authority = authority
        self._pages = Pages(catalogue, ports, self.rounds.transcript, authority.ca_pem)
        self._ports = ports

    def of(self, name: str) -> Callable[[Channel], None]:
        """Return the door of the port *name*: where one case is all there is, it is that case."""
        only = self._catalogue.only
        if only is not None and name != "control":
            return partial(self.own, entry=only)
        doors = {"http": self.http, "tls": self.tls, "proxy": self.proxy, "control": self.control}
        return doors[name]

    def http(self, channel: Channel) -> None:
        """Serve requests, by their paths, for as long as the connection is open."""
        while not channel.ended:
            channel.begin([])
            head = channel.head()
            if head is None:
                return
            asked = wanted(head)
            if asked is None:
                channel.take(len(head))
                self._page(channel, 400, "this is no request of HTTP/1.x")
            else:
                self._answer(channel, asked, len(head))

    def control(self, channel: Channel) -> None:
        """Serve the control pages and nothing else."""
        head = channel.head()
        asked = None if head is None else wanted(head)
        if asked is not None:
            self._write(channel, self._pages.reply(asked.path, asked.method))

    def tls(self, channel: Channel) -> None:
        """Do the handshake that the server name asks for; then the path says what is served."""
        name = _server_name(channel).removesuffix(LOCALHOST)
        entry = self._catalogue.entries.get(name)
        if entry is not None and entry.how in ("tls", "name"):
            self.own(channel, entry)
            return
        if name.endswith("example.test"):
            name = "names"
        known = name if name in _CERTIFICATES else "server"
        channel.start_tls(self._context(Starttls(cert=known)))
        self.http(channel)

    def proxy(self, channel: Channel) -> None:
        """Serve a tunnel: the case that the CONNECT names, or this server behind it."""
        head = channel.head()
        asked = None if head is None else wanted(head)
        if head is None or asked is None or asked.method != "CONNECT":
            self.http(channel)
            return
        entry = self._catalogue.entries.get(asked.host)
        if entry is not None and entry.how == "proxy":
            self.own(channel, entry)
            return
        channel.take(len(head))
        channel.write(Reply(200, framing="none").pieces())
        if channel.receive() and channel.buffer[0] == _HELLO:
            self.tls(channel)
        else:
            self.http(channel)

    def own(self, channel: Channel, entry: Entry) -> None:
        """Play the next connection of a case, from its first step; then wait for the client."""
        self._play(channel, self.rounds.visit(entry.case.id, entry.case.script))
        if not channel.ended:
            channel.wait_for_closing()

    def _answer(self, channel: Channel, asked: Wanted, head: int) -> None:
        """Play what a request asks for; its head is still in the buffer."""
        entry = self._catalogue.entries.get(asked.case_id)
        if asked.path.startswith(CONTROL) or asked.path == "/":
            channel.take(head)
            self._write(channel, self._pages.reply(asked.path, asked.method))
        elif entry is None:
            self._made(channel, asked)
        elif entry.how in ("url", "tls"):
            case = entry.case
            visit = self.rounds.visit(case.id, case.script, asked.connection)
            if visit.steps and isinstance(visit.steps[0], Starttls):  # it is done, or not wanted
                visit.steps = visit.steps[1:]
            self._play(channel, visit)
        else:
            where = f"this case is had at {entry.url(self._ports)}; see /_/"
            self._page(channel, 421, entry.why_not or where)

    def _made(self, channel: Channel, asked: Wanted) -> None:
        try:
            script = made(asked.path, asked.query)
        except BadTarget as problem:
            self._page(channel, 400, str(problem))
            return
        if script is None:
            self._page(channel, *_NO_CASE)
            return
        self._play(channel, self.rounds.visit(asked.path, script))
        self.rounds.forget(asked.path)

    def _play(self, channel: Channel, visit: Visit) -> None:
        channel.begin(visit.events)
        visit.played = play(channel, visit.steps, visit.stage)

    def _page(self, channel: Channel, status: int, text: str) -> None:
        self._write(channel, Reply(status, body=f"{text}\n".encode(), framing="close"))

    def _write(self, channel: Channel, reply: WritingStep) -> None:
        channel.write(reply.pieces())
        channel.end()

    def _context(self, step: Starttls) -> ssl.SSLContext:
        return self._authority.server_context(step.cert, step.client_cert, step.alpn, step.tickets)


def _server_name(channel: Channel) -> str:
    """Return the server name of the ClientHello that arrives, and leave its octets in the buffer.

    A handshake that is broken off as soon as the name is known reads it: no octet of TLS is parsed
    here, and none is answered.
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
        incoming.write(bytes(channel.buffer[fed:]))
        fed = len(channel.buffer)
        try:
            hello.do_handshake()
        except ssl.SSLWantReadError:
            if not channel.receive():
                raise Over("the client ended its stream in the handshake") from None
        except ssl.SSLError:
            return (names[0] if names else None) or ""
