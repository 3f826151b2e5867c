"""Source: the steps of a plan as straight-line Python, into fixed arrays.

A step is one call of NumPy's, a line of what eager runs without making anything anew; or a fused
step, which runs several calls as one.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from tinygrad_dnn.graph import Node, data_of
from tinygrad_dnn.replay.memory import Memory
from tinygrad_dnn.replay.passes import early, is_draw, is_elementwise, is_product
from tinygrad_dnn.replay.places import Place
from tinygrad_dnn.replay.program import Program
from tinygrad_dnn.replay.reductions import is_reduction
from tinygrad_dnn.replay.symbol import is_number

_NAMED_OUT = (np.maximum, np.minimum)  # of a third argument without a name NumPy warns


class Fused(Protocol):
    """Several calls as one step: ``run(*arguments)``."""

    calls: Sequence[Node]
    run: Callable[..., Any]
    arguments: Sequence[int]


class Source:
    """Writes the lines; ``names`` are the objects that they use by name."""

    def __init__(self, program: Program, memory: Memory, steps: Sequence[Node | Fused]) -> None:
        self.program, self.memory = program, memory
        self.names: dict[str, Any] = {}
        self.first: list[str | Node] = [*program.inputs]  # a node: here its value becomes known
        self.lines: list[str | Node] = []  # after the first ones, once for every step
        self.last: list[str | Node] = []  # after the results were taken: they may be old values
        self._known: dict[int, str] = {}
        self._live = program.live
        self._word = {node: f"x{i}" for i, node in enumerate(program.inputs)}
        self.parameters = "".join(f"{word}, " for word in self._word.values())
        self._inputs()
        self._live_numbers()
        for step in self._needed(steps):
            if isinstance(step, Node):
                self._call(step)
            else:
                run = self._constant(step.run, "fused")
                self.lines.append(f"{run}({', '.join(map(str, step.arguments))})")
        self._ends()

    def function(self) -> Callable[..., Any]:
        """Return the program as a function of its inputs, which returns results and gradients."""
        returned = [*self.program.results, *(g for _, g in self.program.grads)]
        result = f"returned = ({''.join(self._result(r) + ', ' for r in returned)})"
        first, lines, last = map(self._written, (self.first, self.lines, self.last))
        return self._made("", [*first, *lines, result, *last, "return returned"])

    def repeated(self) -> Callable[..., Any]:
        """Return ``repeat(n, kept, *inputs)``, which runs the program n - 1 times.

        The results of each time are put into the arrays ``kept``, at its number.
        """
        kept = [f"kept[{j}][i] = {self._text(r)}" for j, r in enumerate(self.program.results)]
        lines = [*self._written(self.lines), *kept, *self._written(self.last), "pass"]
        loop = ["for i in range(1, n):", *(f"    {line}" for line in lines)]
        return self._made("n, kept, ", [*self._written(self.first), *loop])

    def _made(self, parameters: str, lines: Sequence[str]) -> Callable[..., Any]:
        body = "\n        ".join(lines)
        text = (
            f"def made({', '.join(self.names)}):\n"
            f"    def replay({parameters}{self.parameters}):\n"
            f"        {body}\n    return replay\n"
        )
        scope: dict[str, Any] = {}
        exec(compile(text, f"<replay of {self.program.name}>", "exec"), scope)
        made: Callable[..., Any] = scope["made"](*self.names.values())
        return made

    def _written(self, lines: Sequence[str | Node]) -> list[str]:
        """Return lines, with those that put numbers where the steps look for them."""
        places: dict[Any, list[str]] = {}
        for (key, _), array in self.memory.numbers.items():
            places.setdefault(key, []).append(f"{self._constant(array, 'n')}[()] = ")
        written: list[str] = []
        for line in lines:
            if isinstance(line, Node):
                written += [place + self._word[line] for place in places.get(line, ())]
            else:
                written.append(line)
        return written

    def _needed(self, steps: Sequence[Node | Fused]) -> list[Node | Fused]:
        """Leave out what only fused steps would have read: they look at the memory itself."""
        needed = set(self.program.ends)
        kept: list[Node | Fused] = []
        for step in reversed(steps):
            if isinstance(step, Node):
                read = step in needed or step in self.memory.arrays or is_number(step.value)
                if not (read or is_draw(step)):
                    continue
                needed.update(step.parents)
            kept.append(step)
        return kept[::-1]

    # ---- lines -------------------------------------------------------------------------------
    def _live_numbers(self) -> None:
        """Read what is live and no fixed array, and compute what is made of numbers alone."""
        read = {a for call in self.program.calls for a in call.parents} | {*self.program.ends}
        for s in self.program.state:
            if not s.is_array and s.before in read:
                self._new(s.before, self._place(s.place))
        calls, self._early = early(self.program), {}
        for call in calls:
            self._call(call)
        self._early = calls

    def _inputs(self) -> None:
        """Put the inputs that are kept where the steps look for them."""
        for node, array in self.memory.staged.items():
            self.first.append(f"{self._constant(array, 'x')}[...] = {self._word[node]}")
        for i, node in enumerate(self.memory.moving, 1):
            slots = self._constant(self.memory.slots, "slots")
            self.first.append(f"{slots}[{i}] = {self._word[node]}.ctypes.data")

    def _call(self, call: Node) -> None:
        """Write the line of one call."""
        if call in self.memory.views or call in self._early:
            return  # made once, or already there
        fn = self._constant(call.fn, getattr(call.fn, "__name__", "f"))
        if call not in self.memory.arrays:
            args = [*map(self._text, call.args)]
            args += [f"{k}={self._text(v)}" for k, v in call.kwargs.items()]
            turned = call.fn is np.transpose and len(args) == 1 and _is_array(call.args[0])
            self._new(call, f"{args[0]}.T" if turned else f"{fn}({', '.join(args)})")
            return
        out = self._text(call)
        if is_elementwise(call):
            args = [self._operand(a, call) for a in call.args]
            named = "out=" if call.fn in _NAMED_OUT else ""
            self.lines.append(f"{fn}({', '.join(args)}, {named}{out})")
        elif is_reduction(call):
            x, axis, _, _, keep = map(self._text, call.args)
            self.lines.append(f"{fn}({x}, {axis}, None, {out}, {keep})")
        elif call.fn is np.matmul:
            a, b = map(self._text, call.args)
            direct = is_product(call)  # the method, which NumPy enters in half the time
            self.lines.append(f"{a}.dot({b}, {out})" if direct else f"{fn}({a}, {b}, {out})")
        else:
            copied = call.fn in (np.copy, np.astype)
            given = ", ".join(map(self._text, call.args))
            new = self._text(call.args[0]) if copied else f"{fn}({given})"
            copyto = self._constant(np.copyto, "copyto")
            self.lines.append(f"{copyto}({out}, {new}, 'unsafe')")

    def _ends(self) -> None:
        """Write what is left in live places."""
        for s in self.program.written:
            if not s.is_array:
                self.last.append(f"{self._place(s.place)} = {self._left(s.after)}")
        for s in self.memory.copies:
            target = self._constant(self.memory.arrays[s.before], "s")
            copyto = self._constant(np.copyto, "copyto")
            self.last.append(f"{copyto}({target}, {self._text(s.after)})")

    def _left(self, after: Node) -> str:
        """Return what is left in a place that keeps no array: of a buffer not itself."""
        word = self._text(after)
        if after not in self.memory.arrays:
            return word
        return f"{self._constant(np.array, 'array')}({word})" if after.value.ndim else f"{word}[()]"

    # ---- words -------------------------------------------------------------------------------
    def _text(self, a: Any) -> str:
        """Return what the lines call ``a``."""
        if isinstance(a, Node):
            if a in self._word:
                return self._word[a]
            if a in self.memory.arrays:
                kind = "b" if a.fn else (a.name or "c")
                self._word[a] = self._constant(self.memory.arrays[a], kind)
                return self._word[a]
            if a.fn or a in self._live:
                raise AssertionError("a value that no line computes, or reads")
            a = a.value  # a constant
        if a is None or isinstance(a, bool) or (is_number(a) and np.isfinite(a)):
            return f"({a!r})"
        return self._constant(a, "c")

    def _operand(self, a: Any, call: Node) -> str:
        """Return an argument of an elementwise call; one number as an array of no dimensions."""
        value = data_of(a)
        array = self.memory.arrays.get(a) if isinstance(a, Node) else None
        if array is not None and array.size == 1 < call.value.size and len(call.args) == 2:
            return self._constant(array.reshape(()), "n")  # half the time of a broadcast
        dtypes = {b.value.dtype for b in call.parents if isinstance(b.value, np.ndarray)}
        (dtype,) = dtypes if len(dtypes) == 1 else (None,)
        if not is_number(value) or dtype is None or dtype.kind != "f":
            return self._text(a)
        return self._constant(self.memory.number(a, dtype), "n")

    def _result(self, r: Any) -> str:
        word = self._text(r)
        value = data_of(r)
        return f"{self._constant(np.array, 'array')}({word})" if hasattr(value, "shape") else word

    def _new(self, node: Node, expression: str) -> None:
        self._word[node] = f"v{len(self._word)}"
        self.lines += [f"{self._word[node]} = {expression}", node]

    def _place(self, place: Place) -> str:
        return place.text(self._constant(place.holder, "h"), self._constant(place.key, "k"))

    def _constant(self, value: Any, kind: str) -> str:
        """Return the name of an object that is there before the lines run."""
        if id(value) not in self._known:
            stem = kind if kind.isidentifier() else "c"
            self._known[id(value)] = name = f"{stem}_{len(self.names)}"
            self.names[name] = value
        return self._known[id(value)]


def _is_array(a: Any) -> bool:
    return isinstance(a, Node) and isinstance(a.value, np.ndarray)
