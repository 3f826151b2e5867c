"""RMSProp: each entry's step is measured by the size its gradient has had of late."""

from collections.abc import Iterable

import numpy as np

from tinygrad_dnn.optim.optimizer import Gradients, Optimizer
from tinygrad_dnn.tensor import Tensor


class RMSProp(Optimizer, replayed=True):
    """s = beta s + (1 - beta) dW^2;  W = W - lr dW / (sqrt(s) + eps)  (Hinton, 2012).

    >>> W = Tensor([1.0, 1.0])
    >>> descent = RMSProp([W], lr=0.1, beta=0.75)
    >>> (W * [1e3, 1e-3]).sum().backward()
    >>> descent.step()
    >>> np.round(W.data, 3)
    array([0.8, 0.8])
    """

    beta: float

    def __init__(
        self,
        parameters: dict[str, Tensor] | Iterable[Tensor],
        *,
        lr: float = 0.01,
        beta: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float | None = None,
    ) -> None:
        super().__init__(parameters, lr=lr, weight_decay=weight_decay)
        self.share(beta=beta)
        self.eps = eps
        self.s = self.squares()

    def descend(self, gradients: Gradients) -> None:
        s, beta, eps, lr = self.s, self.beta, self.eps, self.lr
        for i, W, dW in gradients:
            s[i] *= beta
            s[i] += (1 - beta) * np.square(dW)
            W.value -= lr * dW / (np.sqrt(s[i]) + eps)
