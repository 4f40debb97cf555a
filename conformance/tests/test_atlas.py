"""The atlas: every fact on a page is that of a case or a record, nothing acts, and sizes hold."""

import ast
import dataclasses
import json
import posixpath
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.atlas import site
from conformance.atlas.facts import CODES, FAILING, SIGNS, Entry, Group, columns, entry_of
from conformance.atlas.pages import CasePages
from conformance.atlas.raising import catch_line, catching, line_of
from conformance.atlas.rates import OURS, load_rates
from conformance.atlas.site import environment
from conformance.atlas.tables import Fault, Tables, clustered, plane
from conformance.atlas.wire import Line, events
from conformance.cases.twins import sent_by
from conformance.cli import main
from conformance.drivers.clients import registry
from conformance.judge.verdicts import FAILURES, Verdict
from conformance.report import nearest, visible_text
from conformance.report.roles import roles_of_raw
from conformance.results.golden import Book, judged, load_book
from conformance.results.golden.judging import judged_one
from conformance.tests.support import BY_ID, CORPUS, EVERY, each_kind_once
from conformance.tests.test_reports import NASTY, of_octets
from mockserver import Send

BOOK = load_book()
SOME = [case.id for case in EVERY[::40]]
"""Cases of every family, of the beginning and the end of each grid."""
DRIVERS = Path(__file__).parents[1] / "drivers"
TEMPLATES = Path(__file__).parents[1] / "atlas" / "templates"
KILO, MEGA = 1_000, 1_000_000


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return dict(site(CORPUS, SOME, BOOK))


class Page(HTMLParser):
    """Collects the text of elements by their class, and all tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.bytes: list[str] = []
        self.text: list[str] = []
        self._open: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "link", "input", "br", "wbr", "path", "rect", "circle"):
            self._open.append((tag, str(dict(attrs).get("class"))))
        if ("class", "octets") in attrs:
            self.bytes.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if any(len(kind) > 2 and kind.startswith("r-") for _, kind in self._open):
            self.bytes[-1] += data


def test_every_link_of_the_site_leads_to_a_file_of_it(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        for target in re.findall(r'(?:href|src)="([^"#]+)', text) if name.endswith("html") else ():
            there = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
            assert there in pages or target.startswith("https://"), (name, target)


def test_nothing_is_loaded_from_elsewhere(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        assert not re.search(r'(?:src|action)="(?:https?:)?//|url\(|@import|fetch\(|XMLHttp', text)
        if name.endswith("html"):
            assert "default-src 'none'" in text
            assert not Page(text).attributes & {"style", "onclick", "onload", "onerror"}


@pytest.mark.parametrize("name", SOME[::4])
def test_a_page_has_all_bytes_of_its_case(name: str, pages: dict[str, str]) -> None:
    sent = b"".join(sent_by(BY_ID[name].script))
    if len(sent) < 500 and sent.count(b"\n") < 40 and not BY_ID[name].script.routes:
        found = Page(pages[f"cases/{name}.html"])
        assert of_octets("".join(found.bytes)) == sent


@pytest.mark.parametrize("name", SOME[::3])
def test_a_page_has_what_the_case_and_the_records_say(name: str, pages: dict[str, str]) -> None:
    case = BY_ID[name]
    text = " ".join("".join(Page(pages[f"cases/{name}.html"]).text).split())
    for part in (case.id, case.title, case.why, *(op.text for op in case.ops)):
        assert " ".join(part.split()) in text
    every = columns(BOOK, ())
    found = entry_of(case, BOOK, every, {}, CORPUS.played_for(case))
    rest = found.rest
    assert not rest or f"all other {len(rest)} of {len(found.ran)} clients" in text
    unnamed = {every[index].key for index in rest}
    labels = {one.key: one.label for one in every}
    for one in judged(BOOK, case):
        assert (labels[one.key] in text) or one.key in unnamed
        assert str(one.judgement.verdict) in text


@pytest.mark.parametrize("case", EVERY[::97], ids=lambda case: str(case.id))
def test_the_signs_of_a_case_are_the_verdicts_on_its_records(case: Any) -> None:
    every = columns(BOOK, ())
    found = entry_of(case, BOOK, every, {})
    for index, one in enumerate(every):
        alone = judged_one(BOOK, one.key, case)
        wanted = "-" if alone is None else SIGNS[alone.judgement.verdict]
        assert found.signs[index] == wanted
        if alone is not None:
            group = next(group for group in found.groups if index in group.columns)
            assert group.verdict == alone.judgement.verdict
    assert sorted(index for group in found.groups for index in group.columns) == [
        index for index, sign in enumerate(found.signs) if sign != "-"
    ]


def test_implementations_disagree_where_two_of_one_profile_did_different_things() -> None:
    every = columns(BOOK, ())
    found = [entry_of(case, BOOK, every, {}) for case in EVERY[::97]]
    for one in found:
        done: dict[bool, set[str]] = {False: set(), True: set()}
        for group in one.groups:
            done[every[group.columns[0]].is_client].add(group.essence)
        assert one.disagree == any(len(deeds) > 1 for deeds in done.values())
    assert {one.disagree for one in found} == {True, False}
    groups = [
        Group("PASS", "", "", (), essence, is_client, deed, [at])
        for at, (essence, is_client, deed) in enumerate(
            [("read 'a'", False, "a"), ("accepts", True, "b"), ("rejects", True, "c")]
        )
    ]
    alike, different = (Entry("a", "", "", "", (), None, groups=groups[:end]) for end in (2, 3))
    assert not alike.disagree
    assert different.disagree


def test_the_clients_that_a_page_does_not_name_are_those_of_its_list(pages: dict[str, str]) -> None:
    every = columns(BOOK, ())
    clients = {visible_text(one.label) for one in every if one.is_client}
    lists = dict(
        re.findall(r'<li id="(ran-\d+)">\d+ clients: (.*?)</li>', pages["implementations.html"])
    )
    met = 0
    for name in SOME:
        one = entry_of(BY_ID[name], BOOK, every, {}, CORPUS.played_for(BY_ID[name]))
        rest = {every[index].label for index in one.rest}
        linked = re.findall(
            r"all other (\d+) of <a href=.*?#(ran-\d+)", pages[f"cases/{name}.html"]
        )
        assert [int(number) for number, _ in linked] == ([len(rest)] if rest else [])
        for _, place in linked:
            met += 1
            written = lists[place]
            listed = set(written.removeprefix("all but ").split(", ")) - {"all"}
            ran = clients - listed if written.startswith("all") else listed
            named = {every[at].label for group in one.groups for at in group.columns} - rest
            assert ran - named == rest
    assert met > 20


@pytest.mark.parametrize("case", EVERY[::61], ids=lambda case: str(case.id))
def test_records_that_are_judged_together_are_judged_as_each_alone(case: Any) -> None:
    for one in judged(BOOK, case):
        alone = judged_one(BOOK, one.key, case)
        assert alone is not None
        assert one.judgement == alone.judgement


def test_every_verdict_has_a_sign_and_every_sign_a_colour() -> None:
    assert {str(verdict) for verdict in Verdict} <= set(SIGNS)
    assert {SIGNS[verdict] for verdict in FAILURES} == FAILING
    assert all(len(sign) == 1 for sign in SIGNS.values())
    style = (TEMPLATES / "atlas.css").read_text()
    for code in CODES.values():
        assert re.search(rf"\.v{code}\b", style), code


def test_every_role_has_a_colour() -> None:
    style = (TEMPLATES / "atlas.css").read_text()
    found = {
        span.role
        for case in EVERY[::25]
        for event in events(case, None)
        for line in event.lines
        for span in line.spans
        if span.role
    }
    assert len(found) > 10
    for role in found:
        assert f".r-{role}" in style, role


def test_the_same_input_gives_the_same_bytes(pages: dict[str, str]) -> None:
    assert dict(site(CORPUS, SOME, BOOK)) == pages


@pytest.mark.slow
def test_the_site_has_bounds() -> None:
    """A part stands for the whole: a case of each kind, and every eighth for the mean size."""
    eighth = {case.id for case in EVERY[::8]}
    names = dict.fromkeys([case.id for case in each_kind_once(EVERY)] + sorted(eighth))
    part, total = len(names) / len(EVERY), 0.0
    for name, text in site(CORPUS, list(names), BOOK):
        size = len(text.encode())
        if name.startswith("cases/"):
            assert size < 60 * KILO, name
            total += size * 8 if name[6:-5] in eighth else 0
        elif name == "cases.html":
            assert size / part < 1.5 * MEGA
            total += size / part
        else:
            assert size < {"index.html": 300 * KILO}.get(name, 2 * MEGA)
            total += size
    assert 30 * MEGA < total < 60 * MEGA


# Whatever a case, a record or a result contains is shown, and none of it acts.

TEXTS = st.sampled_from(NASTY) | st.text(max_size=40)


def page_of(octets: bytes, text: str) -> str:
    """Return the page of a case with these bytes, in which all that is text is *text*."""
    case = BY_ID["chunked.size-line.not-hex"]
    (connection,) = case.script.connections
    steps = (connection.steps[0], Send(octets), *connection.steps[2:])
    script = dataclasses.replace(
        case.script, connections=(dataclasses.replace(connection, steps=steps),)
    )
    shown = dataclasses.replace(
        case, title=text, why=text, spec=(text,), origin=(text,), script=script, twin=None
    )
    seen = {"read": {"raises": text, "partial": text}, "isclosed": text}
    book = Book(
        {"py3.13": BOOK.implementations["py3.13"]},
        {case.id: case.played},
        {case.id: {"py3.13": [seen]}},
    )
    every = columns(book, ())
    context = CasePages(CORPUS, {case.id: text}).context(entry_of(shown, book, every, {}))
    return (
        environment()
        .get_template("case.html")
        .render(
            **context,
            root="../",
            here="",
            served=False,
            menu=[],
            kit="",
            corpus="",
            labels=[text],
            files=["a"],
        )
    )


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=120) | TEXTS.map(lambda text: text.encode("utf-8", "replace")), TEXTS)
def test_any_bytes_and_any_text_are_shown_and_do_not_act(octets: bytes, text: str) -> None:
    found = Page(page_of(octets, text))
    assert of_octets("".join(found.bytes)) == octets
    assert found.tags <= Page(page_of(bytes(range(256)), "x")).tags | {"b"}
    assert found.attributes <= Page(page_of(b"a: b", "x")).attributes
    told = "".join(found.text)
    assert all(line.isprintable() for line in told.split("\n"))
    assert visible_text(text) in told


def test_a_long_body_is_shown_by_its_ends() -> None:
    (sent,) = sent_by(BY_ID["large-bodies.cut.1048577"].script)
    body = sent.index(b"\r\n\r\n") + 4
    lines = by_of("large-bodies.cut.1048577", notes=True)
    first, (note, _), (last, _) = lines[:-2], lines[-2], lines[-1]
    assert b"".join(octets for octets, _ in first) == sent[: body + 400]
    assert last == sent[-100:]
    assert note == f"… {len(sent) - body - 500} bytes …".encode()


def test_the_page_of_implementations_has_the_recorded_rates(pages: dict[str, str]) -> None:
    speed = load_rates()
    page = pages["implementations.html"].partition('id="speed"')[2]
    assert f"{speed.rounds} interleaved rounds, measured in one run on {speed.date}" in page
    rows = re.findall(r"<tr><th scope=.row.>(.*?)</th>.*?</svg></td>(.*?)</tr>", page)
    assert {title: re.findall(r"[\d.]+|–", cells) for title, cells in rows} == {
        title: [f"{row[name]:.2f}" if name in row else "–" for name in speed.clients]
        for title, row in speed.rates.items()
    }
    assert all(0 <= place <= 1 for row in speed.rows for place in (row.own, *row.others))
    ours = speed.clients.index(OURS)
    assert all((row.own > 0.5) == ((row.rates[ours] or 0) > 1) for row in speed.rows)


# Which call reads which bytes.


def by_of(name: str, *, notes: bool = False) -> list[tuple[bytes, str]]:
    def octets(line: Line) -> bytes:
        found = b"".join(span.octets for span in line.spans)
        return line.spans[0].note.encode() if notes and not line.spans[0].role else found

    return [(octets(line), line.by) for event in events(BY_ID[name], None) for line in event.lines]


def test_each_response_is_read_by_its_own_calls() -> None:
    found = [by for _, by in by_of("tls.exchange.keep-alive")]
    assert list(dict.fromkeys(found)) == ["getresponse", "read", "getresponse2", "read2"]


def test_the_head_is_read_by_getresponse_and_the_body_by_read() -> None:
    assert by_of("chunked.size-line.not-hex") == [
        (b"HTTP/1.1 200 OK\r\n", "getresponse"),
        (b"Transfer-Encoding: chunked\r\n", "getresponse"),
        (b"\r\n", "getresponse"),
        (b"5\r\n", "read"),
        (b"hello\r\n", "read"),
        (b"zz\r\n", ""),
    ]


@pytest.mark.parametrize("case", EVERY[::31], ids=lambda case: str(case.id))
def test_no_call_reads_bytes_before_those_of_an_earlier_call(case: Any) -> None:
    order = {op.id: index for index, op in enumerate(case.ops)}
    for part in {event.connection for event in events(case, None)}:
        found = [
            order[line.by]
            for event in events(case, None)
            if event.connection == part
            for line in event.lines
            if line.by
        ]
        assert found == sorted(found)


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 204 x\r\n\r\n"]),
)
def test_roles_keep_every_byte(octets: bytes, head: bytes) -> None:
    raw = head + octets
    assert b"".join(piece.data for piece in roles_of_raw(raw)) == raw


@pytest.mark.parametrize(
    ("raw", "excess"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiEXTRA", b"EXTRA"),
        (b"HTTP/1.1 204 x\r\n\r\nEXTRA", b"EXTRA"),
        (b"HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"0\r\n\r\n"),
        (b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nEXTRA", b"EXTRA"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n\r\nall", b""),
        (b"HTTP/1.1 200 OK\r\n\r\nall", b""),
        (b"HTTP/1.1 101 x\r\n\r\nother", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhiX", b""),
    ],
)
def test_what_follows_a_complete_message_is_excess(raw: bytes, excess: bytes) -> None:
    assert b"".join(one.data for one in roles_of_raw(raw) if one.role == "excess") == excess


# Tables.


def test_equal_rows_are_neighbours() -> None:
    rows = ["++", "NN", "++", "N+", "NN", "++"]
    order = clustered(rows)
    assert sorted(order) == list(range(6))
    assert [rows[at] for at in order] == ["++", "++", "++", "N+", "NN", "NN"]


def test_near_members_are_near_on_the_map() -> None:
    distances = [[0, 1, 9, 9], [1, 0, 9, 9], [9, 9, 0, 1], [9, 9, 1, 0]]
    places = plane(distances)

    def apart(one: int, other: int) -> float:
        return sum((a - b) ** 2 for a, b in zip(places[one], places[other], strict=True))

    assert apart(0, 1) < apart(0, 2) / 9
    assert plane(distances) == places
    assert nearest(distances) in ([0, 1, 2, 3], [0, 1, 3, 2], [3, 2, 0, 1], [3, 2, 1, 0])
    assert plane([[0.0]]) == [(0.5, 0.5)]


@pytest.mark.parametrize(
    ("key", "name", "line"),
    [
        (
            "requests",
            "requests.exceptions.ChunkedEncodingError",
            "except requests.exceptions.ChunkedEncodingError:",
        ),
        ("py3.13", "builtins.ConnectionResetError", "except ConnectionResetError:"),
        ("curl", "exit-56", "[ $? -eq 56 ]"),
        ("jdk", "java.io.IOException", "catch (java.io.IOException error)"),
        (
            "node-fetch",
            "TypeError",
            'catch (error) { if (error.name !== "TypeError") throw error; }',
        ),
    ],
)
def test_an_exception_is_caught_in_the_language_of_its_client(
    key: str, name: str, line: str
) -> None:
    column = next(one for one in columns(BOOK, ()) if one.key == key)
    bases = ("builtins.Exception",) if line.startswith("except") else ()
    assert catching(Fault("f", name, bases, "", "a"), column, []).line == line


@pytest.mark.parametrize(
    ("language", "name", "line"),
    [
        ("Ruby", "Excon::Error::Socket", "rescue Excon::Error::Socket"),
        ("PHP", "GuzzleHttp\\Exception\\A", "catch (\\GuzzleHttp\\Exception\\A $error)"),
        ("Perl", "die", ""),
        ("Go", "*url.Error", "if target := *new(*url.Error); errors.As(err, &target)"),
        ("Go", "*errors.errorString", ""),
        ("C", "error", ""),
    ],
)
def test_a_language_without_a_class_for_it_has_no_line(language: str, name: str, line: str) -> None:
    assert catch_line(name, language) == line


@pytest.mark.parametrize(
    ("written", "name", "line"),
    [
        ("client:qt6", "builtins.OSError", ""),
        ("client:qt6", "builtins.ValueError", "except ValueError:"),
        ("client:php-curl", "Exception", ""),
        (
            "client:php-guzzle",
            "GuzzleHttp\\Exception\\A",
            "catch (\\GuzzleHttp\\Exception\\A $error)",
        ),
        ("client:ruby-typhoeus", "Ethon::Errors::EthonError", ""),
        (
            "client:browser:chromium",
            "TypeError",
            'catch (error) { if (error.name !== "TypeError") throw error; }',
        ),
    ],
)
def test_only_what_a_client_raises_itself_is_caught(written: str, name: str, line: str) -> None:
    assert line_of(name, written) == line


def test_every_built_in_class_that_an_adapter_raises_is_named_in_the_registry() -> None:
    text = (DRIVERS / "clients" / "adapters" / "python_packages.py").read_text(encoding="utf-8")
    found = {
        (one.name, f"builtins.{node.exc.func.id}")
        for one in ast.parse(text).body
        if isinstance(one, ast.FunctionDef)
        for node in ast.walk(one)
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and isinstance(node.exc.func, ast.Name)
    }
    clients = {one.adapter or name: one for name, one in registry().client.items()}
    raised = {(name, error) for name, error in found if name in clients}
    assert len(raised) > 2
    assert all(error in clients[name].reported_as for name, error in raised)


def test_no_line_of_a_record_catches_a_class_of_the_kit() -> None:
    lines: set[str] = set()
    for one in BOOK.implementations.values():
        for name in one.classes:
            full = name if "." in name else f"builtins.{name}"
            lines.add(line_of(full.removeprefix("."), one.written))
    assert len(lines) > 100
    assert not [line for line in lines if "NoAnswer" in line]


def test_a_client_that_has_not_answered_in_time_raises_nothing() -> None:
    # Its record has the kit's own class, or only a verdict.
    late: dict[str, str] = {}
    for name, by_key in BOOK.whole().seen.items():
        for key, stored in by_key.items():
            is_client = BOOK.implementations[key].is_client and name in BY_ID
            if is_client and (stored == "HANG" or "NoAnswer" in str(stored)):
                late.setdefault(key, name)
    every = columns(BOOK, ())
    cases = [BY_ID[name] for name in dict.fromkeys(late.values())]
    current = [case for case in cases if BOOK.of(case)]
    assert len(current) > 5
    for case in current:
        entry = entry_of(case, BOOK, every, {}, CORPUS.played_for(case))
        assert "NoAnswer" not in {one.name for one in entry.raised}


def test_a_line_that_catches_more_says_so() -> None:
    column = next(one for one in columns(BOOK, ()) if one.key == "py3.13")
    base = Fault("f", "http.client.BadStatusLine", ("http.client.HTTPException",), "", "a")
    derived = Fault("g", "http.client.RemoteDisconnected", (base.name,), "", "a")
    assert catching(base, column, [base, derived]).also == ["http.client.RemoteDisconnected"]
    assert catching(derived, column, [base, derived]).also == []


# The data and the command.


def unpacked(signs: str) -> str:
    """Return signs as they were before they were packed."""
    return re.sub(r"(\D)(\d+)", lambda same: same[1] * int(same[2]), signs)


def test_the_data_has_every_case_with_a_sign_for_each_column(pages: dict[str, str]) -> None:
    data = json.loads(pages["data.js"].removeprefix("const ATLAS = ").removesuffix(";\n"))
    assert pages["data.js"].isascii()
    assert {row[0] for row in data["rows"]} == set(SOME)
    every = columns(BOOK, ())
    for row in data["rows"]:
        signs, deeds = map(unpacked, data["seen"][row[9]])
        assert len(signs) == len(deeds) == len(data["columns"])
        one = entry_of(BY_ID[row[0]], BOOK, every, {})
        assert (signs, deeds) == (one.signs, one.deeds)
        assert data["family"][row[3]] == BY_ID[row[0]].family


def test_the_command_writes_a_site_and_refuses_what_is_not_one(tmp_path: Path) -> None:
    place = tmp_path / "site"
    done = CliRunner().invoke(main, ["atlas", str(place), "--select", "framing.length.zero"])
    assert done.exit_code == 0, done.output
    assert (place / "cases" / "framing.length.zero.html").is_file()
    again = CliRunner().invoke(main, ["atlas", str(place), "--select", "chunked.empty"])
    assert again.exit_code == 0
    assert not (place / "cases" / "framing.length.zero.html").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a").write_text("kept")
    refused = CliRunner().invoke(main, ["atlas", str(tmp_path / "mine")])
    assert refused.exit_code == 2
    assert (tmp_path / "mine" / "a").read_text() == "kept"
    assert CliRunner().invoke(main, ["atlas", str(place), "--select", "no.such"]).exit_code == 3


# Cases whose script another case has, which clients play in their place.


def test_a_case_that_clients_do_not_play_shows_the_records_of_the_one_that_they_play() -> None:
    case = BY_ID["chunked.trailer-dropped.connection-close.read-amount"]
    played = CORPUS.played_for(case)
    assert played is not None
    assert CORPUS.played_for(played) is None
    every = columns(BOOK, ())
    clients = {one.key for one in judged(BOOK, played) if one.case.profile == "client"}
    assert len(clients) > 10
    one = entry_of(case, BOOK, every, {}, played)
    shown = {every[index].key for group in one.groups for index in group.columns}
    assert clients <= shown
    # No table counts the script twice.
    assert {one.signs[at] for at, column in enumerate(every) if column.key in clients} == {"-"}
    text = dict(site(CORPUS, [case.id, played.id], BOOK))[f"cases/{case.id}.html"]
    assert f'Clients play <a href="{played.id}.html">{played.id}</a> in its place' in text
    for command in (["show", case.id], ["explain", case.id]):
        told = CliRunner().invoke(main, command).stdout
        assert f"clients play {played.id} in its place, which has the same script" in told
        assert "requests (" in told
    done = CliRunner().invoke(main, ["matrix", "curl", "requests", "--select", case.id])
    assert f"clients play one: {played.id}" in done.stderr
    assert played.id in done.stdout


def test_the_first_of_a_family_ran_nearly_all_and_no_two_differ_more_than_is_said(
    pages: dict[str, str],
) -> None:
    every = columns(BOOK, ())
    tables = Tables(every)
    for name in SOME:
        tables.add(entry_of(BY_ID[name], BOOK, every, {}))
    page = pages["implementations.html"].partition('id="families"')[2].partition("</section>")[0]
    within = int(page.partition("in at most ")[2].split()[0])
    at = {one.label: index for index, one in enumerate(every) if one.is_client}
    rows = [re.findall(r">([^<]+)</a>", row) for row in page.split("<li>")[1:]]
    assert len(rows) > 3
    for row in rows:
        group = [at[label] for label in row]
        assert max(map(max, tables.distances(group))) <= within / 100
        judged_counts = [tables.total(one)[1] for one in group]
        assert judged_counts[0] >= 0.95 * max(judged_counts)
