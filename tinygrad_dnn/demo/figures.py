"""The demo's figures: the cost curve, and what the network has learned about its data.

Made with matplotlib and returned as PNG bytes.  Colours are those of the drawings: blue forward,
amber parameters, red for what went wrong.
"""

from io import BytesIO
from typing import Any

import numpy as np

from tinygrad_dnn.demo.data import Data
from tinygrad_dnn.graph import no_grad
from tinygrad_dnn.nn import Sequential
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.training import History

BLUE, AMBER, RED, INK = "#0B5FA5", "#CC8400", "#B3202A", "#1B2733"


def cost_curve(history: History) -> bytes:
    """Return the cost against the epochs."""
    return _png(history.plot().figure)


def learned(net: Sequential, data: Data) -> list[tuple[str, bytes]]:
    """Return captions and figures of what this kind of data lets one see."""
    with no_grad():
        A = net(data.X_hold_out).data
    if data.X.shape[0] == 64:
        shown = [("Hold-out digits as the network reads them, mistakes first.", _digits(data, A))]
        if net.L > 1:
            caption = "What each unit of layer 1 looks for: its row of W1 as a picture."
            shown.append((caption, _weights(net.parameters()["W1"].data)))
        return shown
    if data.X.shape[0] == 2:
        return [("Where the network draws the line, with the hold-out points.", _plane(net, data))]
    return []


def _digits(data: Data, A: Array) -> bytes:
    read = A.argmax(axis=0)
    wrong_first = np.argsort(read == data.Y_hold_out, kind="stable")[:24]
    axes = _grid(3, 8, 1.0)
    for ax, i in zip(axes.flat, wrong_first, strict=True):
        ax.imshow(data.X_hold_out[:, i].reshape(8, 8), cmap="Greys")
        right = read[i] == data.Y_hold_out[i]
        text = f"{read[i]}" if right else f"{read[i]}, is {data.Y_hold_out[i]}"
        ax.set_title(text, color=BLUE if right else RED, fontsize=9)
    return _png(axes.flat[0].figure)


def _weights(W: Array) -> bytes:
    shown = W[:32]
    axes = _grid(-(-len(shown) // 8), 8, 0.9)
    limit = np.abs(shown).max()
    for ax, row in zip(axes.flat, shown, strict=False):
        ax.imshow(row.reshape(8, 8), cmap="PuOr_r", vmin=-limit, vmax=limit)
    return _png(axes.flat[0].figure)


def _plane(net: Sequential, data: Data) -> bytes:
    from matplotlib.figure import Figure

    low, high = data.X.min(axis=1) - 0.4, data.X.max(axis=1) + 0.4
    across, up = np.meshgrid(*(np.linspace(a, b, 160) for a, b in zip(low, high, strict=True)))
    with no_grad():
        A = net(np.stack([across.ravel(), up.ravel()])).data.reshape(across.shape)
    ax = Figure(figsize=(7, 4), layout="constrained").subplots()
    ax.contourf(across, up, A, levels=np.linspace(0, 1, 11), cmap="PuOr", alpha=0.55)
    ax.contour(across, up, A, levels=[0.5], colors=INK, linewidths=1.2)
    for label, colour in ((0, AMBER), (1, BLUE)):
        chosen = data.X_hold_out[:, data.Y_hold_out[0] == label]
        ax.scatter(chosen[0], chosen[1], s=14, color=colour, edgecolor="white", lw=0.5)
    ax.set(xticks=[], yticks=[])
    return _png(ax.figure)


def _grid(rows: int, columns: int, inches: float) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(columns * inches, rows * inches * 1.15), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    return axes


def _png(figure: Any) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=144)
    return buffer.getvalue()
