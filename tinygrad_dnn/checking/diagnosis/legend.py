"""What values are that the student has not shown, and that sentences call by names of ours."""

import re
from collections.abc import Collection, Iterator

from tinygrad_dnn.checking.diagnosis.forward import (
    Elementwise,
    Forward,
    Linear,
    Mixture,
    Softmax,
    Step,
    inputs,
)
from tinygrad_dnn.checking.diagnosis.names import usual


def legend(
    forward: Forward, tapped: Collection[str], said: str, what: str = "values that were not tapped"
) -> str:
    """Say what those of our names stand for that were ``said``, unless it goes without saying."""
    steps = {step.out: _written(step) for step in _unusual(forward, tapped)}
    told = [words for name, words in steps.items() if _mentioned(name, said)]
    constants = {n: x for n, x in forward.values.items() if re.fullmatch(r"K\d+", n)}
    at_all = f"{said} {told}"
    told += [f"{n} an array {x.shape}" for n, x in constants.items() if _mentioned(n, at_all)]
    return f"{what}: {', '.join(told)}" if told else ""


def _mentioned(name: str, said: str) -> bool:
    return bool(re.search(rf"\bd?{re.escape(name)}\b", said))


def plain(forward: Forward, tapped: Collection[str]) -> bool:
    """Whether every name of ours is what everybody would call that value: Z1, A1, Z2, ..."""
    return not any(True for _ in _unusual(forward, tapped))


def _unusual(forward: Forward, tapped: Collection[str]) -> Iterator[Step]:
    for step in forward.steps:
        usually = usual(step, forward.parameters) == step.out and not getattr(step, "skip", None)
        if step.out not in tapped and not usually:
            yield step


def _written(step: Step) -> str:
    """Return a step as one writes it.

    >>> _written(Linear("Z1", (("W1", "X"),), ("b1",)))
    'Z1 = W1 @ X + b1'
    >>> _written(Elementwise("A1", "Z1", "tanh"))
    'A1 = tanh(Z1)'
    """
    if isinstance(step, Linear):
        right = " + ".join([*(f"{a} @ {b}" for a, b in step.products), *step.addends])
    elif isinstance(step, Elementwise):
        times = f" * {step.mask}" if step.mask else ""
        times += f" / {1 / step.rescale:.4g}" if step.mask and step.rescale != 1 else ""
        right = f"{step.g}({step.z}){times}{f' + {step.skip}' if step.skip else ''}"
        right = f"{step.z}{times}" if step.g == "identity" else right
    elif isinstance(step, Softmax):
        right = f"softmax({step.z})"
    elif isinstance(step, Mixture):
        right = " + ".join(_part(c, [str(factor) for factor in f]) for c, f in step.parts)
    else:
        right = f"{step.function}({', '.join(inputs(step))})"
    return f"{step.out} = {right}"


def _part(c: float, factors: list[str]) -> str:
    times = {1.0: "", -1.0: "-"}.get(c, f"{c:.6g} * ")
    return times + " * ".join(factors)
