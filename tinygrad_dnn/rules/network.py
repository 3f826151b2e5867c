"""What networks need and NumPy lacks: activations.

Examples are columns and classes are rows, so a softmax runs over axis 0.
"""

import numpy as np
from numpy import ndarray

from tinygrad_dnn.primitives import Array, as_data, elementwise, primitive, rule
from tinygrad_dnn.rules.reduction import expand
from tinygrad_dnn.scalars import ONE, ZERO, Scalar

# ---- activations -----------------------------------------------------------------------------


@primitive
def relu(z: Array) -> Array:
    """max(z, 0), elementwise; the derivative at 0 is 0.

    >>> relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    return np.maximum(z, ZERO[getattr(z, "dtype", None)])


def _where_positive(v, out, z):  # one map for both modes
    positive = z > ZERO[z.dtype]
    if type(v) is type(positive) is ndarray:  # NumPy multiplies by numbers faster
        slope = positive.astype(v.dtype)
        slope *= v
        return slope
    return v * positive


rule(relu, vjps=(_where_positive,), jvps=(_where_positive,))


@primitive
def leaky_relu(z: Array, slope: float = 0.01) -> Array:
    """Return z where z > 0, else ``slope`` * z, elementwise; the derivative at 0 is ``slope``.

    >>> leaky_relu(np.array([-1.0, 0.0, 2.0]))
    array([-0.01,  0.  ,  2.  ])
    """
    return np.where(z > 0, z, slope * z)


elementwise(leaky_relu, lambda out, z, slope=0.01: np.where(z > 0, z.dtype.type(1), slope))


# Below this exp(-z) overflows; sigmoid stops there, at 1e-308 (1e-38 in float32).
LOWEST = Scalar(-709.0)
for _dtype, _lowest in (np.dtype("float16"), -11), (np.dtype("float32"), -88):
    LOWEST[_dtype] = np.array(_lowest, _dtype)


@primitive
def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), elementwise, without overflow.

    >>> sigmoid(np.array([-2.0, 0.0, 1000.0]))
    array([0.11920292, 0.5       , 1.        ])
    """
    z = z if hasattr(z, "dtype") else np.asarray(z)
    return np.reciprocal(ONE[z.dtype] + np.exp(-np.maximum(z, LOWEST[z.dtype])))


elementwise(sigmoid, lambda out, z: out * (1 - out))


@primitive
def softmax(z: Array, *, axis: int = 0) -> Array:
    """exp(z) / sum(exp(z)) over ``axis``: positive, and summing to one there.

    Shapes: z (n, m) -> (n, m), one distribution per column.

    >>> softmax(np.array([[0.0], [0.0]]))
    array([[0.5],
           [0.5]])
    """
    e = np.exp(z - _largest(z, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


def _largest(z, axis):  # of no entries: 0
    return (np.max if as_data(z).size else np.sum)(z, axis=axis, keepdims=True)


def _softmax_map(v, out, z, axis=0):  # the Jacobian is symmetric: one map for both modes
    return out * (v - np.sum(v * out, axis=axis, keepdims=True))


rule(softmax, vjps=(_softmax_map,), jvps=(_softmax_map,))


@primitive
def log_softmax(z: Array, *, axis: int = 0) -> Array:
    """log(softmax(z)) over ``axis``, finite wherever z is.

    >>> log_softmax(np.array([[1000.0], [0.0]]))
    array([[    0.],
           [-1000.]])
    """
    return z - logsumexp(z, axis=axis, keepdims=True)


rule(
    log_softmax,
    vjps=(lambda g, out, z, axis=0: g - np.exp(out) * np.sum(g, axis=axis, keepdims=True),),
    jvps=(lambda t, out, z, axis=0: t - np.sum(np.exp(out) * t, axis=axis, keepdims=True),),
)


@primitive
def logsumexp(z: Array, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Array:
    """log(sum(exp(z))) over ``axis``, without overflow; ``axis`` and ``keepdims`` as in np.sum.

    Of no entries it is -inf.

    >>> float(logsumexp(np.array([1000.0, 1000.0]))) - 1000.0  # log 2
    0.693147180559...
    """
    top = _largest(z, axis)
    top = np.where(np.isfinite(top), top, 0).astype(top.dtype, copy=False)
    total = np.sum(np.exp(z - top), axis=axis, keepdims=True)
    out = top + np.log(total) if as_data(z).size else total - np.inf
    return out if keepdims else np.squeeze(out, axis=axis)


def _weights(out, z, axis, keepdims):
    return np.exp(z - expand(out, z, axis, keepdims))


rule(
    logsumexp,
    vjps=(
        lambda g, out, z, axis=None, keepdims=False: (
            expand(g, z, axis, keepdims) * _weights(out, z, axis, keepdims)
        ),
    ),
    jvps=(
        lambda t, out, z, axis=None, keepdims=False: np.sum(
            t * _weights(out, z, axis, keepdims), axis=axis, keepdims=keepdims
        ),
    ),
)
