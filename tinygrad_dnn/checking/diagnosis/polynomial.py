"""Sums and products in a recorded computation, multiplied out: W @ A + b, T * H + (1 - T) * X."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node

SUMS = {np.add: 1.0, np.subtract: -1.0}
PRODUCTS = (np.matmul, np.dot, np.einsum)
ARITHMETIC = (*SUMS, np.negative, np.positive, np.multiply, np.divide)
MOST = 12  # parts


@dataclass(frozen=True)
class Part:
    """shift + scale * (a node, or a constant array)."""

    of: Any
    shift: float = 0.0
    scale: float = 1.0

    def __hash__(self) -> int:
        return id(self.of)


Monomial = tuple[float, tuple[Part, ...]]


def is_product(v: Any) -> bool:
    """Whether a node is the product of two matrices or vectors."""
    if not isinstance(v, Node) or v.fn not in PRODUCTS:
        return False
    if v.fn is not np.einsum:
        return all(np.ndim(x) in (1, 2) for x in v.seen)
    order = re.fullmatch(r"(\w)(\w),(\w)(\w)->(\w)(\w)", str(v.args[0]).replace(" ", ""))
    i, j, k, l, m, n = order.groups() if order else "  ----"
    return (i, j, l) == (m, k, n) and [np.ndim(x) for x in v.seen[-2:]] == [2, 2]


def polynomial(v: Node, atomic: Callable[[Node], bool]) -> list[Monomial]:
    """Return ``v`` as a sum of products of what is ``atomic`` or no arithmetic."""
    return _sum(v, atomic, top=True)


def number(x: Any) -> float | None:
    """Return a constant that is one number."""
    if isinstance(x, Node):
        x = None if x.needs_grad else x.value
    return float(np.ravel(x)[0]) if x is not None and np.ndim(x) == 0 else None


def _sum(v: Any, atomic: Callable[[Node], bool], *, top: bool = False) -> list[Monomial]:
    if (c := number(v)) is not None:
        return [(c, ())] if c else []
    arithmetic = isinstance(v, Node) and v.needs_grad and v.fn in ARITHMETIC
    if not arithmetic or (not top and atomic(v)):
        return [(1.0, (Part(v),))]
    parts = [_sum(a, atomic) for a in v.args]
    if v.fn in SUMS:
        found = parts[0] + _times(SUMS[v.fn], parts[1])
    elif v.fn is np.multiply:
        found = _product(*(_factored(p, a) for p, a in zip(parts, v.args, strict=True)))
    elif v.fn is np.divide:
        c = number(v.args[1])
        found = _times(1 / c, parts[0]) if c else [(1.0, (Part(v),))]
    else:
        found = _times(-1.0 if v.fn is np.negative else 1.0, parts[0])
    return found if len(found) <= MOST else [(1.0, (Part(v),))]


def _times(c: float, parts: Sequence[Monomial]) -> list[Monomial]:
    return [(c * k, factors) for k, factors in parts]


def _product(one: Sequence[Monomial], other: Sequence[Monomial]) -> list[Monomial]:
    return [(c * k, f + g) for (c, f), (k, g) in product(one, other)]


def _factored(parts: list[Monomial], v: Any) -> list[Monomial]:
    """Return a sum as one factor, 1 - T, or T, or as it is if it is one product."""
    if len(parts) == 1:
        return parts
    constant = [c for c, factors in parts if not factors]
    rest = [(c, factors) for c, factors in parts if factors]
    if len(constant) == len(rest) == len(rest[0][1]) == 1 and not rest[0][1][0].shift:
        (c, (part,)) = rest[0]
        return [(1.0, (Part(part.of, constant[0], c * part.scale),))]
    return [(1.0, (Part(v),))]
