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
    from conformance.cases.build import DEFAULT_OPS, build_case
    from conformance.cases.casefile import Listed, load_text
    from conformance.cases.corpus import Cases, Corpus, SweptCases, load_corpus
    from conformance.cases.documented import documented_part
    from conformance.cases.errors import CaseError
    from conformance.cases.fetch import client_case, one_get
    from conformance.cases.grammar import (
        CHUNKS,
        CODINGS,
        FIELDS,
        INTERIM,
        LAST_CHUNKS,
        LEFTOVERS,
        ODD_CHUNKS,
        ODD_CODINGS,
        ODD_FIELDS,
        ODD_INTERIM,
        ODD_LAST_CHUNKS,
        ODD_LENGTHS,
        ODD_RESPONSES,
        ODD_STATUS_LINES,
        STATUS_LINES,
        Response,
        mutations,
        pick,
        responses,
    )
    from conformance.cases.law import (
        ACCEPTED,
        EITHER,
        LAW,
        REJECTED,
        UNSAID,
        Law,
        law_of,
        reading_of,
        rules_broken,
        sections_of,
    )
    from conformance.cases.model import (
        Accept,
        Arrivals,
        Case,
        Exchange,
        Expectation,
        Fetch,
        Op,
        Outcome,
        Reject,
        Session,
        WireExpectation,
    )
    from conformance.cases.names import (
        DOCUMENTED,
        ERROR_KINDS,
        PARENTS,
        ancestors,
        is_of_the_module,
        met_by,
    )
    from conformance.cases.octets import (
        LONG,
        AddressHole,
        Part,
        Pieces,
        bytes_equal,
        fill,
        filled_by,
        in_parts,
    )
    from conformance.cases.ops import typed_arguments
    from conformance.cases.own import FRESH, own_files, with_own
    from conformance.cases.parsing import parse
    from conformance.cases.places import fixtures_directory, page
    from conformance.cases.requirements import (
        Regression,
        Requirement,
        Rule,
        load_regressions,
        load_requirements,
        load_rules,
        rules_about,
    )
    from conformance.cases.schema import case_schema, script_definitions
    from conformance.cases.script import load_script
    from conformance.cases.scripts import client_cases, key_of_script, script_key
    from conformance.cases.session import IDEMPOTENT
    from conformance.cases.sets import (
        CaseSet,
        Difference,
        Member,
        differences,
        load_changes,
        load_set,
        present_set,
        set_names,
        sets_directory,
    )
    from conformance.cases.sweeps import DIMENSIONS, Sweep, swept, with_setting
    from conformance.cases.tables import ScriptTable
    from conformance.cases.twins import Place, first_difference, sent_by, sent_octets
    from conformance.cases.values import (
        Containing,
        Expected,
        Items,
        Matching,
        ObjectOf,
        Octets,
        Pairs,
        Scalar,
        expected_text,
    )
    from conformance.cases.words import (
        CLIENT_FEATURES,
        FAMILIES,
        FEATURES,
        JUDGED_LEVELS,
        LEVELS,
        STRENGTHS,
    )

if not TYPE_CHECKING:  # so that a wrong name is an error for a type checker
    __getattr__ = loader(
        __name__,
        {
            "build": "DEFAULT_OPS build_case",
            "casefile": "Listed load_text",
            "corpus": "Cases Corpus SweptCases load_corpus",
            "documented": "documented_part",
            "errors": "CaseError",
            "fetch": "client_case one_get",
            "grammar": (
                "CHUNKS CODINGS FIELDS INTERIM LAST_CHUNKS LEFTOVERS ODD_CHUNKS ODD_CODINGS "
                "ODD_FIELDS ODD_INTERIM ODD_LAST_CHUNKS ODD_LENGTHS ODD_RESPONSES "
                "ODD_STATUS_LINES STATUS_LINES Response mutations pick responses"
            ),
            "law": (
                "ACCEPTED EITHER LAW REJECTED UNSAID Law law_of reading_of rules_broken sections_of"
            ),
            "model": (
                "Accept Arrivals Case Exchange Expectation Fetch Op Outcome Reject Session "
                "WireExpectation"
            ),
            "names": "DOCUMENTED ERROR_KINDS PARENTS ancestors is_of_the_module met_by",
            "octets": ("AddressHole LONG Part Pieces bytes_equal fill filled_by in_parts"),
            "ops": "typed_arguments",
            "own": "FRESH own_files with_own",
            "places": "fixtures_directory page",
            "parsing": "parse",
            "requirements": (
                "Regression Requirement Rule load_regressions load_requirements load_rules "
                "rules_about"
            ),
            "schema": "case_schema script_definitions",
            "script": "load_script",
            "scripts": "client_cases key_of_script script_key",
            "session": "IDEMPOTENT",
            "sets": (
                "CaseSet Difference Member differences load_changes load_set "
                "present_set set_names sets_directory"
            ),
            "sweeps": "DIMENSIONS Sweep swept with_setting",
            "tables": "ScriptTable",
            "twins": "Place first_difference sent_by sent_octets",
            "values": (
                "Containing Expected Items Matching ObjectOf Octets Pairs Scalar expected_text"
            ),
            "words": "CLIENT_FEATURES FAMILIES FEATURES JUDGED_LEVELS LEVELS STRENGTHS",
        },
    )
