"""Cases of rearrangements, joining and indexing."""

from typing import Any

import numpy as np

from tests.case import case, normal, spread
from tinygrad_dnn.func import alias
from tinygrad_dnn.rules.diagonals import on_diagonal
from tinygrad_dnn.rules.indexing import getitem, put, scatter
from tinygrad_dnn.rules.joining import concatenate
from tinygrad_dnn.rules.padding import fold, pad

# ---- rearrangements --------------------------------------------------------------------------
case(np.reshape, normal(2, 3), (3, 2))
case(np.reshape, normal(2, 3), -1)
case(np.reshape, normal(2, 3), (3, 2), order="F")
case(np.reshape, normal(), (1, 1))
case(np.reshape, normal(0, 3), (3, 0))
case(np.ravel, normal(2, 3))
case(np.ravel, normal(2, 3), order="F")
case(np.ravel, normal())
case(np.transpose, normal(2, 3))
case(np.transpose, normal(2, 3, 4), (1, 2, 0))
case(np.transpose, normal(2, 3, 4), (-1, 0, 1))
case(np.transpose, normal())
case(np.swapaxes, normal(2, 3, 4), 0, -1)
case(np.swapaxes, normal(2, 3, 4), axis1=1, axis2=0)
case(np.reshape, normal(2, 3), shape=(6, 1))
case(np.transpose, normal(2, 3, 4), axes=(0, 2, 1))
case(np.broadcast_to, normal(1, 3), shape=(2, 3))
case(np.expand_dims, normal(2, 3), axis=-1)
case(np.expand_dims, normal(2, 3), 1)
case(np.expand_dims, normal(2, 3), (0, -1))
case(np.squeeze, normal(1, 2, 1))
case(np.squeeze, normal(1, 2, 1), axis=0)
case(np.broadcast_to, normal(3, 1), (2, 3, 4))
case(np.broadcast_to, normal(), (2,))
case(np.broadcast_to, normal(1), (0,))
case(np.full, normal(3), through=lambda v: np.full((2, 3), v, like=v))
case(
    np.full,
    normal(2, 1),
    through=lambda v: np.full((2, 3), v, float, like=v),
    keeps_float32=False,
    smooth=False,
)
case(np.astype, normal(2, 3), np.float64, smooth=False, keeps_float32=False)
case(alias, normal(2, 3))
for axis in (0, 1, -1, None):
    case(concatenate, normal(2, 3), normal(2, 3), through=lambda *p, a=axis: np.concatenate(p, a))
case(concatenate, normal(2, 3), normal(0, 3), normal(1, 3), through=lambda *p: np.concatenate(p))
case(concatenate, normal(2, 1), normal(2, 3), through=lambda *p: np.concatenate(p, axis=-1))
case(concatenate, normal(2, 3), np.eye(2, 3) > 0, through=lambda *p: np.concatenate(p))
for axis in (0, 1, -1):
    case(concatenate, normal(2, 3), normal(2, 3), through=lambda *p, a=axis: np.stack(p, axis=a))
case(concatenate, normal(), normal(), through=lambda *p: np.stack(p))


# ---- rearrangements that are made of others: exercised through the rule they end in ------------
def both(parts):
    """Join what came apart, so that a case has one result."""
    return np.concatenate([np.ravel(p) for p in parts])


case(np.copy, normal(2, 3))
for source, to in ((0, -1), ((0, 1), (-1, 0)), ([2], [0])):
    case(np.moveaxis, normal(2, 3, 4), source, to)
for axis, start in ((2, 0), (0, 2), (1, 3), (-1, -3), (0, 0)):
    case(np.rollaxis, normal(2, 3, 4), axis, start)
case(np.permute_dims, normal(2, 3, 4), (1, 2, 0))
case(np.matrix_transpose, normal(2, 3, 4))
case(np.linalg.matrix_transpose, normal(2, 3, 4))
for fn in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
    for shape in ((), (3,), (2, 3), (2, 3, 2), (2, 1, 3, 2)):
        case(np.reshape, normal(*shape), through=lambda x, fn=fn: fn(x) * 2.0)
    case(np.reshape, normal(), normal(2), through=lambda *xs, fn=fn: both(fn(*xs)))
case(np.broadcast_to, normal(3, 1), normal(4), through=lambda *xs: both(np.broadcast_arrays(*xs)))
for options in ({}, {"indexing": "ij"}, {"sparse": True}, {"indexing": "ij", "sparse": True}):
    case(
        np.broadcast_to,
        normal(3),
        normal(2),
        normal(4),
        through=lambda *xs, o=options: both(np.meshgrid(*xs, **o)),
    )
case(np.broadcast_to, normal(3), through=lambda x: np.meshgrid(x)[0])
for axis in (None, 0, -1, (0, 2)):
    case(np.flip, normal(2, 3, 4), axis)
case(np.fliplr, normal(2, 3))
case(np.flipud, normal(2, 3))
for k in (0, 1, 2, 3, -1):
    case(np.rot90, normal(2, 3), k)
case(np.rot90, normal(2, 3, 4), 1, (2, 0))
case(np.roll, normal(2, 3), 2)
case(np.roll, normal(2, 3), -1, 1)
case(np.roll, normal(2, 3), (1, 2), (0, 1))
case(np.roll, normal(2, 3), 1, axis=(0, 1))
case(np.add, normal(2, 3), 2.5, through=lambda x, v: x + np.full_like(x, v))
case(np.tril, normal(3, 4))
case(np.tril, normal(3, 4), 1)
case(np.tril, normal(2, 3, 3), k=-1)
case(np.tril, normal(3))
case(np.triu, normal(3, 4))
case(np.triu, normal(3, 4), -1)
case(np.triu, normal(2, 3, 3), k=1)
case(np.triu, normal(3))
for offset in (0, 1, -1, 5):
    case(np.diagonal, normal(3, 4), offset)
    case(np.diag, normal(3, 4), offset)
case(np.diagonal, normal(2, 3, 4), 1, 2, 0)
case(np.diagonal, normal(2, 3, 4), axis1=-1, axis2=1)
case(np.linalg.diagonal, normal(2, 3, 4), offset=-1)
for k in (0, 2, -1):
    case(np.diag, normal(3), k)
    case(np.diagflat, normal(2, 2), k)
case(on_diagonal, normal(2, 3), (4, 2, 3), -1, 0, -1)
case(np.trace, normal(3, 4))
case(np.trace, normal(2, 3, 4), 1, -1, 0)
case(np.linalg.trace, normal(2, 3, 4), offset=-1)

# ---- joining and taking apart ----------------------------------------------------------------
for fn in (np.vstack, np.hstack, np.dstack, np.column_stack):
    case(concatenate, normal(3), normal(3), through=lambda *p, fn=fn: fn(p))
    case(concatenate, normal(2, 3), normal(2, 3), through=lambda *p, fn=fn: fn(p))
    case(concatenate, normal(1, 1, 3), normal(1, 1, 3), through=lambda *p, fn=fn: fn(p))
for fn in (np.vstack, np.hstack, np.dstack):
    case(concatenate, normal(), normal(), through=lambda *p, fn=fn: fn(p))
case(concatenate, normal(2), normal(2, 3), through=lambda *p: np.column_stack(p))
case(np.append, normal(2, 3), normal(4))
case(np.append, normal(2, 3), normal(2, 1), 1)
case(np.append, normal(2, 3), [[1.0, 2.0, 3.0]], 0, keeps_float32=False)
case(
    concatenate,
    normal(2, 3),
    normal(2, 1),
    normal(1, 4),
    through=lambda a, b, c: np.block([[a, b], [c]]),
)
case(concatenate, normal(2), normal(), through=lambda a, b: np.block([a, b]))
case(concatenate, normal(2), normal(2), through=lambda a, b: np.block([[a], [b]]))
case(
    concatenate,
    normal(2, 2, 2),
    normal(2, 1),
    through=lambda a, b: np.block([[a, a], [a, a]]) * np.sum(b),
)
case(np.reshape, normal(2), through=lambda a: np.block(a) * 2.0)
for parts in (3, [2, 4], np.array([1, 1, 7]), [-2]):
    case(getitem, normal(6, 2), through=lambda x, p=parts: both(np.split(x, p)))
    case(getitem, normal(2, 6), through=lambda x, p=parts: both(np.array_split(x, p, axis=-1)))
case(getitem, normal(7), through=lambda x: both(p * p for p in np.array_split(x, 3)))
case(getitem, normal(2, 4), through=lambda x: both(np.hsplit(x, 2)))
case(getitem, normal(4), through=lambda x: both(np.hsplit(x, [1])))
case(getitem, normal(4, 2), through=lambda x: both(np.vsplit(x, 2)))
case(getitem, normal(2, 1, 4), through=lambda x: both(np.dsplit(x, 2)))
case(getitem, normal(2, 3), through=lambda x: both(p * p for p in np.unstack(x, axis=1)))
for reps in (2, 0, (2,), (2, 3), (2, 1, 3), np.array([3, 1])):
    case(np.tile, normal(2, 3), reps)
case(np.tile, normal(), 3)
case(np.tile, normal(), reps=(2, 2))
case(np.tile, normal(2, 3, 2), (2, 1))
case(np.repeat, normal(2, 3), 2)
case(np.repeat, normal(2, 3), 2, axis=0)
case(np.repeat, normal(2, 3), [2, 0, 1], axis=-1)
case(np.repeat, normal(2, 3), np.array([1, 0, 2, 3, 1, 1]))
case(np.repeat, normal(2, 3), np.array([2]), 1)
case(np.repeat, normal(), 3)
case(np.delete, normal(4, 3), 1, 0)
case(np.delete, normal(4, 3), [0, -1], 1)
case(np.delete, normal(4, 3), slice(1, 5, 2))
case(np.insert, normal(4, 3), 1, normal(3), 0)
case(np.insert, normal(4, 3), 1, normal(2, 4), 1)
case(np.insert, normal(4, 3), [0, 3, 3], normal(4, 3), 1)
case(np.insert, normal(4, 3), [1], normal(4, 2), 1)
case(np.insert, normal(4, 3), [-1, 2], 7.0, 0)
case(np.insert, normal(4), slice(0, 4, 2), normal(2))
case(np.insert, normal(2, 2), 3, normal())
case(np.insert, normal(3), np.array([True, False, True]), normal(2))

# ---- padding and windows ---------------------------------------------------------------------
case(pad, normal(2, 3), 1, through=np.pad)
case(pad, normal(2, 3), ((1, 2), (0, 3)), through=np.pad)
case(pad, normal(2, 3), (1,), through=np.pad)
case(pad, normal(2, 3), [[2], [1]], through=np.pad)
case(pad, normal(), 1, through=np.pad)
if np.lib.NumpyVersion(np.__version__) >= "2.4.0":
    case(pad, normal(2, 3), {-1: (1, 2)}, through=np.pad)
case(pad, normal(2, 3), (2, 1), "constant", constant_values=(5.0, 6.0), through=np.pad)
case(pad, normal(0, 3), ((0, 0), (1, 1)), through=np.pad)
for mode in ("edge", "reflect", "symmetric", "wrap"):
    case(pad, normal(3, 4), ((5, 1), (0, 7)), mode, through=np.pad)
    case(pad, normal(4), 2, mode=mode, through=np.pad)
for mode in ("reflect", "symmetric"):
    case(np.pad, normal(3, 4), ((5, 1), (0, 7)), mode, reflect_type="odd")
for mode in ("linear_ramp", "mean"):
    case(np.pad, normal(3, 4), ((3, 0), (1, 2)), mode)
for mode in ("maximum", "minimum", "median"):
    case(np.pad, spread(3, 4), ((2, 0), (1, 2)), mode, smooth=False)
    case(np.pad, spread(4, 3), ((1, 2), (0, 0)), mode, stat_length=((1, 2), (9, 2)), smooth=False)
case(np.pad, normal(0, 3), ((0, 0), (1, 1)), "maximum")
case(np.pad, normal(3, 2), 2, "linear_ramp", end_values=((5.0, 6.0), (7.0, 8.0)))
case(np.pad, normal(4, 3), (1, 2), "mean", stat_length=((1, 2), (3, 2)))
case(np.pad, normal(4), 2, "mean", stat_length=3)
case(np.pad, normal(), 1, "mean")
windows = np.lib.stride_tricks.sliding_window_view
case(windows, normal(5), 3)
case(windows, normal(4, 5), (2, 3))
case(windows, normal(4, 5), 2, axis=0)
case(windows, normal(4, 5, 3), (2, 3), axis=(-2, 0))
case(windows, normal(6), (2, 3), axis=(0, 0))
case(fold, normal(3, 3), (5,), 3)
case(fold, normal(3, 5, 2), (4, 5), 2, 0)

# ---- indexing --------------------------------------------------------------------------------
INDICES: dict[str, Any] = {
    "a number": 1,
    "the last": -1,
    "a slice": slice(1, 3),
    "a backward slice": slice(None, None, -2),
    "two numbers": (1, 2),
    "slices": (slice(None), slice(0, 2)),
    "ellipsis": (..., 0),
    "newaxis": (None, slice(1), None),
    "nothing": (),
    "everything": ...,
    "an empty slice": slice(2, 2),
    "places": np.array([2, 0]),
    "places named twice": np.array([1, 1, 0, 1]),
    "a list": [0, 0],
    "an empty list": [],
    "negative places": np.array([-1, 2, -1]),
    "pairs": (np.array([0, 1, 0]), np.array([2, 2, 2])),
    "places and a slice": (slice(None), np.array([0, 0, 3])),
    "places apart": (np.array([[0], [1]]), None, np.array([1, 3])),
    "a mask": np.array([True, False, True]),
    "a mask of entries": np.arange(12).reshape(3, 4) % 5 < 2,
    "a mask of nothing": np.zeros((3, 4), bool),
    "no places": np.array([], dtype=int),
    "True": True,
}
for index in INDICES.values():
    case(getitem, normal(3, 4), through=lambda x, i=index: x[i])
case(getitem, normal(), through=lambda x: x[()])
case(getitem, normal(0, 3), through=lambda x: x[:, 1])
case(scatter, normal(2, 4), (3, 4), slice(1, 3))
case(scatter, normal(3, 4), (3, 4), np.array([1, 1, 0]))
case(scatter, normal(), (3,), 1)
case(put, normal(3, 4), normal(2, 4), slice(1, 3))
case(put, normal(3, 4), normal(), np.array([1, 1, 0]))
case(put, normal(3, 4), normal(3, 4), np.array([1, 1, 0]))
case(put, normal(3, 4), normal(3), np.array([0, 2, 0]), np.array([1, 3, 1]))
case(put, normal(3, 4), 2.0, np.eye(3, 4) > 0)
case(put, normal(3, 4), normal(3), np.eye(3, 4) > 0)
case(put, normal(), normal())
case(put, normal(), normal(3), 1, through=lambda x, v, i: put(np.stack([x, x]), v[0], i))
for indices in (1, [0, 0, 2], np.array([[1, -1], [0, 1]]), np.array([], int)):
    case(np.take, normal(3, 4), indices)
    case(np.take, normal(3, 4), indices, 0)
    case(np.take, normal(2, 3), indices, axis=-1, mode="wrap")
    case(np.take, normal(2, 3), indices, axis=1, mode="clip")
PLACES = np.array([[0, 1, 0, 1], [1, 1, 0, 0]])
case(np.take_along_axis, normal(2, 4), PLACES, 0)
case(np.take_along_axis, normal(2, 4), PLACES, axis=1)
case(np.take_along_axis, normal(2, 1), PLACES[:, :1] * 0, axis=1)
case(np.take_along_axis, normal(8), PLACES[0], axis=None)
case(getitem, normal(3, 4), through=lambda x: np.compress([True, False, True], x, axis=1))
case(getitem, normal(3, 4), through=lambda x: np.compress([False, True, True], x))
case(getitem, normal(2, 3), through=lambda x: np.extract(np.eye(2, 3), x))
case(getitem, normal(4), normal(2, 4), through=lambda x, y: np.choose(PLACES, [x, y]))
case(getitem, normal(4), normal(4), through=lambda x, y: np.choose(3 * PLACES, [x, y], mode="wrap"))
case(getitem, normal(4), normal(4), through=lambda x, y: np.choose(9 * PLACES, [x, y], mode="clip"))
case(np.bincount, np.array([0, 3, 3, 1]), normal(4), keeps_float32=False, smooth=False)
case(np.bincount, np.array([0, 3, 3, 1]), normal(4), 6, keeps_float32=False, smooth=False)
