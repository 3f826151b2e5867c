"""Saving and loading networks as .npz files: the layers as JSON, the parameters as arrays.

Only layers of this package can be rebuilt from a file; nothing in a file is ever executed.
"""

import json
from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np

from tinygrad_dnn.nn.activations import ACTIVATIONS, LeakyReLU
from tinygrad_dnn.nn.linear import Linear
from tinygrad_dnn.nn.steps import Layer
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor

PLAIN = {cls.__name__: cls for cls in ACTIVATIONS.values() if cls and cls is not LeakyReLU}
Path = str | PathLike[str]


def save(path: Path, layers: Sequence[Layer], parameters: dict[str, Tensor]) -> None:
    """Write ``layers`` and ``parameters`` to ``path``."""
    described = json.dumps([_describe(layer) for layer in layers])
    arrays = {name: tensor.data for name, tensor in parameters.items()}
    with open(path, "wb") as file:
        np.savez(file, layers=np.array(described), **arrays)


def load(path: Path) -> tuple[list[Layer], dict[str, Array]]:
    """Return the layers in ``path``, freshly made, and the arrays that belong into them."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return [_build(d) for d in json.loads(str(arrays.pop("layers")))], arrays
    except (ValueError, KeyError, TypeError, EOFError) as error:
        raise ValueError(f"{path} is not a network saved by net.save: {error}") from error


def restore(parameters: dict[str, Tensor], arrays: dict[str, Array], path: Path) -> None:
    """Put ``arrays`` into the Tensors of the same names."""
    if set(parameters) != set(arrays):
        odd = ", ".join(sorted(set(parameters) ^ set(arrays)))
        raise ValueError(f"{path}: parameters and layers do not belong together: {odd}")
    for name, tensor in parameters.items():
        tensor.data = arrays[name]


def _describe(layer: Layer) -> dict[str, Any]:
    if isinstance(layer, Linear):
        n_out, n_in = layer.W.shape
        return {"is": "Linear", "n_in": n_in, "n_out": n_out, "dtype": str(layer.W.dtype)}
    if isinstance(layer, LeakyReLU):
        return {"is": "LeakyReLU", "slope": layer.slope}
    if type(layer).__name__ in PLAIN:
        return {"is": type(layer).__name__}
    raise TypeError(
        f"cannot save {layer!r}: only this package's layers can be rebuilt from a file; "
        f"save net.parameters() with np.savez instead"
    )


def _build(described: dict[str, Any]) -> Layer:
    kind = described["is"]
    if kind == "Linear":
        n_in, n_out = int(described["n_in"]), int(described["n_out"])
        return Linear(n_in, n_out, rng=None, init="zeros", dtype=np.dtype(described["dtype"]))
    if kind == "LeakyReLU":
        return LeakyReLU(float(described["slope"]))
    return PLAIN[kind]()
