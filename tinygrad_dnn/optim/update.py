"""Update: what a step of an optimiser does to its parameters, replayed where that pays."""

import logging
from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from tinygrad_dnn.graph import Node

if TYPE_CHECKING:
    from tinygrad_dnn.optim.recorded import Recorded

log = logging.getLogger(__name__)

EAGERLY = 128  # steps: to record one takes as long as about a hundred


class Update:
    """Replays the steps of an optimiser, after some that were taken eagerly.

    Recording a step takes as long as those, so no loop takes twice as long as without.  Where a
    step is another one than was recorded, it is taken eagerly, and twice as many are before the
    next recording: what changes again and again is recorded ever less.
    """

    __slots__ = ("_left", "_patience", "_recorded")

    def __init__(self) -> None:
        self._patience: float = EAGERLY
        self._left: float = EAGERLY
        self._recorded: Recorded | None = None

    def replayed(self, optimizer: Any) -> bool:
        """Take a step of ``optimizer``; False if nothing was done, and eager is the way."""
        if self._left > 0:
            self._left -= 1
            return False
        leaves = [p.node for p in optimizer.parameters]
        gradients = [W.grad for W in leaves]
        recorded = self._recorded
        if recorded is None:
            return self._record(optimizer, leaves, gradients)
        if recorded.is_looked_at():
            return False
        if recorded.replayed(leaves, gradients):
            return True
        self._begin_again()
        return False

    def _begin_again(self) -> None:
        self._patience *= 2
        self._left, self._recorded = self._patience, None

    def _record(self, optimizer: Any, leaves: list[Node], gradients: Sequence[Any]) -> bool:
        """Take a step and record it; False if that cannot be, and nothing was done."""
        from tinygrad_dnn.optim.recorded import (  # only who takes many steps waits for it
            Recorded,
            can_be,
            captured,
            is_looked_at,
        )

        if is_looked_at():
            return False
        if not can_be(optimizer, leaves, gradients):
            self._begin_again()
            return False
        try:
            program = captured(optimizer, leaves, gradients)
        except Exception as reason:
            log.info("%s takes every step eagerly: %s", type(optimizer).__name__, reason)
            self._patience = self._left = inf
            return False
        self._recorded = Recorded(program, optimizer, leaves, gradients)
        return True
