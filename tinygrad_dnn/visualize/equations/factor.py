"""Factor: the constant in front of a term, an exact number times a power of m.

m is the number of columns, the examples.  A decimal that somebody wrote stays the decimal, so that
three times 0.1 is 0.3.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import Any

import numpy as np

SIMPLE = 1000  # denominators up to here are what a number like 0.333... is read as


@dataclass(frozen=True, slots=True)
class Factor:
    """``value`` times m to the power ``m``."""

    value: Fraction
    m: int = 0

    def __mul__(self, other: "Factor") -> "Factor":
        return Factor(self.value * other.value, self.m + other.m)

    def __add__(self, other: "Factor") -> "Factor":
        return Factor(self.value + other.value, self.m)

    @property
    def inverse(self) -> "Factor":
        """One over it; it must not be zero."""
        return Factor(1 / self.value, -self.m)


UNIT, MINUS = Factor(Fraction(1)), Factor(Fraction(-1))
PER_EXAMPLE, TIMES_M = Factor(Fraction(1), -1), Factor(Fraction(1), 1)


def factor_of(number: Any) -> Factor | None:
    """Return a real, finite number as a factor.

    >>> factor_of(0.1).value, factor_of(1 / 3).value
    (Fraction(1, 10), Fraction(1, 3))
    """
    if isinstance(number, bool | np.bool_ | int | np.integer):
        return Factor(Fraction(int(number)))
    if not isinstance(number, float | np.floating) or not isfinite(number):
        return None
    if not number and np.signbit(number):
        return None  # a fraction has no -0
    simple = Fraction(float(number)).limit_denominator(SIMPLE)
    exact = number.dtype.type(simple) if isinstance(number, np.floating) else float(simple)
    return Factor(simple if exact == number else Fraction(str(number)))
