"""Explanation: the equations of a computation, as data; how they are written down is elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

PARTS = ("forward", "backward", "closed form")


@dataclass(frozen=True)
class Form:
    """The same in two other notations: LaTeX, left and right side, and MathML."""

    left: str = ""
    right: str = ""
    mathml: str = ""


@dataclass(frozen=True)
class Equation:
    """``name`` = ``expression``; ``part`` is "forward", "backward" or "closed form".

    ``expression`` is text in the notation of ``docs/equations.md``; ``value`` is an array of
    ``shape``.  ``number`` is the course's, where it is one of its equations.
    """

    name: str
    expression: str
    shape: tuple[int, ...]
    value: Any = field(repr=False, compare=False)
    part: str = "forward"
    number: str = ""
    form: Form = field(default=Form(), repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.name} = {self.expression}"


@dataclass(frozen=True)
class Given:
    """Something that the equations start from: an input, a parameter or a constant."""

    name: str
    shape: tuple[int, ...]
    value: Any = field(repr=False, compare=False)
    remark: str = ""
    form: Form = field(default=Form(), repr=False, compare=False)


@dataclass(frozen=True)
class Explanation:
    """What the equations start from, and the equations in the order of the computation.

    ``m`` is the number of columns where the equations mention it.
    """

    title: str
    given: Sequence[Given]
    equations: Sequence[Equation]
    headings: dict[str, str]  # of the parts there are
    notes: Sequence[str] = ()
    m: int | None = None
    numbers: bool = False

    def __iter__(self) -> Iterator[Equation]:
        return iter(self.equations)

    def __getitem__(self, name: str) -> Equation:
        """Return the equation of ``name``."""
        for equation in self.equations:
            if equation.name == name:
                return equation
        names = ", ".join(equation.name for equation in self.equations)
        raise KeyError(f"no equation for {name!r}; there are {names}")

    def part(self, name: str) -> list[Equation]:
        """Return the equations of one part: "forward", "backward" or "closed form"."""
        return [equation for equation in self.equations if equation.part == name]
