"""Adam and AdamW: momentum, measured as RMSProp does, both corrected for their start at zero."""

from collections.abc import Iterable

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.optim.optimizer import Gradients, Optimizer
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor


class Adam(Optimizer, replayed=True):
    """Algorithm 1 of Kingma and Ba (2015).

        m = beta1 m + (1 - beta1) dW           m^ = m / (1 - beta1^t)
        v = beta2 v + (1 - beta2) dW^2         v^ = v / (1 - beta2^t)
        W = W - lr m^ / (sqrt(v^) + eps)

    ``t`` counts the steps.

    >>> W = Tensor([1.0, 1.0])
    >>> descent = Adam([W], lr=0.1)
    >>> (W * [5.0, -1e-3]).sum().backward()
    >>> descent.step()
    >>> np.round(W.data, 4)  # the first step is lr times the sign of dW
    array([0.9, 1.1])
    """

    beta1: float
    beta2: float

    def __init__(
        self,
        parameters: dict[str, Tensor] | Iterable[Tensor],
        *,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float | None = None,
    ) -> None:
        super().__init__(parameters, lr=lr, weight_decay=weight_decay)
        self.share(beta1=beta1, beta2=beta2)
        self.eps = eps
        self.t = 0
        self.m, self.v = self.zeros(), self.squares()

    def descend(self, gradients: Gradients) -> None:
        m, v, beta1, beta2, eps, lr = self.m, self.v, self.beta1, self.beta2, self.eps, self.lr
        t = self.t = self.t + 1
        corrected1, corrected2 = 1 - beta1**t, 1 - beta2**t
        for i, W, dW in gradients:
            m[i] *= beta1
            m[i] += (1 - beta1) * dW
            v[i] *= beta2
            v[i] += (1 - beta2) * np.square(dW)
            W.value -= lr * (m[i] / corrected1) / (np.sqrt(v[i] / corrected2) + eps)


class AdamW(Adam, replayed=True):
    """Adam with W = (1 - lr weight_decay) W before each step (Loshchilov and Hutter, 2019).

    So the decay stays out of the gradient, and is not measured by its size.
    """

    def __init__(
        self,
        parameters: dict[str, Tensor] | Iterable[Tensor],
        *,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float | None = 0.01,
    ) -> None:
        super().__init__(
            parameters, lr=lr, beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay
        )

    def decayed(self, W: Node, dW: Array) -> Array:
        W.value *= 1 - self.lr * self.weight_decay  # type: ignore[operator]
        return dW
