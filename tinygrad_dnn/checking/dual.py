"""Dual numbers: the complex step for code that was written for real numbers only.

A ``Dual`` is a complex array whose imaginary part is a small change.  It goes where complex numbers
do not: through ``float(J)``, absolute values, and casts to float32, which it leaves alone.  Real
parts are compared.  Where they are equal, at a kink, it is the imaginary parts that are, as NumPy
does: the slope is of the side that is stepped to; or it is chosen, as a rule like relu'(0) = 0 is.
"""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.exceptions import ComplexWarning

from tinygrad_dnn.primitives import Array

LEAST, MOST = 1e-11, 1e-3  # relative: so much rounding to float32 makes
ROUNDED = "its values are rounded (float32 inside?); here it is evaluated in float64 all the same"


@dataclass
class Passage:
    """One evaluation: ``choices`` for the calls with equal numbers, in their order, if any.

    1 takes the first of two, or the greater; 0 the other; 0.5 half of each.  ``ties`` counts those
    calls; ``others`` says that numbers were equal where nothing can be chosen, ``needed`` that
    complex numbers would not have done.
    """

    choices: Sequence[float] | None = None
    ties: int = 0
    others: bool = False
    needed: bool = False
    floats: list[complex] = field(default_factory=list)

    def choice(self) -> float | None:
        """Return what is chosen in the next call with equal numbers."""
        self.ties += 1
        if self.choices is None:
            return None
        return self.choices[min(self.ties, len(self.choices)) - 1]


_passage: ContextVar[Passage] = ContextVar("passage")


def carried(value: Callable[[Sequence[Array]], Any], point: Sequence[Array], by: Passage) -> Array:
    """Return ``value`` at a point that is complex in part; it is real if that has been lost."""
    token = _passage.set(by)
    try:
        out = kept(value([dual(x) for x in point]))
    finally:
        _passage.reset(token)
    return out


def dual(x: Array) -> Array:
    """Return an array as a Dual, where a value is carried."""
    return np.asarray(x, complex).view(Dual) if _passage.get(None) else x


def kept(out: Any) -> Array:
    """Return what a function returned; as a complex number, if it is a float made of one of ours.

    It is the cost, or the sum of terms that have become floats.
    """
    out, by = np.asarray(out), _passage.get(None)
    lost = out.dtype.kind != "c" and out.size == 1 and by and by.floats
    if by and lost and out.reshape(()) == sum(z.real for z in by.floats):
        return np.full(out.shape, sum(by.floats))
    return out


def in_double(value: Callable[[Sequence[Array]], Any], point: Sequence[Array]) -> Array | None:
    """Return ``value`` at a real point with casts to float32 left out; None if that cannot be."""
    try:
        with catch_warnings():
            simplefilter("error", ComplexWarning)
            out = carried(value, point, Passage())
        return None if out.dtype.hasobject else out.real
    except Exception:  # whatever it thinks of them
        return None


def rounds(value: Callable[[Sequence[Array]], Any], point: Sequence[Array]) -> bool:
    """Whether ``value`` computes with numbers of float32, which can be left out."""
    exact = in_double(value, point)
    if exact is None:
        return False
    rounded = np.asarray(value(point))
    if exact.shape != rounded.shape or rounded.dtype.kind != "f":
        return False
    off = np.max(np.absolute(exact - rounded), initial=0.0)
    size = np.max(np.absolute(rounded), initial=0.0)
    return bool(LEAST * size < off < MOST * size)


class Dual(np.ndarray):
    """A complex array that stands for real numbers and how they change."""

    __array_priority__ = 1000.0

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **options: Any
    ) -> Any:
        plain = [_plain(x) for x in inputs]
        if out is not None:
            options["out"] = tuple(_plain(x) for x in out)
        if method == "__call__" and not options and (ufunc in MEANING or ufunc in ORDER):
            _passage.get().needed |= ufunc in MEANING
            return _dual((MEANING.get(ufunc) or ORDER[ufunc])(*plain))
        if method == "reduce" and ufunc in (np.maximum, np.minimum):
            _passage.get().others = True
        result = getattr(ufunc, method)(*plain, **options)
        return _dual(result) if out is None else out[0] if len(out) == 1 else out

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func is np.where and len(args) == 3 and np.asarray(args[0]).dtype.kind == "f":
            weight, this, other = args  # half of a choice
            return weight * this + (1 - weight) * other
        if func in (np.linalg.norm, np.vdot):
            _passage.get().needed = True
            return _dual(SUMS[func](*args, **kwargs))
        result = super().__array_function__(func, types, args, kwargs)
        if isinstance(result, tuple | list):
            return type(result)(map(_dual, result)) if type(result) in (tuple, list) else result
        return _dual(result)

    def __getitem__(self, key: Any) -> Any:
        return _dual(super().__getitem__(key))

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __float__(self) -> float:
        z = complex(np.asarray(self).reshape(()))
        _passage.get().floats.append(z)
        _passage.get().needed = True
        return z.real

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        kind = np.dtype(dtype).kind
        if kind == "f":
            _passage.get().needed = True
            return self.copy()
        return super().astype(dtype) if kind == "c" else np.asarray(self).real.astype(dtype)


def _plain(x: Any) -> Any:
    return x.view(np.ndarray) if isinstance(x, Dual) else x


def _dual(x: Any) -> Any:
    """Return what NumPy computed as a Dual, if it is complex."""
    if isinstance(x, np.ndarray | np.complexfloating) and x.dtype.kind == "c":
        return np.asarray(x).view(Dual)
    return x


def _choose(first: Array, equal: Array, natural: Array) -> Array:
    """Return in which entries the first of two is taken: True, False, or a part of 1."""
    choice = _passage.get().choice() if np.any(equal) else None
    if choice is None:
        return natural
    return np.where(equal, choice if choice % 1 else bool(choice), first)


def _compared(ufunc: np.ufunc, *, greater: bool) -> Callable[[Any, Any], Array]:
    def compare(x: Any, y: Any) -> Array:
        equal = np.asarray(np.real(x) == np.real(y))
        more = _choose(np.real(x) > np.real(y), equal, ufunc(x, y) == greater)
        return more if greater else 1 - more if more.dtype.kind == "f" else ~more

    return compare


def _greater(x: Any, y: Any) -> Array:
    x, y = np.broadcast_arrays(x, y)
    first = _choose(np.real(x) > np.real(y), np.real(x) == np.real(y), np.greater(x, y))
    return first * x + (1 - first) * y


def _absolute(x: Any) -> Array:
    return np.asarray((2.0 * _choose(x.real > 0, x.real == 0, np.greater(x, 0)) - 1) * x)


def _logaddexp(x: Any, y: Any) -> Array:
    largest = np.where(np.real(x) > np.real(y), x, y)
    return np.asarray(largest + np.log(np.exp(x - largest) + np.exp(y - largest)))


def _minimum(x: Any, y: Any) -> Array:
    return -_greater(-np.asarray(x), -np.asarray(y))


def _clipped(x: Any, low: Any, high: Any) -> Array:
    return _minimum(_greater(x, low), high)


def _norm(x: Any, *, axis: Any = None, keepdims: bool = False) -> Array:
    return np.asarray(np.sqrt(np.sum(_plain(x) ** 2, axis=axis, keepdims=keepdims)))


SUMS: dict[Any, Callable[..., Any]] = {
    np.linalg.norm: _norm,
    np.vdot: lambda x, y: np.sum(_plain(x) * _plain(y)),
}
ORDER: dict[Any, Callable[..., Any]] = {
    np.greater: _compared(np.greater, greater=True),
    np.greater_equal: _compared(np.greater_equal, greater=True),
    np.less: _compared(np.less, greater=False),
    np.less_equal: _compared(np.less_equal, greater=False),
    np.maximum: _greater,
    np.fmax: _greater,
    np.minimum: _minimum,
    np.fmin: _minimum,
    np.clip: _clipped,
}
MEANING: dict[Any, Callable[..., Any]] = {
    np.absolute: _absolute,
    np.fabs: _absolute,
    np.logaddexp: _logaddexp,
    np.conjugate: lambda x: x,
    np.sign: lambda x: np.sign(x.real),
    np.heaviside: lambda x, at_zero: np.heaviside(np.real(x), at_zero),
    np.floor: lambda x: np.floor(x.real),
    np.ceil: lambda x: np.ceil(x.real),
    np.rint: lambda x: np.rint(x.real),
}
