"""The atlas in a real browser: the system's Chromium, without a window and without a network.

Every test fails at an error on the console and at any request that is not for a file of the site.
"""

import importlib.util
import json
import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from conformance.atlas import site
from conformance.atlas.facts import FAILING
from conformance.atlas.wire import events
from conformance.report import read_runs
from conformance.reproduce import Ports
from conformance.results.golden import load_book
from conformance.serve import Playground, Server
from conformance.tests.conftest import made_once
from conformance.tests.support import BY_ID, CORPUS, EVERY
from conformance.tests.test_atlas import unpacked

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), ""
)
MISSING = [
    name
    for name, there in (
        ("playwright", importlib.util.find_spec("playwright")),
        ("axe-playwright-python", importlib.util.find_spec("axe_playwright_python")),
        ("a Chromium on the path", CHROMIUM),
    )
    if not there
]
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}: the extra `browser`"),
    pytest.mark.slow,
]

CASE = "chunked.size-line.not-hex"
NAMES = [CASE, "chunked.two-chunks", *(case.id for case in EVERY[::60])]
KINDS = {
    "start": "index.html",
    "cases": "cases.html#family=headers",
    "case": f"cases/{CASE}.html",
    "implementations": "implementations.html",
    "implementation": "by/py3.13.html",
    "client": "by/requests.html",
    "matrix": "matrix.html",
    "map": "map.html",
    "compare": "compare.html",
    "requirements": "requirements.html",
    "open": "open.html",
}
BY_COLOUR = ("color-contrast", "link-in-text-block")
LOOKS: tuple[tuple[int, str, dict[str, object]], ...] = (
    (390, "light", {"rules": {name: {"enabled": False} for name in BY_COLOUR}}),
    (1280, "light", {}),
    (1280, "dark", {"runOnly": BY_COLOUR}),
)
"""Widths and schemes, and the rules of axe-core that each is held against.

No style is for a small window and a scheme together: what a small window changes are places, and
what it hides a large one shows.  Contrasts are most of what axe-core costs.
"""
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, in a directory."""

    def make(place: Path) -> None:
        for name, text in site(CORPUS, NAMES, load_book()):
            (place / name).parent.mkdir(exist_ok=True, parents=True)
            (place / name).write_text(text, encoding="utf-8")

    return made_once(tmp_path_factory, "site", make)


@pytest.fixture(scope="module")
def data(there: Path) -> Any:
    text = (there / "data.js").read_text(encoding="utf-8")
    found = json.loads(text.removeprefix("const ATLAS = ").removesuffix(";\n"))
    for row in found["rows"]:  # as the script does
        row[9:10] = map(unpacked, found["seen"][row[9]])
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Without a user of its own, as in a container, Chromium cannot make its sandbox.
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(browser: Any) -> Any:
    """What pages are opened in: they share the program that shows them, but no session."""
    return browser.new_context(viewport={"width": 1280, "height": 900})


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The address of a server of all cases."""
    with Server(CORPUS, Ports("127.0.0.1", 0, 0, 0, 0)) as server:
        yield f"http://127.0.0.1:{server.ports.http}"


@pytest.fixture
def show(pages: Any, there: Path) -> Iterator[Open]:
    """Opens a page of the site; afterwards, nothing has gone wrong in it."""
    yield from opener(pages, there.as_uri())


@pytest.fixture
def visit(pages: Any, served: str) -> Iterator[Open]:
    """Opens a page of the server; afterwards, nothing has gone wrong in it."""
    yield from opener(pages, served)


def opener(pages: Any, root: str) -> Iterator[Open]:
    wrong: list[str] = []
    close: list[Callable[[], None]] = []

    def opened(name: str, **options: Any) -> Any:
        context = pages.browser.new_context(**options) if options else pages
        page = context.new_page()
        close.extend([page.close, *([context.close] if options else ())])
        page.on("console", lambda said: wrong.append(said.text) if said.type != "log" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on("request", lambda one: wrong.extend(elsewhere(one.url, root)))
        page.goto(f"{root}/{name}")
        return page

    yield opened
    for each in close:
        each()
    assert wrong == []


def abroad(url: str) -> list[str]:
    return [] if url.startswith(("http://127.0.0.1:", "data:")) else [url]


def elsewhere(url: str, root: str) -> list[str]:
    return [] if url.startswith(f"{root}/") else [url]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_page_is_accessible_and_fits(kind: str, show: Open) -> None:
    is_accessible_and_fits(show(KINDS[kind]))


def is_accessible_and_fits(page: Any) -> None:
    """Fail at what axe-core objects to, with the first elements that it names."""
    from axe_playwright_python.sync_playwright import Axe

    for width, scheme, rules in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
        # Without `resultTypes`, every element that passes is described as well.
        options = {"preload": False, "resultTypes": ["violations"], **rules}
        found = Axe().run(page, options=options).response
        assert found["passes"], "the rules were applied"
        objections = [
            (one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found["violations"]
        ]
        assert objections == [], (width, scheme)


def count(page: Any) -> int:
    return int(page.locator("#count").inner_text().split()[0])


def test_a_filter_is_in_the_address_and_an_address_is_a_filter(show: Open) -> None:
    page = show("cases.html")
    assert count(page) == len(NAMES)
    page.select_option("#f-family", "headers")
    wanted = [name for name in NAMES if BY_ID[name].family == "headers"]
    assert count(page) == len(wanted)
    assert page.url.endswith("#family=headers")
    page.check("input[name=disagree]")
    both = count(page)
    assert 0 < both < len(wanted)
    page.reload()
    assert count(page) == both
    assert page.is_checked("input[name=disagree]")
    page.click("button[type=reset]")
    page.wait_for_function(
        f"document.querySelector('#count').textContent.startsWith('{len(NAMES)} ')"
    )


@pytest.mark.parametrize(
    ("words", "case"),
    [
        (CASE, CASE),
        ("not hexadecimal", CASE),
        ("hello zz", CASE),
        ("rfc9112#7.1 incompleteread", CASE),
    ],
)
def test_a_search_finds_ids_titles_exceptions_sections_and_bytes(
    words: str, case: str, show: Open
) -> None:
    page = show(f"cases.html#q={quote(words)}")
    assert page.locator(f"#rows a[href='cases/{case}.html']").count() == 1
    assert count(page) < len(NAMES)
    page.fill("#f-q", "no such words anywhere")
    assert count(page) == 0


def test_the_search_of_the_start_page_leads_to_what_it_finds(show: Open) -> None:
    page = show("index.html")
    page.fill("#q", "chunked")
    page.press("#q", "Enter")
    page.wait_for_url("**/cases.html?q=chunked*")
    assert page.input_value("#f-q") == "chunked"
    assert 0 < count(page) < len(NAMES)


@pytest.mark.parametrize("key", ["py3.13", "aria2"])
def test_the_failures_of_an_implementation_are_those_of_the_records(
    key: str, show: Open, data: Any
) -> None:
    column = [one[0] for one in data["columns"]].index(key)
    wanted = sum(row[9][column] in FAILING for row in data["rows"])
    page = show(f"cases.html#by={key}&verdict=failing")
    assert count(page) == wanted > 0
    assert page.locator("#rows li").count() == min(wanted, 100)


def test_failures_come_first(show: Open) -> None:
    page = show("cases.html")
    signs = page.locator("#rows li").evaluate_all(
        "rows => rows.map(row => row.querySelector('.strip').textContent)"
    )
    failing = [sum(sign in FAILING for sign in one) for one in signs]
    assert failing == sorted(failing, reverse=True)
    heights = page.locator("#rows li").evaluate_all("rows => rows.map(row => row.offsetHeight)")
    assert max(heights) < 300, "the title has no room next to the signs"
    assert failing[0] > 3


def test_the_player_steps_through_the_exchange(show: Open) -> None:
    steps = events(BY_ID[CASE], None)
    page = show(f"cases/{CASE}.html")
    said = page.locator(".player [role=status]")
    for number, event in enumerate(steps, 1):
        page.keyboard.press("ArrowRight")
        assert said.inner_text().startswith(f"{number} of {len(steps)}: {event.who} {event.text}")
    page.keyboard.press("ArrowRight")
    assert page.url.endswith(f"#step={len(steps)}")
    page.keyboard.press("ArrowLeft")
    assert page.locator(".present").count() == 1
    assert page.locator(".past").count() == len(steps) - 2
    page.click("button[aria-label='Next event']")
    assert "read raises IncompleteRead" in said.inner_text()
    page.reload()
    assert said.inner_text().startswith(f"{len(steps)} of {len(steps)}")


def test_bytes_count_as_read_when_their_call_was_made(show: Open) -> None:
    page = show(f"cases/{CASE}.html#step=4")
    assert page.locator("tr.read").count() == 0
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert page.locator("tr.read").count() == 3
    page.keyboard.press("ArrowRight")
    assert page.locator("tr.read").count() == 5


def test_a_role_is_named_on_hover_and_on_focus(show: Open) -> None:
    page = show(f"cases/{CASE}.html")
    size = page.locator(".r-chunk-size").first
    assert size.get_attribute("title") == "chunk size"
    size.focus()
    assert page.evaluate("document.activeElement.className") == "r-chunk-size"


@pytest.mark.parametrize(("choice", "said"), [("IncompleteRead", "Right"), ("nothing", "Not so")])
def test_the_outcome_is_hidden_until_the_reader_has_chosen(
    choice: str, said: str, show: Open
) -> None:
    page = show(f"cases/{CASE}.html#predict=1")
    assert not page.locator(".deeds").is_visible()
    assert not page.locator(".why").is_visible()
    assert "IncompleteRead" not in page.locator("main > *:not(form)").all_inner_texts()
    for _ in range(len(events(BY_ID[CASE], None))):
        page.keyboard.press("ArrowRight")
        assert "raises" not in page.locator(".player [role=status]").inner_text()
    page.click(f".predict button:has-text('{choice}')")
    answer = page.locator(".said").inner_text()
    assert answer.startswith(said)
    assert "it raises IncompleteRead" in answer
    assert BY_ID[CASE].why in answer
    assert page.locator(".deeds").is_visible()


def test_a_comparison_counts_the_cases_in_which_two_differ(show: Open, data: Any) -> None:
    keys = [one[0] for one in data["columns"]]
    one, other = keys.index("requests"), keys.index("httpx")
    ran = [row for row in data["rows"] if not {row[9][one], row[9][other]} & set("-.?")]
    wanted = sum(row[10][one] != row[10][other] for row in ran)
    page = show("compare.html#a=requests&b=httpx")
    assert page.locator("#count").inner_text() == (
        f"They differ in {wanted} of the {len(ran)} cases that all of them ran."
    )
    page.select_option("#c-c", "curl")
    assert "c=curl" in page.url
    page.select_option("#c-b", "")
    page.select_option("#c-c", "")
    assert "Choose" in page.locator("#count").inner_text()


HEAD = {"kit": "0", "corpus": "x", "implementation": "a", "name": "mine", "version": "1.0"}
NASTY = "<img src=x onerror=alert(1)>\0\x1b[2J\xff\ud800 </script><script>alert(2)</script>"


def lines(*values: object) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def result(name: str, verdict: str = "PASS", **more: object) -> dict[str, object]:
    return {"id": name, "rev": 1, "verdict": verdict, **more}


def test_a_result_file_becomes_one_more_implementation(show: Open) -> None:
    page = show("open.html")
    found = lines(HEAD, *(result(name) for name in NAMES[1:]), result(CASE, "LEAK"))
    file = {"name": "r.jsonl", "mimeType": "text/plain", "buffer": found}
    page.set_input_files("#file", file)
    page.wait_for_selector("#rows li")
    said = page.locator("#count").inner_text()
    assert said == f"mine 1.0: {len(NAMES)} results, 1 case of this site failed."
    assert page.locator("#rows a").inner_text() == BY_ID[CASE].title
    page.click("nav >> text=Cases")
    page.locator("#rows li").first.wait_for()
    assert "mine 1.0" in page.locator("#key").inner_text()
    page.select_option("#f-by", "opened")
    page.select_option("#f-verdict", "failing")
    assert count(page) == 1


def test_a_dropped_file_is_read(show: Open) -> None:
    page = show("open.html")
    text = lines(HEAD, result(CASE, "HANG")).decode()
    page.evaluate(
        """text => {
          const carried = new DataTransfer();
          carried.items.add(new File([text], "results.jsonl"));
          dispatchEvent(new DragEvent("drop", { dataTransfer: carried, cancelable: true }));
        }""",
        text,
    )
    page.wait_for_selector("#rows li")
    assert "1 case of this site failed" in page.locator("#count").inner_text()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lines({**HEAD, "name": NASTY}, result(NASTY), result(CASE, "LEAK", seen=NASTY)), "<img"),
        (lines({**HEAD, "name": "x" * 1_000_000}, result(CASE)), "xxx"),
        (lines(HEAD, result("__proto__"), result("constructor")), "2 cases not on this site"),
        (lines(HEAD, result(CASE, "__proto__")), "Line 2 is not a result"),
        (lines(HEAD, result(CASE, NASTY)), "Line 2 is not a result"),
        (lines({"id": "a"}), "Line 1 is not a result"),
        (lines(result(CASE)), "does not begin with the head of a run"),
        (lines(HEAD, 7), "Line 2 is neither a head nor a result"),
        (b"\xff\xfe\0\0<b>", "Line 1 is not JSON"),
        (b"\n\n", "The file is empty"),
        (lines(HEAD, result(CASE)) + b'{"id": "cut', "1 result,"),
    ],
)
def test_no_file_acts_or_breaks_the_page(content: bytes, said: str, show: Open) -> None:
    page = show("open.html")
    page.set_input_files("#file", {"name": "r", "mimeType": "text/plain", "buffer": content})
    page.wait_for_function("document.querySelector('#count').textContent !== ''")
    assert said in page.locator("#count").inner_text()
    assert page.locator("img, main script").count() == 0
    page.goto(page.url.replace("open.html", "cases.html"))
    assert count(page) == len(NAMES)
    assert page.locator("img").count() == 0


def test_clients_that_a_page_does_not_name_are_listed_with_and_without_the_script(
    show: Open, there: Path
) -> None:
    texts = {name: (there / f"cases/{name}.html").read_text(encoding="utf-8") for name in NAMES}
    name = next(name for name in NAMES if "all other " in texts[name])
    number = int(texts[name].partition("all other ")[2].split()[0])
    page = show(f"cases/{name}.html")
    page.click(".deeds summary")
    assert page.locator(".deeds details a").count() == number
    page = show(f"cases/{name}.html", java_script_enabled=False)
    page.click(".deeds a[href*='#ran-']")
    page.locator("li:target").wait_for()
    assert len(page.locator("li:target").inner_text().split(", ")) > 1


def test_without_the_script_every_case_is_listed_and_shown(show: Open) -> None:
    page = show("cases.html", java_script_enabled=False)
    assert page.locator("#plain a").count() == len(NAMES)
    page.click(f"#plain a[href='cases/{CASE}.html']")
    page.locator(".deeds").wait_for()
    assert page.locator("td:has-text('getresponse')").count() > 0


def test_the_first_key_leads_to_the_content(show: Open) -> None:
    page = show("index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


@pytest.mark.parametrize("path", ["_/", f"_/cases/{CASE}.html"])
def test_the_pages_of_serve_are_accessible_and_fit(path: str, visit: Open) -> None:
    is_accessible_and_fits(visit(path))


def test_a_served_case_is_played_in_the_browser_and_its_transcript_shown(visit: Open) -> None:
    page = visit("_/cases/chunked.two-chunks.html")
    page.click("#play button")
    page.locator("#play pre", has_text="hello").wait_for()
    said = page.locator("#play [role=status]").inner_text()
    assert said == "This browser accepts it: status 200, 10 characters of body."
    assert page.locator("#play pre").inner_text().startswith("chunked.two-chunks")


def test_the_index_of_serve_finds_cases(visit: Open) -> None:
    page = visit("_/")
    page.fill("#find-q", "not hexadecimal second")
    assert page.locator("#count").inner_text() == "1 case"
    page.click(f"a[href='/_/cases/{CASE}.html']")
    assert page.locator("h1").inner_text() == BY_ID[CASE].title
    page.click(".crumbs a >> nth=1")
    page.locator("#chunked[open]").wait_for()


def test_this_browser_is_judged_on_pages_that_are_accessible_and_fit(pages: Any) -> None:
    only = "framing.content-length.huge.20"
    with Server(CORPUS, Ports("127.0.0.1", 0, 0, 0, 0), only=only, playground=None) as server:
        page = pages.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda one: wrong.extend(abroad(one.url)))
        # The page asks again how far the visit is where one such request fails.
        page.route(re.compile(r"/_/judge/\d+$"), lambda route: route.abort(), times=1)
        page.goto(f"http://127.0.0.1:{server.ports.control}/_/judge")
        is_accessible_and_fits(page)
        page.keyboard.press("Tab")
        page.locator("button.main").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("#judged[data-over]", timeout=60_000)
        assert page.locator("#judged [role=status]").inner_text().endswith("1 of 1 case")
        assert page.locator("#judged .verdict").all_inner_texts() == ["NO_ERROR"]
        is_accessible_and_fits(page)
        with page.expect_download() as saved:
            page.click("a[download]")
        (run,) = read_runs([saved.value.path()])
        assert [(one.id, str(one.verdict)) for one in run.results] == [(only, "NO_ERROR")]
        assert run.head.name == "chrome"
        assert wrong == []
        page.close()


# ---- the playground


@pytest.fixture(scope="module")
def playground() -> Iterator[str]:
    """The address of a server with a playground."""
    made = partial(Playground, offered=("httplib_impl", "http.client"))
    with Server(CORPUS, Ports("127.0.0.1", 0, 0, 0, 0), playground=made) as server:
        yield f"http://127.0.0.1:{server.ports.control}"


@pytest.fixture
def edit(pages: Any, playground: str) -> Iterator[Open]:
    """Opens the playground; afterwards, nothing has gone wrong in it."""
    yield from opener(pages, playground)


def test_bytes_are_played_on_a_page_that_is_accessible_and_fits(edit: Open) -> None:
    page = edit(f"_/playground?case={CASE}")
    page.click("button[value=play]")
    page.wait_for_selector("#played table")
    read = page.locator("#played tr", has_text="response.read()").locator("td").all_inner_texts()
    assert ["IncompleteRead" in one for one in read] == [True, True]
    is_accessible_and_fits(page)


def test_bytes_are_coloured_while_they_are_edited_and_the_address_holds_them(edit: Open) -> None:
    page = edit("_/playground")
    assert page.locator("#shown .r-body").inner_text() == "hello"
    page.fill("#bytes", r"HTTP/1.1 204 No\x20Content\r\n\r\nmore<b>")
    page.wait_for_selector("#shown .r-excess")
    assert page.locator("#shown .r-excess").inner_text() == "more<b>"
    assert page.locator("#shown .r-excess").get_attribute("title") == "excess"
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    assert page.locator("#shown .r-excess").inner_text() == "more<b>"
    page.fill("#bytes", r"HTTP/1.1 200\q")
    page.wait_for_selector("#problem:not(:empty)")
    assert page.locator("#problem").inner_text().startswith("line 1, character 13: ")


def test_a_saved_case_is_shown_without_leaving_the_page(edit: Open) -> None:
    page = edit("_/playground")
    page.fill("#name", "from")
    page.click("button[value=save]")
    page.wait_for_selector("#toml")
    assert 'id = "tried.from"' in page.locator("#toml").inner_text()
    assert page.evaluate("document.activeElement.id") == "toml"


def test_the_playground_is_a_form_without_the_script(edit: Open) -> None:
    page = edit("_/playground", java_script_enabled=False)
    page.fill("#bytes", "HTTP/1.1 204 No Content\\r\\n\n\\r\\n\n")
    page.click("#colour")
    assert page.locator("#shown .title").inner_text().endswith("27 bytes")
    page.click("button[value=play]")
    assert page.locator("#played tr", has_text="response.status").count() == 1
    assert page.locator("#shown .title").inner_text().endswith("27 bytes")
