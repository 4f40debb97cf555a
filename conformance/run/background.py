"""What the corpus says beside a result: the octets, and where they differ from the twin's.

In: a corpus, and results as a runner makes them.  Out: the same results, which now tell all that a
report needs, so that nobody who reads the result file needs the corpus.
"""

from collections.abc import Iterable, Iterator

import msgspec

from conformance.cases import Corpus
from conformance.cases.twins import difference, sent_by
from conformance.judge.verdicts import OK
from conformance.run.results import Result

FEW = 4096
"""The octets of a case that are kept with a result that is no failure."""


class Background:
    """Looks cases up.

    Args:
        corpus: where the cases of the results come from.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def told(self, results: Iterable[Result]) -> Iterator[Result]:
        """Yield each of *results* with its background; one whose case is not here as it is."""
        return map(self._told, results)

    def _told(self, result: Result) -> Result:
        case = self._corpus.listed(result.id)
        if case is None:
            return result
        sent = sent_by(case.script())
        if result.verdict in OK and sum(map(len, sent)) > FEW:
            return result
        twin = self._corpus.listed(case.twin or "")
        place = None if twin is None else difference(sent, sent_by(twin.script()))
        return msgspec.structs.replace(
            result,
            octets=[one.decode("latin-1") for one in sent],
            twin=case.twin or "",
            differs=[] if place is None else [place.connection, place.start, place.end],
        )
