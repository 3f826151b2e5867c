"""Steps: the callables of a network, with the number of the layer each belongs to.

Layer l is a callable with parameters together with what follows it up to the next such one.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tinygrad_dnn.nn.parameters import parameters

Layer = Callable[[Any], Any]


class Step(NamedTuple):
    """One callable of a network, the layer l it belongs to, and what its result is called."""

    number: int
    layer: Layer
    result: str | None


def steps_of(layers: Sequence[Layer]) -> list[Step]:
    """Number the callables by layer, one used twice as one; name their results Z[l] and A[l]."""
    numbers: dict[int, int] = {}  # of each layer with parameters, by identity
    steps: list[Step] = []
    number = 0
    for i, layer in enumerate(layers):
        has_parameters = bool(parameters(layer))
        if has_parameters:
            number = numbers.setdefault(id(layer), len(numbers) + 1)
        ends = i + 1 == len(layers) or bool(parameters(layers[i + 1]))
        result = f"Z{number}" if has_parameters else f"A{number}" if ends and number else None
        steps.append(Step(max(number, 1), layer, result))
    return steps
