"""First derivatives: gradients, and products with the Jacobian from either side."""

from collections.abc import Callable
from typing import Any, overload

from tinygrad_dnn.func.trace import Argnums, Trace


def value_and_grad(
    f: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False
) -> Callable[..., tuple[Any, Any]]:
    """Return the function ``(*args) -> (f(*args), gradient)`` of a scalar-valued ``f``.

    The gradient is by argument ``argnums``, in its containers and shapes; a tuple of them for a
    tuple.  With ``has_aux=True`` f returns a pair (result, aux), and so does the first part.
    Arguments given by keyword go to f as they are.

    >>> import numpy as np
    >>> value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    (array(5.), array([2., 4.]))
    >>> cost = lambda p, X: np.mean((p["w"] * X + p["b"]) ** 2)
    >>> grad(cost)({"w": 1.0, "b": 2.0}, np.array([0.0, 1.0]))
    {'w': array(3.), 'b': array(5.)}
    """

    def value_and_gradient(*args: Any, **options: Any) -> tuple[Any, Any]:
        trace = Trace(f, args, argnums, has_aux, options)
        gradient = trace.gradient()
        value = trace.value()
        return ((value, trace.public(trace.aux)) if has_aux else value), gradient

    return value_and_gradient


def grad(
    f: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """Return the function ``(*args) -> gradient`` of a scalar-valued ``f``.

    With ``has_aux=True``, where f returns a pair (result, aux): ``(gradient, aux)``.

    >>> import numpy as np
    >>> grad(grad(np.sin))(np.array(0.0))
    array(-0.)
    """

    def gradient(*args: Any, **options: Any) -> Any:
        trace = Trace(f, args, argnums, has_aux, options)
        found = trace.gradient()
        return (found, trace.public(trace.aux)) if has_aux else found

    return gradient


@overload
def vjp(
    f: Callable[..., Any], *primals: Any, argnums: None = None
) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]: ...
@overload
def vjp(
    f: Callable[..., Any], *primals: Any, argnums: Argnums
) -> tuple[Any, Callable[[Any], Any]]: ...
def vjp(
    f: Callable[..., Any], *primals: Any, argnums: Argnums | None = None
) -> tuple[Any, Callable[[Any], Any]]:
    """Return ``f(*primals)`` and the linear map from its cotangent to theirs.

    A tuple with one entry per argument; with ``argnums`` only for those.

    >>> import numpy as np
    >>> out, back = vjp(np.multiply, np.array(2.0), np.array(5.0))
    >>> back(np.array(1.0))
    (array(5.), array(2.))
    """
    trace = Trace(f, primals, argnums)
    return trace.value(), trace.pull


def jvp(
    f: Callable[..., Any],
    primals: Any,
    tangents: Any,
    argnums: Argnums | None = None,
) -> tuple[Any, Any]:
    """Return ``f(*primals)`` and its derivative along ``tangents``, by a walk forwards.

    ``primals`` is the tuple or list of f's arguments, or its only argument.  One tangent per
    argument; with ``argnums`` only for those, the others are held constant.

    >>> import numpy as np
    >>> jvp(np.square, (np.array(3.0),), (np.array(1.0),))
    (array(9.), array(6.))
    """
    if not isinstance(primals, tuple | list):
        primals, argnums = (primals,), 0 if argnums is None else argnums
    trace = Trace(f, primals, argnums)
    return trace.value(), trace.push(tangents)
