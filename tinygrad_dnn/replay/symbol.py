"""Symbol: what stands in for an array, or a number, while a function is being recorded for replay.

A Symbol speaks NumPy's dispatch protocols, so it can be a Tensor's data like any other array: the
forward pass, every rule, the engine and the optimiser then run as they always do, and each call of
NumPy's that they make on data is carried out and remembered on the *tape*, as a node of a graph.
Nothing here knows what a derivative is.

In place means *from now on*: ``a += 1`` and ``a[i] = v`` let the Symbol stand for a new node.
"""

import operator
from operator import attrgetter
from typing import Any, NoReturn

import numpy as np

from tinygrad_dnn.containers import NESTED, leaves, rebuilt
from tinygrad_dnn.errors import ReplayError
from tinygrad_dnn.graph import NO_KWARGS
from tinygrad_dnn.methods import ArrayMethods, absent
from tinygrad_dnn.primitives import Function, is_recorded
from tinygrad_dnn.recording import name_of
from tinygrad_dnn.replay.calls import (
    IN_PLACE,
    MAYBE_OF_UNKNOWN_SHAPE,
    done_to,
    has_mask,
    is_of_unknown_shape,
    out_named,
    with_entries,
    with_results,
)
from tinygrad_dnn.replay.operators import Operators
from tinygrad_dnn.replay.reductions import as_method
from tinygrad_dnn.replay.refusals import (
    of_entries,
    of_index,
    of_number,
    of_unknown_shape,
    outdated_view,
    shown,
    users_place,
    written_elsewhere,
)
from tinygrad_dnn.replay.sharing import outdate, share

# What depends on shape and dtype alone is known now, and stays.
_KNOWN = {
    np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj, np.isrealobj, np.can_cast,
    np.common_type, np.may_share_memory, np.shares_memory,
}  # fmt: skip
_ALIKE = {np.zeros_like, np.ones_like, np.empty_like}
_UNUSUAL = {*_KNOWN, *_ALIKE, *IN_PLACE, *MAYBE_OF_UNKNOWN_SHAPE}
NUMBERS = (int, float)


class Symbol(Operators, ArrayMethods):
    """One value of a recording: ``node`` is its call, ``value`` what it is in this first run.

    Shape and dtype, unless it is a number, are its own: they are asked for more often than made.
    """

    __slots__ = ("__weakref__", "dtype", "link", "node", "shape", "tape", "value")

    value: Any
    dtype: Any
    shape: tuple[int, ...]
    tape: Any  # that its calls are written on
    link: Any  # a Link, if it shares its memory

    ndim: int = property(attrgetter("value.ndim"))  # type: ignore[assignment]
    size: int = property(attrgetter("value.size"))  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self.value)

    # ---- NumPy's protocols -------------------------------------------------------------------
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        for a in inputs:
            if type(a) not in _ARRAYS and is_recorded(type(a)):
                return NotImplemented  # a Tensor: it is asked next
        if method == "at":
            return self._done(ufunc.at, inputs, kwargs)
        fn = ufunc if method == "__call__" else getattr(ufunc, method)
        if not kwargs:
            return self.tape.pair(fn, *inputs) if len(inputs) == 2 else self.tape.call(fn, inputs)
        if "out" in kwargs:
            return self._into(kwargs.pop("out"), fn, inputs, kwargs)
        return self.tape.call(fn, inputs, kwargs)

    def _into(self, out: tuple[Any, ...], fn: Function, inputs: Any, kwargs: Any) -> Any:
        """Call a method of a ufunc whose results go into ``out``."""
        targets = [None if target is None else self._owner(target) for target in out]
        if type(fn) is np.ufunc and kwargs.get("where", True) is not True:
            new = self.tape.call(with_results, (fn, inputs, out), kwargs)
        else:
            new = self.tape.call(fn, inputs, kwargs)
        parts = zip(new if len(out) > 1 else [new], targets, strict=True)
        found = [x if target is None else target.becomes(x, fn) for x, target in parts]
        return tuple(found) if len(out) > 1 else found[0]

    def __array_function__(self, fn: Function, types: Any, args: Any, kwargs: Any) -> Any:
        if len(types) > 1 and any(map(is_recorded, types)):
            return NotImplemented
        if len(args) > 2:
            args, kwargs = out_named(fn, args, kwargs)
        if fn in _UNUSUAL or (kwargs and kwargs.get("out") is not None):
            return self._unusual(fn, args, kwargs)
        if fn is np.dot and len(args) == 2:  # by far the most frequent
            return self.tape.pair(fn, *args)
        return self.tape.call(fn, args, kwargs)

    def _unusual(self, fn: Function, args: Any, kwargs: Any) -> Any:
        """Call ``fn`` if it is not to be refused, and if it is more than a call with one result."""
        if kwargs.get("out") is not None:
            target = self._owner(kwargs["out"])
            options = {key: x for key, x in kwargs.items() if key != "out"}
            return target.becomes(self._unusual(fn, args, options), fn)
        if fn in IN_PLACE:
            return self._done(fn, args, kwargs)
        if is_of_unknown_shape(fn, args, kwargs, _is_symbol):
            raise of_unknown_shape(self.tape.name, name_of(fn))
        if fn in _KNOWN or fn in _ALIKE:
            args, kwargs = _values(args), _values(kwargs)
            known = fn(*args, **kwargs)
            return self.tape.symbol(known) if fn in _ALIKE else known
        return self.tape.call(fn, args, kwargs)

    def _call(self, fn: Function, *args: Any, **kwargs: Any) -> Any:
        if args or fn in _UNUSUAL:
            return fn(self, *args, **kwargs)
        return self.tape.call(fn, (self,), kwargs)

    @property
    def T(self) -> Any:
        """The transpose: all axes reversed."""
        view = self.tape.made(self.value.T, np.transpose, (self.node,), NO_KWARGS)
        share(view, self)
        return view

    def dot(self, other: Any) -> Any:
        """As np.dot; of another Symbol without NumPy finding out that it is one."""
        if type(other) is not Symbol:
            return super().dot(other)
        product = self.value.dot(other.value)
        return self.tape.made(product, np.dot, (self.node, other.node), NO_KWARGS)

    def sum(self, axis: Any = None, *, keepdims: bool = False, **options: Any) -> Any:
        """As np.sum; of floats as the method of np.add that it comes to."""
        if options or self.value.dtype.kind != "f":
            return super().sum(axis, keepdims=keepdims, **options)
        method, args = as_method(np.sum, axis, keepdims)
        return self.tape.made(method(self.value, *args), method, (self.node, *args), NO_KWARGS)

    def outdate(self, place: tuple[str, int]) -> None:
        """Let this view, of what was changed at ``place``, not be used any more."""
        self.link.outdated = place
        self.__class__ = Outdated

    def copy(self) -> Any:
        """Return another Symbol for the same value."""
        return self.tape.holding(self.node, self.value)

    __copy__ = copy

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __getitem__(self, index: Any) -> Any:
        if has_mask(index, _is_symbol):
            raise of_unknown_shape(self.tape.name, "x[mask]")
        return self.tape.call(operator.getitem, (self, index), NO_KWARGS)

    # ---- in place ----------------------------------------------------------------------------
    def __setitem__(self, index: Any, value: Any) -> None:
        known = value.link if type(value) is Symbol else None
        if known and known.base is self and repr(known.index) == repr(index):
            return  # x[i] += v has already changed x
        self.becomes(self.tape.call(with_entries, (self, index, value), {}), with_entries)

    def _done(self, fn: Function, args: Any, kwargs: dict[str, Any]) -> None:
        """Do ``fn``, which changes its first argument and returns nothing, to that."""
        self._owner(args[0]).becomes(self.tape.call(done_to, (fn, *args), kwargs), fn)

    def _owner(self, target: Any) -> "Symbol":
        if not isinstance(target, Symbol):
            raise written_elsewhere(self.tape.name)
        return target

    def becomes(self, new: "Symbol", fn: Function) -> "Symbol":
        """Stand for ``new``, which ``fn`` gave, from now on; return what is to be used instead."""
        if type(self.value) in NUMBERS:  # in place is another one
            return new
        if new.shape != self.shape:
            raise ValueError(f"{name_of(fn)}: out has shape {self.shape}, the result {new.shape}")
        if new.dtype != self.dtype:
            if not np.can_cast(new.dtype, self.dtype, "same_kind"):
                raise TypeError(f"{name_of(fn)} gives {new.dtype}, which {self.dtype} cannot hold")
            new = self.tape.call(np.astype, (new, self.dtype), {})
        self.node, self.value = new.node, new.value
        if self.link:
            self._spread()
        return self

    def _spread(self, but: "Symbol | None" = None) -> None:
        """Let what shares the memory of this Symbol, which has been changed, know of it."""
        outdate(self, users_place, but)
        if self.link.base is None:
            return
        if self.link.index is None:
            raise ReplayError(
                f"{self.tape.name} writes into a view at {shown(users_place())}, which a replay "
                f"cannot; write into the array itself, as in x[i] = v or x[i] += v"
            )
        base = self.link.base
        new = self.tape.call(with_entries, (base, self.link.index, self), {})
        base.node, base.value = new.node, new.value
        base._spread(self)

    # ---- what a replay could not repeat ------------------------------------------------------
    def _refuse_outside(self) -> None:
        """Say so where the recording is over, or is another thread's."""
        self.tape.refuse_others()
        if not self.tape.open:
            raise self.tape.leaked([self.node])

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        self._refuse_outside()
        raise of_number(self.tape.name)

    def __index__(self) -> NoReturn:
        self._refuse_outside()
        raise of_index(self.tape.name)

    __bool__ = __float__ = __int__ = __complex__ = _refuse
    item = tolist = __str__ = __format__ = tobytes = __reduce_ex__ = _refuse
    flat = property(_refuse)

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        self._refuse_outside()
        raise of_entries(self.tape.name, truth=np.result_type(self.value).kind == "b")

    def __repr__(self) -> str:
        value = self.value
        kind = f"{value.shape} {value.dtype}" if hasattr(value, "shape") else "number"
        return f"Symbol({kind} in {self.tape.name})"


def _absent(name: str) -> property:
    def refused(symbol: Any) -> NoReturn:
        who, instead = "an array that tg.jit records", "look at it outside of the function"
        raise absent(symbol, who, name, instead)

    return property(refused)


for _name in dir(np.ndarray):
    if not (_name.startswith("_") or hasattr(Symbol, _name)):
        setattr(Symbol, _name, _absent(_name))


class Outdated(Symbol):
    """A view of what has been changed in place since: to use it is an error."""

    __slots__ = ()

    @property
    def node(self) -> NoReturn:  # type: ignore[override]
        raise outdated_view(self.tape.name, self.link.outdated, users_place())

    value = shape = dtype = node


_ARRAYS = {np.ndarray, Symbol}


def _is_symbol(a: Any) -> bool:
    return isinstance(a, Symbol)


def is_or_has_symbol(a: Any) -> bool:
    """Say if ``a`` is a Symbol, or a container with one."""
    if not isinstance(a, NESTED):
        return isinstance(a, Symbol) and a.node is not None  # an Outdated has none, and says so
    for part in a.values() if isinstance(a, dict) else a:  # noqa: SIM110 (any() takes three times as long)
        if is_or_has_symbol(part):
            return True
    return False


def is_number(a: Any) -> bool:
    """Say if ``a`` is a number of Python's, which takes on the dtype of the array it meets."""
    return type(a.value if isinstance(a, Symbol) else a) in NUMBERS


def _values(tree: Any) -> Any:
    return rebuilt(tree, [a.value if isinstance(a, Symbol) else a for a in leaves(tree)])
