"""The listener and the kept threads behind it.

In come connections, out go sessions, each played on the thread that accepted it. One thread at a
time leads: it waits for the next connection, and plays it. It hands the lead over as soon as its
play blocks for more than a moment, so that a short play needs one thread and no hand-over, and a
thousand stalled ones need a thousand threads. No thread is ever started for a case that finds one.
"""

import contextlib
import select
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING

from mockserver._bell import Bell
from mockserver._kernel import Diagnosis
from mockserver._player import play as play_session
from mockserver._session import Session
from mockserver._wire import configure

if TYPE_CHECKING:
    from mockserver._play import Play

_BACKLOG = 1024
_TICK = 50
"""Milliseconds between two looks after clients that send behind the last step."""
_INHERITED = sys.platform == "linux"
"""Whether an accepted socket has the options of its listener."""


class Pool:
    """Threads that accept and play.

    Attributes:
        diagnosis: The kernel's view of sockets.
        bell: Rung when a thread begins to wait or is over.
        play: What is being played, or None.
        receive_buffer: Octets of a connection's receive queue; None for the usual one.
    """

    def __init__(self, host: str) -> None:
        self.host = host
        self.diagnosis = Diagnosis()
        self.bell = Bell()
        self.play: Play | None = None
        self.receive_buffer: int | None = None
        self._listener = _listen(host)
        self._alarm, self._trigger = socket.socketpair()
        self._queue = _ears(self._listener)
        self._ears = _ears(self._listener, self._alarm)
        self._lead = threading.Lock()
        self._door = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = False
        self._start_thread()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the listener."""
        host, port = self._listener.getsockname()[:2]
        return host, port

    def begin(self, play: "Play") -> None:
        """Give connections to a play from now on; those that came before it are reset."""
        with self._door:
            while self._queue.poll(0):
                self._admit(Turn(self))
            self.play = play

    def dismiss(self, play: "Play") -> None:
        """Forget a play that is finished."""
        if self.play is play:
            self.play = None

    def admit_all(self, play: "Play", deadline: float) -> None:
        """Wait until every connection that has come is part of the play."""
        self.bell.until(lambda: self._nobody_waits(play), deadline)

    def renew(self, receive_buffer: int | None = None) -> None:
        """Listen on another port; whoever knows the old one is refused.

        Args:
            receive_buffer: Octets of the receive queue of each connection; None for the usual one.
        """
        self.receive_buffer = receive_buffer
        with self._door:
            _silence(self._listener)
            self._listener = _listen(self.host, receive_buffer)
            self._queue = _ears(self._listener)
            self._ears = _ears(self._listener, self._alarm)
            self._trigger.send(b"!")

    def close(self) -> list[threading.Thread]:
        """Stop listening, then wait for the threads.

        Returns:
            The threads that did not end.
        """
        with self._door:
            self._closed = True
            _silence(self._listener)
            self._trigger.send(b"!")
        if self.play is not None:
            self.play.abort()
        deadline = time.monotonic() + 1.0
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._alarm.close()
        self._trigger.close()
        self.diagnosis.close()
        return [thread for thread in self._threads if thread.is_alive()]

    def hand_over(self) -> None:
        """Let another thread lead."""
        with self._door:
            if not self._idle and not self._closed:
                self._start_thread()
        self._lead.release()

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._work, name="mockserver", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        self._take_lead()
        while (session_and_turn := self._next_session()) is not None:
            session, turn = session_and_turn
            self._play(session)
            if turn.over:
                self._take_lead()
        self._lead.release()

    def _take_lead(self) -> None:
        with self._door:
            self._idle += 1
        self._lead.acquire()
        with self._door:
            self._idle -= 1

    def _next_session(self) -> "tuple[Session, Turn] | None":
        """Wait, as the leader, for a connection that is to be played; None at the end."""
        while True:
            play = self.play
            ready = self._ears.poll(None if play is None else _TICK)
            turn = Turn(self)
            with self._door:
                if self._closed:
                    return None
                if any(descriptor == self._alarm.fileno() for descriptor, _ in ready):
                    self._alarm.recv(16)
                    continue
                session = self._admit(turn) if ready else None
            if session is not None:
                if not session.stage.full:
                    turn.end()
                return session, turn
            if not ready and play is not None:
                play.tend()

    def _admit(self, turn: "Turn") -> Session | None:
        """Accept one connection; the door is locked, so that none is ever out of sight."""
        try:
            sock, far = self._listener.accept()
        except BlockingIOError:
            return None
        except OSError as error:
            self._fault(f"accept: {type(error).__name__}: {error.strerror}")
            return None
        sock.setblocking(True)  # whatever the process has set as default timeout
        if not _INHERITED:
            configure(sock)
        if self.play is None:
            sock.close()
            return None
        return self.play.admit(sock, far[:2], turn.end)

    def _nobody_waits(self, play: "Play") -> bool:
        with self._door:
            while self._queue.poll(0):
                if not play.full:
                    return False
                self._admit(Turn(self))  # beyond the script: it is only counted
            return True

    def _play(self, session: Session) -> None:
        try:
            play_session(session)
        except Exception as error:  # noqa: BLE001 - a fault of ours must reach the record, not kill a kept thread
            self._fault(f"connection {session.number}: {type(error).__name__}: {error}")
            session.abort()
        session.stage.leave(session)

    def _fault(self, text: str) -> None:
        if self.play is not None:
            self.play.errors.append(text)


class Turn:
    """A thread's turn to lead, which it can give up once."""

    def __init__(self, pool: Pool) -> None:
        self.over = False
        self._pool = pool

    def end(self) -> None:
        """Give the turn up, if that has not been done yet."""
        if not self.over:
            self.over = True
            self._pool.hand_over()


def _ears(*sockets: socket.socket) -> select.poll:
    """What hears that one of the sockets can be read."""
    ears = select.poll()
    for sock in sockets:
        ears.register(sock, select.POLLIN)
    return ears


def _silence(listener: socket.socket) -> None:
    """Stop listening at once: a thread that polls would keep a socket alive that is only closed."""
    with contextlib.suppress(OSError):  # not every system shuts listeners down
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def _listen(host: str, receive_buffer: int | None = None) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if _INHERITED:
            configure(listener)
        if receive_buffer is not None:  # accepted sockets have it from the first segment on
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        listener.bind((host, 0))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
