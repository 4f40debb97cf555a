"""The hunter: draws responses until implementations disagree, and shrinks each disagreement.

The input is two or more implementations, which are given the same bytes again and again.  The
output is one finding for each `Kind` of difference, with the shortest response that shows it.

Hypothesis draws, and shrinks one difference at a time.  Then each part of the response takes its
plain form, as long as something still differs.  The first part that cannot is the one at fault: it
says, with the rules that it breaks and with the first call that differs, which kind this is.  What
a short body leads to depends on how many bytes follow, so it distinguishes no kinds.

A round asks for a difference whose signature, which needs no shrinking, has not led to a known kind
several times.  Every response is played once in a round, so that Hypothesis sees implementations
that do not waver.  A finding is played again at the end, and dropped if it was chance.

A hang costs a deadline or two, so a difference with a hang is shrunk by a few steps only, and a
response whose end is not the connection's is drawn no more after some hangs.
"""

import contextlib
import dataclasses
import functools
import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

import hypothesis
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from conformance.cases import (
    ODD_RESPONSES,
    Case,
    Corpus,
    client_cases,
    load_text,
    mutations,
    responses,
    rules_broken,
    sent_by,
)
from conformance.drivers import DriverError
from conformance.hunt.deeds import Deed, deeds_of
from conformance.hunt.kinds import Drawn, Kind, Signature, kind_of, signature_of
from conformance.hunt.parts import at_fault, parts_of
from conformance.judge import ERRORS, Verdict
from conformance.run import Trial, Trials, trial_text
from mockserver import Send

LONGEST = 120
"""Bytes of a response of the corpus that is changed: longer ones would not be shrunk below that."""
_CASES = 800
"""Cases of the corpus whose responses are changed, if they are short."""
_MANY = ("status line", "fields", "length", "coding", "chunks")
"""Dimensions with many odd parts, which are drawn more often."""
_ROUND = 50
"""Responses that are drawn in one round, of which the later ones resemble the earlier ones."""
_STEPS, _HANGS = 400, 3
"""How many responses are played to shrink one difference, and how many of them may hang."""
_MENDING = 300
"""How many more are played to find the part at fault; as many may hang."""
_TIMES = 2
"""How often a signature has to lead to a known kind before it is not looked for again."""
_LINE_END = re.compile(rb"\r?\n")
_PATIENCE = 12
"""Hangs after which every connection ends with the response."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A kind of difference, with the shortest response that shows it.

    Args:
        drawn: the response.
        signature: how the implementations differ over it.
        kind: the kind.
        case: the case that plays it.
        trials: what each implementation did.
        done: what each did in the call of the signature; None if it did not get there.
        near: the id of a case of the corpus that breaks the same rules; empty if there is none.
    """

    drawn: Drawn
    signature: Signature
    kind: Kind
    case: Case
    trials: Sequence[Trial]
    done: Sequence[Deed | None]
    near: str


@dataclass
class Hunter:
    """Looks for differences between implementations.

    Args:
        benches: the implementations, all of one profile, and started.
        corpus: responses that are changed and drawn too, the shortest first, each with the id of
            a case.
        seed: equal seeds give equal draws.
        draws: how many responses are drawn at most.
        seconds: how long it goes on at most.
        stopped: whether it is to end now; asked before each response.
        clock: returns the time, in seconds.

    Attributes:
        drawn: how many responses were drawn.
        played: how many were played, with those of the shrinking.
        wavering: how many differences were not there when the response was played again.
        problem: why the hunt ended early; empty if it did not.
        is_absent: whether that is because an implementation is not installed.
        kinds: what was found.
        counts: how many of the drawn responses show each kind.
        known: the kind that each signature led to, and how often.
        hangs: how many responses let one of them hang.
    """

    benches: Sequence[Trials]
    corpus: Mapping[bytes, str]
    seed: int
    draws: int | None = None
    seconds: float | None = None
    stopped: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = monotonic
    drawn: int = 0
    played: int = 0
    wavering: int = 0
    problem: str = ""
    is_absent: bool = False
    kinds: dict[Kind, Finding] = field(default_factory=dict)
    counts: Counter[Kind] = field(default_factory=Counter)
    known: dict[Signature, tuple[Kind, int]] = field(default_factory=dict)
    hangs: int = 0

    @property
    def found(self) -> int:
        """How many kinds were found."""
        return len(self.kinds)

    @property
    def is_over(self) -> bool:
        """Whether nothing more is drawn."""
        return self.is_late or (self.draws is not None and self.drawn >= self.draws)

    @property
    def is_late(self) -> bool:
        """Whether nothing more is played: it failed, the time is over, or the caller stops it."""
        late = self.seconds is not None and self.clock() - self._begun >= self.seconds
        return late or bool(self.problem) or self.stopped()

    def findings(self) -> Iterator[Finding]:
        """Yield each kind of difference, shrunk; a shorter response may be found later."""
        self._begun = self.clock()
        chance = random.Random(self.seed)
        strategy = _strategy(list(self.corpus))
        settings = hypothesis.settings(
            max_examples=_ROUND,
            database=None,
            deadline=None,
            phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        )
        with _home():
            while not self.is_over:
                one = _Round(self)
                with contextlib.suppress(hypothesis.errors.NoSuchExample):
                    hypothesis.find(
                        strategy,
                        one.is_wanted,
                        settings=settings,
                        random=random.Random(chance.getrandbits(64)),
                    )
                if (found := self._finding(one)) is not None:
                    yield found

    def _finding(self, one: "_Round") -> Finding | None:
        """Return what was found; None if it is known, or not there when it is played again."""
        if one.found is None or one.target is None:
            return None
        one.drop_lines()
        drawn, signature = one.plainest()
        kind = kind_of(drawn, signature)
        known = next(
            (known for known in self.kinds if known.covers(self._as_far(kind, known))), None
        )
        for each in dict.fromkeys((one.target, signature)):
            self.known[each] = (known or kind, self.known.get(each, (kind, 0))[1] + 1)
        if known is not None:
            self.counts[known] += 1
            is_shorter = len(drawn.octets) < len(self.kinds[known].drawn.octets)
            if is_shorter and known == kind and self.signature(drawn) == signature:
                self.kinds[known] = self._shown(drawn, signature, kind)
            return None
        if self.signature(drawn) != signature:
            self.wavering += 1
            return None
        self.absorb(kind)
        self.counts[kind] += 1
        self.kinds[kind] = self._shown(drawn, signature, kind)
        return self.kinds[kind]

    def absorb(self, kind: Kind) -> None:
        """Make each kind that *kind* covers, and that was found before it, a part of it."""
        for one in [one for one in self.kinds if kind.covers(one)]:
            del self.kinds[one]
            self.counts[kind] += self.counts.pop(one)
            self.known = {
                signature: (kind if known == one else known, times)
                for signature, (known, times) in self.known.items()
            }

    def _as_far(self, kind: Kind, known: Kind) -> Kind:
        """Return *kind*, with the shape of *known* if there was no time to reduce it."""
        return kind._replace(shape=known.shape) if self.is_late and not kind.rules else kind

    def _shown(self, drawn: Drawn, signature: Signature, kind: Kind) -> Finding:
        case = case_of(drawn)
        trials = [bench.trial(case) for bench in self.benches]
        near = self.corpus.get(drawn.octets) or self._near.get(signature.rules or ("",), "")
        done = [one.get(signature.call) for one in self._done]
        return Finding(drawn, signature, kind, case, trials, done, near)

    def is_known(self, signature: Signature) -> bool:
        """Return whether a drawn response with *signature* is counted and not looked into.

        Something malformed may do what a well-formed response does too, for another reason: then
        shrinking shows whether the reason is another.
        """
        for one, (kind, times) in self.known.items():
            if times >= _TIMES and one.covers(signature) and (one.rules or not signature.rules):
                self.counts[kind] += 1
                return True
        return False

    def signature(self, drawn: Drawn) -> Signature | None:
        """Play *drawn* with each implementation; return how they differ, or None."""
        self.played += 1
        case = case_of(drawn)
        done = []
        for bench in self.benches:
            try:
                result, seen = bench.observed(case)
            except DriverError as error:
                self.problem = str(error)
                return None
            if result.verdict in ERRORS or result.verdict == Verdict.NOT_INSTALLED:
                self.problem = f"{bench.label}: {result.verdict}: {result.reason}"
                self.is_absent = result.verdict == Verdict.NOT_INSTALLED
                return None
            done.append((result, seen))
        self._done = every = [deeds_of(case, *one) for one in done]
        self.hangs += any(deed.kind == "hangs" for one in every for deed in one.values())
        return signature_of(tuple(rules_broken(*drawn)), every)

    @functools.cached_property
    def _near(self) -> dict[tuple[str, ...], str]:
        """The id of a case for the rules that its response breaks."""
        found: dict[tuple[str, ...], str] = {}
        for octets, name in self.corpus.items():
            found.setdefault(tuple(rules_broken(octets, "fin")), name)
        return found


def short_responses(corpus: Corpus, seed: int) -> dict[bytes, str]:
    """Return short responses of some cases, the shortest first, each with the id of a case.

    Args:
        corpus: the cases.
        seed: decides which cases.
    """
    listed = list(corpus.every.listed)
    some = random.Random(seed).sample(listed, min(_CASES, len(listed)))
    found: dict[bytes, str] = {}
    for case in client_cases(one.case() for one in some):
        sent = sent_by(case.script)
        if case.fetch is not None and len(sent) == 1 and 0 < len(sent[0]) <= LONGEST:
            found.setdefault(sent[0], case.id)
    return dict(sorted(found.items(), key=lambda pair: (len(pair[0]), pair[0])))


class _Round:
    """The search for one difference that is not known yet.

    Args:
        hunter: the hunter, which plays.
    """

    def __init__(self, hunter: Hunter) -> None:
        self._hunter = hunter
        self._signatures: dict[Drawn, Signature | None] = {}
        self.target: Signature | None = None
        self._steps, self._hangs = _STEPS, 0
        self._may_stay_open = hunter.hangs < _PATIENCE
        self._shown: list[tuple[Drawn, Signature]] = []

    @property
    def found(self) -> tuple[Drawn, Signature] | None:
        """The plainest response that shows the difference, or the shortest if that is long."""
        if not self._shown:
            return None
        plainest, shortest = self._shown[-1], min(self._shown, key=lambda one: len(one[0].octets))
        return plainest if len(plainest[0].octets) < LONGEST else shortest

    def drop_lines(self) -> None:
        """Try the response that was found without each of its lines, the first one first."""
        at = 0
        while self.found is not None:
            drawn, _ = self.found
            lines = drawn.octets.splitlines(keepends=True)
            if at == len(lines):
                return
            octets = b"".join([*lines[:at], *lines[at + 1 :]])
            at += not self.is_wanted(drawn._replace(octets=octets))

    def is_wanted(self, drawn: Drawn) -> bool:
        """Return whether *drawn* shows the difference that the round is about."""
        if drawn.end == "open" and (not self._may_stay_open or rules_broken(*drawn)):
            drawn = drawn._replace(end="fin")  # not every client would find the response's end
        is_new = drawn not in self._signatures
        if is_new:
            if self._is_over():
                return False
            self._hunter.drawn += self.target is None
        signature = self._signature(drawn)
        if self.target is None:
            if not is_new or signature is None or self._hunter.is_known(signature):
                return False
            self.target = signature
            self._hangs = self._hunter.hangs + _HANGS
        if signature is None or not signature.covers(self.target):
            return False
        self._shown.append((drawn, signature))
        return True

    def plainest(self) -> tuple[Drawn, Signature]:
        """Return what was found, with every part plain for which something still differs.

        The part at fault loses each byte without which the same differs, and no more rules are
        broken.
        """
        assert self.found is not None
        drawn, signature = self.found
        self._steps = _MENDING
        self._hangs = self._hunter.hangs + _HANGS
        changed = True
        while changed:
            changed = False
            for other in mended(drawn):
                if (seen := self._step(other)) is not None:
                    drawn, signature, changed = other, seen, True
                    break
        at = 0
        while (part := at_fault(drawn.octets)) is not None:
            places = [place for span in part.spans for place in range(*span)]
            if at >= len(places):
                break
            place = places[at]
            other = drawn._replace(octets=drawn.octets[:place] + drawn.octets[place + 1 :])
            seen, left = self._step(other), at_fault(other.octets)
            is_noise = drawn.octets[place] < ord(" ") and not _LINE_END.match(drawn.octets, place)
            if seen and left and left.name == part.name and seen.replaces(signature, is_noise):
                drawn, signature = other, seen
            else:
                at += 1
        return drawn, signature

    def _step(self, drawn: Drawn) -> Signature | None:
        if drawn not in self._signatures and self._is_over():
            return None
        return self._signature(drawn)

    def _is_over(self) -> bool:
        if self.target is None:
            return self._hunter.is_over
        self._steps -= 1
        return self._steps < 0 or self._hunter.hangs >= self._hangs or self._hunter.is_late

    def _signature(self, drawn: Drawn) -> Signature | None:
        """Return how the implementations differ over *drawn*, which is played once in a round."""
        if drawn not in self._signatures:
            self._signatures[drawn] = self._hunter.signature(drawn)
        return self._signatures[drawn]


def mended(drawn: Drawn) -> Iterator[Drawn]:
    """Yield *drawn* with each part that is not plain in its plain forms, the last part first."""
    if drawn.end != "fin":
        yield drawn._replace(end="fin")
    for part in reversed(parts_of(drawn.octets)):
        for octets in part.mended(drawn.octets):
            yield drawn._replace(octets=octets)


@functools.cache
def _template(end: str) -> Case:
    """Return a case with one exchange, in which any client may do anything."""
    return load_text(trial_text(b"", "hunted", "GET", end), "hunted.toml")[0]


def case_of(drawn: Drawn) -> Case:
    """Return the case that plays *drawn*."""
    case = _template(drawn.end)
    (only,) = case.script.connections
    steps = (Send(drawn.octets) if isinstance(one, Send) else one for one in only.steps)
    whole = dataclasses.replace(only, steps=tuple(steps))
    return dataclasses.replace(case, script=dataclasses.replace(case.script, connections=(whole,)))


def _strategy(known: Sequence[bytes]) -> st.SearchStrategy[Drawn]:
    """Return a strategy for responses of the grammar, and for changed ones of the corpus."""
    grammar = (
        st.sampled_from((*ODD_RESPONSES, *2 * _MANY)).flatmap(responses).map(lambda one: one.octets)
    )
    ends = st.sampled_from(("fin", "fin", "fin", "open", "rst"))
    return st.builds(Drawn, grammar | mutations(known) if known else grammar, ends)


@contextlib.contextmanager
def _home() -> Iterator[None]:
    """Let Hypothesis keep its tables in a temporary directory."""
    with tempfile.TemporaryDirectory(prefix="httplib-kit-") as home:
        set_hypothesis_home_dir(home)
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)
