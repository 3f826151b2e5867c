"""Make a sample's call on Tensors, and list where values or gradients differ from the reference.

Compared: the number of outputs, and of every output and every gradient whether it is there, its
shape, its dtype and its entries.
"""

import warnings
from typing import NamedTuple

import numpy as np

import tinygrad_dnn as tg
from tests.opinfo.sample import filled

# Of the largest entry, for values and for gradients: rounding, and no more.
TOLERANCE = {np.dtype(np.float64): (1e-12, 1e-10), np.dtype(np.float32): (2e-6, 2e-5)}


# These read one triangle of a symmetric matrix: which half of it the gradient names is free, and
# only its symmetric part is compared.
SYMMETRIC = (
    "cholesky",
    "linalg.cholesky",
    "linalg.eigh",
    "linalg.eigvalsh",
    "linalg.pinv.hermitian",
)


class Unsupported(Exception):  # noqa: N818  (an answer, not an error)
    """The adapter does not translate this call; the text says why."""


class Mismatch(NamedTuple):
    """Where ours differs: ``kind`` is one word or two, ``text`` says how."""

    kind: str
    text: str


def mismatches(fn, sample):
    """Run ``fn``, an entry of the adapter, on ``sample``; return every Mismatch."""
    leaves = [
        tg.Tensor(a, requires_grad=i in sample.differentiated) if a.dtype.kind == "f" else a.copy()
        for i, a in enumerate(sample.arrays)
    ]
    inputs, args, kwargs = filled(sample.call, leaves)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # samples hold infinities and poles on purpose
        out = fn(inputs, *args, **kwargs)
        outs = [taken_apart(o) for o in (out if isinstance(out, tuple | list) else [out])]
        found = list(_of_values(outs, sample))
        if not found:
            for i, c in zip(sample.active, sample.cotangents, strict=True):
                if isinstance(outs[i], tg.Tensor) and outs[i].requires_grad:
                    outs[i].backward(c)
            ours = [leaves[i].grad for i in sample.differentiated]
            found = list(_of_gradients(ours, sample))
    for i, a in enumerate(sample.arrays):
        if a.dtype.kind == "f" and not np.array_equal(leaves[i].data, a, equal_nan=True):
            found.append(Mismatch("input changed", f"input {i}"))
    return found


def taken_apart(y):
    """A complex output as a real one with a last axis (real, imaginary)."""
    complex_ = getattr(y, "dtype", np.dtype(float)).kind == "c"
    return np.stack([np.real(y), np.imag(y)], axis=-1) if complex_ else y


def data(y):
    return y.data if isinstance(y, tg.Tensor) else np.asarray(y)


def _of_values(outs, sample):
    if len(outs) != len(sample.outputs):
        yield Mismatch("outputs", f"{len(outs)} instead of {len(sample.outputs)}")
        return
    for i, (out, expected) in enumerate(zip(outs, sample.outputs, strict=True)):
        yield from _of("value", f"output {i}", data(out), expected, tolerances(sample)[0])


def _of_gradients(ours, sample):
    for i, dx, expected in zip(sample.differentiated, ours, sample.gradients, strict=True):
        if dx is None or expected is None:
            other = expected if dx is None else dx
            if other is not None and np.any(other):
                who = "ours" if dx is None else "the reference"
                yield Mismatch("gradient", f"input {i}: {who} has none")
        else:
            if sample.op in SYMMETRIC:
                dx, expected = (
                    dx + np.swapaxes(dx, -1, -2),
                    expected + np.swapaxes(expected, -1, -2),
                )
            yield from _of("gradient", f"input {i}", dx, expected, tolerances(sample)[1])


def tolerances(sample):
    """For values and gradients: those of the least precise array in a sample."""
    single = any(a.dtype.itemsize < 8 and a.dtype.kind == "f" for a in sample.arrays)
    return TOLERANCE[np.dtype(np.float32 if single else np.float64)]


def _of(what, where, ours, expected, tolerance):
    if ours.shape != expected.shape:
        yield Mismatch(f"{what} shape", f"{where}: {ours.shape} instead of {expected.shape}")
        return
    integers = ours.dtype.kind in "iu" and expected.dtype.kind in "iu"
    if ours.dtype != expected.dtype and not integers:
        yield Mismatch(f"{what} dtype", f"{where}: {ours.dtype} instead of {expected.dtype}")
    distance = _distance(ours, expected)
    if distance > tolerance:
        yield Mismatch(what, f"{where}: relative difference {distance:.1e}")


def _distance(ours, expected):
    """The largest difference, relative to the largest entry; infinite where only one is finite."""
    a, b = ours.astype(float), expected.astype(float)
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return np.inf
    if not finite.any():
        return 0.0
    a, b = a[finite], b[finite]
    if not np.isfinite(a).all():
        return np.inf
    return np.max(np.abs(a - b)) / max(np.max(np.abs(b)), 1e-3)
