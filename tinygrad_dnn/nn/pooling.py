"""Pooling as layers, without parameters: images (m, c, h, w) become smaller, or columns (c, m)."""

from typing import Any

from tinygrad_dnn.nn.functions.convolution import Sizes, per_axis
from tinygrad_dnn.nn.functions.pooling import global_pool, pool
from tinygrad_dnn.primitives import Array, Function
from tinygrad_dnn.rules.pooling import avg_pool, max_pool


class _Pooling:
    function: Function

    def __init__(self, kernel: Sizes, *, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        kind = type(self).__name__
        self.kernel = per_axis(kind, "kernel", kernel, 2, least=1)
        self.stride = per_axis(kind, "stride", kernel if stride is None else stride, 2, least=1)
        self.padding = per_axis(kind, "padding", padding, 2, least=0)

    def __call__(self, x: Array) -> Any:
        return pool(self, self.function, x, self.kernel, self.stride, self.padding)

    def __repr__(self) -> str:
        shown = "x".join(map(str, self.kernel))
        if self.stride != self.kernel:
            shown += f", stride={'x'.join(map(str, self.stride))}"
        if any(self.padding):
            shown += f", padding={'x'.join(map(str, self.padding))}"
        return f"{type(self).__name__}({shown})"


class MaxPool2d(_Pooling):
    """The largest entry of every window, as ``nn.max_pool2d``.

    Shapes: A (m, c, h, w) -> (m, c, places_h, places_w).

    >>> MaxPool2d(2)
    MaxPool2d(2x2)
    """

    function = staticmethod(max_pool)


class AvgPool2d(_Pooling):
    """The mean of every window, as ``nn.avg_pool2d``.

    Shapes: A (m, c, h, w) -> (m, c, places_h, places_w).
    """

    function = staticmethod(avg_pool)


class GlobalAvgPool2d:
    """The mean of every channel, as columns.  Shapes: A (m, c, h, w) -> (c, m)."""

    def __call__(self, x: Array) -> Any:
        return global_pool(self, x)

    def __repr__(self) -> str:
        return "GlobalAvgPool2d()"
