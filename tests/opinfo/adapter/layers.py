"""Layers: dense, convolution, pooling, normalisation, attention; examples are PyTorch's rows."""

import numpy as np

from tests.opinfo.adapter.arguments import axes, refuse
from tests.opinfo.compare import Unsupported
from tinygrad_dnn import nn


def linear(x, W, b=None):
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


# ---- windows ---------------------------------------------------------------------------------
def per_channel(b, spatial):
    return None if b is None else np.reshape(b, (-1,) + (1,) * spatial)


def convolution(fn, spatial):
    def convolve(x, W, b=None, stride=1, padding=0, dilation=1, groups=1):
        if isinstance(padding, str):
            raise Unsupported("padding by name")
        one = x.ndim == spatial + 1  # one example by itself
        options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        x = np.expand_dims(x, 0) if one else x
        out = fn(x, W, per_channel(b, spatial), **options)
        return np.squeeze(out, 0) if one else out

    return convolve


def conv_transpose2d(x, W, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    options = {"output_padding": output_padding, "groups": groups, "dilation": dilation}
    return convolution(lambda x, W, b, **rest: nn.conv_transpose2d(x, W, b, **rest | options), 2)(
        x, W, b, stride, padding
    )


def pool(fn):
    def pooled(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
        if dilation not in (1, (1, 1)):
            raise Unsupported("dilated windows")
        stride, one = stride or kernel_size, x.ndim == 3
        sizes = zip(x.shape[-2:], *map(pair, (kernel_size, stride, padding)), strict=True)
        if ceil_mode and any((n + 2 * p - k) % s for n, k, s, p in sizes):
            raise Unsupported("windows that are not whole")
        out = fn(np.expand_dims(x, 0) if one else x, kernel_size, stride=stride, padding=padding)
        return np.squeeze(out, 0) if one else out

    return pooled


def pair(option):
    """One number for both axes, or one for each."""
    numbers = (option,) if isinstance(option, int) else tuple(option)
    return numbers * 2 if len(numbers) == 1 else numbers


def max_pool2d(x, kernel_size, return_indices=False, **options):
    refuse(return_indices=return_indices)
    return pool(nn.max_pool2d)(x, kernel_size, **options)


def avg_pool2d(x, kernel, stride=None, padding=0, ceil=False, include=True, divisor=None):
    """Of a divisor of its own, the mean is another multiple of the sum."""
    if not include and divisor is None and any(pair(padding)):
        raise Unsupported("padding that does not count")
    out = pool(nn.avg_pool2d)(x, kernel, stride, pair(padding), 1, ceil)
    return out if divisor is None else out * (np.prod(pair(kernel)).item() / divisor)


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
    "nn.functional.conv1d": convolution(nn.conv1d, 1),
    "nn.functional.conv2d": convolution(nn.conv2d, 2),
    "nn.functional.conv_transpose2d": conv_transpose2d,
    "nn.functional.max_pool2d": max_pool2d,
    "nn.functional.avg_pool2d": avg_pool2d,
}
