"""Special functions: SciPy's values, and derivatives that are special functions again.

SciPy is imported when one of them is first computed, not before.
"""

from importlib import import_module
from math import log, pi, sqrt
from sys import modules

import numpy as np

from tinygrad_dnn.primitives import Function, elementwise, primitive


def scipy(module, name):
    """Return the function ``scipy.<module>.<name>``, or say what to install."""
    try:
        return getattr(import_module(f"scipy.{module}"), name)
    except ImportError as error:
        raise ImportError(
            f"{module}.{name} is computed by SciPy, which is not installed; "
            f"install it with: pip install tinygrad-dnn[special]"
        ) from error


def of_scipy(name):
    """Return ``scipy.special.<name>`` as a primitive."""

    def call(*args):
        return scipy("special", name)(*args)

    call.__name__ = call.__qualname__ = name
    call.__module__ = __name__
    call.__doc__ = f"``scipy.special.{name}``, recorded."
    return primitive(call)


def counterpart(ufunc: np.ufunc) -> Function | None:
    """Return ours for a ufunc of SciPy's own, None if there is none."""
    name = {"psi": "digamma"}.get(ufunc.__name__, ufunc.__name__)
    theirs = getattr(modules.get("scipy.special"), name, None)
    return globals().get(name) if theirs is ufunc else None


# ---- the error function and the normal distribution ------------------------------------------
erf, erfc, erfcx = of_scipy("erf"), of_scipy("erfc"), of_scipy("erfcx")
erfinv, erfcinv = of_scipy("erfinv"), of_scipy("erfcinv")
elementwise(erf, lambda out, x: 2 / sqrt(pi) * np.exp(-(x**2)))
elementwise(erfc, lambda out, x: -2 / sqrt(pi) * np.exp(-(x**2)))
elementwise(erfcx, lambda out, x: 2 * x * out - 2 / sqrt(pi))
elementwise(erfinv, lambda out, x: sqrt(pi) / 2 * np.exp(out**2))
elementwise(erfcinv, lambda out, x: -sqrt(pi) / 2 * np.exp(out**2))

ndtr, ndtri, log_ndtr = of_scipy("ndtr"), of_scipy("ndtri"), of_scipy("log_ndtr")
elementwise(ndtr, lambda out, x: np.exp(-(x**2) / 2) / sqrt(2 * pi))
elementwise(ndtri, lambda out, x: sqrt(2 * pi) * np.exp(out**2 / 2))
elementwise(log_ndtr, lambda out, x: np.exp(-(x**2) / 2 - out - log(2 * pi) / 2))

# ---- logistic --------------------------------------------------------------------------------
expit, log_expit, logit = of_scipy("expit"), of_scipy("log_expit"), of_scipy("logit")
elementwise(expit, lambda out, x: out * (1 - out))
elementwise(log_expit, lambda out, x: expit(-x))
elementwise(logit, lambda out, x: 1 / (x * (1 - x)))

# ---- the gamma function ----------------------------------------------------------------------
gamma, gammaln, rgamma = of_scipy("gamma"), of_scipy("gammaln"), of_scipy("rgamma")
digamma, polygamma = of_scipy("digamma"), of_scipy("polygamma")
elementwise(gamma, lambda out, x: out * digamma(x))
elementwise(gammaln, lambda out, x: digamma(x))
elementwise(rgamma, lambda out, x: -out * digamma(x))
elementwise(digamma, lambda out, x: polygamma(1, x))
elementwise(polygamma, None, lambda out, n, x: polygamma(n + 1, x))


def betaln(a, b):
    """Return log |B(a, b)|."""
    return gammaln(a) + gammaln(b) - gammaln(a + b)


def beta(a, b):
    """Return B(a, b) = Gamma(a) Gamma(b) / Gamma(a + b), for positive a and b."""
    return np.exp(betaln(a, b))


# ---- Bessel functions: the slope of one is the mean difference of its neighbours --------------
jv, iv, yv = of_scipy("jv"), of_scipy("iv"), of_scipy("yv")
elementwise(jv, None, lambda out, n, x: (jv(n - 1, x) - jv(n + 1, x)) / 2)
elementwise(yv, None, lambda out, n, x: (yv(n - 1, x) - yv(n + 1, x)) / 2)
elementwise(iv, None, lambda out, n, x: (iv(n - 1, x) + iv(n + 1, x)) / 2)

j0, j1, y0, y1 = of_scipy("j0"), of_scipy("j1"), of_scipy("y0"), of_scipy("y1")
elementwise(j0, lambda out, x: -j1(x))
elementwise(y0, lambda out, x: -y1(x))
elementwise(j1, lambda out, x: (j0(x) - jv(2, x)) / 2)
elementwise(y1, lambda out, x: (y0(x) - yv(2, x)) / 2)

ive = of_scipy("ive")
elementwise(ive, None, lambda out, n, x: (ive(n - 1, x) + ive(n + 1, x)) / 2 - np.sign(x) * out)
i0, i1, i0e, i1e = of_scipy("i0"), of_scipy("i1"), of_scipy("i0e"), of_scipy("i1e")
elementwise(i0, lambda out, x: i1(x))
elementwise(i1, lambda out, x: (i0(x) + iv(2, x)) / 2)
elementwise(i0e, lambda out, x: i1e(x) - np.sign(x) * out)
elementwise(i1e, lambda out, x: (i0e(x) + ive(2, x)) / 2 - np.sign(x) * out)
elementwise(np.i0, lambda out, x: i1(x))


# ---- with logarithms; 0 log 0 counts as 0 ----------------------------------------------------
def _unless_both_0(x, y):
    return np.where((x == 0) & (y == 0), 1, y)


xlogy, xlog1py = of_scipy("xlogy"), of_scipy("xlog1py")
entr, rel_entr = of_scipy("entr"), of_scipy("rel_entr")
elementwise(
    xlogy,
    lambda out, x, y: np.log(_unless_both_0(x, y)),
    lambda out, x, y: x / _unless_both_0(x, y),
)
elementwise(
    xlog1py,
    lambda out, x, y: np.log(_unless_both_0(x, 1 + y)),
    lambda out, x, y: x / _unless_both_0(x, 1 + y),
)
elementwise(entr, lambda out, x: -np.log(x) - 1)
elementwise(rel_entr, lambda out, x, y: np.log(x / y) + 1, lambda out, x, y: -x / y)


def kl_div(x, y):
    """Return x log(x / y) - x + y, elementwise."""
    return rel_entr(x, y) - x + y
