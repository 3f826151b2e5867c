"""The same entries in another arrangement."""

import numpy as np

from tests.opinfo.adapter.arguments import one_or_many
from tests.opinfo.compare import Unsupported


def reshape(x, *shape):
    return np.reshape(x, one_or_many(shape))


def flatten(x, start_dim=0, end_dim=-1):
    if x.ndim == 0:
        return np.reshape(x, (1,))
    start, end = start_dim % x.ndim, end_dim % x.ndim
    return np.reshape(x, (*x.shape[:start], -1, *x.shape[end + 1 :]))


def unflatten(x, dim, sizes):
    dim %= x.ndim
    return np.reshape(x, (*x.shape[:dim], *sizes, *x.shape[dim + 1 :]))


def transpose(x, first, second):
    return x if x.ndim == 0 else np.swapaxes(x, first, second)


def permute(x, *dims):
    return np.transpose(x, one_or_many(dims))


def squeeze(x, dim=None):
    """``torch.squeeze``: axes that are not of length one stay."""
    if dim is None:
        return np.squeeze(x)
    chosen = [d % max(x.ndim, 1) for d in (dim if isinstance(dim, list | tuple) else [dim])]
    return np.squeeze(x, tuple(d for d in chosen if x.ndim and x.shape[d] == 1))


def expand(x, *shape):
    """``torch.expand``: -1 keeps a length."""
    shape = one_or_many(shape)
    own = (0,) * (len(shape) - x.ndim) + x.shape
    return np.broadcast_to(x, tuple(o if n == -1 else n for n, o in zip(shape, own, strict=True)))


def sum_to_size(x, *shape):
    shape = one_or_many(shape)
    out = np.sum(x, axis=tuple(range(x.ndim - len(shape))))
    lost = tuple(i for i, n in enumerate(shape) if n == 1 != out.shape[i])
    return np.sum(out, axis=lost, keepdims=True)


def flip(x, *given, dims=()):
    dims = one_or_many(given) or dims
    return np.flip(x, dims) if x.ndim and dims else +x


def roll(x, shifts, dims=None):
    if dims == ():
        dims = None
    if x.ndim == 0:
        raise Unsupported("a 0-d array has no axis")
    return np.roll(x, shifts, dims)


def rot90(x, k=1, dims=(0, 1)):
    return np.rot90(x, k, dims)


def tile(x, *dims):
    return np.tile(x, one_or_many(dims))


def repeat(x, *sizes):
    """``torch.repeat``: the whole array, as np.tile."""
    return np.tile(x, one_or_many(sizes))


def repeat_interleave(x, repeats, dim=None, output_size=None):
    if x.ndim == 0:
        x = np.reshape(x, (1,))
    return np.repeat(x, repeats, dim)


PADDING = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(x, widths, mode="constant", value=None):
    """PyTorch's widths run from the last axis; negative ones cut."""
    if any(n < 0 for n in widths):
        raise Unsupported("negative widths")
    pairs = list(zip(widths[::2], widths[1::2], strict=True))[::-1]
    pairs = [(0, 0)] * (x.ndim - len(pairs)) + pairs
    options = {"constant_values": value or 0} if mode == "constant" else {}
    return np.pad(x, pairs, mode=PADDING[mode], **options)


def atleast(fn):
    def call(arrays):
        return fn(*arrays) if isinstance(arrays, list | tuple) else fn(arrays)

    return call


def shuffled(x, before, order, after):
    return np.reshape(np.transpose(np.reshape(x, before), order), after)


def pixel_shuffle(x, upscale_factor):
    r = upscale_factor
    *lead, c, h, w = x.shape
    n = len(lead)
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    c //= r * r
    return shuffled(x, (*lead, c, r, r, h, w), order, (*lead, c, h * r, w * r))


def pixel_unshuffle(x, downscale_factor):
    r = downscale_factor
    *lead, c, h, w = x.shape
    n, h, w = len(lead), h // r, w // r
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return shuffled(x, (*lead, c, h, r, w, r), order, (*lead, c * r * r, h, w))


def channel_shuffle(x, groups):
    m, c, *rest = x.shape
    between = (m, groups, c // groups, *rest)
    return np.reshape(np.swapaxes(np.reshape(x, between), 1, 2), x.shape)


OPERATIONS = {
    **dict.fromkeys(("reshape", "view", "view_copy"), reshape),
    **dict.fromkeys(("reshape_as", "view_as"), lambda x, like: np.reshape(x, like.shape)),
    "ravel": np.ravel,
    "flatten": flatten,
    "unflatten": unflatten,
    **dict.fromkeys(("transpose", "transpose_copy"), transpose),
    **dict.fromkeys(("permute", "permute_copy"), permute),
    **dict.fromkeys(("T", "H", "t", "t_copy"), np.transpose),
    **dict.fromkeys(("mT", "mH"), lambda x: np.swapaxes(x, -1, -2)),
    "movedim": np.moveaxis,
    **dict.fromkeys(("squeeze", "squeeze.multiple", "squeeze_copy"), squeeze),
    **dict.fromkeys(("unsqueeze", "unsqueeze_copy"), np.expand_dims),
    **dict.fromkeys(("expand", "expand_copy", "broadcast_to"), expand),
    "expand_as": lambda x, like: np.broadcast_to(x, like.shape),
    "broadcast_tensors": np.broadcast_arrays,
    "sum_to_size": sum_to_size,
    "atleast_1d": atleast(np.atleast_1d),
    "atleast_2d": atleast(np.atleast_2d),
    "atleast_3d": atleast(np.atleast_3d),
    "flip": flip,
    "fliplr": np.fliplr,
    "flipud": np.flipud,
    "roll": roll,
    "rot90": rot90,
    "tile": tile,
    "repeat": repeat,
    "repeat_interleave": repeat_interleave,
    "constant_pad_nd": lambda x, widths, value=0: pad(x, widths, value=value),
    **{f"nn.functional.pad.{mode}": pad for mode in PADDING},
    "nn.functional.pixel_shuffle": pixel_shuffle,
    "nn.functional.pixel_unshuffle": pixel_unshuffle,
    "nn.functional.channel_shuffle": channel_shuffle,
}
