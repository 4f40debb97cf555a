"""Reports for people and for CI services, made from results alone.

The input is a `RunHead` and `Result` values.  The output is text.  Nothing here runs a case, and
the same results always give the same report: it contains no times and no port numbers, and its
order is that of the cases.

Results contain untrusted text: from an implementation, a server's record, or a file.  Every report
shows each character of it visibly (`octets`), and none of it can act as markup or as a command.
"""

from typing import TYPE_CHECKING

from conformance.lazy import loader
from conformance.report.matrix import matrix
from conformance.report.octets import (
    OctetRuns,
    inert_line,
    octet_lines,
    octet_runs,
    octets_of,
    split_lines,
    unencodable,
    visible,
    visible_text,
)
from conformance.report.runs import NoReport, Run, as_document, read_runs
from conformance.report.score import score_lines
from conformance.report.standing import (
    EXIT_ERROR,
    EXIT_FAILED,
    EXIT_NOTHING,
    EXIT_OK,
    Standing,
    exit_code,
    standing,
    worst_code,
)
from conformance.report.story import (
    command,
    frame_lines,
    lines_of,
    place,
    rows,
    story,
    transcript_lines,
)
from conformance.report.summary import scope, summary, table, totals

if TYPE_CHECKING:
    from conformance.report.annotations import annotation_lines
    from conformance.report.badge import (
        badge_endpoint,
        badge_files,
        badge_svg,
        colour_of,
        embedding,
        levels_of,
        picture,
    )
    from conformance.report.behaviour import (
        NO_DEED,
        Mark,
        Pattern,
        deed_of_record,
        deed_of_result,
        distances,
        essence,
        families,
        marks,
        nearest,
    )
    from conformance.report.codequality import code_quality_json
    from conformance.report.comment import comment_text, diff_markdown, paired
    from conformance.report.ctrf import ctrf_json
    from conformance.report.diff import changes, diff_lines
    from conformance.report.files import Refused, WholeFile, WholeSite
    from conformance.report.junit import junit_xml
    from conformance.report.legend import VERDICTS, WORDS, Entry
    from conformance.report.markdown import markdown_text
    from conformance.report.roles import annotated, roles_of_raw
    from conformance.report.sarif import sarif_json
    from conformance.report.statement import (
        DAYS,
        Statement,
        key_words,
        read_statement,
        signed,
        statement_json,
        statement_markdown,
        statement_of,
    )
    from conformance.report.terminal import USUAL, View, plain_lines, print_run, print_story

if not TYPE_CHECKING:  # so that a wrong name is an error for a type checker
    __getattr__ = loader(
        __name__,
        {
            "behaviour": (
                "Mark NO_DEED Pattern deed_of_record deed_of_result distances essence "
                "families marks nearest"
            ),
            "annotations": "annotation_lines",
            "badge": ("badge_endpoint badge_files badge_svg colour_of embedding levels_of picture"),
            "codequality": "code_quality_json",
            "comment": "comment_text diff_markdown paired",
            "ctrf": "ctrf_json",
            "diff": "changes diff_lines",
            "files": "Refused WholeFile WholeSite",
            "junit": "junit_xml",
            "markdown": "markdown_text",
            "legend": "Entry VERDICTS WORDS",
            "roles": "annotated roles_of_raw",
            "sarif": "sarif_json",
            "statement": (
                "DAYS Statement key_words read_statement signed statement_json statement_markdown "
                "statement_of"
            ),
            "terminal": "USUAL View plain_lines print_run print_story",
        },
    )
