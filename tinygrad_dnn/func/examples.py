"""Gradients of every example apart, where the examples are columns."""

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np

from tinygrad_dnn.containers import items, leaves, mapped, rebuilt
from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.func.gradients import grad
from tinygrad_dnn.func.trace import Argnums, positions


def per_example_grad(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    examples: tuple[int, ...] | None = None,
    axis: int | tuple[int, ...] = -1,
) -> Callable[..., Any]:
    """Return the function ``(*args) -> gradients`` of a cost, for every example as if alone.

    The gradient by argument ``argnums`` of ``f`` on one example at a time, stacked on a new first
    axis.  ``examples`` are the arguments that hold the m examples along ``axis``, by default all
    that are not differentiated; f sees them with that axis of length 1.  (``axis`` is one number,
    or one for each of them: images (m, c, h, w) beside labels (m,) have 0.)  If f is a mean over
    examples, the mean over the first axis is its gradient; if a sum, the sum.

    Shapes: an argument (n_out, n_in) -> (m, n_out, n_in).  Right for any f, and as dear as m
    gradients of one example: a loop.

    >>> cost = lambda w, X, Y: np.mean((w @ X - Y) ** 2)
    >>> X, Y = np.array([[1.0, 2.0]]), np.array([[0.0, 1.0]])
    >>> per_example_grad(cost)(np.array([[1.0]]), X, Y).tolist()
    [[[2.0]], [[4.0]]]
    """
    one = grad(f, argnums)

    def gradients(*args: Any, **options: Any) -> Any:
        chosen = positions(argnums, len(args))
        places = examples or tuple(i for i in range(len(args)) if i not in chosen)
        along = _axes(tuple(i % len(args) for i in places), axis)
        m = _number(args, along)

        def at(j: int) -> list[Any]:
            return [
                mapped(_example(j, along[i]), a) if i in along else a for i, a in enumerate(args)
            ]

        found = [one(*at(j), **options) for j in range(m)]
        if not found:
            like = [args[i] for i in chosen]
            empty = mapped(lambda x: np.zeros((0, *np.shape(x)), x.dtype), like)
            return empty[0] if isinstance(argnums, Integral) else tuple(empty)
        return rebuilt(found[0], (np.stack(p) for p in zip(*map(leaves, found), strict=True)))

    return gradients


def _axes(places: tuple[int, ...], axis: int | tuple[int, ...]) -> dict[int, int]:
    """Return the axis of the examples, by the place of each argument that holds some."""
    axes = (axis,) * len(places) if isinstance(axis, int) else tuple(axis)
    if len(axes) != len(places):
        raise DimensionError(
            f"per_example_grad: axis={axis} for {len(places)} arguments that hold examples; one "
            f"number, or one for each of them"
        )
    return dict(zip(places, axes, strict=True))


def _number(args: tuple[Any, ...], along: dict[int, int]) -> int:
    """Return how many examples there are, the same in every argument that holds some."""
    found: dict[str, int] = {}
    for i, axis in along.items():
        for path, a in items(args[i], f"argument {i}"):
            shape = np.shape(a)
            if not -len(shape) <= axis < len(shape):
                raise DimensionError(
                    f"{path} of shape {shape} has no axis {axis} with examples; say with "
                    f"examples= which arguments hold some"
                )
            found[path] = shape[axis]
    if len(set(found.values())) != 1:
        raise DimensionError(
            f"per_example_grad needs the same number of examples in every argument that holds "
            f"some, got {found or 'none'}; see examples= and axis="
        )
    return next(iter(found.values()))


def _example(j: int, axis: int) -> Callable[[Any], Any]:
    def take(a: Any) -> Any:
        a = a if hasattr(a, "shape") else np.asarray(a)
        return a[(slice(None),) * (axis % len(a.shape)) + (slice(j, j + 1),)]

    return take
