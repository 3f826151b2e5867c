"""Tensor: an array that remembers how it was made.

A Tensor is a handle on a node of the graph.  NumPy's functions find it through NumPy's dispatch
protocols, Python's operators and its own methods go straight: all arrive in ``record``.  How a
call is differentiated is not known here; that is the table of rules, and the engine.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

import numpy as np

from tinygrad_dnn.engine import pullback
from tinygrad_dnn.errors import DimensionError, HistoryError, MissingRuleError
from tinygrad_dnn.graph import NO_KWARGS, Node, recording
from tinygrad_dnn.primitives import COMPOSITES, RULES, Array, Function, Rule
from tinygrad_dnn.rules.indexing import getitem


SCALARS = (np.generic, float, int)
SEQUENCES = (list, tuple)
_new = object.__new__


def record(fn: Function, args: tuple[Any, ...], kwargs: dict[str, Any] = NO_KWARGS) -> "Tensor":
    """Call ``fn`` on the data of ``args`` and remember the call."""
    rule = RULES.get(fn)
    if rule is None:
        return _without_rule(fn, args, kwargs)
    if kwargs:
        args, kwargs = _positional(fn, args, kwargs)
    values, inputs, needs_grad = [], [], False
    for a in args:
        if isinstance(a, Tensor):
            node = a.node
            inputs.append(node)
            values.append(node.value)
            if node.needs_grad:
                needs_grad = True
        else:
            if isinstance(a, SEQUENCES) and isinstance(fn, np.ufunc):
                a = np.asarray(a)
            inputs.append(a)
            values.append(a)
    detour = _detour(rule, inputs, values, kwargs) if rule.detours else None
    try:
        value = detour.value if detour else rule.call(*values, **kwargs)
    except Exception as error:
        error.add_note(f"in {_describe(fn, inputs)}")
        raise
    if type(value) is not np.ndarray and isinstance(value, SCALARS):
        value = np.asarray(value)
    tensor = _new(Tensor)
    if recording.get():
        node = Node(value, fn, inputs, values, kwargs, needs_grad and not rule.constant)
        node.detour = detour
        tensor.node = node
    else:
        tensor.node = Node(value)
    return tensor


def handle(node: Node) -> "Tensor":
    tensor = _new(Tensor)
    tensor.node = node
    return tensor


def _without_rule(fn: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "Tensor":
    if fn in COMPOSITES:
        result: Tensor = COMPOSITES[fn](*args, **kwargs)
        return result
    raise MissingRuleError(
        f"no derivative rule for {_name(fn)}; register one (tg.elementwise, tg.multilinear, "
        f"tg.rule), or call it on x.data to treat the result as a constant"
    )


def _positional(
    fn: Function, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Refuse ``out=``; move Tensors given by keyword to where the rules look for them."""
    if kwargs.get("out") is not None:
        raise HistoryError(
            f"{_name(fn)}: out= would overwrite data that a derivative may need; "
            f"write y = {fn.__name__}(...) instead"
        )
    kwargs = {k: v for k, v in kwargs.items() if k != "out"}
    if any(isinstance(v, Tensor) for v in kwargs.values()):
        if isinstance(fn, np.ufunc):
            given = ", ".join(kwargs)
            raise MissingRuleError(f"{_name(fn)}: no Tensor can be given as option ({given})")
        bound = inspect.signature(fn).bind(*args, **kwargs)
        args, kwargs = bound.args, bound.kwargs
    return args, kwargs


def _detour(
    rule: Rule, inputs: list[Any], values: list[Any], kwargs: dict[str, Any]
) -> Node | None:
    """Return the pair as one call, if the first input comes from a function with a detour."""
    inner = inputs[0]
    if not isinstance(inner, Node) or inner.fn not in rule.detours:
        return None
    pair, options = rule.detours[inner.fn]
    if not inner.kwargs.items() <= options.items():
        return None
    args, seen = [inner.args[0], *inputs[1:], inner], [inner.seen[0], *values[1:], values[0]]
    return Node(RULES[pair].call(*seen, **kwargs), pair, args, seen, kwargs)


def _name(fn: Function) -> str:
    module = getattr(fn, "__module__", "") or ""
    prefix = "np." if isinstance(fn, np.ufunc) or module.startswith("numpy") else ""
    return f"{prefix}{getattr(fn, '__name__', fn)}"


def _describe(fn: Function, inputs: Iterable[Any]) -> str:
    """Return the call in the user's words: its name, and each input's name and shape."""
    shown = (
        f"{a.name or 'a Tensor'} {a.value.shape}"
        if isinstance(a, Node)
        else f"an array {a.shape}"
        if hasattr(a, "shape")
        else repr(a)
        for a in inputs
    )
    return f"{_name(fn)}({', '.join(shown)})"


def _operator(fn: Function) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the methods for ``tensor op other`` and ``other op tensor``."""

    def forward(self: "Tensor", other: Any) -> "Tensor":
        return record(fn, (self, other))

    def reflected(self: "Tensor", other: Any) -> "Tensor":
        return record(fn, (other, self))

    return forward, reflected


def _unary(fn: Function) -> Callable[..., Any]:
    def apply(self: "Tensor") -> "Tensor":
        return record(fn, (self,))

    return apply


class Tensor:
    """An array that remembers how it was made; NumPy functions called on it are recorded.

    ``data`` (an array, a number, nested lists) is copied, its dtype kept.  With
    ``requires_grad=False`` it is a constant, which pictures can call by its ``name``.

    Raises HistoryError for integers, unless ``requires_grad=False``.

    >>> x = Tensor([1.0, 2.0, 3.0])
    >>> y = np.sum(x * x)
    >>> y.backward()
    >>> x.grad
    array([2., 4., 6.])
    """

    __slots__ = ("__weakref__", "node")

    node: Node

    def __init__(self, data: Any, *, requires_grad: bool = True, name: str | None = None) -> None:
        if isinstance(data, Tensor):
            raise HistoryError("Tensor() got a Tensor; take x.data, or x.detach(), for a new leaf")
        value = np.array(data) if not hasattr(data, "__array_function__") else data.copy()
        if value.dtype == object:
            raise HistoryError(f"Tensor() got {type(data).__name__} that is no array of numbers")
        if requires_grad:
            require_float(value.dtype, name or "Tensor()")
        self.node = Node(value, needs_grad=requires_grad, name=name)

    # ---- what it holds -----------------------------------------------------------------------
    @property
    def data(self) -> Array:
        """The array itself, outside the graph."""
        return self.node.value

    @data.setter
    def data(self, value: Any) -> None:
        value = np.asarray(value) if not hasattr(value, "__array_function__") else value
        if self.node.fn:
            raise HistoryError(
                f"only a leaf's data can be replaced; {self.name or 'this Tensor'} is a result "
                f"of {_name(self.node.fn)}"
            )
        if value.shape != self.shape:
            raise DimensionError(
                f"data of {self.name or 'this Tensor'} is {self.shape}, got {value.shape}; make a "
                f"new Tensor for another shape"
            )
        self.node.value = value
        self.node.changed()

    @property
    def grad(self) -> Array | None:
        """What ``backward`` has added up so far, an array; None before the first one."""
        return self.node.grad

    @grad.setter
    def grad(self, value: Array | None) -> None:
        if value is not None and np.shape(value) != self.shape:
            raise DimensionError(f"grad must have shape {self.shape}, got {np.shape(value)}")
        self.node.grad = value

    @property
    def requires_grad(self) -> bool:
        """Whether a derivative with respect to this Tensor, or to what it came from, is wanted."""
        return self.node.needs_grad

    @property
    def name(self) -> str | None:
        """What messages and pictures call it."""
        return self.node.name

    @name.setter
    def name(self, name: str | None) -> None:
        self.node.name = name

    shape: tuple[int, ...] = property(lambda self: self.node.value.shape)  # type: ignore[assignment]
    ndim: int = property(lambda self: self.node.value.ndim)  # type: ignore[assignment]
    size: int = property(lambda self: self.node.value.size)  # type: ignore[assignment]
    dtype: Any = property(lambda self: self.node.value.dtype)

    # ---- leaving and walking the graph -------------------------------------------------------
    def backward(self, gradient: Array | None = None) -> None:
        """Add d(self)/d(leaf) to ``grad`` of every leaf that requires it.

        ``gradient`` is the cotangent of self, of its shape; a scalar needs none.
        """
        if not self.requires_grad:
            raise HistoryError(
                f"backward() from {self.name or 'a Tensor'}: nothing it came from requires a "
                f"gradient; wrap what you differentiate in Tensor(...), outside no_grad()"
            )
        g = seed(self, gradient)
        for node, c in owned(pullback(self.node, g), g):
            node.grad = c if node.grad is None else node.grad + c

    def retain_grad(self) -> "Tensor":
        """Let ``backward`` fill ``grad`` here too, though this is no leaf; returns self."""
        self.node.retains_grad = True
        return self

    def detach(self) -> "Tensor":
        """Return the same data (not a copy) without history, as a constant."""
        return handle(Node(self.node.value, name=self.name))

    def item(self) -> Any:
        """Return the one number it holds."""
        return self.node.value.item()

    # ---- NumPy's protocols and operators -----------------------------------------------------
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__":
            raise MissingRuleError(f"np.{ufunc.__name__}.{method} has no derivative rule")
        return record(ufunc, inputs, kwargs)

    def __array_function__(self, fn: Function, types: Any, args: Any, kwargs: Any) -> Any:
        return record(fn, args, kwargs)

    __record__ = staticmethod(record)

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise HistoryError(
            "turning a Tensor into an array would silently drop its history; "
            "use x.data to leave the graph on purpose"
        )

    __add__, __radd__ = _operator(np.add)
    __sub__, __rsub__ = _operator(np.subtract)
    __mul__, __rmul__ = _operator(np.multiply)
    __truediv__, __rtruediv__ = _operator(np.divide)
    __floordiv__, __rfloordiv__ = _operator(np.floor_divide)
    __mod__, __rmod__ = _operator(np.remainder)
    __pow__, __rpow__ = _operator(np.power)
    __matmul__, __rmatmul__ = _operator(np.matmul)
    __and__, __rand__ = _operator(np.bitwise_and)
    __or__, __ror__ = _operator(np.bitwise_or)
    __xor__, __rxor__ = _operator(np.bitwise_xor)
    __lt__, __gt__ = _operator(np.less)[0], _operator(np.greater)[0]
    __le__, __ge__ = _operator(np.less_equal)[0], _operator(np.greater_equal)[0]
    __eq__ = _operator(np.equal)[0]  # type: ignore[assignment]
    __ne__ = _operator(np.not_equal)[0]  # type: ignore[assignment]
    __neg__, __pos__ = _unary(np.negative), _unary(np.positive)
    __abs__, __invert__ = _unary(np.absolute), _unary(np.invert)
    __hash__ = object.__hash__  # by identity: == compares entries

    def __getitem__(self, index: Any) -> "Tensor":
        parts = index if isinstance(index, tuple) else (index,)
        return record(getitem, (self, *(np.asarray(p) if type(p) is list else p for p in parts)))

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise HistoryError(
            "a Tensor's entries cannot be assigned: earlier results were computed from them; build "
            "a new one with np.where or np.concatenate, or change x.data before it is used"
        )

    # ---- as Python sees it -------------------------------------------------------------------
    def __len__(self) -> int:
        return len(self.node.value)

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                f"the truth of a Tensor of shape {self.shape} is ambiguous; use np.where to choose "
                f"entry by entry, or (x > 0).data.any() / .all() to ask about all of them"
            )
        return bool(self.node.value)

    def __float__(self) -> float:
        return float(self.node.value)

    def __int__(self) -> int:
        return int(self.node.value)

    def __index__(self) -> int:
        return self.node.value.__index__()  # type: ignore[no-any-return]

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __repr__(self) -> str:
        data = np.array2string(np.asarray(self.node.value), separator=", ", prefix="Tensor(")
        dtype = "" if self.dtype == np.float64 else f", dtype={self.dtype}"
        name = f", name={self.name!r}" if self.name else ""
        made = f", from {_name(self.node.fn)}" if self.node.fn else ""
        return f"Tensor({data}{dtype}{name}{made})"

    def __reduce__(self) -> Any:
        if self.node.fn:
            raise HistoryError(
                f"cannot copy or pickle {self.name or 'a Tensor'}: it is a result of "
                f"{_name(self.node.fn)} and would bring its whole history; use x.detach()"
            )
        return _restored, (self.data, self.requires_grad, self.name)

    # ---- NumPy's methods ---------------------------------------------------------------------
    @property
    def T(self) -> "Tensor":
        """The transpose: all axes reversed."""
        return record(np.transpose, (self,))

    @property
    def mT(self) -> "Tensor":
        """The last two axes exchanged."""
        return record(np.swapaxes, (self, -1, -2))

    def sum(self, axis: Any = None, *, keepdims: bool = False) -> "Tensor":
        """As np.sum."""
        return record(np.sum, (self,), {"axis": axis, "keepdims": keepdims})

    def mean(self, axis: Any = None, *, keepdims: bool = False) -> "Tensor":
        """As np.mean."""
        return record(np.mean, (self,), {"axis": axis, "keepdims": keepdims})

    def max(self, axis: Any = None, *, keepdims: bool = False) -> "Tensor":
        """As np.max; tied entries share the derivative equally."""
        return record(np.max, (self,), {"axis": axis, "keepdims": keepdims})

    def min(self, axis: Any = None, *, keepdims: bool = False) -> "Tensor":
        """As np.min; tied entries share the derivative equally."""
        return record(np.min, (self,), {"axis": axis, "keepdims": keepdims})

    def reshape(self, *shape: Any, order: Any = "C") -> "Tensor":
        """As np.reshape; the shape as one tuple or as separate numbers."""
        target = shape[0] if len(shape) == 1 else shape
        return record(np.reshape, (self, target), {"order": order})

    def ravel(self) -> "Tensor":
        """As np.ravel: one axis."""
        return record(np.ravel, (self,))

    flatten = ravel

    def transpose(self, *axes: Any) -> "Tensor":
        """As np.transpose; the axes as one tuple or as separate numbers."""
        order = axes[0] if len(axes) == 1 else axes or None
        return record(np.transpose, (self, order))

    def swapaxes(self, first: int, second: int) -> "Tensor":
        """As np.swapaxes."""
        return record(np.swapaxes, (self, first, second))

    def squeeze(self, axis: Any = None) -> "Tensor":
        """As np.squeeze."""
        return record(np.squeeze, (self,), {"axis": axis})

    def clip(self, min: Any = None, max: Any = None) -> "Tensor":
        """As np.clip."""
        return record(np.clip, (self, min, max))

    def astype(self, dtype: Any, *, copy: bool = True) -> "Tensor":
        """As np.astype; the gradient comes back in this Tensor's own dtype."""
        return record(np.astype, (self, dtype), {"copy": copy})


def grad(
    J: Tensor,
    inputs: Tensor | Iterable[Tensor],
    *,
    gradient: Array | None = None,
    create_graph: bool = False,
) -> Any:
    """Return dJ/dx for each Tensor x in ``inputs`` (or for the one), leaving ``.grad`` alone.

    Arrays of each x's shape, zeros where J does not depend on it; with ``create_graph=True``
    Tensors, to be differentiated again.  Inputs may be intermediate results.  ``gradient`` is the
    cotangent of J; a scalar J needs none.

    >>> x = Tensor([1.0, 2.0])
    >>> (dx,) = grad(np.sum(x**3), [x], create_graph=True)
    >>> grad(np.sum(dx), x)
    array([ 6., 12.])
    """
    if not isinstance(J, Tensor):
        raise HistoryError(f"grad() needs a Tensor to differentiate, got {type(J).__name__}")
    xs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    for x in xs:
        if not isinstance(x, Tensor):
            raise HistoryError(f"grad() differentiates by Tensors, got {type(x).__name__}")
        if not x.requires_grad:
            require_float(x.dtype, x.name or "the Tensor asked for")
            raise HistoryError(f"{x.name or 'the Tensor asked for'} has requires_grad=False")
    g = seed(J, gradient)
    nodes = [x.node for x in xs]
    if create_graph:
        tensors = pullback(J.node, g, nodes, handle)
        found = [as_tensor(tensors.get(n, np.zeros_like(n.value))) for n in nodes]
    else:
        arrays = dict(owned(pullback(J.node, g, nodes), g))
        found = [arrays[n] if n in arrays else np.zeros_like(n.value) for n in nodes]
    return found[0] if isinstance(inputs, Tensor) else found


def as_tensor(x: Any) -> Tensor:
    """Return ``x`` itself if it is a Tensor, else a constant Tensor on it."""
    return x if isinstance(x, Tensor) else handle(Node(np.asarray(x)))


def _restored(data: Array, requires_grad: bool, name: str | None) -> Tensor:
    return Tensor(data, requires_grad=requires_grad, name=name)


def require_float(dtype: Any, who: str) -> None:
    if not np.issubdtype(dtype, np.inexact):
        raise HistoryError(
            f"{who} holds {dtype}, which has no derivative; use floats (1.0, or "
            f".astype(float)), or requires_grad=False for labels and indices"
        )


def seed(end: Tensor, gradient: Array | None) -> Array:
    """Return the seed of a backward walk from ``end``, in its shape and dtype."""
    if gradient is None:
        if end.size != 1:
            raise DimensionError(
                f"backward from {end.name or 'a Tensor'} of shape {end.shape}: only a scalar has "
                f"one gradient; reduce it (np.sum, np.mean), or give gradient=, an array of that "
                f"shape"
            )
        return np.ones_like(end.data)
    if np.shape(gradient) != end.shape:
        raise DimensionError(
            f"gradient= has shape {np.shape(gradient)}, but {end.name or 'the Tensor'} it belongs "
            f"to has {end.shape}; they must be equal"
        )
    return gradient if isinstance(gradient, Tensor) else np.asarray(gradient, end.dtype)


def owned(found: dict[Node, Array], g: Array) -> Iterator[tuple[Node, Array]]:
    """Yield the cotangents as arrays that share memory with nothing else, nor with the seed."""
    taken = {id(g)}
    for node, c in found.items():
        if isinstance(c, np.generic):
            c = np.asarray(c)
        elif id(c) in taken or getattr(c, "base", None) is not None:
            c = c.copy()
        taken.add(id(c))
        yield node, c
