"""fit: the training loop.  One iteration is forward, cost, backward, update."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any

import numpy as np

from tinygrad_dnn.graph import no_grad
from tinygrad_dnn.nn.losses import Loss, binary_cross_entropy, cross_entropy
from tinygrad_dnn.nn.parameters import resting, set_training
from tinygrad_dnn.optim import Optimizer
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor
from tinygrad_dnn.training.accuracy import accuracy
from tinygrad_dnn.training.batches import batches
from tinygrad_dnn.training.checks import gradient_check
from tinygrad_dnn.training.history import History
from tinygrad_dnn.training.step import Step

Model = Callable[[Any], Any]
Callback = Callable[[int, History], Any]


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
    if epochs < 1:
        raise ValueError(f"fit: epochs must be at least 1, got {epochs}")
    X, Y = _columns(X), _columns(Y)
    rng = rng or np.random.default_rng(0)
    callbacks = list(callbacks)
    if check_grads_every is not None:
        callbacks.append(gradient_check(model, X, Y, loss, check_grads_every))
    classes = loss in (binary_cross_entropy, cross_entropy)
    history, step = History(), Step(model, loss, optimizer, replay)
    with _bar(epochs) if progress else nullcontext() as bar:
        set_training(model, True)
        for epoch in range(1, epochs + 1):
            costs, hits, sizes = [], [], []
            for x, y in batches(X, Y, batch_size, rng=rng):
                J, A = step(x, y)
                costs.append(float(J))
                sizes.append(y.shape[-1])
                if classes:
                    hits.append(accuracy(A, y))
            history.cost.append(_average(costs, sizes))
            if classes:
                history.accuracy.append(_average(hits, sizes))
            if validation_data:
                _hold_out(history, model, loss, classes, *map(_columns, validation_data))
            if bar is not None:
                bar.set_postfix(history.last())
                bar.update()
            stops = [callback(epoch, history) for callback in callbacks]
            if True in stops:
                break
    return history


def _average(numbers: list[float], sizes: list[int]) -> float:
    """Return the mean over all examples of means over batches of these sizes."""
    return sum(x * n for x, n in zip(numbers, sizes, strict=True)) / sum(sizes)


def _columns(data: Any) -> Array:
    """Return data as an array: lists are welcome, and a Tensor's history is not wanted."""
    data = data.data if isinstance(data, Tensor) else data
    return data if hasattr(data, "__array_function__") else np.asarray(data)


def _hold_out(
    history: History, model: Model, loss: Loss, classes: bool, X: Array, Y: Array
) -> None:
    with no_grad(), resting(model):
        A = model(X)
        history.validation_cost.append(float(loss(A, Y)))
    if classes:
        history.validation_accuracy.append(accuracy(A, Y))


def _bar(epochs: int) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("fit(progress=True) needs tqdm: pip install tqdm") from None
    return tqdm(total=epochs, unit="epoch")
