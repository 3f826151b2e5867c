"""Activations, layers and normalisations, where examples are PyTorch's rows."""

import numpy as np

from tests.opinfo.adapter.arguments import axes, refuse
from tests.opinfo.compare import Unsupported
from tinygrad_dnn import nn


def ours(name):
    """A function of the package by its name; Unsupported as long as it has none such."""

    def call(*args, **kwargs):
        if not hasattr(nn, name):
            raise Unsupported(f"nn.{name} does not exist")
        return getattr(nn, name)(*args, **kwargs)

    return call


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
    return ours("elu")(x, alpha)


def celu(x, alpha=1.0, inplace=False):
    return np.maximum(x, 0) + np.minimum(alpha * np.expm1(x / alpha), 0)


def softplus(x, beta=1, threshold=20):
    return np.where(x * beta > threshold, x, np.logaddexp(0.0, x * beta) / beta)


def gelu(x, approximate="none"):
    refuse(approximate=approximate == "tanh")
    return ours("gelu")(x)


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
    return np.where(x > 0, x, x * np.reshape(weight, shape))


def glu(x, dim=-1):
    value, gate = np.split(x, 2, axis=axes(x, dim))
    return value * nn.sigmoid(gate)


# ---- layers ----------------------------------------------------------------------------------
def linear(x, W, b=None):
    out = np.matmul(x, np.transpose(W))
    return out if b is None else out + b


def attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, **options):
    refuse(attn_mask=attn_mask, dropout_p=dropout_p > 0, is_causal=is_causal, **options)
    scores = q @ np.swapaxes(k, -1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    return nn.softmax(scores, axis=-1) @ v


# ---- normalisation ---------------------------------------------------------------------------
def standardised(x, axis, eps):
    return (x - np.mean(x, axis=axis, keepdims=True)) / np.sqrt(
        np.mean(np.square(x - np.mean(x, axis=axis, keepdims=True)), axis=axis, keepdims=True) + eps
    )


def scaled(out, weight, bias, shape):
    out = out if weight is None else out * np.reshape(weight, shape)
    return out if bias is None else out + np.reshape(bias, shape)


def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    axis = tuple(range(-len(normalized_shape), 0))
    return scaled(standardised(x, axis, eps), weight, bias, tuple(normalized_shape))


def rms_norm(x, normalized_shape, weight=None, eps=None):
    axis = tuple(range(-len(normalized_shape), 0))
    eps = np.finfo(x.dtype).eps if eps is None else eps
    out = x / np.sqrt(np.mean(np.square(x), axis=axis, keepdims=True) + eps)
    return scaled(out, weight, None, tuple(normalized_shape))


def channels(x):
    return (1, x.shape[1], *(1,) * (x.ndim - 2))


def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5):
    grouped = np.reshape(x, (x.shape[0], num_groups, x.size // max(x.shape[0] * num_groups, 1)))
    out = np.reshape(standardised(grouped, -1, eps), x.shape)
    return scaled(out, weight, bias, channels(x))


def instance_norm(x, running_mean=None, running_var=None, weight=None, bias=None, **options):
    if not options.pop("use_input_stats", True) or running_mean is not None:
        raise Unsupported("running statistics")
    axis = tuple(range(2, x.ndim))
    return scaled(standardised(x, axis, options.get("eps", 1e-5)), weight, bias, channels(x))


def batch_norm(x, mean, var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    if x.ndim < 2:
        raise Unsupported("a vector has no channels")
    if training or mean is None:
        return scaled(standardised(x, (0, *range(2, x.ndim)), eps), weight, bias, channels(x))
    m, v = np.reshape(mean, channels(x)), np.reshape(var, channels(x))
    return scaled((x - m) / np.sqrt(v + eps), weight, bias, channels(x))


def normalize(x, p=2.0, dim=1, eps=1e-12, **options):
    length = np.linalg.vector_norm(x, axis=axes(x, dim), keepdims=True, ord=p)
    return x / np.maximum(length, eps)


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
    "nn.functional.relu6": lambda x, inplace=False: np.clip(x, 0, 6),
    "nn.functional.elu": elu,
    "nn.functional.selu": lambda x, inplace=False: ours("selu")(x),
    "nn.functional.celu": celu,
    "nn.functional.gelu": gelu,
    "nn.functional.silu": lambda x, inplace=False: x * nn.sigmoid(x),
    "nn.functional.mish": lambda x, inplace=False: x * np.tanh(np.logaddexp(0.0, x)),
    "nn.functional.softplus": softplus,
    "nn.functional.softsign": lambda x: x / (1 + np.abs(x)),
    "nn.functional.tanhshrink": lambda x: x - np.tanh(x),
    "nn.functional.logsigmoid": lambda x: -np.logaddexp(0.0, -x),
    "nn.functional.hardtanh": hardtanh,
    "nn.functional.hardsigmoid": lambda x, inplace=False: np.clip(x + 3, 0, 6) / 6,
    "nn.functional.hardswish": lambda x, inplace=False: x * np.clip(x + 3, 0, 6) / 6,
    "nn.functional.hardshrink": hardshrink,
    "nn.functional.softshrink": softshrink,
    "nn.functional.threshold": threshold,
    "nn.functional.prelu": prelu,
    "nn.functional.glu": glu,
    "nn.functional.linear": linear,
    "nn.functional.scaled_dot_product_attention": attention,
    "nn.functional.layer_norm": layer_norm,
    "nn.functional.rms_norm": rms_norm,
    "nn.functional.group_norm": group_norm,
    "nn.functional.instance_norm": instance_norm,
    "nn.functional.batch_norm": batch_norm,
    "nn.functional.normalize": normalize,
}
