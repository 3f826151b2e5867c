"""Numbers: every array that a page shows, with its statistics and a heat map, each only once.

Statistics are of the whole array.  A heat map has at most 64 x 64 cells; a larger array is shown by
means of blocks of entries.  Cells travel as 16-bit fractions of the largest, so they are exact to
3e-5 of it.  What is not finite is counted, left out of the statistics and marked in the map.
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_dnn.visualize.words import clean

MOST = 64  # rows or columns of a heat map
CELLS_EACH, CELLS = 1000, 400_000  # on average for one array, for all of a page
STATISTICS: dict[str, Callable[..., Any]] = {
    "min": np.min,
    "max": np.max,
    "mean": np.mean,
    "std": np.std,
    "norm": np.linalg.norm,
    "zeros": lambda x: np.mean(x == 0),
}
FULL, MISSING = 32767, -32768


@dataclass
class Numbers:
    """The arrays of a page by key; a key stands for the same array under the same name."""

    _known: dict[tuple[int, str], str] = field(default_factory=dict)
    _held: list[tuple[str, str, Any]] = field(default_factory=list)  # keeps the identities alive

    def add(self, name: str, value: Any, kind: str) -> str:
        """Return the key of an array; ``kind`` is value or gradient."""
        key = (id(value), name)
        if key not in self._known:
            self._known[key] = f"n{len(self._held)}"
            self._held.append((name, kind, value))
        return self._known[key]

    def data(self) -> dict[str, dict[str, Any]]:
        """Return all of them, as JSON can say it."""
        most = MOST
        arrays = [np.asarray(value) for _, _, value in self._held]
        allowed = min(CELLS_EACH * len(arrays), CELLS)
        while most > 4 and sum(_cells(array, most) for array in arrays) > allowed:
            most = most * 3 // 4
        return {
            f"n{i}": {"name": clean(name), "kind": kind, **described(array, most)}
            for i, ((name, kind, _), array) in enumerate(zip(self._held, arrays, strict=True))
        }


def described(array: Any, most: int = MOST) -> dict[str, Any]:
    """Return shape, dtype, statistics and heat map of an array.

    >>> facts = described(np.array([[0.0, 3.0], [4.0, -1.0]]))
    >>> facts["shape"], facts["min"], facts["max"], facts["mean"], facts["zeros"]
    ([2, 2], -1.0, 4.0, 1.5, 0.25)
    """
    entries = np.abs(array) if np.iscomplexobj(array) else array
    finite = np.isfinite(entries)
    good = np.asarray(entries[finite], dtype=np.float64)
    facts: dict[str, Any] = {"shape": list(array.shape), "dtype": str(array.dtype)}
    with np.errstate(over="ignore"):
        for name, statistic in STATISTICS.items():
            number = float(statistic(good)) if good.size else np.nan
            facts[name] = number if np.isfinite(number) else None
    if bad := int(array.size - good.size):
        facts["bad"] = bad
    if array.size > 1:
        facts["map"] = heat_map(np.where(finite, entries, np.nan), most)
    return facts


def heat_map(array: Any, most: int) -> dict[str, Any]:
    """Return rows, columns, entries per cell, the largest cell, and all cells row by row.

    Of (m, channels, height, width) the images stand side by side: examples down, channels across.
    """
    tile = list(array.shape[2:]) if array.ndim == 4 else None
    flat = np.swapaxes(array, 1, 2) if tile else array  # (m, c, h, w) -> m h rows, c w columns
    matrix = np.asarray(flat, dtype=np.float64).reshape(_matrix(array.shape))
    rows, down = _shrunk(matrix, 0, most)
    cells, across = _shrunk(rows, 1, most)
    peak = float(np.nanmax(np.abs(cells), initial=0))
    scaled = np.where(np.isnan(cells), 0, cells) / (peak or 1) * FULL
    whole = np.where(np.isnan(cells), MISSING, np.rint(scaled)).astype("<i2")
    return {
        "rows": cells.shape[0],
        "cols": cells.shape[1],
        "of": [down, across],
        "peak": peak,
        "cells": b64encode(whole.tobytes()).decode(),
        **({"tile": tile} if tile and matrix.shape == cells.shape else {}),
    }


def _matrix(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return rows and columns: vectors are one row, further axes go down; images are tiles."""
    if len(shape) == 4:
        m, channels, height, width = shape
        return m * height, channels * width
    columns = shape[-1] if shape else 1
    return (int(np.prod(shape[:-1], dtype=int)), columns)


def _cells(array: Any, most: int) -> int:
    rows, columns = _matrix(array.shape)
    return min(rows, most) * min(columns, most)


def _shrunk(matrix: Any, axis: int, most: int) -> tuple[Any, float]:
    """Return means of neighbours, so that at most ``most`` are left, and how many went into one."""
    count = matrix.shape[axis]
    if count <= most:
        return matrix, 1
    starts = np.arange(most) * count // most
    sizes = np.diff([*starts, count])
    means = np.add.reduceat(matrix, starts, axis=axis) / (sizes if axis else sizes[:, None])
    return means, round(count / most, 1)
