"""What users hand in, as real numbers in float64, or a message: what it is, and what is wanted.

``who`` is the function that was called, ``name`` what its user calls the value.
"""

from typing import Any

import numpy as np

from tinygrad_dnn.errors import DimensionError, HistoryError
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor


def real(who: str, name: str, value: Any) -> Array:
    """Return real numbers in float64; of a Tensor, its data.  Raises TypeError.

    >>> real("check", "grads['db1']", [1, 2]).tolist()
    [1.0, 2.0]
    """
    array = numbers(who, name, value)
    if array.dtype.kind == "c":
        raise TypeError(f"{who}: {name} must be an array of real numbers, got {in_words(value)}")
    return array.astype(np.float64)


def numbers(who: str, name: str, value: Any) -> Array:
    """Return a copy of numbers, real or complex, as an array."""
    value = value.data if isinstance(value, Tensor) else value
    try:
        array = np.array(value)
    except ValueError:  # rows of different lengths
        raise TypeError(
            f"{who}: {name} must be an array of real numbers, got {in_words(value)} whose parts "
            f"have different shapes"
        ) from None
    if array.dtype.kind not in "fiubc":
        raise TypeError(f"{who}: {name} must be an array of real numbers, got {in_words(value)}")
    return array


def one_number(who: str, cost: str, J: Any, advice: str = "") -> Any:
    """Return the cost that a function returned, a number or an array of one, real or complex.

    Raises TypeError for what is no number, DimensionError for an array of several.
    """
    if isinstance(J, Tensor):
        raise HistoryError(
            f"{who}: {cost} must return a number, the cost J, in plain NumPy; it returned a "
            f"Tensor: gradcheck checks functions of Tensors"
        )
    wanted = f"{who}: {cost} must return one number, the cost J, got"
    if isinstance(J, list | tuple | dict):
        comma = " (a comma behind it makes a tuple)" if isinstance(J, tuple) else ""
        raise TypeError(f"{wanted} {in_words(J)}; return the cost alone{comma}")
    array = np.asarray(J)
    if array.dtype.kind not in "fiuc":
        missing = "; is its return missing?" if J is None else ""
        raise TypeError(f"{wanted} {in_words(J)}{missing}")
    if array.size != 1:
        raise DimensionError(f"{wanted} shape {array.shape}; reduce it (np.sum, np.mean){advice}")
    return J


def in_words(value: Any) -> str:
    """Say what a value is.

    >>> in_words([1, 2]), in_words(None), in_words("loss"), in_words(np.ones(3) * 1j)
    ('a list of 2', 'None', "the text 'loss'", 'an array of complex128')
    """
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, list | tuple | dict):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    if isinstance(value, complex | np.complexfloating):
        return f"the complex number {value:.6g}"
    if isinstance(value, int | float | np.number):
        return f"the number {value:.6g}"
    kind = type(value).__name__
    return f"a{'n' if kind[0] in 'aeiouAEIOU' else ''} {kind}"


def not_finite(x: Array) -> str:
    """Say where an array holds nan or inf; '' if it does nowhere.

    >>> not_finite(np.array([[1.0, np.nan], [np.inf, 2.0]]))
    'nan at [0, 1] and 1 more such entry'
    """
    bad = np.flatnonzero(~np.isfinite(x))
    if not bad.size:
        return ""
    more = bad.size - 1
    others = f" and {more:,} more such entr{'ies' if more > 1 else 'y'}" if more else ""
    return f"{x.flat[bad[0]]} at {place(int(bad[0]), x.shape)}{others}"


def misfit(name: str, got: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """Say what to do with an array that has not the shape wanted, as far as shapes tell.

    >>> misfit("dW1", (12,), (4, 3)), misfit("db1", (4,), (4, 1))
    ('reshape it: dW1.reshape(4, 3)', 'keepdims=True is missing')
    """
    if got == wanted[::-1] and len(wanted) == 2:
        return ""  # transposed, maybe; numbers tell
    if np.prod(got, dtype=int) != np.prod(wanted, dtype=int):
        return ""
    alike = [n for n in got if n != 1] == [n for n in wanted if n != 1]
    if alike and len(got) < len(wanted):
        return "keepdims=True is missing"
    return f"reshape it: {name}.reshape{wanted}".replace(",)", ")")


def place(i: int, shape: tuple[int, ...]) -> str:
    """Return a flat index as the user writes it.

    >>> place(7, (3, 4)), place(0, ())
    ('[1, 3]', '()')
    """
    return f"{[int(n) for n in np.unravel_index(i, shape)]}" if shape else "()"
