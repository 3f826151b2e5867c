"""``tinygrad-dnn explain``: the backprop equations of what a function of a file computes."""

import argparse
from pathlib import Path
from typing import Any

from tinygrad_dnn.cli import target
from tinygrad_dnn.cli.unusable import Unusable

STYLES = ("text", "latex", "markdown", "html")


def add(commands: target.Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "explain",
        help="print the backprop equations of a function in a file",
        description="Print the equations, forward and backward, of what a function without "
        "arguments returns: the cost, a Tensor of one number, or (net, X, Y).",
    )
    target.argument(parser, "the function, or a Tensor of that file")
    parser.add_argument("-o", "--out", type=Path, metavar="FILE", help="where to, if not here")
    parser.add_argument("--style", default="text", choices=STYLES)
    parser.add_argument(
        "--convention",
        default="autograd",
        choices=("autograd", "course"),
        help="course: dZ and dA per example, the 1/m in dW and db",
    )
    parser.add_argument(
        "--wrt", metavar="W1,b1", help="only the derivatives by these, in closed form too"
    )
    parser.add_argument("--numbers", action="store_true", help="with the values")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the equations of the target, or write them to a file."""
    text = str(_explained(options))
    if options.out is None:
        print(text)
        return 0
    try:
        options.out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise Unusable(f"cannot write {options.out}: {error.strerror or error}") from error
    print(f"wrote {options.out}")
    return 0


def _explained(options: argparse.Namespace) -> Any:
    """Return the equations of what the target returns: a Tensor, or a network with its data."""
    from tinygrad_dnn.visualize.explain import explain

    chosen = {name: getattr(options, name) for name in ("style", "convention", "numbers")}
    if options.wrt is not None:
        chosen["wrt"] = [name.strip() for name in options.wrt.split(",")]
    try:
        return explain(*target.arguments(options.target), **chosen)
    except Unusable:
        raise
    except Exception as error:
        said = target.blamed(error, options.target.rpartition(":")[0])
        raise Unusable(f"{options.target} cannot be explained: {said}") from error
