"""``tinygrad-dnn draw``: a picture of what a function of a file computes."""

import argparse
import sys
from pathlib import Path
from typing import Any

from tinygrad_dnn.cli import target
from tinygrad_dnn.cli.unusable import Unusable

TEXTS = {".txt": "to_text", ".mmd": "to_mermaid", ".html": "to_html"}
DOT = (".gv", ".dot")
CHOSEN = ("view", "backward", "direction", "fold", "shapes", "title")  # options of draw() itself


def add(commands: target.Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "draw",
        help="draw the forward and backward pass of a function in a file",
        description="Draw what a function without arguments returns: a Tensor, a dict or tuple of "
        "Tensors, a network, or (net, X, Y). If it raises, its graph so far is drawn, with the "
        "call that failed.",
    )
    target.argument(parser, "the function, or a network or Tensor of that file")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="net.svg",
        help="where to: .svg, .png, .pdf, .html (an interactive page), .mmd (Mermaid), .txt, .gv "
        "(DOT); without it, as text to the terminal",
    )
    parser.add_argument("--view", default="auto", choices=("auto", "block", "ops", "values"))
    backward = parser.add_mutually_exclusive_group()
    backward.add_argument("--backward", action="store_true", default="auto", help="always")
    backward.add_argument(
        "--backward-ops",
        dest="backward",
        action="store_const",
        const="ops",
        help="as operations of its own",
    )
    backward.add_argument("--no-backward", dest="backward", action="store_false", help="never")
    parser.add_argument("--direction", choices=("LR", "TB"), help="of the operations")
    parser.add_argument(
        "--fold",
        type=_fold,
        default=6,
        metavar="N",
        help="draw at most N layers, the others as one (default 6); none: all of them",
    )
    parser.add_argument("--no-shapes", dest="shapes", action="store_false", help="leave out shapes")
    parser.add_argument("--title", default="", help="written above")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Draw the target, write it, and say where."""
    picture = _picture(options)
    if options.out is None:
        print(picture.to_text(), end="")
        return 0
    try:
        _write(picture, options.out)
    except OSError as error:
        raise Unusable(f"cannot write {options.out}: {error.strerror or error}") from error
    except (ValueError, RuntimeError) as error:  # no such format; no engine for it
        raise Unusable(str(error)) from error
    print(f"wrote {options.out}")
    return 0


def _picture(options: argparse.Namespace) -> Any:
    """Return the picture of what the target returns, or of how far it came."""
    from tinygrad_dnn.visualize.draw import draw

    chosen = {name: getattr(options, name) for name in CHOSEN}
    try:
        return draw(*target.arguments(options.target), **chosen)
    except Unusable:
        raise
    except Exception as error:
        said = target.blamed(error, options.target.rpartition(":")[0])
        if not hasattr(error, "failed_call"):
            raise Unusable(f"{options.target} cannot be drawn: {said}") from error
        print(f"tinygrad-dnn: it failed, and is drawn as far as it came: {said}", file=sys.stderr)
        return draw(error, **chosen)


def _write(picture: Any, out: Path) -> None:
    kind = out.suffix.lower()
    if kind in TEXTS or kind in DOT:
        text = picture.source if kind in DOT else getattr(picture, TEXTS[kind])()
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    else:
        picture.render(outfile=out)


def _fold(text: str) -> int | None:
    if text.strip().lower() == "none":
        return None
    if not text.strip().isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a whole number nor none")
    return int(text)
