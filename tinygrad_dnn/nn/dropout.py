"""Dropout: units switched off at random while training."""

from typing import Any

from tinygrad_dnn.nn.naming import a_generator, where
from tinygrad_dnn.nn.noticed import Noticed
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.rerun import generator


def dropout(x: Array, p: float, *, rng: Any) -> Any:
    """Return x with every entry zero with probability ``p``, the others divided by 1 - p.

    Shapes: any.  The mean stays what it was ("inverted" dropout).  The mask is drawn from ``rng``
    now, and is a constant of the recorded computation.

    Source: Srivastava et al., "Dropout" (2014).

    >>> import numpy as np
    >>> dropout(np.ones(5), 0.5, rng=np.random.default_rng(0))
    array([2., 0., 0., 0., 2.])
    """
    _check(p)
    a_generator(where("dropout"), rng)
    keep = generator(rng).random(x.shape) >= p
    scale = keep / (1 - p)
    return x * (scale.astype(x.dtype) if x.dtype.kind in "fc" else scale)


def _check(p: float) -> None:
    if not 0 <= p < 1:
        raise ValueError(f"dropout: p = {p}, the probability to switch off, must be in [0, 1)")


class Dropout(Noticed):
    """``nn.dropout`` while training; nothing after ``net.eval()``.  Shapes: any.

    >>> import numpy as np
    >>> layer = Dropout(0.5, rng=np.random.default_rng(0))
    >>> layer.training = False
    >>> layer(np.ones(3))
    array([1., 1., 1.])
    """

    def __init__(self, p: float, *, rng: Any) -> None:
        _check(p)
        a_generator(f"Dropout({p})", rng)
        self.p, self.rng, self.training = p, rng, True

    def __call__(self, x: Array) -> Any:
        if not (self.training and self.p):
            return x
        if self.rng is None:
            raise ValueError(
                f"{where(self)} has no generator to train with; load the network with rng=, or "
                f"call net.eval()"
            )
        return dropout(x, self.p, rng=self.rng)

    def __repr__(self) -> str:
        return f"Dropout({self.p})"
