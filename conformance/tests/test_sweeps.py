import pytest

from conformance.cases import Case, Cases, SweptCases, sweeps, swept
from conformance.cases.casefile import load_text
from conformance.cases.sweeps import Sweep, swept_count
from conformance.tests.support import CORPUS
from mockserver import Close, Drain, Dribble, ReadRequest, Send

CASE = """
family = "framing"
[[case]]
id = "sweeps.case"
title = "A case"
level = "documented"
spec = ["HTTPResponse.read"]
why = "To be swept."
respond = "hello"
{extra}
[[case.outcome]]
"""


def case_with(extra: str = "") -> Case:
    (case,) = load_text(CASE.format(extra=extra), "test.toml")
    return case


def settings(case: Case, sweep: str) -> list[dict[str, str]]:
    assert sweep in ("each", "product")
    return [dict(varied.setting) for varied in swept(case, sweep)]  # type: ignore[arg-type] # checked above


def varied(case: Case, **setting: str) -> Case:
    return next(one for one in swept(case, "each") if one.setting == setting)


def test_no_sweep_is_the_case_alone() -> None:
    case = case_with()
    assert list(swept(case, "none")) == [case]


def test_each_varies_one_dimension_at_a_time() -> None:
    assert settings(case_with(), "each") == [
        {},
        {"cut": "bytes"},
        {"cut": "steps"},
        {"read_style": "read(1)"},
        {"read_style": "read(7)"},
        {"read_style": "read(amt)"},
        {"end": "rst"},
        {"end": "open"},
        {"reuse": "kept"},
    ]


def test_a_product_has_every_combination_once() -> None:
    found = settings(case_with(), "product")
    assert len(found) == 3 * 4 * 3 * 2
    assert len({tuple(sorted(setting.items())) for setting in found}) == len(found)


def test_a_case_names_the_values_that_make_sense() -> None:
    case = case_with('sweep = { end = ["fin"], cut = ["whole"], reuse = ["fresh"] }')
    assert {key for setting in settings(case, "each") for key in setting} == {"read_style"}


def test_a_dimension_that_changes_nothing_is_left_out() -> None:
    case = case_with('ops = [{ call = "read", args = [3] }]')
    assert {key for setting in settings(case, "each") for key in setting} == {"cut", "end"}


def test_bytes_cuts_every_send() -> None:
    (connection,) = varied(case_with(), cut="bytes").script.connections
    assert connection.steps == (ReadRequest(), Dribble(data=b"hello", size=1), Close(how="fin"))


def test_steps_waits_behind_every_send() -> None:
    (connection,) = varied(case_with(), cut="steps").script.connections
    assert connection.steps == (ReadRequest(), Send(data=b"hello"), Drain(), Close(how="fin"))


def test_a_route_is_cut_as_a_connection_is() -> None:
    routes = 'routes = [{ steps = [{ send = "hello" }] }]\nconnections = [[{ dispatch = {} }]]'
    (loaded,) = load_text(CASE.format(extra=routes).replace('respond = "hello"\n', ""), "test.toml")
    (route,) = varied(loaded, cut="bytes").script.routes
    assert route.steps == (Dribble(data=b"hello", size=1),)


def test_an_open_end_leaves_the_close_out() -> None:
    (connection,) = varied(case_with(), end="open").script.connections
    assert connection.steps == (ReadRequest(), Send(data=b"hello"))


def test_a_reset_comes_when_everything_was_taken() -> None:
    (connection,) = varied(case_with(), end="rst").script.connections
    assert connection.steps[-2:] == (Drain(), Close(how="rst"))


def test_a_read_style_replaces_only_a_read_without_arguments() -> None:
    ops = 'ops = [{ call = "read", args = [3] }, { call = "read" }]'
    case = varied(case_with(ops), read_style="read(7)")
    assert [op.message.get("repeat") for op in case.ops] == [None, None, 7]


def test_the_name_of_a_swept_case_tells_its_setting() -> None:
    assert varied(case_with(), end="rst").name == "sweeps.case@end=rst"


@pytest.mark.parametrize(
    "step", ["{ tunnel = 200 }", "{ reply = { framing = 'close' } }", "{ dribble = 'x' }"]
)
def test_a_step_that_does_more_than_write_is_not_cut(step: str) -> None:
    text = CASE.format(extra="").replace('respond = "hello"', f"connections = [[{step}]]")
    (case,) = load_text(text, "test.toml")
    assert {key for setting in settings(case, "each") for key in setting} == {"read_style"}


def test_a_chunk_is_cut_as_a_send_is() -> None:
    text = CASE.format(extra="").replace('respond = "hello"', "connections = [[{ chunk = 'x' }]]")
    (case,) = load_text(text, "test.toml")
    (connection,) = varied(case, cut="bytes").script.connections
    assert connection.steps == (Dribble(data=b"1\r\nx\r\n", size=1),)


def test_on_a_kept_connection_another_exchange_comes_first() -> None:
    kept = varied(case_with(), reuse="kept")
    (connection,) = kept.script.connections
    first, second, *rest = connection.steps
    assert (first, rest[0]) == (ReadRequest(), ReadRequest())
    assert second == Send(data=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nkept open")
    assert [op.id for op in kept.ops][:5] == [
        "new",
        "kept.request",
        "kept.getresponse",
        "kept.read",
        "request",
    ]


def test_on_a_kept_connection_the_other_request_is_expected_too() -> None:
    text = CASE.format(extra="") + 'wire = { request = ["one"], received = ["one"] }'
    (case,) = load_text(text, "test.toml")
    (outcome,) = varied(case, reuse="kept").outcomes
    assert outcome.wire.request is not None
    assert outcome.wire.received is not None
    kept, one = outcome.wire.request
    assert one == (b"one",)
    assert outcome.wire.received == ((*kept, b"one"),)


@pytest.mark.parametrize(
    "change",
    [
        'new = { args = ["127.0.0.1", 1] }',
        'ops = [{ call = "connect" }, { call = "request", args = ["GET", "/"] }]',
        'ops = [{ call = "request", args = ["GET", "/"] }, { call = "close" }]',
        'ops = [{ call = "request", args = ["GET", "/"] }, { call = "stdout", on = "agent" }]',
        'server = { listener = "refuse" }',
    ],
)
def test_a_case_that_does_not_begin_with_a_request_is_not_reused(change: str) -> None:
    text = CASE.format(extra=change)
    if "refuse" in change:
        text = text.replace('respond = "hello"\n', "")
    (case,) = load_text(text, "test.toml")
    assert not any("reuse" in setting for setting in settings(case, "each"))


def test_a_case_whose_request_is_refused_is_not_reused() -> None:
    text = CASE.format(extra="") + 'request = { raises = "InvalidURL" }'
    (case,) = load_text(text, "test.toml")
    assert not any("reuse" in setting for setting in settings(case, "each"))


@pytest.mark.parametrize("sweep", ["none", "each", "product"])
def test_variations_are_counted_without_building_any(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = Cases(CORPUS.cases.listed[::97], lambda case: case)
    wanted = [sum(1 for _ in swept(case, sweep)) for case in some]
    monkeypatch.setattr(sweeps, "_VARY", {})
    assert [swept_count(case, sweep) for case in some] == wanted
    assert len(SweptCases(some, sweep)) == sum(wanted)
    assert len(SweptCases(some, sweep)[5:]) == sum(wanted) - 5
    assert len(SweptCases(some, sweep)[sum(wanted) + 5 :]) == 0
