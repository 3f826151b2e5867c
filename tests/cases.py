"""The case table: every rule, in every regime it has, one line each.

A case is a function of float64 arrays only; whatever else the call takes is a constant in it.  The
points lie at least 0.05 away from kinks, further than any step of the witness.  ``smooth`` cases
are analytic and work on complex arrays, so that a complex step differentiates them exactly.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_dnn.func import alias
from tinygrad_dnn.primitives import RULES
from tinygrad_dnn.rules.elementwise import clip
from tinygrad_dnn.rules.indexing import getitem, scatter
from tinygrad_dnn.rules.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    cross_entropy_with_logits,
    mean_squared_error,
)
from tinygrad_dnn.rules.network import (
    leaky_relu,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    softmax,
)
from tinygrad_dnn.rules.shape import concatenate


@dataclass(frozen=True)
class Case:
    rule: Any  # the function whose rule it exercises
    name: str
    call: Callable[..., Any]  # of the arrays below, and of nothing else
    args: tuple[np.ndarray, ...]
    smooth: bool
    keeps_float32: bool

    def __str__(self) -> str:
        return self.name


CASES: list[Case] = []
_seeds = iter(range(10_000))


def case(
    fn: Any,
    *args: Any,
    through: Callable[..., Any] | None = None,
    smooth: bool = True,
    keeps_float32: bool = True,
    **kwargs: Any,
) -> None:
    """Add the call ``fn(*args, **kwargs)``, or ``through(*args)``; float arrays are its inputs."""
    place = [i for i, a in enumerate(args) if isinstance(a, np.ndarray) and a.dtype == np.float64]
    call = through or fn

    def of_inputs(*inputs: Any) -> Any:
        full = list(args)
        for i, x in zip(place, inputs, strict=True):
            full[i] = x
        return call(*full, **kwargs)

    shown = [str(a.shape) if isinstance(a, np.ndarray) else repr(a) for a in args]
    shown += [f"{k}={v.shape if isinstance(v, np.ndarray) else v}" for k, v in kwargs.items()]
    name = f"{len(CASES)}-{fn.__name__}({', '.join(shown)})"
    CASES.append(Case(fn, name, of_inputs, tuple(args[i] for i in place), smooth, keeps_float32))


def normal(*shape: int) -> np.ndarray:
    return np.asarray(np.random.default_rng(next(_seeds)).normal(size=shape))


def positive(*shape: int) -> np.ndarray:
    return np.asarray(np.random.default_rng(next(_seeds)).uniform(0.5, 2.0, size=shape))


def probabilities(*shape: int) -> np.ndarray:
    return np.asarray(np.random.default_rng(next(_seeds)).uniform(0.1, 0.9, size=shape))


def spread(*shape: int) -> np.ndarray:
    """Distinct entries, 0.2 apart, none near zero."""
    n = int(np.prod(shape))
    steps = np.random.default_rng(next(_seeds)).permutation(n) - n // 2
    return np.asarray((0.2 * steps + 0.1).reshape(shape))


def bits(*shape: int) -> np.ndarray:
    return np.random.default_rng(next(_seeds)).random(shape) < 0.5


# ---- arithmetic ------------------------------------------------------------------------------
for fn in (np.add, np.subtract, np.multiply):
    case(fn, normal(2, 3), normal(2, 3))
    case(fn, normal(), normal())
    case(fn, normal(3, 1), normal(4, 1, 2))
    case(fn, normal(0, 3), normal(3))
    case(fn, normal(2, 3), 2.5)
    case(fn, 3, normal(2, 3))
case(np.divide, normal(2, 3), positive(2, 3))
case(np.divide, normal(3), -positive(2, 1))
case(np.divide, normal(3), 3)
case(np.divide, 1.0, positive())
for fn in (np.negative, np.positive, np.square, np.exp, np.expm1, np.sin, np.cos, np.tanh):
    case(fn, normal(2, 3))
    case(fn, normal())
    case(fn, normal(2, 0))
for fn in (np.sqrt, np.log, np.log1p):
    case(fn, positive(2, 3))
    case(fn, positive())
case(np.power, positive(2, 3), normal(2, 3))
case(np.power, positive(3), normal(2, 1))
case(np.power, positive(), normal())
case(np.power, normal(2, 3), 3)
case(np.power, spread(2, 3), 2.0)
case(np.power, spread(2, 3), -2, smooth=False)
case(np.power, spread(2, 3), 1)
case(np.power, spread(2, 3), 0)
case(np.power, positive(2, 3), 0.5)
case(np.power, 2.0, normal(2, 3))
case(np.power, spread(5), np.array([-1, 0, 1, 2, 3]), smooth=False, keeps_float32=False)
case(np.power, positive(3), np.array([-1, 0, 2]), keeps_float32=False)

# ---- pieces ----------------------------------------------------------------------------------
case(np.absolute, spread(2, 3), smooth=False)
case(np.absolute, spread(), smooth=False)
for fn in (np.maximum, np.minimum):
    case(fn, spread(2, 3), spread(2, 3) + 0.1, smooth=False)
    case(fn, spread(3, 1), spread(4) + 0.1, smooth=False)
    case(fn, spread(2, 3), 0, smooth=False)
case(clip, spread(2, 3), -0.4, 0.4, through=np.clip, smooth=False)
case(clip, spread(2, 3), None, 0.2, through=np.clip, smooth=False)
case(clip, spread(2, 3), 0.2, None, through=np.clip, smooth=False)
case(clip, spread(7, 1), spread(5) - 0.5, spread(5) + 0.75, through=np.clip, smooth=False)
case(clip, spread(6), np.array(0.4), np.array(-0.4), through=np.clip, smooth=False)
case(clip, spread(6), np.array(0.0), through=lambda x, low: np.clip(x, min=low), smooth=False)
case(clip, spread(6), np.array(0.0), through=lambda x, high: np.clip(x, None, high), smooth=False)
case(np.where, bits(2, 3), normal(2, 3), normal(2, 3))
case(np.where, bits(4, 1), normal(3), normal())
case(np.where, bits(2, 3), normal(2, 3), 0)
case(np.where, bits(2, 3), 0, normal(2, 3))

# ---- reductions ------------------------------------------------------------------------------
for fn in (np.sum, np.mean):
    case(fn, normal(2, 3))
    case(fn, normal())
    case(fn, normal(2, 3), axis=0)
    case(fn, normal(2, 3), -1)
    case(fn, normal(2, 3, 4), axis=(0, -1))
    case(fn, normal(2, 3, 4), axis=(2, 0), keepdims=True)
    case(fn, normal(2, 3), keepdims=True)
    case(fn, normal(2, 3), axis=())
    case(fn, normal(0, 3), axis=1)
    case(fn, normal(2, 3), where=np.array([[True], [False]]))
    case(fn, normal(2, 3), axis=1, where=np.array([True, False, True]))
case(np.sum, normal(0, 3))
case(np.sum, normal(2, 3), 1, None, None, True)
case(np.sum, normal(2, 3), axis=1, initial=2.0)
case(np.mean, normal(2, 3), 1, None, None, True)
for fn in (np.max, np.min):
    case(fn, spread(2, 3), smooth=False)
    case(fn, spread(), smooth=False)
    case(fn, spread(2, 3), 0, smooth=False)
    case(fn, spread(2, 3, 4), axis=(0, -1), keepdims=True, smooth=False)
    case(fn, spread(2, 3, 4), axis=(2, 0), smooth=False)
    case(fn, spread(0, 3), axis=1, smooth=False)
    case(fn, spread(2, 3), 1, None, True, smooth=False)

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

# ---- activations -----------------------------------------------------------------------------
case(relu, spread(3, 4), smooth=False)
case(relu, spread(), smooth=False)
case(leaky_relu, spread(3, 4), smooth=False)
case(leaky_relu, spread(3, 4), 0.3, smooth=False)
case(leaky_relu, spread(3, 4), slope=0.2, smooth=False)
case(sigmoid, normal(3, 4))
case(sigmoid, normal())
for fn in (softmax, log_softmax):
    case(fn, normal(3, 4))
    case(fn, normal(3, 4), axis=1)
    case(fn, normal(3), axis=-1)
    case(fn, normal(3, 0))
case(logsumexp, normal(3, 4))
case(logsumexp, normal())
case(logsumexp, normal(3, 4), 0)
case(logsumexp, normal(3, 4), axis=-1, keepdims=True)
case(logsumexp, normal(2, 3, 4), axis=(0, 2))
case(logsumexp, normal(2, 3, 4), (0, 2), True)

# ---- losses ----------------------------------------------------------------------------------
LABELS = np.array([[0, 1, 1, 0, 1]])
ONE_HOT = np.eye(3, dtype=int)[:, [0, 2, 1, 1]]
case(binary_cross_entropy, probabilities(1, 5), LABELS, keeps_float32=False)
case(binary_cross_entropy, probabilities(2, 5), probabilities(2, 5))
case(binary_cross_entropy_with_logits, normal(1, 5), LABELS, smooth=False, keeps_float32=False)
case(binary_cross_entropy_with_logits, normal(2, 5), probabilities(2, 5), smooth=False)
case(cross_entropy, probabilities(3, 4), ONE_HOT, keeps_float32=False)
case(cross_entropy, probabilities(3, 4), probabilities(3, 4))
case(cross_entropy_with_logits, normal(3, 4), ONE_HOT, keeps_float32=False)
case(cross_entropy_with_logits, normal(3, 4), probabilities(3, 4))
case(mean_squared_error, normal(3, 4), normal(3, 4))
case(mean_squared_error, normal(1, 1), normal(1, 1))


def of_the_package(fn: Any) -> bool:
    return (getattr(fn, "__module__", None) or "numpy").split(".")[0] in ("numpy", "tinygrad_dnn")


PACKAGE_RULES = {fn: rule for fn, rule in RULES.items() if of_the_package(fn)}

# The functions that are recorded but have derivative zero, each with something to call it on.
_TRUTH = np.array([True, False, True])
_NUMBERS = np.array([5, 2, 7])
_REALS = np.array([-1.5, 0.25, 2.75])
_LOGICAL = (np.logical_and, np.logical_or, np.logical_xor, np.bitwise_and, np.bitwise_or)
CONSTANT_CALLS: dict[Any, tuple[np.ndarray, ...]] = dict.fromkeys(_LOGICAL, (_TRUTH, ~_TRUTH))
CONSTANT_CALLS |= {np.bitwise_xor: (_NUMBERS, _NUMBERS[::-1]), np.invert: (_TRUTH,)}
for fn, rule in PACKAGE_RULES.items():
    if rule.constant and fn not in CONSTANT_CALLS:
        CONSTANT_CALLS[fn] = (_REALS, _REALS[::-1]) if getattr(fn, "nin", 1) == 2 else (_REALS,)
