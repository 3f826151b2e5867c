"""A map of where a gradient is wrong: one picture per argument, one square per entry.

Green is right, yellow a kink, grey not measured; wrong is red, the darker the larger the error
relative to the largest entry, from 1e-8 to 1.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_dnn.primitives import Array

RIGHT, KINK, UNSEEN = (0.80, 0.93, 0.80), (1.0, 0.85, 0.35), (0.88, 0.88, 0.88)
PALE, DARK = np.array((1.0, 0.75, 0.70)), np.array((0.60, 0.0, 0.05))
FAINTEST = -8.0  # the power of ten of an error that is hardly red


def squares(claimed: Array, numeric: Array, wrong: Array, kinks: Sequence[int]) -> Array:
    """Return the colours of an argument's entries: (rows, columns, 3), between 0 and 1.

    >>> x = np.ones((2, 3))
    >>> squares(x, x, np.zeros((2, 3), bool), [5])[1, :, 0].tolist()
    [0.8, 0.8, 1.0]
    """
    seen = np.isfinite(numeric)
    image = np.where(seen[..., np.newaxis], RIGHT, UNSEEN)
    size = np.max(np.absolute(numeric[seen]), initial=0.0) or 1.0
    with np.errstate(all="ignore"):
        power = np.log10(np.absolute(claimed - numeric) / size)
    depth = np.clip(1 - np.where(np.isnan(power), 0.0, power) / FAINTEST, 0, 1)[..., np.newaxis]
    image = np.where(wrong[..., np.newaxis], PALE + depth * (DARK - PALE), image)
    image.reshape(-1, 3)[list(kinks)] = KINK
    rows = claimed.shape[0] if claimed.ndim > 1 else 1
    return np.asarray(image.reshape(rows, -1, 3))


def figure(title: str, images: Sequence[tuple[str, Array]]) -> Any:
    """Return a matplotlib figure of named images."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("report.plot() needs matplotlib: pip install matplotlib") from None
    across = min(len(images), 4)
    down = -(-len(images) // across)
    made = Figure(figsize=(3.2 * across, 2.6 * down + 0.5), layout="constrained")
    made.suptitle(title)
    for i, (name, image) in enumerate(images):
        axes = made.add_subplot(down, across, i + 1)
        axes.imshow(image, aspect="auto", interpolation="nearest")
        axes.set_title(name, fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])
    return made
