"""Operations: the recorded graph on a page: what its boxes hold, and its steps, call by call."""

from collections.abc import Mapping
from typing import Any

from tinygrad_dnn.graph import Node
from tinygrad_dnn.visualize.fold import plural
from tinygrad_dnn.visualize.markup import mathml
from tinygrad_dnn.visualize.page.level import Detail, Level, Step
from tinygrad_dnn.visualize.page.numbers import Numbers
from tinygrad_dnn.visualize.reading import Reading, Thing
from tinygrad_dnn.visualize.scene import Scene, shape_text
from tinygrad_dnn.visualize.words import SIGNS, gradient_name, is_array, op_name, short, value_text

KINDS = {"operation": "operation", "leaf": "parameter", "constant": "constant"}


def operations_level(
    id: str,
    drawn: tuple[Scene, Reading, list[list[int]]],
    gradients: Mapping[Node, Any],
    numbers: Numbers,
    *,
    backward: bool,
) -> Level:
    """Return the operations, which have their places, with all that they can tell."""
    scene, reading, parts = drawn
    teller = _Teller(reading, gradients, numbers)
    boxes = scene.boxes[: len(parts)]
    details = {box.id: teller.detail(part) for box, part in zip(boxes, parts, strict=True)}
    return Level(id, scene, details, _Order(scene, reading, parts, teller).steps(backward))


class _Teller:
    """Says what is known of a thing."""

    def __init__(self, reading: Reading, gradients: Mapping[Node, Any], numbers: Numbers) -> None:
        self.reading, self.gradients, self.numbers = reading, gradients, numbers
        self.unnamed: dict[int, int] = {}
        self.called = {id(t.node): self.name(i) for i, t in enumerate(reading.things) if t.node}
        self.called |= {
            id(t.value): self.name(i) for i, t in enumerate(reading.things) if t.node is None
        }

    def name(self, i: int) -> str:
        """Return what equations call a thing: its name, a product's factors, or v1, v2, ..."""
        thing = self.reading.things[i]
        if known := short(thing.name).split(" = ")[-1] or thing.formula:
            return known
        return f"v{self.unnamed.setdefault(i, len(self.unnamed) + 1)}"

    def detail(self, part: list[int]) -> Detail:
        things = [self.reading.things[i] for i in part]
        if len(part) > 1:
            count = sum(thing.kind == "operation" for thing in things)
            title = f"{plural(count or len(part), 'operation' if count else 'input')}"
            return Detail(title, "drawn as one", "fold", folded=True)
        (thing,), name = things, self.name(part[0])
        if thing.failure:
            title, equation = f"{op_name(thing.fn)} failed", self.equation(part[0])
            shapes = self.shapes(part[0])
            return Detail(
                title, "no result", "failed", [mathml(equation)], [], [shapes, thing.failure]
            )
        title = op_name(thing.fn) if thing.fn else short(thing.name) or "constant"
        role = "cost" if thing.is_end else "forward" if thing.fn else "parameter"
        role = "backward" if thing.back else role
        role = "data" if thing.kind == "constant" else role
        equations = [mathml(self.equation(part[0]))] if thing.fn else []
        keys = [self.numbers.add(name, thing.value, "value")]
        if thing.node is not None and thing.node in self.gradients:
            keys.append(
                self.numbers.add(self.slope(part[0]), self.gradients[thing.node], "gradient")
            )
        layer = f", layer {thing.layer}" if thing.layer is not None else ""
        return Detail(title, KINDS[thing.kind] + layer, role, equations, keys)

    def slope(self, i: int) -> str:
        name, derivative = self.name(i), gradient_name(self.name(i))
        if derivative != "gradient":
            return derivative
        return f"∂J/∂({name})" if " " in name else f"∂J/∂{name}"

    def equation(self, i: int) -> str:
        thing = self.reading.things[i]
        given = [self.argument(a) for a in thing.args]
        if thing.fn in SIGNS and len(given) == 2:
            call = f"{given[0]} {SIGNS[thing.fn]} {given[1]}"
        elif thing.formula and not thing.name:
            return thing.formula
        else:
            call = thing.formula or f"{op_name(thing.fn)}({', '.join(given)})"
        return call if thing.failure else f"{self.name(i)} = {call}"

    def argument(self, a: Any) -> str:
        if isinstance(a, Node) or is_array(a):
            return self.called.get(id(a), "·")
        return value_text(a)

    def shapes(self, i: int) -> str:
        inputs = [self.reading.things[j] for j in self.reading.inputs[i]]
        given = ", ".join(shape_text(thing.shape) for thing in inputs)
        if self.reading.things[i].failure:
            return f"{given} do not fit" if len(inputs) > 1 else given
        return f"{given} → {shape_text(self.reading.things[i].shape)}"


class _Order:
    """The order of execution: forwards by creation, backwards the youngest first."""

    def __init__(
        self, scene: Scene, reading: Reading, parts: list[list[int]], teller: _Teller
    ) -> None:
        self.scene, self.reading, self.teller = scene, reading, teller
        self.ids = [box.id for box in scene.boxes]
        self.parts = parts
        self.working = [
            p
            for p, part in enumerate(parts)
            if any(self.thing(i).kind == "operation" for i in part)
        ]

    def thing(self, i: int) -> Thing:
        return self.reading.things[i]

    def steps(self, backward: bool) -> list[Step]:
        steps = [self.forward(p) for p in sorted(self.working, key=lambda p: max(self.parts[p]))]
        made = {step.at[0]: step for step in steps}
        for k, arrow in enumerate(self.scene.arrows):
            if not arrow.aside and arrow.head in made:
                made[arrow.head].arrows.append(k)
        if backward:
            steps += self.backward()
        return steps

    def forward(self, p: int) -> Step:
        part = self.parts[p]
        phase = "backward" if self.thing(part[0]).back else "forward"
        step = Step(self.title(p), phase, [self.ids[p]], [self.ids[p]])
        if len(part) == 1:
            step.lines = [(self.teller.equation(part[0]), self.teller.shapes(part[0]))]
        return step

    def backward(self) -> list[Step]:
        arrows: dict[str, list[int]] = {}
        for k, arrow in enumerate(self.scene.arrows):
            if arrow.aside:
                arrows.setdefault(arrow.tail, []).append(k)
        steps = []
        for p in sorted(self.working, key=lambda p: -min(self.parts[p])):
            inside = set(self.parts[p])
            flows = [(j, i) for i in inside for j in self.reading.inputs[i]]
            flows = sorted({flow for flow in flows if flow in self.reading.flows_back})
            if not flows:
                continue
            step = Step(f"Back through {self.title(p)}", "backward", [self.ids[p]])
            step.arrows = arrows.get(self.ids[p], [])
            if len(inside) == 1:
                step.lines = [self.brings(j) for j, _ in flows]
                node = self.thing(self.parts[p][0]).node
                if node is not None and node.detour is not None:
                    step.lines.append(("as one step with the activation before it", ""))
            steps.append(step)
        return steps

    def brings(self, j: int) -> tuple[str, str]:
        return f"adds to {self.teller.slope(j)}", shape_text(self.thing(j).shape)

    def title(self, p: int) -> str:
        part = self.parts[p]
        if len(part) > 1:
            return plural(sum(self.thing(i).kind == "operation" for i in part), "operation")
        thing = self.thing(part[0])
        layer = f", layer {thing.layer}" if thing.layer is not None else ""
        return f"{op_name(thing.fn)}{layer}"
