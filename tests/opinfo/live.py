"""Samples from an installed PyTorch: its calls, its values, its gradients.

Complex outputs are taken apart into real and imaginary part (a last axis of length two), so that
no convention for complex cotangents has to be agreed on.
"""

import warnings

import numpy as np

from tests.opinfo.sample import Sample, Slot, filled, mapped

WITHOUT_SIGNS = ("linalg.eigh", "linalg.svd")  # vectors that may come out either way round


class Foreign(Exception):  # noqa: N818  (an answer, not an error)
    """A sample holds something that has no NumPy form."""


def operations(names):
    """Yield PyTorch's descriptions of the operations ``names``, with the name of each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from torch.testing._internal.common_methods_invocations import op_db
    torch.set_num_threads(1)
    for op in op_db:
        variant = op.variant_test_name
        name = f"{op.name}.{variant}" if variant else op.name
        if name in names:
            yield name, op


def samples(name, op, dtype="float64", limit=None, rounded=False):
    """Yield the samples of one operation, at most ``limit`` of them, spread over all.

    ``rounded`` inputs are exact in float32, and take half the place in a file.
    """
    import torch

    kind = getattr(torch, dtype)
    if kind not in op.supported_dtypes("cpu"):
        return
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  (PyTorch's samples draw from it)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = list(op.sample_inputs("cpu", kind, requires_grad=op.supports_autograd))
        if limit and len(found) > limit:
            found = [found[i] for i in np.linspace(0, len(found) - 1, limit).astype(int)]
        for number, given in enumerate(found):
            try:
                sample, tensors = _converted(name, number, given, rounded)
            except Foreign:
                continue
            if _answered(sample, tensors, op):
                yield sample


def _converted(name, number, given, rounded):
    import torch

    arrays, tensors = [], []

    def convert(leaf):
        if isinstance(leaf, torch.Tensor):
            if leaf.is_complex() or leaf.layout != torch.strided:
                raise Foreign
            data = leaf.detach().clone().contiguous()
            if rounded and data.dtype == torch.float64:
                data = data.float().double()
            arrays.append(data.numpy().copy())
            tensors.append(data.requires_grad_(leaf.requires_grad))
            return Slot(len(arrays) - 1)
        if isinstance(leaf, torch.Size):
            return tuple(int(n) for n in leaf)
        if isinstance(leaf, torch.dtype):
            return _dtype(leaf)
        if leaf is None or leaf is ... or isinstance(leaf, bool | int | float | str | slice):
            return leaf
        raise Foreign

    call = mapped(convert, (given.input, given.args, given.kwargs))
    sample = Sample(name, number, call, arrays)
    sample.differentiated = [i for i, t in enumerate(tensors) if t.requires_grad]
    return sample, tensors


def _dtype(kind):
    try:
        return np.dtype(str(kind).removeprefix("torch."))
    except TypeError:
        raise Foreign from None


def _answered(sample, tensors, op):
    """Fill in what PyTorch makes of the call; False if it makes nothing that can be compared."""
    import torch

    def restored(leaf):
        return getattr(torch, leaf.name) if isinstance(leaf, np.dtype) else leaf

    inputs, args, kwargs = filled(mapped(restored, sample.call), tensors)
    try:
        out = op.op(inputs, *args, **kwargs)
    except (RuntimeError, TypeError, IndexError, ValueError):
        return False
    outs = list(out) if isinstance(out, tuple | list) else [out]
    if not all(isinstance(o, torch.Tensor | bool) for o in outs):
        return False
    outs = [torch.as_tensor(o) for o in outs]
    if sample.op in WITHOUT_SIGNS:
        outs = [o.abs() for o in outs]
    outs = [torch.view_as_real(o.resolve_conj()) if o.is_complex() else o for o in outs]
    sample.outputs = [o.detach().numpy().copy() for o in outs]
    sample.active = [i for i, o in enumerate(outs) if o.requires_grad]
    if not (sample.active and sample.differentiated):
        sample.differentiated, sample.active = [], []
        return True
    try:
        found = torch.autograd.grad(
            [outs[i] for i in sample.active],
            [tensors[i] for i in sample.differentiated],
            [torch.from_numpy(c) for c in sample.cotangents],
            allow_unused=True,
        )
    except (RuntimeError, NotImplementedError):  # PyTorch itself cannot differentiate this one
        sample.differentiated, sample.active = [], []
        return True
    sample.gradients = [None if dx is None else dx.numpy(force=True).copy() for dx in found]
    return True
