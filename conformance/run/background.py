"""Adds what the corpus says about a result: the twin of its case, and where the bytes sent differ.

The input is a corpus and results as a runner makes them.  The output is the same results with all
that a report needs, so that a reader of the result file does not need the corpus.
"""

from collections.abc import Iterable, Iterator

import msgspec

from conformance.cases import Corpus, client_case, first_difference, sent_by, with_setting
from conformance.results import Result, kept_length


class Background:
    """Looks up the cases of results in a corpus.

    Args:
        corpus: where the cases of the results come from.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def applied(self, results: Iterable[Result]) -> Iterator[Result]:
        """Yield each of *results* with its background.

        A result whose case is not in the corpus is unchanged.
        """
        return map(self._told, results)

    def _told(self, result: Result) -> Result:
        case = self._corpus.listed(result.id)
        if case is None or not case.twin:
            return result
        return msgspec.structs.replace(
            result, twin=case.twin, differs=self._place(result, case.twin)
        )

    def _place(self, result: Result, twin: str) -> list[int]:
        """Return where the bytes sent differ from the twin's; empty if the run ended before."""
        if not result.octets or self._corpus.listed(twin) is None:
            return []
        own = self._sent(result.id, result)
        place = first_difference(own, self._sent(twin, result))
        if place is None or place.connection >= len(result.octets):
            return []
        there = kept_length(result.octets[place.connection])
        planned = len(own[place.connection]) if place.connection < len(own) else 0
        if place.start >= there and there < planned:
            return []  # the client had left before
        return [place.connection, min(place.start, there), min(place.end, there)]

    def _sent(self, name: str, result: Result) -> tuple[bytes, ...]:
        """Return what the case called *name* sends under the setting and profile of *result*."""
        listed = self._corpus.listed(name)
        if listed is None:
            return ()
        if not result.setting and not result.strength:
            return sent_by(listed.script())
        case = listed.case()
        if result.strength and case.session is not None:
            case = client_case(case)
        return sent_by(with_setting(case, result.setting).script)
