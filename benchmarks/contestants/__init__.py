"""Contestants: each file is one library's way of taking the same training step.

A file has a ``TITLE``, the ``PACKAGES`` whose versions matter, and ``build(problem)``, which
returns a ``Contestant``.  Each is written as users of that library would write it to be fast.
``build`` raises ImportError where the library is not installed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

HAND = "hand"  # the reference of every ratio
OURS = ("eager", "jit", "accel", "fit")
PEERS = ("jax_jit", "torch_eager", "torch_compile", "mygrad", "autograd")
NAMES = ("products", HAND, *OURS, *PEERS)


@dataclass
class Contestant:
    """``run(n)`` takes n steps and returns the cost before the last one.

    ``parameters()`` are W1, b1, W2, ... as arrays in the course's shapes; None for one that only
    does a part of the step, so that its numbers cannot be compared.
    """

    run: Callable[[int], float]
    parameters: Callable[[], list[np.ndarray]] | None


def repeated(step: Callable[[], float]) -> Callable[[int], float]:
    """Return ``run`` for a library whose loop over steps is the user's."""

    def run(n: int) -> float:
        cost = float("nan")
        for _ in range(n):
            cost = step()
        return cost

    return run


def alternating(W: list[np.ndarray], b: list[np.ndarray]) -> list[np.ndarray]:
    """Return W1, b1, W2, b2, ..."""
    return [a for pair in zip(W, b, strict=True) for a in pair]
