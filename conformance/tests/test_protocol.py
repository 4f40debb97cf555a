"""The driver protocol: its schema is in step, and what goes over the pipes keeps to it."""

import json
import sys
from typing import Any

import jsonschema
import pytest

from certs import CertificateAuthority
from conformance.cases.places import fixtures_directory
from conformance.drivers import Target
from conformance.drivers.clients.starting import KITS
from conformance.drivers.factory import ProgramTarget
from conformance.drivers.program import Program
from conformance.drivers.protocol import NotTheProtocol, answer_in, check_value, checked_trace
from conformance.drivers.schema import SCHEMA_FILE, driver_schema
from conformance.judge import Verdict
from conformance.run import Runner
from conformance.tests.support import EVERY


def validator(name: str) -> Any:
    schema = {**driver_schema(), "anyOf": [{"$ref": f"#/$defs/{name}"}]}
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes]]:
    """What goes over the pipes: `Message` to a driver and `Answer` from it."""
    heard: list[tuple[str, bytes]] = []
    tell, hear = Program.send, Program.receive

    def telling(self: Program, line: bytes) -> None:
        heard.append(("Message", line))
        tell(self, line)

    def hearing(self: Program, patience: float | None = None) -> bytes:
        line = hear(self, patience)
        heard.append(("Answer", line))
        return line

    monkeypatch.setattr(Program, "send", telling)
    monkeypatch.setattr(Program, "receive", hearing)
    return heard


def test_the_committed_schema_is_the_generated_one() -> None:
    committed = (fixtures_directory() / SCHEMA_FILE).read_text(encoding="utf-8")
    assert json.loads(committed) == driver_schema()


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(driver_schema())


def held(lines: list[tuple[str, bytes]]) -> set[str]:
    """Hold *lines* against the schema, without those that only ask for what nobody knows."""
    both = {name: validator(name) for name in ("Message", "Answer")}
    types = set()
    for name, line in lines:
        value = json.loads(line)
        if b"httplib-kit-unknown" not in line:
            both[name].validate(value)
        types.add(value.get("type", "answer"))
    return types


def test_what_a_worker_and_the_kit_say_keeps_to_the_schema(
    lines: list[tuple[str, bytes]],
) -> None:
    corpus = EVERY
    target = Target("http.client", sys.executable, "http.client")
    with Runner(target, CertificateAuthority()) as runner:
        for case in corpus[:: len(corpus) // 60]:
            assert runner.run_case(case).verdict not in (
                Verdict.DRIVER_ERROR,
                Verdict.HARNESS_ERROR,
            )
    assert held(lines) == {"start", "run", "release", "answer"}


def test_what_a_client_says_keeps_to_the_schema(lines: list[tuple[str, bytes]]) -> None:
    command = (sys.executable, str(KITS / "python" / "driver.py"))
    with Runner(ProgramTarget("exec:x", command), CertificateAuthority()) as runner:
        for case in EVERY[::200]:
            runner.run_case(case)
    assert held(lines) == {"start", "run", "release", "answer"}


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        1.5,
        -3,
        [1, [2]],
        {"type": "bytes", "value": "\x00\xff\n"},
        {"type": "text", "value": "€"},
        {"type": "tuple", "value": [{"type": "text", "value": ""}]},
        {"type": "mapping", "value": [[1, 2]]},
        {"type": "int", "value": "-1f"},
        {"type": "float", "value": "nan"},
        {"type": "class", "class": "a.B", "bases": ["c.D"]},
        {"type": "object", "class": "a.B"},
        {"type": "response", "status": 200, "reason": None, "headers": [["a", "b"]], "body": ""},
    ],
)
def test_a_value_is_one_for_the_kit_and_for_the_schema(value: Any) -> None:
    check_value(value, "here")
    validator("Value").validate(value)


@pytest.mark.parametrize(
    "value",
    [
        "bare",
        {"type": "bytes", "value": "€"},
        {"type": "bytes"},
        {"type": "int", "value": "1_0"},
        {"type": "int", "value": "10\n"},
        {"type": "float", "value": "1.0"},
        {"type": "mapping", "value": [[1]]},
        {"type": "object"},
        {"type": "blob", "value": ""},
        {"value": 1},
        [{"type": "tuple", "value": [["x"]]}],
        {"type": "response", "status": "200", "reason": None, "headers": None, "body": ""},
        {"type": "response", "status": 200, "reason": "€", "headers": None, "body": ""},
    ],
)
def test_no_value_is_none_for_the_kit_and_for_the_schema(value: Any) -> None:
    with pytest.raises(NotTheProtocol, match="here"):
        check_value(value, "here")
    assert not validator("Value").is_valid(value)


def test_an_answer_is_known_by_its_serial() -> None:
    assert answer_in(b'{"serial": 7}', 7) == {"serial": 7}
    with pytest.raises(NotTheProtocol, match="message 6, where 7"):
        answer_in(b'{"serial": 6}', 7)


@pytest.mark.parametrize("said", ["true", "1.0", '"1"', "[1]", "null"])
def test_a_serial_is_a_whole_number(said: str) -> None:
    with pytest.raises(NotTheProtocol, match="where 1 was asked"):
        answer_in(f'{{"serial": {said}}}'.encode(), 1)


def test_what_an_entry_leaves_out_is_filled_in() -> None:
    op = {"id": "read", "on": "module", "call": "read"}
    error = {"class": "Broken", "message": ""}
    (entry,) = checked_trace([op], {"serial": 1, "trace": [{"id": "read", "error": error}]})
    assert entry["error"] == {**error, "bases": [], "attributes": {}}


@pytest.mark.parametrize("made", [True, False])
def test_an_op_is_skipped_where_its_argument_was_not_made(made: bool) -> None:
    first = {"id": "a", "on": "module", "call": "f", "as": "thing"}
    other = {"id": "b", "on": "module", "call": "g", "args": [{"type": "ref", "value": "thing.x"}]}
    fact = {"value": 1} if made else {"error": {"class": "E", "message": ""}}
    trace = [{"id": "a", **fact}, {"id": "b", "skipped": True}]
    if made:
        with pytest.raises(NotTheProtocol, match="everything that it needs was made"):
            checked_trace([first, other], {"trace": trace, "serial": 1})
    else:
        assert len(checked_trace([first, other], {"trace": trace, "serial": 1})) == 2
