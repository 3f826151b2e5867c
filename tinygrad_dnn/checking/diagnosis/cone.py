"""What one value of a recorded computation is a function of: its activation, and of which value."""

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from tinygrad_dnn.checking.diagnosis.forward import Elementwise, Forward, Softmax
from tinygrad_dnn.checking.diagnosis.polynomial import PRODUCTS
from tinygrad_dnn.checking.diagnosis.sources import activations, is_mask, same
from tinygrad_dnn.graph import Node
from tinygrad_dnn.primitives import RULES, Array

OUTPUTS = ("sigmoid", "tanh", "relu")


def bases(v: Node, tapped: Collection[Node]) -> Iterator[Node]:
    """Yield the values that ``v`` depends on through each of them alone, the nearest first.

    What is tapped, and products of matrices, are not looked behind.
    """
    front = {v}
    while front:
        youngest = max(front, key=lambda node: node.born)
        behind = youngest is not v and youngest in tapped
        if behind or not youngest.fn or youngest.fn in PRODUCTS:
            return
        front.remove(youngest)
        front |= {a for a in youngest.args if isinstance(a, Node) and a.needs_grad}
        if len(front) == 1:
            yield next(iter(front))


def between(v: Node, z: Node) -> Iterator[Node]:
    """Yield ``v`` and what it is made of, as far as ``z``, which is not among them."""
    stack, seen = [v], {z}
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            yield node
            stack += [a for a in node.args if isinstance(a, Node) and a.needs_grad]


def elementwise(v: Node, z: Node) -> bool:
    """Whether ``v`` is made of ``z`` entry by entry."""
    return all(
        node.fn not in PRODUCTS
        and node.value.shape == z.value.shape
        and (isinstance(node.fn, np.ufunc) or RULES[node.fn].broadcasts)
        for node in between(v, z)
    )


def masks(v: Node, z: Node) -> Iterator[Array]:
    """Yield the masks that are applied on the way from ``z`` to ``v``."""
    for node in between(v, z):
        yield from (a for a in node.args if isinstance(a, np.ndarray) and is_mask(a))


def known(V: Array, Z: Array, constants: Mapping[str, Array]) -> Iterator[Elementwise]:
    """Yield V = g(Z), with a mask of dropout or without."""
    if V.shape != Z.shape or V.ndim not in (1, 2):
        return
    fitting = {name: x for name, x in constants.items() if x.shape == V.shape}
    for found in activations("", V, Forward({**fitting, "": Z}, ()), [""]):
        for step, _ in found:
            if isinstance(step, Elementwise) and (not step.mask or step.mask in fitting):
                yield step


def softmax(V: Array, Z: Array) -> Softmax | None:
    """Return the step from Z to V if V is softmax of Z, along either axis."""
    if V.shape != Z.shape or V.ndim not in (1, 2):
        return None
    for axis in range(Z.ndim):
        e = np.exp(Z - Z.max(axis=axis, keepdims=True))
        if same(V, e / e.sum(axis=axis, keepdims=True)):
            return Softmax("", "", axis)
    return None


def output(v: Node, end: Node) -> bool:
    """Whether ``v`` is a usual activation of a prediction ``end``."""
    found = known(v.value, end.value, {})
    return softmax(v.value, end.value) is not None or any(step.g in OUTPUTS for step in found)


def unknown(v: Node, z: str, own: Array) -> Elementwise:
    """Return the step v = g(z) of an activation that is none of the known ones."""
    g = getattr(v.fn, "__name__", "g")
    g = g if isinstance(v.fn, np.ufunc) and v.fn.nin == 1 else "g"
    return Elementwise("", z, g, own=own)
