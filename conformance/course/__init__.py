"""Course: lessons, and stages in which people build an HTTP client, on cases of the corpus.

The input is the stages of ``fixtures/course``, a client, and the student's own file.  The output is
what the client did in each stage, and the stages that it has passed::

    stages.toml ──► Stage ──► cases of the corpus ─┐
    the student's file ──► Progress ──► a client ──┴─► Checked: results, and what is missing

A stage needs no more of a client than it teaches: the well-formed exchanges that `check` asks for
first would be too much for a client that reads only status lines.
"""

from typing import TYPE_CHECKING

from conformance.lazy import loader

if TYPE_CHECKING:
    from conformance.course.checking import Checked, Course, checked
    from conformance.course.fresh import fresh_file
    from conformance.course.grading import FORMATS, Mark, Work, mark_of_results, mark_of_stage
    from conformance.course.lessons import Lesson, load_lessons, played
    from conformance.course.liars import Liar, Unmasking, load_liars, unmaskings
    from conformance.course.progress import PROGRESS, CourseError, Progress
    from conformance.course.stages import Stage, load_stages
    from conformance.course.templates import LANGUAGES, begin

if not TYPE_CHECKING:  # so that a wrong name is an error for a type checker
    __getattr__ = loader(
        __name__,
        {
            "checking": "Checked Course checked",
            "fresh": "fresh_file",
            "grading": "FORMATS Mark Work mark_of_results mark_of_stage",
            "lessons": "Lesson load_lessons played",
            "liars": "Liar Unmasking load_liars unmaskings",
            "progress": "CourseError PROGRESS Progress",
            "stages": "Stage load_stages",
            "templates": "LANGUAGES begin",
        },
    )
