"""Fusion: updates of parameters in one call, and products added up where the parameter is.

W - s G needs no array for s G, and where G = A B is computed for nothing else, none for G either.
The numbers differ from NumPy's by their rounding.
"""

from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.replay.order import brought_forward
from tinygrad_dnn.replay.program import Program, is_one_number


def minus_scaled(x: Any, s: Any, y: Any) -> Any:
    """Return x - s y, where s is one number."""
    return x - s * y


def minus_scaled_product(x: Any, s: Any, a: Any, b: Any) -> Any:
    """Return x - s a @ b, where s is one number."""
    return x - s * (a @ b)


FUSED = (minus_scaled, minus_scaled_product)


def fused(program: Program) -> None:
    """Fuse what is left in live places, and let it happen as soon as it can."""
    uses, ends = program.uses(), set(program.ends)
    gone: set[Node] = set()
    moved: list[Any] = []
    for s in program.written:
        call = s.after
        if call.fn is not np.subtract or call.args[0] is not s.before:
            continue
        scaled = call.args[1]
        alone = isinstance(scaled, Node) and len(uses[scaled]) == 1 and scaled not in ends
        if not (alone and scaled.fn is np.multiply):
            continue
        if call.value.shape != scaled.value.shape or call.value.dtype != scaled.value.dtype:
            continue
        pairs = (scaled.args, scaled.args[::-1])
        found = next(((n, g) for n, g in pairs if is_one_number(n) and _is_array(g, call)), None)
        if found is None:
            continue
        number, gradient = found
        call.fn, call.args = minus_scaled, [s.before, number, gradient]
        gone.add(scaled)
        alone = len(uses[gradient]) == 1 and gradient not in ends
        if alone and gradient.fn is np.matmul and _are_matrices(gradient):
            call.fn, call.args = minus_scaled_product, [s.before, number, *gradient.args]
            gone.add(gradient)
        moved.append(call)
    program.calls[:] = [c for c in program.calls if c not in gone]
    brought_forward(program, moved)


def _is_array(a: Any, like: Node) -> bool:
    return isinstance(a, Node) and getattr(a.value, "shape", None) == like.value.shape


def _are_matrices(call: Node) -> bool:
    return all(isinstance(a, Node) and a.value.ndim == 2 for a in call.args)
