"""Cases: from the tables of a TOML file to frozen values that can be played and judged.

The input is ``fixtures/cases/*.toml``. The output is `Case` values in a stable order, each with the
server's script, the client's ops, and the accepted outcomes. A case passes through these steps::

    text --tomllib--> tables --grids--> tables --tables--> CaseTable --build--> Case --sweeps-->
    Case ...

Every step is a pure function, and every error is a `CaseError` that names file, case and field.

This package never opens a socket and never imports pytest or an implementation under test.
"""

from typing import TYPE_CHECKING

from conformance.lazy import loader

if TYPE_CHECKING:
    from conformance.cases.casefile import Listed
    from conformance.cases.corpus import Cases, Corpus, SweptCases, load_corpus
    from conformance.cases.documented import documented_part
    from conformance.cases.errors import CaseError
    from conformance.cases.fetch import client_case
    from conformance.cases.model import Case, Expectation, Op, Outcome, WireExpectation
    from conformance.cases.places import fixtures_directory
    from conformance.cases.scripts import client_cases, script_key
    from conformance.cases.sweeps import DIMENSIONS, swept
    from conformance.cases.twins import sent_octets
    from conformance.cases.words import FAMILIES, JUDGED_LEVELS, LEVELS, STRENGTHS

__all__ = [
    "DIMENSIONS",
    "FAMILIES",
    "JUDGED_LEVELS",
    "LEVELS",
    "STRENGTHS",
    "Case",
    "CaseError",
    "Cases",
    "Corpus",
    "Expectation",
    "Listed",
    "Op",
    "Outcome",
    "SweptCases",
    "WireExpectation",
    "client_case",
    "client_cases",
    "documented_part",
    "fixtures_directory",
    "load_corpus",
    "script_key",
    "sent_octets",
    "swept",
]

__getattr__ = loader(
    __name__,
    {
        "Listed": "casefile",
        "Cases": "corpus",
        "Corpus": "corpus",
        "SweptCases": "corpus",
        "load_corpus": "corpus",
        "documented_part": "documented",
        "CaseError": "errors",
        "client_case": "fetch",
        "client_cases": "scripts",
        "Case": "model",
        "Expectation": "model",
        "Op": "model",
        "Outcome": "model",
        "WireExpectation": "model",
        "fixtures_directory": "places",
        "script_key": "scripts",
        "DIMENSIONS": "sweeps",
        "swept": "sweeps",
        "sent_octets": "twins",
        **dict.fromkeys(("FAMILIES", "JUDGED_LEVELS", "LEVELS", "STRENGTHS"), "words"),
    },
)
