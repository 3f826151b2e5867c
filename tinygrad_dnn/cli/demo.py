"""``tinygrad-dnn demo``: train, verify, draw, and show all of it on a page."""

import argparse
import sys
from pathlib import Path

from tinygrad_dnn.cli.target import Commands
from tinygrad_dnn.cli.unusable import Unusable
from tinygrad_dnn.report import CANNOT_TELL, WRONG

DATA = ("digits", "breast-cancer", "moons")
MOST_UNITS = 4096


def add(commands: Commands) -> None:
    """Add the command."""
    demo = commands.add_parser(
        "demo",
        help="train a deep network on real data, verify every gradient, draw it",
        description="Train a deep ReLU network, verify its gradients against the equations and "
        "against numeric differences, and write a page that shows all of it.",
    )
    demo.add_argument("--data", choices=DATA, default="digits", help="what to learn")
    demo.add_argument(
        "--layers", type=_layers, metavar="64,32", help='hidden units, layer by layer; "" for none'
    )
    demo.add_argument("--epochs", type=_positive, metavar="N", help="passes over the data")
    demo.add_argument("--out", type=Path, default=Path("out"), help="folder for the results")
    demo.add_argument("--seed", type=_seed, default=1, help="draws the split and the weights")
    demo.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the demo and judge by its verdicts."""
    try:
        import matplotlib  # noqa: F401  (said here, not after training, if it is missing)
        import sklearn  # noqa: F401
        import tqdm  # noqa: F401
    except ImportError as error:
        raise Unusable(f"the demo needs {error.name}: pip install 'tinygrad-dnn[demo]'") from error
    from tinygrad_dnn.demo.run import run as demo  # loads what only the demo needs

    try:
        result = demo(
            options.out,
            data=options.data,
            hidden=options.layers,
            epochs=options.epochs,
            seed=options.seed,
            progress=sys.stderr.isatty(),
        )
    except OSError as error:
        reason = error.strerror or error
        raise Unusable(f"cannot write to --out {options.out}: {reason}") from error
    verdicts = {result.validation.verdict, result.check.verdict}
    return 1 if WRONG in verdicts else 3 if CANNOT_TELL in verdicts else 0


def _layers(text: str) -> list[int]:
    return [_units(part) for part in text.split(",")] if text.strip() else []


def _positive(text: str) -> int:
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)


def _units(text: str) -> int:
    units = _positive(text)
    if units > MOST_UNITS:
        raise argparse.ArgumentTypeError(f"{text!r} units in a layer are too many for a demo")
    return units


def _seed(text: str) -> int:
    if not text.strip().isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 2**32 - 1")
    return int(text)
