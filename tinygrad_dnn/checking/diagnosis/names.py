"""The names of values in a recorded computation: those they have, those they are given."""

from collections.abc import Collection, Iterator, Mapping
from itertools import count
from typing import Any

import numpy as np

from tinygrad_dnn.checking.diagnosis.forward import Call, Elementwise, Linear, Softmax, Step
from tinygrad_dnn.checking.diagnosis.recorded import Recorded
from tinygrad_dnn.checking.diagnosis.sources import LETTERS, is_mask
from tinygrad_dnn.graph import Node, data_of
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
        self.values = {n: data_of(x) for n, x in taps.items()}
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
            own = usual(step, self.parameters)
            free = own and self._may_be(own, v.value.shape)
            self.of[v] = own if free else self._free(_letter(step))
        return self.of[v]

    def _free(self, letter: str) -> str:
        names = (f"{letter}{i}" for i in count(1))
        return next(name for name in names if self._may_be(name))

    def _may_be(self, name: str, shape: tuple[int, ...] | None = None) -> bool:
        """Whether a name is free; one among the student's gradients, only for this shape."""
        taken = name in self.values or name in self.of.values()
        return not taken and (name not in self.shown or self.shown[name].shape == shape)


def usual(step: Step, parameters: Collection[str]) -> str:
    """Return what everybody calls this: Z1 what W1 is in, A1 what is made of Z1; else nothing."""
    if isinstance(step, Linear):
        factors = [operand.removesuffix(".T") for pair in step.products for operand in pair]
        own = [name for name in factors if name in parameters] if step.products else []
        digits = "".join(name.lstrip(LETTERS) for name in own[:1])
        return f"Z{digits}" if digits.isdigit() or own[:1] in (["W"], ["w"]) else ""
    if isinstance(step, Softmax) or (isinstance(step, Elementwise) and step.g != "identity"):
        return f"A{step.z[1:]}" if step.z[:1] == "Z" else ""
    return ""


def _letter(step: Step) -> str:
    if isinstance(step, Elementwise | Softmax):
        return "S" if getattr(step, "g", "") == "identity" else "A"
    if isinstance(step, Linear) and step.products:
        return "Z"
    return "C" if isinstance(step, Call) else "S"
