"""jit: record a function once per signature of its arguments, then replay it."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import numpy as np

from tinygrad_dnn import graph
from tinygrad_dnn.containers import leaves, rebuilt
from tinygrad_dnn.graph import Node, moment, recording
from tinygrad_dnn.replay.capture import capture
from tinygrad_dnn.replay.memory import planned
from tinygrad_dnn.replay.passes import simplified
from tinygrad_dnn.replay.program import Program
from tinygrad_dnn.replay.reach import Reach, reach
from tinygrad_dnn.replay.source import Source
from tinygrad_dnn.replay.symbol import current
from tinygrad_dnn.tensor import Tensor, handle


class Jitted:
    def __init__(self, f: Callable[..., Any]) -> None:
        update_wrapper(self, f)
        self.f = f
        self.plans: dict[Any, Plan] = {}
        self.live: Reach | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if current.get() is not None:
            return self.f(*args, **kwargs)
        tree = (args, kwargs)
        given = leaves(tree)
        if self.live is None:
            self.live = reach(self.f, tree)
        key = (
            tuple((x.shape, x.strides, x.dtype) if type(x) is np.ndarray else x for x in given),
            tuple([part.training for part in self.live.moded]),
            tuple([leaf.grad is None for leaf in self.live.leaves]),
            recording.get(),
        )
        plan = self.plans.get(key)
        if plan is None:
            program, returned, complete = capture(self.f, tree, given, self.live)
            if complete:
                self.plans[key] = Plan(program, returned)
            return returned
        return plan.replay(given)


class Plan:
    def __init__(self, program: Program, returned: Any) -> None:
        self.program = simplified(program)
        self.memory = planned(program)
        self.source = Source(program, self.memory)
        self.run = self.source.function()
        self.tree = returned
        self.kinds = [isinstance(x, Tensor) for x in leaves(returned)]
        self.written = [s.place.holder for s in program.written if isinstance(s.place.holder, Node)]

    def replay(self, given):
        out = self.run(*given)
        born = moment()
        for node in self.written:
            node.born = born
        graph.last_change = max(graph.last_change, born)
        results = [handle(Node(x)) if t else x for x, t in zip(out, self.kinds)]
        for (leaf, _), g in zip(self.program.grads, out[len(self.kinds):]):
            leaf.grad = g
        return rebuilt(self.tree, results)


def jit(f):
    return Jitted(f)
