"""The names of values in a recorded computation: those they have, those they are given."""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import numpy as np

from tinygrad_dnn.checking.diagnosis.forward import Elementwise, Linear, Mixture, Softmax, Step
from tinygrad_dnn.checking.diagnosis.recorded import Recorded
from tinygrad_dnn.checking.diagnosis.sources import is_mask
from tinygrad_dnn.graph import Node
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor


class Names:
    """``of`` nodes, ``values`` of constants by name; ``done`` are nodes whose steps are known.

    ``shown`` are the student's gradients by the names of their values.
    """

    def __init__(
        self, run: Recorded, context: Mapping[str, Array], shown: Mapping[str, Array]
    ) -> None:
        taps = {name: x.node if isinstance(x, Tensor) else x for name, x in run.tapped.items()}
        self.tapped = {x: name for name, x in taps.items() if isinstance(x, Node) and x.needs_grad}
        self.of = {node: name for name, node in run.parameters.items()} | self.tapped
        self.values = {n: x.value if isinstance(x, Node) else x for n, x in taps.items()}
        made = self.tapped.values()
        self.values = {n: np.asarray(x, float) for n, x in self.values.items() if n not in made}
        self.values = {**context, **self.values}
        self.parameters = {*run.parameters}
        self.done: set[Node] = set()
        self.shown = shown

    def constant(self, x: Any) -> str:
        """Return the name of an array without a derivative."""
        if isinstance(x, Node):
            if x not in self.of:
                self.of[x] = self._free("K")
            return self.of[x]
        x = np.asarray(x, float)
        for name, value in self.values.items():
            if value is x or (value.shape == x.shape and np.array_equal(value, x)):
                return name
            if value.ndim == 2 and value.T.shape == x.shape and np.array_equal(value.T, x):
                return f"{name}.T"
        name = next(self._parts(x), None) or self._free("D" if is_mask(x) else "K")
        self.values[name] = x
        return name

    def _parts(self, x: Array) -> Iterator[str]:
        """Yield X[t], X[:, t], X[:, :, t]."""
        for name, value in self.values.items():
            for axis in range(value.ndim) if value.ndim == 3 else ():
                for t, part in enumerate(np.moveaxis(value, axis, 0)):
                    if part.shape == x.shape and np.array_equal(part, x):
                        yield f"{name}[{':, ' * axis}{t}]"

    def result(self, v: Node, step: Step) -> str:
        """Return the name of what a step makes, a new one if it has none."""
        self.done.add(v)
        if v not in self.of:
            letter, like = _like(step, self.parameters)
            digits = like[len(like.rstrip("0123456789")) :]
            own = f"{letter}{digits}"
            free = digits and self._may_be(own, v.value.shape)
            self.of[v] = own if free else self._free(letter, v.value.shape)
        return self.of[v]

    def _free(self, letter: str, shape: tuple[int, ...] | None = None) -> str:
        names = (f"{letter}{i}" for i in count(1))
        return next(name for name in names if self._may_be(name, shape))

    def _may_be(self, name: str, shape: tuple[int, ...] | None) -> bool:
        """Whether a name is free, and not that of something else in the student's gradients."""
        taken = name in self.values or name in self.of.values()
        return not taken and (name not in self.shown or self.shown[name].shape == shape)


def _like(step: Step, parameters: set[str]) -> tuple[str, str]:
    """Return the letter of a result, and a name that has its number."""
    if isinstance(step, Linear) and step.products:
        names = [operand.removesuffix(".T") for pair in step.products for operand in pair]
        own = [name for name in (*names, *step.addends) if name in parameters]
        return "Z", next((name for name in own if name[-1:].isdigit()), "")
    if isinstance(step, Elementwise | Softmax):
        return "A", step.z
    return ("S" if isinstance(step, Linear | Mixture) else "C"), ""
