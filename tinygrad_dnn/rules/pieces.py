"""NumPy's functions that call a function of the user's, on parts of an array."""

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tinygrad_dnn.primitives import as_array, composite
from tinygrad_dnn.rules.indexing import put


@composite(np.piecewise)
def _piecewise(x, condlist, funclist, *args, **kwargs):
    x = as_array(x)
    if np.ndim(condlist[0]) == 0 and np.ndim(x):  # one condition, not a list of them
        condlist = [condlist]
    conditions = [as_array(c).astype(bool) for c in condlist]
    if len(funclist) == len(conditions) + 1:  # one more: for the rest
        conditions.append(~np.any(np.stack(conditions), axis=0))
    if len(funclist) != len(conditions):
        raise ValueError(
            f"np.piecewise got {len(funclist)} functions for {len(condlist)} conditions; it takes "
            f"one each, and may have one more for the rest"
        )
    out = np.zeros_like(x)
    for there, f in zip(conditions, funclist, strict=True):
        part = x[there]
        v = f(part, *args, **kwargs) if callable(f) else f
        out = put(out, np.broadcast_to(np.astype(as_array(v), x.dtype), part.shape), there)
    return out


@composite(np.apply_along_axis)
def _apply_along_axis(func1d, axis, arr, *args, **kwargs):
    axis = normalize_axis_index(axis, arr.ndim)
    rows = np.moveaxis(arr, axis, -1)
    others = rows.shape[:-1]
    found = as_array([func1d(rows[i], *args, **kwargs) for i in np.ndindex(others)])
    whole = np.reshape(found, others + found.shape[1:])
    places = range(len(others), whole.ndim)
    return np.moveaxis(whole, places, range(axis, axis + len(places)))


@composite(np.apply_over_axes)
def _apply_over_axes(func, a, axes):
    for axis in np.atleast_1d(axes):
        axis = normalize_axis_index(axis, a.ndim)
        found = func(a, axis)
        a = found if found.ndim == a.ndim else np.expand_dims(found, axis)
    return a
