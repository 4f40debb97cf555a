"""The architecture document names only what exists."""

import importlib
import re

import pytest

from conformance.cases.places import fixtures_directory
from conformance.tests.test_layering import ROOMS

ROOT = fixtures_directory().parent
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGES = "httplib_impl|mockserver|certs|conformance|benchmarks"
SPANS = sorted(set(re.findall(r"`([^`\n]+)`", TEXT)))
MODULES = sorted({found for one in SPANS for found in re.findall(r"python -m ([\w.]+)", one)})
NAMES = sorted({one for one in SPANS if re.fullmatch(rf"({PACKAGES})(\.\w+)+", one)})
PATHS = sorted({one for one in SPANS if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", one) and "/" in one})
LINKS = sorted(set(re.findall(r"\]\(([^)#:]+)\)", TEXT)))
MOST_WORDS = 40


def exists(name: str) -> bool:
    """Tell whether *name* is a module, or something in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def test_there_is_something_to_look_for() -> None:
    assert min(len(NAMES), len(PATHS)) > 30
    assert MODULES
    assert LINKS
    assert exists("conformance.judge.judge.judge")
    assert not exists("conformance.judge.judge.nothing")
    assert not exists("nothing.at.all")


@pytest.mark.parametrize("name", [*NAMES, *MODULES])
def test_every_name_exists(name: str) -> None:
    assert exists(name)


@pytest.mark.parametrize("path", PATHS)
def test_every_path_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("link", LINKS)
def test_every_link_leads_to_a_file(link: str) -> None:
    assert (ROOT / "docs" / link).exists()


def test_the_glossary_is_short_and_explains_each_word_once() -> None:
    table = TEXT.partition("\n## Words\n")[2].partition("\n## ")[0]
    words = re.findall(r"^\| ([a-z ]+) \|", table, re.MULTILINE)[1:]
    assert 0 < len(words) <= MOST_WORDS
    assert len(words) == len(set(words))


def test_every_room_has_its_row_in_the_order_of_imports() -> None:
    table = TEXT.partition("| room, ")[2].partition("\n\n")[0]
    assert re.findall(r"`conformance/(\w+)`", table) == [one for names in ROOMS for one in names]
