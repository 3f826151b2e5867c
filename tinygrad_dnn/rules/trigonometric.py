"""Trigonometric and hyperbolic functions and their inverses, on real and complex numbers."""

from math import factorial, pi

import numpy as np

from tinygrad_dnn.primitives import elementwise

# ---- circular --------------------------------------------------------------------------------
elementwise(np.sin, lambda out, x: np.cos(x))
elementwise(np.cos, lambda out, x: -np.sin(x))
elementwise(np.tan, lambda out, x: 1 + out**2)
elementwise(np.arcsin, lambda out, x: 1 / (np.sqrt(1 - x) * np.sqrt(1 + x)))
elementwise(np.arccos, lambda out, x: -1 / (np.sqrt(1 - x) * np.sqrt(1 + x)))
elementwise(np.arctan, lambda out, x: 1 / (1 + x**2))
elementwise(
    np.arctan2,
    lambda out, y, x: x / (x**2 + y**2),
    lambda out, y, x: -y / (x**2 + y**2),
)

# ---- hyperbolic ------------------------------------------------------------------------------
elementwise(np.sinh, lambda out, x: np.cosh(x))
elementwise(np.cosh, lambda out, x: np.sinh(x))
elementwise(np.tanh, lambda out, x: 1 - out**2)
elementwise(np.arcsinh, lambda out, x: 1 / np.sqrt(1 + x**2))
elementwise(np.arccosh, lambda out, x: 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)))
elementwise(np.arctanh, lambda out, x: 1 / ((1 - x) * (1 + x)))

# ---- units of an angle -----------------------------------------------------------------------
elementwise(np.deg2rad, lambda out, x: pi / 180)
elementwise(np.radians, lambda out, x: pi / 180)
elementwise(np.rad2deg, lambda out, x: 180 / pi)
elementwise(np.degrees, lambda out, x: 180 / pi)

# ---- sin(pi x) / (pi x) ----------------------------------------------------------------------
# The closed form loses all its digits near 0, so there the series stands, whose own derivatives
# are right at 0 too.
_SERIES = [(-1) ** k * pi ** (2 * k) * 2 * k / factorial(2 * k + 1) for k in range(16, 0, -1)]


def _sinc_dx(out, x):
    near = np.absolute(x) < 0.5
    small, large = np.where(near, x, 0), np.where(near, 1, x)
    series = 0.0
    for coefficient in _SERIES:
        series = series * np.square(small) + coefficient
    return np.where(near, small * series, (np.cos(pi * large) - np.sinc(large)) / large)


elementwise(np.sinc, _sinc_dx)
