"""The requirements: what the documentation page says, sentence by sentence, in our own words.

The input is ``fixtures/spec.toml``; the output is a `Requirement` for each entry, by its id.
"""

import functools
import tomllib
from collections.abc import Mapping

import msgspec

from conformance.cases.errors import CaseError
from conformance.cases.places import fixtures_directory

_FILE = "spec.toml"


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sentence of the page.

    Args:
        number: its number, which is never reused.
        id: its id, which cases cite.
        entry: the entry of the page that contains it.
        text: what it says, in our own words.
    """

    number: int
    id: str
    entry: str
    text: str


@functools.cache
def load_requirements() -> Mapping[str, Requirement]:
    """Return every requirement by its id, in the order of the page.

    Raises:
        CaseError: the file does not conform to its format.
    """
    try:
        text = (fixtures_directory() / _FILE).read_text(encoding="utf-8")
        found = msgspec.convert(tomllib.loads(text)["requirement"], list[Requirement])
    except (OSError, ValueError, KeyError) as error:
        raise CaseError(str(error), file=_FILE) from None
    return {one.id: one for one in found}
