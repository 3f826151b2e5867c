"""Layers: the course's diagram on a page: what its boxes hold, and its steps, layer by layer."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node, data_of
from tinygrad_dnn.visualize.captions import cost_name
from tinygrad_dnn.visualize.chain import Chain, Layer
from tinygrad_dnn.visualize.formulas import Formulas
from tinygrad_dnn.visualize.page.level import Detail, Level, Step
from tinygrad_dnn.visualize.page.numbers import Numbers
from tinygrad_dnn.visualize.piece import Formula
from tinygrad_dnn.visualize.scene import Arrow, Scene, shape_text

Shapes = dict[str, tuple[int, ...]]
SYMBOL = re.compile(r"(d?[WbZA]\[\d+\])(ᵀ?)")
PRODUCT = re.compile(r"(Σ_columns |)(d?[WbZA]\[\d+\]ᵀ?)( (\+ )?d?[WbZA]\[\d+\]ᵀ?)*")
DEAD = 6  # units named one by one


def layers_level(
    id: str, scene: Scene, chain: Chain, gradients: Mapping[Node, Any], numbers: Numbers
) -> Level:
    """Return the diagram, which has its places, with all it can tell."""
    known = _Known(chain, gradients, numbers)
    boxes = {box.id for box in scene.boxes if box.shape != "plain"}
    details = {name: known.detail(name) for name in sorted(boxes - {"notes"})}
    return Level(id, scene, details, _steps(scene, known))


class _Known:
    """The arrays of a chain by the names the course gives them."""

    def __init__(self, chain: Chain, gradients: Mapping[Node, Any], numbers: Numbers) -> None:
        self.chain, self.formulas, self.numbers = chain, Formulas(chain), numbers
        self.values: dict[str, Any] = {}
        self.shapes: Shapes = {}
        named: dict[str, Any] = {"A[0]": chain.X, "Y": chain.Y}
        for layer in chain.layers:
            n = layer.number
            named |= {
                f"W[{n}]": layer.W,
                f"b[{n}]": layer.b,
                f"Z[{n}]": layer.Z,
                f"A[{n}]": layer.A,
            }
        for name, x in named.items():
            if x is not None:
                self._hold(name, data_of(x))
            if x in gradients if isinstance(x, Node) else False:
                self._hold(f"d{name}", gradients[x])

    def _hold(self, name: str, array: Any) -> None:
        self.values[name], self.shapes[name] = array, np.shape(array)

    def keys(self, *names: str) -> list[str]:
        return [
            self.numbers.add(name, self.values[name], "gradient" if name[0] == "d" else "value")
            for name in names
            if name in self.values
        ]

    def lines(self, formulas: list[Formula]) -> list[tuple[str, str]]:
        """Return equations with their shapes; one of what the line above has goes on there."""
        lines: list[tuple[str, str]] = []
        before = ""
        for name, text, _ in formulas:
            if name == before:
                lines[-1] = (f"{lines[-1][0]} {text.removeprefix(name).lstrip()}", lines[-1][1])
            else:
                lines.append((text, _shapes(text, self.shapes)))
            before = name
        return lines

    def detail(self, id: str) -> Detail:
        letter, number = re.sub(r"\d.*", "", id), re.sub(r"\D", "", id)
        if "to" in id:
            return self.folded(id)
        if id in ("J", "CJ", "BJ", "Y"):
            return self.of_cost(id)
        n = int(number)
        if letter in ("A", "dA"):
            return self.of_data(letter, n)
        return self.of_layer(letter, self.chain.layers[n - 1])

    def of_data(self, letter: str, n: int) -> Detail:
        L = len(self.chain.layers)
        kind = "input" if n == 0 else "prediction" if n == L else f"activations of layer {n}"
        title = f"X = A[{n}]" if n == 0 else f"Ŷ = A[{n}]" if n == L else f"A[{n}]"
        role = "data" if n == 0 else "value"
        if letter == "dA":
            title, kind, role = f"dA[{n}]", f"derivative of J by A[{n}]", "gradient"
        remarks = []
        if letter == "dA" and f"dA[{n}]" not in self.values:
            remarks = ["Not computed: training needs no derivative by X."]
        names = (f"dA[{n}]", f"A[{n}]") if letter == "dA" else (f"A[{n}]", f"dA[{n}]")
        return Detail(title, kind, role, [], self.keys(*names), remarks)

    def of_layer(self, letter: str, layer: Layer) -> Detail:
        n = layer.number
        W, b, Z, A, before = f"W[{n}]", f"b[{n}]", f"Z[{n}]", f"A[{n}]", f"A[{n - 1}]"
        forward = _math(self.formulas.forward(layer))
        if letter == "F":
            dead = self.dead(layer)
            return Detail(
                f"Forward, layer {n}", "forward step", "forward", forward, self.keys(Z, A), dead
            )
        if letter == "P":
            keys = self.keys(W, f"d{W}", b, f"d{b}")
            return Detail(
                f"{W} and {b}", f"parameters of layer {n}", "parameter", forward[:1], keys
            )
        if letter == "C":
            kind = f"kept by layer {n} for its backward step"
            return Detail(f"Cache, layer {n}", kind, "cache", [], self.keys(Z, before, W))
        lines = self.formulas.backward(layer)
        if letter == "B":
            keys = self.keys(f"d{Z}", f"d{before}")
            return Detail(f"Backward, layer {n}", "backward step", "backward", _math(lines), keys)
        equations = _math([line for line in lines if line.name[:2] in ("dW", "db")])
        keys = self.keys(f"d{W}", f"d{b}")
        return Detail(f"d{W} and d{b}", f"gradients of layer {n}", "gradient", equations, keys)

    def of_cost(self, id: str) -> Detail:
        chain, A = self.chain, f"A[{len(self.chain.layers)}]"
        if id == "Y":
            return Detail("Y", "targets", "data", [], self.keys("Y"))
        if id == "CJ":
            return Detail(
                "Cache, cost", "kept for the backward step", "cache", [], self.keys(A, "Y")
            )
        if id == "BJ":
            lines = _math(self.formulas.cost_backward())
            kind = "where the backward pass begins"
            return Detail("Backward, cost", kind, "backward", lines, self.keys(f"d{A}"))
        J = self.numbers.add("J", chain.J.value if chain.J else None, "value")
        lines = _math(self.formulas.cost())
        return Detail("Cost J", cost_name(chain), "cost", lines, [J])

    def folded(self, id: str) -> Detail:
        first, last = (int(n) for n in re.findall(r"\d+", id))
        role = {"P": "parameter", "F": "forward", "C": "cache", "B": "backward"}.get(
            id[0], "gradient"
        )
        kind = f"{last - first + 1} layers drawn as one"
        return Detail(f"Layers {first} … {last}", kind, role, folded=True)

    def dead(self, layer: Layer) -> list[str]:
        """Return which units of a layer answer 0 to every example."""
        A = np.asarray(layer.A.value)
        if A.ndim != 2 or A.shape[1] < 2:
            return []
        units = [str(i + 1) for i in np.flatnonzero(~A.any(axis=1))]
        if not units:
            return []
        named = ", ".join(units[:DEAD]) + (", …" if len(units) > DEAD else "")
        verb = "gives" if len(units) == 1 else "give"
        return [f"Unit{'s' * (len(units) > 1)} {named} {verb} 0 for every example shown."]


def _math(formulas: list[Formula]) -> list[str]:
    return [formula.mathml for formula in formulas]


# ---- steps -----------------------------------------------------------------------------------
def _steps(scene: Scene, known: _Known) -> list[Step]:
    heads: dict[str, list[str]] = {}
    for arrow in scene.arrows:
        if not _leads_nowhere(arrow):
            heads.setdefault(arrow.tail, []).append(arrow.head)
    ids = [box.id for box in scene.boxes]
    forward = [i for i in ids if re.fullmatch(r"F\d+(to\d+)?", i)]
    backward = [i for i in reversed(ids) if re.fullmatch(r"B\d+(to\d+)?", i)]
    steps = [_step(i, "forward", heads, known) for i in forward]
    if "J" in ids:
        cost = Step("Cost", "forward", ["J"], ["J", *heads.get("J", ())])
        cost.lines = known.lines(known.formulas.cost())
        steps.append(cost)
    if "BJ" in ids:
        start = Step("Backward, cost", "backward", ["BJ"], ["BJ", *heads.get("BJ", ())])
        start.lines = known.lines(known.formulas.cost_backward())
        steps.append(start)
    steps += [_step(i, "backward", heads, known) for i in backward]
    _deal_arrows(scene, steps)
    return steps


def _step(id: str, phase: str, heads: Mapping[str, list[str]], known: _Known) -> Step:
    numbers = [int(n) for n in re.findall(r"\d+", id)]
    where = f"layer {numbers[0]}" if len(numbers) == 1 else f"layers {numbers[0]} to {numbers[1]}"
    if phase == "backward" and len(numbers) > 1:
        where = f"layers {numbers[1]} to {numbers[0]}"
    step = Step(f"{phase.capitalize()}, {where}", phase, [id], [id, *heads.get(id, ())])
    if len(numbers) == 1:
        layer = known.chain.layers[numbers[0] - 1]
        equations = known.formulas.forward if phase == "forward" else known.formulas.backward
        step.lines = known.lines(equations(layer))
    else:
        n = numbers[1] if phase == "forward" else numbers[0] - 1
        name = f"A[{n}]" if phase == "forward" else f"dA[{n}]"
        step.lines = [
            (f"… {name}", f"→ {shape_text(known.shapes[name])}" if name in known.shapes else "")
        ]
    return step


def _leads_nowhere(arrow: Arrow) -> bool:
    """Say whether an arrow shows what is not computed: the derivative by X."""
    return arrow.dashed and arrow.role == "backward"


def _deal_arrows(scene: Scene, steps: list[Step]) -> None:
    """Give every arrow to the step at which both its ends are there."""
    made = {name: k for k, step in enumerate(steps) for name in step.makes}
    for i, arrow in enumerate(scene.arrows):
        k = max(made.get(arrow.tail, -1), made.get(arrow.head, -1))
        if k >= 0 and not _leads_nowhere(arrow):
            steps[k].arrows.append(i)


def _shapes(line: str, shapes: Shapes) -> str:
    """Return an equation's shapes: of all factors in a product, else of the result alone.

    >>> _shapes("Z[1] = W[1] A[0]", {"Z[1]": (5, 8), "W[1]": (5, 3), "A[0]": (3, 8)})
    '(5, 3) (3, 8) → (5, 8)'
    """
    left, _, right = line.partition(" = ")
    if left not in shapes:
        return ""
    result = f"→ {shape_text(shapes[left])}"
    if not PRODUCT.fullmatch(right) or any(s not in shapes for s, _ in SYMBOL.findall(right)):
        return result

    def of(found: re.Match[str]) -> str:
        return shape_text(shapes[found[1]][:: -1 if found[2] else 1])

    return f"{SYMBOL.sub(of, right)} {result}" if SYMBOL.fullmatch(right) is None else result
