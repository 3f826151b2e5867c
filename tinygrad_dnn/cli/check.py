"""``tinygrad-dnn check``: the gradients derived in a file or notebook, right or wrong."""

import argparse
import os

from tinygrad_dnn.cli import target
from tinygrad_dnn.cli.unusable import Unusable
from tinygrad_dnn.report import CANNOT_TELL, WRONG


def add(commands: target.Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "check",
        help="check the gradients derived in a file or notebook, and name the mistakes",
        description="Check the functions of a file that are marked with @tg.checked; or its cost, "
        "params and grads; or the functions of a course's notebook: forward_propagation, "
        "compute_cost, backward_propagation with X, Y and parameters. Exit code: 0 all is right, 1 "
        "a gradient is wrong, 2 unusable input, 3 cannot tell.",
    )
    parser.add_argument(
        "target",
        metavar="FILE.py[:NAME]",
        help="a file or notebook (.ipynb); with a name, only that function",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check the target, print the reports, and judge by their verdicts."""
    from tinygrad_dnn.cli.lesson import report_of, reports

    os.environ.setdefault("MPLBACKEND", "Agg")  # figures of a notebook open no windows
    file, name = target.taken_apart(options.target)
    verdicts = set()
    try:
        one = [(name, target.load(options.target))] if name else []
        found = [(name, report_of(name, it)) for name, it in one]
        for what, report in found or reports(vars(target.run_file(file))):
            print(f"{what}: {report}\n")
            verdicts.add(report.verdict)
    except Unusable:
        raise
    except (Exception, SystemExit) as error:
        said = target.blamed(error, file)
        raise Unusable(f"{options.target} cannot be checked: {said}") from error
    return 1 if WRONG in verdicts else 3 if CANNOT_TELL in verdicts else 0
