"""Term: a formula as a tree, one call of a NumPy function per node, equal trees being one object.

A term has a function and arguments: terms, or what else a call was given.  Four kinds are no call:
``SYMBOL`` (a name), ``ONE``, ``SCALE`` (a factor times a term, also every number: a factor times
one) and ``STRETCH`` (a term broadcast to a shape).  Knows nothing of derivatives.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_dnn.visualize.equations.factor import Factor

SYMBOL, ONE, SCALE, STRETCH = "symbol", "one", "scale", "stretch"
Shape = tuple[int, ...]
LIGHT = {SYMBOL, ONE, SCALE, STRETCH, np.add, np.transpose, np.power}  # what costs no line
LIGHT |= {np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal}


class Term:
    """One formula.  ``cost`` counts its calls, ``size`` all its parts, repeated ones each time."""

    __slots__ = ("args", "cost", "fn", "options", "serial", "shape", "size")

    def __init__(
        self, fn: Any, args: tuple[Any, ...], options: dict[str, Any], shape: Shape, serial: int
    ) -> None:
        self.fn, self.args, self.options, self.shape = fn, args, options, shape
        self.serial = serial  # its place in the order in which terms were made
        parts = list(self.parts)
        self.cost: int = sum(t.cost for t in parts) + (fn not in LIGHT)
        self.size: int = sum(t.size for t in parts) + 1

    @property
    def parts(self) -> Iterator["Term"]:
        """The terms among its arguments, one entry per use."""
        return (a for a in (*self.args, *self.options.values()) if isinstance(a, Term))

    @property
    def ndim(self) -> int:
        """The number of its axes."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"Term({getattr(self.fn, '__name__', self.fn)}, {self.args}, {self.shape})"


@dataclass(frozen=True)
class Plain:
    """A function called in a way that no notation of its own and no identity is meant for."""

    fn: Any


class Terms:
    """The maker of terms: the same call is the same object."""

    def __init__(self) -> None:
        self._known: dict[Any, Term] = {}
        self.one = self.make(ONE, (), (), {})

    def make(self, fn: Any, args: tuple[Any, ...], shape: Shape, options: dict[str, Any]) -> Term:
        """Return the call as a term, as it is."""
        key = (fn, *map(_key, args), shape, *((k, _key(v)) for k, v in sorted(options.items())))
        if key not in self._known:
            self._known[key] = Term(fn, args, options, shape, len(self._known))
        return self._known[key]

    def symbol(self, what: Any, shape: Shape) -> Term:
        """Return the term that is the name of ``what``, any hashable object."""
        return self.make(SYMBOL, (_Named(what),), shape, {})


class _Named:
    """What a symbol stands for; equal by what it holds."""

    __slots__ = ("what",)

    def __init__(self, what: Any) -> None:
        self.what = what

    def __hash__(self) -> int:
        return hash(self.what)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Named) and self.what == other.what


def meaning(symbol: Term) -> Any:
    """Return what a symbol stands for."""
    return symbol.args[0].what


def factored(term: Term) -> tuple[Factor | None, Term]:
    """Return a term as its factor, if it has one, and the rest."""
    return term.args if term.fn == SCALE else (None, term)


def bare(term: Term) -> Term:
    """Return what a term is stretched from, itself if from nothing."""
    while term.fn == STRETCH:
        term = term.args[0]
    return term


def _key(a: Any) -> Any:
    if isinstance(a, Term):
        return id(a)
    return a if isinstance(a, Factor | _Named) else (type(a).__name__, repr(a))


def symbols(*terms: Term) -> list[Any]:
    """Return what the symbols in ``terms`` stand for, each once, in the order of reading."""
    found: dict[Any, None] = {}
    seen: set[Term] = set()
    stack = list(reversed(terms))
    while stack:
        term = stack.pop()
        if term in seen:
            continue
        seen.add(term)
        if term.fn == SYMBOL:
            found[meaning(term)] = None
        stack += reversed(list(term.parts))
    return list(found)


def mentions_m(*terms: Term) -> bool:
    """Say whether m, the number of columns, stands in ``terms``."""
    seen: set[Term] = set()
    stack = list(terms)
    while stack:
        term = stack.pop()
        if term.fn == SCALE and term.args[0].m:
            return True
        if term not in seen:
            seen.add(term)
            stack += term.parts
    return False


# ---- shapes of what identities make --------------------------------------------------------------
def shape_of(fn: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Shape:
    """Return the shape of a call that some identity writes."""
    rule: Callable[..., Shape] | None = _SHAPES.get(fn)
    shapes = [a.shape for a in args if isinstance(a, Term)]
    return rule(*shapes, **options) if rule else np.broadcast_shapes(*shapes)


def _of_product(a: Shape, b: Shape) -> Shape:
    if len(a) == 1 or len(b) == 1:
        left, right = a[:-1], b[:-2] + b[-1:] if len(b) > 1 else ()
        return left + right if len(a) == 1 or len(b) == 1 else ()
    return (*np.broadcast_shapes(a[:-2], b[:-2]), a[-2], b[-1])


def _of_sum(x: Shape, axis: Shape, keepdims: bool = False) -> Shape:
    if keepdims:
        return tuple(1 if i in axis else n for i, n in enumerate(x))
    return tuple(n for i, n in enumerate(x) if i not in axis)


_SHAPES: dict[Any, Callable[..., Shape]] = {
    np.matmul: _of_product,
    np.transpose: lambda x: x[::-1],
    np.sum: _of_sum,
    np.outer: lambda x, y: (*x, *y),
}
