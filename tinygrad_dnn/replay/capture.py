"""Capture: run a function once with Symbols for all that is live, and return its Program.

The run is a real one: when it is over, every live place holds what the function left there.
"""

import sys
from collections.abc import Callable, Sequence
from copy import copy
from threading import RLock
from typing import Any

import numpy as np

from tinygrad_dnn import graph
from tinygrad_dnn.containers import leaves, rebuilt
from tinygrad_dnn.errors import ReplayError
from tinygrad_dnn.graph import Node, changed, watched_by
from tinygrad_dnn.hooks import hooks_of
from tinygrad_dnn.replay.arguments import Arguments, hooked, is_input
from tinygrad_dnn.replay.draws import Drawn, gives_another, without_other_draws
from tinygrad_dnn.replay.kept import Kept, own, public, settle_leaf, value_of
from tinygrad_dnn.replay.live import Live
from tinygrad_dnn.replay.lookout import Absent, Lookout, Moving
from tinygrad_dnn.replay.places import Place, first_shared, state_of
from tinygrad_dnn.replay.program import Program, State, Value
from tinygrad_dnn.replay.refusals import outdated_view
from tinygrad_dnn.replay.symbol import Symbol
from tinygrad_dnn.replay.tape import Tape
from tinygrad_dnn.tensor import Tensor

one_at_a_time = RLock()  # while a function is recorded, live places hold Symbols


@np.errstate()  # one of its own, so that a tape knows its thread
def capture(
    f: Callable[..., Any], tree: Any, inputs: Sequence[Any], live: Live
) -> tuple[Program, Any, bool]:
    """Run ``f`` on ``tree`` = (args, kwargs), whose leaves are ``inputs``.

    Returns the program, what ``f`` returned, and whether the program can be replayed: not if the
    run made state that was not there before, as an optimiser may at its first step, or has left
    values where others were.
    """
    tape = Tape(getattr(f, "__name__", type(f).__name__), sys._getframe())
    run = _Run(tape, live)
    lookout = Lookout()
    try:
        run.lift()
        run.arguments = Arguments(tape, run.lifted)
        args, kwargs = run.arguments.put_together(tree, [run.given(x) for x in inputs])
        others = run.drawn.others(live.unknown)
        with watched_by(lookout), without_other_draws(tape, others, live.drawing):
            returned = f(*args, **kwargs)
        program = run.program(returned)
        returned = rebuilt(returned, map(public, leaves(returned)))
    except BaseException:
        run.rewind()
        raise
    finally:
        tape.close()
        run.put_back()
    if program.kept:
        returned = (returned, *run.kept.settle())
        live.hold_no_longer(run.kept.names)
    complete = run.carry_out(program, [x for x in inputs if is_input(x)])
    for leaf in (strays := lookout.strays(live.leaves)):
        settle_leaf(leaf)
    return program, returned, complete and run.kept.stable and not strays


def leave_gradient(target: Node | int, g: Any, given: Sequence[Any]) -> None:
    """Leave ``g`` in a leaf: in one that is live, or added to that of the argument number."""
    if isinstance(target, Node):
        target.grad = g
    else:
        leaf = given[target].node
        leaf.grad = g if leaf.grad is None else leaf.grad + g


_GONE = object()  # what is in a place that is not there any more


class _Run:
    """One recorded run: what was lifted out of its place, and what it became."""

    arguments: Arguments
    kept: Kept

    def __init__(self, tape: Tape, live: Live) -> None:
        self.tape, self.live = tape, live
        self.modes = [part.training for part in live.moded]
        self.lifted: list[State] = []
        self.data: list[State] = []  # those of the leaves
        self.with_grad: dict[Node, State] = {}  # leaves, and what stands for their gradients
        self.without_grad: list[Node] = []
        self.others: list[State] = []
        self.updated: list[Node] = []  # leaves that the run gives new data
        self.generators: list[tuple[Place, Any]] = []
        self.drawn = Drawn(tape)
        self.left: dict[Node, Any] = {}  # what the run leaves in places, and its value

    # ---- before ------------------------------------------------------------------------------
    def lift(self) -> None:
        """Put a Symbol into every live place."""
        if graph.hooked and (leaf := next(filter(hooks_of, self.live.leaves), None)):
            raise hooked(leaf, self.tape.name)
        for leaf in self.live.leaves:
            state, leaf.value = self._lifted(Place(leaf, "value"), leaf.value, leaf.name)
            self.data.append(state)
            if leaf.grad is not None:
                place, name = Place(leaf, "grad"), f"d{leaf.name}" if leaf.name else None
                self.with_grad[leaf], leaf.grad = self._lifted(place, leaf.grad, name, stays=False)
                continue
            self.without_grad.append(leaf)
            if leaf.needs_grad and leaf not in self.live.accumulating:
                leaf.grad = Absent(leaf, self.tape)
        for place, value in self.live.state:
            self._lift(place, value, self.live.name_at(place))
        for place in self.live.moving:
            self._lift(place, place.get(), self.live.name_at(place), stays=False)
        if shared := first_shared([s.before.value for s in self.lifted]):
            names = " and ".join(self.lifted[i].place.owner for i in shared)
            raise ReplayError(
                f"{self.tape.name} uses {names}, whose data lie in the same memory; "
                f"give one of them a copy, or use one Tensor in both places"
            )
        for holder, key in self.live.generators:
            place = Place(holder, key)
            rng = place.get()
            place.set(self.drawn.stand_in(rng))
            self.generators.append((place, rng))

    def _lift(self, place: Place, value: Any, name: str | None, *, stays: bool = True) -> None:
        """Put a Symbol for ``value`` into a place that is none of a leaf."""
        state, symbol = self._lifted(place, value, name, stays=stays)
        self.others.append(state)
        place.set(symbol)

    def _lifted(
        self, place: Place, value: Any, name: str | None, *, stays: bool = True
    ) -> tuple[State, Symbol]:
        """Return the state at a place, and the Symbol to be put there."""
        symbol = self.tape.symbol(value, name)
        node = symbol.node
        state = State(place, node, node, stays and isinstance(value, np.ndarray))
        self.lifted.append(state)
        return state, symbol

    def given(self, x: Any) -> Any:
        """Return what stands for the argument ``x`` in this run."""
        if gives_another(x):
            return self.drawn.stand_in(x)
        return self.arguments.given(x) if is_input(x) else x

    # ---- after -------------------------------------------------------------------------------
    def program(self, returned: Any) -> Program:
        """Return what was recorded."""
        self.kept = Kept(self.live)
        for place, number in self.live.numbers:
            if place.get(number) is not number and place.name not in self.kept.names:
                raise Moving(place)
        self._find_updated()
        grads, dropped = self._gradients()
        self.arguments.refuse_changed()
        given = [(i, self._node(g)) for i, g in self.arguments.gradients()]
        modes = [
            (part, part.training)
            for part, training in zip(self.live.moded, self.modes, strict=True)
            if part.training is not training
        ]
        results = [self._result(x) for x in leaves((returned, self.kept.left))]
        if self.kept.places and self.kept.stable:
            read = self._read().union(r for r in results if isinstance(r, Node))
            self.kept.refuse_read(self.tape.name, read, self.lifted)
        return Program(
            self.tape.name,
            self.arguments.inputs,
            self.lifted,
            [*grads, *given],
            dropped,
            modes,
            self.tape.calls,
            results,
            self.kept.places,
            self.arguments.of_tensors,
        )

    def _find_updated(self) -> None:
        """Find out what is left in the places, and which leaves the run gave new data."""
        for leaf, s in zip(self.live.leaves, self.data, strict=True):
            if not _is(s.before, leaf.value):
                s.after = self._node(leaf.value)
                self.updated.append(leaf)
        for s in self.others:
            left = s.place.get(_GONE)
            if left is _GONE:
                raise s.place.emptied(self.tape.name)
            if not (_is(s.before, left) or s.place.name in self.kept.names):
                s.after = self._node(left)

    def _gradients(self) -> tuple[list[tuple[Node | int, Node]], list[Node]]:
        """Return the gradients that the run has left in leaves, and the leaves that lost theirs."""
        before, updated = self.with_grad, {*self.updated}
        read = self._read() if before else set()
        grads: list[tuple[Node | int, Node]] = []
        dropped = []
        for leaf in self.live.leaves:
            left = leaf.grad
            given = before[leaf].before if leaf in before else None
            used_up = leaf in updated and (
                given not in read  # it was dropped, not added to
                if given
                else leaf.needs_grad and leaf not in self.live.accumulating
            )
            if left is None or type(left) is Absent or used_up:
                if given:
                    dropped.append(leaf)
            elif not _is(given, left):
                grads.append((leaf, self._node(left)))
        return grads, dropped

    def _read(self) -> set[Node]:
        """Return what the calls have read of what is live."""
        return {a for call in self.tape.calls for a in call.args if type(a) is Value}

    def _result(self, x: Any) -> Any:
        """Return the node of something that is returned; a constant stays what it is."""
        value = x.node.value if isinstance(x, Tensor) else x
        if not isinstance(value, Symbol):
            return self._node(value) if isinstance(x, Tensor) else x
        if value.link and value.link.outdated:
            raise outdated_view(self.tape.name, value.link.outdated)
        return self._node(value)

    def _node(self, left: Any) -> Node:
        """Return the node of what is left in a place, whose value is kept; a constant gets one."""
        if not isinstance(left, Symbol):
            node = Value(left)
            self.left[node] = left
            return node
        self.left[left.node] = value_of(left)
        return left.node

    def rewind(self) -> None:
        """Undo what the run has done: draws, what it has put into places, modes."""
        self.drawn.rewind()
        self.live.rewind()
        for part, training in zip(self.live.moded, self.modes, strict=True):
            part.training = training

    def put_back(self) -> None:
        """Put everything that was lifted back where it was."""
        for leaf, s in zip(self.live.leaves, self.data, strict=False):  # fewer, after a refusal
            leaf.value = s.before.value
        for leaf, s in self.with_grad.items():
            leaf.grad = s.before.value
        for leaf in self.without_grad:
            leaf.grad = None
        for s in self.others:
            s.place.set(s.before.value)
        for place, rng in self.generators:
            place.set(rng)

    def carry_out(self, program: Program, given: Sequence[Any]) -> bool:
        """Leave in every live place what the run has computed for it; say if it is all alike.

        Not if an array is of another kind by now, or is where there was none.
        """
        alike, written = True, program.written
        left = [(s.after, self.left[s.after]) for s in written]
        values = [value if after.fn else copy(value) for after, value in left]
        for s, value in zip(written, values, strict=True):
            now = s.before.value
            if not s.is_array:
                s.place.set(own(value))
            elif np.shape(value) == now.shape and np.result_type(value) == now.dtype:
                now[...] = value
            else:
                s.place.set(np.array(value))
                alike = False
        changed(self.updated)
        for leaf in program.dropped:
            leaf.grad = None
        for target, g in program.grads:
            leave_gradient(target, np.array(self.left[g]), given)
        made = [
            Place(holder, key)
            for optimizer in self.live.optimizers
            for holder, key, value in state_of(optimizer)
            if isinstance(value, Symbol)
        ]
        for place in made:
            place.set(np.array(place.get().value))
        return alike and not made


def _is(node: Node | None, left: Any) -> bool:
    """Say if what is left in a place is still the Symbol for ``node``."""
    return type(left) is Symbol and left.node is node
