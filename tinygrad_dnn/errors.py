"""The exceptions of the package, each a subclass of the built-in one that callers already catch.

A message says what was called (in the user's names), what it got, what it wanted, and what to do.
"""


class DimensionError(ValueError):
    """Shapes do not fit together: a layer, its input, a loss or a cotangent."""


class MissingRuleError(NotImplementedError):
    """No derivative is known for this function, or for this argument of it."""


class HistoryError(TypeError):
    """The operation would silently drop, or cannot have, the history a derivative needs."""


class ChangedDataError(RuntimeError):
    """Data that the backward walk needs was replaced after it had been used."""


class AnomalyError(FloatingPointError):
    """Inside ``detect_anomaly``: a call, or the step back through it, gave NaN or infinity."""


class StructureError(ValueError):
    """Two nested containers that must have the same entries do not."""


class GradientMismatchError(AssertionError):
    """A report's ``raise_if_failed``: some gradient is wrong, or could not be told."""


class ReplayError(TypeError):
    """A function does something that its recording could not repeat."""
