"""Fresh cases: new responses, drawn by a seed from the grammar and the corpus.

The input is a seed.  The output is a case file, for `with_own`: equal seeds give equal files with
the same version of the kit.  So nothing is drawn by Hypothesis, whose draws depend on what else is
imported.

What is right has two sources.  What any client may do follows from the law for the rules that the
bytes break.  What a client reads there, and what a drop-in for `httplib` does, is what the
reference does.  A response is left out where law and reference contradict each other, where the law
names no rule with certainty, and where a live Python 2.7 does something else than the reference.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from certs import CertificateAuthority
from conformance.cases import (
    CHUNKS,
    CODINGS,
    FIELDS,
    FRESH,
    INTERIM,
    LAST_CHUNKS,
    LAW,
    LEFTOVERS,
    ODD_CHUNKS,
    ODD_CODINGS,
    ODD_FIELDS,
    ODD_INTERIM,
    ODD_LAST_CHUNKS,
    ODD_LENGTHS,
    ODD_STATUS_LINES,
    STATUS_LINES,
    Case,
    Cases,
    Corpus,
    law_of,
    load_corpus,
    rules_broken,
    sent_by,
    with_own,
)
from conformance.drivers import OURS, DriverError, UnknownImplementation, target
from conformance.judge import OK, Observation
from conformance.run import Runner

COUNT = 150
"""Fresh cases that a seed gives at most; those that are left out are not replaced."""
_LIVE = "python2.7:httplib"
_LONGEST = 400
_KNOWN = 300
"""Cases of the corpus whose responses are changed."""
_LETTERS = b"abcdefghijklmnopqrstuvwxyz"
_ODD = (
    "nothing",
    "status line",
    "interim",
    "fields",
    "coding",
    "leftovers",
    *("length", "chunks", "cut") * 2,
)
"""What may be odd about a response; what ends in a MUST comes more often."""
_PLAIN = 2
"""The first parts of each list of the grammar that break no rule."""
_NOISE = (b" ", b"\t", b"\r", b"\n", b"\r\n", b":", b";", b"0", b"1", b"a", b"-", b"+", b"\xa0")
_WORDS = (b"hello", b"0123456789")
"""Contents of the grammar, which a seed replaces by others of the same length."""
_HEAD = b'family = "fresh"\n\n'
_CASE = """\
[[case]]
id = {id}
title = {title}
level = "precedent"
spec = ["HTTPConnection.getresponse"]
why = {why}
respond = {octets}
ops = [
  {{ call = "request", args = ["GET", "/"] }},
  {{ call = "getresponse" }},
  {{ get = "status" }},
  {{ call = "read" }},
]
[[case.outcome]]
{outcome}
[case.fetch]
strength = "{strength}"
rfc = [{rfc}]
expect = [{expect}]

"""


def fresh_file(seed: int, *, live: bool = True) -> tuple[str, bytes]:
    """Return the name and the content of the case file of *seed*.

    Args:
        seed: equal seeds give equal files.
        live: whether to compare with a Python 2.7, if there is one.
    """
    drawn = _drawn(seed, load_corpus())
    # A driver receives the id of a case: the seed is not in it, for with that a program could draw
    # the cases itself.
    cases = {f"fresh.{sha256(octets).hexdigest()[:12]}": octets for octets in drawn}
    seen = _observed(cases)
    texts = {name: _text(name, octets, seen[name]) for name, octets in cases.items()}
    found = {name: text for name, text in texts.items() if text}
    kept = _met_by_live(found) if live else found
    return f"{FRESH}{seed}", _HEAD + "".join(kept.values()).encode()


def _cases(text: str) -> Cases:
    return with_own(load_corpus(), [("fresh.toml", _HEAD + text.encode())]).select()


def _drawn(seed: int, corpus: Corpus) -> list[bytes]:
    """Return responses, each once: half from the grammar, half changed ones of the corpus."""
    chance = random.Random(seed)
    listed = chance.sample([one for one in corpus.every.listed if one.for_clients], _KNOWN)
    sent = (sent_by(one.script()) for one in listed)
    known = sorted({one[0] for one in sent if len(one) == 1 and 0 < len(one[0]) <= _LONGEST})
    drawn = [
        _renamed(_changed(chance, known) if number % 2 else _composed(chance), chance)
        for number in range(COUNT)
    ]
    return [one for one in dict.fromkeys(drawn) if one and one not in known]


def _composed(chance: random.Random) -> bytes:
    """Return a response of parts of the grammar, odd in one dimension."""
    odd = chance.choice(_ODD)

    def part(dimension: str, usual: Sequence[bytes], others: Sequence[bytes]) -> bytes:
        return chance.choice([*usual, *others] if odd == dimension else usual)

    head = [part("status line", STATUS_LINES[:_PLAIN], ODD_STATUS_LINES) + b"\r\n"]
    if odd == "interim":
        head[:0] = chance.choices([*INTERIM, *ODD_INTERIM], k=2)
    head += [part("fields", FIELDS[:_PLAIN], (*FIELDS, *ODD_FIELDS)) for _ in range(2)]
    chunks = [part("chunks", CHUNKS, ODD_CHUNKS) for _ in range(chance.randrange(1, 4))]
    chunked = b"".join(
        [*chunks, part("chunks", LAST_CHUNKS[:_PLAIN], (*LAST_CHUNKS, *ODD_LAST_CHUNKS))]
    )
    length = part("length", (b"5", b"05"), ODD_LENGTHS)
    framings = {
        "length": (b"Content-Length: " + length + b"\r\n", b"hello"),
        "chunks": (
            b"Transfer-Encoding: " + part("coding", CODINGS, ODD_CODINGS) + b"\r\n",
            chunked,
        ),
        "nothing": (b"", b"hello"),
    }
    kind = {"coding": "chunks"}.get(odd, odd)
    field, body = framings[kind] if kind in framings else chance.choice(list(framings.values()))
    head.insert(chance.randrange(1, len(head)) if odd != "interim" else len(head), field)
    octets = b"".join([*head, b"\r\n", body])
    if odd == "leftovers":
        return octets + chance.choice(LEFTOVERS)
    return octets[: chance.randrange(len(octets))] if odd == "cut" else octets


def _changed(chance: random.Random, known: Sequence[bytes]) -> bytes:
    """Return a response of the corpus: cut, with another end, or with a byte more or less."""
    octets = chance.choice(known)
    place = chance.randrange(len(octets))
    there = chance.choice(known).splitlines(keepends=True)
    here = octets.splitlines(keepends=True)
    changes = (
        octets[:place],
        octets[:place] + octets[place + 1 :],
        octets[:place] + chance.choice(_NOISE) + octets[place:],
        b"".join(
            [*here[: chance.randrange(len(here) + 1)], *there[chance.randrange(len(there)) :]]
        ),
    )
    return chance.choice(changes)


def _renamed(octets: bytes, chance: random.Random) -> bytes:
    for word in _WORDS:
        octets = octets.replace(word, bytes(chance.choices(_LETTERS, k=len(word))))
    return octets


def _observed(cases: Mapping[str, bytes]) -> dict[str, Observation]:
    """Return what the reference does with each response."""
    fetch = {
        "rfc": '"9112#6.3"',
        "strength": "may",
        "outcome": "status = { any = true }",
        "expect": '"reject"',
    }
    texts = (_CASE.format(**_head(name, octets, ""), **fetch) for name, octets in cases.items())
    trials = _cases("".join(texts))
    seen: dict[str, Observation] = {}

    def note(case: Case, what: Observation) -> None:
        seen[case.id] = what

    with Runner(target(OURS), CertificateAuthority(), witness=note) as runner:
        for _ in runner.run(trials):
            pass
    return seen


def _head(name: str, octets: bytes, why: str) -> dict[str, str]:
    title = f"Response {name.rpartition('.')[2]}"
    return {
        "id": _string(name),
        "title": _string(title),
        "why": _string(f"This response is not in the corpus. {why}".rstrip()),
        "octets": _string(octets.decode("latin-1")),
    }


def _string(text: str) -> str:
    """Return *text* as a TOML basic string, whose escapes are those of JSON except for DEL."""
    return json.dumps(text).replace("\x7f", "\\u007f")


def _text(name: str, octets: bytes, seen: Observation) -> str:
    """Return the case as text; empty if law and reference do not agree on what is right."""
    rules = rules_broken(octets, "fin")
    law = law_of(rules)
    outcome = dict(_outcome(seen.trace))
    if law is None or not outcome:
        return ""
    strength, results = law
    accept = "" if "raises" in "".join(outcome.values()) else _accept(outcome)
    if not accept and results == {"accept"}:
        return ""
    told = {"reject": '"reject"', "accept": f"{{ accept = {{ {accept} }} }}"}
    sections = dict.fromkeys(one for rule in rules or ["well-formed"] for one in LAW[rule].sections)
    why = f"Its bytes break {', '.join(rules)}." if rules else "Its bytes break no rule."
    return _CASE.format(
        **_head(name, octets, why),
        outcome="\n".join(f"{op} = {value}" for op, value in outcome.items()),
        strength=strength,
        rfc=", ".join(map(_string, sections)),
        expect=", ".join(told[one] for one in sorted(results)),
    )


def _accept(outcome: Mapping[str, str]) -> str:
    return f"status = {outcome['status']}, body = {outcome['read']}"


def _outcome(trace: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each op with what the reference did, as a value of an outcome."""
    for op in ("getresponse", "status", "read"):
        entry = trace.get(op, {})
        if "error" in entry:
            yield op, f'{{ raises = "{entry["error"]["class"].rpartition(".")[2]}" }}'
            return
        value = entry.get("value")
        if op == "status":
            yield op, str(value)
        elif op == "read":
            yield op, _string(value["value"])


def _met_by_live(cases: Mapping[str, str]) -> dict[str, str]:
    """Return those of *cases* whose outcome a live Python 2.7 meets; all without one."""
    try:
        runner = Runner(target(_LIVE), CertificateAuthority(), tolerant=False)
    except (DriverError, UnknownImplementation):
        return dict(cases)
    with runner:
        met = [one.id for one in runner.run(_cases("".join(cases.values()))) if one.verdict in OK]
    return {name: cases[name] for name in met}
