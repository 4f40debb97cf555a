"""Golden records: told in few words, told again alike, judged like the live run, and compared."""

import dataclasses
from pathlib import Path
from typing import Any

import click.testing
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.cases import Case, Corpus, client_case, load_corpus
from conformance.cases.casefile import load_text
from conformance.cli import main
from conformance.drivers import Identity, UnknownImplementation, target
from conformance.judge import Observation, Verdict, judge
from conformance.results.golden import (
    Book,
    BookError,
    Recorded,
    judged,
    load_book,
    observed_directory,
    played_for,
    read_book,
    write_book,
)
from conformance.results.golden.codec import Codec
from conformance.results.golden.judging import runs_of
from conformance.results.golden.stable import PORT, Connection, stable_observation
from conformance.results.golden.topic import applied, difference, line
from conformance.results.golden.usual import Heads
from conformance.results.golden.values import Values, lengthened, shortened
from conformance.run import NotRecorded, record
from conformance.run.recorder import key_of
from conformance.tests.support import BY_ID, EVERY

SAMPLE = 30
"""Cases of each implementation that the ordinary suite holds against its records."""


def kit(*args: str, given: bytes = b"") -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, args, input=given, catch_exceptions=False)


# Values in few words.

texts = st.text(st.characters(max_codepoint=0xFF))


@settings(deadline=None)
@given(texts, texts, st.integers(0, 400), st.integers(1, 60))
def test_octets_are_made_again(before: str, pattern: str, times: int, width: int) -> None:
    text = before + (pattern * 70)[:width] * times + before
    assert lengthened(shortened(text)) == text


def test_a_pattern_is_told_once() -> None:
    assert shortened("x" + "ab" * 500_000 + "y") == ["x", {"repeat": "ab", "times": 500_000}, "y"]


def test_what_has_no_pattern_is_told_by_its_digest() -> None:
    noise = "".join(chr((index * index * 7919) >> 3 & 0xFF) for index in range(9_000))
    start, told = shortened(noise)
    assert start == noise[:40]
    assert told["length"] == 9_000


plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.builds(lambda text: {"type": "text", "value": text}, texts),
    st.builds(lambda text: {"type": "bytes", "value": text}, texts),
    st.just({"type": "int", "value": "ffffffffffffffffffff"}),
    st.just({"type": "class", "class": "a.client.HTTPException", "bases": ["builtins.object"]}),
    st.just({"type": "object", "class": "socket.socket", "bases": ["builtins.object"]}),
)
values = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.builds(lambda items: {"type": "tuple", "value": items}, st.lists(inner, max_size=3)),
        st.builds(
            lambda items: {"type": "mapping", "value": [list(item) for item in items]},
            st.lists(st.tuples(inner, inner), max_size=3),
        ),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(values, st.sampled_from(["bytes", "text"]))
def test_values_are_made_again(value: Any, usual: str) -> None:
    both = Values("a.client", True, {})
    assert both.full(both.short(value, usual), usual) == value


def test_the_string_of_python_2_and_what_is_usual_in_python_3_are_told_alike() -> None:
    two, three = Values("httplib", False, {}), Values("http.client", True, {})
    assert two.short({"type": "bytes", "value": "OK"}, "text") == "OK"
    assert three.short({"type": "text", "value": "OK"}, "text") == "OK"
    assert three.short({"type": "bytes", "value": "OK"}, "text") == {"bytes": "OK"}


# What differs from run to run.

CASE = """
family = "framing"
[[case]]
id = "golden.case"
title = "A case"
level = "documented"
spec = ["HTTPResponse.read"]
why = "It is recorded."
respond = "HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello"
[[case.outcome]]
read = "hello"
wire = { request = [["GET / HTTP/1.1\\r\\nHost: ", { address = "server" }, "\\r\\nAccept-Encoding: identity\\r\\n\\r\\n"]] }
[case.fetch]
strength = "must"
expect = [{ accept = { status = 200, body = "hello" } }]
"""  # noqa: E501


def case() -> Case:
    return load_text(CASE, "golden.toml")[0]


def entries(**more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {op.id: {"id": op.id, "value": None} for op in case().ops}
    made["read"] = {"id": "read", "value": {"type": "bytes", "value": "hello"}}
    made["new"] = {"id": "new", "value": klass("http.client.HTTPConnection")}
    made["getresponse"] = {"id": "getresponse", "value": klass("http.client.HTTPResponse")}
    return {**made, **{name: {"id": name, **entry} for name, entry in more.items()}}


def klass(name: str, kind: str = "object") -> dict[str, Any]:
    return {"type": kind, "class": name, "bases": ["builtins.object"]}


def raised(name: str, message: str, *bases: str, **attributes: Any) -> dict[str, Any]:
    facts = {"type": "error", "class": name, "bases": [*bases, "builtins.Exception"]}
    return {"error": {**facts, "message": message, "attributes": attributes}}


def observation(port: int = 41234, **more: Any) -> Observation:
    octets = (
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept-Encoding: identity\r\n\r\n".encode()
    )
    one = Connection((octets,), octets, source="127.0.0.1")
    return Observation(entries(**more), "127.0.0.1", port, (one,))


def codec() -> Codec:
    return Codec(Values("http.client", True, {}))


def test_what_one_would_guess_is_left_out() -> None:
    assert codec().short(case(), stable_observation(observation())) == [{"read": "hello"}]


@pytest.mark.parametrize(
    "more",
    [
        {"isclosed": {"value": True}},
        {"getresponse": {"value": None}},
        {"read": {"skipped": True}},
        {
            "read": raised(
                "http.client.IncompleteRead",
                "IncompleteRead(3 bytes read, 2 more expected)",
                args={"type": "tuple", "value": [{"type": "bytes", "value": "hel"}]},
                partial={"type": "bytes", "value": "hel"},
                expected=2,
            )
        },
        {"read": raised("builtins.ValueError", "a bad value", args={"type": "tuple", "value": []})},
        {"read": raised("some.Odd", "", args={"type": "tuple", "value": [1]})},
    ],
)
def test_an_observation_is_made_again(more: dict[str, Any]) -> None:
    both, seen = codec(), stable_observation(observation(**more))
    told = both.short(case(), seen)
    made = both.full(case(), told)
    assert made == seen
    assert judge(case(), made) == judge(case(), seen)


@pytest.mark.parametrize(
    ("tls", "verdict"), [("TLSv1.3", Verdict.PASS), (None, Verdict.WRONG_VALUE)]
)
def test_a_fetch_over_tls_is_judged_by_what_arrived_inside(
    tls: str | None, verdict: Verdict
) -> None:
    (listed,) = load_corpus().select(["tls.exchange.get"])
    asked = client_case(listed)
    octets = b"GET / HTTP/1.1\r\nHost: 127.0.0.1:50000\r\n\r\n"
    value = {"type": "response", "status": 200, "reason": "OK", "headers": [], "body": "ok"}
    one = Connection((octets,), octets, source="127.0.0.1", tls=tls)
    trace = {"fetch": {"id": "fetch", "value": value}}
    seen = stable_observation(Observation(trace, "127.0.0.1", 50000, (one,)))
    made = codec().full(asked, codec().short(asked, seen))
    assert judge(asked, made).verdict is judge(asked, seen).verdict is verdict


def test_two_runs_are_told_alike() -> None:
    texts = (
        "<object at 0x7fabc123> in /tmp/httplib-kit-abcdef/0 at port 41234",
        "<object at 0x7f123abc> in /tmp/httplib-kit-uvwxyz/0 at port 51423",
    )
    ports = 41234, 51423
    one, two = (
        stable_observation(observation(port, read=raised("builtins.ValueError", text)))
        for port, text in zip(ports, texts, strict=True)
    )
    assert one == two
    assert one.port == PORT


def test_the_lines_of_an_implementation_are_not_told() -> None:
    plain = raised("builtins.ValueError", "no")
    frames = [{"file": "client.py", "line": 3}]
    located = {"error": {**plain["error"], "frames": frames}}
    assert stable_observation(observation(read=located)) == stable_observation(
        observation(read=plain)
    )


def test_the_words_of_a_system_are_not_told() -> None:
    one, two = (
        stable_observation(observation(request=raised("builtins.OSError", text, errno=number)))
        for text, number in (
            ("[Errno 111] Connection refused", 111),
            ("[Errno 111] abgelehnt", 111),
        )
    )
    assert one == two


def test_the_random_octets_of_tls_are_not_told() -> None:
    one, two = (
        stable_observation(
            Observation(entries(), "::1", 1, (Connection((), b"\x16\x03\x01" + end, end),))
        )
        for end in (b"\x16\x03\x01abc", b"\x16\x03\x01xyz")
    )
    assert one == two


def test_the_number_of_octets_that_only_buffers_took_tells_nothing() -> None:
    one, other = (
        stable_observation(
            Observation(entries(), "::1", 1, (Connection((), b"head" + octets, octets),))
        )
        for octets in (b"x" * (3 << 20), b"x" * (4 << 20))
    )
    assert one == other
    assert one.connections[0].received.startswith(b"headx")


# The book.


def recorded(written: str = "http.client", name: str = "http.client", **more: Any) -> Recorded:
    facts = {"version": "3.11.7", "features": ["python3"], **more}
    return Recorded(written=written, name=name, **facts)


def book(*keys: str) -> Book:
    made = Book()
    for key in keys:
        made.put(key, recorded(version=key[2:]), [(case(), [{"read": "hello"}])])
    return made


def test_a_book_is_read_as_it_is_written(tmp_path: Path) -> None:
    corpus, made = (case(),), book("py3.8", "py3.9", "py3.10", "py3.11")
    made.put("py3.12", recorded(version="3.12"), [(case(), "HANG")])
    write_book(tmp_path, made, corpus)
    text = (tmp_path / "golden.json").read_text()
    assert '["py3.8..py3.11",{"read":"hello"}]' in text
    assert '["py3.12","HANG"]' in text
    again = read_book(tmp_path)
    assert again.whole() == made
    write_book(tmp_path, again, corpus)
    assert (tmp_path / "golden.json").read_text() == text


def client_book() -> Book:
    """Return a book of three clients, of which two differ only in their heads and classes."""
    made = Book()
    for key, agent, error in (("one", "a", "OneError"), ("two", "b", "TwoError"), ("six", "c", "")):
        request = f"GET /1 HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nUser-Agent: {agent}\r\n\r\n"
        refused = {"raises": error, "category": "bad-framing"}
        seen = [{"fetch": refused}, [{"requests": [request]}]] if error else "HANG"
        client = recorded(f"client:{key}", key, ops=["fetch"], classes={"OneError": ["Error"]})
        made.put(key, client, [(client_case(case()), seen)])
    return made


def test_clients_that_differ_only_in_what_they_always_do_have_one_observation(
    tmp_path: Path,
) -> None:
    made, corpus = client_book(), (case(),)
    write_book(tmp_path, made, corpus)
    text = (tmp_path / "golden.json").read_text()
    seen = '{"fetch":{"category":"bad-framing"}},[{"requests":["GET /1\\u2026\\r\\n"]}]'
    assert f'["*",{seen}]' in text
    again = read_book(tmp_path)
    assert again.whole() == made
    found = {one.key: one for one in judged(again, case())}
    for key, agent, error in (("one", b"a", "OneError"), ("two", b"b", "TwoError")):
        seen_again = found[key].observation
        assert seen_again is not None
        assert seen_again.trace["fetch"]["error"]["class"] == f"builtins.{error}"
        (request,) = seen_again.connections[0].requests
        assert request.startswith(b"GET /1 HTTP/1.1\r\nHost: 127.0.0.1:50000\r\n")
        assert request.endswith(b"User-Agent: " + agent + b"\r\n\r\n")


def test_a_client_that_is_recorded_further_has_its_usual_heads_from_then_on() -> None:
    made = client_book()
    assert made.implementations["six"].heads == {}
    request = f"GET /1 HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nUser-Agent: c\r\n\r\n"
    refused = {"raises": "SixError", "category": "bad-framing"}
    seen = [{"fetch": refused}, [{"requests": [request]}]]
    made.put("six", made.implementations["six"], [(client_case(case()), seen)], whole=False)
    assert made.seen[case().id]["six"] == made.seen[case().id]["one"]
    assert made.implementations["six"].raises == {"bad-framing": "SixError"}


def asked(*wires: dict[str, Any]) -> list[Any]:
    return [{"1": {"category": "no-response"}}, [*wires]]


FIRST, SECOND = {"requests": ["POST /1"], "after": "gone"}, {"requests": ["GET /2"]}
CUT = [{**FIRST, "received": f"POST /1a{more}", "unread": more} for more in ("b", "bcd")]


@pytest.mark.parametrize(
    ("name", "before", "after", "same"),
    [
        ("session.parallel.again.get", [FIRST, SECOND], [SECOND, FIRST], True),
        ("session.parallel.again.get", [FIRST, SECOND], [SECOND], False),
        ("session.kept.two-gets", [FIRST, SECOND], [SECOND, FIRST], False),
        ("session.cut.upload.post.streamed", CUT[:1], CUT[1:], True),
        ("session.cut.upload.post.streamed", CUT[:1], [{**CUT[0], "received": "POST /1b"}], False),
        ("session.kept.two-gets", CUT[:1], CUT[1:], False),
    ],
)
def test_what_arrives_first_makes_no_difference_from_a_record(
    name: str, before: list[Any], after: list[Any], same: bool
) -> None:
    made, one = Book(), BY_ID[name]
    made.put("one", recorded("client:one", "one", ops=["fetch"]), [(one, asked(*before))])
    assert made.has("one", one, asked(*before))
    assert made.has("one", one, asked(*after)) is same


def test_an_observation_that_is_made_again_changes_its_own_record_only(tmp_path: Path) -> None:
    other = dataclasses.replace(case(), id="golden.other")
    made, corpus = client_book(), (case(), other)
    one = made.implementations["one"]
    made.put("one", one, [(other, made.seen[case().id]["one"])], whole=False)
    write_book(tmp_path, made, corpus)
    before = {path.name: path.read_text().splitlines() for path in tmp_path.iterdir()}
    made.put("one", one, [(other, "CRASH")], whole=False)
    write_book(tmp_path, made, corpus)
    after = {path.name: path.read_text().splitlines() for path in tmp_path.iterdir()}
    assert before["implementations.json"] == after["implementations.json"]
    changed = set(after["golden.json"]) - set(before["golden.json"])
    assert changed == {' ["one","CRASH"]]'}


lines_ = st.text(st.sampled_from("aZ:. \r\n\xff"), max_size=20)


@settings(deadline=None)
@given(st.sampled_from(["GET", "POST", ""]), lines_, lines_, st.sampled_from(["h:1", "h", "", "é"]))
def test_a_request_is_made_again_from_what_is_usual(
    method: str, rest: str, body: str, host: str
) -> None:
    usual = {
        "": " HTTP/1.1\r\nHost: {host}\r\n",
        "POST": " HTTP/1.1\r\nContent-Length: {length}\r\nHost: {host}\r\n",
    }
    heads = Heads(usual)
    length = f"Content-Length: {len(body)}\r\n" if method == "POST" else ""
    for start in ("HTTP/1.1", "HTTP/1.0"):
        text = f"{method} /x {start}\r\n{length}Host: {host}\r\n{rest}\r\n{body}"
        for twice in (text, text * 2):
            assert heads.full(heads.short(twice, "h:1"), "h:1") == twice
    plain = f"{method} /x HTTP/1.1\r\n{length}Host: {host}\r\n\r\n{body}"
    if "HTTP" not in body:
        mark = "\u2026" if host == "h:1" else f"\u2026{host}\u2026"
        assert heads.short(plain, "h:1") == f"{method} /x{mark}\r\n{body}"


scalars = st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.sampled_from(["", "a", "b"]))
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from("abc"), trees, max_size=3)


@settings(deadline=None)
@given(objects, objects)
def test_an_observation_is_made_again_from_its_difference(
    base: dict[str, Any], other: dict[str, Any]
) -> None:
    change = difference(base, other)
    if change is not None:
        assert line(applied(base, change)) == line(other)


def test_a_case_that_changes_loses_what_was_recorded_before(tmp_path: Path) -> None:
    changed = dataclasses.replace(case(), played="0ther")
    made = book("py3.8", "py3.9")
    assert not made.of(changed)
    made.put("py3.9", recorded(), [(changed, "HANG")])
    assert made.of(changed) == {"py3.9": "HANG"}
    write_book(tmp_path, made, (changed,))
    assert '["0ther",' in (tmp_path / "golden.json").read_text()
    write_book(tmp_path, made, ())
    assert [path.name for path in tmp_path.iterdir()] == ["implementations.json"]


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "[]",
        '{"corpus": "x", "cases": {}}',
        '{"cases": {"a": []}}',
        '{"cases": {"a": ["?", ["nobody", {}]]}}',
        '{"cases": {"a": ["?", "py3.8"]}}',
        '{"cases": {"a": [1, ["py3.8", {}]]}}',
    ],
)
def test_a_file_that_is_no_record_is_one_line(tmp_path: Path, text: str) -> None:
    write_book(tmp_path, book("py3.8"), (case(),))
    (tmp_path / "golden.json").write_text(text)
    with pytest.raises(BookError, match=r"golden\.json: ") as caught:
        read_book(tmp_path).whole()
    assert "\n" not in str(caught.value)


def test_only_the_topic_that_is_asked_for_is_read(tmp_path: Path) -> None:
    write_book(tmp_path, book("py3.8"), (case(),))
    (tmp_path / "other.json").write_text("no record")
    kept = read_book(tmp_path)
    assert list(kept.of(case())) == ["py3.8"]
    assert list(kept.unread) == ["other"]


def test_a_record_is_judged_as_the_live_run_is() -> None:
    made = book("py3.8")
    made.put("py3.9", recorded(), [(case(), [{"read": "hell"}])])
    made.put("py3.10", recorded(), [(case(), "CRASH")])
    client = recorded("client:some", "some", ops=["fetch"], features=[])
    made.put("some", client, [(case(), [{"fetch": {"response": [200, "OK", [], "hell"]}}])])
    told = {one.key: one.judgement.verdict for one in judged(made, case())}
    assert told == {
        "py3.8": Verdict.PASS,
        "py3.9": Verdict.WRONG_VALUE,
        "py3.10": Verdict.CRASH,
        "some": Verdict.WRONG_VALUE,
    }


@pytest.mark.parametrize(
    ("identity", "key"),
    [
        (Identity("x", "http.client", "3.11.7", frozenset(), runtime="CPython"), "py3.11"),
        (Identity("x", "httplib", "2.7.3", frozenset(), runtime="Jython"), "jython2.7"),
        (Identity("x", "eventlet.green.http.client", "0.36", frozenset()), "eventlet"),
        (
            Identity("client:node-http", "node", "20", frozenset(), frozenset({"fetch"})),
            "node-http",
        ),
    ],
)
def test_the_key_is_short(identity: Identity, key: str) -> None:
    assert key_of(identity) == key


def test_what_is_not_here_cannot_be_recorded() -> None:
    with pytest.raises(NotRecorded, match="no_such_module"):
        record(target("no_such_module"), [case()])


# The records among the fixtures.


def test_the_records_are_of_this_corpus() -> None:
    assert load_book().whole().played == {one.id: one.played for one in EVERY}


def test_the_records_are_as_they_would_be_written(tmp_path: Path) -> None:
    write_book(tmp_path, load_book(), load_corpus().cases)
    kept = {path.name: path.read_bytes() for path in observed_directory().iterdir()}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept
    assert sum(map(len, kept.values())) < 12_000_000


LIVE = (
    "python2.7:httplib",
    *(f"python3.{minor}:http.client" for minor in (8, 13)),
    "client:urllib.request",
    "client:requests",
    "client:curl",
    "client:node-http",
)
"""One for each kind of record; `make recorded` compares all."""


@pytest.mark.parametrize("written", LIVE)
def test_what_is_recorded_is_what_is_done(written: str) -> None:
    corpus, kept = load_corpus(), load_book()
    (key,) = (key for key, one in kept.implementations.items() if one.written == written)
    # How many octets of a body come before a reset is a matter of time.
    stable_cases = [one for one in corpus.cases if one.id != "faults.early-response.reset"]
    some = [one for one in stable_cases if kept.of(one).get(key, "HANG") != "HANG"]
    sample = some[hash_of(key) % 7 :: max(1, len(some) // SAMPLE)]
    try:
        # None of them has hung: a laden machine must not take a slow runtime for one that does.
        found, facts, seen = record(target(written), sample, deadline=10)
    except (UnknownImplementation, NotRecorded) as error:
        pytest.skip(f"it is not here: {error}")
    if (found, facts.version) != (key, kept.implementations[key].version):
        pytest.skip(f"here is {facts.version}, recorded is {kept.implementations[key].version}")
    # A laden machine can make a difference that is none: what differs is asked once more.
    differing = [one for one, told in seen if kept.stored(key, one, told) != kept.of(one)[key]]
    if differing:
        _, _, seen = record(target(written), differing, deadline=10)
    made = {one.id: kept.stored(key, one, told) for one, told in seen}
    assert made == {one.id: kept.of(one)[key] for one, _ in seen}


def hash_of(key: str) -> int:
    return sum(key.encode())


def test_show_tells_what_was_recorded() -> None:
    kept = load_book()
    if not kept.implementations:
        pytest.skip("nothing is recorded yet")
    name = "framing.no-body-chunked.204"
    shown = kit("show", name).stdout
    assert "recorded" in shown
    for key in kept.of(next(one for one in EVERY if one.id == name)):
        assert f"{key} (" in shown


def test_records_can_be_compared(tmp_path: Path) -> None:
    kept = load_book()
    if "py2.7" not in kept.implementations:
        pytest.skip("2.7 is not recorded yet")
    same = kit("diff", "py2.7", "py2.7")
    assert same.exit_code == 0
    assert "0 of" in same.stdout
    done = kit("diff", "py2.7", "py3.11", "--select", "status-line.*")
    assert done.exit_code == 1
    assert "UNSUPPORTED" in done.stdout
    _, results = runs_of(kept, ["py2.7"], load_corpus())["py2.7"]
    assert len(results) > 4_000
    path = tmp_path / "results.jsonl"
    kit("check", "-q", "--select", "framing.head.*", "--results", str(path))
    assert kit("diff", str(path), str(path)).exit_code == 0
    assert kit("diff", "py2.7", "nobody").exit_code == 2


def test_a_case_that_clients_play_is_shown_without_building_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(Corpus, "_by_script")
    assert "PASS  aiohttp (" in kit("show", "chunked.two-chunks").stdout


def test_what_clients_play_by_the_records_is_what_they_play_by_the_scripts() -> None:
    kept, corpus = load_book(), load_corpus()
    for one in EVERY[::20]:
        by_record, by_scripts = played_for(kept, corpus, one), corpus.played_for(one)
        assert (by_record and by_record.id) == (by_scripts and by_scripts.id), one.id


def test_recording_twice_writes_the_same(tmp_path: Path) -> None:
    args = ("record", "http.client", "--directory", str(tmp_path), "--select", "framing.head.*")
    assert kit(*args).exit_code == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert kit(*args, "-j", "3").exit_code == 0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert kit(*args, "--check").exit_code == 0
    text = before["framing.json"].replace(b'{"', b'{"x": 1, "', 4)
    (tmp_path / "framing.json").write_bytes(text)
    assert kit(*args, "--check").exit_code in (1, 2)


@pytest.mark.parametrize(
    "args", [["record"], ["record", "--all", "x"], ["record", "no_such_module"]]
)
def test_what_cannot_be_recorded_is_one_line(args: list[str], tmp_path: Path) -> None:
    done = kit(*args, "--directory", str(tmp_path))
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1


def test_where_no_record_is_compared_no_case_is_built() -> None:
    unread = iter([BY_ID["chunked.two-chunks"]])
    assert runs_of(load_book(), [], load_corpus(), unread) == {}
    assert len(list(unread)) == 1
