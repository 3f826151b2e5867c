"""The demo's main job: train, verify three ways, draw, and write it all down."""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from tinygrad_dnn import nn, optim
from tinygrad_dnn.checking import check_parameters
from tinygrad_dnn.demo import figures, page
from tinygrad_dnn.demo.data import Data, load
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import Report
from tinygrad_dnn.training import History, accuracy, fit
from tinygrad_dnn.visualize import draw

LEARNING_RATE, BATCH_SIZE = 0.2, 32
FEW = 50  # examples on which gradients are verified


@dataclass(frozen=True)
class Result:
    """What a run of the demo has found."""

    data: Data
    net: nn.Sequential
    loss: nn.losses.Loss
    history: History
    validation: Report
    check: Report
    train_accuracy: float
    hold_out_accuracy: float
    seconds: float

    @property
    def verdict(self) -> str:
        """The worst verdict on any gradient."""
        return next((r.verdict for r in (self.validation, self.check) if not r), "right")


def run(
    out: Path,
    *,
    data: str = "digits",
    hidden: list[int] | None = None,
    epochs: int | None = None,
    seed: int = 1,
    progress: bool = True,
) -> Result:
    """Train on ``data``, print what is found, and write the page and its parts into ``out``.

    Raises OSError, before anything is computed, if nothing can be written to ``out``.
    """
    _make_writable(out)
    task = load(data, seed)
    rng = np.random.default_rng(seed)
    n = task.layer_dims if hidden is None else [task.layer_dims[0], *hidden, task.layer_dims[-1]]
    binary = len(task.classes) == 2
    net = nn.Sequential.from_layer_dims(n, output="sigmoid" if binary else "softmax", rng=rng)
    loss = nn.binary_cross_entropy if binary else nn.cross_entropy
    few_X, few_Y = task.X[:, :FEW], task.Y[..., :FEW]
    print(f"{task.title}: {task.X.shape[1]} examples to learn, {task.X_hold_out.shape[1]} held out")
    print(f"\n{net.summary(task.X)}\n")
    validation = net.validate(few_X, few_Y)
    print(f"{validation}\n")

    start = perf_counter()
    history = fit(
        net,
        task.X,
        task.Y,
        loss=loss,
        optimizer=optim.SGD(net.parameters(), lr=LEARNING_RATE),
        epochs=epochs or task.epochs,
        batch_size=BATCH_SIZE,
        validation_data=(task.X_hold_out, task.Y_hold_out),
        progress=progress,
        rng=rng,
    )
    seconds = perf_counter() - start
    check = check_parameters(lambda: loss(net(few_X), few_Y), net.parameters())
    print(f"\n{check}\n")
    result = Result(
        task,
        net,
        loss,
        history,
        validation,
        check,
        accuracy(net(task.X), task.Y),
        accuracy(net(task.X_hold_out), task.Y_hold_out),
        seconds,
    )
    print(
        f"{len(history)} epochs in {seconds:.1f} s: cost {history.cost[-1]:.4f}, accuracy "
        f"{result.train_accuracy:.2%} on training examples, {result.hold_out_accuracy:.2%} held out"
    )
    print(f"gradients, by equations, differences and forward mode: {result.verdict}")
    for path in _write(out, result, few_X, few_Y):
        print(f"wrote {path}")
    return result


def _make_writable(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    probe = out / ".probe"
    probe.write_bytes(b"")
    probe.unlink()


def _write(out: Path, result: Result, X: Array, Y: Array) -> list[Path]:
    """Write everything and return where."""
    net, history = result.net, result.history
    block = draw(net, X, Y, loss=result.loss)
    operations = draw(result.loss(net(X), Y), direction="LR")
    cost = figures.cost_curve(history)
    svgs: dict[str, Any] = {
        "network.svg": block.pipe("svg", encoding="utf-8"),
        "operations.svg": operations.pipe("svg", encoding="utf-8"),
    }
    (out / "cost.png").write_bytes(cost)
    for name, svg in svgs.items():
        (out / name).write_text(svg, encoding="utf-8")
    net.save(out / "weights.npz")
    frame, scripts = page.frame(block.to_html())
    sections = [
        page.section(
            "The network",
            "Forward in blue from left to right, backward in red from right to left, as the "
            "equations say it; all shapes are those of this run.",
            page.drawing(svgs["network.svg"]) + page.preformatted(net.summary(X)),
        ),
        page.section(
            "Step by step",
            "Play runs the forward pass, then the backward pass; every box shows its equation, its "
            "numbers and its gradients.",
            frame,
        ),
        page.section(
            "The cost",
            f"{len(history)} epochs of gradient descent, learning rate {LEARNING_RATE}, "
            f"{BATCH_SIZE} examples at a time.",
            page.picture(cost, "cost against epochs, training and hold-out"),
        ),
        *_learned(result),
        page.section(
            "Every gradient, against the equations derived by hand",
            "Each layer's Z, A, dZ, dW, db and dA from the engine, before the training, compared "
            "with the course's equations (1) to (9) on the same numbers.",
            _report(result.validation),
        ),
        page.section(
            "Every gradient, against differences of the cost and against the forward mode",
            "After the training: the cost is measured at nearby parameters, no formula is "
            "involved, and judged by the measured uncertainty, not by a tolerance.",
            _report(result.check),
        ),
        page.section(
            "Every operation",
            "The recorded graph that the backward pass walks: one box per call of NumPy.",
            page.drawing(svgs["operations.svg"]),
        ),
    ]
    counts = [
        (result.verdict, "gradients, verified three ways"),
        (f"{result.hold_out_accuracy:.1%}", "hold-out accuracy"),
        (f"{result.train_accuracy:.1%}", "training accuracy"),
        (f"{history.cost[-1]:.4f}", "final cost J"),
        (f"{sum(p.size for p in net.parameters().values()):,}", "parameters"),
        (f"{result.seconds:.1f} s", "training time"),
    ]
    lead = f"{result.data.title.capitalize()}: {len(result.data.classes)} classes. {net}"
    html = page.page("A deep network, trained and verified", lead, counts, sections, scripts)
    (out / "index.html").write_text(html, encoding="utf-8")
    return [out / name for name in ("index.html", "cost.png", *svgs, "weights.npz")]


def _report(report: Report) -> str:
    return page.folded(report.headline, report._repr_html_(), unfold=not report)


def _learned(result: Result) -> list[str]:
    shown = figures.learned(result.net, result.data)
    body = "".join(
        f"<figure>{page.picture(png, caption)}<figcaption>{caption}</figcaption></figure>"
        for caption, png in shown
    )
    text = "On examples that it has never seen."
    return (
        [page.section("What it learned", text, f'<div class="figures">{body}</div>')]
        if shown
        else []
    )
