"""Whole Jacobians and Hessians, one walk per row or per column."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_dnn.containers import rebuilt
from tinygrad_dnn.errors import HistoryError, MissingRuleError
from tinygrad_dnn.func.gradients import grad
from tinygrad_dnn.func.trace import Argnums, Trace
from tinygrad_dnn.graph import Node


def jacobian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return the function ``(*args) -> Jacobian``, of shape ``(*out.shape, *x.shape)``.

    Row by row, or column by column where there are fewer columns.  If f returns a container, so
    does this; each entry is in turn in the containers of the argument.

    >>> import numpy as np
    >>> jacobian(np.square)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    return _jacobian(f, argnums, None)


def hessian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return the function ``(*args) -> Hessian`` of a scalar ``f``.

    Its shape is ``(*x.shape, *x.shape)``.  The gradient is carried forwards, once per entry of x.

    >>> import numpy as np
    >>> hessian(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    return _jacobian(grad(f, argnums), argnums, False)


def _jacobian(f: Callable[..., Any], argnums: Argnums, by_row: bool | None) -> Callable[..., Any]:
    def jacobian_at(*args: Any, **options: Any) -> Any:
        trace = Trace(f, args, argnums, options=options)
        _require_real(trace.inputs + trace.outputs)
        n_rows, n_columns = (sum(n.value.size for n in ns) for ns in (trace.outputs, trace.inputs))
        rows_first = n_rows <= n_columns if by_row is None else by_row
        try:
            blocks = (_rows if rows_first else _columns)(trace)
        except MissingRuleError as missing:  # a rule may know one mode only
            try:
                blocks = (_columns if rows_first else _rows)(trace)
            except MissingRuleError:
                raise missing from None
        return rebuilt(trace.out, map(trace.by_argument, blocks))

    return jacobian_at


def _rows(trace: Trace) -> list[list[Any]]:
    """Return the blocks of the Jacobian, a list per output leaf, by walks backwards."""
    blocks = []
    for out in trace.outputs:
        walks = [trace.back({out: e}) for e in _basis(out)]
        of_inputs: list[Any] = list(zip(*walks, strict=True)) or [()] * len(trace.inputs)
        blocks.append(
            [_block(ps, 0, out, x) for ps, x in zip(of_inputs, trace.inputs, strict=True)]
        )
    return blocks


def _columns(trace: Trace) -> list[list[Any]]:
    """Return the blocks of the Jacobian, a list per output leaf, by walks forwards."""
    blocks: list[list[Any]] = [[] for _ in trace.outputs]
    for x in trace.inputs:
        walks = [trace.ahead({x: e}) for e in _basis(x)]
        of_outputs: list[Any] = list(zip(*walks, strict=True)) or [()] * len(trace.outputs)
        for block, ps, out in zip(blocks, of_outputs, trace.outputs, strict=True):
            block.append(_block(ps, -1, out, x))
    return blocks


def _block(pieces: Any, axis: int, out: Node, x: Node) -> Any:
    shape = (*out.value.shape, *x.value.shape)
    if not pieces:
        return np.zeros(shape, out.value.dtype)
    return np.reshape(np.stack(pieces, axis=axis), shape)


def _basis(node: Node) -> Any:
    like = node.value
    return np.eye(like.size, dtype=like.dtype).reshape(like.size, *like.shape)


def _require_real(nodes: list[Node]) -> None:
    for node in nodes:
        if node.value.dtype.kind == "c":
            raise HistoryError(
                f"a Jacobian of {node.value.dtype} has no one meaning; write the function in terms "
                f"of real and imaginary parts, or use vjp and jvp"
            )
