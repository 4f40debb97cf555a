"""The step whose answer a function of the test computes.

In comes the request, out go the steps that the function returns, played at once in place of this
one. It runs on a thread that no other connection waits for, so it may take long.
"""

import inspect
from dataclasses import dataclass
from typing import Any, ClassVar

from mockserver._connection import LiveConnection
from mockserver._control import Goto, Label
from mockserver._order import check_order
from mockserver._request import Request
from mockserver._step import Leaves, ScriptError, Step, remedy
from mockserver._writing import Reply


@dataclass(frozen=True, slots=True)
class Respond(Step):
    """Call a function with the request that was read last, and play the steps that it returns.

    Attributes:
        function: Returns a step or several in a list; what it raises becomes a reply with 500.
    """

    step_name: ClassVar[str] = "respond"
    listed: ClassVar[bool] = False
    function: Any

    def check(self) -> None:
        """Refuse what cannot be called with one request."""
        function = self.function
        name = getattr(function, "__name__", repr(function))
        if isinstance(function, type) and issubclass(function, Step):
            raise ScriptError(f"respond: got the class {name}; write route({name}(...))")
        if isinstance(function, Step | list | tuple):
            raise ScriptError("respond: must be a function; a fixed answer is route(Reply())")
        if not callable(function):
            self.refuse("function", "must be a function that takes the request")
        if inspect.iscoroutinefunction(function):
            raise ScriptError(f"respond: {name} is a coroutine function; write it with def")
        if inspect.isgeneratorfunction(function):
            raise ScriptError(f"respond: {name} yields; return a list of steps")
        try:
            inspect.signature(function).bind(None)
        except TypeError:
            raise ScriptError(f"respond: {name} must take one argument, the request") from None
        except ValueError:  # some built-in functions have no signature
            return

    def play(self, connection: LiveConnection) -> None:
        """Compute the answer, and play it."""
        connection.let_others_lead()
        steps = self._answer(connection)
        for step in steps:
            step.play(connection)
        if any(step.leaves is not Leaves.OPEN for step in steps):
            connection.skip_rest()

    def _answer(self, connection: LiveConnection) -> tuple[Step, ...]:
        try:
            returned = self.function(Request(connection.number, connection.last_request))
            steps = tuple(returned) if isinstance(returned, list | tuple) else (returned,)
            _check(steps)
        except Exception as error:  # noqa: BLE001 - the test's own code; its report gets whatever it raises
            name = f"{type(error).__name__}: {error}"
            trace = "" if isinstance(error, ScriptError) else _trace(error)
            connection.problem(f"respond failed with {name}{trace}")
            return (Reply(500, text=f"respond failed with {name}\n"),)
        return steps


def _check(steps: tuple[Any, ...]) -> None:
    for step in steps:
        if not isinstance(step, Step):
            raise ScriptError(f"it must return a Reply or a list of steps{remedy(step)}")
        if isinstance(step, Label | Goto | Respond):
            raise ScriptError(f"it cannot return {step.step_name}")
    check_order("its answer", steps, routed=True)


def _trace(error: Exception) -> str:
    """The traceback from the test's function on."""
    import traceback  # as above

    frames = traceback.extract_tb(error.__traceback__)[1:]
    return "\n" + "".join(traceback.format_list(frames)).rstrip()
