"""Step: one iteration of training, recorded and replayed where that can be."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_dnn.nn.losses import Loss
from tinygrad_dnn.optim import Optimizer
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.replay import jit

log = logging.getLogger(__name__)


class Step:
    """Forward, cost, backward, update: ``step(x, y)`` returns the cost J and the prediction A.

    With ``replay`` the first call records it, as ``tg.jit`` does; if that fails, why is logged, and
    every step is computed anew.
    """

    def __init__(
        self, model: Callable[[Any], Any], loss: Loss, optimizer: Optimizer, replay: bool
    ) -> None:
        def step(x: Array, y: Array) -> tuple[Any, Any]:
            A = model(x)
            J = loss(A, y)
            optimizer.zero_grad()
            J.backward()
            optimizer.step()
            return J, A

        self.anew = step
        self.replayed = jit(step) if replay else None

    def __call__(self, x: Array, y: Array) -> tuple[Any, Any]:
        if (done := self._tried(lambda replayed: replayed(x, y))) is not None:
            J, A = done
            return J, A
        return self.anew(x, y)

    def repeat(self, n: int, x: Array, y: Array) -> tuple[Any, Any]:
        """Take ``n`` steps; return their costs (n,) and predictions (n, ...), as arrays."""
        if (done := self._tried(lambda replayed: replayed.repeat(n, x, y))) is not None:
            costs, predictions = done
            return costs, predictions
        found = [self.anew(x, y) for _ in range(n)]
        costs, predictions = (np.stack([t.data for t in ts]) for ts in zip(*found, strict=True))
        return costs, predictions

    def _tried(self, run: Callable[[jit], Any]) -> Any:
        """Return what ``run`` makes of the recorded step; None if it cannot be recorded."""
        if self.replayed is None:
            return None
        try:
            return run(self.replayed)
        except Exception as reason:
            if reason is not self.replayed.failure:
                raise
            log.info("fit computes every step anew: %s", reason)
            self.replayed = None
            return None
