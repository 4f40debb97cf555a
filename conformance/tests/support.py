"""The cases of the corpus, built once for all test modules of a process.

A corpus builds each case when it is reached and keeps none. Tests go through all of them many
times, so they share this tuple, which keeps every case in use: what a selection of the corpus
reaches is then found built. The cases live as long as the process, so the garbage collector is
kept away from them: one full collection would take 0.2 s of processor time with them.
"""

import gc

from conformance.cases import load_corpus

EVERY = tuple(load_corpus().cases)
"""All cases, in the order of the corpus."""
BY_ID = {case.id: case for case in EVERY}
"""The same by their ids."""

gc.collect()
gc.freeze()
