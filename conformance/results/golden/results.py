"""Golden records as results: the results that a run would have, without the run.

The input is a book, the key of an implementation, and the corpus.  The output is the head of that
run and a result for each case, as in a result file.
"""

from importlib.metadata import version

from conformance.cases import Corpus
from conformance.judge import did_of, entry_text
from conformance.results.bounds import bounded
from conformance.results.golden.book import Book
from conformance.results.golden.judging import Judged, judged_one
from conformance.results.golden.stable import PORT
from conformance.results.result import Result, RunHead, result_of, with_script, without_port


def run_of(book: Book, key: str, corpus: Corpus) -> tuple[RunHead, list[Result]]:
    """Return the run that corresponds to the records of the implementation with this *key*."""
    one = book.implementations[key]
    head = RunHead(
        kit=version("httplib-kit"),
        corpus=corpus.digest,
        implementation=one.written,
        name=one.name,
        version=one.version,
        features=one.features,
        label=key,
        runtime=one.runtime,
    )
    found = (judged_one(book, key, case) for case in corpus.cases)
    return head, [_result(judged) for judged in found if judged is not None]


def _result(judged: Judged) -> Result:
    case, seen = judged.case, judged.observation
    trace: list[str] = []
    did = ""
    if seen is not None:
        trace = [f"{op.text} -> {entry_text(seen.trace[op.id])}" for op in case.ops]
        did = did_of(seen.trace["fetch"]) if case.profile == "client" else ""
    result = without_port(result_of(case, judged.judgement, trace=trace, did=did), PORT)
    return with_script(bounded(result), case.script)
