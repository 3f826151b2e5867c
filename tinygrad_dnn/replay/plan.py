"""Plan: a program with its memory and the function that runs it; what ``step.plan()`` shows."""

from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Any

import numpy as np

from tinygrad_dnn import graph
from tinygrad_dnn.containers import leaves, mapped, rebuilt
from tinygrad_dnn.graph import Node, changed, data_of, moment
from tinygrad_dnn.hooks import hooks_of
from tinygrad_dnn.recording import name_of
from tinygrad_dnn.replay.capture import leave_gradient, one_at_a_time
from tinygrad_dnn.replay.joined import joined
from tinygrad_dnn.replay.memory import Memory, planned
from tinygrad_dnn.replay.order import updates_early
from tinygrad_dnn.replay.passes import simplified
from tinygrad_dnn.replay.places import first_shared
from tinygrad_dnn.replay.program import Call, Program, constant
from tinygrad_dnn.replay.regrouped import regrouped
from tinygrad_dnn.replay.signature import Guard
from tinygrad_dnn.replay.source import Source
from tinygrad_dnn.replay.standins import stood_in
from tinygrad_dnn.tensor import Tensor, handle


class Plan:
    """What a replay does: calls of NumPy's, into fixed buffers, on live arrays where they are.

    ``calls`` are nodes of a graph, in the order in which they run; ``bytes`` is what the buffers
    take; ``constants`` are the arrays that a replay reads but takes to be as they were.
    """

    def __init__(
        self,
        program: Program,
        returned: Any,
        native: bool,
        guard: Callable[[], Guard | None] | None = None,
        outdated: Callable[[], bool] | None = None,
    ) -> None:
        self._guard = guard and guard(), len(program.inputs)
        self.program = simplified(stood_in(program))
        self.constants = _constants(program)
        if native:
            from tinygrad_dnn.replay.native import executor  # needs an extra

            executor.prepared(program)
            self.memory = planned(program, executor.STAGED, executor.WRITTEN)
            self.steps: list[Any] = [*executor.grouped(program, self.memory)]
        else:
            regrouped(program)
            updates_early(program)
            joined(program)
            self.memory = planned(program)
            self.steps = self.calls
        self.source = Source(program, self.memory, self.steps)
        self._run = self.source.function()
        self._repeat: Callable[..., Any] | None = None
        self._kinds = [_kind(r) for r in program.results]
        # Does a step leave everything so that the next one is of the same signature?
        self.repeats = not (program.grads or program.dropped or program.modes or program.kept)
        self._tensors = [isinstance(x, Tensor) for x in leaves(returned)]
        self._tree = mapped(lambda _: ..., returned)
        self._arrays = [(s.place, s.before.value) for s in program.state if s.is_array]
        self._leaves = [s.place.holder for s in program.written if isinstance(s.place.holder, Node)]
        self._changed = graph.last_change
        self._outdated = outdated
        self._lock = Lock()
        self._of_tensors = program.of_tensors
        self._overwritten = _overwritten(program, self.memory)
        self._forget()

    def _forget(self) -> None:
        """Let nodes have their arrays, and those without one nothing but a shape and a dtype."""
        for call in self.program.calls:
            call.born = moment()  # in the order in which they run
        arrays = self.memory.arrays
        self.memory.moving.clear()
        for node in (*self.program.inputs, *self.program.calls):
            if node in arrays:
                node.value = arrays[node]
            elif isinstance(node.value, np.ndarray):
                node.value = np.broadcast_to(np.zeros((), node.value.dtype), node.value.shape)

    @property
    def calls(self) -> list[Call]:
        """The calls, in order, without views of what stays where it is, which are made once."""
        return [c for c in self.program.calls if c not in self.memory.views]

    @property
    def bytes(self) -> int:
        """What the buffers take: results on their way, without parameters, inputs, constants."""
        return self.memory.arena.nbytes + self.memory.work.nbytes

    def fits(self, args: Sequence[Any]) -> bool:
        """Say if it is quickly seen that these arguments, all of a call, are of its signature."""
        guard, inputs = self._guard
        try:
            known = guard is not None and len(args) == inputs and guard(*args)
            return known and (not self._overwritten or self.is_apart(args))
        except (AttributeError, LookupError, ValueError):  # what was held is not there any more
            return False

    def is_apart(self, given: Sequence[Any]) -> bool:
        """Say if none of the inputs is an array that is overwritten before they are read."""
        data = self._data(given) if self._overwritten else ()
        owners = (x for a in data for x in (a, getattr(a, "base", None)))
        return self._overwritten.isdisjoint(map(id, owners))

    def replay(self, given: Sequence[Any]) -> Any:
        """Run it on the arguments that are inputs; return what the function returns."""
        with self._lock:
            out = self._run(*(self._data(given) if self._of_tensors else given))
            if self._leaves:
                self._note_change()
        if not self.repeats:
            (*out,) = out
            self._leave(out, given)
        if self._tree is ...:
            return handle(Node(out[0])) if self._tensors[0] else out[0]
        found = zip(self._tensors, out, strict=True)
        found = rebuilt(self._tree, [handle(Node(x)) if tensor else x for tensor, x in found])
        return self._keep(*found) if self.program.kept else found

    def _keep(self, returned: Any, *left: Any) -> Any:
        """Leave what the function keeps; return what it returns."""
        for place, x in zip(self.program.kept, left, strict=True):
            place.set(x)
        return returned

    def repeat(self, n: int, given: Sequence[Any], first: Any) -> Any:
        """Run it n - 1 times; return what was returned, ``first`` before it, as stacked arrays."""
        kept = [np.empty((n, *shape), dtype) for shape, dtype in self._kinds]
        for stack, x in zip(kept, leaves(first), strict=True):
            stack[0] = x.node.value if isinstance(x, Tensor) else x
        with self._lock:
            self._repeat = self._repeat or self.source.repeated()
            self._repeat(n, kept, *self._data(given))
            if self._leaves:
                self._note_change()
        return kept[0] if self._tree is ... else rebuilt(self._tree, kept)

    @staticmethod
    def _data(given: Sequence[Any]) -> Sequence[Any]:
        return [x.node.value if isinstance(x, Tensor) else x for x in given]

    def _note_change(self) -> None:
        """Note that the data of leaves are new; what others change meanwhile is seen later."""
        before, now = changed(self._leaves)
        if before == self._changed:
            self._changed = now

    def _leave(self, out: list[Any], given: Sequence[Any]) -> None:
        """Leave modes as the function does, and gradients, which are the last of ``out``."""
        for leaf in self.program.dropped:
            leaf.grad = None
        for part, training in self.program.modes:
            part.training = training
        for target, _ in reversed(self.program.grads):
            leave_gradient(target, out.pop(), given)

    def follows(self) -> bool:
        """Take over the data of leaves that were given a new array; the plan keeps its own.

        False if one is of another kind than was recorded, lies in the memory of another one, or has
        a hook by now; or if the plan is outdated, which is seen at a change only.
        """
        if self._changed == graph.last_change:
            return True
        with one_at_a_time:
            return self._caught_up()

    def _caught_up(self) -> bool:
        seen = graph.last_change
        if self._outdated and self._outdated():
            return False
        if any(place.key == "value" and hooks_of(place.holder) for place, _ in self._arrays):
            return False
        new = [(place, place.get(), array) for place, array in self._arrays]
        new = [(place, now, array) for place, now, array in new if now is not array]
        if any(now.shape != array.shape or now.dtype != array.dtype for _, now, array in new):
            return False
        if new and first_shared([place.get() for place, _ in self._arrays]):
            return False
        for place, now, array in new:
            array[...] = now
            place.set(array)
        if new:
            changed()  # other plans have to look again
        self._changed = seen
        return True

    @property
    def buffers(self) -> dict[Node, int]:
        """The number of the buffer that each result is in; those with the same take turns there."""
        base, end = self.memory.arena.ctypes.data, max(1, self.memory.arena.nbytes)
        starts = {
            node: array.ctypes.data - base
            for node, array in self.memory.arrays.items()
            if node.fn and 0 <= array.ctypes.data - base < end
        }
        number = {start: i for i, start in enumerate(sorted({*starts.values()}), 1)}
        return {node: number[start] for node, start in starts.items()}

    @property
    def summary(self) -> str:
        """How many calls it makes, how many of these are fused, and how much memory they take."""
        fused = [step for step in self.steps if not isinstance(step, Node)]
        inside = sum(len(step.calls) for step in fused)
        code = f", {inside} of them fused into {len(fused)} of machine code" if fused else ""
        return f"{len(self.calls)} calls{code}, {self.bytes:,} bytes of buffers"

    def __str__(self) -> str:
        lines = [f"{self.program.name}: {self.summary}", *self._described()]
        if constants := self.constants:
            said = ", ".join(f"{a.dtype} {a.shape}" for a in constants)
            lines.append(f"taken to be constant: {said}")
        return "\n".join(lines)

    def _described(self) -> Iterator[str]:
        """Yield a line for each call: its result, where that is put, and in what it is fused."""
        names, buffers = self.program.names, self.buffers
        fused = [step for step in self.steps if not isinstance(step, Node)]
        code = {call: f"[{i}] " for i, step in enumerate(fused, 1) for call in step.calls}
        targets = {s.after: f" -> {names[s.before]}" for s in self.program.written}
        for call in self.program.calls:
            name = names.setdefault(call, f"v{len(names)}")
            options = [f"{key}={_shown(a, names)}" for key, a in call.kwargs.items()]
            args = ", ".join([*(_shown(a, names) for a in call.args), *options])
            several = isinstance(call.value, (tuple, list))
            shape = getattr(call.value, "shape", "number")
            shape = f"({len(call.value)} arrays)" if several else shape
            if call in self.memory.views:
                where = ", a view"
            elif over := self.memory.reused.get(call):
                where = f" in place of {names[over]}"
            else:
                where = f" in buffer {buffers[call]}" if call in buffers else ""
            into = targets.get(call, "")
            yield f"  {code.get(call, '')}{name} {shape} = {name_of(call.fn)}({args}){where}{into}"

    __repr__ = __str__


def _overwritten(program: Program, memory: Memory) -> frozenset[int]:
    """Return the ids of live arrays that have new numbers while inputs are still to be read."""
    places = {id(s.before.value) for s in program.state if s.is_array}
    inputs: set[Node] = {*program.inputs} - memory.staged.keys()
    written: set[int] = set()
    found: set[int] = set()
    for call in program.calls:
        if not inputs.isdisjoint(call.parents):
            found |= written
            if call.base is not None:
                inputs.add(call)
        written |= places & {id(memory.arrays.get(call))}
    returned = any(isinstance(r, Node) and r in inputs for r in program.results)
    return frozenset(written if returned else found)


def _constants(program: Program) -> list[np.ndarray]:
    """Return the arrays that calls read and that are not live."""
    live = program.live
    found = (constant(a, live) for call in program.calls for a in call.args)
    return list({id(a): a for a in found if isinstance(a, np.ndarray) and a.ndim}.values())


def _kind(result: Any) -> tuple[tuple[int, ...], Any]:
    """Return shape and dtype of a result."""
    value = np.asarray(data_of(result))
    return value.shape, value.dtype


def _shown(a: Any, names: dict[Node, str]) -> str:
    if isinstance(a, Node) and a in names:
        return names[a]
    value = data_of(a)
    if isinstance(value, np.ndarray):
        return f"{value.item():.6g}" if value.size == 1 else f"constant {value.shape}"
    return repr(value)
