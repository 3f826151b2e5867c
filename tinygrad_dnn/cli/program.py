"""Program: the command line, taken apart and handed to the command that was named.

Exit codes: 0 all is right, 1 a gradient is wrong, 2 unusable input, 3 cannot tell.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from tinygrad_dnn.cli import check, demo, draw, explain
from tinygrad_dnn.cli.unusable import Unusable

COMMANDS = (demo, check, draw, explain)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="tinygrad-dnn",
        description="Deep networks whose every gradient can be checked and seen.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    options = parser.parse_args(argv)
    if "run" not in options:
        parser.print_help()
        return 2
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except Unusable as reason:
        print(f"tinygrad-dnn: {reason}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever reads this has seen enough, ``| head`` for instance
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    return code
