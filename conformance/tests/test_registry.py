"""The registry of clients: data that is valid, that selects, and that says how to get each."""

from pathlib import Path
from typing import get_args

import pytest

from conformance.drivers import UnknownImplementation, targets
from conformance.drivers.clients.page import page_with_clients
from conformance.drivers.clients.readers import READERS
from conformance.drivers.clients.registry import (
    REGISTRY,
    ErrorTable,
    RegistryError,
    registry,
    registry_in,
)
from conformance.drivers.clients.starting import remedy
from conformance.wording import Category

KNOWN = registry()
TEXT = REGISTRY.read_text(encoding="utf-8")


def test_every_category_of_a_table_is_one_of_the_ten() -> None:
    found = {category for table in KNOWN.errors.values() for _, category in table.rows}
    assert found <= {*get_args(Category), "leak"}
    assert set(get_args(Category)) <= found


@pytest.mark.parametrize("name", KNOWN.client)
def test_a_client_that_can_be_missing_says_how_to_get_it(name: str) -> None:
    is_of_this_python = KNOWN.client[name].driver == "python" and not KNOWN.client[name].module
    assert is_of_this_python or "install" in remedy(name)
    assert KNOWN.client[name].reader in ("", *READERS)


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('driver = "node"', 'driver = "nod"', "client.node-fetch: no driver 'nod'"),
        ('errors = "wget"', 'errors = "w"', "client.wget: no errors.w"),
        ('engine = "undici"', 'motor = "undici"', "unknown field `motor`"),
        ('"no-response"]', '"none"]', "Invalid enum value 'none'"),
        ('driver = "command"\nlanguage = "C"', 'driver = "command"', "client.curl: no language"),
        ('driver = "jdk"', 'driver = "command"\nlanguage = "x"', "client.jdk: `run` is for"),
        ("'(?i)timed? ?out'", "'('", "errors.http-client: missing )"),
        ("[errors.wget]", "[errors.wget", "registry.toml: "),
    ],
)
def test_a_registry_that_is_not_valid_is_one_line_with_its_place(
    before: str, after: str, problem: str
) -> None:
    assert before in TEXT
    with pytest.raises(RegistryError) as raised:
        registry_in(TEXT.replace(before, after, 1))
    assert problem in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("pattern", "some"),
    [
        ("client:all", [f"client:{name}" for name in KNOWN.client]),
        ("client:urllib3*", ["client:urllib3", "client:urllib3-stream"]),
        ("client:engine=undici", ["client:node-fetch"]),
        ("client:language=JAVA", ["client:jdk"]),
        ("client:driver=n*", ["client:node-fetch", "client:node-http"]),
    ],
)
def test_a_pattern_selects_clients_in_the_order_of_the_registry(
    pattern: str, some: list[str]
) -> None:
    found = [one.written for one in targets(pattern)]
    assert set(some) <= set(found)
    assert found == [f"client:{name}" for name in KNOWN.client if f"client:{name}" in found]


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("client:rubby-*", "no client is called 'rubby-*'"),
        ("client:reqests", "no client is called 'reqests'; near names: requests"),
        ("client:engine=undicy", "no client has the engine 'undicy'; near names: undici"),
        ("client:color=red", "clients are not selected by 'color': there are language="),
    ],
)
def test_a_pattern_that_selects_none_is_an_error_in_one_line(pattern: str, problem: str) -> None:
    with pytest.raises(UnknownImplementation) as raised:
        targets(pattern)
    assert str(raised.value).startswith(problem)
    assert len(str(raised.value).splitlines()) == 1


def test_an_error_has_the_category_of_the_first_row_that_matches_it_or_a_cause() -> None:
    table = ErrorTable([("late", "timeout"), ("E: cut", "truncated-body")], families=["E"])
    cut = {"class": "E", "bases": [], "message": "cut"}
    assert table.category(cut) == "truncated-body"
    assert table.category({**cut, "causes": ["F: too late"]}) == "timeout"
    assert table.category({**cut, "message": "odd"}) == ""
    assert table.category({**cut, "class": "F"}) == "leak"
    assert table.category({**cut, "class": "F", "bases": ["E"]}) == ""
    assert table.category({**cut, "class": "F"}, ["F"]) == ""
    assert ErrorTable([], rest="leak").category(cut) == "leak"


def test_the_page_about_clients_is_made_from_the_registry() -> None:
    page = Path(__file__).parents[2] / "docs" / "clients.md"
    text = page.read_text(encoding="utf-8")
    made = page_with_clients(text)
    assert made == text, "python -m conformance.drivers.clients.page docs/clients.md writes it"
    assert all(f"| `{name}` |" in made for name in KNOWN.client)
    with pytest.raises(ValueError, match="clients begin"):
        page_with_clients("no marks")
