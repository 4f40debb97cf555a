"""``httplib-kit serve``: every case at a URL, until Ctrl-C."""

import re
import sys

import click
import msgspec

from conformance.cases import Corpus
from conformance.cli.options import complete_case, find_case, own_cases
from conformance.report import EXIT_ERROR
from conformance.reproduce import DEFAULT_PORTS, Ports
from conformance.serve import Bounds, Playground, ServeError, Server

_PORT = click.IntRange(0, 65535)
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{8,200}=*")


def _token(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
    """Refuse a token that no Authorization field can have."""
    if given is not None and not _TOKEN.fullmatch(given):
        raise click.BadParameter("a token is 8 to 200 letters, digits and . _ ~ + / -")
    return given


@click.command()
@click.argument("case_id", metavar="[CASE]", required=False, shell_complete=complete_case)
@own_cases
@click.option("--host", default=DEFAULT_PORTS.host, show_default=True, help="The address to use.")
@click.option(
    "--port",
    type=_PORT,
    default=DEFAULT_PORTS.http,
    show_default=True,
    help="The port for HTTP; 0 for any free port.",
)
@click.option("--tls-port", type=_PORT, help="The port for TLS.  [default: the next port]")
@click.option("--proxy-port", type=_PORT, help="The proxy's port.  [default: the port after that]")
@click.option(
    "--control-port", type=_PORT, help="Port for /_/ alone.  [default: the port after that]"
)
@click.option(
    "--stall",
    type=click.FloatRange(0.01, 3600),
    default=Bounds().stall,
    show_default=True,
    metavar="SECONDS",
    help="The longest time in which nothing is sent.",
)
@click.option(
    "--octets",
    type=click.IntRange(1),
    default=Bounds().octets,
    show_default=True,
    help="The most bytes that are read and written on a connection.",
)
@click.option(
    "--no-playground",
    is_flag=True,
    help="Serve no page on which bytes are edited and played by clients of this machine.",
)
@click.option(
    "--token",
    envvar="HTTPLIB_KIT_TOKEN",
    show_envvar=True,
    callback=_token,
    help="What a program sends to begin plays at /_/plays.  [default: drawn, and printed]",
)
@click.pass_context
def serve(
    ctx: click.Context,
    case_id: str | None,
    corpus: Corpus,
    host: str,
    port: int,
    tls_port: int | None,
    proxy_port: int | None,
    control_port: int | None,
    stall: float,
    octets: int,
    no_playground: bool,
    token: str | None,
) -> None:
    """Serve every case at /c/CASE, or only CASE on every path.

    /c/ says how to make other responses, and POST /_/plays on the control port plays a script.

    /_/ lists what is served, and /_/transcript/last shows the bytes of the latest play; with the
    argument CASE, both are on the control port only.
    """
    if case_id is not None:
        find_case(corpus, case_id)
    others = (tls_port, proxy_port, control_port)
    tls, proxy, control = (
        _after(port, place) if one is None else one for place, one in enumerate(others, 1)
    )
    ports = Ports(host, port, tls, proxy, control)
    bounds = Bounds(stall=stall, octets=octets)
    try:
        made = None if no_playground else Playground
        with Server(
            corpus, ports, only=case_id, bounds=bounds, playground=made, token=token
        ) as server:
            click.echo(_greeting(server))
            server.wait()
    except KeyboardInterrupt:
        ctx.exit(0)
    except ServeError as error:
        click.echo(f"httplib-kit: {error}; --port takes others, and --port 0 free ones", err=True)
        ctx.exit(EXIT_ERROR)


def _after(port: int, place: int) -> int:
    """Return the port *place* after *port*; if *port* is any free port, the result is too."""
    return port + place if 0 < port <= 65535 - place else 0


def _greeting(server: Server) -> str:
    """Return the addresses of the server: as text for a person, or as one line of JSON."""
    ports, token = server.ports, server.gate.token
    numbers = {name: getattr(ports, name) for name in ("http", "tls", "proxy", "control")}
    if not sys.stdout.isatty():
        greeting = {"host": ports.host, **numbers, "token": token}
        return msgspec.json.encode(greeting).decode()
    return (
        f"http://{ports.at(ports.http)}/_/ lists what is served; "
        f"TLS on {ports.tls}, proxy on {ports.proxy}, control on {ports.control}, "
        f"with the token {token}; Ctrl-C ends it"
    )
