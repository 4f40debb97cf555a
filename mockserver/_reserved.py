"""Ports of their own for listeners on which no connection comes about.

In comes a mode, out come sockets that hold a port for as long as they are open: the first has the
port. Nobody accepts here.
"""

import select
import socket
import sys

_QUEUED = 5.0
"""Seconds for one connection over the loopback to be queued; usually it needs none."""


def reserve(host: str, mode: str) -> tuple[socket.socket, ...]:
    """The sockets that make a port refuse, or stall; none for the modes that accept.

    Args:
        host: The loopback address.
        mode: The mode of a `Listener`.

    Raises:
        OSError: The port cannot be had, or this system cannot make a connect stall.
    """
    if mode == "refuse":
        return (_bound(host),)
    if mode == "connect_stall":
        return _stalling(host)
    return ()


def _bound(host: str) -> socket.socket:
    """A port on which nobody listens, and which nobody else gets."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
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
