"""A loop over examples, or over mini-batches, as one pass over all of them.

A cost that is a sum over ``data`` records the same steps for every example, and these branches have
nothing in common but the parameters.  They are laid side by side: one Z1 of all examples, whose
equations, and whose mistakes, are those of the loop's body.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from tinygrad_dnn.checking.diagnosis.factor import CLOSE
from tinygrad_dnn.checking.diagnosis.forward import (
    Call,
    Elementwise,
    Forward,
    Linear,
    Mixture,
    Softmax,
    Step,
    inputs,
    plain,
)
from tinygrad_dnn.checking.diagnosis.sources import same
from tinygrad_dnn.primitives import Array

LOOP = 5  # branches, or more, are a loop; fewer, as in a twin network, keep their own equations
Arrays = Mapping[str, Array]
Roles = dict[str, tuple[str, ...]]  # the names in one place of all branches, by the first of them


def side_by_side(
    forward: Forward, measured: Arrays, shown: Collection[str]
) -> tuple[Forward, Arrays]:
    """Return a loop as one pass, with its measured derivatives; whatever is no loop as it is.

    A derivative in one of the branches that is ``shown`` keeps them apart.
    """
    branches = _branches(forward.steps)
    made = {step.out for step in forward.steps}
    if len(branches) < LOOP or made.intersection(shown):
        return forward, measured
    roles = _roles(branches)
    for lay in _layouts(forward, roles):
        with suppress(ValueError, IndexError, KeyError):  # it is not along this axis
            one = _one(forward, branches[0], roles, lay)
            if all(_agrees(step, one) for step in one.steps):
                known = {name: x for name, x in measured.items() if name not in made}
                for step in one.steps:
                    if all(name in measured for name in roles[step.out]):
                        known[step.out] = lay.beside([measured[n] for n in roles[step.out]])
                return one, known
    return forward, measured


def passes_words(forward: Forward) -> list[str]:
    """Say that a loop is taken as one pass."""
    n = len(forward.passes)
    said = f"the cost is a loop of {n} passes: what is computed in it stands for all of them"
    return [f"{said}, side by side"] if n else []


class _Layout:
    """Along which axis the examples lie, and whether one of them has that axis."""

    def __init__(self, over: int, new: bool) -> None:
        self.over, self.new = over, new

    def beside(self, arrays: Sequence[Array]) -> Array:
        """Return the arrays of all branches as one."""
        return np.stack(arrays) if self.new else np.concatenate(arrays, self.over)

    def apart(self, x: Array, like: Sequence[Array]) -> list[Array]:
        """Return an array of all branches in parts like these."""
        if self.new:
            return list(x)
        return np.split(x, np.cumsum([part.shape[self.over] for part in like])[:-1], self.over)


def _branches(steps: Sequence[Step]) -> list[list[Step]]:
    """Return the steps in groups, none of which reads what another makes."""
    groups: dict[str, list[Step]] = {}
    for step in steps:
        group = [step]
        for before in {id(groups[n]): groups[n] for n in inputs(step) if n in groups}.values():
            group[:-1] += before
        groups |= {member.out: group for member in group}
    return list({id(group): group for group in groups.values()}.values())


def _roles(branches: Sequence[Sequence[Step]]) -> Roles:
    """Return what stands in the same places of all branches; nothing if they are not alike."""
    roles: Roles = {}
    if len({len(branch) for branch in branches}) > 1:
        return {}
    for steps in zip(*branches, strict=True):
        if any(step != _like(steps[0], step) for step in steps):
            return {}
        for names in zip(*map(_names, steps), strict=True):
            if roles.setdefault(names[0], names) != names:
                return {}
    return roles


def _like(first: Step, step: Step) -> Step | None:
    """Return the first step, with the names of another; None if they differ in more than names."""
    names, others = _names(first), _names(step)
    if type(first) is not type(step) or len(names) != len(others):
        return None
    rest = iter(others)
    return _renamed(first, lambda _: next(rest))


def _names(step: Step) -> tuple[str, ...]:
    """Return all names in a step, in order."""
    names: list[str] = []

    def noted(name: str) -> str:
        names.append(name)
        return name

    _renamed(step, noted)
    return tuple(names)


def _renamed(step: Step, call: Callable[[str], str]) -> Step:
    """Return a step with other names."""
    out = call(step.out)
    if isinstance(step, Linear):
        pairs = tuple((_operand(a, call), _operand(b, call)) for a, b in step.products)
        return Linear(out, pairs, tuple(map(call, step.addends)))
    if isinstance(step, Mixture):
        parts = [(c, [replace(f, name=call(f.name)) for f in fs]) for c, fs in step.parts]
        return Mixture(out, tuple((c, tuple(factors)) for c, factors in parts))
    if isinstance(step, Call):
        given = {name: call(name) for name in (*step.inputs, *step.parts)}
        inner, arrays = (tuple(given[n] for n in names) for names in (step.inputs, step.parts))
        return replace(step, out=out, inputs=inner, parts=arrays)
    z = call(step.z)
    if isinstance(step, Elementwise):
        mask, skip = step.mask and call(step.mask), step.skip and call(step.skip)
        return replace(step, out=out, z=z, mask=mask, skip=skip)
    return replace(step, out=out, z=z)


def _operand(operand: str, call: Callable[[str], str]) -> str:
    name = plain(operand)
    return call(name) + operand[len(name) :]


def _layouts(forward: Forward, roles: Roles) -> Iterator[_Layout]:
    ranks = {forward.values[n].ndim for name in _apart(roles) for n in roles[name]}
    if ranks == {2}:
        yield from (_Layout(over, new=False) for over in (forward.over, 1 - forward.over))
    elif ranks and max(ranks) < 2:
        yield _Layout(0, new=True)


def _apart(roles: Roles) -> list[str]:
    """Return the places in which every branch has a value of its own."""
    return [name for name, names in roles.items() if len(set(names)) > 1]


def _one(forward: Forward, branch: Sequence[Step], roles: Roles, lay: _Layout) -> Forward:
    """Return the pass of all examples, in the names of the first branch."""
    apart, old = _apart(roles), forward.values
    gone = {name for place in apart for name in roles[place]}
    values = {name: x for name, x in old.items() if name not in gone}
    given = {name: x for name, x in values.items() if name not in forward.parameters}
    made, called = {step.out for step in branch}, {}
    for place in apart:
        x = lay.beside([old[name] for name in roles[place]])
        whole = (name for name, y in given.items() if place not in made and same(x, y, 0.0))
        called[place] = next(whole, place)
        values[called[place]] = x
    first = {name: old[name] for name in gone}
    steps = [_turned(step, first, values, lay) for step in branch]
    steps = [_renamed(step, lambda name: called.get(name, name)) for step in steps]
    own = {step.out: step.own for step in forward.steps if isinstance(step, Elementwise)}
    for i, step in enumerate(steps):
        if isinstance(step, Elementwise) and step.own is not None:
            all_own = [x for name in roles[step.out] if (x := own[name]) is not None]
            steps[i] = replace(step, own=lay.beside(all_own))
        elif isinstance(step, Call):
            steps[i] = replace(step, back=_back(forward, step.out, roles, lay))
    outs = roles[branch[-1].out]
    passes = tuple(1 if lay.new else old[name].shape[lay.over] for name in outs)
    m = sum(passes) if forward.m in (1, passes[0]) else forward.m
    return Forward(values, forward.parameters, steps, m, lay.over, passes)


def _back(forward: Forward, out: str, roles: Roles, lay: _Layout) -> Callable[..., Array]:
    """Return the derivatives of a call, those of every branch by its own."""
    made = {step.out: step for step in forward.steps}
    calls = [made[name] for name in roles[out]]
    outs = [forward.values[name] for name in roles[out]]

    def back(g: Array, name: str) -> Array:
        each = [
            call.back(part, other)
            for call, part, other in zip(calls, lay.apart(g, outs), roles[name], strict=True)
            if isinstance(call, Call)
        ]
        return lay.beside(each) if name in _apart(roles) else sum(each[1:], each[0])

    return back


def _turned(step: Step, apart: Arrays, values: Arrays, lay: _Layout) -> Step:
    """Return ``W @ x`` as ``X @ W.T``, where the examples become rows, and the softmax of each."""
    if lay.new and isinstance(step, Softmax):
        return replace(step, axis=1)
    if not lay.new or not isinstance(step, Linear):
        return step
    pairs = []
    for a, b in step.products:
        if plain(b) in apart and plain(a) not in apart:
            W = plain(a)
            turned = "" if values[W].ndim < 2 or a != W else ".T"
            a, b = b, W + turned
        pairs.append((a, b))
    return replace(step, products=tuple(pairs))


def _agrees(step: Step, forward: Forward) -> bool:
    """Whether the step, on all examples at once, gives what it gave one by one."""
    if isinstance(step, Call) or (isinstance(step, Elementwise) and step.own is not None):
        return True  # its derivatives are those that were recorded one by one
    return same(np.asarray(forward.result(step)), forward.values[step.out], CLOSE)
