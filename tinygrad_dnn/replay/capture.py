"""Capture: run a function once with Symbols for all that is live, and return its Program.

The run is a real one: when it is over, every live place holds what the function left there.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_dnn.containers import leaves, rebuilt
from tinygrad_dnn.errors import ReplayError
from tinygrad_dnn.graph import NO_KWARGS, Node
from tinygrad_dnn.replay.places import Place, state_of
from tinygrad_dnn.replay.program import Program, State
from tinygrad_dnn.replay.reach import Reach
from tinygrad_dnn.replay.symbol import Symbol, Tape, current
from tinygrad_dnn.tensor import Tensor, handle


def capture(
    f: Callable[..., Any], tree: Any, inputs: Sequence[Any], live: Reach
) -> tuple[Program, Any, bool]:
    """Run ``f`` on ``tree`` = (args, kwargs), whose leaves are ``inputs``.

    Returns the program, what ``f`` returned, and whether the program can be replayed: not if the
    run made state that was not there before, as an optimiser may at its first step.
    """
    tape = Tape(getattr(f, "__name__", "the function"))
    run = _Run(tape, live)
    token = current.set(tape)
    try:
        run.lift()
        given = [run.input(x) for x in inputs]
        args, kwargs = rebuilt(tree, given)
        returned = f(*args, **kwargs)
        program = run.program(returned)
    finally:
        run.put_back()
        tape.open = False
        current.reset(token)
    complete = run.carry_out(program)
    return program, run.public(returned), complete


class _Run:
    """One recorded run: what was lifted out of its place, and what it became."""

    def __init__(self, tape: Tape, live: Reach) -> None:
        self.tape, self.live = tape, live
        self.inputs: list[Node] = []
        self.lifted: list[tuple[Place, Any, Node]] = []  # place, what was there, its node
        self.without_grad: list[Node] = []
        self.generators: list[tuple[Place, Any]] = []

    # ---- before ------------------------------------------------------------------------------
    def lift(self) -> None:
        """Put a Symbol into every live place."""
        for leaf in self.live.leaves:
            self._lift(Place(leaf, "value"), leaf.name)
            if leaf.grad is None:
                self.without_grad.append(leaf)
            else:
                self._lift(Place(leaf, "grad"), f"d{leaf.name}" if leaf.name else None)
        for optimizer in self.live.optimizers:
            for place in list(state_of(optimizer)):
                self._lift(place, place.key if isinstance(place.key, str) else None)
        for holder, key in self.live.generators:
            place = Place(holder, key)
            rng = place.get()
            self.generators.append((place, rng))
            place.set(Draws(rng, self.tape))

    def _lift(self, place: Place, name: str | None) -> None:
        value = place.get()
        symbol = self.tape.symbol(value, name)
        self.lifted.append((place, value, symbol.node))
        place.set(symbol)

    def input(self, x: Any) -> Any:
        """Return what stands for the argument ``x`` in this run."""
        if isinstance(x, np.random.Generator):
            return Draws(x, self.tape)
        if isinstance(x, Tensor):  # its own node was lifted, if it has one to keep
            if x.node.fn:
                raise ReplayError(
                    f"{self.tape.name} was given a Tensor with a history; a recorded function "
                    f"cannot carry a derivative back into it: pass x.detach(), or record the "
                    f"whole computation"
                )
            return x
        symbol = self.tape.symbol(x)
        self.inputs.append(symbol.node)
        return symbol

    # ---- after -------------------------------------------------------------------------------
    def program(self, returned: Any) -> Program:
        """Return what was recorded."""
        state = [State(place, before, _node(place.get())) for place, _, before in self.lifted]
        changed = {
            s.place.holder for s in state if isinstance(s.place.holder, Node)
            and s.place.key == "value" and s.after is not s.before
        }  # fmt: skip
        grads = []
        for leaf in self.live.leaves:
            if isinstance(leaf.grad, Symbol) and leaf not in changed:
                before = next((b for p, _, b in self.lifted if p == (leaf, "grad")), None)
                if leaf.grad.node is not before:
                    grads.append((leaf, leaf.grad.node))
        state = [s for s in state if s.place.key != "grad" or s.place.holder not in changed]
        # A gradient is no state of fixed place: it is left as a new array, as backward leaves it.
        state = [
            State(s.place, s.before, s.before) if s.place.key == "grad" else s for s in state
        ]
        results = [
            x.node if isinstance(x, Symbol)
            else _node(x.node.value) if isinstance(x, Tensor)
            else x
            for x in leaves(returned)
        ]  # fmt: skip
        return Program(self.tape.name, self.inputs, state, grads, self.tape.calls, results)

    def put_back(self) -> None:
        """Put everything that was lifted back where it was."""
        for place, rng in self.generators:
            place.set(rng)
        for leaf in self.without_grad:
            if isinstance(leaf.grad, Symbol):
                leaf.grad = None
        for place, value, _ in self.lifted:
            place.set(value)

    def carry_out(self, program: Program) -> bool:
        """Leave in every live place what the run has computed for it."""
        for s in program.written:
            was, new = s.place.get(), s.after.value
            if isinstance(was, np.ndarray):
                was[...] = new
            else:
                s.place.set(new)
        for leaf in {s.place.holder for s in program.written if isinstance(s.place.holder, Node)}:
            leaf.grad = None
        for leaf, g in program.grads:
            leaf.grad = np.array(g.value)
        complete = True
        for optimizer in self.live.optimizers:
            for place in _symbols_in(optimizer):
                place.set(np.array(place.get().node.value))
                complete = False
        return complete

    def public(self, returned: Any) -> Any:
        """Return what the function returned, without Symbols: Tensors as constants, arrays."""
        return rebuilt(returned, [_public(x) for x in leaves(returned)])


class Draws:
    """A generator while a function is recorded: every draw of it is a call to be repeated."""

    def __init__(self, rng: np.random.Generator, tape: Tape) -> None:
        self._rng, self._tape = rng, tape

    def __getattr__(self, name: str) -> Any:
        draw = getattr(self._rng, name)
        if not callable(draw):
            return draw
        return lambda *args, **kwargs: self._tape.call(draw, args, kwargs)


def _node(value: Any) -> Node:
    """Return the node of what a place holds after the run; a constant gets one."""
    return value.node if isinstance(value, Symbol) else Node(value, kwargs=NO_KWARGS)


def _public(x: Any) -> Any:
    if isinstance(x, Symbol):
        return np.array(x.node.value) if hasattr(x.node.value, "shape") else x.node.value
    if isinstance(x, Tensor) and isinstance(x.node.value, Symbol):
        return handle(Node(np.array(x.node.value.node.value), name=x.name))
    return x


def _symbols_in(holder: Any) -> list[Place]:
    """Return the places of ``holder`` in which Symbols were left."""
    found = []
    stack = [Place(holder, key) for key in vars(holder)]
    while stack:
        place = stack.pop()
        value = place.get()
        if isinstance(value, Symbol):
            found.append(place)
        elif isinstance(value, dict | list):
            stack += [Place(value, k) for k in (value if isinstance(value, dict) else range(len(value)))]
    return found
