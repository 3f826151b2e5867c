"""assert_gradients: a check as an assertion, for tests."""

from collections.abc import Callable
from typing import Any

from tinygrad_dnn.checking.arrays import in_words
from tinygrad_dnn.checking.gradcheck import gradcheck
from tinygrad_dnn.errors import GradientMismatchError
from tinygrad_dnn.report import Report


def assert_gradients(f: Callable[..., Any] | Report, *inputs: Any, **options: Any) -> Report:
    """Check the gradients of ``f`` at ``inputs`` and fail with the report as the message.

    ``f`` is a function of Tensors, and ``options`` are those of ``gradcheck``; or it is the report
    of another check, as in ``assert_gradients(check_backprop(cost, params, grads))``.  Raises
    GradientMismatchError, an AssertionError; returns the report if it is true.

    >>> import numpy as np
    >>> assert_gradients(np.tanh, np.array([0.5, -1.0])).verdict
    'right'
    """
    __tracebackhide__ = True  # pytest shows the test's own line instead
    if isinstance(f, Report) and (inputs or options):
        raise TypeError("assert_gradients: a report is checked already, nothing is passed with it")
    if not isinstance(f, Report) and not callable(f):
        raise TypeError(
            f"assert_gradients takes a function of Tensors and its inputs, or the Report of a "
            f"check, got {in_words(f)}"
        )
    report = f if isinstance(f, Report) else gradcheck(f, *inputs, **options)
    if not report:
        raise GradientMismatchError(f"\n{report}")
    return report
