"""Error maps: from an implementation's names for its errors to the names of the documentation page.

An error map is a TOML file, or part of what a driver reports about itself. The judge applies it
before its own rules.

    [errors]
    "mylib.errors.Truncated" = "IncompleteRead"
    "mylib.errors.Refused" = "OSError"

A key is the name of a class as the driver reports it, qualified where the driver does so.  A value
is a name that outcomes use or, for clients with other interfaces, a category.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from conformance.cases import PARENTS
from conformance.wording import Category

LEAK = "leak"
"""The category of an exception that the users of a client do not have to expect."""
KNOWN_ERRORS = frozenset({*PARENTS, *get_args(Category), LEAK})


class ErrorMapError(ValueError):
    """An error map is not valid; the message is one line that names the place."""


def read_error_map(path: Path) -> dict[str, str]:
    """Return the error map in the file *path*.

    Raises:
        ErrorMapError: the file cannot be read, or is not a valid error map.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ErrorMapError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ErrorMapError(f"{path}: is not UTF-8 at byte {error.start}") from None
    return parse_error_map(text, str(path))


def parse_error_map(text: str, place: str) -> dict[str, str]:
    """Return the error map in *text*; *place* names its origin in messages.

    Raises:
        ErrorMapError: not a valid error map.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ErrorMapError(f"{place}: is not TOML: {error}") from None
    stray = sorted(set(document) - {"errors"})
    if stray:
        raise ErrorMapError(
            f"{place}: `{stray[0]}` is not part of an error map; its one table is [errors]"
        )
    if not isinstance(document.get("errors"), dict):
        raise ErrorMapError(f"{place}: the table [errors] is missing")
    return checked_error_map(document["errors"], place)


def checked_error_map(errors: Mapping[str, Any], place: str) -> dict[str, str]:
    """Return *errors* if it is a valid error map; *place* names its origin in messages.

    Raises:
        ErrorMapError: not a valid error map.
    """
    for native, name in errors.items():
        if not native.strip():
            raise ErrorMapError(f"{place}: errors: a name is empty")
        if isinstance(name, dict):
            problem = "a name with dots needs quotes"
            raise ErrorMapError(f"{place}: errors.{native} is a table: {problem}")
        if not isinstance(name, str) or name not in KNOWN_ERRORS:
            problem = f"{name!r} is neither an exception of the page nor a category"
            raise ErrorMapError(f"{place}: errors.{native}: {problem}")
    return dict(errors)
