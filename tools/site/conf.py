"""How the documentation becomes a site, ``make docs``: Sphinx reads the repository's Markdown.

This is not in `docs/`, which travels in the wheel: pytest rewrites the packages of a distribution
by the Python files that it lists, and one stray file among them stops the plugin from loading.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.util.logging import getLogger

from conformance.cases import fixtures_directory, load_corpus, load_requirements

project = "httplib-kit"
author = "the httplib-kit contributors"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
]
html_theme = "furo"
default_role = "code"
smartquotes = False  # an option begins with two hyphens
html_title = project
html_show_copyright = False
html_copy_source = False
myst_enable_extensions = ["colon_fence", "attrs_inline"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
# A site that opens without a network, and is the same bytes for the same input.
html_last_updated_fmt = None


ELSEWHERE = {
    "README.md": "overview.md",
    "CONTRIBUTING.md": "contributing.md",
    "fixtures/README.md": "case-format.md",
    "mockserver/README.md": "mock-server.md",
}
"""Files of the repository that are pages of the site under another name."""


def read(_: Sphinx, *where: object) -> None:
    """Let links that lead to such a file in a repository lead to its page."""
    content = where[-1]
    assert isinstance(content, list)
    content[0] = content[0].replace("](examples/", "](../examples/")
    for path, page in ELSEWHERE.items():
        content[0] = (
            content[0].replace(f"](../{path}", f"]({page}").replace(f"]({path}", f"]({page}")
        )
    content[0] = _SCHEMA.sub(tables, content[0])
    content[0] = re.sub("<!-- figures -->", figures, content[0])


_SCHEMA = re.compile(r"<!-- schema: (\S+) -->")


def tables(found: re.Match[str]) -> str:
    """Return each definition of a JSON Schema as a heading, a description and a table."""
    schema = json.loads((fixtures_directory() / found[1]).read_text(encoding="utf-8"))
    label = found[1].partition(".")[0]
    return "\n".join(
        line
        for name, definition in schema["$defs"].items()
        for line in (f"({label}-{name})=", f"### {name}", "", *_definition(definition, label), "")
    )


def _definition(one: dict[str, Any], label: str) -> Iterator[str]:
    text, _, rest = one.get("description", "").partition("\n\nArgs:\n")
    said = dict(re.findall(r"^ *(\w+): ((?:.|\n {5,})+?)$", rest, re.MULTILINE))
    yield text
    yield ""
    if "properties" not in one:
        yield _form(one, label)
        return
    yield "| key | form | meaning |"
    yield "|---|---|---|"
    for key, form in one["properties"].items():
        if form is True:
            form = {}
        must = "" if key in one.get("required", ()) else ", optional"
        meaning = " ".join((form.get("description") or said.get(key, "")).split())
        yield f"| `{key}` | {_form(form, label)}{must} | {meaning.replace('|', chr(92) + '|')} |"


def _form(one: Any, label: str) -> str:
    """Return what a value may be, in words."""
    if not isinstance(one, dict):
        return "anything"
    if "$ref" in one:
        name = one["$ref"].rpartition("/")[2]
        return f"[{name}](#{label}-{name})"
    if choice := one.get("anyOf") or one.get("oneOf"):
        return " or ".join(dict.fromkeys(_form(each, label) for each in choice))
    if "enum" in one or "const" in one:
        return ", ".join(f"`{json.dumps(value)}`" for value in one.get("enum", [one.get("const")]))
    kind = one.get("type", "anything")
    kinds = " or ".join([kind] if isinstance(kind, str) else kind)
    if kind == "array" and isinstance(one.get("items"), dict):
        return f"array of {_form(one['items'], label)}"
    if kind == "object" and "properties" in one:
        return "object of " + ", ".join(f"`{key}`" for key in one["properties"])
    return kinds


def figures(_: re.Match[str]) -> str:
    """Return how much there is of what makes the corpus strong, and where each figure is from."""
    corpus = load_corpus()
    lies, same = (
        tomllib.loads((Path(__file__).parents[1] / name).read_text(encoding="utf-8"))
        for name in ("miniatures/covering.toml", "mutation/equivalent.toml")
    )
    rows = (
        ("cases, those of the level observe included", len(list(corpus.every.listed)), "`httplib-kit list`"),
        ("requirements of the page", len(load_requirements()), "`fixtures/spec.toml`"),
        ("miniatures", len(lies), "`tools/miniatures/covering.toml`"),
        (
            "mutants that no run can find, each with its reason",
            len(same["equivalent"]),
            "`tools/mutation/equivalent.toml`",
        ),
    )
    lines = [f"| {what} | {count:,} | {source} |" for what, count, source in rows]
    return "\n".join(["## Figures", "", "| what | how many | from |", "|---|---|---|", *lines])


_RAW = re.compile(r"<p>[^<]*\.\. [a-z-]+::|:[a-z-]+-ref:")
"""Markup of reStructuredText that was read as Markdown."""


def raw(_: Sphinx, page: str, __: str, context: dict[str, object], ___: object) -> None:
    """Warn of markup that a page shows instead of what it stands for."""
    if found := _RAW.search(str(context.get("body"))):
        getLogger(__name__).warning("%s: shows the markup %r", page, found[0])


def setup(app: Sphinx) -> None:
    """Show a diagram as its text, for a renderer would be fetched from elsewhere."""
    app.add_lexer("mermaid", TextLexer)
    app.connect("source-read", read)
    app.connect("include-read", read)
    app.connect("html-page-context", raw)
