"""Activations, and softmax over any axis."""

import numpy as np

from tests.opinfo.adapter.arguments import axes, require_scipy
from tinygrad_dnn import nn


def along(fn):
    """A function over one axis, as softmax."""

    def over(x, dim, dtype=None):
        x = x if dtype is None else np.astype(x, dtype)
        return fn(x, axis=axes(x, dim))

    return over


# ---- activations -----------------------------------------------------------------------------
def relu(x, inplace=False):
    return nn.relu(x)


def leaky_relu(x, negative_slope=0.01, inplace=False):
    return nn.leaky_relu(x, negative_slope)


def elu(x, alpha=1.0, inplace=False):
    return nn.elu(x, alpha)


def celu(x, alpha=1.0, inplace=False):
    return nn.celu(x, alpha)


def softplus(x, beta=1, threshold=20):
    """Above the threshold PyTorch is linear; the package never needs to be."""
    return np.where(x * beta > threshold, x, nn.softplus(x * beta) / beta)


def gelu(x, approximate="none"):
    require_scipy()
    return nn.gelu(x, approximate)


def hardtanh(x, min_val=-1.0, max_val=1.0, inplace=False):
    return np.clip(x, min_val, max_val)


def hardshrink(x, lambd=0.5):
    return np.where(np.abs(x) > lambd, x, 0)


def softshrink(x, lambd=0.5):
    return np.where(x > lambd, x - lambd, np.where(x < -lambd, x + lambd, 0))


def threshold(x, limit, value, inplace=False):
    return np.where(x > limit, x, value)


def prelu(x, weight):
    shape = (1, -1) + (1,) * (x.ndim - 2) if weight.size > 1 else (1,) * x.ndim
    return nn.prelu(x, np.reshape(weight, shape))


def glu(x, dim=-1):
    return nn.glu(x, axis=axes(x, dim))


OPERATIONS = {
    "sigmoid": nn.sigmoid,
    **dict.fromkeys(("softmax", "softmax.with_dtype"), along(nn.softmax)),
    **dict.fromkeys(("log_softmax", "log_softmax.with_dtype"), along(nn.log_softmax)),
    **dict.fromkeys(
        ("nn.functional.softmin", "nn.functional.softmin.with_dtype"),
        along(lambda x, axis: nn.softmax(-x, axis=axis)),
    ),
    "nn.functional.relu": relu,
    "nn.functional.leaky_relu": leaky_relu,
    "nn.functional.relu6": lambda x, inplace=False: nn.relu6(x),
    "nn.functional.elu": elu,
    "nn.functional.selu": lambda x, inplace=False: nn.selu(x),
    "nn.functional.celu": celu,
    "nn.functional.gelu": gelu,
    "nn.functional.silu": lambda x, inplace=False: nn.swish(x),
    "nn.functional.mish": lambda x, inplace=False: nn.mish(x),
    "nn.functional.softplus": softplus,
    "nn.functional.softsign": nn.softsign,
    "nn.functional.tanhshrink": lambda x: x - np.tanh(x),
    "nn.functional.logsigmoid": nn.log_sigmoid,
    "nn.functional.hardtanh": hardtanh,
    "nn.functional.hardsigmoid": lambda x, inplace=False: nn.hard_sigmoid(x),
    "nn.functional.hardswish": lambda x, inplace=False: x * np.clip(x + 3, 0, 6) / 6,
    "nn.functional.hardshrink": hardshrink,
    "nn.functional.softshrink": softshrink,
    "nn.functional.threshold": threshold,
    "nn.functional.prelu": prelu,
    "nn.functional.glu": glu,
}
