"""Ops: a recorded computation as a scene: one box per operation, leaf and constant array.

Layers become frames, what an operation is made from stands beside it (so the layers form a straight
lane), and a red arrow goes back wherever the backward walk goes, carrying a gradient of the
shape written at it.  Numbers stay inside the operation that uses them.  The graph is only read.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_dnn.graph import data_of
from tinygrad_dnn.visualize.clash import clash
from tinygrad_dnn.visualize.fold import plural
from tinygrad_dnn.visualize.frames import frames_of, sizes_of
from tinygrad_dnn.visualize.parts import Part
from tinygrad_dnn.visualize.reading import Reading, Thing
from tinygrad_dnn.visualize.scene import Arrow, Box, Group, Line, Scene, shape_text
from tinygrad_dnn.visualize.words import (
    clean,
    constants_text,
    gradient_name,
    op_name,
    rows_text,
    short,
    value_text,
    wrapped,
)

SHARED = "What is used many times has arrows at its first use; elsewhere it is called by its name."
MOST_LINES = 6  # of what a call that failed said


def ops_scene(
    reading: Reading,
    parts: list[Part],
    *,
    backward: bool,
    direction: str,
    numbers: bool = False,
    shapes: bool = True,
    title: str = "",
    notes: Sequence[str] = (),
) -> Scene:
    """Return what was read as a picture: one box for each of ``parts``, in their order.

    With ``numbers`` a box shows the value of what holds a few, and its gradient.
    """
    drawing = _Drawing(reading, parts, backward, direction, numbers, shapes)
    return drawing.scene(title, notes)


class _Drawing:
    def __init__(
        self,
        reading: Reading,
        parts: list[Part],
        backward: bool,
        direction: str,
        numbers: bool,
        shapes: bool,
    ) -> None:
        self.reading, self.parts, self.backward = reading, parts, backward
        self.direction, self.numbers, self.shapes = direction, numbers, shapes
        self.part_of = {i: p for p, part in enumerate(parts) for i in part}
        self.ids = self._ids()
        self.shared = {
            id(thing.node): short(thing.name)
            for i, thing in enumerate(reading.things)
            if reading.is_shared(i)
        }
        self.beyond: set[tuple[int, int]] = set()  # the second input beside an operation

    def _ids(self) -> list[str]:
        counted: Counter[str] = Counter()
        ids = []
        for part in self.parts:
            thing = self.reading.things[part[0]]
            word = "fold" if len(part) > 1 else thing.kind
            if word == "operation":
                word = "".join(c for c in op_name(thing.fn) if c.isascii() and c.isalnum()) or "op"
            counted[word] += 1
            ids.append(f"{word}_{counted[word]}")
        return ids

    def scene(self, title: str, notes: Sequence[str]) -> Scene:
        things = self.reading.things
        count = sum(thing.kind == "operation" for thing in things)
        failed = ", the last of which failed" if any(thing.failure for thing in things) else ""
        summary = f"graph of {plural(count, 'operation')}{failed}"
        scene = Scene("ops", summary, direction=self.direction)
        scene.title, scene.notes = title, [*([SHARED] if self.shared else []), *notes]
        scene.boxes = [self.box(p) for p in range(len(self.parts))]
        self.frames(scene)
        self.arrows(scene)
        return scene

    # ---- boxes -------------------------------------------------------------------------------
    def box(self, p: int) -> Box:
        part = self.parts[p]
        thing = self.reading.things[part[0]]
        if len(part) > 1:
            return self.folded(p)
        if thing.failure:
            return self.failed(p, thing)
        if thing.kind == "operation":
            return self.operation(p, thing)
        role = "parameter" if thing.kind == "leaf" else "data"
        shape = "rounded" if thing.kind == "leaf" else "square"
        name = [Line(short(thing.name), "name")] if thing.name else []
        tip = f"{thing.kind} {thing.name} {shape_text(thing.shape)}"
        what = [Line(value_text(thing.value))] if thing.value_shown else self.value(thing)
        if not name and not what:
            what = [Line(thing.kind, "label")]
        if not name and len(what) == 1:
            what = [Line(what[0].text, "label")]
        if id(thing.node) in self.shared:
            times = len(self.reading.first_users(part[0]))
            what.append(Line(f"used {times:,} times", "label"))
        lines = (*name, *what, *self.gradient(thing))
        return Box(self.ids[p], role, (lines,), shape, short(tip))

    def value(self, thing: Thing) -> list[Line]:
        """Return the value, if it is shown, and the shape, if there is one."""
        lines = []
        if self.numbers and thing.shape and not thing.failure:
            lines = [Line(text, "equation") for text in rows_text(thing.value)]
        if self.shapes and (thing.shape or not thing.value_shown):
            lines.append(Line(shape_text(thing.shape), "shape"))
        return lines + [Line(thing.remark, "label")] * bool(thing.remark)

    def gradient(self, thing: Thing) -> list[Line]:
        """Return what the red arrows bring: the gradient itself, or its name and its shape."""
        if not self.backward:
            return []
        if self.numbers and (not thing.shape or rows_text(thing.value)):
            name = f"∂J/∂{short(thing.name.split(' = ')[-1])}" if thing.name else "gradient"
            if thing.gradient is None:
                return [Line(f"{name} –", "slope")]
            if not thing.shape:
                sign = "= " if thing.name else ""
                return [Line(f"{name} {sign}{value_text(thing.gradient)}", "slope")]
            return [Line(text, "slope") for text in (name, *rows_text(thing.gradient))]
        if not (thing.derived and thing.shape) or thing.is_end:
            return []
        name = gradient_name(thing.name)
        shape = f" {shape_text(thing.shape)}" if self.shapes else ""
        return [Line(f"{name}{shape}", "gradient")]

    def failed(self, p: int, thing: Thing) -> Box:
        """Return the call that raised, with the shapes it was given and what it said."""
        shapes = [np.shape(data_of(a)) for a in thing.args]
        lines = [Line(f"{op_name(thing.fn)} failed", "title")]
        for a, shape in zip(thing.args, shapes, strict=True):
            lines.append(Line(f"{self.called(a)} {shape_text(shape)}".strip(), "equation"))
        if unequal := clash(thing.fn, shapes):
            lines.append(Line(unequal, "clash"))
        said = wrapped(clean(thing.failure), 52)[:MOST_LINES]
        lines += [Line(text, "shape") for text in said]
        return Box(self.ids[p], "failed", (tuple(lines),), "square", short(thing.failure))

    def called(self, a: Any) -> str:
        """Return the name of an argument, or of the operation that made it."""
        known = (t for t in self.reading.things if a is t.node or a is t.value)
        thing = next(known, None)
        return short(thing.name or (op_name(thing.fn) if thing.fn else "")) if thing else ""

    def operation(self, p: int, thing: Thing) -> Box:
        lines = [Line(op_name(thing.fn), "title")]
        if text := thing.formula or constants_text(
            thing.fn, thing.args, thing.kwargs, lambda a: self.shared.get(id(a), "")
        ):
            lines += [Line(short(piece), "equation") for piece in wrapped(text, 26)[:2]]
        if thing.name:
            shown = short(thing.name)
            if thing.value_shown:
                shown += f" = {value_text(thing.value)}"
            lines.append(Line(shown, "equation"))
        elif thing.value_shown:
            lines.append(Line(f"= {value_text(thing.value)}", "equation"))
        lines += [*self.value(thing), *self.gradient(thing)]
        role = "cost" if thing.is_end else "forward"
        if thing.back:
            role = "gradient" if thing.is_end else "backward"
        tip = f"{op_name(thing.fn)} {thing.name} {shape_text(thing.shape)}"
        return Box(self.ids[p], role, (tuple(lines),), "rounded", short(tip))

    def folded(self, p: int) -> Box:
        inside = [self.reading.things[i] for i in self.parts[p]]
        operations = [thing for thing in inside if thing.kind == "operation"]
        leaves = [thing for thing in inside if thing.kind == "leaf"]
        held = plural(sum(thing.size for thing in leaves), "parameter") if leaves else ""
        layers = sorted({thing.layer for thing in operations if thing.layer is not None})
        lines = [Line(f"… {plural(len(operations), 'operation')} …", "title")]
        if len(layers) > 1:
            lines = [Line(f"Layers {layers[0]} … {layers[-1]}", "heading")]
            if operations[0].back:
                lines = [Line(f"Back through layers {layers[-1]} … {layers[0]}", "heading")]
            lines.append(Line(_each_layer(operations, layers), "equation"))
        elif operations:
            common = Counter(op_name(thing.fn) for thing in operations).most_common(3)
            lines.append(Line(", ".join(f"{n:,} × {name}" for name, n in common), "equation"))
        else:
            lines = [Line(f"… {plural(len(inside), 'input')} …", "title")]
        if held:
            lines.append(Line(held, "shape"))
        return Box(self.ids[p], "fold", (tuple(lines),), "rounded", "folded", dashed=True)

    # ---- frames and arrows -------------------------------------------------------------------
    def frames(self, scene: Scene) -> None:
        """Put each layer's operations, and the leaves that only they use, into one frame."""
        found = frames_of(self.reading, self.parts)
        for number, members in found.layers.items():
            sizes = sizes_of([self.reading.things[self.parts[p][0]] for p in members])
            scene.groups.append(Group(f"L{number}", f"Layer {number}", sizes, self.named(members)))
        if found.columns and not found.layers:  # held in order only where there is a frame
            scene.groups.append(Group("all", "", members=self.ids))
        if found.cost:
            scene.groups.append(Group("LJ", "Cost", members=self.named(found.cost)))
        if found.columns:
            scene.columns = [self.named([p, *below]) for p, below in found.columns.items()]
            return
        for user, inputs in found.beside.items():  # one on either side; more must come before
            scene.level += [self.named([p, user]) for p in inputs[:2]]
            self.beyond.update((p, user) for p in inputs[1:2])

    def named(self, parts: Sequence[int]) -> list[str]:
        return [self.ids[p] for p in parts]

    def arrows(self, scene: Scene) -> None:
        reading, things = self.reading, self.reading.things
        back: dict[tuple[int, int], Thing] = {}
        folded: set[tuple[int, int]] = set()
        for i, inputs in enumerate(reading.inputs):
            head = self.part_of[i]
            for j in inputs:
                tail = self.part_of[j]
                if tail == head or not self.is_wired(j, i):
                    continue
                many = len(self.parts[tail]) > 1 or len(self.parts[head]) > 1
                if not many or (tail, head) not in folded:
                    scene.arrows.append(self.arrow(tail, head, things[j], things[i]))
                folded.add((tail, head))
                if self.backward and (j, i) in reading.flows_back:
                    back.setdefault((head, tail), things[j])
        for (head, tail), thing in back.items():
            tip = f"{gradient_name(thing.name)} {shape_text(thing.shape)}"
            scene.arrows.append(
                Arrow(self.ids[head], self.ids[tail], "backward", aside=True, tip=tip)
            )

    def is_wired(self, j: int, i: int) -> bool:
        """Say whether an arrow leads from thing j to its user i."""
        return self.reading.things[i].back or i in self.reading.wired_users(j)

    def arrow(self, tail: int, head: int, made: Thing, user: Thing) -> Arrow:
        """Return the arrow that says that one thing is made from another."""
        ends = self.ids[tail], self.ids[head]
        if user.back and not made.back:  # kept from the forward pass, until now
            return Arrow(*ends, "cache", dashed=True, loose=True)
        if made.back:
            return Arrow(*ends, "backward", across=True)
        role = {"leaf": "parameter", "operation": "forward"}.get(made.kind, "data")
        weight = 20 if made.kind == "operation" else 1
        return Arrow(*ends, role, weight=weight, across=(tail, head) in self.beyond)


def _each_layer(operations: list[Thing], layers: list[int]) -> str:
    """Return what each of some layers does, if they are alike."""
    each = [[op_name(t.fn) for t in operations if t.layer == n] for n in layers]
    if any(names != each[0] for names in each):
        return "different layers"
    what = " → ".join(each[0]) if len(each[0]) < 6 else plural(len(each[0]), "operation")
    return f"{len(layers)} × [{what}]"
