"""Causes for reports on plain gradients, where nothing is known but two arrays."""

from dataclasses import replace

from tinygrad_dnn.checking.diagnosis.explain import describe
from tinygrad_dnn.report import WRONG, Report, Row


def described(report: Report) -> Report:
    """Return the report with what makes the wrong arrays of the right ones, after the numbers."""
    return replace(report, rows=[_described(row) for row in report.rows])


def _described(row: Row) -> Row:
    if row.verdict != WRONG or row.evidence is None:
        return row
    cause = describe(row.evidence.claimed, row.evidence.numeric, {})
    return replace(row, note=f"{row.note}; {cause}") if cause else row
