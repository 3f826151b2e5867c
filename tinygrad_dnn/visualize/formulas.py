"""Formulas: the equations printed in the block diagram, for one layer or the cost.

They are those of the engine: every d-quantity is a derivative of J, so dZ and dA carry the 1/m and
dW = dZ Aᵀ needs none.  ``*`` multiplies entry by entry; Σ sums over the m examples unless it says
otherwise.  Tests evaluate every line printed here and compare it with the engine's numbers.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_dnn import nn
from tinygrad_dnn.rules import losses
from tinygrad_dnn.visualize.chain import Chain, Layer, acts_elementwise, value, wants_gradient

Activation = Callable[..., Any]
NAMES: dict[Activation, str] = {
    nn.relu: "ReLU",
    nn.leaky_relu: "LeakyReLU",
    np.tanh: "tanh",
    nn.sigmoid: "σ",
}
PAIRS = {(losses.binary_cross_entropy, nn.sigmoid), (losses.cross_entropy, nn.softmax)}
CAPTIONS = {
    losses.binary_cross_entropy: "binary cross-entropy",
    losses.binary_cross_entropy_with_logits: "binary cross-entropy of σ(Z)",
    losses.cross_entropy: "cross-entropy",
    losses.cross_entropy_with_logits: "cross-entropy of softmax(Z)",
    losses.mean_squared_error: "mean squared error",
}


def activation_name(fn: Activation | None) -> str:
    """Return what a layer's activation is called in pictures."""
    if fn is None:
        return "identity"
    return NAMES.get(fn, getattr(fn, "__name__", "g"))


def forward(layer: Layer) -> list[str]:
    """Return the two lines of the forward step."""
    n = layer.number
    g = layer.activation
    applied = f"{activation_name(g)}(Z[{n}])" if g else f"Z[{n}]"
    return [f"Z[{n}] = W[{n}] A[{n - 1}] + b[{n}]", f"A[{n}] = {applied}"]


def backward(layer: Layer, chain: Chain) -> list[str]:
    """Return the lines of the backward step: only what the engine computes."""
    n = layer.number
    last = layer is chain.layers[-1]
    lines = _dZ(layer, chain if last else None)
    if layer.W.needs_grad:
        lines.append(f"dW[{n}] = dZ[{n}] A[{n - 1}]ᵀ")
    if layer.b.needs_grad:
        lines.append(f"db[{n}] = Σ dZ[{n}]")
    if wants_gradient(layer.before):
        lines.append(f"dA[{n - 1}] = W[{n}]ᵀ dZ[{n}]")
    return lines


def _dZ(layer: Layer, chain: Chain | None) -> list[str]:
    n, g = layer.number, layer.activation
    name = activation_name(g)
    pair = chain is not None and chain.J is not None and (chain.J.fn, g) in PAIRS
    if g is None:
        return [f"dZ[{n}] = dA[{n}]"]
    if g is nn.softmax:
        if pair and chain and _columns_sum_to_one(chain.Y):
            return [f"dZ[{n}] = (A[{n}] − Y) / m"]
        return [f"dZ[{n}] = A[{n}] * (dA[{n}] − s)", f"s = Σ A[{n}] * dA[{n}] over classes"]
    if not acts_elementwise(g):
        return [f"dZ[{n}] = (∂A[{n}]/∂Z[{n}])ᵀ dA[{n}]"]
    lines = [f"dZ[{n}] = dA[{n}] * {name}'(Z[{n}])"]
    return [*lines, f"= (A[{n}] − Y) / m"] if pair else lines


def remarks(chain: Chain) -> list[str]:
    """Return what must be said beside the formulas: where the usual one does not hold."""
    for layer in chain.layers:
        if layer.activation is nn.softmax:
            alone = any(line.startswith("s = ") for line in backward(layer, chain))
            form = "takes s, a sum down each column" if alone else "is that with its cross-entropy"
            return [f"softmax does not act entry by entry: its dZ {form}."]
    return []


def _columns_sum_to_one(Y: Any) -> bool:
    data = np.asarray(value(Y))
    return data.ndim == 2 and bool(np.allclose(data.sum(axis=0), 1))


def caption(chain: Chain) -> str:
    """Return what the cost is called in pictures."""
    fn = chain.J.fn if chain.J else None
    return CAPTIONS[fn] if fn in CAPTIONS else chain.loss.replace("_", " ")


def cost(chain: Chain) -> list[str]:
    """Return J in terms of A = A[L] and Y."""
    n, fn = len(chain.layers), chain.J.fn if chain.J else None
    A = f"A[{n}]"
    table = {
        losses.binary_cross_entropy: [
            f"J = −(1/m) Σ ( Y log {A}",
            f"+ (1 − Y) log(1 − {A}) )",
        ],
        losses.cross_entropy: [f"J = −(1/m) Σ Y log {A}"],
        losses.mean_squared_error: [f"J = Σ ({A} − Y)² / (n[{n}] m)"],
    }
    name = fn.__name__ if fn in CAPTIONS and fn else chain.loss
    return table.get(fn, [f"J = {name}({A}, Y)"]) if fn else []


def cost_backward(chain: Chain) -> list[str]:
    """Return the derivative of J by A[L], where the backward pass begins."""
    n, fn = len(chain.layers), chain.J.fn if chain.J else None
    A, dA = f"A[{n}]", f"dA[{n}]"
    one_hot = _columns_sum_to_one(chain.Y) if fn is losses.cross_entropy_with_logits else False
    table = {
        losses.binary_cross_entropy: [
            f"{dA} = ( −Y / {A}",
            f"+ (1 − Y) / (1 − {A}) ) / m",
        ],
        losses.cross_entropy: [f"{dA} = −(Y / {A}) / m"],
        losses.mean_squared_error: [f"{dA} = 2 ({A} − Y) / (n[{n}] m)"],
        losses.binary_cross_entropy_with_logits: [f"{dA} = (σ({A}) − Y) / m"],
    }
    if one_hot:
        return [f"{dA} = (softmax({A}) − Y) / m"]
    return table.get(fn, [f"{dA} = ∂J / ∂{A}"]) if fn else []
