"""Conformance statements: what was measured of one client, on one page that can be checked.

The input is a run and the bytes of its result files.  The output is a `Statement`, as JSON and as
Markdown; for the same input and the same date, the same bytes.  A statement has the digest of its
own text, which shows a change that was made by mistake, and on request an Ed25519 signature, which
shows any.  What it says can be derived from the result files again, whose SHA-256 digests it has.

Text of a statement that is read is as untrusted as that of a result file.
"""

import base64
import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_private_key,
    load_ssh_public_key,
)

from conformance.judge import Verdict
from conformance.report.badge import levels_of
from conformance.report.markdown import cells, code
from conformance.report.runs import NoReport, Run
from conformance.report.score import score
from conformance.report.summary import LAWS, scope

FORMAT = 1
DAYS = 365
"""Days for which a statement is valid, unless another number is asked for."""
_CONTEXT = b"httplib-kit statement\n"
"""What precedes the signed bytes, so that a signature of something else is never one of these."""


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many cases of a level, or of a strength, have which result.

    Args:
        passed: judged cases that pass.
        judged: all judged cases; known failures and flaky cases are among them and do not pass.
        not_run: cases that were not judged.
    """

    passed: int
    judged: int
    not_run: int


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The client that was judged.

    Args:
        written: as the user named it.
        name: its own name.
        version: its own version.
        judged: by what it was judged.
    """

    written: str
    name: str
    version: str
    judged: str


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signature.

    Args:
        key: the public key, as OpenSSH writes it: ``ssh-ed25519 AAAA…``.
        value: the signature in base64.
    """

    key: str
    value: str


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A conformance statement.

    Args:
        statement: the version of this format.
        client: the client that was judged.
        kit: the version of the kit.
        corpus: the digest of the corpus.
        set: the frozen set of cases that counts; empty for the whole corpus.
        date: the day on which the statement was made.
        expires: the last day on which it is valid.
        score: the score in one line.
        levels: the counts, by level.
        verdicts: how many results have which verdict.
        not_run: how many cases were not judged, by the reason.
        limits: in which ways the run was not the usual one of all cases.
        results: the SHA-256 digests of the result files, by their names.
        digest: the SHA-256 digest of all that precedes.
        signature: a signature of the same; None if it is not signed.
    """

    statement: int
    client: Client
    kit: str
    corpus: str
    set: str
    date: dt.date
    expires: dt.date
    score: str
    levels: dict[str, Level]
    verdicts: dict[str, int]
    not_run: dict[str, int]
    limits: list[str]
    results: dict[str, str]
    digest: str = ""
    signature: Signature | None = None

    @property
    def content(self) -> bytes:
        """The bytes to which digest and signature belong."""
        plain = msgspec.structs.replace(self, digest="", signature=None)
        return msgspec.json.encode(plain, order="sorted")

    @property
    def problem(self) -> str:
        """Why the statement is not what its maker wrote; empty if it is."""
        if self.statement != FORMAT:
            return f"it has the format {self.statement}, and this kit reads {FORMAT}"
        if hashlib.sha256(self.content).hexdigest() != self.digest:
            return "it was changed after it was written: its digest is another"
        if any(
            not 0 <= one.passed <= one.judged or one.not_run < 0 for one in self.levels.values()
        ):
            return "its counts contradict one another"
        if self.signature is not None and not _is_signed(self.content, self.signature):
            return "its signature is not valid"
        return ""

    def is_expired(self, today: dt.date) -> bool:
        """Return whether the statement is no longer valid on *today*."""
        return today > self.expires


def statement_of(
    run: Run, files: Mapping[str, bytes], date: dt.date, days: int = DAYS
) -> Statement:
    """Return the statement about *run*.

    Args:
        run: a complete run.
        files: the content of its result files, by name.
        date: the day on which the statement is made.
        days: for how many days it is valid.

    Raises:
        NoReport: the run is incomplete, so that nothing can be stated; or the days go beyond what
            a calendar has.
    """
    head, found = run.head, run.score
    try:
        expires = date + dt.timedelta(days=days)
    except OverflowError:
        raise NoReport(f"{days} days after {date}: no calendar has that day") from None
    if head.incomplete:
        raise NoReport(f"{head.implementation}: incomplete: {head.incomplete}")
    by_level = {
        level: score(one for one in run.results if one.weight == level)
        for level in levels_of(run.results)
    }
    made = Statement(
        statement=FORMAT,
        client=Client(head.implementation, head.name, head.version, LAWS[run.is_client]),
        kit=head.kit,
        corpus=head.corpus,
        set=head.set,
        date=date,
        expires=expires,
        score=found.text,
        levels={
            level: Level(one.well, one.judged, one.not_judged) for level, one in by_level.items()
        },
        verdicts=_in_order(Counter(one.verdict for one in run.results)),
        not_run=found.not_run,
        limits=list(_limits(run)),
        results={name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
    )
    return msgspec.structs.replace(made, digest=hashlib.sha256(made.content).hexdigest())


def _in_order(counts: Mapping[str, int]) -> dict[str, int]:
    return {verdict.value: counts[verdict] for verdict in Verdict if counts[verdict]}


def _limits(run: Run) -> Iterator[str]:
    """Yield a line for each way in which the run was not the usual one of all cases."""
    head = run.head
    yield from scope(head)
    for option, given in (
        ("--select", head.select),
        ("--exclude", head.exclude),
        ("--family", head.family),
        ("--cases", head.own),
        ("--error-map", list(head.error_map)),
    ):
        if given:
            yield f"{option} {', '.join(given)}"
    if not run.is_client:
        yield f"levels: {', '.join(head.levels)}"
    if not head.tolerant:
        yield "--no-tolerance: outcomes that are tolerated elsewhere are failures"
    if head.sweep != "none":
        yield f"--sweep {head.sweep}"
    if head.baseline:
        yield f"known failures, which do not pass, are those of {head.baseline}"


def statement_json(statement: Statement) -> bytes:
    """Return the document."""
    return msgspec.json.format(msgspec.json.encode(statement), indent=1) + b"\n"


def read_statement(path: Path) -> Statement:
    """Return the statement in the file at *path*, whether or not it is valid.

    Raises:
        NoReport: it is none.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Statement)
    except OSError as error:
        raise NoReport(f"{path}: cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise NoReport(f"{path}: not a statement: {error}") from None


def signed(statement: Statement, key: Path) -> Statement:
    """Return *statement* with a signature by the private key in the file *key*.

    Raises:
        NoReport: the file is not an Ed25519 key that OpenSSH wrote without a passphrase.
    """
    needed = "give an Ed25519 key without a passphrase: ssh-keygen -t ed25519 -N '' -f FILE"
    try:
        private = load_ssh_private_key(key.read_bytes(), None)
    except OSError as error:
        raise NoReport(f"{key}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NoReport(f"{key}: not a key that can be used; {needed}") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise NoReport(f"{key}: a key of another kind; {needed}")
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    value = base64.b64encode(private.sign(_CONTEXT + statement.content))
    return msgspec.structs.replace(statement, signature=Signature(public.decode(), value.decode()))


def _is_signed(content: bytes, signature: Signature) -> bool:
    try:
        key = load_ssh_public_key(signature.key.encode())
        value = base64.b64decode(signature.value, validate=True)
        if not isinstance(key, Ed25519PublicKey):
            return False
        key.verify(value, _CONTEXT + content)
    except (ValueError, UnsupportedAlgorithm, InvalidSignature):
        return False
    return True


def key_words(text: str) -> str:
    """Return the kind and the value of a public key as OpenSSH writes it, without its comment."""
    return " ".join(text.split()[:2])


def statement_markdown(statement: Statement) -> str:
    """Return the statement for people."""
    one = statement
    lines = [
        f"# {code(' '.join(filter(None, [one.client.name, one.client.version])))}: "
        "HTTP/1.1 conformance statement",
        "",
        f"Written {code(one.client.written)}, {code(one.client.judged)}. Made on {one.date}, valid "
        f"until {one.expires}.",
        "",
        f"**{code(one.score)}**",
        "",
        cells(["level", "passed", "judged", "not run"]),
        cells(["---", "---:", "---:", "---:"]),
        *(
            cells([code(level), str(counts.passed), str(counts.judged), str(counts.not_run)])
            for level, counts in one.levels.items()
        ),
        "",
        cells(["verdict", "cases"]),
        cells(["---", "---:"]),
        *(cells([code(verdict), str(count)]) for verdict, count in one.verdicts.items()),
        "",
        *_listed("Not run", [f"{count} {reason}" for reason, count in one.not_run.items()]),
        *_listed("How the run was limited", one.limits),
        *_listed(
            "What this follows from",
            [
                f"kit {one.kit}",
                f"corpus {one.corpus}" + (f", set {one.set}" if one.set else ""),
                *(f"{name}, SHA-256 {digest}" for name, digest in one.results.items()),
                f"digest of this statement {one.digest}",
                f"signed with {one.signature.key}" if one.signature else "not signed",
            ],
        ),
    ]
    return "\n".join(lines)


def _listed(heading: str, lines: Sequence[str]) -> list[str]:
    return [f"## {heading}", "", *(f"- {code(line)}" for line in lines), ""] if lines else []
