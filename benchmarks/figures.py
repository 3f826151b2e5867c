"""Figures of the results, as small SVG files."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

from benchmarks import studies
from benchmarks.contestants import HAND, OURS
from benchmarks.race import Result

STYLE = {"svg.fonttype": "none", "svg.hashsalt": "benchmarks", "font.size": 9}
COLOURS = {
    HAND: "#888888",
    "eager": "#1f6fb4",
    "jit": "#d9822b",
    "accel": "#b3261e",
    "fit": "#7b4fa3",
}
OTHER = "#555555"


def ratios(path: Path, races: dict[str, dict[str, Result]]) -> None:
    """Draw the ratio of every contestant to the hand-written step, a panel for each case."""
    with plt.rc_context(STYLE):
        names = [n for n in next(iter(races.values())) if n != HAND]
        figure, (axes,) = plt.subplots(
            1,
            len(races),
            figsize=(1.3 + 1.45 * len(races), 0.9 + 0.2 * len(names)),
            sharey=True,
            squeeze=False,
            layout="constrained",
        )
        for axis, (case, results) in zip(axes, races.items(), strict=True):
            axis.axvline(1, color=COLOURS[HAND], lw=0.8)
            for y, name in enumerate(names):
                result = results.get(name)
                if result and not result.out:
                    low, middle, high = result.over(results[HAND])
                    colour = COLOURS.get(name, OTHER)
                    axis.plot([low, high], [y, y], color=colour, lw=1)
                    axis.plot(middle, y, "o" if name in OURS else "s", color=colour, ms=4)
            axis.set_xscale("log")
            axis.set_xlim(0.01, 30)
            axis.set_xticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
            axis.set_title(case, fontsize=9)
            axis.grid(axis="x", color="#dddddd", lw=0.5)
        titles = {n: r.title for results in races.values() for n, r in results.items() if r.title}
        axes[0].set_yticks(range(len(names)), [titles.get(n, n) for n in names])
        axes[0].invert_yaxis()
        figure.supxlabel("times as long as NumPy by hand (log scale)", fontsize=9)
        _save(figure, path)


def growth(path: Path, what: str, found: dict[int, dict[str, Result]]) -> None:
    """Draw time per step against L, m or n."""
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(4.2, 3), layout="constrained")
        for name in studies.COMPARED:
            there = {x: r[name] for x, r in found.items() if name in r and not r[name].out}
            if there:
                seconds = [result.median for result in there.values()]
                title = next(iter(there.values())).title
                axis.plot(list(there), seconds, "o-", color=COLOURS[name], lw=1, ms=3, label=title)
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xlabel(f"{what}: {studies.ABOUT[what]}")
        axis.set_ylabel("seconds a step")
        axis.grid(color="#dddddd", lw=0.5)
        axis.legend(frameon=False, fontsize=8)
        _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
