"""Arguments: what a recorded function is given, and what stands for it in the run."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_dnn.containers import NESTED, rebuilt
from tinygrad_dnn.errors import ReplayError
from tinygrad_dnn.graph import Node
from tinygrad_dnn.hooks import hooks_of
from tinygrad_dnn.replay.program import State
from tinygrad_dnn.replay.refusals import changed_argument
from tinygrad_dnn.replay.symbol import Symbol
from tinygrad_dnn.replay.tape import Tape
from tinygrad_dnn.tensor import Tensor, handle

_INPUTS = (np.ndarray, np.generic, Tensor, float)


def is_input(x: Any) -> bool:
    """Say if an argument may be another one at every replay: an array, a Tensor, a float."""
    return isinstance(x, _INPUTS)


class Arguments:
    """The inputs of one recorded run; ``live`` is what was lifted out of its place for it."""

    def __init__(self, tape: Tape, live: Sequence[State]) -> None:
        self.tape = tape
        self.inputs: list[Node] = []
        self.stand_ins: dict[Node, int] = {}  # a Tensor's node in this run -> which input it is
        self._arrays: list[Symbol] = []  # the inputs that are no Tensors
        self._data: list[Any] = []  # of all that is not live itself
        self.of_tensors = False  # are there Tensors among them?
        self._live = live

    def put_together(self, tree: Any, given: Sequence[Any]) -> Any:
        """Return ``tree`` with what is ``given`` for its leaves, and remember what is where."""
        self._tree = rebuilt(tree, given)
        self._parts = _parts(self._tree)
        return self._tree

    def given(self, x: Any) -> Any:
        """Return what stands for ``x``, which is an input."""
        is_tensor = isinstance(x, Tensor)
        value = x.node.value if is_tensor else x
        lifted = type(value) is Symbol  # of a leaf that the function reaches by itself
        if not lifted:
            self._refuse(x)
        symbol = self.tape.symbol(value.value if lifted else value, x.name if is_tensor else None)
        self.inputs.append(symbol.node)
        self.of_tensors |= is_tensor
        if lifted:
            return x
        self._data.append(value)
        if not is_tensor:
            self._arrays.append(symbol)
            return symbol
        node = Node(symbol, needs_grad=x.requires_grad, name=x.name)
        self.stand_ins[node] = len(self.inputs) - 1
        return handle(node)

    def _refuse(self, x: Any) -> None:
        """Refuse a Tensor that a replay would not take for what it is."""
        if isinstance(x, Tensor) and x.node.fn:
            raise ReplayError(
                f"{self.tape.name} was given a Tensor with a history; a recorded function cannot "
                f"carry a derivative back into it: pass x.detach(), or record the whole computation"
            )
        if isinstance(x, Tensor) and hooks_of(x.node):
            raise hooked(x, self.tape.name)

    def refuse_changed(self) -> None:
        """Refuse what a replay would not do to the arguments of its own call."""
        for leaf, i in self.stand_ins.items():
            if leaf.value.node is not self.inputs[i]:
                raise changed_argument(self.tape.name, "the data of a Tensor")
        if any(x.node.fn for x in self._arrays):
            raise changed_argument(self.tape.name, "an array")
        if _parts(self._tree) != self._parts:
            raise changed_argument(self.tape.name, "a list or a dict")
        owners = {id(_owner(a)) for a in self._data}
        for s in self._live:
            if s.after is s.before or not s.is_array or id(_owner(s.before.value)) not in owners:
                continue
            if any(np.may_share_memory(a, s.before.value) for a in self._data):
                raise ReplayError(
                    f"{self.tape.name} is given the data of {s.before.name or 'a Tensor'}, which "
                    f"it changes: a replay would not know that they are the same; give it a copy, "
                    f"or let it use the Tensor itself"
                )

    def gradients(self) -> Iterator[tuple[int, Any]]:
        """Yield the gradients that the run has left in Tensors that were given."""
        for leaf, i in self.stand_ins.items():
            if leaf.grad is not None:
                yield i, leaf.grad


def hooked(leaf: Any, name: str) -> ReplayError:
    """Return the error of a leaf, or Tensor, with a hook."""
    return ReplayError(
        f"{leaf.name or 'a Tensor'} has a hook, which would hear nothing in a replay of {name}; "
        f"remove() it, or do not use tg.jit"
    )


def _parts(tree: Any) -> Any:
    """Return what is where in ``tree``: the identity of every leaf."""
    if not isinstance(tree, NESTED):
        return id(tree)
    if isinstance(tree, dict):
        return [(key, _parts(part)) for key, part in tree.items()]
    return [_parts(part) for part in tree]


def _owner(x: Any) -> Any:
    """Return the array in whose memory ``x`` lies; of a number itself."""
    base = getattr(x, "base", None)
    return x if base is None else base
