"""Captions: what pictures call the activation of a layer and the cost of a network."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_dnn import nn
from tinygrad_dnn.rules import losses
from tinygrad_dnn.visualize.chain import Chain

ACTIVATIONS: dict[Callable[..., Any], str] = {
    nn.relu: "ReLU",
    nn.leaky_relu: "LeakyReLU",
    np.tanh: "tanh",
    nn.sigmoid: "σ",
}
COSTS = {
    losses.binary_cross_entropy: "binary cross-entropy",
    losses.binary_cross_entropy_with_logits: "binary cross-entropy of σ(Z)",
    losses.cross_entropy: "cross-entropy",
    losses.cross_entropy_with_logits: "cross-entropy of softmax(Z)",
    losses.mean_squared_error: "mean squared error",
}


def activation_name(fn: Callable[..., Any] | None) -> str:
    """Return what a layer's activation is called; None is the identity."""
    if fn is None:
        return "identity"
    return ACTIVATIONS.get(fn, getattr(fn, "__name__", "g"))


def cost_name(chain: Chain) -> str:
    """Return what the cost is called."""
    fn = chain.J.fn if chain.J else None
    return COSTS[fn] if fn in COSTS else chain.loss.replace("_", " ")
