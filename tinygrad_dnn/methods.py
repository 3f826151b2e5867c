"""What a Tensor has in common with any array: what Python asks of it, and NumPy's methods.

Each method is the NumPy function of that name, recorded; how, is not known here.
"""

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, Self

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.leaving import number
from tinygrad_dnn.primitives import REFUSED, Function


def absent(x: Any, who: str, name: str, instead: str) -> AttributeError:
    """Return the error of an attribute that ``x`` does not have; NumPy's functions are advised."""
    if name in vars(np):
        instead = REFUSED.get(f"np.{name}", f"use np.{name}(x)")
    return AttributeError(f"{who} has no {name}; {instead}", name=name, obj=x)


class Advising:
    """What a Tensor says of attributes that it does not have.

    No part of ArrayMethods, since Python takes four times as long for all those that are there.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        instead = "its array is x.data"
        if hasattr(np.ndarray, name):
            instead = f"x.data.{name} is that of its array"
        if name == "at":
            instead = "tg.at(x)[index].set(value) is x with entries changed"
        raise absent(self, "a Tensor", name, instead)


class ArrayMethods:
    """The methods of a class with a ``node``, whose ``__record__`` calls and remembers the call."""

    __slots__ = ()

    node: Node
    __record__: Callable[[Function, tuple[Any, ...], dict[str, Any]], Any]

    shape: tuple[int, ...] = property(attrgetter("node.value.shape"))  # type: ignore[assignment]
    ndim: int = property(attrgetter("node.value.ndim"))  # type: ignore[assignment]
    size: int = property(attrgetter("node.value.size"))  # type: ignore[assignment]
    dtype: Any = property(attrgetter("node.value.dtype"))

    # ---- as Python sees it -------------------------------------------------------------------
    def item(self, *place: int) -> Any:
        """Return the one number it holds, or that at ``place``."""
        return self.node.value.item(*place)

    def tolist(self) -> Any:
        """Return its numbers in nested lists."""
        return self.node.value.tolist()

    def __len__(self) -> int:
        return len(self.node.value)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))  # type: ignore[index]

    def __bool__(self) -> bool:
        value = self.node.value
        if value.size != 1:
            raise ValueError(
                f"the truth of a Tensor of shape {value.shape} is ambiguous; use np.where to "
                f"choose entry by entry, or (x > 0).data.any() / .all() to ask about all of them"
            )
        return bool(value.item())

    def __float__(self) -> float:
        return float(number(self.node))

    def __complex__(self) -> complex:
        return complex(number(self.node))

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        return self.node.value.__index__()  # type: ignore[no-any-return]

    def __round__(self, decimals: int | None = None) -> Self:
        return self._call(np.round, decimals or 0)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    # ---- NumPy's methods ---------------------------------------------------------------------
    def _call(self, fn: Function, *args: Any, **kwargs: Any) -> Self:
        result: Self = self.__record__(fn, (self, *args), kwargs)
        return result

    @property
    def T(self) -> Self:
        """The transpose: all axes reversed."""
        return self._call(np.transpose)

    @property
    def mT(self) -> Self:
        """The last two axes exchanged."""
        return self._call(np.swapaxes, -1, -2)

    def dot(self, other: Any) -> Self:
        """As np.dot."""
        return self._call(np.dot, other)

    def sum(self, axis: Any = None, *, keepdims: bool = False, **options: Any) -> Self:
        """As np.sum."""
        return self._call(np.sum, axis=axis, keepdims=keepdims, **options)

    def mean(self, axis: Any = None, *, keepdims: bool = False, **options: Any) -> Self:
        """As np.mean."""
        return self._call(np.mean, axis=axis, keepdims=keepdims, **options)

    def prod(self, axis: Any = None, *, keepdims: bool = False, **options: Any) -> Self:
        """As np.prod; right with zeros among the entries."""
        return self._call(np.prod, axis=axis, keepdims=keepdims, **options)

    def var(self, axis: Any = None, *, keepdims: bool = False, **options: Any) -> Self:
        """As np.var."""
        return self._call(np.var, axis=axis, keepdims=keepdims, **options)

    def std(self, axis: Any = None, *, keepdims: bool = False, **options: Any) -> Self:
        """As np.std."""
        return self._call(np.std, axis=axis, keepdims=keepdims, **options)

    def max(self, axis: Any = None, *, keepdims: bool = False, **options: Any) -> Self:
        """As np.max; tied entries share the derivative equally."""
        return self._call(np.max, axis=axis, keepdims=keepdims, **options)

    def min(self, axis: Any = None, *, keepdims: bool = False, **options: Any) -> Self:
        """As np.min; tied entries share the derivative equally."""
        return self._call(np.min, axis=axis, keepdims=keepdims, **options)

    def cumsum(self, axis: Any = None, **options: Any) -> Self:
        """As np.cumsum."""
        return self._call(np.cumsum, axis=axis, **options)

    def cumprod(self, axis: Any = None, **options: Any) -> Self:
        """As np.cumprod; right with zeros among the entries."""
        return self._call(np.cumprod, axis=axis, **options)

    def argmax(self, axis: Any = None, **options: Any) -> Self:
        """As np.argmax: a constant."""
        return self._call(np.argmax, axis=axis, **options)

    def argmin(self, axis: Any = None, **options: Any) -> Self:
        """As np.argmin: a constant."""
        return self._call(np.argmin, axis=axis, **options)

    def argsort(self, axis: Any = -1, **options: Any) -> Self:
        """As np.argsort: a constant."""
        return self._call(np.argsort, axis=axis, **options)

    def all(self, axis: Any = None, **options: Any) -> Self:
        """As np.all: a constant."""
        return self._call(np.all, axis=axis, **options)

    def any(self, axis: Any = None, **options: Any) -> Self:
        """As np.any: a constant."""
        return self._call(np.any, axis=axis, **options)

    def round(self, decimals: int = 0, **options: Any) -> Self:
        """As np.round: a constant."""
        return self._call(np.round, decimals, **options)

    def conj(self) -> Self:
        """As np.conjugate."""
        return self._call(np.conjugate)

    conjugate = conj

    @property
    def real(self) -> Self:
        """The real part."""
        return self._call(np.real)

    @property
    def imag(self) -> Self:
        """The imaginary part."""
        return self._call(np.imag)

    def reshape(self, *shape: Any, order: Any = "C") -> Self:
        """As np.reshape; the shape as one tuple or as separate numbers."""
        target = shape[0] if len(shape) == 1 else shape
        return self._call(np.reshape, target, **({} if order == "C" else {"order": order}))

    def ravel(self, order: Any = "C") -> Self:
        """As np.ravel: one axis."""
        return self._call(np.ravel, order)

    flatten = ravel

    def transpose(self, *axes: Any) -> Self:
        """As np.transpose; the axes as one tuple or as separate numbers."""
        return self._call(np.transpose, axes[0] if len(axes) == 1 else axes or None)

    def swapaxes(self, first: int, second: int) -> Self:
        """As np.swapaxes."""
        return self._call(np.swapaxes, first, second)

    def squeeze(self, axis: Any = None) -> Self:
        """As np.squeeze."""
        return self._call(np.squeeze, axis=axis)

    def copy(self) -> Self:
        """As np.copy; ``copy.copy`` of a leaf is a leaf."""
        return self._call(np.copy)

    def nonzero(self) -> Any:
        """As np.nonzero: constants."""
        return self._call(np.nonzero)

    def compress(self, condition: Any, axis: Any = None) -> Self:
        """As np.compress, the array first."""
        return np.compress(condition, self, axis)  # type: ignore[call-overload, no-any-return]

    def searchsorted(self, v: Any, side: Any = "left") -> Self:
        """As np.searchsorted: a constant."""
        return self._call(np.searchsorted, v, side)

    def repeat(self, repeats: Any, axis: Any = None) -> Self:
        """As np.repeat."""
        return self._call(np.repeat, repeats, axis)

    def take(self, indices: Any, axis: Any = None) -> Self:
        """As np.take."""
        return self._call(np.take, indices, axis)

    def trace(self) -> Self:
        """As np.trace."""
        return self._call(np.trace)

    def diagonal(self, offset: int = 0) -> Self:
        """As np.diagonal."""
        return self._call(np.diagonal, offset)

    def clip(self, min: Any = None, max: Any = None, **options: Any) -> Self:
        """As np.clip."""
        return self._call(np.clip, min, max, **options)

    def astype(self, dtype: Any, *, copy: bool = True) -> Self:
        """As np.astype; the gradient comes back in this Tensor's own dtype."""
        return self._call(np.astype, dtype, copy=copy)
