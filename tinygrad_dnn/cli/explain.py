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
    from tinygrad_dnn.visualize.explain import explain

    J = _cost(options.target)
    try:
        text = str(
            explain(
                J,
                _named(J, options.wrt),
                style=options.style,
                convention=options.convention,
                numbers=options.numbers,
            )
        )
    except (TypeError, ValueError, RuntimeError) as error:
        raise Unusable(f"{options.target} cannot be explained: {error}") from error
    if options.out is None:
        print(text)
        return 0
    try:
        options.out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise Unusable(f"cannot write {options.out}: {error.strerror or error}") from error
    print(f"wrote {options.out}")
    return 0


def _cost(name: str) -> Any:
    """Return the cost that the target computes."""
    from tinygrad_dnn.nn.sequential import Sequential
    from tinygrad_dnn.tensor import handle
    from tinygrad_dnn.visualize.targets import computed

    found = target.load(name)
    try:
        if callable(found) and not isinstance(found, Sequential):
            found = target.call(found, name)
        if isinstance(found, tuple) and len(found) == 3 and callable(found[0]):
            (end,) = computed(*found, None).ends.values()
            return handle(end)
    except Unusable:
        raise
    except Exception as error:
        said = target.blamed(error, name.rpartition(":")[0])
        raise Unusable(f"{name} cannot be explained: {said}") from error
    return found


def _named(J: Any, names: str | None) -> list[Any] | None:
    """Return the Tensors of these names that J was computed from."""
    from tinygrad_dnn.graph import ancestors
    from tinygrad_dnn.tensor import handle

    if names is None or not hasattr(J, "node"):
        return None
    known = {node.name: node for node in ancestors(J.node) if node.name and node.needs_grad}
    asked = [name.strip() for name in names.split(",")]
    if unknown := [name for name in asked if name not in known]:
        raise Unusable(f"--wrt {unknown[0]}: there are {', '.join(known) or 'no names'}")
    return [handle(known[name]) for name in asked]
