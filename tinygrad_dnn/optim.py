"""Optimisers: they turn the gradients that ``backward`` has left into new parameters, in place.

An optimiser holds the Tensors themselves; its numbers may be changed between steps.
"""

from collections.abc import Iterable

from tinygrad_dnn.scalars import Scalar
from tinygrad_dnn.tensor import Tensor


class SGD:
    """Gradient descent: W = W - lr dW, for every parameter that has a gradient.

    ``parameters`` is a dict as ``net.parameters()`` returns it, or any iterable of Tensors.

    >>> W = Tensor([1.0, 2.0])
    >>> descent = SGD([W], lr=0.1)
    >>> (W**2).sum().backward()
    >>> descent.step()
    >>> W.data
    array([0.8, 1.6])
    """

    def __init__(self, parameters: dict[str, Tensor] | Iterable[Tensor], *, lr: float) -> None:
        given = list(parameters.values() if isinstance(parameters, dict) else parameters)
        for p in given:
            if not isinstance(p, Tensor) or p.node.fn or not p.requires_grad:
                raise TypeError(f"SGD learns Tensors that require a gradient, got {p!r}")
        self.parameters = list(dict.fromkeys(given))  # a tied weight takes one step
        if not self.parameters:
            raise ValueError("SGD was given no parameters")
        if not lr > 0:
            raise ValueError(f"SGD: lr must be a positive number, got {lr}")
        self.lr = lr

    def step(self) -> None:
        """Take one step along the gradients that are there."""
        lr = Scalar(self.lr)
        for p in self.parameters:
            node = p.node
            if (dW := node.grad) is not None:
                node.value -= lr[dW.dtype] * dW
                node.changed()

    def zero_grad(self) -> None:
        """Forget the gradients, so that the next backward starts afresh."""
        for p in self.parameters:
            p.node.grad = None
