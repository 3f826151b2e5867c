"""Cases of the special functions; their values are SciPy's."""

import numpy as np

from tests.case import case, normal, positive, probabilities, spread
from tinygrad_dnn import special

for fn in (special.erf, special.erfc, special.erfcx, special.expit, special.ndtr):
    case(fn, normal(2, 3), smooth=False)
    case(fn, normal(), smooth=False)
for fn in (special.log_expit, special.log_ndtr):
    case(fn, 2 * normal(2, 3), smooth=False)
case(special.erfinv, probabilities(2, 3), smooth=False)
case(special.erfinv, -probabilities(3), smooth=False)
for fn in (special.erfcinv, special.ndtri, special.logit):
    case(fn, probabilities(2, 3), smooth=False)
for fn in (special.gamma, special.gammaln, special.rgamma, special.digamma):
    case(fn, 0.5 + positive(2, 3), smooth=False)
    case(fn, np.array([-0.4, -1.5]), smooth=False)
for n in (0, 1, 2):
    case(special.polygamma, n, 0.5 + positive(3), smooth=False, keeps_float32=False)
for fn in (special.beta, special.betaln):
    case(fn, 0.5 + positive(2, 3), 0.5 + positive(3), smooth=False)
for fn in (special.j0, special.j1, special.i0, special.i1):
    case(fn, spread(2, 3), smooth=False)
    case(fn, np.array([0.0, 1e-6]), smooth=False)
for fn in (special.y0, special.y1):
    case(fn, 1 + positive(2, 3), smooth=False)
for fn in (special.i0e, special.i1e):
    case(fn, spread(2, 3), smooth=False)
for fn in (special.jv, special.yv, special.iv, special.ive):
    for n in (0, 1, 2, 0.5):
        case(fn, n, 1 + positive(3), smooth=False)
case(np.i0, spread(2, 3), smooth=False, keeps_float32=False)
for fn in (special.xlogy, special.xlog1py, special.rel_entr, special.kl_div):
    case(fn, positive(2, 3), positive(3), smooth=False)
case(special.xlogy, 0, positive(3), smooth=False, keeps_float32=False)
case(special.entr, positive(2, 3), smooth=False)
for fn in (special.softmax, special.log_softmax):
    case(fn, normal(2, 3))
    case(fn, normal(2, 3), axis=0)
    case(fn, normal(2, 3, 2), (0, 2))
