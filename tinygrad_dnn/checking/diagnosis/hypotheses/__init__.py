"""What people do wrong in a backward pass, in two tables: ``HYPOTHESES`` and ``FAMILIES``.

A hypothesis takes a term of an equation and what is at hand, and yields, for each way of making the
mistake, what is said of it and the array that comes out; a family leaves one number open, which is
fitted.  Nothing is judged here: ``blame`` compares the arrays with the student's.  Arrays of
another shape than the right one are welcome.
"""

from collections.abc import Callable, Iterator
from typing import Any

from tinygrad_dnn.checking.diagnosis.hypotheses.costs import (
    loss,
    loss_by_Z,
    loss_formula,
    mangled_loss,
    margin,
    other_labels,
    output_slope,
)
from tinygrad_dnn.checking.diagnosis.hypotheses.masks import dropout
from tinygrad_dnn.checking.diagnosis.hypotheses.mixtures import other_factor, other_part
from tinygrad_dnn.checking.diagnosis.hypotheses.passes import other_pass, pass_overwritten
from tinygrad_dnn.checking.diagnosis.hypotheses.penalties import other_constant, penalty
from tinygrad_dnn.checking.diagnosis.hypotheses.products import (
    bias_added,
    elementwise_product,
    forgotten_summand,
    not_transposed,
    operand_forgotten,
    other_gradient,
    other_operand,
    product_of_means,
    updated_weights,
    wrong_sum,
)
from tinygrad_dnn.checking.diagnosis.hypotheses.slopes import (
    matrix_product,
    other_form,
    other_leak,
    other_threshold,
    slope_elsewhere,
    slope_missing,
    slope_slips,
)
from tinygrad_dnn.checking.diagnosis.hypotheses.softmaxes import diagonal_only, wrong_jacobian
from tinygrad_dnn.checking.diagnosis.hypotheses.words import Family, Wrong
from tinygrad_dnn.checking.diagnosis.terms import (
    Addend,
    AnyTerm,
    Direct,
    Jacobian,
    Product,
    Scene,
    Share,
    Slope,
    Through,
)

HYPOTHESES: dict[type, tuple[Callable[[Any, Scene], Wrong], ...]] = {
    Product: (
        not_transposed,
        operand_forgotten,
        other_operand,
        other_pass,
        pass_overwritten,
        other_gradient,
        elementwise_product,
        forgotten_summand,
        bias_added,
    ),
    Addend: (pass_overwritten, wrong_sum, other_gradient, forgotten_summand),
    Slope: (
        slope_missing,
        dropout,
        slope_elsewhere,
        slope_slips,
        other_form,
        other_threshold,
        matrix_product,
        other_gradient,
    ),
    Share: (other_factor, other_gradient),
    Through: (other_part, other_gradient),
    Jacobian: (diagonal_only, wrong_jacobian, other_gradient),
    Direct: (
        penalty,
        loss,
        loss_formula,
        loss_by_Z,
        margin,
        output_slope,
        other_labels,
        mangled_loss,
    ),
}
FAMILIES: dict[type, tuple[Callable[[Any, Scene], Iterator[Family]], ...]] = {
    Product: (updated_weights, product_of_means),
    Slope: (other_leak,),
    Direct: (other_constant,),
}


OFTEN = {  # tried in pairs too
    not_transposed,
    operand_forgotten,
    other_operand,
    slope_missing,
    slope_elsewhere,
    dropout,
    diagonal_only,
}


def all_wrong(term: AnyTerm, scene: Scene, *, often: bool = False) -> Wrong:
    """Yield what every hypothesis about this term gives, or those that are often right."""
    for hypothesis in HYPOTHESES[type(term)]:
        if hypothesis in OFTEN or not often:
            yield from hypothesis(term, scene)


def all_families(term: AnyTerm, scene: Scene) -> Iterator[Family]:
    """Yield the mistakes in this term that have a number open."""
    for family in FAMILIES.get(type(term), ()):
        yield from family(term, scene)
