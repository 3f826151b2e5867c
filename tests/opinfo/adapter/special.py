"""Special functions, which SciPy has and NumPy lacks."""

import numpy as np

from tests.opinfo.adapter.arguments import first
from tests.opinfo.compare import Unsupported

try:
    from scipy import special
except ImportError:  # then every call of them is Unsupported
    special = None

NAMES = {
    "erf": "erf", "erfc": "erfc", "erfinv": "erfinv", "lgamma": "gammaln", "digamma": "psi",
    "special.erfcx": "erfcx", "special.ndtr": "ndtr", "special.log_ndtr": "log_ndtr",
    "special.ndtri": "ndtri", "special.i0e": "i0e", "special.i1": "i1", "special.i1e": "i1e",
    "special.entr": "entr",
}  # fmt: skip


def scipy(name):
    def call(*args):
        if special is None:
            raise Unsupported("SciPy is not installed")
        return getattr(special, name)(*args)

    return call


def logit(x, eps=None):
    x = x if eps is None else np.clip(x, eps, 1 - eps)
    return np.log(x / (1 - x))


OPERATIONS = {name: first(scipy(other)) for name, other in NAMES.items()} | {
    "xlogy": scipy("xlogy"),
    "special.xlog1py": scipy("xlog1py"),
    "igamma": scipy("gammainc"),
    "igammac": scipy("gammaincc"),
    "logit": logit,
}
