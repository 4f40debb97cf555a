"""Which steps can follow which, and how messages name a step.

In come the steps of one connection or route, out comes nothing, or a `ScriptError` with the number
of the step that cannot be played there. Steps that are gone back to are checked as if they were
written out twice. Nothing here opens a socket.
"""

from mockserver import _control as control
from mockserver import _secure as secure
from mockserver import _writing as writing
from mockserver._step import ScriptError, Step, WritingStep


def place(title: str, step_index: int, step: Step) -> str:
    """How messages name a step, for instance `connection 1, step 3 (send)`."""
    return f"{title}, step {step_index + 1} ({step.step_name})"


def ends(step: Step) -> bool:
    """Whether no request can be read behind a step."""
    return _is_end(step) or isinstance(step, control.Shutdown | control.ReadEof | control.ExpectEof)


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
    if goto.times is None and not any(isinstance(step, _READING) for step in again):
        return "what repeats without end must read"
    for step in again:
        if problem := _misplaced(step, tuple(earlier)):
            return f"goes back to {step.step_name}, but {problem}"
        earlier.append(step)
    return None


def _misplaced(step: Step, earlier: tuple[Step, ...]) -> str | None:
    """Why a step cannot follow the earlier ones, or None."""
    if any(map(_is_end, earlier)):
        return "the connection is closed by then"
    if _any(earlier, control.Dispatch):
        return "the requests are dispatched from there on"
    if isinstance(step, WritingStep | secure.Starttls | secure.TlsFault) and _any(
        earlier, control.Shutdown
    ):
        return "writing is shut down by then"
    if isinstance(step, _READING) and _any(earlier, control.ReadEof, control.ExpectEof):
        return "the client's stream has ended by then"
    if isinstance(step, control.Expect) and not _any(earlier, control.ReadRequest, secure.Tunnel):
        return "no request has been read by then"
    if isinstance(step, secure.TlsFault) and step.inside:
        return None if _any(earlier, secure.Starttls) else "TLS is not spoken yet"
    if isinstance(step, secure.Starttls | secure.TlsFault):
        return _misplaced_handshake(earlier)
    return None


_READING = (
    control.ReadRequest,
    control.Read,
    control.ReadUntil,
    control.ReadEof,
    control.ExpectEof,
    control.ExpectNoBytes,
    control.Dispatch,
    secure.Starttls,
    secure.Tunnel,
)


def _misplaced_handshake(earlier: tuple[Step, ...]) -> str | None:
    if _any(earlier, secure.Starttls):
        return "TLS is spoken already"
    tunnels = [step for step in earlier if isinstance(step, secure.Tunnel)]
    if earlier and not tunnels:
        return "must be the first step, or inside a tunnel"
    if tunnels and tunnels[-1].data is None and not 200 <= tunnels[-1].status < 300:
        return f"a status of {tunnels[-1].status} opens no tunnel"
    return None


def _is_end(step: Step) -> bool:
    if isinstance(step, writing.Reply):
        return step.framing == "close"
    return isinstance(step, control.Close | control.ExpectReset | secure.TlsFault)


def _any(steps: tuple[Step, ...], *kinds: type[Step]) -> bool:
    return any(isinstance(step, kinds) for step in steps)
