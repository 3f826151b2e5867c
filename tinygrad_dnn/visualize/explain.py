"""Explain: the equations of a forward and backward pass, read off the record of the computation.

Nothing here knows a derivative.  The backward walk is recorded as any computation is, and that
record is written down.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tinygrad_dnn.errors import DimensionError, HistoryError
from tinygrad_dnn.graph import Node, recording
from tinygrad_dnn.tensor import Tensor, handle
from tinygrad_dnn.visualize.equations.assemble import assembled
from tinygrad_dnn.visualize.equations.derive import Derivation
from tinygrad_dnn.visualize.equations.record import Record
from tinygrad_dnn.visualize.equations.result import WRITERS, Explained
from tinygrad_dnn.visualize.targets import Loss, computed

Asked = Tensor | str | Iterable[Tensor | str] | None
CONVENTIONS = ("autograd", "course")


def explain(
    J: Tensor | Callable[..., Any],
    *given: Any,
    wrt: Asked = None,
    loss: Loss | None = None,
    style: str = "text",
    convention: str = "autograd",
    numbers: bool = False,
) -> Explained:
    """Return the equations of the computation that made J, forward and backward.

    ``explain(J)`` and ``explain(J, wrt)`` take a Tensor, one number; ``explain(net, X, Y)`` takes a
    network, or any function of X, its input and the targets, as ``draw`` does.

    wrt         the Tensors to differentiate by, leaves or results, or their names ("W1"); then only
                the way to them is shown, and their derivatives in closed form too; by default all
                leaves
    loss        of the network's output and Y, as for ``draw``
    style       what ``str()`` of the answer is: "text", in a notation that can be read back
                (``docs/equations.md``), "latex", "markdown" or "html"
    convention  "autograd": every dX is the derivative of J by X; "course": dZ and dA are per
                example, m times that, and dW and db have the 1/m
    numbers     whether the values are shown with the equations: the engine's, or the course's

    Results and derivatives bear the names of the network or the user, else u1, u2, ...  Nothing is
    changed: no ``.grad``, no name; hooks are heard as in any backward walk.

    Raises DimensionError if J is not one number, HistoryError if it has no history or was not
    computed from what ``wrt`` asks for.

    >>> import numpy as np
    >>> W, x = Tensor([[1.0, -2.0]], name="W"), Tensor([[3.0], [1.0]], name="x")
    >>> print(explain(np.sum(np.tanh(W @ x) ** 2)))
    J and its derivatives
    <BLANKLINE>
    Given
      W  (1, 2)
      x  (2, 1)
    <BLANKLINE>
    Forward
      u1 = tanh(W x)               (1, 1)
      J  = Σ u1²                   ()
    <BLANKLINE>
    Backward, dX being ∂J/∂X
      dW = 2 (u1 ∘ (1 − u1²)) xᵀ   (1, 2)
      dx = 2 Wᵀ (u1 ∘ (1 − u1²))   (2, 1)
    """
    _choose("style", style, tuple(WRITERS))
    _choose("convention", convention, CONVENTIONS)
    if isinstance(J, Tensor):
        wrt = _only(given) if given and wrt is None else wrt
    elif given and callable(J):
        J = _cost(J, *given, loss=loss)
    end, asked = _end(J), _asked(wrt)
    token = recording.set(True)
    try:
        record = Record(end, apart=[x.node for x in asked if isinstance(x, Tensor)])
        derivation = Derivation(record, _wrt(asked, record), course=convention == "course")
    finally:
        recording.reset(token)
    return assembled(derivation, closed=wrt is not None, style=style, numbers=numbers)


def _choose(option: str, given: str, choices: tuple[str, ...]) -> None:
    if given not in choices:
        raise ValueError(
            f"explain() got {option}={given!r}; choose from {', '.join(map(repr, choices))}"
        )


def _only(given: Sequence[Any]) -> Any:
    """Return what a Tensor is to be differentiated by."""
    if len(given) > 1:
        raise TypeError("explain(J, wrt) takes several Tensors to differentiate by as a list")
    return given[0]


def _cost(net: Callable[..., Any], X: Any, Y: Any = None, *, loss: Loss | None) -> Tensor:
    """Return the cost of a network, or of a function, on X and Y."""
    (end,) = computed(net, X, Y, loss).ends.values()
    if Y is None and np.size(end.value) != 1:
        raise DimensionError(
            f"explain() got a network whose output is {np.shape(end.value)}, and no targets for "
            f"its cost: explain(net, X, Y)"
        )
    return handle(end)


def _end(J: Any) -> Node:
    if not isinstance(J, Tensor):
        hint = ", or with a network its input and targets: explain(net, X, Y)" * callable(J)
        raise TypeError(
            f"explain() takes the Tensor that a computation ended in{hint}; got {type(J).__name__}"
        )
    if J.size != 1:
        raise DimensionError(
            f"explain() got {J.name or 'a Tensor'} of shape {J.shape}: only one number has "
            f"derivatives to write down; reduce it first (np.sum, np.mean)"
        )
    if J.node.fn is None or not J.requires_grad:
        raise HistoryError(
            f"explain() got {J.name or 'a Tensor'} without a history: compute it from Tensors, "
            f"outside no_grad() and without .detach()"
        )
    return J.node


def _asked(wrt: Asked) -> list[Tensor | str]:
    """Return what is to be differentiated by; nothing stands for all leaves."""
    if wrt is None or isinstance(wrt, Tensor | str):
        return [] if wrt is None else [wrt]
    if not isinstance(wrt, Iterable):
        raise TypeError(f"explain() differentiates by Tensors or their names; got wrt={wrt!r}")
    return list(wrt)


def _wrt(asked: list[Tensor | str], record: Record) -> list[Node]:
    """Return the nodes to differentiate by, of the record."""
    if not asked:
        return [node for node in record.nodes if node.fn is None and node.needs_grad]
    named = {node.name: node for node in record.copies if node.name and node.needs_grad}
    return [record.copies[_node(x, record, named)] for x in asked]


def _node(x: Any, record: Record, named: dict[str, Node]) -> Node:
    """Return what is to be differentiated by: a Tensor that J was computed from, or its name."""
    if isinstance(x, str):
        if x not in named:
            known = ", ".join(named) or "no names"
            raise HistoryError(f"explain() got wrt={x!r}; J was computed from {known}")
        return named[x]
    if not isinstance(x, Tensor):
        raise TypeError(f"explain() differentiates by Tensors, wrt= has {type(x).__name__}")
    if x.node not in record.copies:
        raise HistoryError(
            f"explain() got wrt={x.name or 'a Tensor'}, but J was not computed from it"
        )
    if not x.requires_grad:
        raise HistoryError(f"{x.name or 'the Tensor in wrt='} has requires_grad=False")
    return x.node
