"""Step: one iteration of training, recorded and replayed where that can be."""

import logging
from collections.abc import Callable
from typing import Any

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
        if self.replayed is not None:
            try:
                J, A = self.replayed(x, y)
            except Exception as reason:
                if reason is not self.replayed.failure:
                    raise
                log.info("fit computes every step anew: %s", reason)
                self.replayed = None
            else:
                return J, A
        return self.anew(x, y)
