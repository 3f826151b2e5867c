"""Saving and loading networks: the layers as JSON, their parameters and state as arrays.

Only layers of this package can be rebuilt from a file.  Each is made again from its options; that
it would hold no more numbers than the file does is checked before it is made.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from math import prod
from typing import Any, NamedTuple

from tinygrad_dnn.nn import archive
from tinygrad_dnn.nn.activations import ACTIVATIONS, GLU, Maxout, PReLU
from tinygrad_dnn.nn.archive import Path
from tinygrad_dnn.nn.convolution import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from tinygrad_dnn.nn.dropout import Dropout
from tinygrad_dnn.nn.embedding import Embedding
from tinygrad_dnn.nn.flatten import Flatten, Unflatten
from tinygrad_dnn.nn.linear import Linear
from tinygrad_dnn.nn.normalisation import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    GroupNorm,
    LayerNorm,
    LocalResponseNorm,
)
from tinygrad_dnn.nn.parameters import buffers, parameters
from tinygrad_dnn.nn.pooling import (
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    GlobalAvgPool2d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
)
from tinygrad_dnn.nn.recurrent import GRU, LSTM, RNN
from tinygrad_dnn.nn.steps import Layer
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor


class Kind(NamedTuple):
    """How a layer is made again: from options it keeps under the same names, and what else."""

    make: type
    options: tuple[str, ...] = ()
    numbers: Callable[..., int] = lambda **_: 0  # that its arrays hold, at the least
    drawn: bool = False  # does it take rng and init?


def _convolution(make: Any, *more: str) -> Kind:
    options = ("c_in", "c_out", "kernel", "stride", "padding", "dilation", "groups", *more)

    def numbers(c_in: int, c_out: int, kernel: list[int], groups: int, **_: Any) -> int:
        return c_in * c_out * prod(kernel) // groups

    return Kind(make, options, numbers, drawn=True)


def _recurrent(make: Any) -> Kind:
    options = ("n_in", "n", "return_sequences")
    return Kind(make, options, lambda n_in, n, **_: n * (n_in + n), drawn=True)


def _normalisation(make: Any, *options: str) -> Kind:
    return Kind(make, ("n", "eps", *options), lambda n, **_: n)


_WINDOW = ("kernel", "stride", "padding", "dilation")
_KINDS = (
    Kind(Linear, ("n_in", "n_out"), lambda n_in, n_out: n_in * n_out, drawn=True),
    Kind(Embedding, ("vocabulary", "n"), lambda vocabulary, n: vocabulary * n, drawn=True),
    *map(_convolution, (Conv1d, Conv2d, Conv3d)),
    *(
        _convolution(make, "output_padding")
        for make in (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)
    ),
    *map(_recurrent, (RNN, LSTM, GRU)),
    *(_normalisation(make, "momentum") for make in (BatchNorm1d, BatchNorm2d, BatchNorm3d)),
    _normalisation(LayerNorm),
    _normalisation(GroupNorm, "groups"),
    Kind(LocalResponseNorm, ("size", "alpha", "beta", "k")),
    *(Kind(make, (*_WINDOW, "return_indices")) for make in (MaxPool1d, MaxPool2d, MaxPool3d)),
    *(Kind(make, _WINDOW) for make in (AvgPool1d, AvgPool2d, AvgPool3d)),
    Kind(GlobalAvgPool2d),
    Kind(Flatten),
    Kind(Unflatten, ("shape",)),
    Kind(Dropout, ("p",)),
    Kind(PReLU, ("n",), lambda n: n or 1),
    Kind(GLU),
    Kind(Maxout, ("pieces",)),
    *(Kind(a, tuple(signature(a).parameters)) for a in ACTIVATIONS.values() if a),
)
# What reading a description may come upon that no network of ours is described by.
MALFORMED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
KINDS = {kind.make.__name__: kind for kind in _KINDS}


def save(path: Path, layers: Sequence[Layer], tensors: Mapping[str, Tensor]) -> None:
    """Write ``layers`` and ``tensors``, their parameters and state, to ``path``."""
    first = {id(layer): i for i, layer in reversed(list(enumerate(layers)))}
    described = [
        _describe(layer) if first[id(layer)] == i else {"is": "again", "layer": first[id(layer)]}
        for i, layer in enumerate(layers)
    ]
    distinct = [layers[i] for i in set(first.values())]
    if len(tensors) < sum(len({**parameters(x), **buffers(x)}) for x in distinct):
        raise TypeError("cannot save: two layers share a Tensor, and in a file each has its own")
    archive.write(
        path,
        json.dumps(described, default=lambda n: n.item()),
        {name: t.data for name, t in tensors.items()},
    )


def load(path: Path, rng: Any) -> tuple[list[Layer], dict[str, Array]]:
    """Return the layers in ``path``, freshly made, and the arrays that belong into them."""
    text, arrays = archive.read(path)
    try:
        described = json.loads(text)
        claimed = sum(_numbers(d) for d in described)
        if claimed > (held := sum(array.size for array in arrays.values())):
            raise ValueError(f"its layers would hold {claimed:,} numbers, but it holds {held:,}")
        layers: list[Layer] = []
        for d in described:
            layers.append(layers[d["layer"]] if d["is"] == "again" else _build(d, rng))
    except MALFORMED as error:
        raise ValueError(f"{path} is not a network saved by net.save: {error}") from error
    return layers, arrays


def restore(tensors: Mapping[str, Tensor], arrays: Mapping[str, Array], path: Path) -> None:
    """Put ``arrays`` into the Tensors of the same names and shapes."""
    odd = set(tensors) ^ set(arrays)
    if not odd:
        odd = {n for n, t in tensors.items() if not _fits(t, arrays[n])}
    if odd:
        raise ValueError(
            f"{path}: arrays and layers do not belong together: {', '.join(sorted(odd))}"
        )
    for name, tensor in tensors.items():
        tensor.data = arrays[name]


def _fits(tensor: Tensor, array: Array) -> bool:
    return array.shape == tensor.shape and array.dtype.kind in "fc"


def _describe(layer: Layer) -> dict[str, Any]:
    name = type(layer).__name__
    if name not in KINDS or KINDS[name].make is not type(layer):
        raise TypeError(
            f"cannot save {layer!r}: only this package's layers can be rebuilt from a file; "
            f"save net.parameters() with np.savez instead"
        )
    return {"is": name, **{option: getattr(layer, option) for option in KINDS[name].options}}


def _numbers(described: dict[str, Any]) -> int:
    kind = KINDS.get(described["is"])
    options = {key: value for key, value in described.items() if key != "is"}
    return max(kind.numbers(**options), 0) if kind else 0


def _build(described: dict[str, Any], rng: Any) -> Layer:
    kind = KINDS[described["is"]]
    options = {name: _value(described[name]) for name in kind.options}
    if kind.drawn:
        options |= {"rng": None, "init": "zeros"}
    if kind.make is Dropout:
        options["rng"] = rng
    made: Layer = kind.make(**options)
    return made


def _value(option: Any) -> Any:
    return tuple(option) if isinstance(option, list) else option
