"""The gradients that somebody has shown: their shapes and convention, and what is said of them."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from tinygrad_dnn.checking.arrays import misfit, not_finite, place
from tinygrad_dnn.checking.diagnosis.explain import Explanation, describe
from tinygrad_dnn.checking.diagnosis.factor import Sizes
from tinygrad_dnn.checking.rows import details
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import RIGHT, WRONG, Evidence, Row, relative_error

Arrays = Mapping[str, Array]
CLOSE = 1e-7  # of the right derivatives, where they are known by equations
ROUGHLY = 1e-2  # relative: the two conventions are at least a factor 2 apart


class Shown:
    """Gradients by the names of their values, ``known``, and those of values not known.

    ``arrays`` are as given, but in the shape of their values where they are flat, or only axes of
    length 1 differ.
    """

    def __init__(self, given: Arrays, known: Arrays) -> None:
        self.given = given
        self.see(known)

    def see(self, known: Arrays) -> None:
        """Compare shapes with those of the values ``known``."""
        given, self.known = self.given, known
        self.arrays = {name: _in_shape(x, known.get(name)) for name, x in given.items()}
        there = [name for name in given if name in known]
        self.unknown = [name for name in given if name not in known]
        self.fitting = [name for name in there if self.arrays[name].shape == known[name].shape]
        self.misshapen = [name for name in there if name not in self.fitting]

    def equations(self, parameters: Collection[str]) -> Arrays:
        """Return the gradients that equations can be judged by.

        A misshapen one of a parameter can be explained; one in between would not fit those after.
        """
        fits = (*self.fitting, *self.unknown)
        return {n: x for n, x in self.arrays.items() if n in fits or n in parameters}

    def convention(self, right: Arrays, m: int) -> bool | None:
        """Return whether dZ and dA are per example, m times ``right``; None if as many are not.

        An array speaks for the convention in which most of its entries are right.
        """
        known = [name for name in right if name in self.arrays and m > 1]
        per_example, of_J = (
            sum(_mostly(self.arrays[name], factor * right[name]) for name in known)
            for factor in (m, 1)
        )
        return per_example > of_J if per_example != of_J else None

    def misshapen_row(self, name: str) -> Row:
        """Return the row of a gradient that has not the shape of its value."""
        note = self._misfit(name)
        return Row(f"d{name}", self.given[name].shape, np.inf, WRONG, details("shape"), note)

    def _misfit(self, name: str) -> str:
        got, wanted = self.given[name].shape, self.known[name].shape
        advice = misfit(f"d{name}", got, wanted)
        return f"it is {got}, but {name} is {wanted}{advice and f': {advice}'}"

    def compared_row(self, name: str, right: Array, by: str, close: float = CLOSE) -> Row:
        """Return the row of a gradient whose right value is known to rounding."""
        shown = self.arrays[name]
        error = relative_error(shown, right)
        verdict = RIGHT if error <= close else WRONG
        allowed = np.full(right.shape, close * np.max(np.absolute(right), initial=0.0))
        evidence = Evidence(shown, right, allowed)
        note = "" if error <= close else _differences(evidence, by)
        return Row(f"d{name}", shown.shape, error, verdict, details(by), note, evidence)

    def explained(
        self, rows: Mapping[str, Row], found: Explanation | None, right: Arrays, m: int
    ) -> list[Row]:
        """Return the rows in the order of the gradients, with causes; ``right`` is of J."""
        return [
            self._said_of(name, rows[name], found, right, m) for name in self.given if name in rows
        ]

    def _said_of(
        self, name: str, row: Row, found: Explanation | None, right: Arrays, m: int
    ) -> Row:
        said = [row.note] if name in self.misshapen else []
        verdict, given, shown = row.verdict, self.given[name], self.arrays[name]
        if given.shape != shown.shape:
            said.append(self._misfit(name))
        if bad := not_finite(shown):
            said.append(f"it holds {bad}")
        elif verdict == WRONG:
            cause = found.notes.get(name, "") if found else ""
            known = found.right if found and name in found.right else right
            if not cause and name in known and (known is right or name in self.misshapen):
                change = describe(shown, known[name], Sizes(m))
                cause = change.words if change else ""
            said += [cause or ("" if said else row.note)]
        verdict = WRONG if given.shape != shown.shape else verdict
        note = "; ".join(filter(None, said)) if verdict == WRONG else row.note
        return replace(row, shape=given.shape, verdict=verdict, note=note)


def convention_words(convention: bool | None, m: int) -> str:
    """Say which derivatives dZ and dA are."""
    if convention is None:
        return (
            "convention: not told by these gradients; dZ and dA are taken as per example, and 1/m "
            "as part of dW and db: where your dZ has it already they have none"
        )
    if convention:
        return f"convention: dZ and dA per example (m dJ/dZ, m dJ/dA; m = {m}); dW, db of J"
    return "convention: all are derivatives of the cost J (dZ and dA too)"


def _differences(evidence: Evidence, by: str) -> str:
    """Say where an array is wrong, and give the largest difference."""
    shown, right = evidence.claimed, evidence.numeric
    off = np.nan_to_num(np.absolute(shown - right), nan=np.inf)
    worst, many = int(np.argmax(off)), int(np.count_nonzero(off > evidence.error)) - 1
    more = f" and at {many} more" if many > 0 else ""
    return (
        f"wrong at {place(worst, right.shape)}{more}: the value is {shown.flat[worst]:.9g}, "
        f"{by} {right.flat[worst]:.9g}"
    )


def _mostly(shown: Array, right: Array) -> bool:
    """Whether most entries that are not 0 are right, roughly."""
    if shown.shape != right.shape:
        return False
    there = (right != 0) & np.isfinite(right)
    off = np.absolute(shown - right)[there] <= ROUGHLY * np.absolute(right[there])
    return bool(off.size and np.mean(off) > 0.5)


def _in_shape(x: Array, wanted: Array | None) -> Array:
    """Return x in the shape of ``wanted`` if it is flat or lacks nothing but axes of length 1."""
    if wanted is None or x.shape == wanted.shape or x.size != wanted.size:
        return x
    alike = [n for n in x.shape if n != 1] == [n for n in wanted.shape if n != 1]
    return x.reshape(wanted.shape) if x.ndim != wanted.ndim and (alike or x.ndim == 1) else x
