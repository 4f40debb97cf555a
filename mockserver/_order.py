"""The order of steps: what cannot follow what.

In come the steps of a connection, or of a route, out comes nothing, or a `ScriptError` that names
the first step which cannot be played where it stands, before any socket exists.
"""

from mockserver import _control as control
from mockserver import _secure as secure
from mockserver._proxy import Proxy
from mockserver._step import Leaves, ScriptError, Step, WritingStep, place


def check_order(title: str, steps: tuple[Step, ...], *, routed: bool = False) -> None:
    """Refuse an order of steps that cannot be played.

    Args:
        title: How messages name the steps' place, for instance `connection 1`.
        steps: What is to be played.
        routed: Whether a request has been read before the first step.

    Raises:
        ScriptError: Naming the first step that cannot follow those before it.
    """
    earlier: list[Step] = [control.ReadRequest()] if routed else []
    for index, step in enumerate(steps):
        if not isinstance(step, Step):
            raise ScriptError(f"{title}, step {index + 1}: must be a step, not {step!r:.80}")
        problem = _misplaced(step, tuple(earlier))
        earlier.append(step)
        if isinstance(step, control.Label) and step in steps[:index]:
            problem = "there is such a label already"
        if isinstance(step, control.Dispatch) and routed:
            problem = "a route cannot dispatch"
        if isinstance(step, control.Goto):
            problem = problem or _repeat(step, steps[:index], earlier)
        if problem:
            raise ScriptError(f"{place(title, index, step)}: {problem}")


def _repeat(goto: control.Goto, before: tuple[Step, ...], earlier: list[Step]) -> str | None:
    """Why the steps from a label on cannot be played again, or None; `earlier` grows by them."""
    label = control.Label(goto.label)
    if label not in before:
        return f"there is no label {goto.label!r} before it"
    again = before[before.index(label) :]
    if goto.times is None and not any(step.reads for step in again):
        return "what repeats without end must read"
    for step in again:
        if problem := _misplaced(step, tuple(earlier)):
            return f"goes back to {step.step_name}, but {problem}"
        earlier.append(step)
    return None


def _misplaced(step: Step, earlier: tuple[Step, ...]) -> str | None:
    """Why a step cannot follow the earlier ones, or None."""
    if any(one.leaves is Leaves.CLOSED for one in earlier):
        return "the connection is closed by then"
    if _any(earlier, control.Dispatch):
        return "the requests are dispatched from there on"
    if isinstance(step, WritingStep | secure.Starttls | secure.TlsFault) and _any(
        earlier, control.Shutdown
    ):
        return "writing is shut down by then"
    if step.reads and _any(earlier, control.ReadEof, control.ExpectEof):
        return "the client's stream has ended by then"
    if isinstance(step, control.Expect | Proxy) and not _any(
        earlier, control.ReadRequest, secure.Tunnel
    ):
        return "no request has been read by then"
    if isinstance(step, secure.TlsFault) and step.inside:
        return None if _any(earlier, secure.Starttls) else "TLS is not spoken yet"
    if isinstance(step, secure.Starttls | secure.TlsFault):
        return _misplaced_handshake(earlier)
    return None


def _misplaced_handshake(earlier: tuple[Step, ...]) -> str | None:
    if _any(earlier, secure.Starttls):
        return "TLS is spoken already"
    tunnels = [step for step in earlier if isinstance(step, secure.Tunnel)]
    if earlier and not tunnels:
        return "must be the first step, or inside a tunnel"
    if tunnels and tunnels[-1].data is None and not 200 <= tunnels[-1].status < 300:
        return f"a status of {tunnels[-1].status} opens no tunnel"
    return None


def _any(steps: tuple[Step, ...], *kinds: type[Step]) -> bool:
    return any(isinstance(step, kinds) for step in steps)
