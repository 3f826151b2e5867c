"""A sample: one call of an operation, and what the reference library makes of it.

The call is kept as a structure of Python values with a `Slot` wherever an array belongs, so the
same call can be made on arrays, on Tensors, or written to a file.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Slot:
    """The place of an array in a structure."""

    number: int


@dataclass
class Sample:
    """One call ``op(input, *args, **kwargs)`` with expected outputs and gradients.

    ``differentiated`` numbers the arrays that have a gradient, ``active`` the outputs that a
    cotangent enters; both in the order of ``gradients`` and ``cotangents``.
    """

    op: str
    number: int
    call: tuple[Any, tuple[Any, ...], dict[str, Any]]
    arrays: list[np.ndarray]
    differentiated: list[int] = field(default_factory=list)
    outputs: list[np.ndarray] = field(default_factory=list)
    active: list[int] = field(default_factory=list)
    gradients: list[np.ndarray | None] = field(default_factory=list)

    def __str__(self):
        inputs, args, kwargs = self.call
        shown = [described(a, self.arrays) for a in (inputs, *args)]
        shown += [f"{k}={described(v, self.arrays)}" for k, v in kwargs.items()]
        return f"{self.op}[{self.number}]({', '.join(shown)})"

    @property
    def size(self):
        return sum(a.size for a in (*self.arrays, *self.outputs))

    @property
    def cotangents(self):
        """One array per active output: of order one, either sign, exact in every float dtype."""
        rng = np.random.default_rng(self.number)
        return [_cotangent(self.outputs[i], rng) for i in self.active]


def _cotangent(like, rng):
    whole = rng.integers(20, 96, like.shape) * rng.choice([-1, 1], like.shape)
    return np.asarray(whole / 64, like.dtype)


def mapped(f, structure):
    """Apply ``f`` to every leaf of nested tuples, lists and dicts."""
    if isinstance(structure, dict):
        return {k: mapped(f, v) for k, v in structure.items()}
    if type(structure) in (list, tuple):
        return type(structure)(mapped(f, v) for v in structure)
    return f(structure)


def filled(structure, leaves):
    """Put ``leaves[i]`` where the structure has ``Slot(i)``."""
    return mapped(lambda v: leaves[v.number] if isinstance(v, Slot) else v, structure)


def described(structure, arrays):
    """Show a structure with dtype and shape in place of each array."""

    def shown(v):
        if not isinstance(v, Slot):
            return v
        return _Shown(f"{arrays[v.number].dtype.char}{list(arrays[v.number].shape)}")

    return repr(mapped(shown, structure))


class _Shown(str):
    __slots__ = ()
    __repr__ = str.__str__
