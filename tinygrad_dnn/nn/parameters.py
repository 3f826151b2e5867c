"""Parameters: the Tensors that require a gradient, found in any object by path."""

from typing import Any

from tinygrad_dnn.tensor import Tensor


def parameters(model: Any) -> dict[str, Tensor]:
    """Return every Tensor in ``model`` that requires a gradient, by its path.

    ``model`` is any object, list, tuple or dict, nested at will: attributes, positions and keys
    make the path.  A model with a ``parameters()`` method of its own names its Tensors itself.  A
    Tensor found twice is listed once.

    >>> class Scale:
    ...     def __init__(self):
    ...         self.factor = Tensor([2.0])
    >>> list(parameters({"first": Scale(), "rest": [Scale(), Scale()]}))
    ['first.factor', 'rest.0.factor', 'rest.1.factor']
    """
    found: dict[str, Tensor] = {}
    seen: set[int] = set()
    stack: list[tuple[str, Any]] = [("", model)]
    while stack:
        path, part = stack.pop()
        if id(part) in seen or isinstance(part, str | bytes | type):
            continue
        seen.add(id(part))
        if isinstance(part, Tensor):
            if part.requires_grad:
                found[path or part.name or "parameter"] = part
            continue
        own = getattr(part, "parameters", None)
        inner = own() if callable(own) and part is not model else _parts(part)
        stack += [(f"{path}.{key}" if path else str(key), value) for key, value in inner.items()][
            ::-1
        ]
    return found


def _parts(part: Any) -> dict[Any, Any]:
    """Return what ``part`` is made of: entries, items or attributes."""
    if isinstance(part, dict):
        return part
    if isinstance(part, list | tuple):
        return dict(enumerate(part))
    slots = {
        name: getattr(part, name)
        for kind in type(part).__mro__
        for name in getattr(kind, "__slots__", ())
        if isinstance(name, str) and hasattr(part, name)
    }
    return {**slots, **getattr(part, "__dict__", {})}
