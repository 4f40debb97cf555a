"""Browsers as clients: a page in them fetches each case, and the kit judges what it reports."""

import contextlib
import os
import select
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner

from certs import CertificateAuthority
from conformance.cases import Case, client_case, load_text
from conformance.cli import main
from conformance.drivers import (
    Browser,
    Implementation,
    UnknownImplementation,
    browser_identity,
    target,
)
from conformance.drivers.clients.channel import Channel, PageLeft, report_in
from conformance.drivers.program import MARK
from conformance.report import read_runs
from conformance.results import Result
from conformance.run import Runner
from conformance.tests.support import BY_ID
from conformance.tests.test_clients import SILENT

BROWSERS = ("chromium", "firefox-esr")
KNOWN = {
    "chunked.two-chunks": "PASS",
    "framing.length.short.5": "PASS",
    "exceptions.bad-status-line.nothing": "PASS",
    "status-codes.205.1-1.registered.get-body": "PASS",
    "framing.content-length.huge.20": "NO_ERROR",
    "status-codes.302.1-1.registered.get-body": "UNSUPPORTED",
}
"""Cases that show what both browsers do, and what a page cannot be shown."""
PAGE = """\
import http.client, json, re, subprocess, sys, time
from urllib.parse import urlsplit

mode, last = sys.argv[1:]
if last == "--version":
    print("Page 1.2.3")
    raise SystemExit

if mode.startswith("leaves:"):
    _, session, *pipes = mode.split(":")
    waits = "import sys; _ = open(sys.argv[1], 'wb'); print(flush=True); open(sys.argv[2]).read()"
    child = subprocess.Popen(
        [sys.executable, "-c", waits, *pipes],
        stdout=subprocess.PIPE,
        start_new_session=session == "own",
    )
    child.stdout.readline()

def sent(method, url, body=None):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    try:
        connection.request(method, parts.path or "/", body)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()

_, page = sent("GET", last)
channel = re.search(rb'CHANNEL = "(.*?)"', page)[1].decode()
origin = last.rstrip("/")

def posted(content=b"", **report):
    head = json.dumps({"number": 0, "origin": origin, **report}).encode()
    return json.loads(sent("POST", channel, head + b"\\n" + content)[1])

def fetched(url):
    try:
        answer, content = sent("GET", url)
    except (OSError, http.client.HTTPException) as error:
        return b"", {"error": {"class": "TypeError", "message": str(error)}}
    fields = [[name, value] for name, value in answer.getheaders()]
    if mode == "odd":
        fields.append(["x", "\\u20ac"])
    return content, {"status": answer.status, "reason": answer.reason, "headers": fields}

order, orders = posted(), 0
while "end" not in order:
    if "url" not in order:
        if "go" in order:
            assert b"CHANNEL" in sent("GET", order["go"])[1]
            origin = order["go"].rstrip("/")
        order = posted()
        continue
    orders += 1
    if mode == "ends" and orders == 3:
        sys.exit(3)
    if mode == "stops" and orders == 3:
        time.sleep(600)
    if mode == "loads-again":
        assert posted() == order
    content, report = fetched(order["url"])
    order = posted(content, number=order["number"], **report)
"""
"""A program that loads the page and does what its script does, so that no browser is needed."""


@pytest.fixture(scope="module")
def authority() -> CertificateAuthority:
    return CertificateAuthority()


@pytest.fixture
def page(tmp_path: Path) -> Callable[[str], Implementation]:
    """Returns the program as a browser, in one of its modes."""
    path = tmp_path / "page.py"
    path.write_text(PAGE, encoding="utf-8")
    return lambda mode: target(f"client:browser:{sys.executable} {path} {mode}")


def verdicts(
    one: Implementation, cases: Iterable[Case], authority: CertificateAuthority, wait: float = 5.0
) -> dict[str, Result]:
    with Runner(one, authority, deadline=wait) as runner:
        runner.examine()
        return {result.id: result for result in runner.run(map(client_case, cases))}


def of(verdicts: Mapping[str, Result]) -> dict[str, str]:
    return {name: str(result.verdict) for name, result in verdicts.items()}


def running(place: Path) -> list[int]:
    """The processes of drivers whose directories are in *place*."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        if f"{MARK}=".encode() in environment and bytes(place) in environment:
            found.append(int(entry.name))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", BROWSERS)
def test_a_browser_is_judged_and_nothing_of_it_remains(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"there is no program {name}")
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    results = tmp_path / "results.jsonl"
    selected = [word for case in KNOWN for word in ("--select", case)]
    words = ["check", f"client:browser:{name}", *selected, "--results", str(results), "-q"]
    outcome = CliRunner().invoke(main, [*words, "--deadline", "5"])
    assert outcome.exit_code == 1, outcome.output
    (run,) = read_runs([results])
    assert {one.id: str(one.verdict) for one in run.results} == KNOWN
    assert run.head.name == name
    assert run.head.version.count(".") >= 1
    assert running(place) == []
    assert list(place.iterdir()) == []


def test_a_page_is_judged_by_what_it_reports(
    page: Callable[[str], Implementation], authority: CertificateAuthority
) -> None:
    names = ("chunked.two-chunks", "framing.length.short.5", "framing.content-length.invalid.empty")
    found = verdicts(page("honest"), [BY_ID[name] for name in names], authority)
    assert of(found) == {names[0]: "PASS", names[1]: "PASS", names[2]: "NO_ERROR"}


def test_a_response_that_never_comes_is_a_hang_and_the_next_case_is_judged(
    page: Callable[[str], Implementation], authority: CertificateAuthority
) -> None:
    silent = SILENT.replace('"reject"', "{ accept = { status = 200 } }")
    cases = [load_text(silent, "silent.toml")[0], BY_ID["chunked.two-chunks"]]
    found = verdicts(page("honest"), cases, authority, wait=1.0)
    assert of(found) == {"clients.silent": "HANG", "chunked.two-chunks": "PASS"}


def test_a_browser_that_ends_is_started_again(
    page: Callable[[str], Implementation], authority: CertificateAuthority
) -> None:
    cases = [BY_ID["chunked.two-chunks"], BY_ID["framing.length.short.5"]]
    found = verdicts(page("ends"), cases, authority)
    assert of(found) == {"chunked.two-chunks": "CRASH", "framing.length.short.5": "PASS"}
    assert "ended with status 3" in found["chunked.two-chunks"].reason


@pytest.mark.parametrize("session", ["its", "own"])
def test_what_a_browser_started_ends_with_it(
    session: str, page: Callable[[str], Implementation], authority: CertificateAuthority
) -> None:
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as opened:
        alive, leash = f"{place}/alive", f"{place}/leash"
        os.mkfifo(alive)
        os.mkfifo(leash)
        held = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)
        opened.callback(os.close, held)
        # A child that is left over ends with this test: nothing more comes out of the pipe.
        opened.callback(os.close, os.open(leash, os.O_RDWR))
        browser = page(f"leaves:{session}:{alive}:{leash}")
        found = verdicts(browser, [BY_ID["chunked.two-chunks"]], authority)
        assert of(found) == {"chunked.two-chunks": "PASS"}
        waiting = select.poll()
        waiting.register(held, 0)  # reports only that the child, which was there, holds it no more
        assert waiting.poll(10_000) == [(held, select.POLLHUP)]


def test_a_page_that_makes_no_request_is_told_and_the_browser_is_started_again(
    page: Callable[[str], Implementation], authority: CertificateAuthority
) -> None:
    cases = [BY_ID["chunked.two-chunks"], BY_ID["framing.length.short.5"]]
    found = verdicts(page("stops"), cases, authority, wait=1.0)
    assert of(found) == {"chunked.two-chunks": "DRIVER_ERROR", "framing.length.short.5": "PASS"}
    assert found["chunked.two-chunks"].reason == "no connection was made in 10 s"


def test_a_page_that_is_loaded_again_gets_its_order_again(
    page: Callable[[str], Implementation], authority: CertificateAuthority
) -> None:
    found = verdicts(page("loads-again"), [BY_ID["chunked.two-chunks"]], authority)
    assert of(found) == {"chunked.two-chunks": "PASS"}


def test_what_is_not_a_byte_is_no_fact(
    page: Callable[[str], Implementation], authority: CertificateAuthority
) -> None:
    with Runner(page("odd"), authority, deadline=5.0) as runner:
        result = runner.run_case(client_case(BY_ID["chunked.two-chunks"]))
    assert result.verdict == "DRIVER_ERROR"
    assert "a character beyond U+00FF is not a byte" in result.reason


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("client:browser:", "no program called ''"),
        ("client:browser:no-such-browser --x", "no program called 'no-such-browser'"),
        ("client:browser:'", "No closing quotation"),
    ],
)
def test_a_command_that_cannot_start_a_browser_is_refused(written: str, problem: str) -> None:
    with pytest.raises(UnknownImplementation, match=problem):
        target(written)


def test_a_program_that_is_no_browser_is_reported_at_once(authority: CertificateAuthority) -> None:
    begun = time.monotonic()
    with Runner(target("client:browser:false"), authority, deadline=5.0) as runner:
        result = runner.run_case(client_case(BY_ID["chunked.two-chunks"]))
    assert result.verdict == "DRIVER_ERROR"
    assert "false ended with status 1" in result.reason
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    ("channel", "reached"),
    [("http://127.0.0.1:9/x", "http://127.0.0.1:9/x"), ("http://[::1]:9/x", "http:")],
)
def test_the_policy_of_a_page_lets_it_reach_its_channel(channel: str, reached: str) -> None:
    identity = browser_identity("client:browser:x", "x", "")
    end: Any = SimpleNamespace(url=channel, origin="")
    browser = Browser(identity, end, end)
    text = browser.page("http://127.0.0.1:8").decode()
    assert f"connect-src 'self' {reached}\"" in text
    assert f'CHANNEL = "{channel}"' in text


# The channel, whose page is not trusted.


@pytest.fixture
def channel() -> Iterable[Channel]:
    one = Channel("127.0.0.1", 30.0)
    yield one
    one.close()


def test_only_the_page_that_was_given_the_address_is_answered(channel: Channel) -> None:
    root = channel.url.rpartition("/")[0]
    for url in (root + "/", root + "/guessed", channel.url + "x"):
        request = Request(url, data=b"{}\n", method="POST")  # the kit's own server
        with pytest.raises(OSError, match="404"):
            urlopen(request, timeout=10)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"number": "1", "origin": ""}', b'{"number": 1}', b"\xff" * 9, b"n" * 10],
)
def test_a_report_in_another_form_is_refused(channel: Channel, body: bytes) -> None:
    request = Request(channel.url, data=body, method="POST")  # the kit's own server
    with pytest.raises(OSError, match="400"):
        urlopen(request, timeout=10)


def test_the_content_of_a_report_is_what_follows_its_first_line() -> None:
    content = os.urandom(100) + b"\n" + os.urandom(100)
    assert report_in(b'{"number": 1, "origin": "o"}\n' + content).content == content


def test_a_page_that_gives_no_sign_has_left() -> None:
    channel = Channel("127.0.0.1", 0.05)
    try:
        with pytest.raises(PageLeft, match="no sign of the page"):
            channel.ask({"url": "http://127.0.0.1:1/"})
        assert channel.left
    finally:
        channel.close()
