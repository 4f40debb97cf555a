"""What `httplib-kit serve` gives to a visitor, octet by octet, on ports that the system chose."""

import json
import posixpath
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from html import escape
from itertools import groupby

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from certs import CertificateAuthority
from conformance.cases import Case, Corpus, load_corpus, sent_octets
from conformance.drivers import target
from conformance.drivers.base import Trace
from conformance.reproduce import Catalogue, Entry, Ports
from conformance.serve import Bounds, ServeError, Server
from conformance.tests.conftest import LATE
from mockserver import Close, MockServer, ReadRequest, Send

HOST = "127.0.0.1"
ANY = Ports(HOST, 0, 0, 0, 0)
PATIENCE = 10.0
STALL = 3600.0
"""A command that sits a silence out, rather than end, is far behind every other wait here."""


@cache
def corpus() -> Corpus:
    return load_corpus()


@cache
def catalogue() -> Catalogue:
    return Catalogue(corpus())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(corpus(), ANY) as running:
        yield running


def one_case(case: Case) -> Corpus:
    listed = corpus().listed(case.id)
    assert listed is not None
    return Corpus([listed.part], corpus().digest)


def first(how: str, part: str = "") -> Entry:
    entries = catalogue().entries.values()
    return next(one for one in entries if one.how == how and one.case.id.startswith(part))


def plain_cases() -> list[Case]:
    """Two of every family: one connection, a request, octets, the end."""
    shape = (ReadRequest, Send, Close)
    fitting = [
        case
        for case in corpus().cases
        if len(case.script.connections) == 1
        and tuple(map(type, case.script.connections[0].steps)) == shape
        and catalogue().entries[case.id].how == "url"
    ]
    by_family = groupby(sorted(fitting, key=lambda case: case.family), lambda case: case.family)
    return [case for _, group in by_family for case in list(group)[:2]]


def dial(port: int) -> socket.socket:
    return socket.create_connection((HOST, port), timeout=PATIENCE)


def rest(sock: socket.socket) -> bytes:
    received = b""
    while data := sock.recv(65536):
        received += data
    return received


def exactly(sock: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        data = sock.recv(count - len(received))
        assert data, received
        received += data
    return received


def get(port: int, target: str, method: str = "GET") -> bytes:
    with dial(port) as sock:
        sock.sendall(f"{method} {target} HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode("latin-1"))
        return rest(sock)


def body(response: bytes) -> bytes:
    return response.partition(b"\r\n\r\n")[2]


def test_a_client_that_asks_for_the_end_of_its_connection_gets_it(server: Server) -> None:
    with dial(server.ports.http) as sock:
        sock.sendall(b"GET /c/chunked.grammar.trailer.a-field HTTP/1.0\r\n\r\n")
        assert rest(sock)


def test_a_response_whose_connection_stays_open_is_for_every_client(server: Server) -> None:
    with dial(server.ports.http) as sock:
        for _ in range(2):
            sock.sendall(b"GET /c/bytes?text=abc&end=open HTTP/1.0\r\n\r\n")
            assert exactly(sock, 3) == b"abc"


def listing(server: Server) -> dict[str, dict[str, object]]:
    cases = json.loads(body(get(server.ports.control, "/_/cases.json")))["cases"]
    return {case["id"]: case for case in cases}


def trusting(server: Server) -> ssl.SSLContext:
    pem = body(get(server.ports.control, "/_/ca.pem")).decode()
    return ssl.create_default_context(cadata=pem)


def blind() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.mark.parametrize("case", plain_cases(), ids=lambda case: case.id)
def test_a_url_gives_the_octets_of_its_case(server: Server, case: Case) -> None:
    octets = get(server.ports.http, f"/c/{case.id}")
    assert octets == sent_octets(case.script.connections[0])


def test_every_case_is_listed_with_the_way_to_it(server: Server) -> None:
    listed = listing(server)
    assert list(listed) == [case.id for case in corpus().cases]
    for row in listed.values():
        assert ("why_not" in row) == (row["how"] == "none")
        assert ("url" in row) == (row["how"] != "none")
        assert row["how"] == "none" or row["port"] != 0


def test_only_cases_in_which_nobody_connects_are_not_served() -> None:
    for entry in catalogue().entries.values():
        if entry.how == "none":
            assert entry.case.script.connections == ()


def test_the_transcript_tells_the_latest_play(server: Server) -> None:
    case = plain_cases()[0]
    octets = get(server.ports.http, f"/c/{case.id}")
    told = body(get(server.ports.http, "/_/transcript/last")).decode()
    assert told.startswith(f"{case.id}\nconnection 1\n")
    assert "GET /c/" in told
    assert octets.splitlines()[0].decode("latin-1") in told


def test_the_index_lists_each_family_once_with_the_number_of_its_cases(server: Server) -> None:
    page = body(get(server.ports.http, "/_/")).decode()
    families = Counter(case.family for case in corpus().cases)
    assert re.findall(r"<summary>(.+): (\d+)</summary>", page) == [
        (name, str(number)) for name, number in families.items()
    ]


def test_the_index_links_every_case(server: Server) -> None:
    page = body(get(server.ports.http, "/_/")).decode()
    assert page == body(get(server.ports.http, "/")).decode()
    assert page == body(get(server.ports.control, "/_/")).decode()
    linked = re.findall(r'<a href="/_/cases/([^"]+)\.html">', page)
    assert sorted(linked) == sorted(case.id for case in corpus().cases)


def test_no_link_names_this_host(server: Server) -> None:
    for path in ("/_/", f"/_/cases/{plain_cases()[0].id}.html"):
        page = body(get(server.ports.http, path)).decode()
        assert HOST not in "".join(re.findall(r'(?:href|src)="([^"]+)"', page))


@pytest.mark.parametrize("case", plain_cases()[::6], ids=lambda case: str(case.id))
def test_every_link_of_the_page_of_a_case_is_served(case: Case, server: Server) -> None:
    here = f"/_/cases/{case.id}.html"
    page = body(get(server.ports.http, here)).decode()
    assert escape(case.title) in page
    assert f'href="/c/{case.id}"' in page
    for link in re.findall(r'(?:href|src)="([^"#]+)', page):
        if not link.startswith("https://"):
            found = get(server.ports.control, posixpath.join(posixpath.dirname(here), link))
            assert found.startswith(b"HTTP/1.1 200 ") or link.startswith("/c/"), link


def test_a_case_that_is_not_served_says_why(server: Server) -> None:
    name = next(one.case.id for one in catalogue().entries.values() if one.how == "none")
    page = body(get(server.ports.http, f"/_/cases/{name}.html")).decode()
    assert catalogue().entries[name].why_not in page


@pytest.mark.parametrize(
    ("framing", "body_octets"),
    [
        (b"Content-Length: 20", b"GET /x HTTP/1.1\r\n\r\nz"),
        (b"Transfer-Encoding: chunked", b"3\r\na\r\n\r\n0\r\nT: x\r\n\r\n"),
    ],
)
def test_the_body_of_a_request_is_taken_with_it(
    server: Server, framing: bytes, body_octets: bytes
) -> None:
    first = b"POST /c/status/204?end=open HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n"
    with dial(server.ports.http) as sock:
        sock.sendall(first + body_octets)
        assert sock.recv(100) == b"HTTP/1.1 204 No Content\r\n\r\n"
        sock.sendall(b"GET /c/status/418 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert rest(sock).startswith(b"HTTP/1.1 418 ")


def test_a_response_waits_for_the_body_that_a_request_announces(server: Server) -> None:
    with dial(server.ports.http) as sock:
        sock.sendall(b"POST /c/status/204 HTTP/1.1\r\nContent-Length: 2\r\n\r\na")
        sock.shutdown(socket.SHUT_WR)
        assert rest(sock) == b""
    told = body(get(server.ports.http, "/_/transcript/last")).decode()
    assert "the client ended its stream" in told


def test_head_of_a_page_has_no_body(server: Server) -> None:
    head = get(server.ports.http, "/_/ca.pem", method="HEAD")
    whole = get(server.ports.http, "/_/ca.pem")
    assert head == whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("target", "octets"),
    [
        (
            "/c/status/418?reason=I'm+a+teapot",
            b"HTTP/1.1 418 I'm a teapot\r\nContent-Length: 11\r\n\r\nstatus 418\n",
        ),
        ("/c/status/204", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("/c/status/abc", b"HTTP/1.1 abc\r\nContent-Length: 0\r\n\r\n"),
        ("/c/status/099?reason=x%0dy", b"HTTP/1.1 099 x\ry\r\nContent-Length: 0\r\n\r\n"),
        ("/c/bytes?text=a%0d%0a%ff&hex=00fF&chunk=hello", b"a\r\n\xff\x00\xff5\r\nhello\r\n"),
        ("/c/bytes?text=1%2B1", b"1+1"),
        ("/c/bytes", b""),
    ],
)
def test_a_response_can_be_made_by_its_url(server: Server, target: str, octets: bytes) -> None:
    assert get(server.ports.http, target) == octets


@pytest.mark.parametrize(
    ("target", "status", "said"),
    [
        ("/c/no.such.case", 404, "/_/"),
        ("/elsewhere", 404, "/_/"),
        ("/_/nothing", 404, "/_/"),
        ("/c/bytes?hex=0", 400, "hexadecimal"),
        ("/c/bytes?octets=0", 400, "octets"),
        ("/c/status/200?end=never", 400, "never"),
    ],
)
def test_a_url_that_means_nothing_says_so(
    server: Server, target: str, status: int, said: str
) -> None:
    response = get(server.ports.http, target)
    assert response.startswith(f"HTTP/1.1 {status} ".encode())
    assert said in body(response).decode()


def test_what_is_no_request_is_refused(server: Server) -> None:
    with dial(server.ports.http) as sock:
        sock.sendall(b"nonsense\r\n\r\n")
        assert rest(sock).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("how", ["name", "proxy", "port", "none"])
def test_a_case_without_a_path_says_where_it_is(server: Server, how: str) -> None:
    entry = first(how)
    response = get(server.ports.http, f"/c/{entry.case.id}")
    assert response.startswith(b"HTTP/1.1 421 ")
    assert (entry.why_not or entry.url(server.ports)) in response.decode()


def test_a_reset_is_a_reset(server: Server) -> None:
    with dial(server.ports.http) as sock:
        sock.sendall(b"GET /c/bytes?text=hel&end=rst HTTP/1.1\r\n\r\n")
        assert exactly(sock, 3) == b"hel"
        with pytest.raises(ConnectionResetError):
            sock.recv(1)


def test_a_kept_connection_carries_the_next_case(server: Server) -> None:
    case = plain_cases()[0]
    with dial(server.ports.http) as sock:
        sock.sendall(b"POST /c/bytes?text=hello&end=open HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc")
        assert exactly(sock, 5) == b"hello"
        sock.sendall(f"GET /c/{case.id} HTTP/1.1\r\n\r\n".encode())
        assert rest(sock) == sent_octets(case.script.connections[0])


def test_visits_get_the_connections_of_a_script_in_order(server: Server) -> None:
    entry = next(
        one
        for one in catalogue().entries.values()
        if one.how == "url" and len(one.case.script.connections) == 2
    )
    case = entry.case
    one, two = (sent_octets(connection) for connection in case.script.connections)
    assert one != two

    def visit(query: str = "") -> bytes:
        with dial(server.ports.http) as sock:
            sock.sendall(f"GET /c/{case.id}{query} HTTP/1.1\r\n\r\n".encode())
            sock.shutdown(socket.SHUT_WR)
            return rest(sock)

    assert visit("?connection=1").startswith(one[:20])
    assert visit().startswith(two[:20])
    assert visit("?connection=1").startswith(one[:20])
    assert visit("?connection=2").startswith(two[:20])


def test_a_case_over_tls_is_had_by_its_path(server: Server) -> None:
    entry = first("tls", "tls.exchange.get")
    with (
        dial(server.ports.tls) as sock,
        trusting(server).wrap_socket(sock, server_hostname=HOST) as tls,
    ):
        tls.sendall(f"GET {entry.path} HTTP/1.1\r\n\r\n".encode())
        wanted = sent_octets(entry.case.script.connections[0])
        assert exactly(tls, len(wanted)) == wanted


@pytest.mark.parametrize(
    ("name", "certificate"),
    [
        ("localhost", "server"),
        ("www.example.test", "names"),
        ("expired.localhost", "expired"),
        ("not-yet-valid.localhost", "not-yet-valid"),
        ("untrusted.localhost", "untrusted"),
        ("wrong-host.localhost", "wrong-host"),
    ],
)
def test_the_server_name_chooses_the_certificate(
    server: Server, name: str, certificate: str
) -> None:
    with dial(server.ports.tls) as sock, blind().wrap_socket(sock, server_hostname=name) as tls:
        shown = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True) or b"")
    (common_name,) = shown.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert common_name.value == certificate


@pytest.mark.parametrize("name", ["localhost", "www.example.test"])
def test_a_good_certificate_is_verified_by_the_published_authority(
    server: Server, name: str
) -> None:
    with dial(server.ports.tls) as sock:
        trusting(server).wrap_socket(sock, server_hostname=name).close()


@pytest.mark.parametrize("name", ["expired.localhost", "untrusted.localhost", "other.localhost"])
def test_a_bad_certificate_is_refused(server: Server, name: str) -> None:
    with dial(server.ports.tls) as sock, pytest.raises(ssl.SSLCertVerificationError):
        trusting(server).wrap_socket(sock, server_hostname=name)


def test_a_server_name_can_be_a_case(server: Server) -> None:
    entry = first("name", "tls.client-certificate")
    url = f"https://{entry.case.id}.localhost:{server.ports.tls}/"
    assert listing(server)[entry.case.id]["url"] == url
    with dial(server.ports.tls) as sock:
        sock.settimeout(PATIENCE)
        try:
            blind().wrap_socket(sock, server_hostname=entry.server_name).close()
        except OSError:  # it wants a certificate, which this client has not
            sock.close()
    told = body(get(server.ports.control, "/_/transcript/last")).decode()
    assert told.startswith(f"{entry.case.id}\n")


def test_the_host_of_a_connect_can_be_a_case(server: Server) -> None:
    entry = first("proxy", "tunnel.exchange.plain")
    steps = entry.case.script.connections[0].steps
    wanted = sent_octets(entry.case.script.connections[0])
    with dial(server.ports.proxy) as sock:
        sock.sendall(f"CONNECT {entry.case.id}:80 HTTP/1.1\r\n\r\n".encode())
        answer = exactly(sock, wanted.index(b"\r\n\r\n") + 4)
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n" * (len(steps) > 1))
        assert answer + exactly(sock, len(wanted) - len(answer)) == wanted


@pytest.mark.parametrize("secure", [False, True])
def test_any_other_connect_leads_back_here(server: Server, secure: bool) -> None:
    with dial(server.ports.proxy) as sock:
        sock.sendall(b"CONNECT example.test:443 HTTP/1.1\r\n\r\n")
        assert exactly(sock, 19) == b"HTTP/1.1 200 OK\r\n\r\n"
        inside = sock
        if secure:
            inside = trusting(server).wrap_socket(sock, server_hostname="www.example.test")
        with inside:
            inside.sendall(b"GET /c/bytes?text=inside HTTP/1.1\r\n\r\n")
            assert exactly(inside, 6) == b"inside"


def test_a_refused_port_refuses(server: Server) -> None:
    entry = next(
        one for one in catalogue().with_own_port() if one.case.script.listener.mode == "refuse"
    )
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            dial(entry.port(server.ports))


def test_a_case_that_begins_without_a_request_has_a_port_of_its_own(server: Server) -> None:
    entry = first("port", "interim.body.before-the-request")
    with dial(entry.port(server.ports)) as sock:
        assert sock.recv(5) == sent_octets(entry.case.script.connections[0])[:5]


def test_a_silent_visitor_is_reset_in_the_end() -> None:
    case = plain_cases()[0]
    with Server(one_case(case), ANY, bounds=Bounds(stall=0.1)) as server:
        with dial(server.ports.http) as sock:
            assert rest(sock) == b""
        with dial(server.ports.http) as sock:
            sock.sendall(b"GET /c/bytes?text=a&end=open HTTP/1.1\r\n\r\n")
            assert rest(sock) == b"a"


def test_a_gate_that_nobody_opens_ends_too() -> None:
    case = next(
        case
        for case in corpus().cases
        if catalogue().entries[case.id].how == "url"
        and any(step.step_name == "gate" for step in case.script.connections[0].steps)
    )
    with Server(one_case(case), ANY, bounds=Bounds(stall=0.1)) as server:
        with dial(server.ports.http) as sock:
            sock.sendall(f"GET /c/{case.id} HTTP/1.1\r\n\r\n".encode())
            with pytest.raises(ConnectionResetError):
                rest(sock)
        told = body(get(server.ports.control, "/_/transcript/last")).decode()
        assert "the limit" in told


def test_what_is_sent_is_bounded() -> None:
    case = next(case for case in corpus().cases if case.id == "framing.length.large")
    bounds = Bounds(octets=1000)
    with Server(one_case(case), ANY, bounds=bounds) as server, dial(server.ports.http) as sock:
        sock.sendall(b"GET /c/framing.length.large HTTP/1.1\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            rest(sock)


def test_the_control_port_answers_when_the_others_are_taken() -> None:
    case = plain_cases()[0]
    with (
        Server(one_case(case), ANY, bounds=Bounds(connections=1)) as server,
        dial(server.ports.http) as held,
    ):
        held.sendall(b"GET /c/bytes?text=a&end=open HTTP/1.1\r\n\r\n")
        assert exactly(held, 1) == b"a"
        with pytest.raises(ConnectionError):  # it may come before connect has returned
            get(server.ports.http, "/_/cases.json")
        assert get(server.ports.control, "/_/cases.json").startswith(b"HTTP/1.1 200 ")
        assert get(server.ports.control, f"/c/{case.id}").startswith(b"HTTP/1.1 302 ")


def test_a_taken_port_is_one_line(server: Server) -> None:
    taken = server.ports.http
    with pytest.raises(ServeError, match=f"^port {taken} on {HOST} is in use$"):
        Server(one_case(corpus().cases[0]), Ports(HOST, taken, 0, 0, 0))


def tells_a_descriptor(case: Case) -> bool:
    """Whether a call gives a number that differs from process to process."""
    return any(op.message.get("call") == "fileno" for op in case.ops)


def served_samples() -> list[Case]:
    """Three of every family that can be served, from its beginning, middle and end."""
    by_family = groupby(corpus().cases, lambda case: case.family)
    samples: list[Case] = []
    for _, group in by_family:
        cases = [case for case in group if catalogue().entries[case.id].how != "none"]
        cases = [case for case in cases if not (case.certificates or case.host != HOST)]
        cases = [case for case in cases if not tells_a_descriptor(case)]
        samples += [cases[0], cases[len(cases) // 2], cases[-1]] if cases else []
    return samples


@pytest.mark.parametrize("case", served_samples(), ids=lambda case: case.id)
def test_a_served_case_is_the_case_of_a_run(case: Case) -> None:
    with MockServer(tls=CertificateAuthority().server_context, patience=PATIENCE) as mock:
        play = mock.play(case.script)
        run = trace_of(case, play.address[1])
        play.finish()
    with Server(one_case(case), ANY, only=case.id) as server:
        port = server.ports.own.get(case.id, server.ports.http)
        served = trace_of(case, port)
    wanted = compared(case, run).replace(str(play.address[1]), "PORT")
    assert compared(case, served).replace(str(port), "PORT") == wanted


def trace_of(case: Case, port: int) -> Trace:
    """What the reference does with a server at this port."""
    driver = target("httplib_impl").make()
    ops = [op.message for op in case.ops]
    try:
        return driver.run({"type": "run", "id": case.id, "ops": ops, "address": (HOST, port)})
    finally:
        driver.stop()


def compared(case: Case, trace: Trace) -> str:
    """The entries of a trace that can say only one thing."""
    loose = {
        name
        for outcome in case.outcomes
        for name, expectation in outcome.ops.items()
        if expectation.anything
    }
    return json.dumps([entry for entry in trace if entry["id"] not in loose])


@contextmanager
def kit(*args: str) -> "Iterator[subprocess.Popen[str]]":
    """The command, which is ended with the block, also where an assertion in it fails."""
    command = [sys.executable, "-W", "error", "-m", "conformance", "serve", *args]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()  # without effect on one that has ended


@pytest.mark.usefixtures("interruptible")
def test_the_command_says_where_it_listens_and_ends_at_once_by_an_interrupt() -> None:
    with kit("--port", "0", "--stall", str(STALL)) as process:
        assert process.stdout is not None
        ports = json.loads(process.stdout.readline())
        assert set(ports) == {"host", "http", "tls", "proxy", "control", "token"}
        with dial(ports["http"]) as held:
            held.sendall(b"GET /c/bytes?text=a&end=open HTTP/1.1\r\n\r\n")
            assert exactly(held, 1) == b"a"
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=LATE)
    assert process.returncode == 0
    assert errors == ""


def test_the_command_says_in_one_line_that_a_port_is_taken(server: Server) -> None:
    with kit("--port", str(server.ports.http)) as process:
        _, errors = process.communicate(timeout=LATE)
    assert process.returncode == 2
    hint = "--port takes others, and --port 0 free ones"
    assert errors == f"httplib-kit: port {server.ports.http} on {HOST} is in use; {hint}\n"


def own_port(server: Server, name: str) -> int:
    return server.ports.own[name]


def asked(sock: socket.socket, method: str, target: str, body: bytes = b"") -> bytes:
    sock.sendall(f"{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode("latin-1") + body)
    head = b""
    while b"\r\n\r\n" not in head:
        head += exactly(sock, 1)
    status, _, fields = head.partition(b"\r\n")
    length = int(fields.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
    return status[9:12] + b" " + exactly(sock, length)


def test_routes_are_chosen_by_method_and_target(server: Server) -> None:
    with dial(own_port(server, "faults.routed.by-method-and-target")) as sock:
        answers = [asked(sock, "PUT", "/a"), asked(sock, "GET", "/a"), asked(sock, "GET", "/b")]
    assert answers == [b"201 put", b"200 got", b"404 none"]


def test_a_route_can_be_a_fault(server: Server) -> None:
    with dial(own_port(server, "faults.routed.second-request-reset")) as sock:
        assert asked(sock, "GET", "/") == b"200 first"
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            sock.recv(1)


def test_a_loop_is_gone_through_and_ends(server: Server) -> None:
    with dial(own_port(server, "faults.routed.many-in-one-loop")) as sock:
        assert [asked(sock, "GET", "/") for _ in range(3)] == [b"200 loop"] * 3
        assert sock.recv(1) == b""


def test_the_cases_with_a_port_of_their_own_are_found_without_building_the_others() -> None:
    own = [entry.case.id for entry in catalogue().with_own_port()]
    every = catalogue().entries.values()
    assert len(own) > 5
    assert sorted(own) == sorted(entry.case.id for entry in every if entry.how == "port")
