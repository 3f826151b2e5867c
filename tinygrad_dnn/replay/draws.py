"""Draws: what stands in for a generator, so that all that is drawn from it is drawn again."""

import random
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any, NoReturn, Self

import numpy as np

from tinygrad_dnn.errors import ReplayError
from tinygrad_dnn.nn.reach import are_iterators
from tinygrad_dnn.replay.lookout import Drawing
from tinygrad_dnn.replay.refusals import is_ours, shown, users_place
from tinygrad_dnn.replay.sources import Sources
from tinygrad_dnn.replay.tape import Tape

_REFUSED = {
    "shuffle": "it changes an array in place; take rng.permutation or rng.permuted",
    "spawn": "new generators would be the same at every replay; spawn them outside",
    "bytes": "bytes are no array; take rng.integers(0, 256, n, dtype=np.uint8)",
}


class Draws:
    """A generator while a function is recorded: every draw of it is a call to be repeated.

    A copy draws again what the original has drawn since, as that of a generator does.
    """

    def __init__(self, rng: np.random.Generator, tape: Tape) -> None:
        self._rng, self._tape = rng, tape
        self._drawn: list[tuple[Any, Any]] = []  # what was asked for, and what came
        self._next = 0

    def __getattr__(self, name: str) -> Any:
        draw = getattr(self._rng, name)
        if not callable(draw) or name.startswith("__"):
            return draw

        def drawn(*args: Any, **kwargs: Any) -> Any:
            advice, asked = _REFUSED.get(name), repr((name, args, kwargs))
            if kwargs.get("out") is not None:
                advice = "out= changes an array in place; take the array that is returned"
            if self._next < len(self._drawn) and self._drawn[self._next][0] != asked:
                advice = "a copy of the generator draws something else than the generator itself"
            if advice:
                raise ReplayError(
                    f"{self._tape.name} calls rng.{name} at {shown(users_place())}, which a replay "
                    f"cannot repeat: {advice}"
                )
            if self._next == len(self._drawn):
                self._drawn.append((asked, self._tape.call(draw, args, kwargs)))
            self._next += 1
            return self._drawn[self._next - 1][1]

        return drawn

    def __deepcopy__(self, memo: Any) -> Self:
        copied = type(self)(self._rng, self._tape)
        copied._drawn, copied._next = self._drawn, self._next
        return copied


class Parts:
    """An iterator while a function is recorded: nobody can take its next part."""

    def __init__(self, iterator: Any, tape: Tape) -> None:
        self._iterator, self._tape = iterator, tape

    def __iter__(self) -> Self:
        return self

    def __next__(self, *_: Any) -> NoReturn:
        self._tape.refuse_others()
        raise ReplayError(
            f"{self._tape.name} takes the next part of a {type(self._iterator).__name__} at "
            f"{shown(users_place())}, where every replay would find the same one; take it outside "
            f"and let it be an argument; a counter can be a number: n += 1"
        )

    send = __next__

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterator, name)


def gives_another(x: Any) -> bool:
    """Say if ``x`` gives something else whenever it is asked: a generator, or an iterator."""
    kind: Any = type(x)
    return isinstance(x, np.random.Generator) or are_iterators(kind)


class Drawn:
    """The generators that a recording draws from, and where each of them was before."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._before: list[tuple[np.random.Generator, Any]] = []

    def stand_in(self, rng: Any) -> Any:
        """Return what stands for a generator, or for those in a tuple; or for an iterator."""
        if isinstance(rng, tuple):
            return tuple(self.stand_in(x) if gives_another(x) else x for x in rng)
        if not isinstance(rng, np.random.Generator):
            return Parts(rng, self._tape)
        self._before.append((rng, rng.bit_generator.state))
        return Draws(rng, self._tape)

    def others(self, found: Sequence[Any]) -> list[Any]:
        """Return those of ``found`` that are not the inside of one of these."""
        own = {id(rng.bit_generator) for rng, _ in self._before}
        return [x for x in found if id(x) not in own]

    def rewind(self) -> None:
        """Put every generator back to where it was."""
        for rng, state in self._before:
            rng.bit_generator.state = state


class without_other_draws:  # noqa: N801  (named as what it does)
    """Refuse what this block has drawn from generators for which nothing stands in.

    These are the two that all programs share, and ``others``, which are of other kinds.  That they
    were drawn from is seen at the end, and undone.  Where, if the block is then run once more, line
    by line, knowing that it draws from ``known``.
    """

    def __init__(self, tape: Tape, others: Sequence[Any], known: str) -> None:
        self._tape, self._others, self._known = tape, others, known

    def __enter__(self) -> None:
        try:
            self._sources = Sources(self._others)
        except NotImplementedError:  # as random.SystemRandom
            raise ReplayError(
                f"{self._tape.name} reaches a source of random numbers that has no state, so "
                f"nobody can say if it draws from that; let it draw from an np.random.Generator"
            ) from None
        if self._known:
            self._place = users_place()
            self._tracer = sys.gettrace()
            sys.settrace(self._look)

    def __exit__(self, error: Any, *_: object) -> None:
        if self._known:
            sys.settrace(self._tracer)
        if drawn := self._sources.drawn():
            self._sources.put_back()
        if error is None and self._known:
            self._refuse("")
        if error is None and drawn:
            raise Drawing(drawn)

    def _look(self, frame: FrameType, event: str, _: Any) -> Any:
        """Look before every line of the user's, and after the last one of a function."""
        path = frame.f_code.co_filename
        if is_ours(path) or path == random.__file__:
            return None
        if self._sources.drawn():
            self._refuse(f", at {shown(self._place)}")
        if event == "return" and frame.f_back:
            frame = frame.f_back
        self._place = frame.f_code.co_filename, frame.f_lineno
        return self._look

    def _refuse(self, where: str) -> NoReturn:
        raise ReplayError(
            f"{self._tape.name} draws from {self._known}{where}, and a replay would repeat the "
            f"same numbers; let it draw from an np.random.Generator: rng = np.random.default_rng(0)"
        )
