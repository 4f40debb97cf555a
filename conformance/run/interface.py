"""What an implementation lacks of the documented interface, and which cases need it.

The input is a case, or what was seen of one.  The output is names: ``responses``,
``HTTPConnection.putheader``, ``HTTPResponse.read(amt)``.

For each documented name the corpus has one case about its presence.  These cases are the probes:
they are run once, before any judgement.  A case that uses a name that is lacking is not run, and
the case about the presence fails, so that a missing method is one failure and not that of every
case that calls it.

A name is lacking only if it does not exist, and an argument only if the call itself refuses it.  A
TypeError from inside the implementation, or a name that exists and raises, is judged.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from conformance.cases import Case, Op, load_corpus, typed_arguments
from conformance.drivers import Message
from conformance.judge import Observation

_PROBES = ("interface.has.", "interface.status-constant.", "interface.constants.")
"""The first parts of the ids of the cases about presence."""
_LAST = ("strict", "timeout", "source_address")
_ARGUMENTS: Mapping[str, Sequence[str]] = {
    "HTTPConnection": ("host", "port", *_LAST),
    "HTTPSConnection": ("host", "port", "key_file", "cert_file", *_LAST),
    "HTTPConnection.putrequest": ("request", "selector", "skip_host", "skip_accept_encoding"),
    "HTTPConnection.putheader": ("header", "value"),  # further ones are `values`
    "HTTPConnection.set_tunnel": ("host", "port", "headers"),
    "HTTPResponse.getheader": ("name", "default"),
    "HTTPResponse.read": ("amt",),
}
"""The arguments of the page, by position."""
_MADE = {
    "HTTPConnection": "HTTPConnection",
    "HTTPSConnection": "HTTPConnection",
    "HTTPResponse": "HTTPResponse",
    "HTTPConnection.getresponse": "HTTPResponse",
}
"""The class whose documented names the result of a call has."""


def probes() -> list[Case]:
    """Return the cases about presence: those about names before those about their arguments."""
    found = load_corpus().select([f"{start}*" for start in _PROBES])
    return sorted(found, key=lambda case: "(" in probed(case))


def probed(case: Case) -> str:
    """Return the name whose presence *case* is about; empty for any other case."""
    if not case.id.startswith(_PROBES):
        return ""
    op = _probe(case)
    if op.message.get("call") == "hasattr":
        receiver, name = op.message["args"]
        return _qualified(_CLASSES[receiver["value"]], name)
    *_, last = used(case.ops[: case.ops.index(op) + 1])
    return last


def _probe(case: Case) -> Op:
    """Return the op of *case* that shows whether the name is there."""
    constants = (op for op in case.ops if "get" in op.message)
    return next(constants, case.ops[-1])


def is_lacking(case: Case, seen: Observation) -> bool:
    """Return whether *seen*, a run of a case about presence, shows that its name does not exist."""
    op = _probe(case)
    entry = seen.trace[op.id]
    if op.message.get("call") == "hasattr":
        return entry.get("value") is False
    error = entry.get("error", {})
    refused = ".AttributeError" if "get" in op.message else ".TypeError"
    return str(error.get("class", "")).endswith(refused) and not error.get("frames")


def used(ops: Iterable[Op]) -> Iterator[str]:
    """Yield the names of the interface that *ops* use, and the arguments that they give."""
    kinds = {"module": ""}
    for op in ops:
        message = op.message
        for kind, value in typed_arguments(message):
            first, _, rest = str(value).partition(".")
            if kind == "ref" and rest and first in kinds:
                yield _qualified(kinds[first], rest.partition(".")[0])
        called, args = _called(message, kinds)
        if called:
            yield called
        places = _ARGUMENTS.get(called, ())
        further = ["values"] * (len(args) - len(places)) if places else []
        named = [*places[: len(args)], *further, *message.get("kwargs", ())]
        yield from (f"{called}({name})" for name in named)
        if "as" in message:
            kinds.pop(message["as"], None)
            if called in _MADE:
                kinds[message["as"]] = _MADE[called]


def _called(message: Message, kinds: Mapping[str, str]) -> tuple[str, list[Any]]:
    """Return what the op calls or reads of the interface, and the arguments that it gives."""
    name, args = message.get("call") or message.get("get"), message.get("args", [])
    if (message["on"], name) == ("builtins", "call"):
        return args[0]["value"].removeprefix("module."), args[1:]
    if name is None or message["on"] not in kinds:
        return "", []
    return _qualified(kinds[message["on"]], name), args


def _qualified(owner: str, name: str) -> str:
    return f"{owner}.{name}" if owner else name


_CLASSES = {"module": "", "conn": "HTTPConnection", "response": "HTTPResponse"}
