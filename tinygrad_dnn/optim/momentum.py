"""Momentum: a ball that rolls downhill and keeps some of its speed."""

from collections.abc import Iterable

from tinygrad_dnn.optim.optimizer import Gradients, Optimizer
from tinygrad_dnn.tensor import Tensor


class Momentum(Optimizer, replayed=True):
    """v = beta v + dW;  W = W - lr v  (Polyak, 1964).

    The course averages instead, v = beta v + (1 - beta) dW: the same steps with lr / (1 - beta).

    >>> W = Tensor([1.0])
    >>> descent = Momentum([W], lr=0.1, beta=0.5)
    >>> for _ in range(2):
    ...     descent.zero_grad()
    ...     (3 * W).sum().backward()
    ...     descent.step()
    >>> W.data  # 1 - 0.1 * 3 - 0.1 * 4.5
    array([0.25])
    """

    beta: float

    def __init__(
        self,
        parameters: dict[str, Tensor] | Iterable[Tensor],
        *,
        lr: float,
        beta: float = 0.9,
        weight_decay: float | None = None,
    ) -> None:
        super().__init__(parameters, lr=lr, weight_decay=weight_decay)
        self.share(beta=beta)
        self.v = self.zeros()

    def descend(self, gradients: Gradients) -> None:
        v, beta, lr = self.v, self.beta, self.lr
        for i, W, dW in gradients:
            v[i] *= beta
            v[i] += dW
            W.value -= lr * v[i]
