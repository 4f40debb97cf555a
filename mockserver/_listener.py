"""The listener, and the kept threads that play what it accepts: leader and followers.

In come connections, out go plays of them. One worker at a time leads: it waits in the selector for
the next connection, or for bytes on one that has none to read, and plays it itself, without waking
another thread. Where a play blocks for more than a moment, the worker first hands the lead to a
follower. So short exchanges need one thread and no hand-over, however many connections they come
on, and what stalls in the midst of a step has a thread of its own.

Connections without a thread are kept in the selector because of what `benchmarks.mock_server`
measures: with a kept thread for each, keep-alive with eight clients is at 0.73 times a plain thread
per connection, with the selector at 0.94 (the goal is 0.9). Of a thousand idle connections the
selector's cost 2 MB and give their first answers in 0.6 s, a thousand threads 26 MB and 9 s.

A port that accepts nothing, because it refuses or stalls, is reserved here too.
"""

import contextlib
import math
import select
import socket
import sys
import threading
import time
from typing import Protocol

from mockserver._connection import LiveConnection
from mockserver._kernel import Diagnosis
from mockserver._phase import Ended, Expired
from mockserver._player import play_on
from mockserver._step import Begins
from mockserver._wire import Condition, configure

_BACKLOG = 1024
_OPTIONAL = Begins.OPTIONAL
_TICK = 0.05
"""Seconds between two checks of clients that send after the last step, or that send nothing."""
_ENDING = 1.0
"""Seconds in which at least one thread has to end when all are stopped."""
_INHERITED = sys.platform == "linux"
"""Whether an accepted socket has the options of its listener."""
_QUEUED = 5.0
"""Seconds for one connection over the loopback to be queued; usually it needs none."""


class Playing(Protocol):
    """What the pool needs of a play."""

    errors: list[str]

    @property
    def full(self) -> bool:
        """Whether every connection of the script has come."""

    def admit(self, sock: socket.socket, far: tuple[str, int]) -> LiveConnection | None:
        """Take the next connection; None for one beyond the script."""

    def leave(self, connection: LiveConnection) -> None:
        """Take a connection back from its thread."""

    def drain_ended(self) -> None:
        """Keep clients moving whose connections have no steps left."""

    def abort(self) -> None:
        """Reset every connection."""

    def stuck(self) -> list[str]:
        """What the threads that are still at work are waiting for."""


class Selector:
    """What the leader waits for: the listener, an alarm, and connections whose next step reads.

    A parked connection costs no thread and, once it is registered, no call to the kernel. The one
    who takes a connection out of `parked` is its owner then; there is one such taker, because a
    dictionary gives a key away once. Where there is no epoll, nothing is parked.

    Attributes:
        parked: The connections that wait for bytes, by their descriptors.
    """

    can_park = hasattr(select, "epoll")

    def __init__(self, *sockets: socket.socket) -> None:
        self.parked: dict[int, LiveConnection] = {}
        self._epoll = select.epoll() if self.can_park else None
        self._poll = select.poll()
        for sock in sockets:
            self.register(sock)

    def register(self, sock: socket.socket) -> None:
        """Wait for a socket too, until it is closed."""
        (self._epoll or self._poll).register(sock.fileno(), select.POLLIN)

    def unregister(self, sock: socket.socket) -> None:
        """Wait for a socket no more; it may be closed already."""
        with contextlib.suppress(OSError, KeyError, ValueError):
            (self._epoll or self._poll).unregister(sock)

    def select(self, seconds: float | None) -> list[tuple[int, int]]:
        """Wait; returns the descriptors that can be read, each with what happened to it.

        Args:
            seconds: How long to wait; None for as long as it takes.
        """
        if self._epoll is not None:
            return self._epoll.poll(seconds)
        return self._poll.poll(None if seconds is None else seconds * 1000)

    def park(self, connection: LiveConnection) -> None:
        """Keep a connection until bytes come for it."""
        wire = connection.wire
        if wire.selector is None:
            wire.selector = self
            self.register(wire.sock)
        self.parked[wire.descriptor] = connection  # last: from here on another may close it

    def take(self, connection: LiveConnection) -> bool:
        """Take a connection out, for one that ends it; whether it was parked."""
        descriptor = connection.wire.descriptor
        if self.parked.get(descriptor) is not connection:
            return False
        return self.parked.pop(descriptor, None) is connection

    def let_go(self, connection: LiveConnection) -> None:
        """Stop watching a connection that is played."""
        if connection.wire.selector is not None:
            connection.wire.selector = None
            self.unregister(connection.wire.sock)

    def expired(self, now: float) -> list[LiveConnection]:
        """Take out the connections whose time is over."""
        late = [one for one in tuple(self.parked.values()) if one.wire.deadline < now]
        return [one for one in late if self.take(one)]

    def close(self) -> list[LiveConnection]:
        """Wait for nothing any more; returns the connections that were parked."""
        if self._epoll is not None:
            self._epoll.close()
        left = list(self.parked.values())
        self.parked.clear()
        return left


class Pool:
    """Workers that accept and play.

    Attributes:
        diagnosis: The kernel's view of sockets.
        condition: Notified when a worker begins to wait or is done.
        selector: What the leader waits in.
        play: What is being played, or None.
        receive_buffer: Bytes of a connection's receive queue; None for the usual one.
    """

    def __init__(self, host: str) -> None:
        self.host = host
        self.diagnosis = Diagnosis()
        self.condition = Condition()
        self.play: Playing | None = None
        self.receive_buffer: int | None = None
        self._listener = _listen(host)
        self._alarm, self._trigger = socket.socketpair()
        self._queue = _queue(self._listener)
        self.selector = Selector(self._listener, self._alarm)
        self._drained = 0.0
        self._lead = threading.Lock()
        self._accepting = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._followers = 0
        self._closed = False
        self._start_thread()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the listener."""
        host, port = self._listener.getsockname()[:2]
        return host, port

    def begin(self, play: Playing) -> None:
        """Give connections to a play from now on; those that came before it are reset."""
        with self._accepting:
            while self._queue.poll(0):
                self._admit()
            self.play = play

    def dismiss(self, play: Playing) -> None:
        """Forget a play that is finished."""
        if self.play is play:
            self.play = None

    def admit_all(self, play: Playing, deadline: float) -> None:
        """Wait until every connection that has come is part of the play."""
        self.condition.wait_for(lambda: self._queue_is_empty(play), deadline)

    def renew(self, receive_buffer: int | None = None) -> None:
        """Listen on another port; a client that uses the old one is refused.

        Args:
            receive_buffer: Bytes of the receive queue of each connection; None for the usual one.
        """
        self.receive_buffer = receive_buffer
        with self._accepting:
            self.selector.unregister(self._listener)
            _silence(self._listener)
            self._listener = _listen(self.host, receive_buffer)
            self._queue = _queue(self._listener)
            self.selector.register(self._listener)
            self._trigger.send(b"!")  # where there is no epoll, only the next wait includes it

    def close(self) -> list[threading.Thread]:
        """Stop listening, then wait for the threads.

        Returns:
            The threads that did not end.
        """
        with self._accepting:
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
        for connection in self.selector.close():
            self._leave(connection)
        self._alarm.close()
        self._trigger.close()
        self.diagnosis.close()
        return [thread for thread in self._threads if thread.is_alive()]

    def hand_over(self) -> None:
        """Let another thread lead."""
        with self._accepting:
            if not self._followers and not self._closed:
                self._start_thread()
        self._lead.release()

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._work, name="mockserver", daemon=True)
        self._threads.append(thread)
        thread.start()

    # ------------------------------------------------------------------------ a worker's life

    def _work(self) -> None:
        lead = self._follow()
        while not self._closed:
            self._lead_on(lead)
            if lead.is_over:
                lead = self._follow()
        self._lead.release()

    def _follow(self) -> "Lead":
        """Wait for the lead, among other followers."""
        with self._accepting:
            self._followers += 1
        self._lead.acquire()
        with self._accepting:
            self._followers -= 1
        return Lead(self)

    def _lead_on(self, lead: "Lead") -> None:
        """Wait, as the leader, for something to play, and play it."""
        parked = self.selector.parked
        idle = self.play is None and not parked
        alarm, listener = self._alarm.fileno(), self._listener.fileno()
        for descriptor, _ in self.selector.select(None if idle else _TICK):
            connection = parked.pop(descriptor, None)
            if connection is not None:
                connection.wire.resume()
                self._play(connection, lead)
            elif descriptor == listener:
                self._play_next(lead)
            elif descriptor == alarm and not self._closed:
                self._alarm.recv(16)
            if lead.is_over:  # what else was ready is for the one who leads now
                return
        now = time.monotonic()
        if now - self._drained > _TICK:
            self._drained = now
            self._look_after_idle(lead, now)

    def _play_next(self, lead: "Lead") -> None:
        """Accept a connection, if there still is one, and play it."""
        with self._accepting:
            connection = None if self._closed else self._admit()
        if connection is not None:
            self._play(connection, lead)

    def _look_after_idle(self, lead: "Lead", now: float) -> None:
        """See to connections on which nothing has happened."""
        if (play := self.play) is not None:
            play.drain_ended()
        for connection in self.selector.expired(now):
            connection.wire.resume()
            self._play(connection, lead, Expired())

    def _admit(self) -> LiveConnection | None:
        """Accept one connection; the lock is held, so that none is ever out of sight."""
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

    def _queue_is_empty(self, play: Playing) -> bool:
        with self._accepting:
            while not self._closed and self._queue.poll(0):
                if not play.full:
                    return False
                self._admit()  # beyond the script: it is only counted
            return True

    def _play(self, connection: LiveConnection, lead: "Lead", ending: Ended | None = None) -> None:
        """Play a connection until it is over, or has nothing to read."""
        lead.connection = connection
        wire = connection.wire
        wire.step_aside = lead.give_up
        try:
            over = play_on(connection, ending)
        except Exception as error:  # noqa: BLE001 - a fault of ours must reach the record, not kill a kept thread
            self._fault(f"connection {connection.number}: {type(error).__name__}: {error}")
            connection.abort()
            over = True
        if over or not wire.park():
            self._leave(connection)
            return
        expects = connection.expects  # most wait for another request, as long as it takes
        patient = expects is not _OPTIONAL and connection.is_awaited_with_patience
        wire.deadline = time.monotonic() + wire.patience if patient else math.inf
        self.selector.park(connection)  # an observer who did not find it here has made it readable
        if self.condition.waiting:
            self.condition.notify()

    def _leave(self, connection: LiveConnection) -> None:
        self.selector.let_go(connection)
        connection.state.leave(connection)

    def _fault(self, text: str) -> None:
        if self.play is not None:
            self.play.errors.append(text)


class Lead:
    """A worker's lead, which it can give up once.

    Attributes:
        is_over: Whether it has been given up.
        connection: What the worker plays.
    """

    def __init__(self, pool: Pool) -> None:
        self.is_over = False
        self.connection: LiveConnection | None = None
        self.give_up = self._give_up  # bound once: every connection gets it
        self._pool = pool

    def _give_up(self) -> None:
        """Give the lead up, if that has not been done yet."""
        if self.is_over:
            return
        self.is_over = True
        if self.connection is not None:  # the next leader has nothing to do with it
            self._pool.selector.let_go(self.connection)
        self._pool.hand_over()


# ---------------------------------------------------------------------------- sockets


def _queue(listener: socket.socket) -> select.poll:
    """A poll that reports whether connections wait."""
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

    The properties that this hides make members of an enum each time they are read, and `accept`
    reads two of them: 1.5 us of the 37 us that a new connection takes.
    """

    family = socket.AF_INET
    type = socket.SOCK_STREAM

    def __init__(self, family: socket.AddressFamily) -> None:
        super().__init__(family, self.type)
        self.family = family


def _listen(host: str, receive_buffer: int | None = None) -> socket.socket:
    listener = _Listener(_family(host))
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


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def reserve(host: str, mode: str) -> tuple[socket.socket, ...]:
    """The sockets that make a port refuse, or stall; none for the modes that accept.

    The first has the port, for as long as it is open.

    Args:
        host: The loopback address.
        mode: The mode of a `Listener`.

    Raises:
        OSError: There is no such port, or this system cannot make a connect stall.
    """
    if mode == "refuse":
        return (_bound(host),)
    if mode == "connect_stall":
        return _stalling(host)
    return ()


def _bound(host: str) -> socket.socket:
    """A port that is taken, and on which no socket listens."""
    sock = socket.socket(_family(host), socket.SOCK_STREAM)
    try:
        sock.bind((host, 0))
    except OSError:
        sock.close()
        raise
    return sock


def _stalling(host: str) -> tuple[socket.socket, socket.socket]:
    """A listener whose queue is full with a connection of ours: Linux drops every SYN after it."""
    if sys.platform != "linux":
        raise OSError(f"connect_stall is not known to work on {sys.platform}")
    listener, filler = _bound(host), _bound(host)
    try:
        listener.listen(0)
        filler.settimeout(_QUEUED)
        filler.connect(listener.getsockname())
        queued = select.poll()
        queued.register(listener, select.POLLIN)
        if not queued.poll(_QUEUED * 1000):
            raise TimeoutError("the queue of a listener does not fill")
    except OSError:
        listener.close()
        filler.close()
        raise
    return listener, filler
