"""Tape: where the calls of NumPy's that a recording makes are carried out, and written down.

Nothing here knows what a derivative is: the forward pass, rules, engine and optimiser all arrive as
calls on Symbols.
"""

import operator
from collections.abc import Sequence
from threading import get_ident
from types import CodeType, FrameType
from typing import Any

import numpy as np
from numpy import ndarray

from tinygrad_dnn.containers import NESTED, leaves
from tinygrad_dnn.errors import ReplayError
from tinygrad_dnn.graph import NO_KWARGS, Node, layer
from tinygrad_dnn.primitives import Function
from tinygrad_dnn.recording import name_of, require_plain
from tinygrad_dnn.replay.calls import Packed, Under, error_variable
from tinygrad_dnn.replay.program import Call, Value
from tinygrad_dnn.replay.refusals import (
    done_outside,
    leaked,
    of_another_thread,
    place_of,
    recorded_frame,
)
from tinygrad_dnn.replay.sharing import link
from tinygrad_dnn.replay.symbol import NUMBERS, Symbol, is_number, is_or_has_symbol

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
_LOOKED_AT = (Symbol, *NESTED)
_PLAIN = {np.ndarray, *NUMBERS}
_errors = error_variable()
_new = object.__new__


class Tape:
    """The calls of one recording, in their order; ``recorder`` is the frame that runs it."""

    open = True

    def __init__(self, name: str, recorder: FrameType | None = None) -> None:
        self.name = name
        self.calls: list[Call] = []
        self._recorder = recorder
        self._recorded: FrameType | None = None
        self._code: CodeType | None = None
        self._errors = _errors.get(None)  # no other thread's, if the recording has an errstate
        self._thread = get_ident()

    def symbol(self, value: Any, name: str | None = None) -> Symbol:
        """Return a Symbol for something that is live: it can be another value at every replay."""
        if type(value) is not ndarray and isinstance(value, ndarray):
            require_plain(value, f"an argument of {self.name}")
        return self.holding(Value(value, name), value)

    def pair(self, fn: Function, a: Any, b: Any) -> Any:
        """Call ``fn`` on two operands.

        As ``call`` does, but of arrays, or of an array and a number, there is less to ask.
        """
        if type(a) is Symbol:
            m, x = a.node, a.value
        else:
            m = x = a
        if type(b) is Symbol:
            n, y = b.node, b.value
        else:
            n = y = b
        kind, other = type(x), type(y)
        if (kind is ndarray and other in _PLAIN) or (other is ndarray and kind in _PLAIN):
            return self.made(fn(x, y), fn, (m, n), NO_KWARGS)
        return self.call(fn, (a, b), NO_KWARGS)

    def call(self, fn: Function, args: Sequence[Any], kwargs: dict[str, Any] = NO_KWARGS) -> Any:
        """Call ``fn`` on what Symbols stand for now, and return a Symbol of the result."""
        nodes: list[Any] = []
        data: list[Any] = []
        for a in args:
            if type(a) is Symbol:
                data.append(a.value)
                a = a.node
            elif isinstance(a, _LOOKED_AT) and is_or_has_symbol(a):
                return self._packed(fn, args, kwargs)
            else:
                data.append(a)
            nodes.append(a)
        if kwargs and is_or_has_symbol(kwargs):
            return self._packed(fn, args, kwargs)
        if data and type(data[-1]) in NUMBERS and fn in _ON_NUMBERS and all(map(is_number, data)):
            fn = _ON_NUMBERS[fn]
        value = fn(*data, **kwargs) if kwargs else fn(*data)
        made = self.made(value, fn, nodes, kwargs)
        if type(fn) is not np.ufunc:
            _link(made, fn, args, data)
        return made

    def made(self, value: Any, fn: Function, nodes: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Write down what was called, and return a Symbol of what it made: of each part of it."""
        if _errors.get(None) is not self._errors:
            fn = self._under_others(fn)
        symbol = _new(Symbol)
        if type(value) is ndarray:
            symbol.shape, symbol.dtype, _ = layout = value.shape, value.dtype, value.strides
        elif is_number(value):
            layout = None
        elif isinstance(value, (tuple, list)):
            return self._several(value, fn, nodes, kwargs)
        else:
            if value is None:
                raise done_outside(self.name, name_of(fn))
            if isinstance(value, ndarray):  # of a kind of its own
                require_plain(value, f"{name_of(fn)} in {self.name}")
            return self.made(np.asarray(value), fn, nodes, kwargs)
        call = _new(Call)
        call.fn, call.args, call.kwargs = fn, nodes, kwargs
        call.layout, call.base, call.layer = layout, None, layer.number
        call.origin = (self._recorded or self._found()).f_lasti
        if not layout:
            call.value = value
        self.calls.append(call)
        symbol.node, symbol.value, symbol.tape, symbol.link = call, value, self, None
        return symbol

    def _under_others(self, fn: Function) -> Function:
        """Return ``fn`` in the np.errstate that the function has now; let no other thread pass."""
        self.refuse_others()
        return Under(fn, np.geterr())

    def refuse_others(self) -> None:
        """Let nobody but the thread that records use what is recorded."""
        if get_ident() != self._thread:
            raise of_another_thread(self.name)

    def _packed(self, fn: Function, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Call ``fn``, with Symbols inside containers, as a function of the leaves alone."""
        return self.call(Packed(fn, tuple(args), kwargs), leaves((tuple(args), kwargs)), NO_KWARGS)

    def _several(self, value: Any, fn: Function, nodes: Sequence[Any], kwargs: Any) -> Any:
        """Return Symbols for the parts of a call that gave several arrays."""
        whole = Call(value, fn, nodes, kwargs)
        whole.origin = (self._recorded or self._found()).f_lasti
        self.calls.append(whole)
        parts = [
            self.made(np.asarray(v), operator.getitem, (whole, i), NO_KWARGS)
            for i, v in enumerate(value)
        ]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)

    def _found(self) -> FrameType:
        """Look for the recorded function."""
        self._recorded = recorded_frame(self._recorder)
        self._code = self._recorded.f_code
        return self._recorded

    def close(self) -> None:
        """End the recording; frames are let go, since they hold what is in them."""
        self._recorder = self._recorded = None
        self.__class__ = Closed

    def leaked(self, nodes: Sequence[Any]) -> ReplayError:
        """Return the error of the use of ``nodes`` after the recording."""
        self.refuse_others()  # they may have been got while it ran
        made = next((node for node in nodes if isinstance(node, Call)), None)
        return leaked(self.name, place_of(self._code, made.origin) if made else None)

    def holding(self, node: Node, value: Any) -> Symbol:
        """Return a Symbol that stands for ``node``, whose value is ``value``."""
        symbol = _new(Symbol)
        symbol.node, symbol.value, symbol.tape, symbol.link = node, value, self, None
        if type(value) not in NUMBERS:
            symbol.shape, symbol.dtype = value.shape, value.dtype
        return symbol


class Closed(Tape):
    """A tape of a recording that is over: every call on it is an error."""

    open = False

    def made(self, value: Any, fn: Function, nodes: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Say whose value is used."""
        raise self.leaked(nodes)


def _link(made: Any, fn: Function, args: Sequence[Any], data: Sequence[Any]) -> None:
    """Remember in whose memory the result of a call lies, if it is in that of its arguments."""
    if type(made) is not Symbol:
        for part in made:
            _link(part, fn, args, data)
            (whole,) = part.node.parents
            whole.base = whole.base or part.node.base
        return
    value = made.value
    if type(value) is np.ndarray and (value.base is not None or id(value) in map(id, data)):
        index = args[1] if fn is operator.getitem else None
        for a in args:
            if type(a) is Symbol:
                link(made, a, index)
