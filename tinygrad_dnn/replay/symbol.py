"""Symbol: what stands in for an array, or a number, while a function is being recorded for replay.

A Symbol speaks NumPy's dispatch protocols, so it can be a Tensor's data like any other array: the
forward pass, every rule, the engine and the optimiser then run as they always do, and each call of
NumPy's that they make on data is carried out and remembered on the *tape*, as a node of a graph.
Nothing here knows what a derivative is.

In place means *from now on*: ``a += 1`` and ``a[i] = v`` let the Symbol stand for a new node.
"""

import operator
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tinygrad_dnn.containers import NESTED, leaves, rebuilt
from tinygrad_dnn.errors import ReplayError
from tinygrad_dnn.graph import NO_KWARGS, Node
from tinygrad_dnn.methods import ArrayMethods
from tinygrad_dnn.primitives import UNDISPATCHED, Function
from tinygrad_dnn.recording import name_of
from tinygrad_dnn.replay.calls import (
    IN_PLACE,
    Packed,
    Under,
    done_to,
    has_mask,
    is_of_unknown_shape,
    with_entries,
)
from tinygrad_dnn.replay.refusals import (
    leaked,
    of_unknown_shape,
    outdated_view,
    shown,
    users_place,
)
from tinygrad_dnn.replay.sharing import Link, link, outdate

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
        self.errors = np.geterr()

    def symbol(self, value: Any, name: str | None = None) -> "Symbol":
        """Return a Symbol for something that is live: it can be another value at every replay."""
        return self._holding(Node(value, name=name))

    def call(self, fn: Function, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Call ``fn`` on what Symbols stand for now, and return a Symbol of the result."""
        if not self.open:
            raise leaked(self.name, [a.node for a in args if isinstance(a, Symbol)])
        if kwargs and any(map(_is_symbol, leaves(kwargs))):
            return self._packed(fn, args, kwargs)
        nodes, data = [], []
        for a in args:
            if type(a) is Symbol:
                if a.link is not None and a.link.outdated:
                    raise outdated_view(self.name, a.link.outdated, users_place())
                a = a.node
                data.append(a.value)
            elif isinstance(a, NESTED) and any(map(_is_symbol, leaves(a))):
                return self._packed(fn, args, kwargs)
            else:
                data.append(a)
            nodes.append(a)
        if (errors := np.geterr()) != self.errors:
            fn = Under(on_arrays(fn), errors)
        f = on_arrays(fn)
        value = f(*data, **kwargs) if kwargs else f(*data)
        if type(value) is not np.ndarray:
            if isinstance(value, tuple | list):
                return self._several(Node(value, fn, nodes, (), kwargs))
            value = value if is_number(value) else np.asarray(value)
        made = self._made(Node(value, fn, nodes, (), kwargs))
        if type(fn) is not np.ufunc and type(value) is np.ndarray:
            index = args[1] if fn is operator.getitem else None
            for a in args:
                if type(a) is Symbol:
                    link(made, a, index)
        return made

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
        symbol.node, symbol.tape, symbol.link = node, self, None
        return symbol

    def _holding(self, node: Node) -> "Symbol":
        symbol = _new(Symbol)
        symbol.node, symbol.tape, symbol.link = node, self, None
        return symbol


_new = object.__new__
current: ContextVar[Tape | None] = ContextVar("tape", default=None)


class Symbol(NDArrayOperatorsMixin, ArrayMethods):
    """One value of a recording: ``node`` has its call and what it was in this first run."""

    __slots__ = ("__weakref__", "link", "node", "tape")

    tape: Tape
    link: Link | None

    # ---- NumPy's protocols -------------------------------------------------------------------
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        for a in inputs:
            if type(a) is not Symbol and hasattr(type(a), "__record__"):
                return NotImplemented  # a Tensor: it is asked next
        if method == "at":
            self._owner(inputs[0])._becomes(done_to, (ufunc.at, *inputs), {})
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
        if fn in IN_PLACE:
            return self._owner(args[0])._becomes(done_to, (fn, *args), kwargs) and None
        if is_of_unknown_shape(fn, args, kwargs, _is_symbol):
            raise of_unknown_shape(self.tape.name, name_of(fn))
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
        if has_mask(index, _is_symbol):
            raise of_unknown_shape(self.tape.name, "x[mask]")
        return self.tape.call(operator.getitem, (self, index), NO_KWARGS)

    # ---- in place ----------------------------------------------------------------------------
    def __setitem__(self, index: Any, value: Any) -> None:
        known = value.link if type(value) is Symbol else None
        if known and known.base is self and repr(known.index) == repr(index):
            return  # x[i] += v has already changed x
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
            if not np.can_cast(new.dtype, old.dtype, "same_kind"):
                raise TypeError(f"{name_of(fn)} gives {new.dtype}, which {old.dtype} cannot hold")
            new = self.tape.call(np.astype, (new, old.dtype), {})
        self.node = new.node
        self._spread()
        return self

    def _spread(self, but: "Symbol | None" = None) -> None:
        """Let what shares the memory of this Symbol, which has been changed, know of it."""
        outdate(self, users_place(), but)
        if self.link is None or self.link.base is None:
            return
        if self.link.index is None:
            raise ReplayError(
                f"{self.tape.name} writes into a view at {shown(users_place())}, which a replay "
                f"cannot; write into the array itself, as in x[i] = v or x[i] += v"
            )
        base = self.link.base
        base.node = self.tape.call(with_entries, (base, self.link.index, self), {}).node
        base._spread(self)

    # ---- what a replay could not repeat ------------------------------------------------------
    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        if not self.tape.open:
            raise leaked(self.tape.name, [self.node])
        raise ReplayError(
            f"{self.tape.name} asks for a number that differs from call to call, at "
            f"{shown(users_place())}: an if, float(...), print or loop over data would be frozen "
            f"in a replay; choose with np.where, return the value and look at it outside, or do "
            f"not use tg.jit"
        )

    __bool__ = __float__ = __int__ = __index__ = __complex__ = _refuse
    __array__ = item = tolist = __format__ = tobytes = _refuse
    flat = property(_refuse)

    def __repr__(self) -> str:
        value = self.node.value
        kind = f"{value.shape} {value.dtype}" if hasattr(value, "shape") else "number"
        return f"Symbol({kind} in {self.tape.name})"


def on_arrays(fn: Function) -> Function:
    """Return what a Tensor's data is given to where ``fn`` is recorded: mostly ``fn`` itself."""
    return UNDISPATCHED.get(fn, fn)


def _is_symbol(a: Any) -> bool:
    return isinstance(a, Symbol)


def is_number(a: Any) -> bool:
    """Say if ``a`` is a number of Python's, which takes on the dtype of the array it meets."""
    return type(a.node.value if isinstance(a, Symbol) else a) in (int, float)


def _values(tree: Any) -> Any:
    return rebuilt(tree, [a.node.value if isinstance(a, Symbol) else a for a in leaves(tree)])
