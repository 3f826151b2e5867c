"""Complex numbers: their parts, size and angle; the convention stands in ``rules/__init__.py``."""

import numpy as np

from tinygrad_dnn.primitives import composite, constant, primitive, rule, same


def _is_complex(x):
    return x.dtype.kind == "c"


# ---- parts -----------------------------------------------------------------------------------
def _conjugated(v, out, x):
    return np.conjugate(v)


def _real_jvp(t, out, x, **options):
    return t if _is_complex(out) else np.real(t)


rule(np.conjugate, vjps=(_conjugated,), jvps=(_conjugated,))
rule(np.real, vjps=(same,), jvps=(_real_jvp,))
rule(np.real_if_close, vjps=(same,), jvps=(_real_jvp,))
rule(
    np.imag,
    vjps=(lambda g, out, x: 1j * g if _is_complex(x) else np.zeros_like(g),),
    jvps=(lambda t, out, x: np.imag(t),),
)


# ---- size and direction ----------------------------------------------------------------------
@primitive
def sign(x):
    """``np.sign`` of real numbers: a step function."""
    return np.sign(x)


constant(sign)


@composite(np.sign)
def _direction(x):  # of length one, and 0 at 0
    if not _is_complex(x):
        return sign(x)
    size = np.absolute(x)
    return x / np.where(size == 0, 1, size)


def _along(x, t):  # Re(conj(x) t): how far t goes along x
    return np.real(np.conjugate(x) * t) if _is_complex(x) else x * t


def _turn(out, z, deg):  # the step by which the angle grows fastest
    return (180 / np.pi if deg else 1) * 1j * z / np.square(np.absolute(z))


rule(
    np.absolute,
    vjps=(lambda g, out, x: g * np.sign(x),),
    jvps=(lambda t, out, x: _along(np.sign(x), t),),
)
rule(
    np.angle,
    vjps=(lambda g, out, z, deg=False: g * _turn(out, z, deg),),
    jvps=(lambda t, out, z, deg=False: _along(_turn(out, z, deg), t),),
)
