"""Ops: a recorded computation as a scene: one box per operation, leaf and constant array.

Layers become frames, what an operation is made from stands beside it (so the layers form a straight
lane), and a red arrow goes back wherever the backward walk goes, carrying a gradient of the
shape written at it.  Numbers stay inside the operation that uses them.  The graph is only read.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_dnn.visualize.chain import value
from tinygrad_dnn.visualize.clash import clash
from tinygrad_dnn.visualize.fold import plural
from tinygrad_dnn.visualize.reading import Reading, Thing
from tinygrad_dnn.visualize.scene import Arrow, Box, Group, Line, Scene, shape_text
from tinygrad_dnn.visualize.words import (
    clean,
    constants_text,
    gradient_name,
    op_name,
    short,
    value_text,
    wrapped,
)

MOST_LINES = 6  # of what a call that failed said
Part = list[int]  # the things drawn as one box


def ops_scene(
    reading: Reading,
    parts: list[Part],
    *,
    backward: bool,
    direction: str,
    title: str = "",
    notes: Sequence[str] = (),
) -> Scene:
    """Return what was read as a picture: one box for each of ``parts``, in their order."""
    return _Drawing(reading, parts, backward, direction).scene(title, notes)


class _Drawing:
    def __init__(self, reading: Reading, parts: list[Part], backward: bool, direction: str) -> None:
        self.reading, self.parts, self.backward = reading, parts, backward
        self.direction = direction
        self.part_of = {i: p for p, part in enumerate(parts) for i in part}
        self.ids = self._ids()
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
        scene.title, scene.notes = title, list(notes)
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
        what = value_text(thing.value) if thing.value_shown else shape_text(thing.shape)
        tip = f"{thing.kind} {thing.name} {shape_text(thing.shape)}"
        style = "equation" if thing.value_shown else "shape" if name else "label"
        lines = (*name, Line(what, style), *self.gradient(thing))
        return Box(self.ids[p], role, (lines,), shape, short(tip))

    def gradient(self, thing: Thing) -> list[Line]:
        """Return what the red arrows bring: the gradient's name, if it has one, and its shape."""
        if self.backward and thing.gradient is not None and thing.size == 1:
            number = value_text(thing.gradient)
            name = f"∂J/∂{short(thing.name)} =" if thing.name else "gradient"
            return [Line(f"{name} {number}", "slope")]
        if not (self.backward and thing.derived and thing.shape) or thing.is_end:
            return []
        name = gradient_name(thing.name)
        return [Line(f"{name} {shape_text(thing.shape)}", "gradient")]

    def failed(self, p: int, thing: Thing) -> Box:
        """Return the call that raised, with the shapes it was given and what it said."""
        shapes = [np.shape(value(a)) for a in thing.args]
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
        if text := thing.formula or constants_text(thing.fn, thing.args, thing.kwargs):
            lines += [Line(short(piece), "equation") for piece in wrapped(text, 30)[:2]]
        if thing.name:
            shown = short(thing.name)
            if thing.value_shown:
                shown += f" = {value_text(thing.value)}"
            lines.append(Line(shown, "equation"))
        elif thing.value_shown:
            lines.append(Line(f"= {value_text(thing.value)}", "equation"))
        if thing.shape or not thing.value_shown:
            lines.append(Line(shape_text(thing.shape), "shape"))
        lines += self.gradient(thing)
        role = "cost" if thing.is_end else "forward"
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
            each = [[op_name(t.fn) for t in operations if t.layer == n] for n in layers]
            alike = len({tuple(names) for names in each}) == 1
            lines = [Line(f"Layers {layers[0]} … {layers[-1]}", "heading")]
            what = " → ".join(each[0]) if alike and len(each[0]) < 6 else "different layers"
            lines.append(Line(f"{len(layers)} × [{what}]" if alike else what, "equation"))
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
        things, reading = self.reading.things, self.reading
        layer_of: dict[int, int] = {}
        beside: dict[int, list[int]] = defaultdict(list)
        for p, part in enumerate(self.parts):
            thing = things[part[0]]
            if len(part) > 1 or thing.layer is None or thing.kind != "operation":
                continue
            layer_of[p] = thing.layer
        for p, part in enumerate(self.parts):
            thing = things[part[0]]
            if len(part) > 1 or thing.kind == "operation":
                continue
            users = {self.part_of[i] for i in reading.users[part[0]]}
            layers = {layer_of.get(user) for user in users}
            first = min(users, default=None)
            if first is None or len(users) > 1:
                continue
            if thing.kind == "leaf" and layers != {None}:
                layer_of[p] = layer_of[first]
            if (layers != {None} and thing.kind == "leaf") or self.has_other_input(first, p):
                beside[first].append(p)
        for user, inputs in beside.items():  # one on either side; more must come before
            for p in inputs[:2]:
                scene.level.append([self.ids[p], self.ids[user]])
            self.beyond.update((p, user) for p in inputs[1:2])
        for number in sorted(set(layer_of.values())):
            members = [p for p in range(len(self.parts)) if layer_of.get(p) == number]
            group = Group(f"L{number}", f"Layer {number}", self.sizes(members))
            group.members = [self.ids[p] for p in members]
            scene.groups.append(group)

    def has_other_input(self, user: int, p: int) -> bool:
        """Say whether ``user`` has an operation before it, so that ``p`` may stand beside it."""
        things = self.reading.things
        return any(
            things[j].kind == "operation" and self.part_of[j] not in (user, p)
            for i in self.parts[user]
            for j in self.reading.inputs[i]
        )

    def sizes(self, members: list[int]) -> str:
        """Return n_in → n_out of a layer that holds one matrix."""
        things = self.reading.things
        leaves = [t for p in members if (t := things[self.parts[p][0]]).kind == "leaf"]
        matrices = [leaf for leaf in leaves if len(leaf.shape) == 2 and leaf.used_by is np.matmul]
        if len(matrices) != 1:
            return ""
        n_out, n_in = matrices[0].shape
        return f"{n_in} → {n_out}"

    def arrows(self, scene: Scene) -> None:
        reading, things = self.reading, self.reading.things
        back: dict[tuple[int, int], Thing] = {}
        folded: set[tuple[int, int]] = set()
        for i, inputs in enumerate(reading.inputs):
            head = self.part_of[i]
            for j in inputs:
                tail = self.part_of[j]
                if tail == head:
                    continue
                many = len(self.parts[tail]) > 1 or len(self.parts[head]) > 1
                if not many or (tail, head) not in folded:
                    role = {"leaf": "parameter", "operation": "forward"}.get(things[j].kind, "data")
                    weight = 20 if things[j].kind == "operation" else 1
                    arrow = Arrow(self.ids[tail], self.ids[head], role, weight=weight)
                    arrow.across = (tail, head) in self.beyond
                    scene.arrows.append(arrow)
                folded.add((tail, head))
                if self.backward and (j, i) in reading.flows_back:
                    back.setdefault((head, tail), things[j])
        for (head, tail), thing in back.items():
            tip = f"{gradient_name(thing.name)} {shape_text(thing.shape)}"
            scene.arrows.append(
                Arrow(self.ids[head], self.ids[tail], "backward", aside=True, tip=tip)
            )
