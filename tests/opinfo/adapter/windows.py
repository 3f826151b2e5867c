"""Windows: convolution, pooling, unpooling, along one, two or three axes."""

from functools import partial

import numpy as np

from tests.opinfo.compare import Unsupported
from tinygrad_dnn import nn


def each(option, n):
    """One number for all of ``n`` axes, or one for each."""
    numbers = (option,) if isinstance(option, int) else tuple(option)
    return numbers * n if len(numbers) == 1 else numbers


def of_one(fn, n):
    """``fn`` of examples, also for one example by itself, which has an axis less."""

    def call(x, *args, **options):
        if x.ndim == n + 2:
            return fn(x, *args, **options)
        out = fn(np.expand_dims(x, 0), *args, **options)
        return tuple(o[0] for o in out) if isinstance(out, tuple) else np.squeeze(out, 0)

    return call


# ---- convolution -----------------------------------------------------------------------------
def per_channel(b, n):
    return None if b is None else np.reshape(b, (-1,) + (1,) * n)


def conv(n, x, W, b=None, stride=1, padding=0, dilation=1, groups=1):
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return of_one(getattr(nn, f"conv{n}d"), n)(x, W, per_channel(b, n), **options)


def conv_transpose(n, x, W, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    fn = of_one(getattr(nn, f"conv_transpose{n}d"), n)
    return fn(x, W, per_channel(b, n), output_padding=output_padding, **options)


def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    options = {"dilation": dilation, "padding": padding, "stride": stride}
    return of_one(nn.unfold, 2)(x, each(kernel_size, 2), **options)


# ---- pooling ---------------------------------------------------------------------------------
def whole(n, x, kernel, stride, padding, ceil, dilation=1):
    """PyTorch's options as ours; windows that end beyond x are nowhere else."""
    how = {"stride": stride or kernel, "padding": padding, "dilation": dilation}
    how = {name: each(option, n) for name, option in how.items()}
    sizes = zip(x.shape[-n:], each(kernel, n), *how.values(), strict=True)
    if ceil and any((size + 2 * p - d * (k - 1) - 1) % s for size, k, s, p, d in sizes):
        raise Unsupported("windows that are not whole")
    return how


def max_pool(
    n, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    how = whole(n, x, kernel_size, stride, padding, ceil_mode, dilation)
    fn = of_one(getattr(nn, f"max_pool{n}d"), n)
    return fn(x, each(kernel_size, n), return_indices=return_indices, **how)


def avg_pool(n, x, kernel, stride=None, padding=0, ceil=False, include=True, divisor=None):
    """Of a divisor of its own, the mean is another multiple of the sum."""
    if not include and divisor is None and any(each(padding, n)):
        raise Unsupported("padding that does not count")
    how = whole(n, x, kernel, stride, padding, ceil)
    out = of_one(getattr(nn, f"avg_pool{n}d"), n)(x, each(kernel, n), **how)
    return out if divisor is None else out * (np.prod(each(kernel, n)).item() / divisor)


def avg_pool_by_name(n, x, kernel_size, stride=None, padding=0, ceil_mode=False,
                     count_include_pad=True, divisor_override=None):  # fmt: skip
    return avg_pool(n, x, kernel_size, stride, padding, ceil_mode, count_include_pad,
                    divisor_override)  # fmt: skip


def max_unpool(n, x, indices, kernel_size, stride=None, padding=0, output_size=None):
    how = {"stride": each(stride or kernel_size, n), "padding": each(padding, n)}
    size = None if output_size is None else tuple(output_size)[-n:]
    one = x.ndim == n + 1
    x, indices = (np.expand_dims(a, 0) if one else a for a in (x, indices))
    out = getattr(nn, f"max_unpool{n}d")(x, indices, each(kernel_size, n), output_size=size, **how)
    return np.squeeze(out, 0) if one else out


OPERATIONS = {
    f"nn.functional.{name}{n}d{variant}": partial(fn, n)
    for n in (1, 2, 3)
    for name, fn, variants in (
        ("conv", conv, ("",)),
        ("conv_transpose", conv_transpose, ("",)),
        ("max_pool", max_pool, ("",)),
        ("avg_pool", avg_pool_by_name, ("",)),
        ("max_unpool", max_unpool, ("", ".grad")),
    )
    for variant in variants
} | {"nn.functional.unfold": unfold}
