"""Lies about exceptions and constants: each class in turn is only its base."""

from typing import Any

from conformance.miniatures.miniature import Liar, lie, overrides

_NAMES = (
    "NotConnected",
    "InvalidURL",
    "UnknownProtocol",
    "UnknownTransferEncoding",
    "IncompleteRead",
    "BadStatusLine",
    "LineTooLong",
)


def _is_its_base(name: str) -> None:
    def base(true: Any) -> Any:
        def init(self: Any, *args: Any) -> None:
            true.__bases__[0].__init__(self, *args)
            self.__dict__.update(partial=args[:1] and args[0], line=args[:1] and args[0])

        return type(
            f"Some{name}", true.__bases__, {"__init__": init, "__module__": true.__module__}
        )

    overrides(f"raises-a-base-for-{name}", f"exceptions.{name}", f"_exceptions.{name}", base)


for _name in _NAMES:
    _is_its_base(_name)


@lie("loses-the-partial-body", "exceptions.IncompleteRead", "B8", "B14")
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
overrides("numbers-codes-otherwise", "constants.status-codes", ".NOT_FOUND", lambda true: 400)
overrides(
    "knows-newer-names",
    "constants.responses; `responses`",
    ".responses",
    lambda true: {**true, 422: "Unprocessable Entity"},
)
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
