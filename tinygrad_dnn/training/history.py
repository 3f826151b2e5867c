"""History: what a training run remembers, epoch by epoch."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class History:
    """Costs and accuracies, one number per epoch.

    ``cost`` and ``accuracy`` are means over the epoch's batches, each computed before its step;
    the ``validation_`` ones are of the hold-out set, after the epoch.  A list stays empty where
    there is nothing to record: no hold-out set, or no classes.
    """

    cost: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    validation_cost: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.cost)

    def last(self) -> dict[str, float]:
        """Return the latest number of each list that has one."""
        return {name: values[-1] for name, values in vars(self).items() if values}

    def plot(self, ax: Any = None) -> Any:
        """Draw the cost against the epochs, with the hold-out cost; returns matplotlib's Axes."""
        try:
            import matplotlib.figure
        except ImportError:
            raise ImportError("history.plot() needs matplotlib: pip install matplotlib") from None
        if ax is None:
            ax = matplotlib.figure.Figure(figsize=(7, 4), layout="constrained").subplots()
        epochs = range(1, len(self.cost) + 1)
        ax.plot(epochs, self.cost, color="#0B5FA5", label="training")
        if self.validation_cost:
            ax.plot(epochs, self.validation_cost, color="#CC8400", ls="--", label="hold-out")
            ax.legend(frameon=False)
        ax.set(xlabel="epoch", ylabel="cost J", yscale="log" if min(self.cost) > 0 else "linear")
        ax.grid(color="#D5DDE5", lw=0.6)
        ax.spines[["top", "right"]].set_visible(False)
        return ax
