"""Pooling as layers, without parameters: one number for every window, or for every channel.

Sequences are (m, c, length), images (m, c, h, w), volumes (m, c, d, h, w).
"""

from typing import Any

from tinygrad_dnn.nn.functions.convolution import Sizes
from tinygrad_dnn.nn.functions.pooling import global_pool, largest, mean, windows
from tinygrad_dnn.nn.functions.unpooling import unpooled
from tinygrad_dnn.nn.noticed import Noticed
from tinygrad_dnn.primitives import Array


class _Windows(Noticed):
    """A window and how it moves, along so many ``axes``."""

    axes: int

    def __init__(
        self,
        kernel: Sizes,
        *,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
    ) -> None:
        how = windows(type(self).__name__, self.axes, kernel, stride, padding, dilation)
        self.kernel, self.stride, self.padding, self.dilation = how.values()

    @property
    def window(self) -> tuple[Sizes, ...]:
        """Kernel, stride, padding and dilation."""
        return self.kernel, self.stride, self.padding, self.dilation

    def __repr__(self) -> str:
        shown = "x".join(map(str, self.kernel))
        if self.stride != self.kernel:
            shown += f", stride={'x'.join(map(str, self.stride))}"
        if any(self.padding):
            shown += f", padding={'x'.join(map(str, self.padding))}"
        if set(self.dilation) != {1}:
            shown += f", dilation={'x'.join(map(str, self.dilation))}"
        return f"{type(self).__name__}({shown})"


class _MaxPool(_Windows):
    def __init__(self, kernel: Sizes, *, return_indices: bool = False, **options: Any) -> None:
        super().__init__(kernel, **options)
        self.return_indices = return_indices

    def __call__(self, x: Array) -> Any:
        return largest(self, self.axes, x, self.return_indices, *self.window)


class MaxPool1d(_MaxPool):
    """The largest entry of every window, as ``nn.max_pool1d``.

    Shapes: A (m, c, length) -> (m, c, places).
    """

    axes = 1


class MaxPool2d(_MaxPool):
    """The largest entry of every window, as ``nn.max_pool2d``.

    Shapes: A (m, c, h, w) -> (m, c, places_h, places_w).  With ``return_indices=True`` a pair, of
    which MaxUnpool2d takes the second; so it stands in a model of your own, not in a Sequential.

    >>> MaxPool2d(2)
    MaxPool2d(2x2)
    """

    axes = 2


class MaxPool3d(_MaxPool):
    """The largest entry of every window, as ``nn.max_pool3d``.

    Shapes: A (m, c, d, h, w) -> (m, c, places_d, places_h, places_w).
    """

    axes = 3


class _AvgPool(_Windows):
    def __call__(self, x: Array) -> Any:
        return mean(self, self.axes, x, *self.window)


class AvgPool1d(_AvgPool):
    """The mean of every window, as ``nn.avg_pool1d``.

    Shapes: A (m, c, length) -> (m, c, places).
    """

    axes = 1


class AvgPool2d(_AvgPool):
    """The mean of every window, as ``nn.avg_pool2d``.

    Shapes: A (m, c, h, w) -> (m, c, places_h, places_w).
    """

    axes = 2


class AvgPool3d(_AvgPool):
    """The mean of every window, as ``nn.avg_pool3d``.

    Shapes: A (m, c, d, h, w) -> (m, c, places_d, places_h, places_w).
    """

    axes = 3


class _MaxUnpool(_Windows):
    def __call__(self, x: Array, indices: Array, *, output_size: Sizes | None = None) -> Any:
        return unpooled(self, self.axes, x, indices, output_size, *self.window)


class MaxUnpool1d(_MaxUnpool):
    """Zeros, with entries where MaxPool1d has found them, as ``nn.max_unpool1d``.

    Shapes: A, indices (m, c, places) -> (m, c, length).
    """

    axes = 1


class MaxUnpool2d(_MaxUnpool):
    """Zeros, with entries where MaxPool2d has found them, as ``nn.max_unpool2d``.

    Shapes: A, indices (m, c, places_h, places_w) -> (m, c, h, w).

    >>> import numpy as np
    >>> pool, unpool = MaxPool2d(2, return_indices=True), MaxUnpool2d(2)
    >>> unpool(*pool(np.arange(16.0).reshape(1, 1, 4, 4)))[0, 0]
    array([[ 0.,  0.,  0.,  0.],
           [ 0.,  5.,  0.,  7.],
           [ 0.,  0.,  0.,  0.],
           [ 0., 13.,  0., 15.]])
    """

    axes = 2


class MaxUnpool3d(_MaxUnpool):
    """Zeros, with entries where MaxPool3d has found them, as ``nn.max_unpool3d``.

    Shapes: A, indices (m, c, places_d, places_h, places_w) -> (m, c, d, h, w).
    """

    axes = 3


class GlobalAvgPool2d:
    """The mean of every channel, as columns.  Shapes: A (m, c, h, w) -> (c, m)."""

    def __call__(self, x: Array) -> Any:
        return global_pool(self, x)

    def __repr__(self) -> str:
        return "GlobalAvgPool2d()"
