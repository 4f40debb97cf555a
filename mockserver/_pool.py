"""The listener and the kept threads behind it.

In come connections, out go sessions, each played on the thread that accepted it. One thread at a
time leads: it waits for the next connection, or for octets on one that is parked, and plays it. A
play that comes to a reading step with nothing to read is parked, and the leader goes on; one that
blocks otherwise for more than a moment hands the lead over. So short exchanges need one thread and
no hand-over, however many connections they come on, and what stalls in the middle of a step has a
thread of its own. No thread is ever started for a case that finds one.
"""

import contextlib
import math
import select
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING

from mockserver._bell import Bell
from mockserver._blocking import Wait
from mockserver._ears import Ears
from mockserver._endings import Ended, Expired
from mockserver._kernel import Diagnosis
from mockserver._player import play as play_session
from mockserver._session import Session
from mockserver._wire import configure

if TYPE_CHECKING:
    from mockserver._play import Play

_OCTETS = Wait.OCTETS  # a member of an enum is slow to look up
_BACKLOG = 1024
_TICK = 0.05
"""Seconds between two looks after clients that send behind the last step, or that say nothing."""
_ENDING = 1.0
"""Seconds in which at least one thread has to end when all are told to."""
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
        self._queue = _queue(self._listener)
        self.ears = Ears(self._listener, self._alarm)
        self._looked = 0.0
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
                self._admit()
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
            self.ears.forget(self._listener)
            _silence(self._listener)
            self._listener = _listen(self.host, receive_buffer)
            self._queue = _queue(self._listener)
            self.ears.attend(self._listener)
            self._trigger.send(
                b"!"
            )  # where there is no epoll, only the next wait hears the new one

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
        deadline = time.monotonic() + _ENDING
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if not thread.is_alive():  # there may be a thousand, and they are ending
                deadline = time.monotonic() + _ENDING
        for session in self.ears.close():
            self._leave(session)
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
        turn = self._take_lead()
        while not self._closed:
            self._lead_on(turn)
            if turn.over:
                turn = self._take_lead()
        self._lead.release()

    def _take_lead(self) -> "Turn":
        with self._door:
            self._idle += 1
        self._lead.acquire()
        with self._door:
            self._idle -= 1
        return Turn(self)

    def _lead_on(self, turn: "Turn") -> None:
        """Wait, as the leader, for something to play, and play it."""
        ears = self.ears
        idle = self.play is None and not ears.parked
        alarm, door = self._alarm.fileno(), self._listener.fileno()
        for descriptor, _ in ears.hear(None if idle else _TICK):
            session = ears.parked.pop(descriptor, None)
            if session is not None:
                session.called = True
                self._play(session, turn)
            elif descriptor == door:
                self._play_next(turn)
            elif descriptor == alarm and not self._closed:
                self._alarm.recv(16)
            if turn.over:  # what else was ready is heard by the one who leads now
                return
        now = time.monotonic()
        if now - self._looked > _TICK:
            self._looked = now
            self._tend(turn, now)

    def _play_next(self, turn: "Turn") -> None:
        """Accept a connection, if there still is one, and play it."""
        with self._door:
            session = None if self._closed else self._admit()
        if session is not None:
            self._play(session, turn)

    def _tend(self, turn: "Turn", now: float) -> None:
        """Look after sessions that nothing has been heard of."""
        if (play := self.play) is not None:
            play.tend()
        for session in self.ears.expired(now):
            self._play(session, turn, Expired())

    def _admit(self) -> Session | None:
        """Accept one connection; the door is locked, so that none is ever out of sight."""
        try:
            sock, far = self._listener.accept()
        except BlockingIOError:
            return None
        except OSError as error:
            self._fault(f"accept: {type(error).__name__}: {error.strerror}")
            return None
        if sock.gettimeout() is not None:
            sock.setblocking(True)  # whatever the process has set as default timeout
        if not _INHERITED:
            configure(sock)
        if self.play is None:
            sock.close()
            return None
        return self.play.admit(sock, far[:2])

    def _nobody_waits(self, play: "Play") -> bool:
        with self._door:
            while self._queue.poll(0):
                if not play.full:
                    return False
                self._admit()  # beyond the script: it is only counted
            return True

    def _play(self, session: Session, turn: "Turn", ending: Ended | None = None) -> None:
        """Play a session until it is over, or parked."""
        turn.session = session
        wire = session.wire
        wire.step_aside = turn.end_it
        try:
            over = play_session(session, ending)
        except Exception as error:  # noqa: BLE001 - a fault of ours must reach the record, not kill a kept thread
            self._fault(f"connection {session.number}: {type(error).__name__}: {error}")
            session.abort()
            over = True
        if over:
            self._leave(session)
            return
        if not wire.brief:
            wire.become_brief()
        wire.deadline = math.inf if session.endless else time.monotonic() + wire.patience
        wire.waits = _OCTETS
        self.ears.park(session)  # an observer who did not see it here has made it readable
        if self.bell.listeners:
            self.bell.ring()

    def _leave(self, session: Session) -> None:
        if session.wire.heard:
            session.wire.heard = False
            self.ears.forget(session.wire.sock)
        session.stage.leave(session)

    def _fault(self, text: str) -> None:
        if self.play is not None:
            self.play.errors.append(text)


class Turn:
    """A thread's turn to lead, which it can give up once.

    Attributes:
        session: What the thread plays.
    """

    def __init__(self, pool: Pool) -> None:
        self.over = False
        self.session: Session | None = None
        self.end_it = self.end  # made once: it is given to every session
        self._pool = pool

    def end(self) -> None:
        """Give the turn up, if that has not been done yet."""
        if self.over:
            return
        self.over = True
        if self.session is not None and self.session.wire.heard:
            self.session.wire.heard = False  # the next leader has nothing to do with it
            self._pool.ears.forget(self.session.wire.sock)
        self._pool.hand_over()


def _queue(listener: socket.socket) -> select.poll:
    """What tells whether connections wait."""
    queue = select.poll()
    queue.register(listener, select.POLLIN)
    return queue


def _silence(listener: socket.socket) -> None:
    """Stop listening at once: a thread that polls would keep a socket alive that is only closed."""
    with contextlib.suppress(OSError):  # not every system shuts listeners down
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()


class _Listener(socket.socket):
    """A listener whose `accept` need not ask what kind of socket it makes.

    The properties that this hides make members of an enum each time they are read.
    """

    family = socket.AF_INET
    type = socket.SOCK_STREAM

    def __init__(self, family: socket.AddressFamily) -> None:
        super().__init__(family, self.type)
        self.family = family


def _listen(host: str, receive_buffer: int | None = None) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = _Listener(family)
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
