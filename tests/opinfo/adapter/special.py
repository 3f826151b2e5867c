"""Special functions, by the names the package shares with SciPy, which it needs for them."""

import numpy as np

from tests.opinfo.adapter.arguments import first, require_scipy
from tinygrad_dnn import special

NAMES = {
    "erf": "erf", "erfc": "erfc", "erfinv": "erfinv", "lgamma": "gammaln", "digamma": "digamma",
    "i0": "i0", "special.i0e": "i0e", "special.i1": "i1", "special.i1e": "i1e",
    "special.erfcx": "erfcx", "special.ndtr": "ndtr", "special.ndtri": "ndtri",
    "special.log_ndtr": "log_ndtr", "special.entr": "entr",
}  # fmt: skip


def scipys(name):
    """The function of that name; Unsupported where SciPy is not installed."""

    def call(*args):
        require_scipy()
        return getattr(special, name)(*args)

    return call


def logit(x, eps=None):
    return scipys("logit")(x if eps is None else np.clip(x, eps, 1 - eps))


def polygamma(x, n):
    return scipys("polygamma")(n, x)


def mvlgamma(x, p):
    """The logarithm of the multivariate gamma function: a sum over its dimensions."""
    terms = [scipys("gammaln")(x - j / 2) for j in range(p)]
    return sum(terms[1:], terms[0]) + p * (p - 1) / 4 * float(np.log(np.pi))


OPERATIONS = {
    **{name: first(scipys(ours)) for name, ours in NAMES.items()},
    "xlogy": scipys("xlogy"),
    "special.xlog1py": scipys("xlog1py"),
    "logit": logit,
    "polygamma.polygamma_n_1": polygamma,  # its other variants have the same samples
    **{f"mvlgamma.mvlgamma_p_{p}": mvlgamma for p in (1, 3, 5)},
}
