"""Lesson: what of a file can be checked, and the reports on it.

Functions marked with ``@tg.checked``; else a cost with its params and grads, ready made or as the
functions of a course's notebook: forward_propagation, compute_cost, backward_propagation.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from tinygrad_dnn.checking.arrays import in_words
from tinygrad_dnn.checking.backprop import check_backprop
from tinygrad_dnn.checking.checked import MARK
from tinygrad_dnn.checking.gradcheck import gradcheck
from tinygrad_dnn.cli import target
from tinygrad_dnn.cli.unusable import Unusable
from tinygrad_dnn.containers import leaves
from tinygrad_dnn.report import Report

COST = ("cost", "J")
PARAMS = ("params", "parameters")
GRADS = ("grads", "gradients", "backward", "backprop")
FORWARD = (
    "forward_propagation",
    "forward_propagation_with_dropout",
    "L_model_forward",
    "model_forward",
    "forward_pass",
    "forward",
)
OF_OUTPUT = ("compute_cost_with_regularization", "compute_cost", "cost_function", "loss")
BACKWARD = (
    "backward_propagation",
    "backward_propagation_with_regularization",
    "backward_propagation_with_dropout",
    "L_model_backward",
    "model_backward",
    "backward_pass",
    "backward",
)
Named = Mapping[str, Any]


def reports(names: Named) -> Iterator[tuple[str, Report]]:
    """Yield (what, report) for everything in a module that can be checked."""
    marked = {name: x for name, x in names.items() if hasattr(x, MARK)}
    for name, function in marked.items():
        yield name, report_of(name, function)
    if marked:
        return
    found = _ready(names) or _course(names)
    if found is None:
        raise Unusable(
            f"there is nothing to check{_halves(names)}: mark functions with @tg.checked, or "
            f"define cost (a function of params), params and grads, or forward_propagation, "
            f"compute_cost and backward_propagation with X, Y and parameters"
        )
    what, cost, params, grads = found
    yield what, check_backprop(cost, params, grads)


def report_of(name: str, found: Any) -> Report:
    """Return the report on a function, marked or not, or on what a name stands for."""
    inputs = getattr(found, MARK, ())
    if inputs:
        return gradcheck(found, *map(_as_array, inputs))
    if callable(found):
        found = target.call(found, name)
    if isinstance(found, Report):
        return found
    if isinstance(found, tuple) and len(found) > 1 and callable(found[0]):
        backprop = isinstance(found[1], Mapping) and len(found) == 3
        return check_backprop(*found) if backprop else gradcheck(*found)
    raise Unusable(
        f"{name} gives {in_words(found)}; to be checked it must give a Report, or "
        f"(cost, params, grads), or (f, *inputs)"
    )


def _as_array(x: Any) -> Any:
    """Return a list of numbers, as one writes them behind @checked, as an array."""
    numbers = all(isinstance(leaf, int | float) for leaf in leaves(x))
    return np.asarray(x, float) if numbers and not isinstance(x, dict | tuple) else x


def _first(names: Named, wanted: tuple[str, ...]) -> Any:
    return next((names[name] for name in wanted if name in names), None)


def _ready(names: Named) -> tuple[str, Any, Any, Any] | None:
    """Return a cost of params, the params and the grads, if a file has all three."""
    cost, params, grads = (_first(names, wanted) for wanted in (COST, PARAMS, GRADS))
    if not (callable(cost) and params is not None and grads is not None):
        return None
    return "cost, params, grads", cost, params, grads


def _halves(names: Named) -> str:
    """Say which of cost, params and grads there are, if not all, and which are not."""
    wanted = {"cost": COST, "params": PARAMS, "grads": GRADS}
    there = [name for name, known in wanted.items() if _first(names, known) is not None]
    missing = [name for name in wanted if name not in there]
    return (
        f" (there is {', '.join(there)}, but no {', '.join(missing)})" if there and missing else ""
    )


def _course(names: Named) -> tuple[str, Any, Any, Any] | None:
    """Return the same made of a course's functions: forward, cost of the output, backward."""
    functions = [_first(names, wanted) for wanted in (FORWARD, OF_OUTPUT, BACKWARD)]
    params = _first(names, PARAMS)
    if not (all(map(callable, functions)) and isinstance(params, Mapping)):
        return None
    forward, of_output, backward = functions

    def forwarded(p: Named) -> dict[str, Any]:
        found = _called(forward, {**names, "params": p, "parameters": p})
        A, *rest = found if isinstance(found, tuple) and found else (found,)
        caches = {"cache": rest[0], "caches": rest[0]} if rest else {}
        return {**names, "params": p, "parameters": p, "A": A, **caches}

    def cost(p: dict[str, Any]) -> Any:
        return _called(of_output, forwarded(p))

    def grads(p: dict[str, Any]) -> Any:
        return _called(backward, forwarded(p))

    cost.__dict__ |= {"X": names.get("X"), "Y": names.get("Y")}
    what = ", ".join(f.__name__ for f in functions)
    return what, cost, params, grads


def _called(function: Callable[..., Any], at_hand: Named) -> Any:
    """Call a function with what bears the names of its arguments; AL and A3 are the output."""
    arguments = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name in at_hand and not (name[:1] == "A" and "A" in at_hand):
            arguments[name] = at_hand[name]
        elif name[:1] == "A" and "A" in at_hand:
            arguments[name] = at_hand["A"]
        elif parameter.default is parameter.empty:
            raise Unusable(f"{function.__name__} wants {name}, and the file has no {name}")
    return function(**arguments)
