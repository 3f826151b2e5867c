"""Optimizer: what all optimisers share, which is everything but the formula."""

from collections.abc import Iterable
from typing import Any, Self, TypeAlias

import numpy as np

from tinygrad_dnn.graph import Node, changed
from tinygrad_dnn.optim.update import Update
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor

Gradients: TypeAlias = list[tuple[int, Node, Array]]  # the number of a parameter, its node, dW


class Optimizer:
    """Holds parameters and a learning rate ``lr``; ``descend`` is the formula of each kind.

    ``parameters`` is a dict as ``net.parameters()`` returns it, or any iterable of Tensors.
    ``weight_decay`` adds that many times W to dW, as the term weight_decay / 2 |W|^2 in the cost
    would; None leaves it out.

    A step is taken as the formula says.  Of a kind that is ``replayed``, whose formula does nothing
    but compute, it is recorded after a while: steps with small arrays then take a fifth to a third
    less time, and give the same numbers to the bit.  Where that cannot be, why is logged.
    """

    __slots__ = ("__dict__", "__update", "__weakref__")

    __update: Update | None  # private: no part of what is reached, copied or saved
    __replayed = False

    def __init_subclass__(cls, *, replayed: bool = False) -> None:
        cls.__replayed = replayed  # not that of the class above: the formula may be another one

    def __new__(cls, *_: Any, **__: Any) -> Self:
        self = super().__new__(cls)
        self.__update = Update() if cls.__replayed else None
        return self

    def __getstate__(self) -> dict[str, Any]:
        return vars(self)

    def __init__(
        self,
        parameters: dict[str, Tensor] | Iterable[Tensor],
        *,
        lr: float,
        weight_decay: float | None = None,
    ) -> None:
        name = type(self).__name__
        given = list(parameters.values() if isinstance(parameters, dict) else parameters)
        for p in given:
            if not isinstance(p, Tensor) or p.node.fn or not p.requires_grad:
                raise TypeError(f"{name} learns Tensors that require a gradient, got {p!r}")
        self.parameters = list(dict.fromkeys(given))  # a tied weight takes one step
        if not self.parameters:
            raise ValueError(f"{name} was given no parameters")
        if not lr > 0:
            raise ValueError(f"{name}: lr must be a positive number, got {lr}")
        if weight_decay is not None and not weight_decay >= 0:
            raise ValueError(f"{name}: weight_decay must not be negative, got {weight_decay}")
        self.lr = lr
        self.weight_decay = weight_decay

    def step(self) -> None:
        """Take one step along the gradients that are there."""
        update = self.__update
        if update is None or not update.replayed(self):
            found = enumerate(self.parameters)
            self.take([(i, W, dW) for i, p in found if (dW := (W := p.node).grad) is not None])

    def take(self, gradients: Gradients) -> None:
        """Take one step along ``gradients``, in which the decay is not yet."""
        if self.weight_decay is not None:
            gradients = [(i, W, self.decayed(W, dW)) for i, W, dW in gradients]
        try:
            self.descend(gradients)
        finally:
            changed([W for _, W, _ in gradients])

    def descend(self, gradients: Gradients) -> None:
        """Leave the new data of each parameter in its node."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Forget the gradients, so that the next backward starts afresh."""
        for p in self.parameters:
            p.node.grad = None

    def decayed(self, W: Node, dW: Array) -> Array:
        """Return the gradient ``dW`` with the decay of the weight ``W`` in it."""
        return dW + self.weight_decay * W.value

    def zeros(self) -> list[Array]:
        """Return an array of zeros for each parameter."""
        return [np.zeros_like(p.node.value) for p in self.parameters]

    def squares(self) -> list[Array]:
        """Return an array of zeros for each parameter, to add up squares of its gradient."""
        for p in self.parameters:
            if p.dtype.kind == "c":
                raise TypeError(
                    f"{type(self).__name__} squares gradients and so learns real numbers, but "
                    f"{p.name or 'a parameter'} is {p.dtype}; make it two, or use SGD or Momentum"
                )
        return self.zeros()

    def share(self, **numbers: Any) -> None:
        """Set attributes that are shares: at least 0, less than 1."""
        for what, number in numbers.items():
            if not 0 <= number < 1:
                raise ValueError(
                    f"{type(self).__name__}: {what} must be at least 0 and less than 1, "
                    f"got {number}"
                )
            setattr(self, what, number)
