"""The command ``tinygrad-dnn``, also ``python -m tinygrad_dnn``: a module for every command.

A command is a module with ``add(commands)``, which adds its parser and names what runs it::

    def add(commands: Commands) -> None:
        parser = commands.add_parser("check", help="...")
        target.argument(parser)  # FILE.py:NAME
        parser.set_defaults(run=run)

    def run(options: argparse.Namespace) -> int:  # the exit code
        function = target.load(options.target)

and an entry in ``program.COMMANDS``.  It raises ``Unusable`` for input that it cannot use, and
imports what it needs inside ``run``: the help must not wait for what it does not show.
"""
