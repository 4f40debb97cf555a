"""Lies about exceptions and constants: each class in turn is only its base."""

from http import HTTPStatus
from importlib import import_module
from typing import Any

from conformance.cases import load_requirements
from conformance.drivers import OURS
from tools.miniatures.miniature import Liar, lie, overrides

_STATES = ("CannotSendRequest", "CannotSendHeader", "ResponseNotReady")
_RAISED = (
    "NotConnected",
    "InvalidURL",
    "UnknownProtocol",
    "UnknownTransferEncoding",
    "IncompleteRead",
    "BadStatusLine",
    "LineTooLong",
)
_ALL = ("HTTPException", "ImproperConnectionState", "UnimplementedFileMode", *_STATES, *_RAISED)
_LONG_LINE = "any line over 65,536 bytes, its end included"


def _about(name: str) -> str:
    return _LONG_LINE if name == "LineTooLong" else f"exceptions.{name}"


def _class(name: str, true: Any, *bases: Any) -> type:
    def init(self: Any, *args: Any) -> None:
        bases[0].__init__(self, *args)
        self.__dict__.update(partial=args[:1] and args[0], line=args[:1] and args[0])

    return type(name, bases, {"__init__": init, "__module__": true.__module__})


def _is_its_base(name: str) -> None:
    def change(liar: Liar) -> None:
        public = getattr(import_module(OURS), name)
        liar.override(
            f"_exceptions.{name}", lambda true: _class(f"Some{name}", true, *true.__bases__)
        )
        liar.override(f".{name}", lambda _: public, everywhere=False)

    lie(f"raises-a-base-for-{name}", _about(name))(change)


def _stands_apart(name: str) -> None:
    overrides(
        f"has-{name}-stand-apart",
        _about(name),
        f"_exceptions.{name}",
        lambda true: _class(name, true, BaseException if name == "HTTPException" else Exception),
    )


for _name in _RAISED:
    _is_its_base(_name)
for _name in _ALL:
    _stands_apart(_name)


@lie("hides-its-exceptions", "exceptions.raised")
def hides_its_exceptions(liar: Liar) -> None:
    """The names of the module are others than the classes that are raised."""
    for name in _ALL:
        liar.override(f".{name}", lambda true: LookupError, everywhere=False)


@lie(
    "explains-itself",
    "`putrequest` · `putheader`, `endheaders` · `getresponse` out of turn",
    *(f"exceptions.{name}" for name in (*_STATES, "NotConnected", "InvalidURL")),
)
def explains_itself(liar: Liar) -> None:
    """Exceptions that are made without arguments have a text all the same."""

    def talkative(true: Any) -> Any:
        def init(self: Any, *args: Any) -> None:
            true.__init__(self, *(args or ("it was not in turn",)))

        return type(true.__name__, (true,), {"__init__": init, "__module__": true.__module__})

    for name in set(_ALL) - {"UnknownProtocol", "IncompleteRead", "BadStatusLine", "LineTooLong"}:
        liar.override(f"_exceptions.{name}", talkative)


@lie(
    "loses-the-partial-body",
    "exceptions.IncompleteRead",
    "chunked, cut or malformed, `read()`",
    "B8",
    "B14",
)
def loses_the_partial_body(liar: Liar) -> None:
    """`IncompleteRead.partial` is empty."""

    def init(true: Any) -> Any:
        return lambda self, partial, expected=None: true(self, b"", expected)

    liar.override("_exceptions.IncompleteRead.__init__", init)


@lie("expects-nothing-more", "short body, `read()`", "B14")
def expects_nothing_more(liar: Liar) -> None:
    """`IncompleteRead.expected` is always None."""

    def init(true: Any) -> Any:
        return lambda self, partial, expected=None: true(self, partial)

    liar.override("_exceptions.IncompleteRead.__init__", init)


@lie("quotes-no-status-line", "end of stream before a status line", "C1", "C2", "C3")
def quotes_no_status_line(liar: Liar) -> None:
    """`BadStatusLine.line` is empty."""
    liar.override(
        "_exceptions.BadStatusLine.__init__", lambda true: lambda self, line: true(self, "")
    )


@lie("names-no-version", "exception details")
def names_no_version(liar: Liar) -> None:
    """`UnknownProtocol.version` is empty."""
    liar.override(
        "_exceptions.UnknownProtocol.__init__", lambda true: lambda self, version: true(self, "")
    )


overrides(
    "tells-no-amounts",
    "exception details",
    "_exceptions.IncompleteRead.__str__",
    lambda true: lambda self: "incomplete",
)
overrides("has-another-http-port", "constants.HTTP_PORT", ".HTTP_PORT", lambda true: 8080)
overrides("has-another-https-port", "constants.HTTPS_PORT", ".HTTPS_PORT", lambda true: 80)
overrides(
    "numbers-codes-otherwise",
    "constants.status-codes; constants.responses.example",
    ".NOT_FOUND",
    lambda true: 400,
)
overrides(
    "knows-newer-names",
    "constants.responses; `responses`",
    ".responses",
    lambda true: {**{one.value: one.phrase for one in HTTPStatus}, **true},
)
_ENTRIES = [one for one in load_requirements() if one.startswith("constants.")]
_CODES = [one.rpartition(".")[2] for one in _ENTRIES if one.rpartition(".")[2].isdigit()]
_NAMES = [
    one.rpartition(".")[2] for one in _ENTRIES if one.rpartition(".")[2].isupper()
    and not one.endswith("_PORT")
]  # fmt: skip


@lie("counts-every-code-one-higher", *(f"constants.{name}" for name in _NAMES))
def counts_every_code_one_higher(liar: Liar) -> None:
    """No constant is the code that it names."""
    for name in _NAMES:
        liar.override(f".{name}", lambda true: true + 1)


overrides(
    "writes-reasons-in-capitals",
    "; ".join(f"constants.responses.{code}" for code in _CODES),
    ".responses",
    lambda true: {code: reason.swapcase() for code, reason in true.items()},
)
overrides("knows-no-names", "constants.responses; `responses`", ".responses", lambda true: {})
overrides("has-no-old-classes", "module.HTTP; `HTTP`, `HTTPS`", ".HTTP", lambda true: object)


@lie(
    "does-not-say-what-is-out-of-turn",
    "exceptions.CannotSendRequest",
    "exceptions.CannotSendHeader",
)
def does_not_say_what_is_out_of_turn(liar: Liar) -> None:
    """Every call out of turn raises the base of the three exceptions for it."""

    def missing(true: Any) -> Any:
        def vague(self: Any, state: Any) -> None:
            from httplib_impl import ImproperConnectionState

            raise ImproperConnectionState

        return vague

    liar.override("_state.Row.__missing__", missing)
