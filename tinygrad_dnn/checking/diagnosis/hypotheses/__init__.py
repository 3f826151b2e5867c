"""What people do wrong in a backward pass, in one table: ``HYPOTHESES``.

A hypothesis takes a term of an equation and what is at hand, and yields, for each way of making the
mistake, what is said of it and the array that comes out.  Nothing is judged here: ``blame``
compares the arrays with the student's.  Arrays of another shape than the right one are welcome.
"""

from collections.abc import Callable
from typing import Any

from tinygrad_dnn.checking.diagnosis.hypotheses.costs import loss, penalty
from tinygrad_dnn.checking.diagnosis.hypotheses.products import (
    elementwise_product,
    forgotten_summand,
    not_transposed,
    other_gradient,
    other_operand,
    wrong_sum,
)
from tinygrad_dnn.checking.diagnosis.hypotheses.slopes import (
    diagonal_only,
    dropout,
    matrix_product,
    other_slope,
    slope_missing,
    slope_slips,
)
from tinygrad_dnn.checking.diagnosis.hypotheses.words import Wrong
from tinygrad_dnn.checking.diagnosis.terms import (
    Addend,
    AnyTerm,
    Direct,
    Jacobian,
    Product,
    Scene,
    Slope,
)

HYPOTHESES: dict[type, tuple[Callable[[Any, Scene], Wrong], ...]] = {
    Product: (
        not_transposed,
        other_operand,
        other_gradient,
        elementwise_product,
        forgotten_summand,
    ),
    Addend: (wrong_sum, other_gradient, forgotten_summand),
    Slope: (slope_missing, dropout, other_slope, slope_slips, matrix_product, other_gradient),
    Jacobian: (diagonal_only, other_gradient),
    Direct: (penalty, loss),
}


def all_wrong(term: AnyTerm, scene: Scene) -> Wrong:
    """Yield what every hypothesis about this term gives."""
    for hypothesis in HYPOTHESES[type(term)]:
        yield from hypothesis(term, scene)
