"""Noticed: attributes of layers, of which a replay is to know at no cost when one is set."""

from typing import Any

from tinygrad_dnn.graph import changed


class Noticed:
    """What this package's layers share: who sets an attribute is noticed, as if he set data.

    So a recording (``tg.jit``) need not look at every attribute of every layer at every replay.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        changed()

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        changed()
