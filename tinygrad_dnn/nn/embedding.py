"""Embedding: a learned column for every whole number."""

from typing import Any

import numpy as np

from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.nn.init import Initialiser, initialiser
from tinygrad_dnn.nn.naming import at_least_one, given, numbered, unfit, where
from tinygrad_dnn.nn.noticed import Noticed
from tinygrad_dnn.primitives import Array, as_data
from tinygrad_dnn.tensor import Tensor


def embedding(labels: Array, E: Array) -> Any:
    """Return the columns of E that ``labels`` name.

    Shapes: labels (m,), E (n, vocabulary) -> (n, m); labels (T, m), for a sequence -> (T, n, m).

    >>> embedding(np.array([2, 0]), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    array([[3., 1.],
           [6., 4.]])
    """
    return look_up("embedding", labels, E)


def look_up(who: Any, labels: Array, E: Array) -> Any:
    """As ``embedding``, on behalf of ``who``."""
    labels = as_data(labels.data if isinstance(labels, Tensor) else labels)
    if labels.ndim not in (1, 2) or labels.dtype.kind not in "iu":
        raise unfit(
            f"{where(who)}: {given(labels, who)} is {labels.dtype} {labels.shape}; it needs whole "
            f"numbers, (m,) or (T, m)",
            who,
            labels,
            E,
        )
    n, place = E.shape[1], where(who)

    def refused(least: Any, most: Any) -> DimensionError:
        said = f"labels run from {least} to {most}, but the {n} columns are numbered 0 to {n - 1}"
        return unfit(f"{place}: {said}", who, labels, E)

    labels = numbered(labels, n, refused)
    columns = E[:, labels]
    return columns if labels.ndim == 1 else np.swapaxes(columns, 0, 1)


class Embedding(Noticed):
    """The column of E for every label, as ``nn.embedding``.

    Shapes: labels (m,) -> (n, m), or (T, m) -> (T, n, m), with E (n, vocabulary).

    >>> layer = Embedding(10, 3, rng=np.random.default_rng(0))
    >>> layer(np.array([7, 7, 1])).shape
    (3, 3)
    """

    def __init__(
        self,
        vocabulary: int,
        n: int,
        *,
        rng: Any,
        init: str | Initialiser = "normal",
        dtype: Any = np.float64,
    ) -> None:
        at_least_one(f"Embedding({vocabulary}, {n})", vocabulary=vocabulary, n=n)
        self.vocabulary, self.n = vocabulary, n
        self.E = Tensor(np.asarray(initialiser(init)(rng, n, vocabulary), dtype), name="E")

    def __call__(self, labels: Array) -> Any:
        return look_up(self, labels, self.E)

    def __repr__(self) -> str:
        return f"Embedding({self.vocabulary}, {self.n})"
