"""Case files: what is taken, and the one line that says why something is not."""

from pathlib import Path
from typing import get_args

import pytest

from certs import CLIENT_CERTIFICATES, SERVER_CERTIFICATES
from conformance.cases import DIMENSIONS, Case, CaseError, build, casefile, load_corpus, words
from conformance.cases.casefile import load_file, load_text
from conformance.cases.model import USUAL
from conformance.cases.octets import fill
from conformance.cases.values import Octets
from mockserver import Close, ReadRequest, Send

HEAD = 'family = "framing"\n'
CASE = """
[[case]]
id = "framing.hello"
title = "A body of five octets"
level = "documented"
spec = ["HTTPResponse.read"]
why = "It is the plainest body."
respond = "HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello"
[[case.outcome]]
read = "hello"
"""


def one(text: str) -> Case:
    (case,) = load_text(HEAD + text, "test.toml")
    return case


def complaint(text: str, head: str = HEAD) -> str:
    with pytest.raises(CaseError) as caught:
        load_text(head + text, "test.toml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_respond_stands_for_one_connection_that_ends_with_a_fin() -> None:
    (connection,) = one(CASE).script.connections
    assert connection.steps == (
        ReadRequest(),
        Send(data=b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
        Close(how="fin"),
    )


def test_without_ops_the_client_gets_and_reads() -> None:
    assert [op.text for op in one(CASE).ops] == [
        "module.HTTPConnection(<address host>, <address port>)",
        "conn.request('GET', '/')",
        "conn.getresponse()",
        "response.read()",
        "response.isclosed()",
    ]


def test_a_bare_value_is_an_expectation() -> None:
    expectation = one(CASE).outcomes[0].ops["read"]
    assert isinstance(expectation.value, Octets)
    assert fill(expectation.value.pieces, "", 0) == b"hello"


def test_a_second_op_of_a_name_is_numbered() -> None:
    ops = 'ops = [{ call = "read", on = "conn" }, { call = "read", on = "conn" }]\n'
    case = one(CASE.replace("[[case.outcome]]", ops + "[[case.outcome]]"))
    assert [op.id for op in case.ops] == ["new", "read", "read2"]


def test_an_op_goes_to_the_latest_response() -> None:
    ops = 'ops = [{ call = "getresponse", as = "first" }, { call = "read" }, { get = "sock" }]\n'
    case = one(CASE.replace("[[case.outcome]]", ops + "[[case.outcome]]"))
    assert [op.message["on"] for op in case.ops] == ["module", "conn", "first", "conn"]


def test_strict_as_a_keyword_is_a_need() -> None:
    new = "new = { kwargs = { strict = true } }\n"
    assert one(CASE.replace("[[case.outcome]]", new + "[[case.outcome]]")).needs == {"strict"}


def test_an_unknown_key_is_told_where_it_belongs() -> None:
    said = complaint(CASE.replace("why =", 'raises = "X"\nwhy ='))
    assert said.startswith("test.toml: framing.hello: ")
    assert "unknown key `raises`" in said
    assert "an outcome" in said


def test_a_step_among_the_keys_of_a_case_is_told_where_it_belongs() -> None:
    assert "`connections`, as a step" in complaint(CASE.replace("why =", "stall = {}\nwhy ="))


def test_a_missing_key_is_named() -> None:
    assert "why" in complaint(CASE.replace('why = "It is the plainest body."', ""))


def test_an_outcome_for_an_unknown_op_is_named() -> None:
    said = complaint(CASE.replace('read = "hello"', 'raed = "hello"'))
    assert "outcome[0]" in said
    assert "`raed`" in said


def test_an_unknown_exception_is_named() -> None:
    said = complaint(CASE.replace('read = "hello"', 'read = { raises = "IncompletRead" }'))
    assert "outcome[0].read.raises" in said
    assert "`IncompletRead`" in said


def test_an_unknown_step_is_named() -> None:
    text = CASE.replace("respond =", "connections = [[{ sned = '' }]]\n#")
    assert "connections[0][0]: no step is called `sned`" in complaint(text)


def test_a_wrong_type_in_a_step_is_named() -> None:
    text = CASE.replace("respond =", "connections = [[{ pause = { seconds = 'x' } }]]\n#")
    assert "connections[0][0].pause" in complaint(text)


def test_a_step_after_close_is_refused() -> None:
    text = CASE.replace("respond =", "connections = [[{ close = 'fin' }, { send = 'x' }]]\n#")
    assert "connections" in complaint(text)


def test_respond_beside_connections_is_refused() -> None:
    assert "respond" in complaint(CASE.replace("respond =", "connections = []\nrespond ="))


def test_a_bad_escape_is_told_with_its_line() -> None:
    said = complaint(CASE.replace("\\r\\n\\r\\nhello", "\\q"))
    assert said.startswith("test.toml: is not TOML:")
    assert "line 9" in said


def test_a_character_beyond_an_octet_is_told_with_its_field() -> None:
    assert "test.toml: framing.hello: respond:" in complaint(CASE.replace("OK", "\u20ac"))


@pytest.mark.parametrize("name", ["hello", "Framing.Hello", "framing..hello", "framing.hello."])
def test_an_id_is_a_dotted_slug(name: str) -> None:
    assert "dotted slug" in complaint(CASE.replace("framing.hello", name))


def test_a_title_is_a_fact() -> None:
    assert "fact" in complaint(CASE.replace("A body of", "It should have"))


def test_a_long_title_is_refused() -> None:
    assert "70" in complaint(CASE.replace("A body of five octets", "x" * 71))


def test_a_tolerated_outcome_says_why() -> None:
    said = complaint(CASE.replace('read = "hello"', 'grade = "tolerated"\nread = "hello"'))
    assert "basis" in said


def test_a_judged_case_has_an_outcome() -> None:
    said = complaint(CASE[: CASE.index("[[case.outcome]]")])
    assert said.endswith("outcome: a case that is judged has at least one outcome")


def test_an_unknown_family_is_refused() -> None:
    assert complaint(CASE, 'family = "frames"\n').startswith("test.toml: ")


def test_two_cases_with_one_id_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(HEAD + CASE)
    (tmp_path / "b.toml").write_text(HEAD + CASE)
    with pytest.raises(CaseError, match=r"b\.toml: framing\.hello: id: .*a\.toml"):
        load_corpus(tmp_path).select()


def test_two_cases_with_one_title_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(HEAD + CASE + CASE.replace("framing.hello", "framing.other"))
    with pytest.raises(CaseError, match=r"framing\.other: title"):
        load_corpus(tmp_path).select()


def test_an_empty_directory_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="no case files"):
        load_corpus(tmp_path)


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"# \xff")
    with pytest.raises(CaseError, match=r"a\.toml: is not UTF-8"):
        load_file(tmp_path / "a.toml")


def test_the_digest_follows_the_files(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(HEAD + CASE)
    before = load_corpus(tmp_path).digest
    assert load_corpus(tmp_path).digest == before
    (tmp_path / "a.toml").write_text(HEAD + CASE.replace("plainest", "simplest"))
    assert load_corpus(tmp_path).digest != before
    (tmp_path / "a.toml").write_text(HEAD + CASE)
    (tmp_path / "a.toml").rename(tmp_path / "b.toml")
    assert load_corpus(tmp_path).digest != before


def test_what_is_played_is_known_by_a_digest_that_words_do_not_change() -> None:
    played = one(CASE).played
    assert len(played) == 8
    assert one(CASE.replace("plainest", "simplest").replace("documented", "guard")).played == played
    assert one(CASE.replace('read = "hello"', 'read = "jello"')).played == played
    for changed in (
        CASE.replace("\\nhello", "\\njello"),
        CASE.replace("[[case.outcome]]", 'ops = [{ call = "connect" }]\n[[case.outcome]]').replace(
            'read = "hello"', ""
        ),
        CASE.replace("[[case.outcome]]", "new = { kwargs = { timeout = 3 } }\n[[case.outcome]]"),
        CASE + '[case.fetch]\nstrength = "may"\nexpect = ["reject"]\nmay_wait = true\n',
    ):
        assert one(changed).played != played


def test_levels_and_globs_select(tmp_path: Path) -> None:
    other = CASE.replace("framing.hello", "chunked.x").replace("A body", "Another body")
    (tmp_path / "a.toml").write_text(HEAD + CASE + other.replace("documented", "guard"))
    corpus = load_corpus(tmp_path)
    assert [case.id for case in corpus.select(["framing.*"])] == ["framing.hello"]
    assert [case.id for case in corpus.select(levels=["guard"])] == ["chunked.x"]


def with_ops(ops: str) -> str:
    return CASE.replace("[[case.outcome]]", f"ops = [{ops}]\n[[case.outcome]]").replace(
        'read = "hello"', "new = { any = true }"
    )


@pytest.mark.parametrize(
    ("ops", "problem"),
    [
        ('{ call = "x", on = "nobody" }', "ops[0].on: no earlier op makes `nobody`"),
        ('{ call = "x", on = "later" }, { call = "y", as = "later" }', "ops[0].on"),
        ('{ call = "x", args = [[{ ref = "nobody.x" }]] }', "ops[0]: ref: no earlier op"),
        ('{ call = "x", as = "module" }', "ops[0].as: `module`"),
        ('{ call = "x", id = "wire" }', "ops[0].id: the id `wire` is reserved in outcomes"),
        ('{ call = "x", id = "when" }', "ops[0].id: the id `when` is reserved in outcomes"),
        ('{ call = "x", id = "a" }, { call = "y", id = "a" }', "ops[1].id: the id `a` is taken"),
        ('{ call = "x" }, { call = "y", id = "x" }', "ops[1].id: the id `x` is taken"),
        ('{ call = "x", id = "new" }', "ops[0].id: the id `new` is taken"),
        ('{ call = "x", get = "y" }', "exactly one of call, get, set and item"),
        ("{ args = [1] }", "exactly one of call, get, set and item"),
        ('{ set = "x" }', "`value` goes with `set`"),
        ('{ call = "x", value = 1 }', "`value` goes with `set`"),
        ('{ get = "x", args = [1] }', "only a call has `args`"),
        ('{ call = "x", args = [{ text = "a", bytes = "b" }] }', "exactly one of"),
        ('{ call = "x", args = [{ text = "a", seek = 1 }] }', "`seek` does not go with `text`"),
        ('{ call = "x", as = "" }', "ops[0].as"),
        ('{ call = "" }', "ops[0].call"),
        ('{ call = "x", id = "" }', "ops[0].id"),
        ('{ call = "x", args = [{ mapping = [["a"]] }] }', "ops[0].args[0].mapping[0]"),
        ('{ call = "x", args = [{ mapping = [["a", "b", "c"]] }] }', "mapping[0]"),
        ('{ call = "x", args = [{ none = false }] }', "`none` is true"),
        ('{ call = "x", args = [{ cert = "nope" }] }', "ops[0].args[0].cert"),
        ('{ call = "x", args = [{ open = "a", mode = "zz" }] }', "ops[0].args[0].mode"),
        ('{ call = "x", args = [{ array = "a", typecode = "??" }] }', "ops[0].args[0].typecode"),
        ('{ call = "x", args = [{ open = "a", seek = -4 }] }', "ops[0].args[0].seek"),
        ('{ call = "x", args = [{ bytes = "\\u20ac" }] }', "ops[0].args[0]: the character"),
        ('{ call = "x", args = [nan] }', "ops[0].args[0]: a number is finite"),
        ('{ call = "x", args = [18446744073709551616] }', "ops[0].args[0]: a number has"),
        ('{ call = "x", args = [2020-01-01] }', "ops[0].args[0]: a case has no use for a date"),
        ('{ call = "x", args = [' + "[" * 30 + "]" * 30 + "] }", "nested more than"),
    ],
)
def test_an_op_that_cannot_be_meant_is_refused(ops: str, problem: str) -> None:
    said = complaint(with_ops(ops))
    assert said.startswith("test.toml: framing.hello: ")
    assert problem in said


@pytest.mark.parametrize(
    ("outcome", "problem"),
    [
        ('read = { value = { text = "a", bytes = "b" } }', "a value is exactly one of"),
        ('read = { value = { matches = "(" } }', "not a regular expression"),
        ('when = { cut = ["wholee"] }', "outcome[0].when.cut[0]: Invalid enum value 'wholee'"),
        ("when = { cut = [] }", "outcome[0]"),
        ("read = { raises = [] }", "outcome[0].read"),
        ('when = { cut = ["bytes"] }', "outcome: each is limited by `when`"),
        ("read = { any = false }", "outcome[0].read: `any` is true"),
        ("read = { value = { none = false } }", "outcome[0].read.value: `none` is true"),
        ('read = { any = true, partial = "he" }', "outcome[0].read: `partial`"),
        ('read = { value = "x", partial = "he" }', "outcome[0].read: `partial`"),
        ('read = { value = "x", raises = "OSError" }', "exactly one of"),
        ('read = { value = { mapping = [["a"]] } }', "outcome[0].read.value.mapping[0]"),
        ("read = inf", "outcome[0].read: a number is finite"),
        ("read = 99999999999999999999999", "outcome[0].read: a number has at most 64 bits"),
        ('basis = "rfc"', "basis"),
        ("wire = { connections = -1 }", "outcome[0].wire.connections"),
        ("wire = { left = [-1] }", "outcome[0].wire.left[0]"),
        ('wire = { connections = 1, after = ["kept", "kept"] }', "outcome[0].wire: `after` has 2"),
    ],
)
def test_an_outcome_that_cannot_be_meant_is_refused(outcome: str, problem: str) -> None:
    said = complaint(CASE.replace('read = "hello"', outcome))
    assert said.startswith("test.toml: framing.hello: ")
    assert problem in said


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('needs = ["strickt"]', "needs[0]: "),
        ("sweep = { end = [] }", "sweep.end: "),
        ('fetch = { strength = "must", expect = [] }', "fetch.expect: "),
        ("rev = 0", "rev: "),
        ('twin = ""', "twin: "),
    ],
)
def test_a_key_that_says_nothing_is_refused(line: str, problem: str) -> None:
    assert problem in complaint(CASE.replace("respond =", f"{line}\nrespond ="))


def test_an_outcome_that_no_sweep_plays_is_refused() -> None:
    text = CASE.replace("respond =", 'sweep = { cut = ["whole"] }\nrespond =')
    other = '\n[[case.outcome]]\nwhen = { cut = ["bytes"] }\n'
    assert "outcome[1].when.cut: the case's `sweep` never plays `bytes`" in complaint(text + other)


@pytest.mark.parametrize(
    "step", ['starttls = "nope"', 'tls_fault = { kind = "alert", cert = "x" }']
)
def test_a_server_has_a_certificate_of_the_authority(step: str) -> None:
    text = CASE.replace("respond =", f"connections = [[{{ {step} }}]]\n#")
    assert "cert: Invalid enum value" in complaint(text)


@pytest.mark.parametrize("title", ["x\\ny", "x\\u001b[31m", " ", "x "])
def test_a_title_is_one_printable_line(title: str) -> None:
    said = complaint(CASE.replace("A body of five octets", title))
    assert "framing.hello: title: " in said


def test_an_id_of_two_lines_is_told_in_one() -> None:
    said = complaint(CASE.replace("framing.hello", "a\\nb\\u001b"))
    assert said.startswith("test.toml: a b\\x1b: id: ")


@pytest.mark.parametrize(
    "respond",
    [
        '{ repeat = "a", times = 99999999999999 }',
        '{ repeat = "a", times = -4 }',
        '{ file = "../x" }',
    ],
)
def test_octets_that_cannot_be_had_are_refused(respond: str) -> None:
    assert "framing.hello: respond" in complaint(
        CASE.replace("respond = ", f"respond = {respond} #")
    )


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 3000 + "]" * 3000])
def test_what_python_cannot_read_is_a_complaint_about_the_file(value: str) -> None:
    assert complaint(CASE.replace('"hello"', value)).startswith("test.toml: is ")


@pytest.mark.parametrize(
    "error", [ValueError, TypeError, RecursionError, OverflowError, MemoryError]
)
def test_what_no_rule_has_foreseen_names_the_case(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> Case:
        raise error("two\nlines")

    monkeypatch.setattr(build, "build_case", fails)
    assert complaint(CASE) == f"test.toml: framing.hello: {error.__name__}: two lines"


def test_the_certificates_are_those_of_the_authority() -> None:
    assert get_args(words.ServerCertificate) == SERVER_CERTIFICATES
    assert get_args(words.ClientCertificate) == CLIENT_CERTIFICATES


def test_the_features_are_those_that_the_agent_can_find() -> None:
    source = (Path(casefile.__file__).parents[1] / "drivers" / "agent.py").read_text("utf-8")
    assert not [name for name in get_args(words.Feature) if f'"{name}"' not in source]


def test_the_dimensions_are_those_of_the_sweeps() -> None:
    literals = {
        "cut": words.Cut,
        "read_style": words.ReadStyle,
        "end": words.End,
        "reuse": words.Reuse,
    }
    assert {key: get_args(literal) for key, literal in literals.items()} == DIMENSIONS
    assert {key: values[0] for key, values in DIMENSIONS.items()} == USUAL


GRID = """
[[grid]]
id = "grid.strict.{strict}"
title = "Strict: {strict}"
level = "documented"
spec = ["HTTPConnection.strict"]
why = "The calls are the same in each case, and their objects are not."
respond = "x"
new = { kwargs = { strict = { hole = "strict" } } }
axes.strict = [{ name = "off", value = false }, { name = "on", value = true }]
[[grid.outcome]]
"""


def test_the_cases_of_a_grid_share_no_call_that_differs() -> None:
    off, on = load_text(HEAD + GRID, "test.toml")
    assert off.ops[0].message["kwargs"] == {"strict": False}
    assert on.ops[0].message["kwargs"] == {"strict": True}
    assert {off.authored, on.authored} == {"grid.strict.{strict}"}


def test_a_grid_is_plain_too() -> None:
    said = complaint(GRID.replace("value = true", "value = nan"))
    assert said.startswith("test.toml: grid.strict.{strict}: axes.strict[1].value: a number is fin")
