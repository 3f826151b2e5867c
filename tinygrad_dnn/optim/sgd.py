"""SGD: plain gradient descent."""

from tinygrad_dnn.optim.optimizer import Gradients, Optimizer
from tinygrad_dnn.scalars import scalar


class SGD(Optimizer):
    """Gradient descent: W = W - lr dW, for every parameter that has a gradient.

    ``parameters`` is a dict as ``net.parameters()`` returns it, or any iterable of Tensors.

    >>> from tinygrad_dnn import Tensor
    >>> W = Tensor([1.0, 2.0])
    >>> descent = SGD([W], lr=0.1)
    >>> (W**2).sum().backward()
    >>> descent.step()
    >>> W.data
    array([0.8, 1.6])
    """

    def descend(self, gradients: Gradients) -> None:
        lr = scalar(self.lr)
        for _, W, dW in gradients:
            W.value -= lr[dW.dtype] * dW
