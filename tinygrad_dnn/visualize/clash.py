"""Clash: which numbers in the shapes of a call that failed do not fit, where that can be told.

Knows how NumPy matches shapes, a Linear layer and a loss; no picture and no message.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_dnn import nn
from tinygrad_dnn.visualize.chain import LOSS_NAMES
from tinygrad_dnn.visualize.scene import shape_text

Shape = tuple[int, ...]


def clash(fn: Any, shapes: Sequence[Shape]) -> str:
    """Return what is unequal among the shapes that ``fn`` was called with, or nothing.

    A layer's own Tensors come before its input, as in ``graph.FailedCall``.

    >>> clash(np.matmul, [(2, 4), (5, 8)])
    '4 ≠ 5'
    >>> clash(np.add, [(2, 4), (5, 1)])
    '2 ≠ 5'
    """
    if isinstance(fn, nn.Linear) or fn == "linear":
        fn, shapes = np.matmul, (shapes[0], shapes[-1])
    if len(shapes) < 2:
        return ""
    if fn is np.matmul and len(shapes) == 2 and all(shapes):
        (*_, k), other = shapes
        return _unequal(k, other[-2] if len(other) > 1 else other[0])
    if isinstance(fn, np.ufunc) and fn.signature is None:
        pairs = zip(*(shape[::-1] for shape in shapes[:2]), strict=False)
        return next((f"{a} ≠ {b}" for a, b in pairs if a != b and 1 not in (a, b)), "")
    if fn in LOSS_NAMES and len(shapes) == 2:  # predictions and targets
        a, b = map(shape_text, shapes)
        return _unequal(a, b)
    return ""


def _unequal(a: Any, b: Any) -> str:
    return "" if a == b else f"{a} ≠ {b}"
