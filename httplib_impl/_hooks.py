"""Internals of 2.7's classes that do not exist here, and a warning for programs that override them.

A class body comes in, a `RuntimeWarning` goes out where it overrides what is never called: a
program that is moved here must not lose a hook in silence. `docs/porting.md` lists what to use
instead.
"""

from __future__ import annotations

from ._types import Any

OF_CONNECTION = ("_buffer", "_encode_request", "_get_hostport", "_output", "_set_content_length",
    "_validate_host", "_validate_method", "_validate_path", "_HTTPConnection__response",
    "_HTTPConnection__state")  # fmt: skip
OF_RESPONSE = ("_check_close", "_read_chunked", "_read_status", "_safe_read", "chunk_left", "fp")


class Watched:
    """A class that warns when a subclass overrides a name in `_not_kept_`."""

    _not_kept_: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in [name for name in cls._not_kept_ if name in cls.__dict__]:
            from pathlib import Path
            from warnings import warn

            # In a checkout, or where a wheel has put it; else only its name.
            above, page = Path(__file__).resolve().parents[1], Path("docs", "porting.md")
            page = next(filter(Path.is_file, (above / page, above / "conformance" / page)), page)
            text = f"{cls.__name__} overrides {name}, which is not called here: see {page}"
            warn(text, RuntimeWarning, stacklevel=2)
