"""Naming: what the quantities of a computation are called: short, clean, each name once.

A network's own names (W1, Z1, A1), then those that users gave, then what a constant is by its
place (A0, Y), then small fresh ones: u1, u2, ... for results, C1, ... for constants.
"""

from collections import Counter

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.visualize.chain import LOSSES
from tinygrad_dnn.visualize.equations.record import Record

RESERVED = {"m", "ones"}
UNUSABLE = "ᵀΣσ"  # letters that the notation itself uses


def clean(name: str) -> str:
    """Return a name as one word of letters, digits and ``_``.

    >>> clean("learning rate"), clean("layer1.W"), clean("2nd")
    ('learning_rate', 'layer1_W', 'x2nd')
    """
    usable = (c if (c.isalpha() and c not in UNUSABLE) or c.isdecimal() else " " for c in name)
    word = "_".join("".join(usable).split())
    return f"x{word}" if word[:1].isdecimal() else word


def _is_zeros_and_ones(constant: Node) -> bool:
    data = constant.value
    return bool(np.all((data == 0) | (data == 1)) and data.any() and not data.all())


class Names:
    """Gives names, each once; asked again for the same thing it gives the same."""

    def __init__(self) -> None:
        self._taken: set[str] = set(RESERVED)
        self._given: dict[object, str] = {}
        self._last: dict[str, int] = {}  # number given to each letter

    def __call__(self, what: object) -> str:
        return self._given[what]

    def knows(self, what: object) -> bool:
        """Say whether it has a name."""
        return what in self._given

    def give(self, what: object, wanted: str) -> str:
        """Call it ``wanted``, or that with a number where the name is taken."""
        if what not in self._given:
            name, n = wanted, 1
            while name in self._taken:
                n += 1
                name = f"{wanted}_{n}"
            self._taken.add(name)
            self._given[what] = name
        return self._given[what]

    def number(self, what: object, letter: str, alone: bool = False) -> str:
        """Call it ``letter`` with the next free number; without one if it stands ``alone``."""
        if what in self._given:
            return self._given[what]
        if alone and letter not in self._taken:
            return self.give(what, letter)
        n = self._last.get(letter, 0) + 1
        while f"{letter}{n}" in self._taken:
            n += 1
        self._last[letter] = n
        return self.give(what, f"{letter}{n}")


def guessed(constant: Node, record: Record) -> str:
    """Return what a constant is by the places where it is used; "" if they do not say."""
    for call, position in record.uses.get(constant, ()):
        if call.fn is np.matmul:
            return "A0" if call.layer == 1 and position == 1 else "X"
        if call.fn in LOSSES and position == 1:
            return "Y"
        if call.layer is None and call.born < record.last_product and _is_zeros_and_ones(constant):
            return "D"
        if call.layer is None and call.born > record.last_product:
            return "Y" if call.fn is np.subtract or _is_zeros_and_ones(constant) else ""
        if call.fn is np.multiply and call.layer and constant.value.shape == call.value.shape:
            return f"D{call.layer}"
    return ""


def columns(record: Record) -> int | None:
    """Return m, the number of columns that most matrices of data have, the examples.

    Data are constants, and what losses are given.
    """
    data = [n for n in [*record.nodes, *record.constants] if n.fn is None and not n.needs_grad]
    data += [a for n in record.nodes if n.fn in LOSSES for a in n.parents]
    votes = Counter(n.value.shape[1] for n in data if np.ndim(n.value) == 2)
    found = [(count, m) for m, count in votes.items() if m > 1]
    return max(found)[1] if found else None
