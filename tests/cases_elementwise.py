"""Cases of the elementwise functions."""

import numpy as np

from tests.case import bits, case, normal, positive, probabilities, spread
from tinygrad_dnn.rules.elementwise import clip

CHOICES = [np.array([True, False, True]), np.array([[True], [False]])]

# ---- arithmetic ------------------------------------------------------------------------------
for fn in (np.add, np.subtract, np.multiply):
    case(fn, normal(2, 3), normal(2, 3))
    case(fn, normal(), normal())
    case(fn, normal(3, 1), normal(4, 1, 2))
    case(fn, normal(0, 3), normal(3))
    case(fn, normal(2, 3), 2.5)
    case(fn, 3, normal(2, 3))
case(np.divide, normal(2, 3), positive(2, 3))
case(np.divide, normal(3), -positive(2, 1))
case(np.divide, normal(3), 3)
case(np.divide, 1.0, positive())
for fn in (np.negative, np.positive, np.square, np.exp, np.expm1):
    case(fn, normal(2, 3))
    case(fn, normal())
    case(fn, normal(2, 0))
for fn in (np.sqrt, np.log, np.log1p, np.log2, np.log10, np.reciprocal):
    case(fn, positive(2, 3))
    case(fn, positive())
case(np.reciprocal, -positive(3))
case(np.exp2, normal(2, 3))
case(np.cbrt, positive(2, 3), smooth=False)
case(np.cbrt, -positive(3), smooth=False)
case(np.hypot, spread(2, 3), spread(2, 3), smooth=False)
case(np.hypot, spread(3, 1), 0.5, smooth=False)
for fn in (np.logaddexp, np.logaddexp2):
    case(fn, normal(2, 3), normal(2, 3), smooth=False)
    case(fn, normal(3), 0, smooth=False)
    case(fn, normal(3), -np.inf, smooth=False)
for fn in (np.remainder, np.fmod):
    case(fn, spread(2, 3), 0.7 + np.zeros(3), smooth=False)
    case(fn, -spread(2, 3), 1.27, smooth=False)
    case(fn, 1.7, np.array([0.65, -1.2, 1.9]), smooth=False)
case(np.float_power, positive(2, 3), normal(3), keeps_float32=False)
case(np.float_power, spread(2, 3), 3, keeps_float32=False)
case(np.ldexp, normal(2, 3), np.array([1, -2, 0]), smooth=False)
case(np.power, positive(2, 3), normal(2, 3))
case(np.power, positive(3), normal(2, 1))
case(np.power, positive(), normal())
case(np.power, normal(2, 3), 3)
case(np.power, spread(2, 3), 2.0)
case(np.power, spread(2, 3), -2, smooth=False)
case(np.power, spread(2, 3), 1)
case(np.power, spread(2, 3), 0)
case(np.power, positive(2, 3), 0.5)
case(np.power, 2.0, normal(2, 3))
case(np.power, spread(5), np.array([-1, 0, 1, 2, 3]), smooth=False, keeps_float32=False)
case(np.power, positive(3), np.array([-1, 0, 2]), keeps_float32=False)

# ---- trigonometric and hyperbolic ------------------------------------------------------------
for fn in (np.sin, np.cos, np.tanh, np.sinh, np.cosh, np.arctan, np.arcsinh):
    case(fn, normal(2, 3))
    case(fn, normal())
    case(fn, normal(2, 0))
for fn in (np.tan, np.arcsin, np.arccos, np.arctanh):
    case(fn, probabilities(2, 3))
    case(fn, -probabilities(3))
case(np.arccosh, 1 + positive(2, 3))
case(np.arctan2, spread(2, 3), spread(3), smooth=False)
case(np.arctan2, spread(3, 1), -positive(2), smooth=False)
case(np.arctan2, 1.0, spread(4), smooth=False)
for fn in (np.deg2rad, np.rad2deg, np.radians, np.degrees):
    case(fn, spread(2, 3), smooth=False)
case(np.sinc, spread(3, 4), smooth=False)
case(np.sinc, np.array([0.0, 1e-9, -1e-5, 0.001, -0.1, 0.3, 0.45, 0.55, 1.0, -2.0]), smooth=False)

# ---- parts of complex numbers ----------------------------------------------------------------
case(np.conjugate, normal(2, 3), smooth=False)
case(np.real, normal(2, 3), smooth=False)
case(np.real_if_close, normal(2, 3), smooth=False)
PARTS = {
    np.imag: lambda x, y: np.imag(x * (1j + y)),
    np.angle: lambda x, y: np.angle(x + 1j * y),
    np.sign: lambda x, y: np.real(np.sign(x + 1j * y)),
    np.absolute: lambda x, y: np.absolute(x + 1j * y),
}
for fn, call in PARTS.items():
    case(fn, positive(3), spread(3), through=call, smooth=False)
case(np.angle, positive(3), through=lambda x: np.angle(x * (1j + x), deg=True), smooth=False)

# ---- pieces ----------------------------------------------------------------------------------
case(np.absolute, spread(2, 3), smooth=False)
case(np.absolute, spread(), smooth=False)
case(np.fabs, spread(2, 3), smooth=False)
case(np.copysign, spread(2, 3), -spread(3), smooth=False)
case(np.copysign, spread(3), -0.0, smooth=False)
case(np.heaviside, np.array([-1, 0, 0, 2], np.int8), normal(2, 4), smooth=False)
case(np.heaviside, spread(3), 0.5, smooth=False)
case(np.nan_to_num, spread(2, 3), smooth=False)
case(np.nan_to_num, spread(2, 3), nan=1.0, posinf=2.0, smooth=False)
for fn in (np.maximum, np.minimum, np.fmax, np.fmin):
    case(fn, spread(2, 3), spread(2, 3) + 0.1, smooth=False)
    case(fn, spread(3, 1), spread(4) + 0.1, smooth=False)
    case(fn, spread(2, 3), 0, smooth=False)
case(clip, spread(2, 3), -0.4, 0.4, through=np.clip, smooth=False)
case(clip, spread(2, 3), None, 0.2, through=np.clip, smooth=False)
case(clip, spread(2, 3), 0.2, None, through=np.clip, smooth=False)
case(clip, spread(7, 1), spread(5) - 0.5, spread(5) + 0.75, through=np.clip, smooth=False)
case(clip, spread(6), np.array(0.4), np.array(-0.4), through=np.clip, smooth=False)
case(clip, spread(6), np.array(0.0), through=lambda x, low: np.clip(x, min=low), smooth=False)
case(clip, spread(6), np.array(0.0), through=lambda x, high: np.clip(x, None, high), smooth=False)
case(np.where, bits(2, 3), normal(2, 3), normal(2, 3))
case(np.where, bits(4, 1), normal(3), normal())
case(np.where, bits(2, 3), normal(2, 3), 0)
case(np.where, bits(2, 3), 0, normal(2, 3))
case(np.select, normal(3), normal(2, 1), through=lambda *xs: np.select(CHOICES, xs))
case(np.select, normal(2, 3), normal(), through=lambda x, y: np.select(CHOICES, [x, x * y], y))
case(np.divmod, spread(4), positive(4), through=lambda x, y: np.divmod(x, y)[1], smooth=False)
case(np.modf, spread(4), through=lambda x: np.modf(x)[0], smooth=False)
