"""The data of the demo: sets that come inside scikit-learn, split and scaled by scikit-learn."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_dnn.primitives import Array


@dataclass(frozen=True)
class Data:
    """A classification task, examples as columns; with how the demo trains on it.

    Shapes: X (n, m); Y class numbers (m,) for more than two classes, else (1, m).
    """

    title: str
    X: Array
    Y: Array
    X_hold_out: Array
    Y_hold_out: Array
    classes: list[str]
    hidden: list[int]
    epochs: int

    @property
    def layer_dims(self) -> list[int]:
        """Return n[0], the default hidden layers, n[L]."""
        return [self.X.shape[0], *self.hidden, 1 if len(self.classes) == 2 else len(self.classes)]


def load(name: str, seed: int) -> Data:
    """Return the data set ``name``, a quarter of it held out; ``seed`` draws the split."""
    return LOADERS[name](seed)


def _digits(seed: int) -> Data:
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    classes = [str(digit) for digit in range(10)]
    return _split(
        "handwritten digits, 8 x 8 pixels", pixels / 16, labels, classes, [64, 32], 40, seed
    )


def _breast_cancer(seed: int) -> Data:
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer()
    title = "breast cancer, 30 measurements of cell nuclei"
    classes = list(map(str, bunch.target_names))
    return _split(title, bunch.data, bunch.target, classes, [16, 8], 60, seed, standardise=True)


def _moons(seed: int) -> Data:
    from sklearn.datasets import make_moons

    points, labels = make_moons(800, noise=0.2, random_state=seed)
    classes = ["upper", "lower"]
    return _split("two moons, interleaved", points, labels, classes, [16, 16], 120, seed, True)


LOADERS = {"digits": _digits, "breast-cancer": _breast_cancer, "moons": _moons}


def _split(
    title: str,
    rows: Any,
    labels: Any,
    classes: list[str],
    hidden: list[int],
    epochs: int,
    seed: int,
    standardise: bool = False,
) -> Data:
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    X, X_hold_out, Y, Y_hold_out = train_test_split(
        rows, labels, test_size=0.25, stratify=labels, random_state=seed
    )
    if standardise:
        scaler = StandardScaler().fit(X)
        X, X_hold_out = scaler.transform(X), scaler.transform(X_hold_out)
    if len(classes) == 2:
        Y, Y_hold_out = Y.reshape(1, -1), Y_hold_out.reshape(1, -1)
    columns = (np.ascontiguousarray(part.T) for part in (X, X_hold_out))
    X, X_hold_out = columns
    return Data(title, X, Y, X_hold_out, Y_hold_out, classes, hidden, epochs)
