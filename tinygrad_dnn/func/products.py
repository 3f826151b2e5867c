"""Products of a vector with matrices of second derivatives that are never formed."""

from collections.abc import Callable
from typing import Any

from tinygrad_dnn.func.gradients import grad, jvp
from tinygrad_dnn.func.trace import Trace


def hvp(f: Callable[..., Any], primals: Any, v: Any, argnums: int = 0) -> Any:
    """Return the Hessian of the scalar ``f`` at ``primals`` times ``v``.

    ``primals`` is the tuple of f's arguments, or its only argument; ``v`` is like argument
    ``argnums``.  Costs a few evaluations of f: the gradient is carried forwards along v.

    >>> import numpy as np
    >>> hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    return jvp(grad(f, argnums), _arguments(primals), v, argnums)[1]


def ggnvp(
    f: Callable[..., Any], cost: Callable[..., Any], primals: Any, v: Any, argnums: int = 0
) -> Any:
    """Return the generalised Gauss-Newton matrix of ``cost(f(*primals))`` times ``v``.

    That is J' H J v, with J the Jacobian of ``f`` and H the Hessian of the scalar ``cost`` at its
    result: the Hessian without the second derivatives of f; positive semi-definite if cost is
    convex.  Arguments as for ``hvp``.  Schraudolph, Neural Computation 14 (2002), section 3.

    >>> import numpy as np
    >>> ggnvp(np.square, lambda y: np.sum(y**2), np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    array([ 8., 72.])
    """
    trace = Trace(f, _arguments(primals), argnums)
    return trace.pull(hvp(cost, (trace.value(),), trace.push(v)))


def _arguments(primals: Any) -> tuple[Any, ...]:
    return primals if isinstance(primals, tuple) else (primals,)
