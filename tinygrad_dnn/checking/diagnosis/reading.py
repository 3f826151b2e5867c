"""Reading the forward pass from its values: which product, which activation made this array.

Nothing is assumed of the network.  A value is explained if some arrays at hand give it to rounding;
what lies between two tapped values, as A1 = relu(Z1) between Z1 and Z2, is found on the way.
"""

from collections.abc import Mapping

from tinygrad_dnn.checking.diagnosis.between import over_hidden
from tinygrad_dnn.checking.diagnosis.forward import Forward, Linear, plain
from tinygrad_dnn.checking.diagnosis.sources import Found, activations, linear, renamed, results
from tinygrad_dnn.primitives import Array


def read(
    tapped: Mapping[str, Array], parameters: Mapping[str, Array], context: Mapping[str, Array]
) -> Forward:
    """Return the forward pass through the values ``tapped``, in the order of computation."""
    forward = Forward({**context, **parameters}, tuple(parameters))
    for name, value in tapped.items():
        found = _explain(name, value, forward)
        forward.values[name] = value
        for step, made in found:
            forward.values |= made
            forward.steps.append(step)
    forward.m, forward.over = examples(forward)
    return forward


def _explain(name: str, V: Array, forward: Forward) -> Found:
    """Return the steps that make ``V``, with what they need on the way; none if none is known."""
    if V.ndim != 2:
        return []
    return (
        next(renamed(name, V, forward), None)
        or next(linear(name, V, forward, 1), None)
        or next(activations(name, V, forward, results(forward)), None)
        or next(over_hidden(name, V, forward), None)
        or next(linear(name, V, forward, 2), None)
        or []
    )


def examples(forward: Forward) -> tuple[int, int]:
    """Return how many examples there are, and the axis along which they lie."""
    for step in forward.steps:
        if not isinstance(step, Linear):
            continue
        out = forward.values[step.out]
        for b in step.addends:
            shape = (1,) * (out.ndim - forward.values[b].ndim) + forward.values[b].shape
            wide = [i for i, n in enumerate(shape) if n == 1]
            if len(wide) == 1 and b in forward.parameters and out.ndim:
                return out.shape[wide[0]], wide[0]
        for left, right in step.products:
            if plain(left) in forward.parameters and out.ndim == 2:
                return out.shape[1], 1
            if plain(right) in forward.parameters and out.ndim:
                return out.shape[0], 0
    return 1, 1
