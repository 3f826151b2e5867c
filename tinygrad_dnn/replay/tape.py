"""Tape: where the calls of NumPy's that a recording makes are carried out, and written down.

Nothing here knows what a derivative is: the forward pass, rules, engine and optimiser all arrive as
calls on Symbols.
"""

import operator
from collections.abc import Sequence
from contextvars import ContextVar
from types import CodeType, FrameType
from typing import Any

import numpy as np

from tinygrad_dnn.containers import NESTED, leaves
from tinygrad_dnn.errors import ReplayError
from tinygrad_dnn.graph import NO_KWARGS, Node
from tinygrad_dnn.primitives import Function
from tinygrad_dnn.replay.calls import Packed, Under, error_variable
from tinygrad_dnn.replay.refusals import (
    leaked,
    outdated_view,
    place_of,
    recorded_frame,
    users_place,
)
from tinygrad_dnn.replay.sharing import link
from tinygrad_dnn.replay.symbol import NUMBERS, Symbol, has_symbols, is_number

# Of a live number and others NumPy would make an array of float64; Python keeps it a number.
_ON_NUMBERS: dict[Function, Function] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.power: operator.pow,
    np.negative: operator.neg,
    np.positive: operator.pos,
    np.absolute: abs,
    np.floor_divide: operator.floordiv,
    np.remainder: operator.mod,
}
_errors = error_variable()
_new = object.__new__


class Tape:
    """The calls of one recording, in their order; ``recorder`` is the frame that runs it.

    The origin of a call is the instruction that the recorded function, its own frame, had come to:
    to look for the line of the user's that is being run at every call would take as long as to
    carry it out.
    """

    def __init__(self, name: str, recorder: FrameType | None = None) -> None:
        self.name = name
        self.calls: list[Node] = []
        self.open = True
        self._recorder = recorder
        self._recorded: FrameType | None = None
        self._code: CodeType | None = None
        self._errors, self._handling = _errors.get(None), np.geterr()

    def symbol(self, value: Any, name: str | None = None) -> Symbol:
        """Return a Symbol for something that is live: it can be another value at every replay."""
        return self.holding(Node(value, name=name))

    def call(self, fn: Function, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Call ``fn`` on what Symbols stand for now, and return a Symbol of the result."""
        if not self.open:
            raise self.leaked([a.node for a in args if isinstance(a, Symbol)])
        nodes: list[Any] = []
        data: list[Any] = []
        for a in args:
            if type(a) is Symbol:
                if a.link is not None and a.link.outdated:
                    raise outdated_view(self.name, a.link.outdated, users_place())
                a = a.node
                data.append(a.value)
            elif isinstance(a, NESTED) and has_symbols(a):
                return self._packed(fn, args, kwargs)
            else:
                data.append(a)
            nodes.append(a)
        if kwargs and has_symbols(kwargs):
            return self._packed(fn, args, kwargs)
        if data and type(data[-1]) in NUMBERS and fn in _ON_NUMBERS and all(map(is_number, data)):
            fn = _ON_NUMBERS[fn]
        if _errors.get(None) is not self._errors and (errors := np.geterr()) != self._handling:
            fn = Under(fn, errors)
        value = fn(*data, **kwargs) if kwargs else fn(*data)
        if type(value) is not np.ndarray:
            if isinstance(value, tuple | list):
                return self._several(Node(value, fn, nodes, (), kwargs))
            value = value if is_number(value) else np.asarray(value)
        made = self._made(Node(value, fn, nodes, (), kwargs))
        if type(fn) is not np.ufunc:
            _link(made, fn, args, data)
        return made

    def _packed(self, fn: Function, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Call ``fn``, with Symbols inside containers, as a function of the leaves alone."""
        return self.call(Packed(fn, tuple(args), kwargs), leaves((tuple(args), kwargs)), NO_KWARGS)

    def _several(self, whole: Node) -> Any:
        """Return Symbols for the parts of a call that gave several arrays."""
        self._made(whole)
        value = whole.value
        parts = [
            self._made(Node(np.asarray(v), operator.getitem, (whole, i)))
            for i, v in enumerate(value)
        ]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)

    def _made(self, node: Node) -> Symbol:
        frame = self._recorded or self._found()
        node.origin = frame.f_lasti
        self.calls.append(node)
        return self.holding(node)

    def _found(self) -> FrameType:
        """Look for the recorded function."""
        self._recorded = recorded_frame(self._recorder)
        self._code = self._recorded.f_code
        return self._recorded

    def close(self) -> None:
        """End the recording; frames are let go, since they hold what is in them."""
        self.open = False
        self._recorder = self._recorded = None

    def leaked(self, nodes: Sequence[Node]) -> ReplayError:
        """Return the error of the use of ``nodes`` after the recording."""
        made = next((node for node in nodes if node.fn), None)
        return leaked(self.name, place_of(self._code, made.origin) if made else None)

    def holding(self, node: Node) -> Symbol:
        """Return a Symbol that stands for ``node``."""
        symbol = _new(Symbol)
        symbol.node, symbol.tape, symbol.link = node, self, None
        return symbol


def _link(made: Symbol, fn: Function, args: Sequence[Any], data: Sequence[Any]) -> None:
    """Remember in whose memory the result of a call lies, if it is in that of its arguments."""
    value = made.node.value
    if type(value) is np.ndarray and (value.base is not None or id(value) in map(id, data)):
        index = args[1] if fn is operator.getitem else None
        for a in args:
            if type(a) is Symbol:
                link(made, a, index)


current: ContextVar[Tape | None] = ContextVar("tape", default=None)
