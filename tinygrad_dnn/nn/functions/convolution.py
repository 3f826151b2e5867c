"""Convolutions: what goes in is checked, and named when it does not fit.

Sequences are (m, c, length), images (m, c, h, w), volumes (m, c, d, h, w): m examples, c channels,
d slices, h rows, w columns.  ``stride``, ``padding`` and
``dilation`` are one number, or one per spatial axis; ``padding`` may also be ``"same"``, as many
places as x has, or ``"valid"``, none.  ``groups`` splits the channels into so many groups, each
convolved for itself.  The kernel is not flipped.
"""

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np

from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.nn.naming import at_least_one, given, unfit, where
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.rules.convolution import conv
from tinygrad_dnn.rules.patches import count

Sizes = int | tuple[int, ...]
AXES = {
    1: "(m, {}, length)",
    2: "(m, {}, height, width)",
    3: "(m, {}, depth, height, width)",
}


def conv1d(
    x: Array,
    W: Array,
    b: Array | None = None,
    *,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Any:
    """Return the convolution of sequences x with W, plus b.

    Shapes: x (m, c_in, length), W (c_out, c_in / groups, k), b (c_out, 1) -> (m, c_out, places),
    where places = (length + 2 padding - dilation (k - 1) - 1) // stride + 1.

    >>> import numpy as np
    >>> x = np.array([[[1.0, 2.0, 4.0, 8.0]]])
    >>> conv1d(x, np.array([[[-1.0, 1.0]]]))
    array([[[1., 2., 4.]]])
    """
    how = {"stride": stride, "padding": padding, "dilation": dilation}
    return convolve("conv1d", 1, x, W, b, groups, **how)


def conv2d(
    x: Array,
    W: Array,
    b: Array | None = None,
    *,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Any:
    """Return the convolution of images x with W, plus b.

    Shapes: x (m, c_in, h, w), W (c_out, c_in / groups, k_h, k_w), b (c_out, 1, 1)
    -> (m, c_out, places_h, places_w), with as many places along each axis as in ``conv1d``.

    >>> import numpy as np
    >>> conv2d(np.ones((1, 3, 5, 5)), np.ones((2, 3, 3, 3)), padding=1)[0, 0, 0]
    array([12., 18., 18., 18., 12.])
    """
    how = {"stride": stride, "padding": padding, "dilation": dilation}
    return convolve("conv2d", 2, x, W, b, groups, **how)


def conv3d(
    x: Array,
    W: Array,
    b: Array | None = None,
    *,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Any:
    """Return the convolution of volumes x with W, plus b.

    Shapes: x (m, c_in, d, h, w), W (c_out, c_in / groups, k_d, k_h, k_w), b (c_out, 1, 1, 1)
    -> (m, c_out, places_d, places_h, places_w), with as many places along each axis as in
    ``conv1d``.

    >>> import numpy as np
    >>> conv3d(np.ones((1, 2, 4, 4, 4)), np.ones((1, 2, 3, 3, 3)), stride=2, padding=1)[0, 0, 0]
    array([[16., 24.],
           [24., 36.]])
    """
    how = {"stride": stride, "padding": padding, "dilation": dilation}
    return convolve("conv3d", 3, x, W, b, groups, **how)


def convolve(
    who: Any, axes: int, x: Array, W: Array, b: Array | None, groups: int, **options: Any
) -> Any:
    """As ``conv1d`` and its like, by the number of ``axes``, on behalf of ``who``."""
    how = movement_by_name(who, axes, **options)
    check_kernel(who, axes, x, W, groups, "c_out", "c_in / groups")
    if x.ndim != axes + 2 or x.shape[1] != W.shape[1] * groups:
        raise wrong_input(who, x, W, W.shape[1] * groups)
    check_bias(who, b, W.shape[0], axes)
    kernel = W.shape[2:]
    if how["padding"] == "same":
        x, how["padding"] = _filled(x, kernel, how["dilation"])
    size = x.shape[2:]
    if min(count(size, kernel, **how)) < 1:
        raise unfit(
            f"{where(who)}: the kernel {kernel} with dilation {how['dilation']} does not fit into "
            f"{given(x, who)}, which is {x.shape} with padding {how['padding']}; use a smaller "
            f"kernel or more padding",
            who,
            x,
            W,
        )
    Z = conv(x, W, groups=groups, **how)
    return Z if b is None else Z + b


def per_axis(who: Any, name: str, given: Sizes, axes: int, least: int) -> tuple[int, ...]:
    """Return the option ``name`` of ``who`` as one number per axis."""
    numbers = tuple(given) if isinstance(given, Iterable) else (given,) * axes
    if len(numbers) != axes or not all(isinstance(n, Integral) and n >= least for n in numbers):
        raise ValueError(
            f"{where(who)}: {name}={given!r}; it needs a whole number >= {least}, or {axes} of them"
        )
    return numbers


def movement(
    who: Any, axes: int, *, stride: Sizes, padding: Sizes, dilation: Sizes
) -> dict[str, Any]:
    """Return how the kernel moves, as the rules take it."""
    return {
        "stride": per_axis(who, "stride", stride, axes, least=1),
        "padding": per_axis(who, "padding", padding, axes, least=0),
        "dilation": per_axis(who, "dilation", dilation, axes, least=1),
    }


def movement_by_name(
    who: Any, axes: int, *, stride: Sizes, padding: Sizes | str, dilation: Sizes
) -> dict[str, Any]:
    """Return ``movement``, where the padding may have a name, of which "same" is left as it is."""
    if not isinstance(padding, str):
        return movement(who, axes, stride=stride, padding=padding, dilation=dilation)
    if padding not in ("same", "valid"):
        raise ValueError(
            f"{where(who)}: padding={padding!r}; it needs whole numbers, 'same' or 'valid'"
        )
    how = movement(who, axes, stride=stride, padding=0, dilation=dilation)
    if padding == "same":
        if set(how["stride"]) != {1}:
            raise ValueError(
                f"{where(who)}: padding='same' keeps the size, but stride={stride!r} does not; "
                f"give the padding in numbers"
            )
        how["padding"] = padding
    return how


def _filled(x: Array, kernel: Any, dilation: Any) -> tuple[Array, Any]:
    """Return x and the padding with which it has as many places as before, one more at its end.

    That one is there, in x, where the kernel has an even number of places.
    """
    spare = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if any(n % 2 for n in spare):
        x = np.pad(x, [(0, 0), (0, 0), *((0, n % 2) for n in spare)])
    return x, tuple(n // 2 for n in spare)


def wrong_input(who: Any, x: Array, W: Array, channels: int) -> DimensionError:
    """Return the error for an x that has not so many ``channels``, or not the axes of W."""
    axes = W.ndim - 2
    advice = ""
    if x.ndim == 2:
        advice = f"; nn.Unflatten makes {AXES[axes].format(channels)} of columns"
    elif x.ndim == axes + 1:
        advice = "; one example is x[np.newaxis]"
    elif x.ndim == axes + 2 and x.shape[-1] == channels:
        advice = "; channels come first: np.transpose"
    name = getattr(W, "name", None) or "W"
    return unfit(
        f"{where(who)}: {name} is {W.shape} but {given(x, who)} is {x.shape}; it needs "
        f"{AXES[axes].format(channels)}{advice}",
        who,
        x,
        W,
    )


def check_kernel(
    who: Any, axes: int, x: Array, W: Array, groups: int, rows: str, columns: str
) -> None:
    """Refuse a W that is not (rows, columns, *kernel), rows a multiple of ``groups``."""
    at_least_one(where(who), groups=groups)
    if W.ndim != axes + 2 or W.shape[0] % groups:
        wanted = AXES[axes].format(columns).replace("(m", f"({rows}")
        raise unfit(
            f"{where(who)}: W is {W.shape}; it needs {wanted}, with {rows} a multiple of groups = "
            f"{groups}",
            who,
            x,
            W,
        )


def check_bias(who: Any, b: Array | None, channels: int, axes: int) -> None:
    """Refuse a bias that is not one number per channel."""
    wanted = (channels, *(1,) * axes)
    if b is not None and b.shape != wanted:
        name = getattr(b, "name", None) or "b"
        raise unfit(
            f"{where(who)}: {name} is {b.shape}; it needs {wanted}, a number per channel", who, b
        )
