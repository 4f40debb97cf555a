"""Pages that are one file: the style is in the page, and its policy allows that style alone.

The input is the name of a template and what it shows.  The output is the text of the page.
"""

import base64
import hashlib
from importlib.metadata import version
from typing import Any

from markupsafe import Markup

from conformance.atlas.site import TEMPLATES, environment


def page_alone(name: str, **context: Any) -> str:
    """Return the page of the template *name*, which extends ``alone.html``."""
    style = (TEMPLATES / "atlas.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        environment()
        .get_template(name)
        .render(style=Markup(style), digest=digest, kit=version("httplib-kit"), **context)
    )
