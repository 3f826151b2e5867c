"""What is to be checked: a plain function of named arrays and the gradients claimed for it.

A ``Problem`` knows nothing of Tensors: ``run.check(title, [problem])`` judges its claims and
returns a Report, ``grid.measure(problem, j)`` gives the numeric gradient by argument j without any
claim.  A gradient known at this point only, as one derived by hand, is ``pull=Fixed([dW1, db1])``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.primitives import Array

Point = Sequence[Array]
COMPUTED = ("value", "pull", "push", "graph")


@dataclass(frozen=True)
class Fixed:
    """A ``pull`` for gradients of a scalar that are known at one point only."""

    gradients: Sequence[Array]

    def __call__(self, point: Point, g: Array) -> Point:
        return [np.asarray(d) * g.reshape(()) for d in self.gradients]


@dataclass(frozen=True)
class Problem:
    """A function ``value(point)`` with its claimed vjp ``pull`` or jvp ``push``, or both.

    ``names`` and ``point`` are the arguments, float64, whatever the user's are: formulas are under
    test, not their rounding.  ``value`` changes none of them and returns an array of any shape; it
    may be called with complex arrays too, and may refuse them.  ``pull(point, g)`` returns a
    gradient per argument for a flat cotangent ``g``, ``push(point, tangents)`` the flat tangent of
    the value.  Without ``pull`` it is the jvp that is checked, with both the one against the other.
    ``graph(point)`` returns the last node of a recorded computation, in which kinks are looked for;
    ``given`` are the arguments in the user's own precision, where that is less; ``function`` is the
    name of what the user wrote, ``roots`` is that itself, from where its random generators are
    found.  ``single`` says that the claims were computed with numbers of float32.
    """

    names: Sequence[str]
    point: Point
    value: Callable[[Point], Any]
    pull: Callable[[Point, Array], Point] | None = None
    push: Callable[[Point, Point], Array] | None = None
    graph: Callable[[Point], Node] | None = None
    given: Point | None = None
    function: str = "the function"
    roots: Sequence[Any] = ()
    single: bool = False

    def after(self, reset: Callable[[], object]) -> "Problem":
        """Return the problem with ``reset`` called before everything that is computed."""

        def resetting(f: Any) -> Any:
            if f is None or isinstance(f, Fixed):
                return f

            def call(*args: Any) -> Any:
                reset()
                return f(*args)

            return call

        computed = {name: resetting(getattr(self, name)) for name in COMPUTED}
        return replace(self, **computed)

    @property
    def movable(self) -> bool:
        """Whether the claims can be computed at other points too."""
        return not isinstance(self.pull, Fixed)
