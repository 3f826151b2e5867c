"""A map of where a gradient is wrong: one picture per argument, one square per entry.

Green is right, yellow a kink, grey not measured; wrong is red, the darker the larger the error
relative to the largest entry, from 1e-8 to 1.  Of an array with more entries than can be seen, or
of which only some were measured, a square is the worst of its neighbours.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_dnn.primitives import Array

RIGHT, KINK, UNSEEN = (0.80, 0.93, 0.80), (1.0, 0.85, 0.35), (0.88, 0.88, 0.88)
PALE, DARK = np.array((1.0, 0.75, 0.70)), np.array((0.60, 0.0, 0.05))
FAINTEST = -8.0  # the power of ten of an error that is hardly red
MOST = 64  # squares along an axis
FEW = 20  # squares with lines between them
ACROSS = 4  # pictures side by side


class Picture(NamedTuple):
    """The squares of an argument, colours (rows, columns, 3), and what they stand for."""

    name: str
    shape: tuple[int, ...]
    image: Array


def squares(claimed: Array, numeric: Array, wrong: Array, kinks: Sequence[int]) -> Array:
    """Return the colours of an argument's entries: (rows, columns, 3), between 0 and 1.

    >>> x = np.ones((2, 3))
    >>> squares(x, x, np.zeros((2, 3), bool), [5])[1, :, 0].tolist()
    [0.8, 0.8, 1.0]
    """
    seen = np.isfinite(numeric)
    size = np.max(np.absolute(numeric[seen]), initial=0.0) or 1.0
    with np.errstate(all="ignore"):
        power = np.log10(np.absolute(claimed - numeric) / size)
    depth = np.clip(1 - np.where(np.isnan(power), 0.0, power) / FAINTEST, 0, 1)
    level = np.where(seen, 0.0, -1.0)  # 1 is a kink, from 2 on wrong
    level = np.where(wrong, 2 + depth, level)
    level.flat[list(kinks)] = 1.0
    level = _worst_of_neighbours(level.reshape(len(level) if level.ndim > 1 else 1, -1))
    plain = np.select([level[..., None] < 0, level[..., None] == 1], [UNSEEN, KINK], RIGHT)
    red = PALE + (level[..., None] - 2) * (DARK - PALE)
    return np.asarray(np.where(level[..., None] >= 2, red, plain))


def _worst_of_neighbours(level: Array) -> Array:
    """Return no more squares along an axis than can be seen, or were measured in any line."""
    for axis in (0, 1):
        measured = int(np.max(np.sum(level >= 0, axis=axis)))
        number = min(level.shape[axis], MOST, max(measured, 1))
        starts = np.arange(number) * level.shape[axis] // number
        level = np.maximum.reduceat(level, starts, axis=axis)
    return level


def figure(title: str, pictures: Sequence[Picture]) -> Any:
    """Return a matplotlib figure of the pictures, with what the colours mean."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.patches import Patch
    except ImportError:
        raise ImportError("report.plot() needs matplotlib: pip install matplotlib") from None
    across = min(len(pictures), ACROSS)
    down = -(-len(pictures) // across)
    width = max(2.6, 6.0 / across)
    tallest = [max(map(_aspect, pictures[i : i + across])) for i in range(0, len(pictures), across)]
    height = sum(min(aspect * (width - 0.4), 2.2) + 0.6 for aspect in tallest)
    made = Figure(figsize=(width * across, height + 0.7), layout="constrained")
    made.suptitle(title, fontsize=11)
    for i, picture in enumerate(pictures):
        _draw(made.add_subplot(down, across, i + 1), picture)
    colours = {"right": RIGHT, "a kink": KINK, "not measured": UNSEEN}
    colours |= {
        "wrong by 1e-8": tuple(PALE),
        "wrong by 1": tuple(DARK),
    }
    made.legend(
        handles=[Patch(facecolor=c, label=name) for name, c in colours.items()],
        loc="outside lower center",
        ncols=len(colours),
        fontsize=7,
        frameon=False,
    )
    return made


def _draw(axes: Any, picture: Picture) -> None:
    """Draw one argument: its first and last index along each axis, lines between few squares."""
    rows, columns = picture.image.shape[:2]
    axes.imshow(picture.image, aspect="auto", interpolation="nearest")
    axes.set_title(picture.name, fontsize=9)
    counts = _table(picture.shape)
    axes.set_box_aspect(_aspect(picture))
    for axis, n, squares in ((axes.yaxis, counts[0], rows), (axes.xaxis, counts[1], columns)):
        ends = {0: 0, squares - 1: n - 1}
        axis.set_ticks([*ends], labels=[str(i) for i in ends.values()], fontsize=7)
        axis.set_ticks(np.arange(1, squares) - 0.5, minor=True)
    axes.tick_params(which="both", length=0)
    if max(rows, columns) <= FEW:
        axes.grid(which="minor", color="white", linewidth=0.7)
    axes.spines[:].set_color("0.6")


def _aspect(picture: Picture) -> float:
    """Return the height over the width that a picture is drawn with."""
    rows, columns = _table(picture.shape)
    return float(np.clip(rows / columns, 0.3, 2.0))


def _table(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return rows and columns of an array laid out as a table.

    >>> _table((4, 3, 2)), _table((5,)), _table(())
    ((4, 6), (1, 5), (1, 1))
    """
    rows = shape[0] if len(shape) > 1 else 1
    return rows, int(np.prod(shape, dtype=int)) // max(rows, 1)
