"""Source: a program as straight-line Python, one NumPy call a line, into fixed arrays.

This is the plain executor: what it runs is what eager runs, without making anything anew.
"""

from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.replay.memory import Memory
from tinygrad_dnn.replay.passes import is_elementwise, is_reduction
from tinygrad_dnn.replay.program import Program
from tinygrad_dnn.replay.symbol import is_number


class Source:
    """Writes the lines; ``names`` holds what they mean by the names that are not their own."""

    def __init__(self, program: Program, memory: Memory) -> None:
        self.program, self.memory = program, memory
        self.names: dict[str, Any] = {}
        self.lines: list[str] = []
        self._known: dict[int, str] = {}
        self._word: dict[Node, str] = {}
        self._scalars: dict[tuple[Node, Any], str] = {}

    def function(self) -> Any:
        """Return the program as a function of its input arrays."""
        for node in self.program.inputs:
            self._word[node] = f"x{len(self._word)}"
        parameters = ", ".join(self._word.values())
        for s in self.program.state:
            if not isinstance(s.before.value, np.ndarray):
                self._new(s.before, self._place(s.place))
        for call in self.program.calls:
            self.call(call)
        for s in self.program.written:
            if not isinstance(s.before.value, np.ndarray):
                self.lines.append(f"{self._place(s.place)} = {self.word(s.after)}")
        for s in self.memory.copies:
            target = self._constant(self.memory.arrays[s.before], "s")
            self.lines.append(f"{self._constant(np.copyto, 'copyto')}({target}, {self.word(s.after)})")
        results = [self._result(r) for r in [*self.program.results, *(g for _, g in self.program.grads)]]
        self.lines.append(f"return ({''.join(r + ', ' for r in results)})")
        return self._compiled(parameters)

    def _compiled(self, parameters: str) -> Any:
        body = "\n        ".join(self.lines)
        text = (
            f"def made({', '.join(self.names)}):\n    def replay({parameters}):\n"
            f"        {body}\n    return replay\n"
        )
        scope: dict[str, Any] = {}
        exec(compile(text, f"<replay of {self.program.name}>", "exec"), scope)
        return scope["made"](**self.names)

    def call(self, call: Node) -> None:
        """Write the line of one call."""
        if call in self.memory.views:
            return  # made once, of what stays where it is
        fn = self._constant(call.fn, getattr(call.fn, "__name__", "f"))
        if call not in self.memory.arrays:
            args = [*map(self.word, call.args)]
            args += [f"{k}={self.word(v)}" for k, v in call.kwargs.items()]
            self._new(call, f"{fn}({', '.join(args)})")
            return
        out = self.word(call)
        if is_elementwise(call):
            args = [self._operand(a, call) for a in call.args]
            self.lines.append(f"{fn}({', '.join(args)}, {out})")
        elif is_reduction(call):
            x, axis, _, _, keep = map(self.word, call.args)
            self.lines.append(f"{fn}({x}, {axis}, None, {out}, {keep})")
        elif call.fn is np.matmul:
            a, b = map(self.word, call.args)
            self.lines.append(f"{fn}({a}, {b}, {out})")
        else:  # a copy, or a cast
            copyto = self._constant(np.copyto, "copyto")
            self.lines.append(f"{copyto}({out}, {self.word(call.args[0])}, 'unsafe')")

    def word(self, a: Any) -> str:
        """Return what the lines call ``a``."""
        if isinstance(a, Node):
            if a in self._word:
                return self._word[a]
            if a in self.memory.arrays:
                kind = "b" if a.fn else (a.name or "c")
                self._word[a] = self._constant(self.memory.arrays[a], kind)
                return self._word[a]
            a = a.value  # a constant
        if a is None or isinstance(a, bool) or (is_number(a) and np.isfinite(a)):
            return f"({a!r})"
        return self._constant(a, "c")

    def _operand(self, a: Any, call: Node) -> str:
        """Return an argument of an elementwise call: a number as an array of one, made before."""
        value = a.value if isinstance(a, Node) else a
        if not is_number(value):
            return self.word(a)
        dtypes = {b.value.dtype for b in call.parents if isinstance(b.value, np.ndarray)}
        (dtype,) = dtypes if len(dtypes) == 1 else (None,)
        if dtype is None or dtype.kind != "f":
            return self.word(a)
        if not isinstance(a, Node) or a not in self._word:
            return self._constant(np.array(value, dtype), "c")
        key = a, dtype  # a live number
        if key not in self._scalars:
            self._scalars[key] = self._constant(np.array(value, dtype), "n")
            self.lines.append(f"{self._scalars[key]}[()] = {self.word(a)}")
        return self._scalars[key]

    def _result(self, r: Any) -> str:
        word = self.word(r)
        value = r.value if isinstance(r, Node) else r
        return f"{word}.copy()" if isinstance(value, np.ndarray) else word

    def _new(self, node: Node, expression: str) -> None:
        self._word[node] = f"v{len(self._word)}"
        self.lines.append(f"{self._word[node]} = {expression}")

    def _place(self, place: Any) -> str:
        holder = self._constant(place.holder, "h")
        if isinstance(place.holder, dict | list):
            return f"{holder}[{self._constant(place.key, 'k')}]"
        return f"{holder}.{place.key}"

    def _constant(self, value: Any, kind: str) -> str:
        """Return the name of an object that is there before the lines run."""
        if id(value) not in self._known:
            stem = kind if kind.isidentifier() else "c"
            self._known[id(value)] = name = f"{stem}_{len(self.names)}"
            self.names[name] = value
        return self._known[id(value)]
