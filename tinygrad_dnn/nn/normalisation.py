"""Normalisation as layers: gamma and beta, and for batch norm what it remembers of its batches."""

from typing import Any

import numpy as np

from tinygrad_dnn.nn.functions.convolution import AXES
from tinygrad_dnn.nn.functions.normalisation import (
    EPS,
    OVER_EXAMPLES,
    batch_norm,
    divided,
    group_norm,
    layer_norm,
    per_unit,
)
from tinygrad_dnn.nn.naming import at_least_one, misfit
from tinygrad_dnn.nn.noticed import Noticed
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor


def _scale_and_shift(layer: Any, shape: tuple[int, ...], dtype: Any) -> None:
    layer.gamma = Tensor(np.ones(shape, dtype), name="gamma")
    layer.beta = Tensor(np.zeros(shape, dtype), name="beta")


class _BatchNorm(Noticed):
    """gamma, beta; mean and variance, which are state but no parameters."""

    gamma: Tensor
    beta: Tensor
    axes: tuple[int, ...]  # how many an input may have

    def __init__(
        self, n: int, *, eps: float = EPS, momentum: float = 0.1, dtype: Any = np.float64
    ) -> None:
        at_least_one(f"{type(self).__name__}({n})", n=n)
        self.n, self.eps, self.momentum = n, eps, momentum
        shape = (n, *(1,) * (max(self.axes) - 2))
        _scale_and_shift(self, shape, dtype)
        self.mean = Tensor(np.zeros(shape, dtype), requires_grad=False, name="mean")
        self.variance = Tensor(np.ones(shape, dtype), requires_grad=False, name="variance")
        self.training = True

    def __call__(self, x: Array) -> Any:
        if x.ndim not in self.axes or per_unit(x)[0] != self.n:
            shapes = ("({}, m)" if axes == 2 else AXES[axes - 2] for axes in self.axes)
            raise misfit(self, x, " or ".join(shapes).format(*(self.n,) * len(self.axes)))
        if not self.training:
            kept = {"mean": self.mean, "variance": self.variance}
            return batch_norm(x, self.gamma, self.beta, **kept, eps=self.eps)
        self._remember(x.data if isinstance(x, Tensor) else x)
        return batch_norm(x, self.gamma, self.beta, eps=self.eps)

    def _remember(self, x: Array) -> None:
        """Move mean and variance towards those of the batch x, by ``momentum``."""
        axis = OVER_EXAMPLES[x.ndim]
        count = x.size // self.n
        if count < 2:
            raise misfit(
                self, x, "two values per unit at least, while training", "net.eval() for one"
            )
        shape, rate = self.mean.shape, self.momentum
        variance = np.var(x, axis=axis, ddof=1).reshape(shape)
        for kept, new in (
            (self.mean, np.mean(x, axis=axis).reshape(shape)),
            (self.variance, variance),
        ):
            kept.data = ((1 - rate) * kept.data + rate * new).astype(kept.dtype)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.n})"


class BatchNorm1d(_BatchNorm):
    """Every unit normalised over the m examples of a batch, then scaled and shifted.

    Shapes: A (n, m), or sequences (m, n, length), -> the same, with gamma, beta, mean and variance
    (n, 1).  While training it uses the batch's own mean and variance, and moves ``mean`` and
    ``variance`` towards them by ``momentum``; after ``net.eval()`` it uses these.  They are no
    parameters, but saved.

    >>> layer = BatchNorm1d(2)
    >>> layer(np.array([[1.0, 3.0], [0.0, 0.0]])).data.round(3)
    array([[-1.,  1.],
           [ 0.,  0.]])
    >>> layer.mean.data
    array([[0.2],
           [0. ]])
    """

    axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """As BatchNorm1d, every channel over the examples and their places.

    Shapes: A (m, n, h, w) -> (m, n, h, w), with gamma, beta, mean and variance (n, 1, 1).
    """

    axes = (4,)


class BatchNorm3d(_BatchNorm):
    """As BatchNorm1d, every channel over the examples and their places.

    Shapes: A (m, n, d, h, w) -> the same, with gamma, beta, mean and variance (n, 1, 1, 1).
    """

    axes = (5,)


class LayerNorm(Noticed):
    """Every example normalised over its n units, then scaled and shifted.

    Shapes: A (n, m) -> (n, m), or (T, n, m) for sequences; gamma, beta (n, 1).
    """

    gamma: Tensor
    beta: Tensor

    def __init__(self, n: int, *, eps: float = EPS, dtype: Any = np.float64) -> None:
        at_least_one(f"LayerNorm({n})", n=n)
        self.n, self.eps = n, eps
        _scale_and_shift(self, (n, 1), dtype)

    def __call__(self, x: Array) -> Any:
        if x.ndim < 2 or x.shape[-2] != self.n:
            raise misfit(self, x, f"({self.n}, m)")
        return layer_norm(x, self.gamma, self.beta, eps=self.eps)

    def __repr__(self) -> str:
        return f"LayerNorm({self.n})"


class GroupNorm(Noticed):
    """Every example normalised over groups of its n channels, then scaled and shifted.

    Shapes: A (m, n, h, w) -> (m, n, h, w), with gamma, beta (n, 1, 1).
    """

    gamma: Tensor
    beta: Tensor

    def __init__(self, groups: int, n: int, *, eps: float = EPS, dtype: Any = np.float64) -> None:
        at_least_one(f"GroupNorm({groups}, {n})", groups=groups, n=n)
        if n % groups:
            raise ValueError(f"GroupNorm({groups}, {n}): n must be a multiple of groups")
        self.groups, self.n, self.eps = groups, n, eps
        _scale_and_shift(self, (n, 1, 1), dtype)

    def __call__(self, x: Array) -> Any:
        if x.ndim != 4 or x.shape[1] != self.n:
            raise misfit(self, x, f"(m, {self.n}, height, width)")
        return group_norm(x, self.groups, self.gamma, self.beta, eps=self.eps)

    def __repr__(self) -> str:
        return f"GroupNorm({self.groups}, {self.n})"


class LocalResponseNorm(Noticed):
    """Every channel divided by the strength of its ``size`` neighbours, as in the function.

    Shapes: A (m, c, *size) -> the same; without parameters.

    >>> LocalResponseNorm(5)(np.ones((2, 8, 4, 4))).shape
    (2, 8, 4, 4)
    """

    def __init__(
        self, size: int, *, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
    ) -> None:
        at_least_one(f"LocalResponseNorm({size})", size=size)
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def __call__(self, x: Array) -> Any:
        return divided(self, x, self.size, self.alpha, self.beta, self.k)

    def __repr__(self) -> str:
        return f"LocalResponseNorm({self.size})"
