"""Block: the course's diagram of a chain of layers, as a scene with every box in its place.

Columns are layers, rows are what happens in them: parameters, forward step, cache, backward step,
gradients.  Data stands in boxes on the line between two columns.  Sizes follow from the widest
label, so the picture is the same on every engine.  Reads a ``Chain``, writes a ``Scene``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node, data_of
from tinygrad_dnn.visualize.captions import activation_name, cost_name
from tinygrad_dnn.visualize.chain import Chain, Layer, wants_gradient
from tinygrad_dnn.visualize.fold import middle, plural
from tinygrad_dnn.visualize.formulas import Formulas
from tinygrad_dnn.visualize.piece import Formula
from tinygrad_dnn.visualize.place import Stack, place
from tinygrad_dnn.visualize.scene import Arrow, Box, Column, Group, Line, Scene, line, shape_text
from tinygrad_dnn.visualize.words import broken

NOTE = (
    "Each d is a derivative of J: dZ and dA carry its 1/m, so dW and db need none.   "
    "* entry by entry, Σ_columns over the m examples."
)
STEPS = ("forward", "backward", "cost")  # what is computed, in equations


def block_scene(
    chain: Chain,
    *,
    fold: int | None,
    backward: bool,
    title: str,
    shapes: bool = True,
    symbolic: bool = False,
) -> Scene:
    """Return the diagram; without ``backward`` (or a cost) only the forward pass.

    ``symbolic``: the number of examples is not known, shapes say m.
    """
    drawing = _Drawing(chain, backward and wants_gradient(chain.J), shapes, symbolic)
    return drawing.scene(fold, title)


class _Drawing:
    """The scene under construction, stack by stack from left to right."""

    def __init__(self, chain: Chain, backward: bool, shapes: bool, symbolic: bool) -> None:
        self.chain, self.backward, self.shapes, self.symbolic = chain, backward, shapes, symbolic
        self.formulas = Formulas(chain, brief=True)
        self.stacks: list[Stack] = []
        self.arrows: list[Arrow] = []

    def scene(self, fold: int | None, title: str) -> Scene:
        chain, L = self.chain, len(self.chain.layers)
        start, stop = middle(L, fold) or (L, L)
        parts = [[layer] for layer in chain.layers[:start]]
        parts += [chain.layers[start:stop]] if start < stop else []
        parts += [[layer] for layer in chain.layers[stop:]]
        self.data(0, chain.X)
        for part in parts:
            self.layer(part[0]) if len(part) == 1 else self.layers(part)
            self.data(part[-1].number, part[-1].A)
        if chain.J is not None:
            self.cost(chain.J)
        sizes = [_n(chain.X), *(_n(layer.A) for layer in chain.layers)]
        cost = f", J = {_number(chain.J)}" if chain.J is not None else ""
        scene = Scene(
            view="block",
            summary=f"block diagram of {plural(L, 'layer')}, {_dims(sizes)}{cost}",
            boxes=[box for stack in self.stacks for box in stack.cells.values()],
            arrows=self.arrows,
            groups=[stack.group for stack in self.stacks if stack.group],
            pinned=True,
            title=title,
            notes=[self.facts(), *([NOTE, *self.formulas.remarks()] if self.backward else [])],
        )
        place(scene, self.stacks)
        return scene

    def facts(self) -> str:
        held = [node for layer in self.chain.layers for node in (layer.W, layer.b)]
        count = plural(sum(node.value.size for node in held), "parameter")
        examples = plural(np.shape(data_of(self.chain.X))[1], "example")
        m = "" if self.symbolic else f", m = {examples}"
        return f"{plural(len(self.chain.layers), 'layer')}, {count}{m}, {held[0].value.dtype}"

    # ---- data between the layers -------------------------------------------------------------
    def data(self, n: int, x: Any) -> None:
        self.stacks.append(Stack())
        name = f"X = A[{n}]" if n == 0 else f"A[{n}]"
        tip = f"activations of layer {n}"
        if n == 0:
            self.add("forward", "A0", "data", self.named(name, x), "the input", "square")
        elif n == len(self.chain.layers):
            self.add("forward", f"A{n}", "value", self.named(f"Ŷ = {name}", x), "the prediction")
        else:
            self.add("forward", f"A{n}", "value", self.named(name, x), tip)
        if self.backward and wants_gradient(x):
            label = self.named(f"dA[{n}]", x)
            self.add("backward", f"dA{n}", "gradient", label, f"derivative of J by A[{n}]")
        elif self.backward and n == 0:
            label = ((Line("dA[0]", "name"), Line("not needed", "shape")),)
            tip = "training needs no derivative by X"
            self.add("backward", "dA0", "gradient", label, tip, dashed=True)

    # ---- one layer ---------------------------------------------------------------------------
    def layer(self, layer: Layer) -> None:
        n = layer.number
        group = Group(f"L{n}", f"Layer {n}", _kind(layer))
        self.stacks.append(Stack(group=group))
        W, b = self.named(f"W[{n}]", layer.W), self.named(f"b[{n}]", layer.b)
        self.add("parameters", f"P{n}", "parameter", W + b, f"parameters of layer {n}")
        equations = (_lines(self.formulas.forward(layer)),)
        self.add("forward", f"F{n}", "forward", equations, f"forward step of layer {n}")
        if self.derived(layer):
            kept = self.named(f"Z[{n}]", layer.Z) + self.named(f"A[{n - 1}]", layer.before) + W
            tip = f"what layer {n} keeps for its backward step"
            self.add("cache", f"C{n}", "cache", kept, tip, "cylinder")
            equations = (_lines(self.formulas.backward(layer)),)
            self.add("backward", f"B{n}", "backward", equations, f"backward step of layer {n}")
            gradients = self.named(f"dW[{n}]", layer.W) if layer.W.needs_grad else ()
            gradients += self.named(f"db[{n}]", layer.b) if layer.b.needs_grad else ()
            if gradients:
                self.add("gradients", f"G{n}", "gradient", gradients, f"gradients of layer {n}")
        self.wires(str(n), [layer])

    def layers(self, layers: Sequence[Layer]) -> None:
        """Draw several layers as one."""
        count, first, last = len(layers), layers[0].number, layers[-1].number
        i = f"{first}to{last}"
        kinds = {_kind(layer) for layer in layers}
        what = (
            f"{count} × [{kinds.pop()}]" if len(kinds) == 1 else f"{count} layers of several kinds"
        )
        group = Group(f"L{i}", f"Layers {first} … {last}", what, folded=True)
        self.stacks.append(Stack(group=group))

        def add(row: str, letter: str, role: str, text: str, style: str, shape: str) -> None:
            columns = (line(text, style),)
            self.add(row, f"{letter}{i}", role, columns, f"layers {first} to {last}", shape, True)

        held = sum(layer.W.value.size + layer.b.value.size for layer in layers)
        add("parameters", "P", "parameter", f"{count} × (W, b)", "label", "rounded")
        box = self.stacks[-1].cells["parameters"]
        box.columns = ((*box.columns[0], Line(plural(held, "parameter"), "shape")),)
        add("forward", "F", "forward", f"forward {first} … {last}", "title", "rounded")
        if self.derived(layers[-1]):
            add("cache", "C", "cache", f"{count} × (Z, A, W)", "label", "cylinder")
            add("backward", "B", "backward", f"backward {last} … {first}", "title", "rounded")
            add("gradients", "G", "gradient", f"{count} × (dW, db)", "label", "rounded")
        self.wires(i, layers)

    def derived(self, layer: Layer) -> bool:
        return self.backward and bool(layer.Z.needs_grad)

    def wires(self, i: str, layers: Sequence[Layer]) -> None:
        """Draw the arrows of the stack just made."""
        before, after = f"A{layers[0].number - 1}", f"A{layers[-1].number}"
        self.arrow(f"P{i}", f"F{i}", "parameter")
        self.arrow(before, f"F{i}", "forward")
        self.arrow(f"F{i}", after, "forward")
        if self.derived(layers[-1]):
            self.arrow(f"F{i}", f"C{i}", "cache", dashed=True)
            self.arrow(f"C{i}", f"B{i}", "cache", dashed=True)
            self.arrow(f"d{after}", f"B{i}", "backward")
            wanted = wants_gradient(layers[0].before)
            if wanted or before == "A0":
                self.arrow(f"B{i}", f"d{before}", "backward", dashed=not wanted)
            if "gradients" in self.stacks[-1].cells:
                self.arrow(f"B{i}", f"G{i}", "backward")

    # ---- the cost ----------------------------------------------------------------------------
    def cost(self, J: Node) -> None:
        chain, L = self.chain, len(self.chain.layers)
        group = Group("LJ", "Cost", cost_name(chain))
        self.stacks.append(Stack(group=group, alike=False))
        Y = self.named("Y", chain.Y)
        self.add("parameters", "Y", "data", Y, "the targets", "square")
        top = Line(f"cost J = {_number(J)}", "title")
        self.add("forward", "J", "cost", ((top, *_lines(self.formulas.cost())),), "the cost")
        self.arrow("Y", "J", "data")
        self.arrow(f"A{L}", "J", "forward")
        if self.backward:
            kept = self.named(f"A[{L}]", chain.layers[-1].A) + Y
            tip = "what the cost keeps for its backward step"
            self.add("cache", "CJ", "cache", kept, tip, "cylinder")
            equations = (_lines(self.formulas.cost_backward()),)
            self.add("backward", "BJ", "backward", equations, "where the backward pass begins")
            self.arrow("J", "CJ", "cache", dashed=True)
            self.arrow("CJ", "BJ", "cache", dashed=True)
            self.arrow("BJ", f"dA{L}", "backward")

    # ---- small helpers -----------------------------------------------------------------------
    def named(self, name: str, x: Any) -> tuple[Column, ...]:
        """Return a name with its shape below."""
        if not self.shapes:
            return (line(name, "name"),)
        shape = np.shape(data_of(x))
        unknown_m = self.symbolic and name.lstrip("X =Ŷ")[0] in "ZA"
        text = f"({shape[0]}, m)" if unknown_m else shape_text(shape)
        return ((Line(name, "name"), Line(text, "shape")),)

    def add(
        self,
        row: str,
        name: str,
        role: str,
        columns: tuple[Column, ...],
        tip: str,
        shape: str = "rounded",
        dashed: bool = False,
    ) -> None:
        box = self.stacks[-1].cells[row] = Box(name, role, columns, shape, tip, dashed)
        box.aligned = row in ("forward", "backward") and len(columns[0]) > 1 and role in STEPS

    def arrow(self, tail: str, head: str, role: str, dashed: bool = False) -> None:
        self.arrows.append(Arrow(tail, head, role, dashed))


def _kind(layer: Layer) -> str:
    return f"{_n(layer.before)} → {_n(layer.A)}, {activation_name(layer.activation)}"


def _lines(formulas: Sequence[Formula]) -> Column:
    """Return the lines of equations; one of what the line above has begins with its equals sign."""
    texts: list[str] = []
    before = ""
    for name, text, _ in formulas:
        texts += broken(text.removeprefix(name).lstrip() if name == before else text)
        before = name
    return tuple(Line(text) for text in texts)


def _n(x: Any) -> int:
    return int(np.shape(data_of(x))[0])


def _dims(sizes: Sequence[int]) -> str:
    shown = [str(n) for n in (sizes if len(sizes) <= 12 else [*sizes[:4], "…", *sizes[-3:]])]
    return f"[{', '.join(shown)}]"


def _number(J: Node | None) -> str:
    return f"{float(J.value):.4g}" if J is not None and J.value.size == 1 else ""
