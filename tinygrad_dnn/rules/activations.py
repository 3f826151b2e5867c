"""More activations, elementwise unless said otherwise; each a formula and its slope.

At a corner the slope is 0 where one side is flat, as for relu.
"""

from math import pi, sqrt

import numpy as np

from tinygrad_dnn.primitives import Array, elementwise, primitive
from tinygrad_dnn.rules.network import relu, sigmoid
from tinygrad_dnn.rules.special import ndtr

# ---- bent lines ------------------------------------------------------------------------------


@primitive
def clipped_relu(z: Array, top: float = 20.0) -> Array:
    """min(max(z, 0), top), elementwise; the derivative at both corners is 0.

    >>> clipped_relu(np.array([-1.0, 3.0, 9.0]), 4)
    array([0., 3., 4.])
    """
    return np.minimum(np.maximum(z, 0), top)


elementwise(clipped_relu, lambda out, z, top=20.0: (z > 0) & (z < top))


def relu6(z: Array) -> Array:
    """min(max(z, 0), 6), elementwise.

    >>> relu6(np.array([-1.0, 3.0, 9.0]))
    array([0., 3., 6.])
    """
    return clipped_relu(z, 6)


@primitive
def prelu(z: Array, slope: Array) -> Array:
    """Return z where z > 0, else ``slope`` * z; the slope is learned (He et al. 2015).

    Shapes: z (n, m), slope () or (n, 1) -> (n, m).

    >>> prelu(np.array([-2.0, 2.0]), np.array(0.25))
    array([-0.5,  2. ])
    """
    return np.where(z > 0, z, slope * z)


elementwise(
    prelu,
    lambda out, z, slope: np.where(z > 0, 1, slope),
    lambda out, z, slope: np.where(z > 0, 0, z),
)


@primitive
def hard_sigmoid(z: Array) -> Array:
    """Return z / 6 + 1/2, limited to [0, 1]; PyTorch's constants.

    >>> hard_sigmoid(np.array([-4.0, 0.0, 4.0]))
    array([0. , 0.5, 1. ])
    """
    return np.clip(z / 6 + 0.5, 0, 1)


elementwise(hard_sigmoid, lambda out, z: ((z > -3) & (z < 3)) * (1 / 6))


@primitive
def hard_tanh(z: Array) -> Array:
    """Return z, limited to [-1, 1].

    >>> hard_tanh(np.array([-4.0, 0.5, 4.0]))
    array([-1. ,  0.5,  1. ])
    """
    return np.clip(z, -1, 1)


elementwise(hard_tanh, lambda out, z: (z > -1) & (z < 1))


# ---- smooth below zero -----------------------------------------------------------------------
@primitive
def elu(z: Array, alpha: float = 1.0) -> Array:
    """Return z where z > 0, else alpha (exp(z) - 1) (Clevert et al. 2016).

    >>> elu(np.array([-np.inf, 0.0, 2.0]))
    array([-1.,  0.,  2.])
    """
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


elementwise(elu, lambda out, z, alpha=1.0: np.where(z > 0, 1, alpha * np.exp(np.minimum(z, 0))))

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def selu(z: Array) -> Array:
    """Return elu, scaled so that mean 0 and variance 1 are kept (Klambauer et al. 2017).

    >>> selu(np.array([0.0, 1.0]))
    array([0.        , 1.05070099])
    """
    return _SELU_SCALE * elu(z, _SELU_ALPHA)


@primitive
def celu(z: Array, alpha: float = 1.0) -> Array:
    """Return z where z > 0, else alpha (exp(z / alpha) - 1): smooth for every alpha.

    >>> celu(np.array([-np.inf, 0.0, 2.0]), 2.0)
    array([-2.,  0.,  2.])
    """
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0) / alpha))


elementwise(celu, lambda out, z, alpha=1.0: np.exp(np.minimum(z, 0) / alpha))


@primitive
def softplus(z: Array) -> Array:
    """log(1 + exp(z)), finite and accurate wherever z is.

    >>> softplus(np.array([0.0, 1000.0]))
    array([6.93147181e-01, 1.00000000e+03])
    """
    return np.logaddexp(z, 0)


elementwise(softplus, lambda out, z: sigmoid(z))


@primitive
def log_sigmoid(z: Array) -> Array:
    """log(sigmoid(z)), finite wherever z is.

    >>> log_sigmoid(np.array([-1000.0, 1000.0]))
    array([-1000.,    -0.])
    """
    return -np.logaddexp(-z, 0)


elementwise(log_sigmoid, lambda out, z: sigmoid(-z))


@primitive
def softsign(z: Array) -> Array:
    """Z / (1 + |z|).

    >>> softsign(np.array([-1.0, 0.0, 3.0]))
    array([-0.5 ,  0.  ,  0.75])
    """
    return z / (1 + np.absolute(z))


elementwise(softsign, lambda out, z: 1 / np.square(1 + np.absolute(z)))


# ---- gated -----------------------------------------------------------------------------------
@primitive
def swish(z: Array, beta: float = 1.0) -> Array:
    """Z sigmoid(beta z), also called SiLU for beta = 1 (Ramachandran et al. 2017).

    >>> swish(np.array([0.0, 1000.0]))
    array([   0., 1000.])
    """
    return z * sigmoid(beta * z)


def _swish_dz(out, z, beta=1.0):
    s = sigmoid(beta * z)
    return s + beta * out * (1 - s)


elementwise(swish, _swish_dz, lambda out, z, beta: out * (z - out))


def mish(z: Array) -> Array:
    """Z tanh(softplus(z)) (Misra 2019).

    >>> mish(np.array([0.0, 1000.0]))
    array([   0., 1000.])
    """
    return z * np.tanh(softplus(z))


@primitive
def gelu(z: Array, approximate: str = "none") -> Array:
    """Z P(N(0, 1) < z) (Hendrycks and Gimpel 2016).

    Exact, by SciPy; or without it, ``approximate="tanh"``, which is off by at most 5e-4.

    >>> gelu(np.array([0.0, 1.0]), "tanh")
    array([0.        , 0.84119199])
    """
    return z * _below(z, approximate)


def _below(z, approximate):  # the part of a normal distribution below z
    if approximate == "none":
        return ndtr(z)
    if approximate == "tanh":
        return 0.5 * (1 + np.tanh(sqrt(2 / pi) * (z + 0.044715 * z**3)))
    raise ValueError(f"gelu got approximate={approximate!r}; it takes 'none' or 'tanh'")


def _gelu_dz(out, z, approximate="none"):
    p = _below(z, approximate)
    if approximate == "none":
        return p + z * np.exp(-np.square(z) / 2) / sqrt(2 * pi)
    return p + z * p * (1 - p) * sqrt(8 / pi) * (1 + 3 * 0.044715 * np.square(z))


elementwise(gelu, _gelu_dz)


# ---- of several rows at once -----------------------------------------------------------------
def glu(z: Array, *, axis: int = 0) -> Array:
    """Return the first half of ``axis``, gated by the sigmoid of the second (Dauphin et al. 2017).

    Shapes: z (2 n, m) -> (n, m).

    >>> glu(np.array([[4.0], [0.0]]))
    array([[2.]])
    """
    n = z.shape[axis]
    if n % 2:
        raise ValueError(f"glu halves axis {axis}, which has length {n}; it must be even")
    before = (slice(None),) * (axis % z.ndim)
    return z[(*before, slice(None, n // 2))] * sigmoid(z[(*before, slice(n // 2, None))])


def crelu(z: Array, *, axis: int = 0) -> Array:
    """Join relu(z) and relu(-z) along ``axis`` (Shang et al. 2016).  Shapes: (n, m) -> (2 n, m).

    >>> crelu(np.array([[-1.0], [2.0]])).T
    array([[0., 2., 1., 0.]])
    """
    return relu(np.concatenate([z, -z], axis))


def maxout(z: Array, pieces: int, *, axis: int = 0) -> Array:
    """Return the largest of every ``pieces`` neighbours along ``axis`` (Goodfellow et al. 2013).

    Shapes: z (n pieces, m) -> (n, m).

    >>> maxout(np.array([[1.0], [5.0], [2.0], [0.0]]), 2).T
    array([[5., 2.]])
    """
    axis = axis % z.ndim
    n = z.shape[axis]
    if n % pieces:
        raise ValueError(f"maxout takes groups of {pieces} from axis {axis}, which has length {n}")
    grouped = np.reshape(z, (*z.shape[:axis], n // pieces, pieces, *z.shape[axis + 1 :]))
    return np.max(grouped, axis=axis + 1)
