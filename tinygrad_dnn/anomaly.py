"""detect_anomaly: find the first NaN or infinity, and arrays changed while they were still needed.

Inside its block every call and every step of a backward walk is looked at, and remembered with the
line of the user's program that it came from.  Outside nothing is: it costs one comparison per call.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np

from tinygrad_dnn.errors import AnomalyError
from tinygrad_dnn.graph import Node, blame, data_of, moment, watched_by
from tinygrad_dnn.ledger import Ledger, print_of, users_line
from tinygrad_dnn.recording import describe


class Origin(NamedTuple):
    """Where in the user's program a call was made, and the prints of what it saw and gave."""

    line: str
    prints: tuple[int | None, ...] = ()
    noted: int = 0  # at this moment


class detect_anomaly:  # noqa: N801  (named as what it does, like no_grad)
    """Raise AnomalyError at the first NaN or infinity that is computed, forward or backward.

    The message names the operation, its layer and inputs, and the line of your program that called
    it.  Inside the block the backward walk also notices every array that was changed in place after
    a call had used it, plain NumPy arrays too, if a derivative needs it (ChangedDataError): the
    message names the line of that call, and the two lines between which the array was changed.

    ``inf=False`` lets infinities pass.  Every array is read and hashed: this is for looking for a
    mistake, not for training.  Blocks nest, and belong to their own thread or task.

    >>> import tinygrad_dnn as tg
    >>> x = tg.Tensor([1.0, 0.0], name="x")
    >>> with tg.detect_anomaly(), np.errstate(divide="ignore"):
    ...     np.log(x)
    Traceback (most recent call last):
    tinygrad_dnn.errors.AnomalyError: np.log(x (2,)) made the first inf: entry (1,) is -inf, where x
    is 0.0; called at ...
    """

    def __init__(self, *, inf: bool = True) -> None:
        self.watch = _Anomalies(inf)
        self._blocks: list[AbstractContextManager[None]] = []

    def __enter__(self) -> None:
        self._blocks.append(block := watched_by(self.watch))
        block.__enter__()

    def __exit__(self, *_: object) -> None:
        self._blocks.pop().__exit__(None, None, None)


class _Anomalies:
    """What looks at every call and every step back, as ``graph.WalkWatch`` says."""

    walks = True

    def __init__(self, inf: bool) -> None:
        self.inf = inf
        self.ledger = Ledger()

    def called(self, node: Node, fn: Any, inputs: Sequence[Any]) -> None:
        """Remember where the call was made; refuse a result that is not finite."""
        line = users_line()
        self.ledger.look_round(line)
        for call in (node, node.detour):
            if call and call.fn:
                used = zip(call.args, call.seen, strict=True)
                prints = [self._print(a, data, line) for a, data in used]
                call.origin = Origin(line, (*prints, print_of(node.value)), moment())
        if bad := self.first_bad(node.value):
            index, number = bad
            error = AnomalyError(
                f"{_in_layer(node)}{describe(fn, inputs)} made the first {_kind(number)}: entry "
                f"{index} is {number}{_where(inputs, node.value, index)}"
                f"{self._already(inputs)}; called at {line}"
            )
            blame(error, fn, inputs, node.kwargs)
            raise error

    def changed(self, node: Node) -> None:
        """Remember where a leaf was given new data."""
        node.origin = Origin(users_line())

    def carried(self, v: Any, call: Node, i: int, kind: str) -> None:
        """Refuse a cotangent or tangent that is not finite."""
        data = v.node.value if hasattr(v, "node") else v
        if bad := self.first_bad(data):
            index, number = bad
            origin = getattr(call, "origin", None)
            line = f"called at {origin.line}" if origin else "called before detect_anomaly began"
            error = AnomalyError(
                f"{_in_layer(call)}the {kind} of {describe(call.fn, call.args)} for argument {i} "
                f"made the first {_kind(number)}: entry {index} is {number}"
                f"{_where([call.args[i]], data, index)}; {line}"
            )
            blame(error, call.fn, call.args, call.kwargs)
            raise error

    def read(self, node: Node) -> None:
        """Look at the data of a leaf that is being handed out: it may be written to."""
        self.ledger.reads(node.value, users_line())

    def altered(self, call: Node, i: int, data: Any) -> str | None:
        """Say when ``data`` became other than ``call`` saw as argument ``i``, or gave (i = -1)."""
        origin = getattr(call, "origin", None)
        if not origin or origin.prints[i] == print_of(data):
            return None
        return self.ledger.change(data, origin.noted, users_line())

    def _print(self, a: Any, data: Any, line: str) -> int | None:
        """Return the print of an argument; a result's data is nobody's to change."""
        result = isinstance(a, Node) and a.fn
        return print_of(data) if result else self.ledger.uses(data, line)

    def first_bad(self, data: Any) -> tuple[tuple[int, ...], Any] | None:
        """Return index and value of the first entry that is not as it should be."""
        if getattr(getattr(data, "dtype", None), "kind", "") not in "fc":
            return None
        good = np.isfinite(data) if self.inf else ~np.isnan(data)
        if np.all(good):
            return None
        index = tuple(int(i) for i in np.unravel_index(np.argmin(good), np.shape(data)))
        return index, np.asarray(data)[index]

    def _already(self, inputs: Sequence[Any]) -> str:
        """Name the first input that was not finite to begin with."""
        for i, a in enumerate(inputs):
            if bad := self.first_bad(data_of(a)):
                name = (a.name if isinstance(a, Node) else None) or f"its argument {i}"
                return f"; {name} held {bad[1]} before the call"
        return ""


def _kind(number: Any) -> str:
    return "nan" if np.isnan(number) else "inf"


def _in_layer(node: Node) -> str:
    return f"layer {node.layer}: " if node.layer else ""


def _where(inputs: Sequence[Any], like: Any, index: tuple[int, ...]) -> str:
    """Return what the inputs of the shape of ``like`` hold at ``index``."""
    shown = []
    for i, a in enumerate(inputs):
        value = data_of(a)
        if index and np.shape(value) == np.shape(like) and hasattr(value, "dtype"):
            name = (a.name if isinstance(a, Node) else None) or f"argument {i}"
            shown.append(f"{name} is {np.asarray(value)[index]}")
    return f", where {' and '.join(shown)}" if shown else ""
