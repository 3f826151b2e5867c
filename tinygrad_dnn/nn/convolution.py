"""Convolutions as layers, which hold W and b.

Sequences are (m, c, length), images (m, c, h, w), volumes (m, c, d, h, w): m examples, c channels.
``kernel``, ``stride``, ``padding`` and ``dilation`` are one number, or one per spatial axis; the
padding of a convolution may also be ``"same"`` or ``"valid"``.
"""

from typing import Any

import numpy as np

from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.nn.functions.convolution import (
    Sizes,
    convolve,
    movement,
    movement_by_name,
    per_axis,
)
from tinygrad_dnn.nn.functions.transposed import transpose
from tinygrad_dnn.nn.init import Initialiser, initialiser
from tinygrad_dnn.nn.naming import at_least_one
from tinygrad_dnn.nn.noticed import Noticed
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor


class _Convolution(Noticed):
    """W and b of a convolution, and its options."""

    axes: int
    movement: Any = staticmethod(movement_by_name)

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel: Sizes,
        *,
        rng: Any,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        init: str | Initialiser = "he",
        dtype: Any = np.float64,
    ) -> None:
        kind = type(self).__name__
        at_least_one(f"{kind}({c_in} -> {c_out})", c_in=c_in, c_out=c_out, groups=groups)
        if c_in % groups or c_out % groups:
            raise DimensionError(
                f"{kind}({c_in} -> {c_out}): both numbers of channels must be multiples of "
                f"groups = {groups}"
            )
        self.c_in, self.c_out, self.groups = c_in, c_out, groups
        self.kernel = per_axis(kind, "kernel", kernel, self.axes, least=1)
        how = self.movement(kind, self.axes, stride=stride, padding=padding, dilation=dilation)
        self.stride, self.padding, self.dilation = how.values()
        rows, columns = self._channels()
        shape = (rows, columns, *self.kernel)
        drawn = initialiser(init)(rng, rows, int(np.prod(shape[1:])))
        self.W = Tensor(np.asarray(drawn, dtype).reshape(shape), name="W")
        self.b = Tensor(np.zeros((c_out, *(1,) * self.axes), dtype), name="b")

    def _channels(self) -> tuple[int, int]:
        return self.c_out, self.c_in // self.groups

    def __call__(self, x: Array) -> Any:
        return convolve(self, self.axes, x, self.W, self.b, self.groups, **self.how)

    @property
    def how(self) -> dict[str, Any]:
        """How the kernel moves."""
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}

    def __repr__(self) -> str:
        shown = f"{self.c_in} -> {self.c_out}, {'x'.join(map(str, self.kernel))}"
        usual: dict[str, Any] = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1}
        for name, value in usual.items():
            own = getattr(self, name, None)
            if isinstance(own, str):
                shown += f", {name}={own!r}"
            elif own is not None and set(own) != {value}:
                shown += f", {name}={own[0] if len(set(own)) == 1 else own}"
        if self.groups > 1:
            shown += f", groups={self.groups}"
        return f"{type(self).__name__}({shown})"


class Conv1d(_Convolution):
    """Z = conv1d(A, W) + b.

    Shapes: A (m, c_in, length) -> Z (m, c_out, places), with W (c_out, c_in / groups, k) and
    b (c_out, 1), which starts at zero.  ``init`` draws W as a matrix (c_out, everything else).

    >>> layer = Conv1d(2, 4, 3, rng=np.random.default_rng(0))
    >>> layer(np.ones((5, 2, 8))).shape
    (5, 4, 6)
    """

    axes = 1


class Conv2d(_Convolution):
    """Z = conv2d(A, W) + b.

    Shapes: A (m, c_in, h, w) -> Z (m, c_out, places_h, places_w), with W (c_out, c_in / groups,
    k_h, k_w) and b (c_out, 1, 1), which starts at zero.  ``init`` as in Conv1d.

    >>> layer = Conv2d(3, 8, 3, padding=1, rng=np.random.default_rng(0))
    >>> layer
    Conv2d(3 -> 8, 3x3, padding=1)
    >>> layer(np.ones((5, 3, 6, 6))).shape
    (5, 8, 6, 6)
    """

    axes = 2


class Conv3d(_Convolution):
    """Z = conv3d(A, W) + b.

    Shapes: A (m, c_in, d, h, w) -> Z (m, c_out, places_d, places_h, places_w), with W (c_out,
    c_in / groups, k_d, k_h, k_w) and b (c_out, 1, 1, 1), which starts at zero.  ``init`` as in
    Conv1d.

    >>> layer = Conv3d(3, 8, (1, 3, 3), rng=np.random.default_rng(0))
    >>> layer(np.ones((5, 3, 6, 6, 6))).shape
    (5, 8, 6, 4, 4)
    """

    axes = 3


class _Transposed(_Convolution):
    """The same, of a transposed convolution: ``output_padding`` too, and W the other way round."""

    movement = staticmethod(movement)

    def __init__(
        self, c_in: int, c_out: int, kernel: Sizes, *, output_padding: Sizes = 0, **options: Any
    ) -> None:
        super().__init__(c_in, c_out, kernel, **options)
        self.output_padding = per_axis(self, "output_padding", output_padding, self.axes, least=0)

    def _channels(self) -> tuple[int, int]:
        return self.c_in, self.c_out // self.groups

    def __call__(self, x: Array) -> Any:
        extra = self.output_padding
        return transpose(self, self.axes, x, self.W, self.b, self.groups, extra, **self.how)


class ConvTranspose1d(_Transposed):
    """Z = conv_transpose1d(A, W) + b: from few places to many.

    Shapes: A (m, c_in, length) -> Z (m, c_out, L), with W (c_in, c_out / groups, k) and
    b (c_out, 1), which starts at zero.

    >>> layer = ConvTranspose1d(8, 3, 2, stride=2, rng=np.random.default_rng(0))
    >>> layer(np.ones((5, 8, 4))).shape
    (5, 3, 8)
    """

    axes = 1


class ConvTranspose2d(_Transposed):
    """Z = conv_transpose2d(A, W) + b: from few places to many.

    Shapes: A (m, c_in, h, w) -> Z (m, c_out, H, W), with W (c_in, c_out / groups, k_h, k_w) and
    b (c_out, 1, 1), which starts at zero.

    >>> layer = ConvTranspose2d(8, 3, 2, stride=2, rng=np.random.default_rng(0))
    >>> layer(np.ones((5, 8, 4, 4))).shape
    (5, 3, 8, 8)
    """

    axes = 2


class ConvTranspose3d(_Transposed):
    """Z = conv_transpose3d(A, W) + b: from few places to many.

    Shapes: A (m, c_in, d, h, w) -> Z (m, c_out, D, H, W), with W (c_in, c_out / groups, k_d, k_h,
    k_w) and b (c_out, 1, 1, 1), which starts at zero.
    """

    axes = 3
