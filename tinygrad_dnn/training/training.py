"""Training: the loop over epochs and batches, which can be gone on with."""

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
from tinygrad_dnn.training.accuracy import accuracy, hits
from tinygrad_dnn.training.batches import batches
from tinygrad_dnn.training.checks import gradient_check
from tinygrad_dnn.training.history import History
from tinygrad_dnn.training.step import Step

Model = Callable[[Any], Any]
Callback = Callable[[int, History], Any]
TOGETHER = 1 << 16  # bytes of predictions that are kept at once


class Training:
    """What ``fit`` runs, with its arguments: ``run`` goes on where the last one stopped.

    The step is recorded once for all runs; ``history`` is of all of them.
    """

    def __init__(
        self,
        model: Model,
        X: Array,
        Y: Array,
        *,
        loss: Loss,
        optimizer: Optimizer,
        batch_size: int | None = None,
        validation_data: tuple[Array, Array] | None = None,
        callbacks: Iterable[Callback] = (),
        check_grads_every: int | None = None,
        replay: bool = True,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.model, self.loss, self.batch_size = model, loss, batch_size
        self.X, self.Y = _columns(X), _columns(Y)
        self.held_out = [_columns(a) for a in validation_data or ()]
        self.callbacks = list(callbacks)
        if check_grads_every is not None:
            check = gradient_check(model, self.X, self.Y, loss, check_grads_every)
            self.callbacks.append(check)
        self.rng = rng or np.random.default_rng(0)
        self.history = History()
        self._classes = loss in (binary_cross_entropy, cross_entropy)
        self._step = Step(model, loss, optimizer, replay)
        self._predicted = 0  # bytes of a prediction

    def run(self, epochs: int, *, progress: bool = False) -> History:
        """Train for so many more epochs, and return the history."""
        if epochs < 1:
            raise ValueError(f"fit: epochs must be at least 1, got {epochs}")
        observed = progress or self.callbacks or self.held_out or self.batch_size is not None
        end = len(self.history) + epochs
        with _bar(epochs) if progress else nullcontext() as bar:
            set_training(self.model, True)
            while len(self.history) < end:
                if observed or not self.history.cost:
                    self._epoch()
                else:
                    self._unobserved(end - len(self.history))
                if self.held_out:
                    self._hold_out(*self.held_out)
                if bar is not None:
                    bar.set_postfix(self.history.last())
                    bar.update()
                stops = [callback(len(self.history), self.history) for callback in self.callbacks]
                if True in stops:
                    break
        return self.history

    def _epoch(self) -> None:
        costs, shares, sizes = [], [], []
        for x, y in batches(self.X, self.Y, self.batch_size, rng=self.rng):
            J, A = self._step(x, y)
            costs.append(float(J))
            sizes.append(y.shape[-1])
            self._predicted = A.data.nbytes
            if self._classes:
                shares.append(accuracy(A, y))
        self.history.cost.append(_average(costs, sizes))
        if self._classes:
            self.history.accuracy.append(_average(shares, sizes))

    def _unobserved(self, epochs: int) -> None:
        """Take steps on all examples together, at most for so many epochs."""
        n = min(epochs, max(1, TOGETHER // max(1, self._predicted)))
        costs, predictions = self._step.repeat(n, self.X, self.Y)
        self.history.cost += map(float, costs)
        if self._classes:
            m = self.Y.shape[-1]
            self.history.accuracy += (float(right / m) for right in hits(predictions, self.Y))

    def _hold_out(self, X: Array, Y: Array) -> None:
        with no_grad(), resting(self.model):
            A = self.model(X)
            self.history.validation_cost.append(float(self.loss(A, Y)))
        if self._classes:
            self.history.validation_accuracy.append(accuracy(A, Y))


def _average(numbers: list[float], sizes: list[int]) -> float:
    """Return the mean over all examples of means over batches of these sizes."""
    return sum(x * n for x, n in zip(numbers, sizes, strict=True)) / sum(sizes)


def _columns(data: Any) -> Array:
    """Return data as an array: lists are welcome, and a Tensor's history is not wanted."""
    data = data.data if isinstance(data, Tensor) else data
    return data if hasattr(data, "__array_function__") else np.asarray(data)


def _bar(epochs: int) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("fit(progress=True) needs tqdm: pip install tqdm") from None
    return tqdm(total=epochs, unit="epoch")
