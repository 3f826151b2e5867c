"""Draw: one function for every picture; it finds the view that suits what it was given.

Knows the options and the views; no colours, no coordinates and no engines.
"""

from dataclasses import replace
from typing import Any

from tinygrad_dnn.visualize.chain import NotAChain
from tinygrad_dnn.visualize.picture import Picture
from tinygrad_dnn.visualize.scene import Scene
from tinygrad_dnn.visualize.subject import Subject
from tinygrad_dnn.visualize.targets import Computed, Loss, computed, only_numbers, with_backward

VIEWS = ("auto", "block", "ops", "values")
BACKWARD = ("auto", True, False, "ops")
DIRECTIONS = (None, "LR", "TB")


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
    shapes: bool = True,
    max_nodes: int = 400,
    title: str = "",
    filename: str | None = None,
    format: str | None = None,
) -> Picture:
    """Return a picture of a network on X, Y, or of the computation that made a Tensor.

    ``target`` is a network (any callable of X), a Tensor, a tuple, list or dict of Tensors, the
    exception that a forward pass ended in (then its graph so far, the call that failed marked), or
    the plan of a function that ``tg.jit`` replays: its calls, and the buffer each result lives in.

    view        "block": the course's diagram, layer by layer, for chains of Linear + activation;
                "ops": every recorded operation; "values": that, with value and gradient of all
                that holds a few numbers, "–" where it has no gradient; "auto": block for a
                network, values for a few single numbers, else ops
    backward    whether to draw the backward pass; "auto": if there is a cost to derive; "ops": as
                operations of its own, every call that the rules make, below those it goes through
    loss        of the network's output and Y; by default what belongs to the output activation:
                binary cross-entropy to sigmoid, cross-entropy to softmax, else squared error
    direction   "LR" or "TB", of the operations; the block diagram always runs LR
    fold        deeper networks are drawn with their middle layers as one; None: never
    shapes      whether shapes are written in the boxes
    max_nodes   the most boxes of the operations; longer graphs are folded

    The picture is a ``graphviz.Digraph``: ``.source .render(outfile="net.svg") .pipe .view``,
    and ``.to_html("net.html")`` is an interactive page of it.
    Nothing that is drawn is changed: no ``.grad``, no name, no statistics, no generator.

    Raises ValueError for an unknown option, TypeError for a target that is no computation.

    >>> import numpy as np
    >>> from tinygrad_dnn import Tensor, nn
    >>> rng = np.random.default_rng(0)
    >>> net = nn.Sequential.from_layer_dims([3, 5, 1], rng=rng)
    >>> draw(net, np.ones((3, 8)), np.ones((1, 8)))
    <Picture: block diagram of 2 layers, [3, 5, 1], J = 0...; .source is DOT, ...>
    >>> x = Tensor([1.0, 2.0], name="x")
    >>> draw(np.sum(x * x))
    <Picture: graph of 2 operations; .source is DOT, .render(outfile='net.svg') draws it>
    """
    _check(view, backward, direction, fold, max_nodes)
    found = computed(target, X, Y, loss)
    if backward == "ops":
        found = with_backward(found)
        view = "ops" if view == "auto" else view
    subject = Subject(found, backward, fold, max_nodes, direction or "LR", shapes, title=title)
    scene = None
    if view == "block" or (view == "auto" and direction != "TB" and found.output):
        scene = _block(subject, view == "block" or found.is_net)
    if scene is None:
        subject = replace(subject, numbers=view == "values" or (view == "auto" and _small(found)))
        scene = subject.ops(fold)[0]
    return Picture.of(scene, subject, filename=filename, format=format)


def _block(subject: Subject, expected: bool) -> Scene | None:
    """Return the block diagram; None if there is no chain, with the reason if one is expected."""
    try:
        return subject.block(subject.chain(), subject.fold)
    except NotAChain as reason:
        if expected:
            subject.notes.append(
                f"Drawn as operations, as this is no chain of Linear + activation: {reason}."
            )
        return None


def _small(found: Computed) -> bool:
    """Say whether the numbers themselves are worth drawing."""
    return not (found.failure or found.plan) and only_numbers(found.ends)


def _check(
    view: str, backward: bool | str, direction: str | None, fold: int | None, max_nodes: int
) -> None:
    """Refuse options that there are not."""
    _choose("view", view, VIEWS)
    _choose("backward", backward, BACKWARD)
    _choose("direction", direction, DIRECTIONS)
    if view == "block" and direction == "TB":
        raise ValueError('direction="TB" is for view="ops"; the block diagram runs LR')
    if fold is not None and not (isinstance(fold, int) and fold >= 3):
        raise ValueError(f"fold={fold!r}: choose 3 or more layers, or None to draw all of them")
    if not (isinstance(max_nodes, int) and max_nodes >= 20):
        raise ValueError(f"max_nodes={max_nodes!r}: choose 20 or more")


def _choose(option: str, given: Any, choices: tuple[Any, ...]) -> None:
    if not any(type(given) is type(choice) and given == choice for choice in choices):
        raise ValueError(f"{option}={given!r}: choose from {', '.join(map(repr, choices))}")
