"""A case: one call of one function, whose rule is to be put through every property.

A case is a function of float64 arrays only; whatever else the call takes is a constant in it.  The
points lie at least 0.05 away from kinks, further than any step of the witness.  ``smooth`` cases
are analytic and work on complex arrays, so that a complex step differentiates them exactly.

The tables of cases are the files ``cases_*.py``; ``tests.cases`` reads them all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from tinygrad_dnn.primitives import RULES


@dataclass(frozen=True)
class Case:
    rule: Any  # the function whose rule it exercises
    name: str
    call: Callable[..., Any]  # of the arrays below, and of nothing else
    args: tuple[np.ndarray, ...]
    smooth: bool
    keeps_float32: bool
    exact: bool = True  # is the recorded value NumPy's own, to the last digit?

    def __str__(self) -> str:
        return self.name


CASES: list[Case] = []
_seeds = count()


def restart() -> None:
    """Draw the same numbers from here on, whatever other files have drawn before."""
    global _seeds
    _seeds = count()


def case(
    fn: Any,
    *args: Any,
    through: Callable[..., Any] | None = None,
    smooth: bool = True,
    keeps_float32: bool = True,
    exact: bool = True,
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
    inputs = tuple(args[i] for i in place)
    CASES.append(Case(fn, name, of_inputs, inputs, smooth, keeps_float32, exact and fn in RULES))


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
