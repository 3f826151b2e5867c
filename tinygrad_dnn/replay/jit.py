"""jit: record a function once per signature of its arguments, then replay the recording."""

import gc
from collections.abc import Callable
from functools import partial, update_wrapper
from importlib.util import find_spec
from types import MethodType
from typing import Any

import numpy as np

from tinygrad_dnn import graph
from tinygrad_dnn.containers import leaves, rebuilt
from tinygrad_dnn.errors import ReplayError
from tinygrad_dnn.graph import tracing, watching
from tinygrad_dnn.recording import name_of
from tinygrad_dnn.replay.arguments import is_input
from tinygrad_dnn.replay.capture import capture, one_at_a_time
from tinygrad_dnn.replay.live import ARRAYS, Live, live_in
from tinygrad_dnn.replay.lookout import Again
from tinygrad_dnn.replay.plan import Plan
from tinygrad_dnn.replay.signature import guard, signature
from tinygrad_dnn.tensor import Tensor

MOST = 256  # plans of one function: one with more is given something else at every call


class jit:  # noqa: N801  (named as what it does)
    """``f``, recorded at its first call and replayed at every further one; a decorator.

    A call with another signature (shapes, layouts and dtypes of arrays, the structure of
    containers, any other value but a float) is recorded anew.  What ``f`` reaches is live: the data
    of Tensors, the numbers and arrays of optimisers, generators; a replay reads and writes them
    where they are.  An attribute, a global or an entry that now holds another object, or is new, is
    noticed, and recorded anew.  All else is taken to be constant, as a plain array changed in
    place; pass arrays as arguments if they change.  An array given to ``W.data`` is
    copied to where the recording keeps W.  A gradient that ``f`` has itself used up for an update
    is not kept in ``.grad``.  What is returned, or left in an attribute (``self.loss = J``), has no
    history.  In machine code (``native``)
    nothing warns of division by zero or of overflow.

    Raises ReplayError where ``f`` does what a replay could not repeat: an ``if`` on data, a number
    taken out of an array, a shape that depends on data, a write into an array of its own; and where
    two of the Tensors that it reaches share their memory.  A recording that ends with an error, its
    own or one of ``f``, undoes what ``f`` has done so far: draws, updates, attributes.

    >>> import numpy as np
    >>> import tinygrad_dnn as tg
    >>> W = tg.Tensor([[1.0, 2.0]], name="W")
    >>> descent = tg.optim.SGD([W], lr=0.1)
    >>> @tg.jit
    ... def step(X, Y):
    ...     J = tg.nn.mean_squared_error(W @ X, Y)
    ...     descent.zero_grad()
    ...     J.backward()
    ...     descent.step()
    ...     return J
    >>> X, Y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 1.0]])
    >>> [round(float(step(X, Y)), 3) for _ in range(3)]
    [0.5, 0.405, 0.328]
    """

    def __init__(self, f: Callable[..., Any], *, native: bool | None = None) -> None:
        if not callable(f):
            raise TypeError(f"tg.jit records a function, got {type(f).__name__}")
        self.f = f
        self.native = has_native() if native is None else native
        self._plans: dict[Any, Plan] = {}
        self._latest: Plan | None = None
        self._lives: dict[Any, Live] = {}  # by the objects that were given
        self.failure: Exception | None = None  # what the latest recording ended with, if it did
        self._kept: list[Any] = []  # objects that signatures know by their identity
        update_wrapper(self, f, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        plan = self._latest
        if plan and not kwargs and plan.fits(args) and not is_looked_at() and plan.follows():
            return plan.replay(args)
        return self._called(args, kwargs)

    def repeat(self, n: int, *args: Any) -> Any:
        """Return what ``n`` calls with the same arguments return, stacked: arrays of n of each.

        What is between two calls is done once for all of them, so small steps take less time.

        >>> import numpy as np
        >>> @jit
        ... def halves(x):
        ...     return x / 2
        >>> halves.repeat(3, np.array([1.0, 2.0]))
        array([[0.5, 1. ],
               [0.5, 1. ],
               [0.5, 1. ]])
        """
        if n < 1:
            raise ValueError(f"repeat makes at least one call, got n = {n}")
        first, plan = self(*args), self._latest
        if plan and plan.repeats and plan.fits(args) and not is_looked_at() and plan.follows():
            return plan.repeat(n, args, first)
        found = [leaves(first), *(leaves(self(*args)) for _ in range(n - 1))]
        data = [[x.data if isinstance(x, Tensor) else x for x in one] for one in found]
        return rebuilt(first, map(np.stack, zip(*data, strict=True)))

    def _called(self, args: Any, kwargs: Any) -> Any:
        """Replay any plan that serves this call, or record one."""
        if is_looked_at():
            return self.f(*args, **kwargs)
        given = leaves((args, kwargs))
        live = self._lives.get(_identity(given))
        if live is not None and not live.has_changed():
            plan = self._plans.get(signature(args, kwargs, live))
            inputs = [x for x in given if is_input(x)]
            if plan is not None and plan.is_apart(inputs) and plan.follows():
                self._latest = plan
                return plan.replay(inputs)
        with one_at_a_time:
            collecting = gc.isenabled()
            gc.disable()  # to look for garbage among so many new objects takes a fifth of the time
            try:
                return self._recorded(args, kwargs, given)
            finally:
                if collecting:
                    gc.enable()

    def _recorded(self, args: Any, kwargs: Any, given: list[Any]) -> Any:
        """Run the function once, for real, and keep what it did."""
        live = self._renew(given)
        while True:
            key = signature(args, kwargs, live)
            try:
                program, returned, complete = capture(self.f, (args, kwargs), given, live)
                break
            except Again as found:
                live.learn(found)
            except Exception as error:
                self.failure = error
                if isinstance(refusal := error.__cause__, ReplayError):
                    self.failure = refusal  # NumPy had put "setting an array element" before it
                    raise refusal from None
                raise
        if complete and not (live.has_changed() or live.have_options_changed()):
            self._kept += [x for x in given if not is_input(x)]
            same = partial(guard, args, kwargs, live, key)
            self._latest = self._plans[key] = Plan(
                program, returned, self.native, same, live.have_options_changed
            )
        return returned[0] if program.kept else returned

    def _renew(self, given: list[Any]) -> Live:
        """Look again for what is live; numbers that have changed are."""
        if len(self._lives) + len(self._plans) > MOST:
            self._lives.clear()
            self._plans.clear()
            self._kept.clear()
        live = live_in(self.f, *(x for x in given if not is_input(x)))
        if before := self._lives.get(_identity(given)):
            exchanged = before.exchanged()
            moving = [p for p in before.moving if isinstance(p.get(None), (int, float, *ARRAYS))]
            live.moves(*moving, *(p for p in exchanged if type(p.get(None)) is float))
            if before.has_changed() or before.have_options_changed():
                self._plans.clear()
        self._lives[_identity(given)] = live
        return live

    def plan(self) -> Plan:
        """Return what the latest call ran, or recorded, for the next ones to run."""
        if self._latest is None:
            raise ReplayError(f"{name_of(self.f)} has no plan before its first call; call it once")
        return self._latest

    def __reduce__(self) -> Any:
        return _unpickled, (self.f, self.native)

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else MethodType(self, owner)


def _identity(given: list[Any]) -> Any:
    """Return what tells the objects that were given from others."""
    return tuple([id(x) for x in given if not (is_input(x) or isinstance(x, (int, str, bytes)))])


def _unpickled(f: Callable[..., Any], native: bool) -> jit:
    return jit(f, native=native and has_native())


def is_looked_at() -> bool:
    """Say if the calls made now are differentiated, or looked at, as by who records them."""
    return tracing.get() or bool(graph.watched and watching.get())


def has_native() -> bool:
    """Say if the packages of the extra ``accel`` are there."""
    return all(find_spec(name) for name in ("llvmlite", "scipy"))
