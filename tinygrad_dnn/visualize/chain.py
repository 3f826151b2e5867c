"""Chain: a recorded forward pass read as layers, Z[l] = W[l] A[l-1] + b[l], A[l] = g(Z[l]).

The record itself is read, not the types of the layers: what is found here was computed so.  A graph
that is anything else (a layer used twice, several operations between Z and A) is no chain, and the
reason is said in words.  Knows nothing of pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node, data_of
from tinygrad_dnn.primitives import RULES
from tinygrad_dnn.rules import losses
from tinygrad_dnn.rules.network import relu
from tinygrad_dnn.visualize.words import course_name

LOSSES = (
    losses.binary_cross_entropy,
    losses.binary_cross_entropy_with_logits,
    losses.cross_entropy,
    losses.cross_entropy_with_logits,
    losses.mean_squared_error,
)
LOSS_NAMES = [loss.__name__ for loss in LOSSES]  # as what checks their input is called


@dataclass(frozen=True, slots=True)
class Layer:
    """Layer l as it was computed; ``activation`` is None for A = Z."""

    number: int
    W: Node
    b: Node
    Z: Node
    A: Node
    before: Any  # A[l-1]: a Node, or the array X
    activation: Callable[..., Any] | None


@dataclass(frozen=True, slots=True)
class Chain:
    """All layers, 1 to L, with the input, and the cost if there is one."""

    layers: list[Layer]
    X: Any
    J: Node | None = None
    Y: Any = None
    loss: str = ""  # what a cost that is not one of ours is called


class NotAChain(Exception):  # noqa: N818  (an answer, not a fault)
    """The reason why a graph is not a chain of layers."""


def read_chain(end: Node, *, of: Node | None = None, Y: Any = None, loss: str = "") -> Chain:
    """Return the chain of layers whose output is ``end``, or whose cost it is.

    A cost that is not one of ours comes with its input (``of``, the output), ``Y`` and a name.
    """
    A: Any = of or end
    J = end if of else None
    if end.fn in LOSSES:
        J, A, Y = end, end.args[0], end.args[1]
        if of and A is not of:
            raise NotAChain("the cost is not computed from the output alone")
    elif of:
        _only_through(of, end)
    layers: list[Layer] = []
    while isinstance(A, Node) and A.fn:
        layers.append(_layer(A))
        A = layers[-1].before
    if not layers:
        raise NotAChain("nothing was computed from the input")
    held = [node for layer in layers for node in (layer.W, layer.b)]
    if len(set(held)) < len(held):
        raise NotAChain("parameters are shared between layers")
    layers = [replace(layer, number=n) for n, layer in enumerate(reversed(layers), 1)]
    return Chain(layers, A, J, Y, loss)


def _only_through(output: Node, J: Node) -> None:
    """Refuse a cost that what is learned enters by another way, as a penalty does."""
    seen, stack = {output, J}, [J]
    while stack:
        for parent in stack.pop().parents:
            if parent.needs_grad and parent.fn is None:
                raise NotAChain(f"the cost also depends on {parent.name or 'a Tensor'} directly")
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)


def _layer(A: Node) -> Layer:
    """Return the layer that ends in ``A``, its number still unknown."""
    Z, activation = A, None
    if A.fn is not np.add:
        inputs = A.parents
        if len(inputs) != 1 or not _same_shape(inputs[0], A):
            raise NotAChain(f"{_called(A)} is not Z = W A + b followed by one activation")
        Z, activation = inputs[0], A.fn
    product, b = Z.args if Z.fn is np.add else (Z, Z)
    if not (isinstance(product, Node) and product.fn is np.matmul and _is_leaf(b)):
        raise NotAChain(f"{_called(Z)} is not Z = W A + b")
    W, before = product.args
    if not _is_leaf(W) or np.ndim(data_of(before)) != 2 or b.value.shape != (Z.value.shape[0], 1):
        raise NotAChain(f"{_called(Z)} is not Z = W A + b, with examples as columns")
    return Layer(0, W, b, Z, A, before, activation)


def _is_leaf(x: Any) -> bool:
    return isinstance(x, Node) and x.fn is None


def _same_shape(a: Node, b: Node) -> bool:
    return bool(np.shape(a.value) == np.shape(b.value))


def _called(node: Node) -> str:
    name = getattr(node.fn, "__name__", "the input")
    where = f"layer {node.layer}: " if node.layer else ""
    result = course_name(node.name or "", node.layer)
    return where + (f"{result} = {name}(…)" if result else f"{name}(…)")


def wants_gradient(x: Any) -> bool:
    """Say whether the backward walk arrives at ``x``."""
    return isinstance(x, Node) and x.needs_grad


def acts_elementwise(fn: Callable[..., Any]) -> bool:
    """Say whether the derivative of an activation is one factor per entry."""
    return fn is relu or (RULES[fn].broadcasts and fn is not np.matmul)
