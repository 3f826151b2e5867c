"""Symbol: what stands in for an array, or a number, while a function is being recorded for replay.

A Symbol speaks NumPy's dispatch protocols, so it can be a Tensor's data like any other array: the
forward pass, every rule, the engine and the optimiser then run as they always do, and each call of
NumPy's that they make on data is carried out and remembered on the *tape*, as a node of a graph.
Nothing here knows what a derivative is.

In place means *from now on*: ``a += 1`` and ``a[i] = v`` let the Symbol stand for a new node.
"""

import operator
import sys
from collections.abc import Sequence
from contextvars import ContextVar
from functools import cache
from os.path import dirname, sep
from types import CodeType
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tinygrad_dnn.containers import NESTED, leaves, rebuilt
from tinygrad_dnn.errors import ReplayError
from tinygrad_dnn.graph import NO_KWARGS, Node
from tinygrad_dnn.methods import ArrayMethods
from tinygrad_dnn.primitives import RULES, Function
from tinygrad_dnn.recording import name_of

_OURS = tuple(dirname(path) + sep for path in (dirname(__file__), np.__file__))

# Of a live number and others NumPy would make an array of float64; Python keeps it a number.
_ON_NUMBERS: dict[Function, Function] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.power: operator.pow,
    np.negative: operator.neg,
    np.positive: operator.pos,
    np.absolute: abs,
    np.floor_divide: operator.floordiv,
    np.remainder: operator.mod,
}
# What depends on shape and dtype alone is known now, and stays.
_KNOWN = {
    np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj, np.isrealobj, np.can_cast,
    np.common_type, np.may_share_memory, np.shares_memory,
}  # fmt: skip
_ALIKE = {np.zeros_like, np.ones_like, np.empty_like}


class Tape:
    """The calls of one recording, in their order; ``lines`` says where a node was made."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls: list[Node] = []
        self.open = True

    def symbol(self, value: Any, name: str | None = None) -> "Symbol":
        """Return a Symbol for something that is live: it can be another value at every replay."""
        return self._holding(Node(value, name=name))

    def call(self, fn: Function, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Call ``fn`` on what Symbols stand for now, and return a Symbol of the result."""
        if not self.open:
            raise _leaked(self, args)
        if kwargs and any(map(_is_symbol, leaves(kwargs))):
            return self._packed(fn, args, kwargs)
        nodes, data = [], []
        for a in args:
            if type(a) is Symbol:
                a = a.node
                data.append(a.value)
            elif isinstance(a, NESTED) and any(map(_is_symbol, leaves(a))):
                return self._packed(fn, args, kwargs)
            else:
                data.append(a)
            nodes.append(a)
        rule = RULES.get(fn)
        f = rule.call if rule else fn
        value = f(*data, **kwargs) if kwargs else f(*data)
        if type(value) is not np.ndarray:
            if isinstance(value, tuple | list):
                return self._several(Node(value, fn, nodes, (), kwargs))
            value = value if is_number(value) else np.asarray(value)
        return self._made(Node(value, fn, nodes, (), kwargs))

    def _packed(self, fn: Function, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Call ``fn``, with Symbols inside containers, as a function of the leaves alone."""
        return self.call(Packed(fn, tuple(args), kwargs), leaves((tuple(args), kwargs)), NO_KWARGS)

    def _several(self, whole: Node) -> Any:
        """Return Symbols for the parts of a call that gave several arrays."""
        self._made(whole)
        value = whole.value
        parts = [
            self._made(Node(np.asarray(v), operator.getitem, (whole, i)))
            for i, v in enumerate(value)
        ]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)

    def _made(self, node: Node) -> "Symbol":
        node.origin = users_place()
        self.calls.append(node)
        symbol = _new(Symbol)
        symbol.node, symbol.tape = node, self
        return symbol

    def _holding(self, node: Node) -> "Symbol":
        symbol = _new(Symbol)
        symbol.node, symbol.tape = node, self
        return symbol


_new = object.__new__
current: ContextVar[Tape | None] = ContextVar("tape", default=None)


class Symbol(NDArrayOperatorsMixin, ArrayMethods):
    """One value of a recording: ``node`` has its call and what it was in this first run."""

    __slots__ = ("__weakref__", "node", "tape")

    tape: Tape

    # ---- NumPy's protocols -------------------------------------------------------------------
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        for a in inputs:
            if type(a) is not Symbol and hasattr(type(a), "__record__"):
                return NotImplemented  # a Tensor: it is asked next
        if method == "at":
            self._owner(inputs[0])._becomes(added_at, (ufunc, *inputs), {})
            return None
        fn = ufunc if method == "__call__" else getattr(ufunc, method)
        target = kwargs.pop("out", (None,))[0] if kwargs else None
        if is_number(self) and fn in _ON_NUMBERS and all(map(is_number, inputs)):
            fn, target = _ON_NUMBERS[fn], None  # a number in place is another number
        if target is not None:
            return self._owner(target)._becomes(fn, inputs, kwargs)
        return self.tape.call(fn, inputs, kwargs)

    def __array_function__(self, fn: Function, types: Any, args: Any, kwargs: Any) -> Any:
        if any(hasattr(t, "__record__") for t in types):
            return NotImplemented
        if kwargs.get("out") is not None:
            self._owner(None)
        if fn in _KNOWN or fn in _ALIKE:
            args, kwargs = _values(args), _values(kwargs)
            known = fn(*args, **kwargs)
            return self.tape.symbol(known) if fn in _ALIKE else known
        return self.tape.call(fn, args, kwargs)

    def _call(self, fn: Function, *args: Any, **kwargs: Any) -> Any:
        return fn(self, *args, **kwargs)

    def copy(self) -> "Symbol":
        """Return another Symbol for the same value."""
        return self.tape._holding(self.node)

    def __getitem__(self, index: Any) -> Any:
        return self.tape.call(operator.getitem, (self, index), NO_KWARGS)

    # ---- in place ----------------------------------------------------------------------------
    def __setitem__(self, index: Any, value: Any) -> None:
        self._becomes(with_entries, (self, index, value), {})

    def _owner(self, target: Any) -> "Symbol":
        if not isinstance(target, Symbol):
            raise ReplayError(
                f"{self.tape.name} writes a recorded value into an array of its own at "
                f"{shown(users_place())}; a replay could not repeat that: make a new array "
                f"(np.stack, np.where, tg.at), or return the value"
            )
        return target

    def _becomes(self, fn: Function, args: Any, kwargs: dict[str, Any]) -> "Symbol":
        new = self.tape.call(fn, args, kwargs)
        old = self.node.value
        if new.shape != old.shape:
            raise ValueError(f"{name_of(fn)}: out has shape {old.shape}, the result {new.shape}")
        if new.dtype != old.dtype:
            new = self.tape.call(np.astype, (new, old.dtype), {})
        self.node = new.node
        return self

    # ---- what a replay could not repeat ------------------------------------------------------
    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        if not self.tape.open:
            raise _leaked(self.tape, [self])
        raise ReplayError(
            f"{self.tape.name} asks for a number that differs from call to call, at "
            f"{shown(users_place())}: an if, float(...), print or loop over data would be frozen "
            f"in a replay; choose with np.where, return the value and look at it outside, or do "
            f"not use tg.jit"
        )

    __bool__ = __float__ = __int__ = __index__ = __complex__ = _refuse
    __array__ = item = tolist = __format__ = _refuse

    def __repr__(self) -> str:
        value = self.node.value
        kind = f"{value.shape} {value.dtype}" if hasattr(value, "shape") else "number"
        return f"Symbol({kind} in {self.tape.name})"


def on_arrays(fn: Function) -> Function:
    """Return what a Tensor's data is given to where ``fn`` is recorded: mostly ``fn`` itself."""
    rule = RULES.get(fn)
    return rule.call if rule else fn


# ---- calls that stand for several arguments, or for a write ------------------------------------
class Packed:
    """A function of arguments with Symbols inside containers, as one of the leaves alone."""

    def __init__(self, fn: Function, args: Any, kwargs: Any) -> None:
        self.fn, self.tree = fn, (args, kwargs)
        self.__name__ = getattr(fn, "__name__", "call")
        self.__module__ = getattr(fn, "__module__", "")

    def __call__(self, *parts: Any) -> Any:
        args, kwargs = rebuilt(self.tree, parts)
        return self.fn(*args, **kwargs)


def with_entries(x: Any, index: Any, v: Any) -> Any:
    """Return a copy of ``x`` with ``v`` at ``index``."""
    x = np.array(x)
    x[index] = v
    return x


def added_at(ufunc: np.ufunc, x: Any, index: Any, *v: Any) -> Any:
    """Return a copy of ``x`` with ``ufunc.at`` done to it."""
    x = np.array(x)
    ufunc.at(x, index, *v)
    return x


def _is_symbol(a: Any) -> bool:
    return isinstance(a, Symbol)


def is_number(a: Any) -> bool:
    """Say if ``a`` is a number of Python's, which takes on the dtype of the array it meets."""
    return type(a.node.value if isinstance(a, Symbol) else a) in (int, float)


def _values(tree: Any) -> Any:
    return rebuilt(tree, [a.node.value if isinstance(a, Symbol) else a for a in leaves(tree)])


# ---- where ------------------------------------------------------------------------------------
def users_place() -> tuple[str, int]:
    """Return file and line of the user's program that is being run."""
    frame = sys._getframe(2)
    while frame.f_back and _is_ours(frame.f_code):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


@cache
def _is_ours(code: CodeType) -> bool:
    return code.co_filename.startswith(_OURS)


def shown(place: tuple[str, int]) -> str:
    """Return a place as messages show it."""
    return f"{place[0]}:{place[1]}"


def _leaked(tape: Tape, args: Sequence[Any]) -> ReplayError:
    made = next((a.node for a in args if isinstance(a, Symbol) and a.node.fn), None)
    where = f", made at {shown(made.origin)}," if made else ""
    return ReplayError(
        f"a value of the recording of {tape.name}{where} is used at {shown(users_place())}, "
        f"outside of it; return it from {tape.name} instead of keeping it"
    )
