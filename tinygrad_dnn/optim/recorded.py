"""Recorded: a step of an optimiser as a plan, and what tells if another step is the same.

What is run to record it is a twin of the optimiser, which has leaves of its own on the same arrays:
so nobody, in another thread, finds anything but numbers where the optimiser keeps its own.
"""

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np

from tinygrad_dnn.errors import ReplayError
from tinygrad_dnn.graph import Node, changed
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.replay.capture import capture
from tinygrad_dnn.replay.jit import is_looked_at as is_looked_at
from tinygrad_dnn.replay.live import Live
from tinygrad_dnn.replay.lookout import Drawing, Overlooked
from tinygrad_dnn.replay.places import CONTAINERS, Place, state_of
from tinygrad_dnn.replay.plan import Plan
from tinygrad_dnn.replay.program import Program
from tinygrad_dnn.replay.signature import guard, signature

_PLAIN = (dict, list)  # containers of which there is a copy with other parts
SMALL = 1 << 15  # bytes of a gradient: of larger ones arithmetic takes the time, and not calls
FORMULA = ("take", "descend", "decayed")  # the methods that a step consists of


class Recorded:
    """The step that ``program`` takes, for the same leaves, with all arrays where they were."""

    is_looked_at = staticmethod(is_looked_at)

    def __init__(
        self, program: Program, optimizer: Any, leaves: list[Node], gradients: Sequence[Any]
    ) -> None:
        given = _there(gradients)
        live = _live(optimizer, [W for W in leaves if W.grad is None])
        live.held += [(Place(W, "value"), W.value) for W in _updated(leaves, gradients)]
        key = signature(given, {}, live)
        self._plan = Plan(program, None, False, lambda: guard(given, {}, live, key))
        self._leaves = leaves
        self._optimizer, self._formula = optimizer, _formula(optimizer)
        self._live = _memory([s.before.value for s in program.state if s.is_array])

    def replayed(self, leaves: list[Node], gradients: Sequence[Any]) -> bool:
        """Take the step along ``gradients``; False if it is another one, and nothing was done."""
        given = _there(gradients)
        if not (
            leaves == self._leaves
            and _formula(self._optimizer) == self._formula
            and self._plan.fits(given)
            and _own_their_memory(given)
            and self._live.isdisjoint(map(id, given))
        ):
            return False
        try:
            self._plan.replay(given)
        except BaseException:  # an interrupt, or a warning that is an error: in the midst of it
            changed(leaves)
            raise
        return True


def can_be(optimizer: Any, leaves: Sequence[Node], gradients: Sequence[Any]) -> bool:
    """Say if all is plain arrays of NumPy's, most of them small, and no gradient is live too.

    And if the formula is that of the kind: what was put in its place would not meet the twin.
    """
    given = _there(gradients)
    state = [value for _, _, value in state_of(optimizer)]
    arrays = [x for x in state if isinstance(x, np.ndarray)]
    arrays += [W.value for W in _updated(leaves, gradients)]
    return (
        vars(optimizer).keys().isdisjoint(FORMULA)
        and all(type(a) is np.ndarray for a in (*arrays, *given))
        and all(type(x) in _PLAIN for x in state if isinstance(x, CONTAINERS))
        and _own_their_memory(given)
        and _memory(arrays).isdisjoint(map(id, given))
        and sum(dW.nbytes for dW in given) <= SMALL * len(given)
    )


def captured(optimizer: Any, leaves: Sequence[Node], gradients: Sequence[Any]) -> Program:
    """Take a step, and return it as a program on what ``optimizer`` and ``leaves`` have."""
    real = {id(twin := copy(optimizer)): optimizer}
    vars(twin).update({name: _twin(x, real) for name, x in vars(optimizer).items()})
    numbers = [i for i, dW in enumerate(gradients) if dW is not None]
    updated = _updated(leaves, gradients)
    twins = [Node(W.value, name=W.name) for W in updated]
    real |= {id(W): leaf for W, leaf in zip(twins, updated, strict=True)}

    def update(*gradients: Array) -> None:
        twin.take(list(zip(numbers, twins, gradients, strict=True)))

    update.__name__ = f"the update of {type(optimizer).__name__}"
    given = _there(gradients)
    try:
        program, _, _ = capture(update, (tuple(given), {}), given, _live(twin, twins))
    except Overlooked as found:
        raise ReplayError(
            f"{update.__name__} looks at {found.leaf.name or 'a Tensor'} itself; let it keep what "
            f"it needs as arrays, and change the parameters that it is given"
        ) from None
    except Drawing as found:
        raise ReplayError(f"{update.__name__} draws from {found.what}") from None
    finally:
        changed(updated)
    for s in program.state:
        place = Place(real[id(s.place.holder)], s.place.key)
        if s.after is not s.before and not s.is_array:  # a number that the twin has counted
            place.set(s.place.get())
        s.place = place
    return program


def _live(optimizer: Any, leaves: Sequence[Node]) -> Live:
    """Return as live what ``optimizer`` has, and of leaves no others than ``leaves``."""
    live = Live(leaves=[*leaves])
    live.descends(optimizer)
    return live


def _twin(x: Any, real: dict[int, Any]) -> Any:
    """Return ``x`` itself, of lists and dicts a copy, and note whose that is."""
    if not isinstance(x, CONTAINERS):
        return x
    inside = x.items() if isinstance(x, dict) else enumerate(x)
    twins = {key: _twin(part, real) for key, part in inside}
    twin = twins if isinstance(x, dict) else [*twins.values()]
    real[id(twin)] = x
    return twin


def _there(gradients: Sequence[Any]) -> list[Any]:
    return [dW for dW in gradients if dW is not None]


def _updated(leaves: Sequence[Node], gradients: Sequence[Any]) -> list[Node]:
    return [W for W, dW in zip(leaves, gradients, strict=True) if dW is not None]


def _formula(optimizer: Any) -> list[Any]:
    return [getattr(optimizer, name) for name in FORMULA]


def _own_their_memory(arrays: Sequence[Any]) -> bool:
    return all(a.base is None for a in arrays)


def _memory(arrays: Sequence[np.ndarray]) -> frozenset[int]:
    """Return the ids of ``arrays`` and of those in whose memory they lie."""
    return frozenset(id(a) for array in arrays for a in (array, array.base))
