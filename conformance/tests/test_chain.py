"""Responses whose faults a URL names: what is played, what is refused, and what an echo reports."""

import gzip
import json
import socket
import ssl
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.serve import Bounds, Server
from conformance.serve.chain import EXAMPLES, PREFIX, WORDS, BadTarget, chained, grammar, is_chain
from conformance.tests.support import CORPUS
from conformance.tests.test_serve import ANY, HOST, body, dial, exactly, get, rest, trusting
from mockserver import Dribble, Limits, Pause, Reply, Step, WritingStep, pieces_of

LIMITS = Limits(wait=10.0, total=1 << 20)
END = b"\r\n\r\n"
VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(CORPUS, ANY) as running:
        yield running


@pytest.fixture(scope="module")
def small_server() -> Iterator[Server]:
    with Server(CORPUS, ANY, bounds=Bounds(octets=1 << 16), playground=None) as running:
        yield running


def steps_of(path: str, limits: Limits = LIMITS, *, head_only: bool = False) -> tuple[Step, ...]:
    script = chained(PREFIX + path, {}, limits, lambda _: b"{}", head_only=head_only)
    return script.connections[0].steps


def refusal(path: str, limits: Limits = LIMITS) -> str:
    with pytest.raises(BadTarget) as caught:
        steps_of(path, limits)
    return str(caught.value)


# ---- what is played


@pytest.mark.parametrize(
    ("path", "octets"),
    [
        ("bytes/3", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nxxx"),
        ("bytes/0", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ("bytes/9/cut/4", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nxxxx"),
        ("bytes/9/cut/0", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
        ("cut/4/bytes/9", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nxxxx"),
        ("delay/0.01", b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nstatus 200\n"),
        ("status/404/cut/3", b"HTTP/1.1 404 Not Found\r\nContent-Length: 11\r\n\r\nsta"),
        ("status/a%2Fb/bytes/2", b"HTTP/1.1 a/b\r\nContent-Length: 2\r\n\r\nxx"),
        ("status/abc/delay/0.01/header/A/1", b"HTTP/1.1 abc\r\nA: 1\r\nContent-Length: 0\r\n\r\n"),
        ("status/204/header/A/b", b"HTTP/1.1 204 No Content\r\nA: b\r\n\r\n"),
        (
            "header/A/1/bytes/1/header/a/%3a%20%ff",
            b"HTTP/1.1 200 OK\r\nA: 1\r\na: : \xff\r\nContent-Length: 1\r\n\r\nx",
        ),
        (
            "header/bytes/gzip",
            b"HTTP/1.1 200 OK\r\nbytes: gzip\r\nContent-Length: 11\r\n\r\nstatus 200\n",
        ),
        ("bytes/1/header/content-length/5", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nx"),
        ("bytes/5/dribble/2", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nxxxxx"),
        ("bytes/5/dribble/2/0.01/cut/3", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nxxx"),
    ],
)
def test_a_path_gives_these_octets(server: Server, path: str, octets: bytes) -> None:
    assert get(server.ports.http, PREFIX + path) == octets


def test_the_body_is_compressed(server: Server) -> None:
    head, _, coded = get(server.ports.http, "/c/gzip/bytes/50000").partition(END)
    assert gzip.decompress(coded) == b"x" * 50000
    assert head.splitlines()[1:] == [b"Content-Encoding: gzip", b"Content-Length: %d" % len(coded)]
    assert get(server.ports.http, "/c/gzip/bytes/50000/cut/9") == head + END + coded[:9]


def test_a_large_body_is_not_held_in_memory(server: Server) -> None:
    with dial(server.ports.http) as sock:
        sock.sendall(b"GET /c/bytes/30000000 HTTP/1.1\r\n\r\n")
        assert sum(map(len, iter(lambda: sock.recv(1 << 20), b""))) > 30_000_000
    (step,) = [one for one in steps_of("bytes/300000") if one.step_name == "send"]
    assert not isinstance(getattr(step, "data", b""), bytes)


def test_a_cut_body_can_end_with_a_reset(server: Server) -> None:
    with dial(server.ports.http) as sock:
        sock.sendall(
            b"GET /c/status/503/delay/0.01/bytes/10000/cut/5000/end/reset HTTP/1.1\r\n\r\n"
        )
        line = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 10000\r\n\r\n"
        assert exactly(sock, len(line) + 5000) == line + b"x" * 5000
        with pytest.raises(ConnectionResetError):
            sock.recv(1)


def test_an_open_connection_carries_the_next_request(server: Server) -> None:
    with dial(server.ports.http) as sock:
        for _ in range(2):
            sock.sendall(b"GET /c/bytes/1/end/open HTTP/1.1\r\n\r\n")
            assert exactly(sock, 39).endswith(b"\r\n\r\nx")


def test_silences_are_steps_of_the_player() -> None:
    reply, dribble = steps_of("delay/0.5/bytes/6/dribble/2/0.25/end/open")[1:]
    assert isinstance(reply, Reply)
    assert reply.delay == 0.5
    assert dribble == Dribble(b"xxxxxx", 2, 0.25)
    assert Pause(0.5) in steps_of("status/abc/delay/0.5")


@pytest.mark.parametrize(
    "path", ["bytes/99/cut/9", "bytes/99/dribble/3", "gzip", "status/abc/bytes/9", "echo"]
)
def test_a_head_request_gets_the_same_head_and_no_body(server: Server, path: str) -> None:
    whole = get(server.ports.http, PREFIX + path)
    if path == "echo":
        whole = whole.replace(b"GET", b"HEAD")  # its length names the method
    head = get(server.ports.http, PREFIX + path, method="HEAD")
    assert head.endswith(END)
    names = [line.partition(b":")[0] for line in head.splitlines()]
    assert names == [line.partition(b":")[0] for line in whole.partition(END)[0].splitlines()] + [
        b""
    ]
    if path != "echo":
        assert head == whole.partition(END)[0] + END


@pytest.mark.parametrize("path", ["/c/delya/1", "/c/none", "/_/nothing", "/c/"])
def test_a_head_request_gets_no_body_of_a_page(server: Server, path: str) -> None:
    assert get(server.ports.http, path, method="HEAD").endswith(END)


def test_the_reason_and_the_end_can_be_in_the_query(server: Server) -> None:
    line = get(server.ports.http, "/c/status/503/bytes/1?reason=Not+now")
    assert line.startswith(b"HTTP/1.1 503 Not now\r\n")
    with dial(server.ports.http) as sock:
        sock.sendall(b"GET /c/bytes/1?end=open HTTP/1.1\r\n\r\nGET /c/bytes/2 HTTP/1.1\r\n\r\n")
        assert rest(sock).endswith(b"\r\n\r\nxx")


# ---- what is refused


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("delya/1", "'delya' is not a word of /c/; near names: delay"),
        ("bytes/1/zz/2", f"'zz' is not a word of /c/; the words are {', '.join(WORDS)}"),
        ("bytes/1/", "'' is not a word of /c/"),
        ("bytes/", "bytes/: COUNT is a number from 0 to 524288"),
        ("bytes/-1", "bytes/-1: COUNT is a number from 0 to 524288"),
        ("bytes/524289", "bytes/524289: COUNT is a number from 0 to 524288"),
        ("bytes/1/bytes/2", "bytes: is given twice; each word but header is given once"),
        ("bytes/1/delay", "delay: write delay/SECONDS; /c/ explains it"),
        ("delay/11", "delay/11: SECONDS is a number from 0 to 10, such as 0.5"),
        ("delay/1e3", "delay/1e3: SECONDS is a number from 0 to 10, such as 0.5"),
        ("delay/nan", "delay/nan: SECONDS is a number from 0 to 10, such as 0.5"),
        ("delay/\u0663", "delay/\\u0663: SECONDS is a number from 0 to 10, such as 0.5"),
        ("header/A", "header: write header/NAME/VALUE; /c/ explains it"),
        ("bytes/9/cut/10", "cut/10: the body has 9 bytes; bytes/COUNT makes more"),
        ("bytes/9/dribble/0", "dribble/0: COUNT is a number from 1 to 1048576"),
        ("bytes/20000/dribble/1", "dribble/1: 20000 pieces; at most 10000 are sent"),
        ("bytes/100/dribble/1/1", "dribble/1/1: 100 pieces take 99 s; at most 60 s in all"),
        ("bytes/9/dribble/1/10.5", "dribble/10.5: SECONDS is a number from 0 to 10, such as 0.5"),
        ("end/later", "end/later: the end is one of fin, reset, rst, open"),
        ("bytes/1/echo", "bytes and echo both give the body; give one of them"),
        ("status/204/bytes/1", "bytes: a response with status/204 has no body"),
        ("status/100/echo", "echo: a response with status/100 has no body"),
    ],
)
def test_what_is_not_valid_is_one_line_that_names_it(path: str, said: str) -> None:
    assert refusal(path).startswith(said)


def test_the_refusal_is_the_answer(server: Server) -> None:
    answer = get(server.ports.http, "/c/delay/99")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert body(answer) == b"delay/99: SECONDS is a number from 0 to 10, such as 0.5\n"
    answer = get(server.ports.http, "/c/end/fin?end=fin")
    assert body(answer) == b"the end is given in the path and in the query; give one of them\n"


def test_limits_are_those_of_the_server() -> None:
    with Server(CORPUS, ANY, bounds=Bounds(stall=2.0, octets=2000)) as small:
        assert body(get(small.ports.http, "/c/delay/3")).startswith(b"delay/3: SECONDS is ")
        assert b"from 0 to 1000\n" in body(get(small.ports.http, "/c/bytes/1001"))
        assert get(small.ports.http, "/c/bytes/1000").endswith(b"x" * 1000)
        assert b"at most 1000 bytes" in get(small.ports.http, "/c/")


def test_a_large_body_is_dribbled_only_within_bounds() -> None:
    wide = Limits(total=1 << 30)
    assert refusal("bytes/2000000/dribble/1000", wide).startswith(
        "dribble/1000: the body has 2000000"
    )


def test_an_echo_that_is_dribbled_keeps_the_bounds_too(server: Server) -> None:
    content = b"y" * 12_000
    with dial(server.ports.http) as sock:
        sock.sendall(b"POST /c/echo/dribble/1 HTTP/1.1\r\nContent-Length: 12000\r\n\r\n" + content)
        answer = rest(sock)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"pieces; at most 10000 are sent\n" in answer


def test_many_words_are_read_in_little_time() -> None:
    path = "/".join(["header/a/b"] * 100_000)
    assert len(steps_of(path)) == 3


_numbers = st.one_of(
    st.integers(0, 3000).map(str),
    st.sampled_from(["0.5", "12", "0", "99999999999", "1e9", "-1", "", "0.0000001", "%30"]),
)
_segments = st.one_of(
    st.sampled_from([*WORDS, "fin", "reset", "open", "204", "503", "abc", "Content-Length"]),
    _numbers,
    st.text(
        st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="/?#"), max_size=5
    ),
)
_pairs = st.one_of(
    st.tuples(st.sampled_from(list(WORDS)), _numbers),
    st.tuples(st.just("end"), st.sampled_from(["fin", "reset", "open"])),
    st.tuples(st.sampled_from(["echo", "gzip"])),
    st.lists(_segments, max_size=2),
)
paths = st.lists(_pairs, min_size=1, max_size=6).map(
    lambda parts: "/".join(one for part in parts for one in part)
)


@given(paths, st.booleans())
def test_any_path_is_within_the_limits_or_refused(path: str, head_only: bool) -> None:
    try:
        steps = steps_of(path, head_only=head_only)
    except BadTarget as problem:
        text = str(problem)
        assert text.isprintable()
        assert len(text) < 300
        return
    silence = waits = 0.0
    for step in steps:
        every, delay = getattr(step, "every", 0), getattr(step, "delay", 0)
        pieces = len(list(step.writes())) if isinstance(step, WritingStep) else 0
        silence += delay + every * max(0, pieces - 1) + getattr(step, "seconds", 0)
        waits = max(waits, delay, every, getattr(step, "seconds", 0))
        assert pieces <= 10_000
    assert waits <= LIMITS.wait
    assert silence <= 6 * LIMITS.wait
    sent = b"".join(piece.data for piece in pieces_of(*steps))
    assert len(sent) <= LIMITS.total // 2 + 2000
    assert not (head_only and sent and not sent.endswith(END) and "echo" not in path)


@settings(max_examples=60)
@given(
    paths.map(lambda path: path.replace("12", "0").replace("0.5", "0.01")),
    st.sampled_from(["GET", "HEAD", "POST"]),
)
def test_any_path_is_answered(small_server: Server, path: str, method: str) -> None:
    target = PREFIX + path
    if not is_chain(target):
        return
    with dial(small_server.ports.http) as sock:
        sock.sendall(f"{method} {target} HTTP/1.1\r\n\r\n".encode("latin-1"))
        sock.shutdown(socket.SHUT_WR)
        try:
            answer = rest(sock)
        except ConnectionResetError:
            assert "end/reset" in path
            return
    assert answer.startswith(b"HTTP/1.")
    assert b"the limit" not in get(small_server.ports.http, "/_/transcript/last")


# ---- the page


def test_the_page_lists_every_word_and_example(server: Server) -> None:
    text = body(get(server.ports.http, "/c/")).decode()
    assert text == grammar(Limits())
    assert all(f"  {word}" in text for word in WORDS)
    assert all(f"  {one}\n" in text for one in EXAMPLES)


@pytest.mark.parametrize("path", EXAMPLES)
def test_every_example_is_played(path: str) -> None:
    assert steps_of(path.removeprefix(PREFIX))


def test_an_unknown_name_leads_to_the_page(server: Server) -> None:
    assert b"/c/" in body(get(server.ports.http, "/c/nothing"))


# ---- what the client sent


def echoed(octets: bytes) -> Any:
    return json.loads(body(octets))


def test_an_echo_reports_the_request(server: Server) -> None:
    content = b'{"a": 1}\n'
    with dial(server.ports.http) as sock:
        sock.sendall(
            b"POST /c/echo?q=%C3%A9&q=2 HTTP/1.1\r\nHost: x\r\nA: 1\r\na: \xe9\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n9\r\n" + content + b"\r\n0\r\n\r\n"
        )
        answer = rest(sock)
    assert b"\r\nContent-Type: application/json\r\n" in answer
    facts = echoed(answer)
    assert facts.pop("connection") > 0
    assert facts == {
        "method": "POST",
        "target": "/c/echo?q=%C3%A9&q=2",
        "path": "/c/echo",
        "query": [["q", "é"], ["q", "2"]],
        "version": "HTTP/1.1",
        "headers": [["Host", "x"], ["A", "1"], ["a", "é"], ["Transfer-Encoding", "chunked"]],
        "body": {
            "length": 9,
            "sha256": sha256(content).hexdigest(),
            "text": content.decode(),
            "base64": None,
        },
        "problem": None,
        "tls": None,
    }


def test_an_echo_reports_bytes_that_are_no_text_and_what_is_malformed(server: Server) -> None:
    with dial(server.ports.http) as sock:
        sock.sendall(b"POST /c/echo HTTP/1.1\r\nno colon\r\nContent-Length: 2\r\n\r\n\xff\x00")
        facts = echoed(rest(sock))
    assert facts["body"]["base64"] == "/wA="
    assert facts["body"]["text"] is None
    assert facts["problem"] == "a field line is b'no colon'"


def test_a_large_body_is_reported_by_its_digest(server: Server) -> None:
    content = b"z" * ((1 << 20) + 1)
    with dial(server.ports.http) as sock:
        sock.sendall(
            b"POST /c/echo HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(content) + content
        )
        facts = echoed(rest(sock))["body"]
    assert facts == {
        "length": len(content),
        "sha256": sha256(content).hexdigest(),
        "text": None,
        "base64": None,
    }


def test_an_echo_names_the_connection(server: Server) -> None:
    def numbers(sock: socket.socket) -> int:
        sock.sendall(b"GET /c/echo/end/open HTTP/1.1\r\n\r\n")
        head = b""
        while END not in head:
            head += exactly(sock, 1)
        length = next(one for one in head.splitlines() if one.startswith(b"Content-Length"))
        return int(json.loads(exactly(sock, int(length.partition(b":")[2])))["connection"])

    with dial(server.ports.http) as one, dial(server.ports.http) as other:
        first = numbers(one)
        assert numbers(other) != first
        assert numbers(one) == first


def test_an_echo_is_combined_with_other_words(server: Server) -> None:
    answer = get(server.ports.http, "/c/status/503/echo/gzip/header/A/b")
    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert json.loads(gzip.decompress(body(answer)))["target"].endswith("/A/b")


@pytest.mark.parametrize("version", VERSIONS)
def test_an_echo_reports_the_handshake(server: Server, version: str) -> None:
    context = trusting(server)
    context.minimum_version = context.maximum_version = VERSIONS[version]
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        dial(server.ports.tls) as sock,
        context.wrap_socket(sock, server_hostname="localhost") as tls,
    ):
        tls.sendall(b"GET /c/echo HTTP/1.1\r\n\r\n")
        facts = echoed(rest(tls))["tls"]
        cipher = tls.cipher()
    assert cipher is not None
    assert facts == {
        "version": version,
        "cipher": cipher[0],
        "server_name": "localhost",
        "alpn": "http/1.1",
        "client_certificate": None,
    }


def test_an_echo_reports_the_certificate_of_the_client(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "client.pem"
    file.write_bytes(body(get(server.ports.control, "/_/client.pem")))
    context = trusting(server)
    context.load_cert_chain(file)
    with dial(server.ports.tls) as sock, context.wrap_socket(sock, server_hostname=HOST) as tls:
        tls.sendall(b"GET /c/echo HTTP/1.1\r\n\r\n")
        facts = echoed(rest(tls))["tls"]
    assert facts["server_name"] is None
    assert facts["alpn"] is None
    assert facts["client_certificate"]["subject"]["commonName"] == "client"
    assert facts["client_certificate"]["names"] == ["client@example.test"]
