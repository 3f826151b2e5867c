"""What a command does with input that it cannot use."""


class Unusable(Exception):  # noqa: N818  (it says what the input is)
    """The input of a command cannot be used: its message is shown, the exit code is 2."""
