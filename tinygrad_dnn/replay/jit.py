"""jit: record a function once per signature of its arguments, then replay the recording."""

from collections.abc import Callable
from functools import update_wrapper
from importlib.util import find_spec
from types import MethodType
from typing import Any

import numpy as np

from tinygrad_dnn.containers import leaves
from tinygrad_dnn.errors import ReplayError
from tinygrad_dnn.graph import recording
from tinygrad_dnn.replay.capture import capture, is_input
from tinygrad_dnn.replay.plan import Plan
from tinygrad_dnn.replay.reach import Reach, reach
from tinygrad_dnn.replay.symbol import current
from tinygrad_dnn.tensor import Tensor


class jit:  # noqa: N801  (named as what it does)
    """``f``, recorded at its first call and replayed at every further one; a decorator.

    A call with another signature (shapes, layouts and dtypes of arrays, the structure of
    containers, any other value but a float) is recorded anew.  What ``f`` reaches is live: the data
    of Tensors, the numbers and arrays of optimisers, generators; a replay reads and writes them
    where they are.  All else is taken to be constant, plain arrays too: pass them as arguments if
    they change.  A gradient that ``f`` has itself used up for an update is not kept in ``.grad``.
    What is returned has no history.

    Raises ReplayError where ``f`` does what a replay could not repeat: an ``if`` on data, a number
    taken out of an array, a write into an array of its own.

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
        self._live: Reach | None = None
        self._kept: list[Any] = []  # objects that signatures know by their identity
        update_wrapper(self, f)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if current.get() is not None:  # part of a recording
            return self.f(*args, **kwargs)
        given = leaves((args, kwargs))
        if self._live is None:
            self._live = self._reach(given)
        plan = self._plans.get(self._signature(args, kwargs))
        if plan is None or not plan.follows():
            return self._recorded(args, kwargs, given)
        self._latest = plan
        return plan.replay([x for x in given if is_input(x)])

    def _recorded(self, args: Any, kwargs: Any, given: list[Any]) -> Any:
        """Run the function once, for real, and keep what it did."""
        self._live = self._reach(given)
        key = self._signature(args, kwargs)
        program, returned, complete = capture(self.f, (args, kwargs), given, self._live)
        if complete:
            self._kept += [x for x in given if not is_input(x)]
            self._latest = self._plans[key] = Plan(program, returned, self.native)
        return returned

    def _reach(self, given: list[Any]) -> Reach:
        return reach(self.f, *(x for x in given if not is_input(x)))

    def _signature(self, args: Any, kwargs: Any) -> Any:
        """Return what a recording holds for: calls with an equal one can replay it."""
        live = self._live or Reach()
        return (
            tuple([_kind(a) for a in args]),
            tuple([(k, _kind(a)) for k, a in kwargs.items()]) if kwargs else (),
            tuple([part.training for part in live.moded]),
            tuple([leaf.grad is None for leaf in live.leaves]),
            recording.get(),
        )

    def plan(self) -> Plan:
        """Return what the latest call ran, or recorded, for the next ones to run."""
        if self._latest is None:
            raise ReplayError(f"{self.__name__} has no plan before its first call; call it once")
        return self._latest

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else MethodType(self, owner)


def has_native() -> bool:
    """Say if the packages of the extra ``accel`` are there."""
    return all(find_spec(name) for name in ("llvmlite", "scipy"))


def _kind(x: Any) -> Any:
    """Return what must be the same of an argument for a replay to do."""
    if type(x) is np.ndarray:
        return x.shape, x.strides, x.dtype
    if isinstance(x, Tensor):
        return Tensor, x.requires_grad, _kind(x.node.value)
    if isinstance(x, np.generic):
        return x.dtype
    if isinstance(x, dict):
        return dict, tuple((k, _kind(v)) for k, v in x.items())
    if isinstance(x, list | tuple):
        return type(x), tuple(map(_kind, x))
    if isinstance(x, float):
        return float
    if x is None or isinstance(x, int | str | bytes | bool):
        return type(x), x
    return id(x)
