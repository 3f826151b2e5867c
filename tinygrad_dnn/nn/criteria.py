"""More losses, with the shapes checked first; what each computes stands in ``rules.criteria``.

Two decorators make them: arrays that must all have one shape, and classes that may be given as
one-hot columns or as numbers.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from tinygrad_dnn.nn.losses import matching, one_column_each
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.rules import criteria

Criterion = Callable[..., Any]


def _of_equal_shapes(fn: Criterion) -> Criterion:
    """Let ``fn`` have arrays of one shape (n, m)."""

    @wraps(fn)
    def loss(A: Array, *others: Array, **options: Any) -> Any:
        return fn(A, *(matching(fn.__name__, A, other) for other in others), **options)

    return loss


def _of_classes(fn: Criterion) -> Criterion:
    """Let ``fn`` have A (n, m) and Y (n, m) one-hot, also if given as class numbers (m,)."""

    @wraps(fn)
    def loss(A: Array, Y: Array, **options: Any) -> Any:
        return fn(A, one_column_each(fn.__name__, A, Y), **options)

    return loss


mean_absolute_error = _of_equal_shapes(criteria.mean_absolute_error)
huber = _of_equal_shapes(criteria.huber)
hinge = _of_equal_shapes(criteria.hinge)
margin_ranking = _of_equal_shapes(criteria.margin_ranking)
triplet = _of_equal_shapes(criteria.triplet)
bernoulli_nll = _of_equal_shapes(criteria.bernoulli_nll)
gaussian_nll = _of_equal_shapes(criteria.gaussian_nll)
gaussian_kl = _of_equal_shapes(criteria.gaussian_kl)
contrastive = criteria.contrastive

negative_log_likelihood = _of_classes(criteria.negative_log_likelihood)
focal = _of_classes(criteria.focal)
focal_with_logits = _of_classes(criteria.focal_with_logits)
multiclass_hinge = _of_classes(criteria.multiclass_hinge)
