"""A model as a function of its parameters, for ``tg.func``."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tinygrad_dnn.errors import DimensionError, StructureError
from tinygrad_dnn.graph import Node
from tinygrad_dnn.nn.parameters import buffers, parameters
from tinygrad_dnn.primitives import Array, as_data
from tinygrad_dnn.tensor import Tensor


def functional_call(
    model: Callable[..., Any], given: Mapping[str, Array], *args: Any, **kwargs: Any
) -> Any:
    """Return ``model(*args, **kwargs)`` with ``given`` in place of its parameters.

    ``given`` holds Tensors or arrays by the names that ``model.parameters()`` has, or
    ``nn.parameters(model)``, and their like for buffers; what it leaves out is the model's own.
    Afterwards the model is what it was; only running state of its own has moved.  While the call
    runs, no other thread may use the model.

    Raises StructureError for a name that the model does not have, DimensionError for another shape.

    >>> import numpy as np
    >>> import tinygrad_dnn as tg
    >>> net = tg.nn.Sequential(tg.nn.Linear(2, 1, rng=np.random.default_rng(0)), tg.nn.Tanh())
    >>> data = {name: W.data for name, W in net.parameters().items()}
    >>> cost = lambda p, X: np.mean(functional_call(net, p, X) ** 2)
    >>> {name: dW.shape for name, dW in tg.func.grad(cost)(data, np.ones((2, 5))).items()}
    {'W1': (1, 2), 'b1': (1, 1)}
    """
    held = {**_named(model, parameters), **_named(model, buffers)}
    if unknown := [name for name in given if name not in held]:
        raise StructureError(
            f"functional_call: the model has no {', '.join(unknown)}; it has {', '.join(held)}"
        )
    with _holding([(held[name], _node(name, held[name], x)) for name, x in given.items()]):
        return model(*args, **kwargs)


def _named(model: Any, kind: Callable[[Any], dict[str, Tensor]]) -> dict[str, Tensor]:
    own = getattr(model, kind.__name__, None)
    found: dict[str, Tensor] = own() if callable(own) else kind(model)
    return found


def _node(name: str, held: Tensor, x: Any) -> Node:
    """Return the node of what is given for ``held``."""
    node = x.node if isinstance(x, Tensor) else Node(as_data(x), name=held.name)
    if node.value.shape != held.shape:
        raise DimensionError(
            f"functional_call: {name} is {node.value.shape}, but the model's is {held.shape}"
        )
    return node


@contextmanager
def _holding(exchanged: list[tuple[Tensor, Node]]) -> Iterator[None]:
    """Let every Tensor stand for the node beside it in this block."""
    before = [(tensor, tensor.node) for tensor, _ in exchanged]
    try:
        for tensor, node in exchanged:
            tensor.node = node
        yield
    finally:
        for tensor, node in before:
            tensor.node = node
