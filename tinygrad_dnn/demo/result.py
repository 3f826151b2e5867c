"""Result: what a run of the demo has found."""

from dataclasses import dataclass

from tinygrad_dnn import nn
from tinygrad_dnn.demo.data import Data
from tinygrad_dnn.report import Report
from tinygrad_dnn.training import History


@dataclass(frozen=True)
class Result:
    """The trained network, and what was verified: ``validation`` before, ``check`` after."""

    data: Data
    net: nn.Sequential
    loss: nn.losses.Loss
    history: History
    validation: Report
    check: Report
    train_accuracy: float
    hold_out_accuracy: float
    seconds: float

    @property
    def verdict(self) -> str:
        """The worst verdict on any gradient."""
        return next((r.verdict for r in (self.validation, self.check) if not r), "right")
