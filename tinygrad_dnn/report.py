"""Report: what validation and the gradient checkers return.

One row per thing compared.  Verdicts: *right*, *wrong*, *kink* (not differentiable there, and the
value is one of the slopes), *cannot tell*.  Relative errors of arrays are norm-wise,
max |a - b| / max |b|.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from tinygrad_dnn.errors import GradientMismatchError
from tinygrad_dnn.heatmap import Picture, figure, squares
from tinygrad_dnn.primitives import Array

RIGHT, WRONG, KINK, CANNOT_TELL = "right", "wrong", "kink", "cannot tell"


def relative_error(a: Array, b: Array) -> float:
    """Return max |a - b| / max |b|: 0 where both vanish, inf where only b does, nan with a nan."""
    size = float(np.max(np.absolute(b), initial=0.0))
    off = float(np.max(np.absolute(a - b), initial=0.0))
    if off == 0:
        return 0.0
    return off / size if size else np.inf if off == off else np.nan


@dataclass(frozen=True)
class Evidence:
    """The numbers behind a row: three arrays of the argument's shape, nan where not measured.

    ``error`` is what the difference of ``claimed`` and ``numeric`` is judged by, entry by entry.
    """

    claimed: Array
    numeric: Array
    error: Array
    kinks: tuple[int, ...] = ()  # flat indices

    @property
    def shown(self) -> Array:
        """The claimed values, nan if they have not the argument's shape."""
        fits = self.claimed.shape == self.numeric.shape
        return self.claimed if fits else np.full(self.numeric.shape, np.nan)

    @property
    def both(self) -> tuple[Array, Array]:
        """Claimed and numeric values where there are both, flat."""
        there = np.isfinite(self.shown) & np.isfinite(self.numeric)
        return self.shown[there], self.numeric[there]

    @property
    def wrong(self) -> Array:
        """Where the claimed value is off by more than the error; nowhere on a kink."""
        if self.claimed.shape != self.numeric.shape:
            return np.ones(self.numeric.shape, bool)
        with np.errstate(invalid="ignore"):
            off = ~(np.absolute(self.claimed - self.numeric) <= self.error)
        off = off & (self.claimed != self.numeric) & ~np.isnan(self.error)
        off.flat[list(self.kinks)] = False
        return off

    def picture(self, verdict: str) -> Array:
        """Return a square per entry; what was checked along directions only has their verdict."""
        along = verdict == RIGHT and not np.any(np.isfinite(self.numeric))
        numeric = self.shown if along else self.numeric
        return squares(self.shown, numeric, self.wrong, self.kinks)


@dataclass(frozen=True)
class Row:
    """One comparison.  ``details`` are further columns, the same keys in every row of a report."""

    name: str
    shape: tuple[int, ...]
    error: float
    verdict: str
    details: dict[str, str] = field(default_factory=dict)
    note: str = ""
    evidence: Evidence | None = None


@dataclass(frozen=True)
class Report:
    """Rows with verdicts.  True if every row is right or a kink; if ``strict``, all right.

    >>> rows = [Row("dW1", (5, 3), 2e-16, RIGHT), Row("db1", (5, 1), 0.5, WRONG)]
    >>> report = Report("a check", rows)
    >>> bool(report), [row.name for row in report.failures]
    (False, ['db1'])
    >>> print(report)
    a check: wrong (1 of 2 rows)
    name  shape   relative error  verdict
    dW1   (5, 3)         2.0e-16  right
    db1   (5, 1)         5.0e-01  WRONG
    """

    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    strict: bool = False

    def __bool__(self) -> bool:
        return not self.failures

    @property
    def failures(self) -> list[Row]:
        """The rows that are wrong or could not be told."""
        good = (RIGHT,) if self.strict else (RIGHT, KINK)
        return [row for row in self.rows if row.verdict not in good]

    @property
    def difference(self) -> float:
        """The course's number, ||a - n|| / (||a|| + ||n||) over all that was measured.

        For comparison only: it is judged by no threshold here, because none separates right from
        wrong (a whole bias may be wrong below 1e-7, and float32 is right above).
        """
        found = [row.evidence for row in self.rows if row.evidence is not None]
        pairs = [e.both for e in found]
        if not pairs:
            return np.nan
        a, n = (np.concatenate(side) for side in zip(*pairs, strict=True))
        size = float(np.linalg.norm(a) + np.linalg.norm(n))
        return float(np.linalg.norm(a - n)) / size if size else 0.0

    @property
    def verdict(self) -> str:
        """The worst verdict of any row."""
        found = {row.verdict for row in self.rows}
        return next(v for v in (WRONG, CANNOT_TELL, KINK, RIGHT) if v in found or v == RIGHT)

    @property
    def diagnosis(self) -> str:
        """What is said about single rows, a line each."""
        return "\n".join(f"{row.name}: {row.note}" for row in self.rows if row.note)

    def raise_if_failed(self) -> None:
        """Raise GradientMismatchError with the whole report, unless it is true."""
        if not self:
            raise GradientMismatchError(str(self))

    def plot(self) -> Any:
        """Return a matplotlib figure: for each argument a map of which entries are wrong.

        Green is right, yellow a kink, grey not measured; red is wrong, darker the larger the error.
        In a large array a square stands for several entries, and shows the worst of them.
        """
        pictures = [
            Picture(f"{row.name} {row.shape}: {row.verdict}", row.shape, e.picture(row.verdict))
            for row in self.rows
            if (e := row.evidence) is not None and e.numeric.size
        ]
        if not pictures:
            raise ValueError(f"{self.title}: there are no entries to draw")
        return figure(f"{self.title}: {self.headline}", pictures)

    def table(self) -> str:
        """Return the rows as text in columns."""
        head, *body = self._cells()
        widths = [max(len(line[i]) for line in (head, *body)) for i in range(len(head))]
        error = head.index("relative error")
        return "\n".join(
            "  ".join(
                cell.rjust(w) if i == error else cell.ljust(w)
                for i, (cell, w) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in (head, *body)
        )

    def __str__(self) -> str:
        lines = [f"{self.title}: {self.headline}", self.table(), self.diagnosis, *self.notes]
        return "\n".join(line for line in lines if line)

    def _repr_html_(self) -> str:
        head, *body = self._cells()
        tag = {WRONG: "wrong", CANNOT_TELL: "unknown", KINK: "kink", RIGHT: "right"}
        rows = "".join(
            f'<tr class="{tag[row.verdict]}">'
            + "".join(f"<td>{escape(cell)}</td>" for cell in line)
            + "</tr>"
            for row, line in zip(self.rows, body, strict=True)
        )
        said = "".join(
            f"<p>{escape(line)}</p>" for line in (*self.diagnosis.splitlines(), *self.notes)
        )
        return (
            f"<p><b>{escape(self.title)}: {escape(self.headline)}</b></p><table><thead><tr>"
            + "".join(f"<th>{escape(cell)}</th>" for cell in head)
            + f"</tr></thead><tbody>{rows}</tbody></table>{said}"
        )

    @property
    def headline(self) -> str:
        """The verdict, with how many rows it concerns."""
        if self.failures:
            return f"{self.verdict} ({len(self.failures)} of {len(self.rows)} rows)"
        kinks = sum(row.verdict == KINK for row in self.rows)
        return f"right ({len(self.rows)} rows{f', {kinks} at a kink' if kinks else ''})"

    def _cells(self) -> list[list[str]]:
        extra = list(self.rows[0].details) if self.rows else []
        head = ["name", "shape", *extra, "relative error", "verdict"]
        return [head] + [
            [
                row.name,
                str(row.shape),
                *(row.details[key] for key in extra),
                f"{row.error:.1e}",
                row.verdict.upper() if row.verdict == WRONG else row.verdict,
            ]
            for row in self.rows
        ]
