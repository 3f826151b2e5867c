"""fit: train a model.  One iteration is forward, cost, backward, update."""

from collections.abc import Iterable

import numpy as np

from tinygrad_dnn.nn.losses import Loss
from tinygrad_dnn.optim import Optimizer
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.training.history import History
from tinygrad_dnn.training.training import Callback, Model, Training


def fit(
    model: Model,
    X: Array,
    Y: Array,
    *,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int | None = None,
    validation_data: tuple[Array, Array] | None = None,
    callbacks: Iterable[Callback] = (),
    check_grads_every: int | None = None,
    replay: bool = True,
    progress: bool = False,
    rng: np.random.Generator | None = None,
) -> History:
    """Train ``model`` for ``epochs`` passes over the data and return the history.

    Shapes: X (n[0], m), or sequences (T, n, m), or images (m, c, h, w); Y as ``loss`` takes it.
    Without ``batch_size`` every step sees all m examples; with it they are shuffled by ``rng``
    (default_rng(0) if none is given).  Each callback is called with (epoch, history) after every
    epoch, and stops the training by returning True.  ``progress`` shows a bar (needs tqdm).  Layers
    with a mode, as dropout, train on the batches and rest on the hold-out set.  After every
    ``check_grads_every`` epochs the gradients are compared with differences of the cost of the
    first examples; GradientMismatchError if they are wrong.  With ``replay`` a step
    is recorded once and replayed, as by ``tg.jit``: what model and loss do besides computing, as
    printing, is done once; where recording fails, the reason is logged at level INFO.
    """
    training = Training(
        model,
        X,
        Y,
        loss=loss,
        optimizer=optimizer,
        batch_size=batch_size,
        validation_data=validation_data,
        callbacks=callbacks,
        check_grads_every=check_grads_every,
        replay=replay,
        rng=rng,
    )
    return training.run(epochs, progress=progress)
