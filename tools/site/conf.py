"""How the documentation becomes a site, ``make docs``: Sphinx reads the repository's Markdown.

This is not in `docs/`, which travels in the wheel: pytest rewrites the packages of a distribution
by the Python files that it lists, and one stray file among them stops the plugin from loading.
"""

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

project = "httplib-kit"
author = "the httplib-kit contributors"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx-jsonschema",
]
html_theme = "furo"
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


def setup(app: Sphinx) -> None:
    """Show a diagram as its text, for a renderer would be fetched from elsewhere."""
    app.add_lexer("mermaid", TextLexer)
    app.connect("source-read", read)
    app.connect("include-read", read)
