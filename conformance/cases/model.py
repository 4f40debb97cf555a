"""A case, ready to be played and judged: frozen values, nothing left to interpret.

In: nothing; these are the nouns.  `build` makes them from tables, `sweeps` makes further ones from
them, the runner sends their script to the server and their ops to a driver, and the judge holds
their outcomes against what was seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.cases.octets import Pieces
from conformance.cases.tables import Dimensions
from conformance.cases.values import Expected
from conformance.cases.words import Category, Grade, Level, Profile, Strength
from mockserver import Script

Setting = Mapping[str, str]
"""The value of each varied dimension, such as ``{"cut": "bytes"}``; empty where none is."""
USUAL: Setting = {"cut": "whole", "read_style": "read()", "end": "fin", "reuse": "fresh"}
"""The value of each dimension where it is not varied."""


@dataclass(frozen=True, slots=True)
class Op:
    """One client call, as it is sent to the driver.

    Args:
        id: the name under which the trace and the outcomes know it.
        message: the call in the form of the driver protocol (JSON values only).
    """

    id: str
    message: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The call as a person would write it: ``response.read(3)``."""
        return op_text(self.message)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one op must have come to.

    Args:
        raises: the accepted exception classes; empty where a value is expected.
        attributes: expected values of the exception's attributes, in the form of the driver
            protocol.
        has_value: whether *value* is to be compared.
        value: the expected value, in the form of the driver protocol, with `Pieces` for octets.
        anything: whether every result is accepted, an error too.
    """

    raises: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    has_value: bool = False
    value: Any = None
    anything: bool = False


@dataclass(frozen=True, slots=True)
class WireExpectation:
    """What must have been seen on the wire; None where it is not compared."""

    connections: int | None = None
    after: tuple[str, ...] | None = None
    left: tuple[int, ...] | None = None
    request: tuple[Pieces, ...] | None = None
    received: tuple[Pieces, ...] | None = None
    source: tuple[Pieces, ...] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One whole accepted observation.

    Args:
        ops: the expectation for each op that is compared, by its id.
        wire: what must have been seen on the wire.
        grade: ``"pass"`` or ``"tolerated"``.
        basis: why the outcome is tolerated.
        when: the values of dimensions to which the outcome is limited.
        exact: whether requests and header lists are compared to the octet, and connections
            counted; else as far as the documentation page describes them.
    """

    ops: Mapping[str, Expectation]
    wire: WireExpectation = WireExpectation()
    grade: Grade = "pass"
    basis: str | None = None
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exact: bool = True

    def holds(self, setting: Setting) -> bool:
        """Tell whether the outcome counts under *setting*."""
        return all(
            setting.get(dimension, USUAL[dimension]) in values
            for dimension, values in self.when.items()
        )


@dataclass(frozen=True, slots=True)
class Accept:
    """A response that a client of any interface may take.

    Args:
        status: the status code; None, here and below, for what is not compared.
        reason: the reason phrase.
        body: the content, with nothing left of its framing.
        headers: the value of each field that is compared, by its name in lower case; a field that
            stands there several times is one value, joined by a comma and a blank.
    """

    status: int | None = None
    reason: bytes | None = None
    body: bytes | None = None
    headers: Mapping[str, Expected] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reject:
    """A refusal for one of these reasons; without any, for whatever reason."""

    categories: tuple[Category, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetch:
    """What RFC 9112 lets a client of any interface do with the octets of a case.

    Args:
        strength: what it means to come to none of *results*.
        results: what a client may come to.
        rfc: the sections that say so, such as ``9112#6.3``.
        may_wait: whether a client may wait for more, so that the server ends the connection.
    """

    strength: Strength
    results: tuple[Accept | Reject, ...]
    rfc: tuple[str, ...]
    may_wait: bool = False


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Case:
    """One row of the corpus: what the server plays, the client does, must be seen, and why."""

    id: str
    rev: int
    title: str
    level: Level
    family: str
    file: str
    spec: tuple[str, ...]
    rfc: tuple[str, ...]
    why: str
    origin: tuple[str, ...]
    twin: str | None
    needs: frozenset[str]
    host: str
    script: Script
    ops: tuple[Op, ...]
    certificates: bool
    outcomes: tuple[Outcome, ...]
    sweep: Dimensions
    fetch: Fetch | None = None
    setting: Setting = field(default_factory=dict)
    authored: str = ""
    profile: Profile = "httplib"
    path: str = "/"
    """In the client profile, the path of the URL that is fetched."""
    played: str = ""
    """A digest of what server and client do, by which a golden record knows its case."""

    @property
    def name(self) -> str:
        """The id, and behind ``@`` the setting of each varied dimension."""
        setting = ",".join(f"{key}={value}" for key, value in sorted(self.setting.items()))
        return f"{self.id}@{setting}" if setting else self.id

    def accepted(self) -> tuple[Outcome, ...]:
        """Return the outcomes that count under the case's setting, in order.

        An outcome for the very value of a dimension comes before those for any.
        """
        fitting = [outcome for outcome in self.outcomes if outcome.holds(self.setting)]
        return tuple(sorted(fitting, key=lambda outcome: not outcome.when))


def op_text(message: Mapping[str, Any]) -> str:
    """Return the call of *message* as a person would write it."""
    on = str(message["on"])
    if "item" in message:
        return f"{on}[{argument_text(message['item'])}]"
    if "get" in message:
        return f"{on}.{message['get']}"
    if "set" in message:
        return f"{on}.{message['set']} = {argument_text(message['value'])}"
    given = [argument_text(argument) for argument in message["args"]]
    given += [f"{name}={argument_text(value)}" for name, value in message["kwargs"].items()]
    if "repeat" in message:
        given = [f"{message['repeat']}"]
    return f"{on}.{message['call']}({', '.join(given)})" + (
        " until it is empty" if "repeat" in message else ""
    )


def argument_text(argument: Any) -> str:
    """Return an argument of the driver protocol as a person would write it."""
    if isinstance(argument, list):
        return "[" + ", ".join(argument_text(item) for item in argument) + "]"
    if not isinstance(argument, dict):
        return _shortened(repr(argument))
    kind, value = argument["type"], argument.get("value")
    if kind == "none":
        return "None"
    if kind == "mapping":
        pairs = (f"{argument_text(key)}: {argument_text(item)}" for key, item in argument["value"])
        return "{" + ", ".join(pairs) + "}"
    if kind == "tuple":
        return (
            "(" + "".join(f"{argument_text(item)}, " for item in argument["value"]).rstrip() + ")"
        )
    if kind == "bytes":
        return "b" + _shortened(repr(value))
    if kind in ("ref", "address"):
        return f"<{kind} {value}>" if kind == "address" else str(value)
    return f"{kind}({_shortened(repr(value))})"


def _shortened(text: str, most: int = 72) -> str:
    return (
        text if len(text) <= most else f"{text[: most - 20]}…{text[-12:]} ({len(text)} characters)"
    )
