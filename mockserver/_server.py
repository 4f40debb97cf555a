"""The mock server: one port, one script at a time.

In comes a script, out comes what the client did with it. The server is a context manager for tests;
a test suite keeps one server and gives it routes, a runner keeps one and plays many scripts on it.
Misuse raises `MockServerError`; what the client does never raises, except in `clear` and at the end
of a `with` block whose script was not met.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from mockserver._clock import HeldClock
from mockserver._control import Dispatch, Gate
from mockserver._listener import Pool, reserve
from mockserver._meant import checks_names, no_attribute
from mockserver._play import MockServerError, Play, TLSProvider, contexts_of
from mockserver._record import Record
from mockserver._replay import routes_from
from mockserver._request import Request
from mockserver._script import Connection, Script, ScriptPart, check_reach, script
from mockserver._script_text import script_text
from mockserver._step import ScriptError, authority

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory


class MockServer:
    """Plays scripts on a port of its own.

    With a script, it is played from `start` on, and leaving the `with` block raises
    `MockServerError`, with the transcript, where the client did not do its part. `async with` does
    the same without blocking the event loop. Without one, `add` gives it routes at any time.

    Args:
        parts: What to play from the start, as for `script`; nothing to use `add` or `play`.
        tls: Where TLS contexts come from; needed for scripts with `Starttls`.
        host: The loopback address to listen on, IPv4 or IPv6.
        patience: Seconds without progress after which a wait for the client expires.
        clock: What pauses are measured by; None for the real time.

    Attributes:
        current: The play under way, or None.
        record: The record of the latest script that was checked: by `clear`, or at the end.
    """

    @checks_names("MockServer")
    def __init__(
        self,
        *parts: ScriptPart,
        tls: TLSProvider | None = None,
        host: str = "127.0.0.1",
        patience: float = 1.0,
        clock: HeldClock | None = None,
    ) -> None:
        self.current: Play | None = None
        self.record: Record | None = None
        self.patience = patience
        if tls is not None and not callable(tls):
            raise ScriptError("tls must make contexts; write tls=authority.server_context")
        if clock is not None and not isinstance(clock, HeldClock):
            raise ScriptError(f"clock must be a HeldClock(), not {clock!r:.80}")
        self._script = script(*parts) if parts else None
        self._is_checked = bool(parts)
        self._tls = tls
        self._authority = _AuthorityFile(tls)
        self._host = host
        self._clock = clock
        self._pool: Pool | None = None

    if not TYPE_CHECKING:  # a type checker is to know every attribute

        def __getattr__(self, name: str) -> object:
            raise no_attribute("a MockServer", name, dir(type(self)))

    @property
    def patience(self) -> float:
        """Seconds without progress after which a wait for the client expires; can be changed."""
        return self._patience

    @patience.setter
    def patience(self, seconds: float) -> None:
        if type(seconds) not in (int, float) or not 0 < seconds < 1e6:
            raise ValueError(f"patience must be from 0 to a million seconds, not {seconds!r}")
        self._patience = seconds
        if self.current is not None:
            self.current.be_patient(seconds)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to connect to."""
        if self._is_checked and self.current is not None:
            return self.current.address
        return self._running.address

    @property
    def url(self) -> str:
        """The beginning of a URL, without a slash at its end: `https` for scripts inside TLS."""
        is_tls = self.current is not None and self.current.script.is_tls
        return self.https_url if is_tls else f"http://{authority(self.address)}"

    @property
    def https_url(self) -> str:
        """The beginning of an `https` URL, without a slash at its end."""
        return f"https://{authority(self.address)}"

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request of the latest play, in the order in which they were read."""
        return tuple(self.current.requests) if self.current is not None else ()

    @property
    def transcript(self) -> str:
        """What has happened in the latest play, as text without times and ports."""
        return self.current.so_far.transcript() if self.current is not None else ""

    @property
    def ca_file(self) -> str:
        """A file, there until `stop`, with the authority's certificate, as for `SSL_CERT_FILE`.

        Raises:
            MockServerError: The TLS provider does not offer it.
        """
        path = self._authority.path
        if path is None:
            raise MockServerError("the TLS provider has neither ca_file nor ca_pem")
        return path

    def start(self) -> Self:
        """Listen, and play the constructor's script if there is one."""
        if self._pool is not None:
            raise MockServerError("the server has been started already")
        self._pool = Pool(self._host)
        if self._script is not None:
            try:
                self.play(self._script)
            except (ScriptError, MockServerError):
                self.stop()
                raise
        return self

    def play(self, script: Script) -> Play:
        """Play a script for the connections that come from now on.

        Raises:
            ScriptError: The script needs TLS, and the server has no provider.
            MockServerError: Another play is not finished.
        """
        if not isinstance(script, Script):
            raise ScriptError("play: takes a script; write server.play(script(...))")
        pool = self._running
        if pool.play is not None:
            raise MockServerError("another play is not finished yet")
        contexts = contexts_of(script, self._tls)
        listener = script.listener
        if listener.receive_buffer != pool.receive_buffer:
            pool.renew(listener.receive_buffer)
        reserved = reserve(self._host, listener.mode)
        play = Play(
            script,
            reserved[0].getsockname()[:2] if reserved else pool.address,
            patience=self._patience,
            pool=pool,
            contexts=contexts,
            reserved=reserved,
            clock=self._clock,
        )
        self.current = play
        pool.begin(play)
        return play

    def add(self, *parts: ScriptPart) -> None:
        """Answer these routes too, after those that there are; a first call begins a play.

        Args:
            parts: Routes, or bare replies, as for `script`.

        Raises:
            ScriptError: They are not routes, or the script has no place for them.
        """
        routes = script(*parts).routes if parts else ()
        play = self.current
        if parts and not routes:
            raise ScriptError("add: takes routes; a connection belongs into the script")
        if play is None or play.is_finished:
            self._is_checked = True
            dispatch = Connection((Dispatch(),), optional=True, times=None)
            play = self.play(Script((dispatch,), unmatched="reply"))
        if not any(isinstance(step, Dispatch) for step in play.script.steps):
            raise ScriptError("add: the script has no routes, so there is no place for more")
        check_reach((*play.script.routes, *routes))
        play.add(routes)

    def clear(self, *, check: bool = True) -> None:
        """End what is played, forget its routes and requests, and begin anew on the same port.

        Args:
            check: Whether to raise where the script was not met.

        Raises:
            MockServerError: The script was not met.
        """
        __tracebackhide__ = True
        record = self._finished()
        self._script = None
        self.current = None
        self.add()
        if check and record is not None:
            _raise_complaints(record)

    def recorded(self, form: Literal["python", "toml"] = "python") -> str:
        """End what is played, and write a script that answers the same requests alike.

        Args:
            form: As in `script_text`: a Python module that defines `recorded`, or keys in TOML.

        Raises:
            ScriptError: No request has come, or a `Proxy` has not kept a whole answer.
        """
        return script_text(routes_from(self._playing.finish()), form)

    def release(self, name: str) -> None:
        """Open the gates of this name, now and for as long as the play lasts.

        Raises:
            MockServerError: No gate of the script has this name.
        """
        play = self._playing
        names = {step.name for step in play.script.steps if isinstance(step, Gate)}
        if name not in names:
            known = ", ".join(map(repr, sorted(names))) or "none"
            raise MockServerError(f"release: no gate is called {name!r}; there is {known}")
        play.release(name)

    def wait_for(
        self, what: int | str | Callable[[], bool] | None = None, *, seconds: float | None = None
    ) -> None:
        """Wait for a client that acts in the background.

        Args:
            what: So many requests in all; the name of a `Signal` step; a function that says whether
                it is time; None for everything that the script asks for.
            seconds: How long to wait; None for the server's patience.

        Raises:
            MockServerError: It did not happen; the message has the transcript.
        """
        __tracebackhide__ = True
        play = self._playing
        limit = self._patience if seconds is None else seconds
        counts = isinstance(what, int) and not isinstance(what, bool)
        is_known = what is None or isinstance(what, str) or counts or callable(what)
        if not is_known or not (seconds is None or isinstance(seconds, int | float)):
            raise MockServerError(
                f"wait_for: takes a number of requests, the name of a signal, or a function, "
                f"not {what!r:.80}; seconds are wait_for(..., seconds=1)"
            )
        if isinstance(what, str):
            happens, text = play.named(what).is_set, f"the signal {what!r}"
        elif isinstance(what, int):
            happens, text = lambda: len(play.came) >= what, f"{what} requests"
        elif what is None:
            happens, text = lambda: play.is_played, "the end of the script"
        else:
            happens, text = what, getattr(what, "__name__", "the condition")
        if not self._running.condition.wait_for(happens, time.monotonic() + limit):
            raise MockServerError(
                f"wait_for: {text} did not come in {limit:g} s; "
                f"there were {len(play.came)} requests\n\n{play.report()}"
            )

    def discard(self) -> None:
        """Forget the port, which an abandoned client may still use; the next play has another."""
        self._running.renew()

    def stop(self) -> None:
        """Stop listening, reset what is still open, and wait for the threads.

        Raises:
            MockServerError: A thread did not end; the message says what it waits for.
        """
        self._authority.close()
        if self._pool is None:
            return
        pool, self._pool = self._pool, None
        play = pool.play
        if pool.close():
            where = "; ".join(play.stuck()) if play else ""
            raise MockServerError(f"a thread of the server does not end: {where or 'unknown step'}")

    def __enter__(self) -> Self:
        return self if self._pool is not None else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True
        try:
            record = self._finished()
        finally:
            self.stop()
        if kind is None and record is not None:
            _raise_complaints(record)

    def _finished(self) -> Record | None:
        """The record of what the server was given to check; None for nothing."""
        if self._is_checked and self.current is not None:
            self.record = self.current.finish()
            return self.record
        return None

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        import asyncio  # costs more than the rest of the package, and few need it

        # The event loop goes on: what its tasks still do belongs to the play.
        await asyncio.to_thread(self.__exit__, kind, error, traceback)

    @property
    def _running(self) -> Pool:
        if self._pool is None:
            raise MockServerError(
                "the server is not running; write `with MockServer(...) as server:`, or start()"
            )
        return self._pool

    @property
    def _playing(self) -> Play:
        if self.current is None:
            raise MockServerError("nothing is played; give the server a script, or add(route(...))")
        return self.current


def _raise_complaints(record: Record) -> None:
    __tracebackhide__ = True
    if record.complaints():
        raise MockServerError(f"the script was not met\n{record.report()}")


class _AuthorityFile:
    """The certificate of the authority as a file, for `SSL_CERT_FILE`, made when it is asked for.

    The TLS provider itself, or the object whose method it is, has either `ca_file`, a path, or
    `ca_pem`, the certificate as bytes.
    """

    def __init__(self, provider: object) -> None:
        self._provider = provider
        self._directory: TemporaryDirectory[str] | None = None

    @property
    def path(self) -> str | None:
        """The path of the file; None where the provider does not offer the certificate."""
        for owner in (self._provider, getattr(self._provider, "__self__", None)):
            file, pem = getattr(owner, "ca_file", None), getattr(owner, "ca_pem", None)
            if isinstance(file, str | os.PathLike):
                return os.fspath(file)
            if isinstance(pem, bytes):
                return self._written(pem)
        return None

    def close(self) -> None:
        """Remove the file, if it was made here."""
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None

    def _written(self, pem: bytes) -> str:
        if self._directory is None:
            from tempfile import TemporaryDirectory  # few need it, and it imports much

            self._directory = TemporaryDirectory(prefix="mockserver-")
        path = Path(self._directory.name) / "ca.pem"
        if not path.exists():
            path.write_bytes(pem)
        return str(path)
