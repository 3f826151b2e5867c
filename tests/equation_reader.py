"""A reader of the notation of ``docs/equations.md``: text in, NumPy arrays out.

Written from that page alone; it shares nothing with what prints the equations.
"""

import re

import numpy as np

from tinygrad_dnn.primitives import RULES, UNDISPATCHED

TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>\d+(\.\d+)?(e[+−-]?\d+)?j?)|(?P<sum>Σ(_columns|_rows)?)"
    r"|(?P<text>'[^']*')|(?P<name>(?![ᵀΣσ])[^\W\d]((?![ᵀΣσ²³])[\w.])*|σ|√)"
    r"|(?P<sign>\.\.\.|.)"
)
COMPARED = {
    ">": np.greater,
    "≥": np.greater_equal,
    "<": np.less,
    "≤": np.less_equal,
    "=": np.equal,
    "≠": np.not_equal,
}
ENDS = {None, ")", "]", ",", "+", "−", "∘", "/", ":", *COMPARED}
OWN = {
    fn.__name__: plain
    for fn, plain in UNDISPATCHED.items()
    if fn in RULES and fn.__module__.startswith("tinygrad_dnn.")
}
WORDS = {"None": None, "True": True, "False": False, "nan": np.nan, "inf": np.inf}


def function(name):
    if name == "σ":
        return OWN["sigmoid"]
    if name == "√":
        return np.sqrt
    if name == "ones":
        return lambda *shape: np.ones(shape)
    over = re.fullmatch(r"(max|min)_(columns|rows)", name)
    if over:
        axis = 1 if over[2] == "columns" else 0
        return lambda x: getattr(np, over[1])(x, axis=axis, keepdims=True)
    if name in OWN:
        return OWN[name]
    if name == "range":
        return range
    found = np
    for part in name.split("."):
        found = getattr(found, part)
    return found


def real(x):
    """A truth as the number 0 or 1."""
    return x * 1.0 if np.asarray(x).dtype == bool else x


class Reader:
    def __init__(self, line, values):
        self.values = values
        self.tokens = []
        after_space = False
        for found in TOKEN.finditer(line):
            if found["space"]:
                after_space = True
                continue
            self.tokens.append((found.lastgroup, found[0], after_space))
            after_space = False
        self.i = 0

    @property
    def next(self):
        return self.tokens[self.i][1] if self.i < len(self.tokens) else None

    @property
    def kind(self):
        return self.tokens[self.i][0] if self.i < len(self.tokens) else None

    @property
    def spaced(self):
        return self.tokens[self.i][2] if self.i < len(self.tokens) else True

    def take(self, expected=None):
        assert expected is None or self.next == expected, f"{expected} expected, {self.next} found"
        self.i += 1
        return self.tokens[self.i - 1][1]

    def sum(self):
        if self.next == "−":
            self.take()
            total = -real(self.term())
        else:
            total = self.term()
        while self.next in ("+", "−"):
            if self.take() == "+":
                total = real(total) + real(self.term())
            else:
                total = real(total) - real(self.term())
        return total

    def term(self):
        value = self.beside()
        while self.next in ("∘", "/"):
            if self.take() == "∘":
                value = value * self.beside()
            else:
                value = real(value) / real(self.beside())
        return value

    def beside(self):
        value = self.prefix()
        while self.next not in ENDS:
            if self.next == "·":
                self.take()
            other = self.prefix()
            scalar = np.ndim(value) == 0 or np.ndim(other) == 0
            value = value * other if scalar else real(value) @ real(other)
        return value

    def prefix(self):
        if self.kind != "sum":
            return self.postfix()
        sign = self.take()
        x = real(self.prefix())
        if sign == "Σ":
            return np.sum(x)
        return np.sum(x, axis=1 if sign == "Σ_columns" else 0, keepdims=True)

    def postfix(self):
        value = self.atom()
        while True:
            if self.next == "ᵀ":
                self.take()
                value = value.T
            elif self.next in ("²", "³"):
                value = real(value) ** (2 if self.take() == "²" else 3)
            elif self.next == "^":
                self.take()
                self.take("(")
                value = real(value) ** self.sum()
                self.take(")")
            elif self.next == "[" and not self.spaced:
                self.take()
                index = []
                while self.next != "]":
                    index.append(self.argument())
                    if self.next == ",":
                        self.take()
                self.take()
                value = value[tuple(index)]
            else:
                return value

    def atom(self):
        if self.kind == "number":
            text = self.take().replace("−", "-")
            if text.isdecimal():
                return int(text)
            return complex(text) if text.endswith("j") else float(text)
        if self.kind == "text":
            return self.take()[1:-1]
        if self.kind == "name":
            name = self.take()
            if self.next == "(" and not self.spaced:
                return self.call(name)
            if name in WORDS:
                return WORDS[name]
            return self.values[name] if name in self.values else function(name)
        if self.next == "(":
            self.take()
            if self.next == ")":
                self.take()
                return ()
            value = self.argument()
            if self.next == ",":
                return self.tuple(value)
            self.take(")")
            return value
        self.take("[")
        if self.next == "]":
            self.take()
            return []
        left = self.argument()
        if self.next not in COMPARED:
            return self.list(left)
        compare = COMPARED[self.take()]
        value = compare(left, self.sum())
        self.take("]")
        return value

    def tuple(self, first):
        items = [first]
        while self.next == ",":
            self.take()
            if self.next != ")":
                items.append(self.argument())
        self.take(")")
        return tuple(items)

    def list(self, first):
        items = [first]
        while self.next == ",":
            self.take()
            items.append(self.argument())
        self.take("]")
        return items

    def argument(self):
        """One argument: a formula, a slice, ``...``."""
        if self.next == "...":
            self.take()
            return Ellipsis
        parts, given = [], None if self.next == ":" else self.sum()
        if self.next != ":":
            return given
        parts.append(given)
        while self.next == ":":
            self.take()
            parts.append(None if self.next in (":", ",", "]", ")") else self.sum())
        return slice(*parts)

    def call(self, name):
        self.take("(")
        args, options = [], {}
        while self.next != ")":
            word = self.tokens[self.i + 1][1] if self.i + 1 < len(self.tokens) else None
            if self.kind == "name" and word == "=" and not self.tokens[self.i + 1][2]:
                key = self.take()
                self.take()
                options[key] = self.argument()
            else:
                args.append(self.argument())
            if self.next == ",":
                self.take()
        self.take(")")
        return function(name)(*args, **options)


def evaluated(line, values):
    """The value of the right side of an equation, given those of its names."""
    reader = Reader(line, values)
    value = reader.sum()
    assert reader.next is None, f"{line!r}: {reader.next!r} is left over"
    return value


def run(explanation):
    """Everything that an explanation defines, computed from what it is given by its text alone."""
    values = {given.name: given.value for given in explanation.given}
    if explanation.m:
        values["m"] = explanation.m
    for equation in explanation.equations:
        value = evaluated(equation.expression, values)
        values[equation.name] = np.broadcast_to(value, equation.shape)
    return values
