"""Targets: what ``draw`` may be given, run where it must be run, as nodes with names.

A network or function is called once, recording; its parameters, their gradients and their names
stay as they were.  Knows nothing of pictures.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinygrad_dnn import nn
from tinygrad_dnn.graph import FailedCall, Node, ancestors, recording
from tinygrad_dnn.nn.parameters import undisturbed
from tinygrad_dnn.replay.jit import jit
from tinygrad_dnn.replay.plan import Plan
from tinygrad_dnn.tensor import Tensor, grad, handle
from tinygrad_dnn.visualize.planned import ends_of
from tinygrad_dnn.visualize.walked import Walked, walk_back
from tinygrad_dnn.visualize.words import is_array, rows_text

Loss = Callable[[Any, Any], Tensor]
USUAL_LOSS: dict[Any, Loss] = {nn.sigmoid: nn.binary_cross_entropy, nn.softmax: nn.cross_entropy}


@dataclass(frozen=True, slots=True)
class Computed:
    """What is to be drawn: results by name, and what is known of where they come from."""

    ends: dict[str, Node]
    X: Any = None
    Y: Any = None
    output: Node | None = None  # of a network or function, the cost not yet applied
    is_net: bool = False
    loss: str = ""  # the name of the cost
    symbolic: bool = False  # was the input made up, the number of examples unknown?
    walked: Walked | None = None  # the backward pass, where it is to be drawn as operations too
    plan: Plan | None = None  # of ``tg.jit``: calls and buffers, without numbers
    failure: str = ""  # what a forward pass that did not succeed said; its last call is the end


def computed(target: Any, X: Any, Y: Any, loss: Loss | None) -> Computed:
    """Return the computation behind ``target``; see ``draw``."""
    if isinstance(target, jit):  # a replay records nothing
        target = target.f
    if isinstance(target, Tensor):
        return Computed(_named(target), _data(X), _data(Y))
    if isinstance(target, Plan):
        return Computed(ends_of(target), plan=target)
    if isinstance(target, BaseException):
        return _failed(target, X, Y)
    if isinstance(target, Mapping | list | tuple):
        return Computed(_several(target), _data(X), _data(Y))
    if not callable(target):
        raise TypeError(
            f"draw() takes a network, a Tensor, a tuple, list or dict of Tensors, or the exception "
            f"of a forward pass; "
            f"got {type(target).__name__}"
        )
    if not (loss is None or callable(loss)):
        raise TypeError(f"loss={loss!r}: it is a function of the output and Y, as nn.cross_entropy")
    symbolic = X is None
    if symbolic:
        if Y is not None:
            raise TypeError("draw(net, Y=...) needs X too: the cost is computed from both")
        X = _stand_in(target)
    with _recording(), _undisturbed(target):
        A = _recorded(target(X), target)
    is_net = isinstance(target, nn.Sequential) or Y is not None
    if Y is None:
        return Computed(_named(A), _data(X), None, A.node, is_net, symbolic=symbolic)
    loss = loss or USUAL_LOSS.get(A.node.fn, nn.mean_squared_error)
    with _recording():
        J = _recorded(loss(A, Y), loss)
    name = getattr(loss, "__name__", type(loss).__name__)
    name = name if name.isidentifier() else "loss"
    return Computed(_named(J), _data(X), _data(Y), A.node, is_net, name)


def _failed(error: BaseException, X: Any, Y: Any) -> Computed:
    """Return the graph so far of a forward pass that ended in ``error``."""
    call: FailedCall | None = getattr(error, "failed_call", None)
    if call is None:
        raise TypeError(
            f"draw() got {type(error).__name__}: {error}; it does not come from a recorded "
            f"operation, so there is no graph to draw: draw what was computed before it"
        )
    node = Node(None, call.fn, call.args, call.args, call.kwargs)
    node.layer = call.layer
    said = f"{type(error).__name__}: {error}"
    return Computed({"": node}, _data(X), _data(Y), failure=said)


def with_backward(found: Computed) -> Computed:
    """Return the computation together with that of its gradients, recorded."""
    (name, J), *more = found.ends.items()
    if more or found.failure or np.size(J.value) != 1 or not J.needs_grad:
        raise ValueError(
            'backward="ops" needs a single number to derive, computed from Tensors that require a '
            "gradient"
        )
    with _recording():
        walked = walk_back(J)
    ends = {name: J}
    for node, derivative in walked.gradients.items():
        if node.fn is None:
            ends[f"d{node.name}" if node.name else f"gradient {len(ends)}"] = derivative
    return replace(found, ends=ends, walked=walked)


def small_gradients(ends: Mapping[str, Node]) -> dict[Node, Any]:
    """Return the derivative of a single scalar result by all few numbers it was computed from."""
    end, *more = ends.values()
    if more or np.size(end.value) != 1 or not end.needs_grad:
        return {}
    nodes = [n for n in ancestors(end) if n.needs_grad and rows_text(n.value)]
    return dict(zip(nodes, grad(handle(end), [handle(n) for n in nodes]), strict=True))


def only_numbers(ends: Mapping[str, Node], most: int = 40) -> bool:
    """Say whether a computation is small, and of single numbers alone."""
    nodes = ancestors(*ends.values())
    arrays = (a for n in nodes for a in (n.value, *n.args) if not isinstance(a, Node))
    return len(nodes) < most and not any(is_array(a) for a in arrays)


@contextmanager
def _recording() -> Iterator[None]:
    """Record, also inside ``no_grad``."""
    token = recording.set(True)
    try:
        yield
    finally:
        recording.reset(token)


@contextmanager
def _undisturbed(model: Any) -> Iterator[None]:
    """Run ``model`` without a trace: its statistics and generators stay where they are."""
    generators = {id(g): g for g in _generators(model)}.values()
    states = [(generator, generator.bit_generator.state) for generator in generators]
    with undisturbed(model):
        try:
            yield
        finally:
            for generator, state in states:
                generator.bit_generator.state = state


def _generators(model: Any) -> Iterator[np.random.Generator]:
    for layer in [model, *getattr(model, "layers", ())]:
        for held in getattr(layer, "__dict__", {}).values():
            if isinstance(held, np.random.Generator):
                yield held


def _recorded(result: Any, by: Any) -> Tensor:
    if not isinstance(result, Tensor):
        called = getattr(by, "__name__", type(by).__name__)
        raise TypeError(
            f"draw(): {called} returned {type(result).__name__}, not a Tensor: nothing was recorded"
        )
    return result


def _named(tensor: Tensor) -> dict[str, Node]:
    return {tensor.name or ("J" if tensor.size == 1 else "result"): tensor.node}


def _several(targets: Any) -> dict[str, Node]:
    named = targets.items() if isinstance(targets, Mapping) else enumerate(targets, 1)
    ends: dict[str, Node] = {}
    for key, tensor in named:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"draw(): {key!r} is {type(tensor).__name__}, not a Tensor")
        name = str(key) if isinstance(targets, Mapping) else tensor.name or f"output {key}"
        ends[name if name not in ends else f"{name} ({key})"] = tensor.node
    if not ends:
        raise TypeError("draw() got no Tensors")
    return ends


def _stand_in(net: Any) -> Any:
    """Return an input of the right number of rows, for a network drawn without data."""
    first = next(iter(net.layers), None) if isinstance(net, nn.Sequential) else None
    W = getattr(first, "W", None)
    if W is None:
        raise TypeError("draw(net) without X needs a Sequential that begins with Linear; give X")
    return np.zeros((W.shape[1], 2), W.dtype)


def _data(x: Any) -> Any:
    return x.node if isinstance(x, Tensor) else x
