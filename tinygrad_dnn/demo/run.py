"""The demo's main job: train, verify three ways, draw, and write it all down."""

from pathlib import Path
from time import perf_counter

import numpy as np

from tinygrad_dnn import nn, optim
from tinygrad_dnn.checking import check_parameters
from tinygrad_dnn.demo import figures
from tinygrad_dnn.demo.data import Data, load
from tinygrad_dnn.demo.result import Result
from tinygrad_dnn.demo.sections import whole_page
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.training import History, accuracy, fit
from tinygrad_dnn.visualize import draw

LEARNING_RATE, BATCH_SIZE = 0.2, 32
FEW = 50  # examples on which gradients are verified


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
    few = task.X[:, :FEW], task.Y[..., :FEW]
    print(f"{task.title}: {task.X.shape[1]} examples to learn, {task.X_hold_out.shape[1]} held out")
    print(f"\n{net.summary(task.X)}\n")
    validation = net.validate(*few)
    print(f"{validation}\n")

    start = perf_counter()
    history = _trained(net, loss, task, epochs or task.epochs, rng, progress)
    seconds = perf_counter() - start
    check = check_parameters(lambda: loss(net(few[0]), few[1]), net.parameters())
    print(f"\n{check}\n")
    accuracies = accuracy(net(task.X), task.Y), accuracy(net(task.X_hold_out), task.Y_hold_out)
    result = Result(task, net, loss, history, validation, check, *accuracies, seconds)
    print(
        f"{len(history)} epochs in {seconds:.1f} s: cost {history.cost[-1]:.4f}, accuracy "
        f"{result.train_accuracy:.2%} on training examples, {result.hold_out_accuracy:.2%} held out"
    )
    print(f"gradients, by equations, differences and forward mode: {result.verdict}")
    for path in _write(out, result, *few):
        print(f"wrote {path}")
    return result


def _trained(
    net: nn.Sequential,
    loss: nn.losses.Loss,
    task: Data,
    epochs: int,
    rng: np.random.Generator,
    progress: bool,
) -> History:
    return fit(
        net,
        task.X,
        task.Y,
        loss=loss,
        optimizer=optim.SGD(net.parameters(), lr=LEARNING_RATE),
        epochs=epochs,
        batch_size=BATCH_SIZE,
        validation_data=(task.X_hold_out, task.Y_hold_out),
        progress=progress,
        rng=rng,
    )


def _make_writable(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    probe = out / ".probe"
    probe.write_bytes(b"")
    probe.unlink()


def _write(out: Path, result: Result, X: Array, Y: Array) -> list[Path]:
    """Write everything and return where."""
    block = draw(result.net, X, Y, loss=result.loss)
    J = result.loss(result.net(X), Y)
    pictures = {
        "network.svg": block,
        "operations.svg": draw(J, direction="LR"),
        "backward.svg": draw(J, backward="ops"),
    }
    svgs = {name: str(each.pipe("svg", encoding="utf-8")) for name, each in pictures.items()}
    for name, svg in svgs.items():
        (out / name).write_text(svg, encoding="utf-8")
    cost = figures.cost_curve(result.history)
    (out / "cost.png").write_bytes(cost)
    result.net.save(out / "weights.npz")
    how = (
        f"{len(result.history)} epochs of gradient descent, learning rate {LEARNING_RATE}, "
        f"{BATCH_SIZE} examples at a time."
    )
    html = whole_page(result, svgs, cost, block.to_html(), how, result.net.summary(X))
    (out / "index.html").write_text(html, encoding="utf-8")
    return [out / name for name in ("index.html", "cost.png", *svgs, "weights.npz")]
