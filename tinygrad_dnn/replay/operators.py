"""Operators: Python's operators on a Symbol, as calls of its tape.

They could be NumPy's ``NDArrayOperatorsMixin``, but NumPy takes longer to find out that a Symbol is
among the operands than the tape takes to write the call down.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_dnn.graph import NO_KWARGS
from tinygrad_dnn.primitives import Function, is_recorded

Operator = Callable[..., Any]


def _binary(fn: Function) -> tuple[Operator, Operator, Operator]:
    """Return the methods for ``symbol op other``, ``other op symbol`` and ``symbol op= other``."""

    def forward(self: Any, other: Any) -> Any:
        if type(other) is not type(self) and is_recorded(type(other)):
            return NotImplemented  # a Tensor: it is asked next
        return self.tape.pair(fn, self, other)

    def reflected(self: Any, other: Any) -> Any:
        return self.tape.pair(fn, other, self)

    def in_place(self: Any, other: Any) -> Any:
        return self.becomes(self.tape.pair(fn, self, other), fn)

    return forward, reflected, in_place


def _unary(fn: Function) -> Operator:
    def apply(self: Any) -> Any:
        return self.tape.call(fn, (self,), NO_KWARGS)

    return apply


class Operators:
    """The operators of a class with a ``tape``."""

    __slots__ = ()

    __add__, __radd__, __iadd__ = _binary(np.add)
    __sub__, __rsub__, __isub__ = _binary(np.subtract)
    __mul__, __rmul__, __imul__ = _binary(np.multiply)
    __truediv__, __rtruediv__, __itruediv__ = _binary(np.divide)
    __floordiv__, __rfloordiv__, __ifloordiv__ = _binary(np.floor_divide)
    __mod__, __rmod__, __imod__ = _binary(np.remainder)
    __pow__, __rpow__, __ipow__ = _binary(np.power)
    __matmul__, __rmatmul__, __imatmul__ = _binary(np.matmul)
    __and__, __rand__, __iand__ = _binary(np.bitwise_and)
    __or__, __ror__, __ior__ = _binary(np.bitwise_or)
    __xor__, __rxor__, __ixor__ = _binary(np.bitwise_xor)
    __lshift__, __rlshift__, __ilshift__ = _binary(np.left_shift)
    __rshift__, __rrshift__, __irshift__ = _binary(np.right_shift)
    __divmod__, __rdivmod__, _ = _binary(np.divmod)
    __lt__, __gt__ = _binary(np.less)[0], _binary(np.greater)[0]
    __le__, __ge__ = _binary(np.less_equal)[0], _binary(np.greater_equal)[0]
    __eq__, __ne__ = _binary(np.equal)[0], _binary(np.not_equal)[0]
    __neg__, __pos__ = _unary(np.negative), _unary(np.positive)
    __abs__, __invert__ = _unary(np.absolute), _unary(np.invert)
    __hash__ = object.__hash__  # by identity: == compares entries
