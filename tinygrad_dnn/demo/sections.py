"""Sections: what the demo's page says of a result, part by part."""

from collections.abc import Mapping

from tinygrad_dnn.demo import figures, page
from tinygrad_dnn.demo.result import Result
from tinygrad_dnn.report import Report

LEAD = "A deep network, trained and verified"


def whole_page(
    result: Result, svgs: Mapping[str, str], cost: bytes, inner: str, how: str, summary: str
) -> str:
    """Return the page: ``inner`` is the interactive one of the network, ``how`` it was trained."""
    frame, scripts = page.frame(inner)
    sections = [
        *_network(svgs["network.svg"], summary, frame),
        page.section(
            "The cost", how, page.picture(cost, "cost against epochs, training and hold-out")
        ),
        *_learned(result),
        *_verified(result),
        page.section(
            "Every operation",
            "The recorded graph that the backward pass walks: one box per call of NumPy.",
            page.drawing(svgs["operations.svg"]),
        ),
        page.section(
            "The backward pass, recorded",
            "In red every call that the rules make, below the call they go back through; dashed "
            "arrows bring what was kept for it.",
            page.drawing(svgs["backward.svg"]),
        ),
    ]
    data = result.data
    lead = f"{data.title.capitalize()}: {len(data.classes)} classes. {result.net}"
    return page.page(LEAD, lead, _figures(result), sections, scripts)


def _figures(result: Result) -> list[tuple[str, str]]:
    parameters = sum(p.size for p in result.net.parameters().values())
    return [
        (result.verdict, "gradients, verified three ways"),
        (f"{result.hold_out_accuracy:.1%}", "hold-out accuracy"),
        (f"{result.train_accuracy:.1%}", "training accuracy"),
        (f"{result.history.cost[-1]:.4f}", "final cost J"),
        (f"{parameters:,}", "parameters"),
        (f"{result.seconds:.1f} s", "training time"),
    ]


def _network(svg: str, summary: str, frame: str) -> list[str]:
    return [
        page.section(
            "The network",
            "Forward in blue from left to right, backward in red from right to left, as the "
            "equations say it; all shapes are those of this run.",
            page.drawing(svg) + page.preformatted(summary),
        ),
        page.section(
            "Step by step",
            "Play runs the forward pass, then the backward pass; every box shows its equation, its "
            "numbers and its gradients.",
            frame,
        ),
    ]


def _verified(result: Result) -> list[str]:
    return [
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
    ]


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
