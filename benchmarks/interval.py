"""The median of ratios, and how far to trust it."""

from typing import NamedTuple

import numpy as np


class Interval(NamedTuple):
    """A median, and the 95 % bootstrap interval of it."""

    low: float
    median: float
    high: float

    def __str__(self) -> str:
        digits = 3 if self.median < 1 else 2
        low, median, high = (f"{x:.{digits}f}" for x in self)
        return f"{median} ({low} to {high})"


def median_of(values, *, resamples: int = 2000) -> Interval:
    """Return the median of ``values`` and its percentile bootstrap interval (Efron, 1979).

    >>> median_of([1.0, 1.0, 1.0])
    Interval(low=1.0, median=1.0, high=1.0)
    """
    values = np.asarray(values, float)
    rng = np.random.default_rng(0)
    again = np.median(rng.choice(values, (resamples, len(values))), axis=1)
    low, high = np.percentile(again, [2.5, 97.5])
    return Interval(float(low), float(np.median(values)), float(high))
