"""Draw: one function for every picture; it finds out what it was given and which view suits it.

A network is run once, on copies of nothing: its parameters, their gradients and its record stay as
they were.  Knows no colours, no coordinates and no engines.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinygrad_dnn import nn
from tinygrad_dnn.graph import Node
from tinygrad_dnn.tensor import Tensor
from tinygrad_dnn.visualize.block import block_scene
from tinygrad_dnn.visualize.chain import Chain, NotAChain, read_chain
from tinygrad_dnn.visualize.ops import ops_scene
from tinygrad_dnn.visualize.picture import Picture

Loss = Callable[[Any, Any], Tensor]
VIEWS = ("auto", "block", "ops")
BACKWARD = ("auto", True, False)
DIRECTIONS = (None, "LR", "TB")
USUAL_LOSS: dict[Any, Loss] = {nn.sigmoid: nn.binary_cross_entropy, nn.softmax: nn.cross_entropy}


def draw(
    target: Any,
    X: Any = None,
    Y: Any = None,
    *,
    loss: Loss | None = None,
    view: str = "auto",
    backward: bool | str = "auto",
    direction: str | None = None,
    fold: int | None = 6,
    max_nodes: int = 400,
    title: str = "",
    filename: str | None = None,
    format: str | None = None,
) -> Picture:
    """Return a picture of a network on X, Y, or of the computation that made a Tensor.

    ``target`` is a network (any callable of X), a Tensor, or a tuple, list or dict of Tensors.

    view        "block": the course's diagram, layer by layer, for chains of Linear + activation;
                "ops": every recorded operation; "auto": block for a network, ops for Tensors
    backward    whether to draw the backward pass; "auto": if there is a cost to derive
    loss        of the network's output and Y; by default what belongs to the output activation:
                binary cross-entropy to sigmoid, cross-entropy to softmax, else squared error
    direction   "LR" or "TB", of the operations
    fold        deeper networks are drawn with their middle layers as one; None: never
    max_nodes   the most boxes of the operations; longer graphs are folded

    The picture is a ``graphviz.Digraph``: ``.source .render(outfile="net.svg") .pipe .view``.
    Nothing that is drawn is changed: no ``.grad``, no name.

    Raises ValueError for an unknown option, TypeError for a target that is no computation.

    >>> rng = np.random.default_rng(0)
    >>> net = nn.Sequential.from_layer_dims([3, 5, 1], rng=rng)
    >>> draw(net, np.ones((3, 8)), np.ones((1, 8)))
    <Picture: block diagram of 2 layers, [3, 5, 1], J = 0...; .source is DOT, ...>
    >>> x = Tensor([1.0, 2.0], name="x")
    >>> draw(np.sum(x * x))
    <Picture: graph of 2 operations; .source is DOT, .render(outfile='net.svg') draws it>
    """
    _choose("view", view, VIEWS)
    _choose("backward", backward, BACKWARD)
    _choose("direction", direction, DIRECTIONS)
    if fold is not None and fold < 3:
        raise ValueError(f"fold={fold}: choose 3 or more layers, or None to draw all of them")
    if max_nodes < 20:
        raise ValueError(f"max_nodes={max_nodes}: choose 20 or more")
    ends, output, symbolic = _computed(target, X, Y, loss)
    is_net = output is not None
    notes = []
    if view == "block" or (view == "auto" and is_net):
        try:
            chain = _chain(ends, output, Y)
        except NotAChain as reason:
            notes.append(
                f"Drawn as operations, since it is no chain of Linear + activation: {reason}."
            )
        else:
            if direction == "TB":
                raise ValueError('direction="TB" is for view="ops"; the block diagram runs LR')
            scene = block_scene(
                chain, fold=fold, backward=backward is not False, title=title, symbolic=symbolic
            )
            return Picture.of(scene, filename=filename, format=format)
    scene = ops_scene(
        ends,
        names=[("X", _node(X)), ("Y", _node(Y))],
        fold=fold,
        max_nodes=max_nodes,
        backward=_wants_backward(backward, ends, is_net and Y is None),
        direction=direction or "LR",
        title=title,
        notes=notes,
    )
    return Picture.of(scene, filename=filename, format=format)


def _computed(
    target: Any, X: Any, Y: Any, loss: Loss | None
) -> tuple[dict[str, Node], Node | None, bool]:
    """Return the results by name, a network's output, and whether m is unknown."""
    if isinstance(target, Tensor):
        return {_end_name(target, "J" if target.size == 1 else "result"): target.node}, None, False
    if isinstance(target, Mapping | list | tuple):
        return _several(target), None, False
    if not callable(target):
        raise TypeError(
            f"draw() takes a network, a Tensor, or a tuple, list or dict of Tensors; "
            f"got {type(target).__name__}"
        )
    symbolic = X is None
    if symbolic:
        X = _stand_in(target)
        if Y is not None:
            raise TypeError("draw(net, Y=...) needs X too: the cost is computed from both")
    A = target(X)
    if not isinstance(A, Tensor):
        raise TypeError(
            f"draw(): {target!r} returned {type(A).__name__}, not a Tensor, so nothing was recorded"
        )
    if Y is None:
        return {_end_name(A, "J" if A.size == 1 else "result"): A.node}, A.node, symbolic
    J = (loss or USUAL_LOSS.get(A.node.fn, nn.mean_squared_error))(A, Y)
    if not isinstance(J, Tensor):
        raise TypeError(f"draw(): loss returned {type(J).__name__}, it must return a Tensor")
    return {_end_name(J, "J"): J.node}, A.node, False


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


def _chain(ends: Mapping[str, Node], output: Node | None, Y: Any) -> Chain:
    (end, *more) = ends.values()
    if more:
        raise NotAChain("there are several results")
    if output is None or output is end:
        return read_chain(end)
    return read_chain(end, of=output, Y=_node(Y))


def _wants_backward(backward: bool | str, ends: Mapping[str, Node], forward_only: bool) -> bool:
    if backward == "auto":
        return not forward_only and any(node.needs_grad for node in ends.values())
    return bool(backward)


def _end_name(tensor: Tensor, otherwise: str) -> str:
    return tensor.name or otherwise


def _node(x: Any) -> Any:
    return x.node if isinstance(x, Tensor) else x


def _choose(option: str, given: Any, choices: tuple[Any, ...]) -> None:
    if not any(
        given is choice or (given == choice and type(given) is type(choice)) for choice in choices
    ):
        raise ValueError(f"{option}={given!r}: choose from {', '.join(map(repr, choices))}")
