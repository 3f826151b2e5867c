"""Causes for rows of which nothing is known but two arrays: the claimed and the measured one."""

from dataclasses import replace

from tinygrad_dnn.checking.diagnosis.explain import describe
from tinygrad_dnn.checking.diagnosis.factor import DESCRIPTION, Sizes
from tinygrad_dnn.report import WRONG, Row


def gave_up(error: Exception) -> str:
    """Say that there are no causes because the diagnosis failed."""
    said = f"{type(error).__name__}: {error}"
    return f"the diagnosis gave up ({said}); the verdicts do not depend on it"


def described(row: Row) -> Row:
    """Return the row with what makes the wrong array of the right one, after the numbers.

    What merely describes, as that one entry is wrong, the row's own note says already.
    """
    if row.verdict != WRONG or row.evidence is None or not row.evidence.wrong.any():
        return row
    cause = describe(row.evidence.claimed, row.evidence.numeric, Sizes())
    if cause is None or cause.weight >= DESCRIPTION:
        return row
    return replace(row, note=f"{row.note}; {cause.words}")
