"""Pictures of the atlas and of a server's pages: for a screen and a phone, light and dark.

``python -m tools.screenshots DIR`` writes them; it needs the extra `browser` and a Chromium.
"""

import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance.atlas import site
from conformance.cases import load_corpus
from conformance.reproduce import Ports
from conformance.results.golden import load_book
from conformance.serve import Server

KINDS = {
    "start": "index.html",
    "cases": "cases.html#disagree=1",
    "case": "cases/chunked.size-line.not-hex.html",
    "player": "cases/chunked.size-line.not-hex.html#step=4",
    "predict": "cases/chunked.size-line.not-hex.html#predict=1",
    "implementations": "implementations.html",
    "implementation": "by/py3.13.html",
    "client": "by/requests.html",
    "matrix": "matrix.html",
    "map": "map.html",
    "compare": "compare.html#a=requests&b=httpx",
    "requirements": "requirements.html",
    "open": "open.html",
}
SERVED = {
    "served": "/_/",
    "served-case": "/_/cases/chunked.size-line.not-hex.html",
    "playground": "/_/playground?case=chunked.size-line.not-hex",
    "judge": "/_/judge",
}
_VISIT = "framing.content-length.huge.20"
"""The case that a visiting browser is judged by."""
SIZES = {390: 844, 1280: 900}


def main() -> None:
    """Write the pictures into the directory that is the only argument."""
    from playwright.sync_api import sync_playwright

    place = Path(sys.argv[1])
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        root = Path(directory)
        corpus = load_corpus()
        for name, text in site(corpus, [one.id for one in corpus.every.listed], load_book()):
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        ports = Ports("127.0.0.1", 0, 0, 0, 0)
        with Server(corpus, ports) as server, Server(corpus, ports, only=_VISIT) as single:
            pages = {kind: f"{root.as_uri()}/{name}" for kind, name in KINDS.items()}
            served = f"http://127.0.0.1:{server.ports.control}"
            pages |= {kind: f"{served}{path}" for kind, path in SERVED.items()}
            pages["visit"] = f"http://127.0.0.1:{single.ports.control}/_/judge"
            _photograph(playwright, pages, place)
    print(f"{place}: {len(pages) * len(SIZES) * 2} pictures")


def _photograph(playwright: Any, pages: Mapping[str, str], place: Path) -> None:
    """Write a picture of each of *pages*, which are addresses by name, in each size and scheme."""
    browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
    for scheme in ("light", "dark"):
        for width, height in SIZES.items():
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme=scheme
            )
            for kind, address in pages.items():
                page.goto("about:blank")
                page.goto(address)
                if kind == "visit":
                    page.click("button.main")
                    page.wait_for_selector("#judged[data-over]", timeout=60_000)
                whole = min(page.evaluate("document.body.scrollHeight"), 2 * height)
                page.screenshot(
                    path=place / f"{kind}-{width}-{scheme}.png",
                    clip={"x": 0, "y": 0, "width": width, "height": whole},
                    full_page=True,
                )
            page.close()
    browser.close()


def _chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next(filter(None, map(shutil.which, names)), None)


if __name__ == "__main__":
    main()
