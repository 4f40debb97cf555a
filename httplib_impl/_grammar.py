"""The patterns of HTTP/1 that the package matches, each below its rule.

Bytes come in, a match or None goes out. "Actually" marks where real peers made us depart
from the rule. Limits stand here too, because they are part of what is accepted.
"""

from __future__ import annotations

import re

from ._types import TYPE_CHECKING, Any


class _Pattern:
    """A pattern that is compiled when it is first used: 5 % of the time of the import."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments

    def __getattr__(self, name: str) -> Any:
        method = self.__dict__[name] = getattr(re.compile(*self._arguments), name)
        return method


pattern = re.compile if TYPE_CHECKING else _Pattern

# The longest line of a server, its end included, as in 2.7.
MAX_LINE = 65536

# Header lines of one head, trailer lines of one body, interim responses before one final response.
MAX_LINES = 100

# OWS = *( SP / HTAB )                                               (RFC 9110, 5.6.3)
# Actually 2.7 strips and splits at every ASCII blank. NBSP, 0x85 and 0x1c are not blanks; the
# methods of `str` remove them as well, and are never used on what a server sent.
BLANKS = b" \t\n\r\x0b\x0c"

# method = token = 1*tchar                                           (RFC 9110, 5.6.2 and 9.1)
METHOD = pattern(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

# host: no control character, no blank, no DEL                       (RFC 3986, 3.2.2, much wider)
NOT_IN_HOST = pattern(r"[\x00-\x20\x7f]")

# absolute-form = scheme "://" [ userinfo "@" ] authority …          (RFC 3986, 3.1 and 3.2)
ABSOLUTE_URL = pattern(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#]*@)?([^/?#]+)")

# field-name = token                                                 (RFC 9110, 5.1)
# Actually 2.7 sends any name that cannot break the line or move the colon.
FIELD_NAME = pattern(rb"[^\s:\x00][^:\r\n\x00]*")

# field-value = *field-content                                       (RFC 9110, 5.5)
# Actually a line break is sent where a blank follows: the deprecated obs-fold.
NOT_IN_VALUE = pattern(rb"\n(?![ \t])|\r(?![ \t\n])|\x00")

# status-line = HTTP-version SP status-code SP [ reason-phrase ] CRLF        (RFC 9112, 4)
# Actually any run of blanks separates, a bare LF ends the line, and the reason with its blank may
# be missing. `strict` accepts this and nothing else.
STRICT_STATUS_LINE = pattern(
    rb"(HTTP/1\.[01])[ \t\r\x0b\x0c]+([1-9][0-9][0-9])(?:[ \t\r\x0b\x0c]+([^\n]*))?\n?"
)

# status-code = 3DIGIT                                               (RFC 9112, 4)
# Actually 000 to 099 were never codes.
STATUS_CODE = pattern(rb"[1-9][0-9][0-9]")

# obs-fold = OWS CRLF RWS                                            (RFC 9112, 5.2)
FOLD = pattern(rb"\n[ \t]")
FIELD_END = pattern(rb"\n(?![ \t])")

# The fields that decide where a body ends, and whether the connection outlives it; or else a fold,
# because a field may be inside, or an empty line. The first letter is compared first: most fields
# have another.
FRAMING_FIELD = pattern(
    rb"\n(?=[ \t\nCKPTckpt])(?:([ \t\n])|"
    rb"(connection|content-length|keep-alive|proxy-connection|transfer-encoding):([^\n]*))",
    re.IGNORECASE,
)

# chunk-size [ chunk-ext ] CRLF,  chunk-size = 1*HEXDIG              (RFC 9112, 7.1)
# Actually some servers send blanks after the size.
CHUNK_SIZE_LINE = pattern(rb"([0-9A-Fa-f]+)[ \t]*(?:;[^\r\n]*)?\r\n")
