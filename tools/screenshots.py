"""Pictures of the atlas: each kind of page, as wide as a screen and a phone, light and dark.

``python -m tools.screenshots DIR`` writes them; it needs the extra `browser` and a Chromium.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from conformance.atlas import site
from conformance.cases import load_corpus
from conformance.results.golden import load_book

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
SIZES = {390: 844, 1280: 900}


def main() -> None:
    """Write the pictures into the directory that is the only argument."""
    from playwright.sync_api import sync_playwright

    place = Path(sys.argv[1])
    place.mkdir(parents=True, exist_ok=True)
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    chromium = next(filter(None, map(shutil.which, names)), None)
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        root = Path(directory)
        corpus = load_corpus()
        for name, text in site(corpus, [one.id for one in corpus.every.listed], load_book()):
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            for width, height in SIZES.items():
                page = browser.new_page(
                    viewport={"width": width, "height": height}, color_scheme=scheme
                )
                for kind, address in KINDS.items():
                    page.goto("about:blank")
                    page.goto(f"{root.as_uri()}/{address}")
                    whole = min(page.evaluate("document.body.scrollHeight"), 2 * height)
                    page.screenshot(
                        path=place / f"{kind}-{width}-{scheme}.png",
                        clip={"x": 0, "y": 0, "width": width, "height": whole},
                        full_page=True,
                    )
                page.close()
        browser.close()
    print(f"{place}: {len(KINDS) * len(SIZES) * 2} pictures")


if __name__ == "__main__":
    main()
