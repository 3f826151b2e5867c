"""Layers: dense, normalisation, attention; examples are PyTorch's rows."""

import numpy as np

from tests.opinfo.adapter.arguments import axes, refuse
from tests.opinfo.compare import Unsupported
from tinygrad_dnn import nn


def linear(x, W, b=None):
    if x.ndim == W.ndim == 2:
        return nn.linear(x.T, W, b if b is None else np.expand_dims(b, -1)).T
    out = np.matmul(x, np.transpose(W))
    return out if b is None else out + b


def attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, **options):
    refuse(dropout_p=dropout_p > 0, **options)
    scores = q @ np.swapaxes(k, -1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    if attn_mask is not None:
        scores = scores + attn_mask
    return nn.softmax(scores, axis=-1) @ v


def embedding(weight, index, padding_idx=None, max_norm=None, **options):
    if padding_idx is not None or max_norm is not None or any(options.values()):
        raise Unsupported("padding or renormalised rows")
    if index.ndim == 0:
        raise Unsupported("a single label")
    return np.swapaxes(nn.embedding(index, weight.T), -1, -2)


# ---- normalisation ---------------------------------------------------------------------------
def standardised(x, axis, eps):
    return nn.standardize(x, axis=axis, eps=eps)


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


def local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0):
    return nn.local_response_norm(x, size, alpha=alpha, beta=beta, k=k)


OPERATIONS = {
    "nn.functional.linear": linear,
    "nn.functional.scaled_dot_product_attention": attention,
    "nn.functional.layer_norm": layer_norm,
    "nn.functional.rms_norm": rms_norm,
    "nn.functional.group_norm": group_norm,
    "nn.functional.instance_norm": instance_norm,
    "nn.functional.batch_norm": batch_norm,
    "nn.functional.normalize": normalize,
    "nn.functional.embedding": embedding,
    "nn.functional.local_response_norm": local_response_norm,
}
