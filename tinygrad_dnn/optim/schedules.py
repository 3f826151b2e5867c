"""Schedules: learning rates that change as training goes on.

A *rate* is a function of t = 0, 1, 2, ..., a number of epochs or of steps; those here return one.
"""

from collections.abc import Callable
from math import cos, pi
from typing import Any

from tinygrad_dnn.optim.optimizer import Optimizer

Rate = Callable[[int], float]


class Schedule:
    """Gives ``optimizer`` the learning rate ``rate(t)``, where t counts the calls of ``step``.

    As a callback of ``fit`` it takes a step after every epoch.

    >>> from tinygrad_dnn.optim import SGD
    >>> from tinygrad_dnn.tensor import Tensor
    >>> descent = SGD([Tensor([1.0])], lr=1.0)
    >>> schedule = Schedule(descent, exponential(0.8, 0.5))
    >>> descent.lr
    0.8
    >>> schedule.step()
    >>> descent.lr
    0.4
    """

    def __init__(self, optimizer: Optimizer, rate: Rate) -> None:
        self.optimizer, self.rate, self.t = optimizer, rate, 0
        optimizer.lr = rate(0)

    def step(self) -> None:
        """Go on to the next learning rate."""
        self.t += 1
        self.optimizer.lr = self.rate(self.t)

    def __call__(self, epoch: int, history: Any) -> None:
        self.step()


def inverse_time(lr: float, decay: float) -> Rate:
    """Return lr / (1 + decay t).

    >>> [inverse_time(0.2, 1.0)(t) for t in range(4)]
    [0.2, 0.1, 0.06666666666666667, 0.05]
    """
    return lambda t: lr / (1 + decay * t)


def exponential(lr: float, factor: float) -> Rate:
    """Return lr factor^t."""
    return lambda t: lr * factor**t


def stepwise(lr: float, factor: float, every: int) -> Rate:
    """Return lr, multiplied by ``factor`` after ``every`` so many t.

    >>> [stepwise(8.0, 0.5, every=2)(t) for t in range(5)]
    [8.0, 8.0, 4.0, 4.0, 2.0]
    """
    return lambda t: lr * factor ** (t // every)


def cosine(lr: float, steps: int, *, lowest: float = 0.0) -> Rate:
    """Fall from ``lr`` to ``lowest`` in so many ``steps``, half a cosine (Loshchilov, Hutter 2017).

    >>> [round(cosine(1.0, 4)(t), 3) for t in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """
    return lambda t: lowest + (lr - lowest) * (1 + cos(pi * min(t / steps, 1))) / 2


def warmup(rate: Rate, steps: int) -> Rate:
    """Climb to ``rate(0)`` in so many ``steps``, then go on with ``rate``.

    >>> [warmup(exponential(8.0, 0.5), 4)(t) for t in range(6)]
    [2.0, 4.0, 6.0, 8.0, 8.0, 4.0]
    """
    return lambda t: rate(0) * (t + 1) / steps if t < steps else rate(t - steps)
