"""What a model is made of: its parameters, the state that is none, and its layers with a mode.

A model is any object, list, tuple or dict, nested at will: attributes, positions and keys make the
path to each of its parts.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from operator import attrgetter
from typing import Any

from tinygrad_dnn.tensor import Tensor


def parameters(model: Any) -> dict[str, Tensor]:
    """Return every Tensor in ``model`` that requires a gradient, by its path.

    A part with a ``parameters()`` method, which returns a dict or a list, names its Tensors
    itself.  A Tensor found twice is listed once.

    >>> class Scale:
    ...     def __init__(self):
    ...         self.factor = Tensor([2.0])
    >>> list(parameters({"first": Scale(), "rest": [Scale(), Scale()]}))
    ['first.factor', 'rest.0.factor', 'rest.1.factor']
    """
    return {
        path or tensor.name or "parameter": tensor
        for path, tensor in _parts(model, "parameters")
        if isinstance(tensor, Tensor) and tensor.requires_grad
    }


def buffers(model: Any) -> dict[str, Tensor]:
    """Return every Tensor in ``model`` that requires no gradient: state, but not to be learned.

    Such are the running mean and variance of batch norm.  Paths as in ``parameters``.
    """
    return {
        path or tensor.name or "buffer": tensor
        for path, tensor in _parts(model, "buffers")
        if isinstance(tensor, Tensor) and not tensor.requires_grad
    }


def set_training(model: Any, training: bool) -> None:
    """Let every layer in ``model`` with a mode, an attribute ``training``, train or not."""
    for part in _moded(model):
        part.training = training


@contextmanager
def resting(model: Any) -> Iterator[None]:
    """Let no layer of ``model`` train in this block."""
    before = [(part, part.training) for part in _moded(model)]
    set_training(model, False)
    try:
        yield
    finally:
        for part, training in before:
            part.training = training


@contextmanager
def undisturbed(model: Any) -> Iterator[None]:
    """Run ``model`` in this block without a trace in its buffers."""
    kept = [(t.node, t.node.value, t.node.born) for t in buffers(model).values()]
    try:
        yield
    finally:
        for node, value, born in kept:
            node.value, node.born = value, born


def _moded(model: Any) -> list[Any]:
    parts = [part for _, part in _parts(model) if not isinstance(part, Tensor)]
    return [part for part in parts if isinstance(getattr(part, "training", None), bool)]


def _parts(model: Any, own: str = "") -> Iterator[tuple[str, Any]]:
    """Yield ``model`` and all it is made of, each once; the method ``own`` of a part decides."""
    seen: set[int] = set()
    stack: list[tuple[str, Any]] = [("", model)]
    while stack:
        path, part = stack.pop()
        if id(part) in seen or isinstance(part, str | bytes | type):
            continue
        seen.add(id(part))
        yield path, part
        if isinstance(part, Tensor):
            continue
        method = getattr(part, own, None) if own and part is not model else None
        inner = held(method() if callable(method) else part)
        stack += [(f"{path}.{key}" if path else str(key), value) for key, value in inner.items()][
            ::-1
        ]


def held(part: Any) -> dict[Any, Any]:
    """Return what ``part`` is made of: entries, items or attributes."""
    if isinstance(part, dict):
        return part
    return dict(enumerate(part)) if isinstance(part, list | tuple) else attributes(part)


def attributes(part: Any) -> dict[str, Any]:
    """Return the attributes of ``part``, those in slots too."""
    kind: Any = type(part)
    return attributes_of(kind)(part)


@lru_cache
def attributes_of(kind: Any) -> Callable[[Any], dict[str, Any]]:
    """Return the function that gives the attributes of what is of this kind."""
    own: Callable[[Any], Any] = attrgetter("__dict__") if kind.__dictoffset__ else lambda _: {}
    if names := _slots(kind):
        return lambda part: {x: getattr(part, x) for x in names if hasattr(part, x)} | own(part)
    return own


def _slots(kind: type) -> list[str]:
    """Return the names of the slots of instances of ``kind``, but of ``__private`` ones."""
    declared = (name for base in kind.__mro__ for name in getattr(base, "__slots__", ()))
    return [name for name in declared if isinstance(name, str) and name[:2] != "__"]
