"""Tensor: an array that remembers how it was made.

A Tensor is a handle on a node of the graph.  NumPy's functions find it through NumPy's dispatch
protocols, Python's operators and its own methods go straight: all arrive in ``record``.  How a
call is differentiated is not known here; that is the table of rules, and the engine.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NoReturn

import numpy as np

from tinygrad_dnn import graph, leaving, rerun
from tinygrad_dnn.engine import owned as owned
from tinygrad_dnn.engine import pullback
from tinygrad_dnn.errors import DimensionError, HistoryError
from tinygrad_dnn.graph import Node
from tinygrad_dnn.hooks import Hook
from tinygrad_dnn.methods import Advising, ArrayMethods
from tinygrad_dnn.primitives import Array, Function, as_data
from tinygrad_dnn.recording import name_of, record, require_plain
from tinygrad_dnn.rules.indexing import getitem
from tinygrad_dnn.seed import require_float as require_float
from tinygrad_dnn.seed import seed as seed


def _operator(fn: Function) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the methods for ``tensor op other`` and ``other op tensor``."""

    def forward(self: "Tensor", other: Any) -> "Tensor":
        return record(Tensor, fn, (self, other))

    def reflected(self: "Tensor", other: Any) -> "Tensor":
        return record(Tensor, fn, (other, self))

    return forward, reflected


def _unary(fn: Function) -> Callable[..., Any]:
    def apply(self: "Tensor") -> "Tensor":
        return record(Tensor, fn, (self,))

    return apply


class Tensor(ArrayMethods, Advising):
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

    def __init__(self, data: Any, *, requires_grad: bool = True, name: str | None = None) -> None:
        if isinstance(data, Tensor):
            raise HistoryError("Tensor() got a Tensor; take x.data, or x.detach(), for a new leaf")
        value = np.array(data) if not hasattr(data, "__array_function__") else data.copy()
        require_plain(value, name or "Tensor()")
        if requires_grad:
            require_float(value.dtype, name or "Tensor()")
        self.node = Node(value, needs_grad=requires_grad, name=name)

    # ---- what it holds -----------------------------------------------------------------------
    @property
    def data(self) -> Array:
        """The array itself, outside the graph; that of a result can be read only.

        To change a leaf, assign to it as a whole: ``W.data -= 0.1 * W.grad``.
        """
        value = self.node.value
        if self.node.fn and type(value) is np.ndarray:  # derivatives may be taken from it
            value = value.view()
            value.flags.writeable = False
        elif graph.watched and (watch := graph.watching.get()):
            watch.read(self.node)
        if run := rerun.current.get():
            run.reads(self.node)
        return value

    @data.setter
    def data(self, value: Any) -> None:
        value = as_data(value)
        if self.node.fn:
            raise HistoryError(
                f"only a leaf's data can be replaced; {self.name or 'this Tensor'} is a result "
                f"of {name_of(self.node.fn)}"
            )
        if value.shape != self.shape:
            raise DimensionError(
                f"data of {self.name or 'this Tensor'} is {self.shape}, got {value.shape}; make a "
                f"new Tensor for another shape"
            )
        require_plain(value, f"data for {self.name or 'this Tensor'}")
        if self.requires_grad:
            require_float(value.dtype, f"data for {self.name or 'this Tensor'}")
        if run := rerun.current.get():
            run.assigns(self.node)
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

    # ---- leaving and walking the graph -------------------------------------------------------
    def backward(self, gradient: Array | None = None) -> None:
        """Add d(self)/d(leaf) to ``grad`` of every leaf that requires it.

        ``gradient`` is the cotangent of self, of its shape; a scalar needs none.
        """
        if not self.node.needs_grad:
            raise HistoryError(
                f"backward() from {self.name or 'a Tensor'}: nothing that requires a gradient "
                f"flows into it; wrap what you differentiate in Tensor, outside no_grad(), tg.jit"
            )
        g = seed(self.node, gradient.data if isinstance(gradient, Tensor) else gradient)
        for node, c in owned(pullback({self.node: g}), g).items():
            node.grad = c if node.grad is None else node.grad + c

    def retain_grad(self) -> "Tensor":
        """Let ``backward`` fill ``grad`` here too, though this is no leaf; returns self."""
        self.node.retains_grad = True
        return self

    def register_hook(self, f: Callable[[Any], Any]) -> Hook:
        """Let ``f`` hear this Tensor's gradient whenever a walk computes it.

        ``f(gradient)`` returns None, or what to use instead, of the same shape; ``remove()`` of the
        result takes the hook off.  Where a loss follows its own activation, a hook on the
        activation has the derivative go through it by the plain formulas.

        >>> x = Tensor([3.0, 4.0])
        >>> with (x * 1).register_hook(print), x.register_hook(lambda g: g / 10):
        ...     grad(np.sum(x**2), x)
        array([0.6, 0.8])
        """
        if not self.requires_grad:
            raise HistoryError(f"{self.name or 'a Tensor'} needs no gradient, so no hook hears one")
        return Hook(self.node, f)

    def detach(self) -> "Tensor":
        """Return the same data (not a copy) without history, as a constant."""
        return handle(Node(self.data, name=self.name))

    # ---- NumPy's protocols and operators -----------------------------------------------------
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        fn = ufunc if method == "__call__" else getattr(ufunc, method)  # np.add.reduce, ...
        return record(Tensor, fn, inputs, kwargs)

    def __array_function__(self, fn: Function, types: Any, args: Any, kwargs: Any) -> Any:
        return record(Tensor, fn, args, kwargs)

    @staticmethod
    def __record__(fn: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "Tensor":
        return record(Tensor, fn, args, kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        if self.dtype.kind not in "fc" or leaving.for_a_constant():  # nothing is lost
            return np.array(self.data, dtype, copy=copy)
        raise HistoryError(
            "turning a Tensor into an array would silently drop its history; np.stack, "
            "np.concatenate and np.block make one Tensor of several, for np.array([a, b]), np.r_ "
            "and np.array([[a, b], [c, d]]); np.dot(a, x) is a.dot(x), tg.special has SciPy's "
            "functions; use x.data to leave the graph"
        )

    __add__, __radd__ = _operator(np.add)
    __sub__, __rsub__ = _operator(np.subtract)
    __mul__, __rmul__ = _operator(np.multiply)
    __truediv__, __rtruediv__ = _operator(np.divide)
    __floordiv__, __rfloordiv__ = _operator(np.floor_divide)
    __mod__, __rmod__ = _operator(np.remainder)
    __divmod__, __rdivmod__ = _operator(np.divmod)
    __pow__, __rpow__ = _operator(np.power)
    __matmul__, __rmatmul__ = _operator(np.matmul)
    __and__, __rand__ = _operator(np.bitwise_and)
    __or__, __ror__ = _operator(np.bitwise_or)
    __xor__, __rxor__ = _operator(np.bitwise_xor)
    __lt__, __gt__ = _operator(np.less)[0], _operator(np.greater)[0]
    __le__, __ge__ = _operator(np.less_equal)[0], _operator(np.greater_equal)[0]
    __eq__, __ne__ = _operator(np.equal)[0], _operator(np.not_equal)[0]
    __neg__, __pos__ = _unary(np.negative), _unary(np.positive)
    __abs__, __invert__ = _unary(np.absolute), _unary(np.invert)
    __hash__ = object.__hash__  # by identity: == compares entries

    def __getitem__(self, index: Any) -> "Tensor":
        parts = index if isinstance(index, tuple) else (index,)
        arrays = (np.array(p, None if p else int) if type(p) is list else p for p in parts)
        return record(Tensor, getitem, (self, *arrays))

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise HistoryError(
            "a Tensor's entries cannot be assigned: earlier results were computed from them; "
            "x = tg.at(x)[index].set(value) is a new one with them changed (.add adds), or change "
            "x.data before it is used"
        )

    # ---- shown and copied --------------------------------------------------------------------
    def __repr__(self) -> str:
        data = np.array2string(np.asarray(self.node.value), separator=", ", prefix="Tensor(")
        dtype = "" if self.dtype == np.float64 else f", dtype={self.dtype}"
        name = f", name={self.name!r}" if self.name else ""
        made = f", from {name_of(self.node.fn)}" if self.node.fn else ""
        return f"Tensor({data}{dtype}{name}{made})"

    def __reduce__(self) -> Any:
        if self.node.fn:
            raise HistoryError(
                f"cannot copy or pickle {self.name or 'a Tensor'}: it is a result of "
                f"{name_of(self.node.fn)} and would bring its whole history; use x.detach()"
            )
        return partial(Tensor, requires_grad=self.requires_grad, name=self.name), (self.data,)


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
    if not (J.requires_grad or J.node.fn):
        raise HistoryError(
            f"grad() of {J.name or 'a Tensor'}: it has no history; compute it from Tensors, "
            f"outside no_grad() and without .detach()"
        )
    if isinstance(gradient, Tensor) and not create_graph:
        gradient = gradient.data
    g = seed(J.node, gradient)
    cotangents = pullback({J.node: g}, [x.node for x in xs], handle if create_graph else None)
    arrays = owned(cotangents, g)
    found = [arrays[x.node] if x.node in arrays else np.zeros_like(x.data) for x in xs]
    if create_graph:
        found = [as_tensor(dx) for dx in found]
    elif len(set(xs)) < len(xs):
        found = [dx.copy() for dx in found]
    return found[0] if isinstance(inputs, Tensor) else found


def handle(node: Node) -> Tensor:
    """Return a Tensor for ``node``."""
    tensor = object.__new__(Tensor)
    tensor.node = node
    return tensor


def as_tensor(x: Any) -> Tensor:
    """Return ``x`` itself if it is a Tensor, else a constant Tensor on it."""
    return x if isinstance(x, Tensor) else handle(Node(as_data(x)))
