"""Causes for a gradient or vjp written by hand, of any function that the engine can record.

The equations are those of what the function computes; the incoming derivative is one of random
numbers, or dJ = 1.  A cost is also read as one reads a network's: a loss and penalties at its end.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from tinygrad_dnn.checking.described import described, gave_up
from tinygrad_dnn.checking.diagnosis.equation import equations_of
from tinygrad_dnn.checking.diagnosis.explain import Explanation, explain
from tinygrad_dnn.checking.diagnosis.forward import Forward
from tinygrad_dnn.checking.diagnosis.legend import legend
from tinygrad_dnn.checking.diagnosis.losses import PENALTIES
from tinygrad_dnn.checking.diagnosis.reading import examples
from tinygrad_dnn.checking.diagnosis.recorded import Recorded, recorded, true, twins
from tinygrad_dnn.checking.diagnosis.terms import Direct
from tinygrad_dnn.checking.diagnosis.wiring import Wiring
from tinygrad_dnn.checking.randomness import Randomness
from tinygrad_dnn.graph import Node
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import WRONG, Row

Arrays = Mapping[str, Array]
MOST = 20_000  # numbers in the arguments; of more, nothing is said
ONE = 1.5  # an explanation of less weight is one mistake, and good enough
TWO = 2.05  # of more weight it is several, or what is far-fetched
OUT = "out"  # what the result is called
IN_BETWEEN = "values in between"


class Reading(NamedTuple):
    """What a function is read as, with the derivatives that are known, and those shown."""

    forward: Forward
    known: Arrays
    shown: Arrays


@dataclass(frozen=True)
class Derivation:
    """A function of named arrays, and what is claimed of its derivative.

    ``claimed(g)`` are the gradients for the derivative ``g`` of the result; ``context`` are arrays
    that the function reads from around it.
    """

    function: Callable[[Mapping[str, Any]], Any]
    claimed: Callable[[Array], Arrays]
    point: Arrays
    context: Arrays
    randomness: Randomness

    def said_of(self, row: Row) -> Row:
        """Return a row with its cause, if it is wrong and there is one."""
        cause = self._causes.get(row.name) if row.verdict == WRONG else None
        return replace(row, note=f"{row.note}; {cause}") if cause else described(row)

    @property
    def notes(self) -> list[str]:
        """What names in the causes stand for that are not the user's, or why there are none."""
        found = self.__dict__.get("_found")  # unless nobody has asked for a cause
        if not isinstance(found, tuple):
            return [found] if found else []
        said = legend(found[0].forward, [OUT], "; ".join(self._causes.values()), IN_BETWEEN)
        return [said] if said else []

    @property
    def _causes(self) -> Mapping[str, str]:
        return self._found[1].notes if isinstance(self._found, tuple) else {}

    @cached_property
    def _found(self) -> tuple[Reading, Explanation] | str:
        if sum(x.size for x in self.point.values()) > MOST:
            return ""
        try:
            with np.errstate(all="ignore"), self.randomness.unmoved():
                return self._best() or ""
        except Exception as error:
            return gave_up(error)

    def _best(self) -> tuple[Reading, Explanation] | None:
        best: tuple[Reading, Explanation] | None = None
        for reading in self._readings():
            found = explain(*reading, [False], network=OUT not in reading.known)
            if found and found.weight < (best[1].weight if best else TWO):
                best = reading, found
            if best and best[1].weight < ONE:
                break
        return best

    # ---- what the function is read as
    def _readings(self) -> Iterator[Reading]:
        shape = np.shape(self._run(self.point))
        if shape:
            yield from self._as_calls(np.random.default_rng(0).standard_normal(shape))
        else:
            yield from self._as_network()
            yield from self._as_calls(np.ones(()))

    def _as_network(self) -> Iterator[Reading]:
        """Yield a cost's reading as a network: its predictions, and what is added to the loss.

        A penalty has the same factor at another point too.
        """
        away, here = self._recorded(np.ones(()))
        if not away or not here or not (pairs := twins(away, here)):
            return
        found = [self._network(away, nodes) for nodes in (pairs, {v: v for v in pairs})]
        shown = self.claimed(here.seed)
        if found[0].forward.steps and _penalties(found[0]) == _penalties(found[1]):
            yield found[0]._replace(shown=shown)

    def _network(self, away: Recorded, nodes: Mapping[Node, Node]) -> Reading:
        wiring = Wiring(away, nodes, self.context, {})
        inputs = {name: nodes[node] for name, node in away.parameters.items() if node in nodes}
        forward = wiring.forward({name: node.value for name, node in inputs.items()})
        run = replace(away, J=nodes[away.J])
        _count(forward, run)
        wanted = wiring.outputs() | inputs
        known = dict(zip(wanted, run.derivatives(list(wanted.values())), strict=True))
        return Reading(forward, known, {})

    def _as_calls(self, g: Array) -> Iterator[Reading]:
        """Yield the reading as a sequence of calls, the derivative of the result being ``g``."""
        away, here = self._recorded(g)
        if not away or not here or not (pairs := twins(away, here)):
            return
        wiring = Wiring(replace(away, tapped={OUT: away.J}), pairs, self.context, {})
        forward = wiring.forward(self.point)
        _count(forward, here)
        if forward.steps:
            yield Reading(forward, {OUT: g}, {**self.claimed(g), OUT: g})

    def _recorded(self, g: Array) -> tuple[Recorded | None, Recorded | None]:
        rng = np.random.default_rng(1)
        moved = {
            name: x + 0.1 * (np.std(x) or 1.0) * rng.standard_normal(x.shape)
            for name, x in self.point.items()
        }
        away, here = (recorded(self._run, x, g) for x in (moved, self.point))
        right = here and true(here, lambda point: float(np.sum(g * self._run(point))))
        return (away, here) if right else (None, None)

    def _run(self, point: Mapping[str, Any]) -> Any:
        self.randomness.rewind()
        return self.function(dict(point))


def _count(forward: Forward, run: Recorded) -> None:
    """Tell how many examples there are: as many as are summed or averaged to one number."""
    forward.m, forward.over = examples(forward)
    sums = (v.seen[0] for v in run.nodes if v.fn in (np.sum, np.mean) and not v.value.ndim)
    forward.m = max(forward.m, next((len(x) for x in sums if np.ndim(x)), 1))


def _penalties(reading: Reading) -> dict[str, float]:
    """Return the factors of the penalties of each argument."""
    equations, _ = equations_of(reading.forward, reading.known, (), per_example=False)
    direct = (t for terms in equations.values() for t in terms if isinstance(t, Direct))
    found = (term for term in direct if term.kind in PENALTIES)
    return {f"{term.kind} of {term.of}": float(f"{term.coefficient:.5g}") for term in found}
