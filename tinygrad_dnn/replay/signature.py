"""Signatures: what must be the same of two calls for the recording of one to serve the other.

Shapes, layouts and dtypes of arrays, the structure of containers, all other values but floats; and
of what is reached: which leaves have a gradient, which layers train, and whether calls are recorded
as history.  ``guard`` asks the same of a further call, but does not say what there is instead.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_dnn import graph
from tinygrad_dnn.containers import leaves
from tinygrad_dnn.graph import recording
from tinygrad_dnn.hooks import hooks_of
from tinygrad_dnn.replay.live import Live
from tinygrad_dnn.tensor import Tensor


class Signature(NamedTuple):
    """What the calls that one recording can serve have in common."""

    args: tuple[Any, ...]
    kwargs: tuple[Any, ...]
    training: tuple[bool, ...]
    without_grad: tuple[bool, ...]
    recording: bool
    moving: tuple[Any, ...]  # layouts of arrays that the function exchanges
    reached: tuple[Any, ...]  # which of the Tensors among the arguments are live themselves


def signature(args: Sequence[Any], kwargs: dict[str, Any], live: Live) -> Signature:
    """Return what the call ``(*args, **kwargs)`` has in common with those that can replay it."""
    return Signature(
        tuple([kind(a) for a in args]),
        tuple([(name, kind(a)) for name, a in kwargs.items()]),
        tuple([part.training for part in live.moded]),
        tuple([leaf.grad is None for leaf in live.leaves]),
        recording.get(),
        tuple([_layout(p.get(None)) for p in live.moving]),
        _reached([x for x in leaves((args, kwargs)) if isinstance(x, Tensor)], live),
    )


def _reached(given: Sequence[Tensor], live: Live) -> tuple[Any, ...]:
    """Return the identity of those Tensors that the function reaches by itself."""
    reached = set(live.leaves) if given else ()
    return tuple([id(x.node) if x.node in reached else None for x in given])


def _layout(x: Any) -> Any:
    """Return what must be the same of an array that the function exchanges."""
    return kind(x) if isinstance(x, np.ndarray) else None


def kind(x: Any) -> Any:
    """Return what must be the same of one argument."""
    if type(x) is np.ndarray:
        return x.shape, x.strides, x.dtype
    if isinstance(x, Tensor):
        hooks = graph.hooked and bool(hooks_of(x.node))
        return Tensor, x.requires_grad, x.node.fn is None, hooks, kind(x.node.value)
    if isinstance(x, np.generic):
        return x.dtype
    if isinstance(x, dict):
        return dict, tuple((k, kind(v)) for k, v in x.items())
    if isinstance(x, (list, tuple)):
        return type(x), tuple(map(kind, x))
    if isinstance(x, float):
        return float
    if x is None or isinstance(x, (int, str, bytes)):
        return type(x), x
    return id(x)


Guard = Callable[..., bool]


def guard(args: Sequence[Any], kwargs: Any, live: Live, of: Signature) -> Guard | None:
    """Return the function that says of arguments of a call if they fit the signature ``of`` these.

    None where that is not worth a function of its own: for all but a few plain arrays.
    """
    if kwargs or not all(type(a) is np.ndarray for a in args):
        return None
    names: dict[str, Any] = {"array": np.ndarray, "layout": _layout, "recording": recording.get}
    tests = [f"recording() is {of.recording}"]
    for i, a in enumerate(args):
        names |= {f"shape{i}": a.shape, f"strides{i}": a.strides, f"dtype{i}": a.dtype}
        tests.append(
            f"type(x{i}) is array and x{i}.shape == shape{i} and x{i}.strides == strides{i} "
            f"and x{i}.dtype == dtype{i}"
        )
    for i, (leaf, absent) in enumerate(zip(live.leaves, of.without_grad, strict=True)):
        names[f"leaf{i}"] = leaf
        tests.append(f"leaf{i}.grad is {'None' if absent else 'not None'}")
    for i, (part, training) in enumerate(zip(live.moded, of.training, strict=True)):
        names[f"part{i}"] = part
        tests.append(f"part{i}.training is {training}")
    for i, (place, value) in enumerate(live.held):
        names |= {f"h{i}": place.holder, f"k{i}": place.key, f"v{i}": value}
        tests.append(f"{place.text(f'h{i}', f'k{i}')} is v{i}")
    for i, (place, of_number) in enumerate(live.kinds):
        names |= {f"n{i}": place.holder, f"l{i}": place.key, f"t{i}": of_number}
        tests.append(f"type({place.text(f'n{i}', f'l{i}')}) is t{i}")
    for i, (place, layout) in enumerate(zip(live.moving, of.moving, strict=True)):
        if layout is not None:
            names |= {f"a{i}": place.holder, f"j{i}": place.key, f"of{i}": layout}
            tests.append(f"layout({place.text(f'a{i}', f'j{i}')}) == of{i}")
    for i, (holder, before) in enumerate(live.contents):
        names |= {f"z{i}": holder, f"y{i}": before}
        same = f"z{i} == y{i}" if isinstance(before, set) else f"len(z{i}) == {len(before)}"
        tests.append(same)
    parameters = "".join(f"x{i}, " for i in range(len(args)))
    text = f"lambda {', '.join(names)}: lambda {parameters}: {' and '.join(tests)}"
    made: Guard = eval(text)(**names)
    return made
