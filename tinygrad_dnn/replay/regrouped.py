"""Regrouping: the same mathematics in the form that is fastest with NumPy alone.

Only products of more than LARGE multiplications, and sums of the rows that such a product reads,
differ from eager's, by their rounding; all else stays as it is, to the bit.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.replay.blas import blas_threads, has_small_kernels
from tinygrad_dnn.replay.program import Call, Program, Value, constant, is_one_number
from tinygrad_dnn.replay.reductions import is_reduction

LARGE = 1_000_000  # multiplications: up to here OpenBLAS has kernels that rearrange nothing
FEW = 32  # rows
SEVERAL = 128  # rows: to rearrange a matrix is not worth while with more
LEAST = 8  # columns of a piece
VECTOR = 64  # bytes
NEAR = 1 << 17  # bytes: an array and a second one like it are both in a fast cache


def regrouped(program: Program) -> None:
    """Regroup sums and factors of large products, and compute those of few rows in pieces."""
    _sums_as_products(program)
    _factors_scaled(program)
    _in_pieces(program)
    _rows_of_numbers(program)


def _is_large(call: Node) -> bool:
    """Say if ``call`` is a product of matrices with many multiplications."""
    return (
        call.fn is np.matmul
        and all(isinstance(a, Node) and a.value.ndim == 2 for a in call.args)
        and all(a.value.dtype == call.value.dtype for a in call.args)
        and call.value.dtype.kind == "f"
        and call.value.size * call.args[0].value.shape[1] > LARGE
    )


def _sums_as_products(program: Program) -> None:
    """Take dZ 1, with a column of ones, for sums of the rows of dZ, beside a large dZ A'."""
    factors = {call.args[0] for call in program.calls if _is_large(call)}
    for call in program.calls:
        if is_reduction(call) and call.fn == np.add.reduce and call.args[0] in factors:
            x, axis, _, _, keep = call.args
            if axis == (1,) and keep:
                ones = Value(np.ones((x.value.shape[1], 1), x.value.dtype))
                call.fn, call.args = np.matmul, [x, ones]


def _factors_scaled(program: Program) -> None:
    """Take (s A) B for s (A B), where s is one number and A is small beside A B."""
    uses, ends = program.uses(), set(program.ends)
    calls: list[Call] = []
    new: dict[Node, Node] = {}
    for call in program.calls:
        if _is_large(call) and call not in ends and 2 * call.args[0].value.size < call.value.size:
            for s, multiple in _multiples(call, uses[call]):
                a, b = call.args
                scaled = Call(np.empty_like(a.value), np.multiply, [s, a])
                calls.append(scaled)
                call.args, new[multiple] = [scaled, b], call
        calls.append(call)
    program.calls[:] = [c for c in calls if c not in new]
    program.exchange(new)


def _multiples(product: Node, readers: list[Node]) -> Iterator[tuple[Any, Node]]:
    """Yield the number s, and s times ``product``, if that is all that is made of it."""
    if len(readers) == 1 and readers[0].fn is np.multiply:
        (multiple,) = readers
        for s in (a for a in multiple.args if a is not product):
            known = not (isinstance(s, Node) and s.fn)  # before anything is computed
            if known and is_one_number(s) and multiple.value.dtype == product.value.dtype:
                yield s, multiple


def _in_pieces(program: Program) -> None:
    """Compute A B, where A has few rows, and B' lies row by row, some columns at a time.

    So BLAS need not rearrange B, which takes it longer than to multiply.
    """
    if not has_small_kernels():
        return
    uses, ends, alone = program.uses(), set(program.ends), blas_threads() == 1
    calls: list[Call] = []
    new: dict[Node, Node] = {}
    for call in program.calls:
        if _is_large(call) and call.args[1].value.T.flags.c_contiguous:
            (rows, inner), columns = call.args[0].value.shape, call.value.shape[1]
            some = _divisor(columns, LARGE // (rows * inner))
            readers = uses.get(call, ())
            any_layout = call not in ends and all(isinstance(r.fn, np.ufunc) for r in readers)
            by_vectors = alone and not rows * call.value.itemsize % VECTOR
            if any_layout and rows <= FEW < some and not by_vectors:
                new[call] = _turned(calls, call, some)
                continue
            if alone and rows <= SEVERAL and rows < columns and some >= LEAST:
                new[call] = _side_by_side(calls, call, some)
                continue
        calls.append(call)
    program.calls[:] = calls
    program.exchange(new)


def _factors(calls: list[Call], product: Call, some: int) -> tuple[Call, Call]:
    """Append A', lying row by row, and B' as a stack of ``some`` rows at a time; return both."""
    a, b = product.args
    (rows, inner), columns = a.value.shape, product.value.shape[1]
    turned = _view(calls, np.transpose, a)
    factor = Call(np.empty((inner, rows), a.value.dtype), np.copy, [turned])
    calls.append(factor)
    pieces = (columns // some, some, inner)
    return factor, _view(calls, np.reshape, _view(calls, np.transpose, b), pieces)


def _turned(calls: list[Call], product: Call, some: int) -> Call:
    """Append (B' A')', whose columns lie one after the other."""
    factor, stack = _factors(calls, product, some)
    rows, columns = product.value.shape
    pieces = np.empty((columns // some, some, rows), product.value.dtype)
    calls.append(Call(pieces, np.matmul, [stack, factor]))
    whole = _view(calls, np.reshape, calls[-1], (columns, rows))
    return _view(calls, np.transpose, whole)


def _side_by_side(calls: list[Call], product: Call, some: int) -> Call:
    """Append the pieces of A B where they belong in it."""
    factor, stack = _factors(calls, product, some)
    a = _view(calls, np.transpose, factor)
    b = _view(calls, np.transpose, stack, (0, 2, 1))
    rows, columns = product.value.shape
    pieces = np.empty((rows, columns // some, some), product.value.dtype).transpose(1, 0, 2)
    calls.append(Call(pieces, np.matmul, [a, b]))
    apart = _view(calls, np.transpose, calls[-1], (1, 0, 2))
    return _view(calls, np.reshape, apart, (rows, columns))


def _rows_of_numbers(program: Program) -> None:
    """Let maximum and minimum read a number from rows of it: that takes half the time."""
    live = program.live
    known: dict[Any, Node] = {}  # equal layers read the same

    def rows(a: Any, like: Node) -> Any:
        value = constant(a, live)
        if not (is_one_number(value) and hasattr(value, "dtype")):  # no number of Python's
            return a
        shape = like.value.shape if like.value.nbytes <= NEAR else like.value.shape[-1:]
        key = shape, value.dtype, value.tobytes()
        if key not in known:
            known[key] = Value(np.full(shape, value))
        return known[key]

    for call in program.calls:
        if call.fn in (np.maximum, np.minimum) and call.value.ndim:
            call.args = [rows(a, call) for a in call.args]


def _divisor(n: int, most: int) -> int:
    """Return the largest divisor of ``n`` up to ``most``."""
    return next((k for k in range(min(n, most), 0, -1) if n % k == 0), 1)


def _view(calls: list[Call], fn: Any, of: Node, *args: Any) -> Call:
    """Append the call ``fn(of, *args)``, which gives a view, and return it."""
    calls.append(Call(fn(of.value, *args), fn, [of, *args], base=of))
    return calls[-1]
