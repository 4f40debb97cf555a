"""The mock server: one port, one script at a time.

In comes a script, out comes what the client did with it. The server is a context manager for tests;
a runner keeps one server and plays many scripts on it. Misuse raises `MockServerError`; what the
client does never raises, except at the end of a `with` block whose script was not met.
"""

import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from mockserver._listener import Pool, reserve
from mockserver._play import MockServerError, Play, TLSProvider, contexts_of
from mockserver._record import Record
from mockserver._request import Request
from mockserver._script import Script
from mockserver._step import ScriptError, authority


class MockServer:
    """Plays scripts on a port of its own.

    With a script, it is played from `start` on, and leaving the `with` block raises
    `MockServerError`, with the transcript, where the client did not do its part. `async with` does
    the same without blocking the event loop.

    Args:
        script: What to play from the start; None to use `play`.
        tls: Where TLS contexts come from; needed for scripts with `Starttls`.
        host: The loopback address to listen on, IPv4 or IPv6.
        patience: Seconds without progress after which a wait for the client expires.

    Attributes:
        current: The play under way, or None.
        record: The record of the script given to the constructor, once the block is left.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        tls: TLSProvider | None = None,
        host: str = "127.0.0.1",
        patience: float = 1.0,
    ) -> None:
        if not 0 < patience < 1e6:
            raise ValueError(f"patience must be from 0 to a million seconds, not {patience!r}")
        self.current: Play | None = None
        self.record: Record | None = None
        self._script = script
        self._tls = tls
        self._authority = _AuthorityFile(tls)
        self._host = host
        self._patience = patience
        self._pool: Pool | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to connect to."""
        if self._script is not None and self.current is not None:
            return self.current.address
        return self._running.address

    @property
    def url(self) -> str:
        """The address as the beginning of an `http` URL, without a slash at its end."""
        return f"http://{authority(self.address)}"

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request of the latest play, raw, in the order in which they were read."""
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
        )
        self.current = play
        pool.begin(play)
        return play

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
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self._script is not None and self.current is not None:
                self.record = self.current.finish()
        finally:
            self.stop()
        if kind is None and self.record is not None:
            _raise_complaints(self.record)

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
            raise MockServerError("the server is not running")
        return self._pool


def _raise_complaints(record: Record) -> None:
    if complaints := record.complaints():
        text = "\n".join(f"- {one}" for one in complaints)
        raise MockServerError(f"the script was not met\n{text}\n\n{record.transcript()}")


class _AuthorityFile:
    """The certificate of the authority as a file, for `SSL_CERT_FILE`, made when it is asked for.

    The TLS provider itself, or the object whose method it is, has either `ca_file`, a path, or
    `ca_pem`, the certificate as bytes.
    """

    def __init__(self, provider: object) -> None:
        self._provider = provider
        self._directory: tempfile.TemporaryDirectory[str] | None = None

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
            self._directory = tempfile.TemporaryDirectory(prefix="mockserver-")
        path = Path(self._directory.name) / "ca.pem"
        if not path.exists():
            path.write_bytes(pem)
        return str(path)
