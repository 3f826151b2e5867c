"""Translate: the call that a node recorded as a term, in the few functions that are written down.

NumPy has several words for most things; here each gets the one that the identities and the notation
know.  What has no entry stays a call by its name.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_dnn.func import alias
from tinygrad_dnn.graph import Node
from tinygrad_dnn.rules.indexing import getitem
from tinygrad_dnn.visualize.equations.algebra import Algebra
from tinygrad_dnn.visualize.equations.factor import MINUS
from tinygrad_dnn.visualize.equations.term import SYMBOL, Plain, Term, bare

PLACES = 6  # the longest list of them that is written out
Word = Callable[..., Term | None]
FLIPPED = {
    np.greater: np.less_equal,
    np.less_equal: np.greater,
    np.less: np.greater_equal,
    np.greater_equal: np.less,
    np.equal: np.not_equal,
    np.not_equal: np.equal,
}


def translated(
    algebra: Algebra, node: Node, terms: dict[Node, Term], constant: Callable[[Any], Term]
) -> Term:
    """Return the call of ``node`` as a term, given those of its arguments.

    ``constant`` makes the term of an array that is no node.
    """
    numbers = isinstance(node.fn, np.ufunc) or node.fn is np.where
    args = [_argument(algebra, a, terms, constant, numbers) for a in node.args]
    options = {k: _argument(algebra, v, terms, constant, False) for k, v in node.kwargs.items()}
    fn, keyed = node.fn, getattr(node.fn, "keyed", ())
    if keyed:  # arguments that were given by keyword
        options |= dict(zip(keyed, args[-len(keyed) :], strict=True))
        fn, args = fn.__wrapped__, args[: -len(keyed)]
    word, shape = _WORDS.get(fn), np.shape(node.value)
    if word and (term := word(algebra, node, *args, **options)) is not None:
        return term if term.shape == shape else algebra.stretched(term, shape)
    fn = fn if word is None else Plain(fn)
    return algebra.call(fn, *args, shape=shape, options=options)


def _argument(
    algebra: Algebra,
    a: Any,
    terms: dict[Node, Term],
    constant: Callable[[Any], Term],
    numbers: bool,
) -> Any:
    if isinstance(a, Node):
        return terms[a]
    if holds_numbers(a):
        if np.ndim(a):
            return a.tolist() if _is_short_list(a) else constant(a)
        a = a[()]
    return _number(algebra, a) if numbers else a


def holds_numbers(a: Any) -> bool:
    """Say whether ``a`` is an array or one of its entries."""
    return hasattr(a, "shape") and not isinstance(a, type | np.dtype)


def _is_short_list(a: Any) -> bool:
    """Say whether an array is a few whole numbers: axes or places."""
    return (
        isinstance(a, np.ndarray) and a.dtype.kind in "iu" and a.ndim == 1 and 0 < a.size <= PLACES
    )


def _number(algebra: Algebra, a: Any) -> Any:
    is_number = isinstance(a, int | float | np.integer | np.floating | np.bool_)
    term = algebra.number(a) if is_number else None
    return a if term is None else term


# ---- the words: (algebra, node, *args, **options) -> term, or None to leave the call as it is ----
def _terms(*args: Any) -> bool:
    return all(isinstance(a, Term) for a in args)


def _same(algebra: Algebra, node: Node, x: Term, *_: Any, **__: Any) -> Term:
    return x


def _binary(fn: Any) -> Word:
    def write(algebra: Algebra, node: Node, x: Any, y: Any) -> Term | None:
        return algebra.call(fn, x, y) if _terms(x, y) else None

    return write


def _subtract(algebra: Algebra, node: Node, x: Any, y: Any) -> Term | None:
    return algebra.call(np.add, x, algebra.scaled(MINUS, y)) if _terms(x, y) else None


def _negative(algebra: Algebra, node: Node, x: Term) -> Term:
    return algebra.scaled(MINUS, x)


def _conjugate(algebra: Algebra, node: Node, x: Term) -> Term | None:
    return x if np.asarray(node.value).dtype.kind != "c" else None


def _square(algebra: Algebra, node: Node, x: Term) -> Term:
    return algebra.call(np.multiply, x, x)


def _reciprocal(algebra: Algebra, node: Node, x: Term) -> Term:
    return algebra.call(np.divide, algebra.one, x)


def _astype(algebra: Algebra, node: Node, x: Term, dtype: Any, **_: Any) -> Term | None:
    before, after = np.dtype(node.seen[0].dtype).kind, np.dtype(dtype).kind
    if before == after == "b":
        return x
    return x if after in "fc" and (before != "c" or after == "c") else None


def _both(algebra: Algebra, node: Node, x: Any, y: Any) -> Term | None:
    if _terms(x, y) and all(np.asarray(s).dtype == bool for s in node.seen):
        return algebra.call(np.multiply, x, y)
    return None


def _guards_zeros(algebra: Algebra, condition: Term, y: Term) -> bool:
    """Say whether a condition asks if y is 0, or two things both are."""
    zero = algebra.number(0)
    condition, y = bare(condition), bare(y)
    parts = condition.args if condition.fn is np.multiply else (condition,)
    asks = all(part.fn is np.equal and part.args[1] is zero for part in parts)
    return asks and (len(parts) == 2 or parts[0].args[0] is y)


def _where(algebra: Algebra, node: Node, condition: Any, x: Any, y: Any) -> Term | None:
    """Return x or y, whichever is not 0, times whether it is chosen."""
    if not _terms(condition, x, y):
        return None
    if not np.any(node.seen[0]) and _guards_zeros(algebra, condition, y):
        kept: Term = y  # it keeps 0 / 0 away, which does not occur here
        return kept
    zero, choice = algebra.number(0), algebra.call(np.where, condition, x, y)
    finite = all(np.all(np.isfinite(data)) for data in node.seen[1:])  # 0 inf is not 0
    if np.asarray(node.seen[0]).dtype != bool or not finite:
        return choice
    if y is zero:
        return algebra.call(np.multiply, x, condition)
    if x is zero and condition.fn in FLIPPED:
        other = algebra.call(FLIPPED[condition.fn], *condition.args, shape=condition.shape)
        return algebra.call(np.multiply, y, other)
    if x is zero and condition.fn == SYMBOL:
        other = algebra.call(np.logical_not, condition, shape=condition.shape)
        return algebra.call(np.multiply, y, other)
    return choice


def _sum(
    algebra: Algebra, node: Node, x: Term, axis: Any = None, dtype: Any = None, out: Any = None,
    keepdims: bool = False, **options: Any,
) -> Term | None:  # fmt: skip
    if _altered(options) or dtype is not None:
        return None
    return algebra.total(x, _axes(axis, x), bool(keepdims))


def _mean(
    algebra: Algebra, node: Node, x: Term, axis: Any = None, dtype: Any = None, out: Any = None,
    keepdims: bool = False, **options: Any,
) -> Term | None:  # fmt: skip
    if _altered(options) or dtype is not None or 0 in x.shape:
        return None
    return algebra.mean(x, _axes(axis, x), bool(keepdims))


def _altered(options: dict[str, Any]) -> bool:
    return options.get("where", True) is not True or options.get("initial", 0) != 0


def _axes(axis: Any, x: Term) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    return tuple(sorted(int(i) % x.ndim for i in np.atleast_1d(axis)))


def _transpose(algebra: Algebra, node: Node, x: Term, axes: Any = None) -> Term | None:
    if x.ndim < 2:
        return x
    if x.ndim == 2 and (axes is None or tuple(int(i) % 2 for i in axes) == (1, 0)):
        return algebra.call(np.transpose, x)
    return None


def _swapaxes(algebra: Algebra, node: Node, x: Term, axis1: int, axis2: int) -> Term | None:
    same = axis1 % x.ndim == axis2 % x.ndim
    return x if same else algebra.call(np.transpose, x) if x.ndim == 2 else None


def _reshape(algebra: Algebra, node: Node, x: Term, *args: Any, **options: Any) -> Term | None:
    """Leave out what broadcasting does by itself: axes of length one in front."""
    shape = np.shape(node.value)
    if shape == x.shape or (1,) * (len(shape) - x.ndim) + x.shape == shape:
        return algebra.stretched(x, shape)
    if node.fn in (np.reshape, np.ravel) and options.get("order", "C") != "C":
        return None
    return algebra.reshaped(x, shape)


def _broadcast(algebra: Algebra, node: Node, x: Term, *_: Any, **__: Any) -> Term:
    return algebra.stretched(x, np.shape(node.value))


def _getitem(algebra: Algebra, node: Node, x: Term, *index: Any) -> Term:
    """Leave out an index that only adds axes to one number."""
    only_axes = all(part is None or part is Ellipsis for part in index)
    if only_axes and x.shape == ():
        return algebra.stretched(x, np.shape(node.value))
    return algebra.call(getitem, x, *index, shape=np.shape(node.value))


def _power(algebra: Algebra, node: Node, x: Any, n: Any) -> Term | None:
    if not _terms(x, n):
        return None
    if n is algebra.number(-1):
        return algebra.call(np.divide, algebra.one, x)
    return algebra.call(np.power, x, n)


def _dot(algebra: Algebra, node: Node, x: Any, y: Any) -> Term | None:
    if not _terms(x, y):
        return None
    if 0 in (x.ndim, y.ndim):
        return algebra.call(np.multiply, x, y)
    return algebra.call(np.matmul, x, y) if x.ndim <= 2 and y.ndim <= 2 else None


_WORDS: dict[Any, Word] = {
    np.add: _binary(np.add),
    np.multiply: _binary(np.multiply),
    np.divide: _binary(np.divide),
    np.matmul: _binary(np.matmul),
    np.power: _power,
    np.subtract: _subtract,
    np.negative: _negative,
    np.positive: _same,
    np.copy: _same,
    np.square: _square,
    np.conjugate: _conjugate,
    np.reciprocal: _reciprocal,
    np.astype: _astype,
    np.bitwise_and: _both,
    np.logical_and: _both,
    np.where: _where,
    np.sum: _sum,
    np.mean: _mean,
    np.transpose: _transpose,
    np.swapaxes: _swapaxes,
    np.reshape: _reshape,
    np.expand_dims: _reshape,
    np.squeeze: _reshape,
    np.ravel: _reshape,
    np.broadcast_to: _broadcast,
    np.dot: _dot,
    getitem: _getitem,
    alias: _same,
}
