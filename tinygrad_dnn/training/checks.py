"""Checking gradients while training: a few iterations in, a mistake shows that zeros would hide."""

from collections.abc import Callable
from typing import Any

from tinygrad_dnn.checking.arrays import in_words
from tinygrad_dnn.checking.parameters import check_parameters
from tinygrad_dnn.nn.losses import Loss
from tinygrad_dnn.nn.parameters import parameters, resting, undisturbed
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.training.batches import batches

EXAMPLES = 32


def gradient_check(
    model: Callable[[Any], Any], X: Array, Y: Array, loss: Loss, every: int
) -> Callable[[int, object], None]:
    """Return a callback that checks the gradients of ``loss`` after every so many epochs.

    Of the first examples, with dropout and its like at rest.  It raises GradientMismatchError.
    """
    if isinstance(every, bool) or not isinstance(every, int):
        raise TypeError(
            f"fit: check_grads_every must be a whole number of epochs, got {in_words(every)}"
        )
    if every < 1:
        raise ValueError(f"fit: check_grads_every must be at least 1, got {every}")
    own = getattr(model, "parameters", None)
    named = own() if own else parameters(model)
    x, y = next(batches(X, Y, EXAMPLES))

    def check(epoch: int, history: object) -> None:
        if epoch % every == 0:
            with resting(model), undisturbed(model):
                report = check_parameters(lambda: loss(model(x), y), named)
            report.raise_if_failed()

    return check
