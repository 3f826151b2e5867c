"""Cases of matrix products, rearrangements and indexing."""

from typing import Any

import numpy as np

from tests.case import case, normal
from tinygrad_dnn.func import alias
from tinygrad_dnn.rules.indexing import getitem, scatter
from tinygrad_dnn.rules.shape import concatenate

# ---- matrix products, of every rank ----------------------------------------------------------
case(np.matmul, normal(2, 3), normal(3, 4))
case(np.matmul, normal(3), normal(3))
case(np.matmul, normal(3), normal(3, 4))
case(np.matmul, normal(2, 3), normal(3))
case(np.matmul, normal(5, 2, 3), normal(5, 3, 4))
case(np.matmul, normal(5, 2, 3), normal(3, 4))
case(np.matmul, normal(2, 3), normal(5, 3, 4))
case(np.matmul, normal(6, 1, 2, 3), normal(5, 3, 4))
case(np.matmul, normal(1, 2, 3), normal(5, 3, 1))
case(np.matmul, normal(3), normal(5, 3, 4))
case(np.matmul, normal(5, 2, 3), normal(3))
case(np.matmul, normal(2, 0), normal(0, 3))
case(np.matmul, normal(2, 3), normal(3, 0))
case(np.matmul, normal(2, 3), normal(3, 4), through=np.dot)
case(np.matmul, normal(3), normal(3), through=np.dot)
case(np.multiply, normal(), normal(2, 3), through=np.dot)

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
