"""The corpus as one JSON document: valid by its schema, and the same as its cases."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from conformance.cases import (
    Accept,
    Cases,
    Octets,
    Reject,
    fixtures_directory,
    key_of_script,
    load_corpus,
    load_script,
    load_text,
    script_key,
)
from conformance.cases.tables import ScriptTable
from conformance.cli import main
from conformance.export import export_lines, exported
from conformance.export.schema import SCHEMA_FILE, export_schema
from mockserver import Recipe

FIRST = {next(iter(part.cases)).id for part in load_corpus().parts}
CASES = load_corpus().every.where(lambda one: one.id in FIRST)
"""A case of each table of the case files, which has all that the others of its grid have."""


def document(cases: Cases = CASES) -> dict[str, Any]:
    text = "".join(export_lines(cases, kit="1.2", corpus="abc"))
    assert text.isascii()
    assert text.count("\n") == len(cases) + 2
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return document()


def octets(notated: Any) -> bytes:
    """Return the bytes that the document states, as its description says."""
    if isinstance(notated, str):
        return notated.encode("latin-1")
    if isinstance(notated, list):
        return b"".join(map(octets, notated))
    return octets(notated["repeat"]) * int(notated["times"])


def test_the_schema_is_that_of_the_types() -> None:
    text = (fixtures_directory() / SCHEMA_FILE).read_text(encoding="utf-8")
    assert json.loads(text) == export_schema()


def test_a_document_is_valid(whole: dict[str, Any]) -> None:
    schema = export_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(whole)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda one: one["client"]["exchanges"][0].pop("strength"), "strength"),
        (lambda one: one["httplib"]["connections"][0]["steps"].append({"chunk": "a"}), "chunk"),
        (lambda one: one["client"].update(more=1), "more"),
        (lambda one: one["client"]["exchanges"][0]["expect"].append({"accept": 1}), "accept"),
        (lambda one: one["client"]["exchanges"][0].update(body="\u0100"), "\u0100"),
        (lambda one: one["client"]["exchanges"][0].update(body={"hex": "00"}), "hex"),
        (lambda one: one["httplib"]["outcomes"][0]["ops"]["read"].pop("value"), "outcomes"),
    ],
)
def test_the_schema_refuses_what_no_document_has(change: Any, where: str) -> None:
    case = load_corpus().case("chunked.two-chunks")
    assert case is not None
    one = json.loads(json.dumps(exported(case)))
    validator = jsonschema.Draft202012Validator({**export_schema(), "$ref": "#/$defs/Case"})
    validator.validate(one)
    change(one)
    with pytest.raises(jsonschema.ValidationError) as refused:
        validator.validate(one)
    assert where in str(refused.value)


def as_hex(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return *steps* with what is sent in another notation, read as the document says."""
    return [{"send": {"hex": octets(one["send"]).hex()}} if "send" in one else one for one in steps]


def script_of(part: dict[str, Any]) -> str:
    """Return the key of the script that *part* of a document describes."""
    server = {key: one for key, one in part["server"].items() if key != "closes_on_request"}
    lists = {
        key: [{**one, "steps": as_hex(one["steps"])} for one in part[key]]
        for key in ("connections", "routes")
    }
    return key_of_script(load_script({"server": server, **lists}, ScriptTable)[1])


def test_the_server_does_what_the_case_says(whole: dict[str, Any]) -> None:
    for case, one in zip(CASES, whole["cases"], strict=True):
        assert (one["id"], one["rev"]) == (case.id, case.rev)
        if "httplib" in one:
            assert script_of(one["httplib"]) == key_of_script(case.script), case.id
        if "client" in one:
            assert script_of(one["client"]) == script_key(case), case.id


def test_a_server_closes_for_a_client_that_asks_but_not_for_httplib() -> None:
    (one,) = document(load_corpus().select(["chunked.two-chunks"]))["cases"]
    closes = {name: one[name]["server"]["closes_on_request"] for name in ("httplib", "client")}
    assert closes == {"httplib": False, "client": True}


def test_without_the_level_precedent_the_page_alone_is_compared() -> None:
    for levels, exact in (("documented", False), ("documented,precedent", True)):
        code, text = run("--select", "requests.*", "--level", levels)
        assert code == 0
        (one, *_) = (one for one in json.loads(text)["cases"] if one["level"] == "documented")
        assert {outcome["exact"] for outcome in one["httplib"]["outcomes"]} == {exact}


def bytes_of(value: Octets) -> bytes:
    return b"".join(bytes(part) for part in value.pieces if isinstance(part, bytes | Recipe))


def results_of(one: Accept | Reject) -> Any:
    if isinstance(one, Reject):
        return list(one.categories)
    return one.status, one.reason and bytes_of(one.reason), one.body and bytes_of(one.body)


def results_in(one: dict[str, Any]) -> Any:
    if "reject" in one:
        return one["reject"]
    parts = {key: octets(one["accept"][key]) for key in ("reason", "body") if key in one["accept"]}
    return one["accept"].get("status"), parts.get("reason"), parts.get("body")


def test_what_a_client_may_do_is_what_the_case_says(whole: dict[str, Any]) -> None:
    compared = 0
    for case, one in zip(CASES, whole["cases"], strict=True):
        assert ("client" in one) is (case.session is not None), case.id
        exchanges = case.session.exchanges if case.session is not None else ()
        for exchange, given in zip(
            exchanges, one.get("client", {"exchanges": ()})["exchanges"], strict=True
        ):
            assert given["strength"] == exchange.fetch.strength
            assert given["arrives"]["most"] == exchange.arrivals.most
            assert given.get("on", {}).get("of") == (exchange.placement and exchange.placement.of)
            assert given.get("ends", {}).get("after") == (exchange.ending and exchange.ending.after)
            assert octets(given.get("body", "")) == exchange.body
            assert [*map(results_in, given["expect"])] == [*map(results_of, exchange.fetch.results)]
            compared += 1
    assert compared > 500


HEAD = """
family = "framing"
[[case]]
id = "mine.head"
title = "A HEAD, and a GET"
level = "documented"
spec = ["HTTPConnection.request"]
why = "w"
connections = [[{ read_request = {} }, { reply = { body = "hello", delay = 0.5 } }]]
ops = [{ call = "request", args = [%r, "/"] }, { call = "getresponse" }]
[[case.outcome]]
"""


def test_a_reply_is_a_send_unless_its_bytes_depend_on_the_request() -> None:
    (asked, got) = (load_text(HEAD % method, "mine.toml")[0] for method in ("HEAD", "GET"))
    steps = exported(asked)["httplib"]["connections"][0]["steps"]
    assert steps[1] == {"reply": {"body": "hello", "delay": 0.5}}
    steps = exported(got)["httplib"]["connections"][0]["steps"]
    assert steps[1:] == [
        {"pause": 0.5},
        {"send": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
    ]


def test_a_case_with_the_script_of_another_does_not_count() -> None:
    listed = load_corpus().select(["chunked.s*", "framing.l*"])
    counting = [
        one["id"] for one in document(listed)["cases"] if one.get("client", {}).get("counts")
    ]
    assert counting == [one.id for one in listed.for_clients().listed]
    assert len(counting) < sum(one.for_clients for one in listed.listed)


def test_many_bytes_are_a_short_text() -> None:
    case = load_corpus().case("session.kept.two-uploads.post")
    assert case is not None
    one = exported(case)
    assert len(json.dumps(one)) < 4096
    assert len(octets(one["client"]["exchanges"][0]["body"])) == 1 << 20


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["export", *arguments])
    return result.exit_code, result.output


def test_a_selection_is_written_to_a_file_or_to_standard_output(tmp_path: Path) -> None:
    code, text = run("--select", "chunked.two-*", "--exclude", "*.two-t*")
    assert code == 0
    assert {one["id"] for one in json.loads(text)["cases"]} >= {"chunked.two-chunks"}
    file = tmp_path / "corpus.json"
    assert run("--select", "chunked.two-*", "--exclude", "*.two-t*", "-o", str(file)) == (0, "")
    assert file.read_text(encoding="ascii") == text


def test_cases_of_a_user_are_written(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(HEAD % "GET", encoding="utf-8")
    code, text = run("--cases", str(file))
    assert code == 0
    assert [one["id"] for one in json.loads(text)["cases"]] == ["mine.head"]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--select", "nothing.*"], 3, "no case is selected"),
        (["--impl", "http.client"], 2, "--impl: only a capture is played by a client"),
        (["--pcap", "chunked.two-chunk"], 2, "no case is called 'chunked.two-chunk'; near names"),
        (["--pcap", "session.kept.two-uploads.post", "--impl", "httplib_impl"], 2, "does not play"),
        (["--pcap", "chunked.two-chunks", "--impl", "client:all"], 2, "names several"),
        (["--select", "chunked.two-chunks", "-o", "/dev/null/x"], 2, "--output: cannot write"),
    ],
)
def test_what_cannot_be_written_is_one_line(arguments: list[str], code: int, text: str) -> None:
    found, output = run(*arguments)
    assert found == code
    assert text in output
    assert output.strip().count("\n") <= 1
