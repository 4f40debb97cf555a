"""The cases of the corpus, built once for all test modules of a process.

A corpus builds each case when it is reached and keeps none. Tests go through all of them many
times, so they share this tuple, which keeps every case in use: what a selection of the corpus
reaches is then found built. The cases live as long as the process, so the garbage collector is
kept away from them: one full collection would take 0.2 s of processor time with them.
"""

import dataclasses
import gc
from collections.abc import Sequence

from conformance.atlas import site
from conformance.cases import load_corpus
from conformance.cases.twins import sent_octets
from conformance.report import Run
from conformance.results.golden import Book
from mockserver import Connection

CORPUS = load_corpus()
EVERY = tuple(CORPUS.cases)
"""All cases, in the order of the corpus."""
BY_ID = {case.id: case for case in EVERY}
"""The same by their ids."""


def site_of(runs: Sequence[Run]) -> dict[str, str]:
    """Return the files of the site that `check --html` writes for *runs*, without any records."""
    names = dict.fromkeys(result.id for run in runs for result in run.results)
    return dict(site(CORPUS, list(names), Book(), runs))


def played_whole(connection: Connection) -> set[bytes]:
    """Return all that *connection* can send without a step unplayed.

    These are the bytes of all steps, and those before each optional read: the client may end there,
    and then the rest is not missed.
    """
    ends = [
        index for index, step in enumerate(connection.steps) if getattr(step, "optional", False)
    ]
    parts = [dataclasses.replace(connection, steps=connection.steps[:end]) for end in ends]
    return {sent_octets(part) for part in (*parts, connection)}


gc.collect()
gc.freeze()
