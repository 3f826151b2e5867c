"""Special functions under SciPy's names, on arrays and on Tensors.

They need SciPy (``pip install tinygrad-dnn[special]``), which is imported when one of them is first
computed.  Called on arrays they are SciPy's own; called on Tensors they are recorded.

>>> import numpy as np
>>> import tinygrad_dnn as tg
>>> from tinygrad_dnn import special
>>> tg.func.grad(special.erf)(np.array(0.0))
array(1.12837917)
"""

from typing import Any

import numpy as np

from tinygrad_dnn.primitives import Array
from tinygrad_dnn.rules.network import logsumexp as logsumexp
from tinygrad_dnn.rules.special import beta as beta
from tinygrad_dnn.rules.special import betaln as betaln
from tinygrad_dnn.rules.special import digamma as digamma
from tinygrad_dnn.rules.special import entr as entr
from tinygrad_dnn.rules.special import erf as erf
from tinygrad_dnn.rules.special import erfc as erfc
from tinygrad_dnn.rules.special import erfcinv as erfcinv
from tinygrad_dnn.rules.special import erfcx as erfcx
from tinygrad_dnn.rules.special import erfinv as erfinv
from tinygrad_dnn.rules.special import expit as expit
from tinygrad_dnn.rules.special import gamma as gamma
from tinygrad_dnn.rules.special import gammaln as gammaln
from tinygrad_dnn.rules.special import i0 as i0
from tinygrad_dnn.rules.special import i0e as i0e
from tinygrad_dnn.rules.special import i1 as i1
from tinygrad_dnn.rules.special import i1e as i1e
from tinygrad_dnn.rules.special import iv as iv
from tinygrad_dnn.rules.special import ive as ive
from tinygrad_dnn.rules.special import j0 as j0
from tinygrad_dnn.rules.special import j1 as j1
from tinygrad_dnn.rules.special import jv as jv
from tinygrad_dnn.rules.special import kl_div as kl_div
from tinygrad_dnn.rules.special import log_expit as log_expit
from tinygrad_dnn.rules.special import log_ndtr as log_ndtr
from tinygrad_dnn.rules.special import logit as logit
from tinygrad_dnn.rules.special import ndtr as ndtr
from tinygrad_dnn.rules.special import ndtri as ndtri
from tinygrad_dnn.rules.special import polygamma as polygamma
from tinygrad_dnn.rules.special import rel_entr as rel_entr
from tinygrad_dnn.rules.special import rgamma as rgamma
from tinygrad_dnn.rules.special import xlog1py as xlog1py
from tinygrad_dnn.rules.special import xlogy as xlogy
from tinygrad_dnn.rules.special import y0 as y0
from tinygrad_dnn.rules.special import y1 as y1
from tinygrad_dnn.rules.special import yv as yv

psi = digamma


def log_softmax(x: Array, axis: Any = None) -> Any:
    """log(softmax(x)) over ``axis``, over all entries by default.

    >>> log_softmax(np.array([1000.0, 0.0]))
    array([    0., -1000.])
    """
    return x - logsumexp(x, axis, True)


def softmax(x: Array, axis: Any = None) -> Any:
    """exp(x) / sum(exp(x)) over ``axis``, over all entries by default (``nn.softmax``: over rows).

    >>> softmax(np.array([0.0, 0.0]))
    array([0.5, 0.5])
    """
    return np.exp(log_softmax(x, axis))
