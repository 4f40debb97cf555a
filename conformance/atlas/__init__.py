"""The atlas: a site that shows every case, what every implementation did with it, and why.

The input is the corpus, the golden records, and runs.  The output is the names and texts of the
files of a site, which opens from the file system::

    corpus ─► Case ─┐
    records ────────┼─► Entry (facts) ─► the page of the case (pages, wire)
    runs ───────────┘        └─► Tables, Row ─► the pages about many cases (overview, raising)

Nothing here runs a case.  The same input gives the same bytes.
"""

from conformance.atlas.alone import page_alone
from conformance.atlas.pages import Question, link, may_do, question, section_name
from conformance.atlas.raising import line_of, short_class
from conformance.atlas.served import ServedSite, rendered
from conformance.atlas.site import site
from conformance.atlas.wire import events

__all__ = [
    "Question",
    "ServedSite",
    "events",
    "line_of",
    "link",
    "may_do",
    "page_alone",
    "question",
    "rendered",
    "section_name",
    "short_class",
    "site",
]
