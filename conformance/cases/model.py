"""A case, ready to be played and judged: frozen values without shorthand.

These are types only. `build` makes them from tables, and `sweeps` makes variations of them. The
runner sends their script to the server and their ops to a driver, and the judge compares their
outcomes with what was seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from conformance.cases.octets import Pieces
from conformance.cases.tables import Dimensions
from conformance.cases.values import Expected, Octets
from conformance.cases.words import Grade, Level, Profile, Reused, Scheme, Strength
from conformance.wording import Category
from mockserver import Script

Setting = Mapping[str, str]
"""The value of each varied dimension, such as ``{"cut": "bytes"}``; empty if none is varied."""
USUAL: Setting = {"cut": "whole", "read_style": "read()", "end": "fin", "reuse": "fresh"}
"""The default value of each dimension, in a case that does not vary it."""


@dataclass(frozen=True, slots=True)
class Op:
    """One client call, in the form in which it is sent to the driver.

    Args:
        id: the name of the op in the trace and in the outcomes.
        message: the call in the form of the driver protocol (JSON values only).
    """

    id: str
    message: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The call in readable form, such as ``response.read(3)``."""
        return op_text(self.message)


@dataclass(frozen=True, slots=True)
class Expectation:
    """The required result of one op.

    Args:
        raises: the accepted exception classes; empty where a value is expected.
        attributes: expected values of the exception's attributes, in the form of the driver
            protocol.
        has_value: whether *value* is to be compared.
        value: the expected value, in the form of the driver protocol, with `Pieces` for bytes.
        anything: whether every result is accepted, including an error.
    """

    raises: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    has_value: bool = False
    value: Any = None
    anything: bool = False


@dataclass(frozen=True, slots=True)
class WireExpectation:
    """The required facts of the wire; None for a fact that is not compared."""

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
        ops: the expectation for each op that is compared, by the op's id.
        wire: the required facts of the wire.
        grade: ``"pass"`` or ``"tolerated"``.
        basis: why the outcome is tolerated.
        when: the values of dimensions to which the outcome is limited.
        exact: whether requests and header lists are compared byte by byte, and connections
            counted; otherwise they are compared as far as the documentation page describes them.
    """

    ops: Mapping[str, Expectation]
    wire: WireExpectation = WireExpectation()
    grade: Grade = "pass"
    basis: str | None = None
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exact: bool = True

    def holds(self, setting: Setting) -> bool:
        """Return whether the outcome applies to *setting*."""
        return all(
            setting.get(dimension, USUAL[dimension]) in values
            for dimension, values in self.when.items()
        )


@dataclass(frozen=True, slots=True)
class Accept:
    """A response that a client of any interface may accept.

    Args:
        status: the status code; None, here and in the other parts, for what is not compared.
        reason: the reason phrase.
        body: the content, without its framing.
        headers: the value of each field that is compared, by its name in lower case; several field
            lines with one name are one value, joined by a comma and a space.
    """

    status: int | None = None
    reason: Octets | None = None
    body: Octets | None = None
    headers: Mapping[str, Expected] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reject:
    """A refusal in one of these categories; if the list is empty, in any category."""

    categories: tuple[Category, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetch:
    """What RFC 9110 and RFC 9112 let a client of any interface do with one response.

    Args:
        strength: the strength of the requirement; with ``must``, any other result fails.
        results: the accepted results of a client.
        rfc: the sections that state the requirement, such as ``9112#6.3``.
        may_wait: whether a client may wait for more, so that the server ends the connection.
    """

    strength: Strength
    results: tuple[Accept | Reject, ...]
    rfc: tuple[str, ...]
    may_wait: bool = False


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How often the request of an exchange may arrive.

    Args:
        least: the least number.
        most: the greatest number; None for any.
        partial: whether a part of the request is enough: the client may stop sending it.
        strength: the strength of the requirement.
        rfc: the sections that state the requirement.
    """

    least: int = 1
    most: int | None = None
    partial: bool = False
    strength: Strength = "must"
    rfc: tuple[str, ...] = ("9110#9.2.2",)


@dataclass(frozen=True, slots=True)
class Placement:
    """On which connection the request of an exchange must arrive.

    Args:
        of: the id of an earlier exchange.
        kind: why the connection of that exchange must not be used; None where it must be used.
        strength: the strength of the requirement.
        rfc: the sections that state the requirement.
    """

    of: str
    kind: Reused | None
    strength: Strength
    rfc: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """What must have become of the connection of an exchange at the end of the session.

    Args:
        after: ``closed`` by the client, or ``kept`` open.
        strength: the strength of the requirement.
        rfc: the sections that state the requirement.
    """

    after: Literal["closed", "kept"]
    strength: Strength
    rfc: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request that a client is asked to make, and what becomes of it.

    Args:
        op: the call, `fetch` or `exchange`; its id is the id of the exchange.
        fetch: what the client may do with the response.
        arrivals: how often the request may arrive.
        placement: on which connection it must arrive; None for any.
        ending: what must have become of its connection; None for anything.
        parallel: whether it begins together with the exchange before it.
    """

    op: Op
    fetch: Fetch
    arrivals: Arrivals = Arrivals()
    placement: Placement | None = None
    ending: Ending | None = None
    parallel: bool = False

    @property
    def id(self) -> str:
        """The id."""
        return self.op.id

    @property
    def method(self) -> str:
        """The method of the request."""
        return str(self.op.message["kwargs"].get("method", "GET"))

    @property
    def target(self) -> str:
        """The request target; empty for that of the case's URL."""
        return str(self.op.message["kwargs"].get("target", ""))

    @property
    def body(self) -> bytes:
        """The content of the request."""
        given = self.op.message["kwargs"].get("body")
        return b"" if given is None else str(given["value"]).encode("latin-1")


@dataclass(frozen=True, slots=True)
class Session:
    """The exchanges that one client makes, in order; ``fetch`` is the session of one GET.

    Args:
        exchanges: the exchanges.
        scheme: that of the URLs.
        proxy_to: the authority in the URLs, where the server is a proxy; empty where it is that of
            the server.
        proxy_user: the user and the password for that proxy, joined by a colon; empty for none.
    """

    exchanges: tuple[Exchange, ...]
    scheme: Scheme = "http"
    proxy_to: str = ""
    proxy_user: str = ""

    @property
    def is_secure(self) -> bool:
        """Whether the requests go inside TLS."""
        return self.scheme == "https"

    @property
    def has_tunnel(self) -> bool:
        """Whether the client asks the server, by CONNECT, for a tunnel to the origin."""
        return self.is_secure and bool(self.proxy_to)

    def origin(self, server: str) -> str:
        """Return scheme and authority of the URLs, given the authority of the *server*."""
        return f"{self.scheme}://{self.proxy_to or server}"

    @property
    def strength(self) -> Strength:
        """The strength of the strictest requirement on a response."""
        found = {one.fetch.strength for one in self.exchanges}
        return "must" if "must" in found else "should" if "should" in found else "may"

    @property
    def rfc(self) -> tuple[str, ...]:
        """The sections that the exchanges cite, each once."""
        return tuple(dict.fromkeys(name for one in self.exchanges for name in one.fetch.rfc))

    @property
    def groups(self) -> tuple[tuple[Exchange, ...], ...]:
        """The exchanges, each with those that begin together with it."""
        found: list[list[Exchange]] = []
        for one in self.exchanges:
            if one.parallel:
                found[-1].append(one)
            else:
                found.append([one])
        return tuple(map(tuple, found))


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Case:
    """One row of the corpus: the server's script, the client's ops, what must be seen, and why."""

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
    session: Session | None = None
    setting: Setting = field(default_factory=dict)
    authored: str = ""
    profile: Profile = "httplib"
    path: str = "/"
    """In the client profile, the path of the URL that the client fetches."""
    played: str = ""
    """A digest of what server and client do; a golden record with another one is out of date."""

    @property
    def name(self) -> str:
        """The id; in a variation followed by ``@`` and the setting of each varied dimension."""
        setting = ",".join(f"{key}={value}" for key, value in sorted(self.setting.items()))
        return f"{self.id}@{setting}" if setting else self.id

    @property
    def fetch(self) -> Fetch | None:
        """What a client may do with the response, if its session is one `fetch`; else None."""
        if self.session is None or self.session.exchanges[0].op.message["call"] != "fetch":
            return None
        return self.session.exchanges[0].fetch

    def accepted(self) -> tuple[Outcome, ...]:
        """Return the outcomes that apply to the case's setting, in order.

        Outcomes that are limited to one of these values come before those for any value.
        """
        fitting = [outcome for outcome in self.outcomes if outcome.holds(self.setting)]
        return tuple(sorted(fitting, key=lambda outcome: not outcome.when))


def op_text(message: Mapping[str, Any]) -> str:
    """Return the call of *message* in readable form."""
    on = str(message["on"])
    if "item" in message:
        return f"{on}[{argument_text(message['item'])}]"
    if "get" in message:
        return f"{on}.{message['get']}"
    if "set" in message:
        return f"{on}.{message['set']} = {argument_text(message['value'])}"
    if message.get("call") == "exchange":
        return _exchange_text(message["kwargs"])
    given = [argument_text(argument) for argument in message["args"]]
    given += [f"{name}={argument_text(value)}" for name, value in message["kwargs"].items()]
    if "repeat" in message:
        given = [f"{message['repeat']}"]
    return f"{on}.{message['call']}({', '.join(given)})" + (
        " until it is empty" if "repeat" in message else ""
    )


def _exchange_text(given: Mapping[str, Any]) -> str:
    """Return a request in readable form, such as ``POST /2 (3 bytes, streamed)``."""
    details = [f"{name}: {value}" for name, value in given.get("fields", {"value": ()})["value"]]
    if "body" in given:
        details.append(f"{len(given['body']['value'])} bytes")
    details += [name for name in ("streamed", "expect_continue") if name in given]
    if "consume" in given:
        amount = f" of {given['amount']} bytes" if "amount" in given else ""
        details.append(f"consume={given['consume']}{amount}")
    more = f" ({', '.join(details)})" if details else ""
    return f"{given.get('method', 'GET')} {given['target']}{more}"


def argument_text(argument: Any) -> str:
    """Return an argument in the form of the driver protocol in readable form."""
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
