"""checked: marks functions of a file whose gradients ``tinygrad-dnn check FILE.py`` is to check."""

from collections.abc import Callable
from typing import Any, TypeVar

from tinygrad_dnn.checking.arrays import in_words

F = TypeVar("F", bound=Callable[..., Any])
MARK = "__checked_with__"


def checked(*inputs: Any) -> Any:
    """Mark a function for ``tinygrad-dnn check``; it is otherwise left as it is.

    ``@checked`` alone marks a function without arguments that returns a Report, or what a check
    takes: ``(cost, params, grads)``, or ``(f, *inputs)`` with a function of Tensors.
    ``@checked(x, y)`` marks a function of Tensors, to be checked at these inputs.

    >>> @checked([0.5, 2.0])
    ... def f(x): return (x**2).sum()
    >>> f.__checked_with__
    ([0.5, 2.0],)
    """
    if len(inputs) == 1 and callable(inputs[0]):
        return _marked(inputs[0], ())
    return lambda f: _marked(f, inputs)


def _marked(f: F, inputs: tuple[Any, ...]) -> F:
    if not callable(f):
        raise TypeError(f"@checked marks functions, got {in_words(f)}")
    setattr(f, MARK, inputs)
    return f
