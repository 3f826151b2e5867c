"""The gradients that somebody has shown: their shapes and convention, and what is said of them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tinygrad_dnn.checking.diagnosis.explain import Explanation, describe
from tinygrad_dnn.checking.diagnosis.reading import same
from tinygrad_dnn.checking.rows import details
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import RIGHT, WRONG, Row, relative_error

Arrays = Mapping[str, Array]
CLOSE = 1e-7  # of the right derivatives, where they are known by equations


class Shown:
    """Gradients by the names of their values, ``known``, and those of values not known.

    ``arrays`` are as given, but in the shape of their values where only axes of length 1 differ.
    """

    def __init__(self, given: Arrays, known: Arrays) -> None:
        self.given, self.known = given, known
        self.arrays = {name: _in_shape(x, known.get(name)) for name, x in given.items()}
        there = [name for name in given if name in known]
        self.unknown = [name for name in given if name not in known]
        self.fitting = [name for name in there if self.arrays[name].shape == known[name].shape]
        self.misshapen = [name for name in there if name not in self.fitting]

    def convention(self, right: Arrays, m: int) -> bool | None:
        """Return whether dZ and dA are per example, m times ``right``; None if nothing can tell."""
        votes = 0
        for name, derivative in right.items():
            claimed = self.arrays.get(name)
            if claimed is not None and m > 1:
                votes += int(same(claimed, m * derivative, 1e-5))
                votes -= int(same(claimed, derivative, 1e-5))
        return None if not votes else votes > 0

    def misshapen_row(self, name: str) -> Row:
        """Return the row of a gradient that has not the shape of its value."""
        shape = self.given[name].shape
        note = f"it is {shape}, but {name} is {self.known[name].shape}"
        return Row(f"d{name}", shape, np.inf, WRONG, details("shape"), note)

    def compared_row(self, name: str, right: Array, by: str, close: float = CLOSE) -> Row:
        """Return the row of a gradient whose right value is known to rounding."""
        shown = self.arrays[name]
        error = relative_error(shown, right) if shown.shape == right.shape else np.inf
        verdict = RIGHT if error <= close else WRONG
        return Row(f"d{name}", shown.shape, error, verdict, details(by))

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
            said.append(
                f"it is {given.shape}, but {name} is {shown.shape}: keepdims=True is missing"
            )
        if verdict == WRONG:
            cause = found.notes.get(name, "") if found else ""
            if not cause and name in right and not (found and name in found.right):
                change = describe(shown, right[name], {"m": m} if m > 1 else {})
                cause = change.words if change else ""
            said += [cause or ("" if said else row.note)]
        verdict = WRONG if given.shape != shown.shape else verdict
        note = "; ".join(filter(None, said)) if verdict == WRONG else row.note
        return replace(row, shape=given.shape, verdict=verdict, note=note)


def convention_words(convention: bool | None, m: int) -> str:
    """Say which derivatives dZ and dA are."""
    if convention is None:
        return "convention: not told by these gradients; taken as dZ and dA per example"
    if convention:
        return f"convention: dZ and dA per example (m dJ/dZ, m dJ/dA; m = {m}); dW, db of J"
    return "convention: all are derivatives of the cost J (dZ and dA too)"


def _in_shape(x: Array, wanted: Array | None) -> Array:
    """Return x in the shape of ``wanted`` if it lacks nothing but axes of length 1."""
    if wanted is None or x.shape == wanted.shape or x.size != wanted.size:
        return x
    same_axes = [n for n in x.shape if n != 1] == [n for n in wanted.shape if n != 1]
    return x.reshape(wanted.shape) if same_axes and x.ndim != wanted.ndim else x
