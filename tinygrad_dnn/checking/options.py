"""The options that every check takes, looked at before anything is computed."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypedDict

import numpy as np

from tinygrad_dnn.checking.arrays import in_words

TOLERANCES = ("eps", "epsilon", "h", "delta", "step", "tol", "atol", "rtol", "tolerance")


class Options(TypedDict, total=False):
    """What every check takes; see ``gradcheck`` for what it means."""

    points: int
    every_entry: bool | None
    strict: bool
    reset: Callable[[], object] | None
    rng: np.random.Generator | int | None


@dataclass(frozen=True)
class Settings:
    """The options, each with a value."""

    rng: np.random.Generator
    points: int = 0
    every_entry: bool | None = None
    strict: bool = False
    reset: Callable[[], object] | None = None


def chosen(who: str, options: Mapping[str, Any]) -> Settings:
    """Return the options of a call of ``who``.

    Raises TypeError for unknown ones and such as have a wrong type, ValueError for points < 0.

    >>> chosen("gradcheck", {"point": 3})
    Traceback (most recent call last):
    TypeError: gradcheck has no option 'point'; is points meant?
    """
    for name in options:
        if name not in Options.__annotations__:
            raise TypeError(f"{who} has no option {name!r}; {_advice(name)}")
    points, reset = options.get("points", 0), options.get("reset")
    if isinstance(points, bool) or not isinstance(points, int | np.integer):
        raise TypeError(
            f"{who}: points must be a whole number, of points to check around the inputs, got "
            f"{in_words(points)}"
        )
    if points < 0:
        raise ValueError(f"{who}: points must be 0 or more, got {points}")
    if reset is not None and not callable(reset):
        raise TypeError(
            f"{who}: reset must be a function without arguments, called before every evaluation, "
            f"got {in_words(reset)}"
        )
    if reset is not None and _wants_arguments(reset):
        raise TypeError(f"{who}: reset is called without arguments, but it takes some")
    for name in ("every_entry", "strict"):
        if not isinstance(options.get(name), bool | None):
            raise TypeError(f"{who}: {name} must be True or False, got {in_words(options[name])}")
    rng = generator(who, options.get("rng"))
    every_entry, strict = options.get("every_entry"), bool(options.get("strict"))
    return Settings(rng, int(points), every_entry, strict, reset)


def generator(who: str, rng: Any) -> np.random.Generator:
    """Return the generator that draws directions: the one given, or one with that seed, or 0."""
    try:
        return np.random.default_rng(0 if rng is None else rng)
    except (TypeError, ValueError):
        raise TypeError(
            f"{who}: rng must be a generator, np.random.default_rng(0), or a seed, got "
            f"{in_words(rng)}"
        ) from None


def _wants_arguments(f: Callable[[], object]) -> bool:
    try:
        inspect.signature(f).bind()
    except TypeError:
        return True
    except ValueError:  # not every builtin tells
        pass
    return False


def _advice(name: str) -> str:
    if name in TOLERANCES:
        return "there is no tolerance or step to choose: slopes are judged by their measured error"
    near = get_close_matches(name, Options.__annotations__, 1)
    return f"is {near[0]} meant?" if near else f"it has {', '.join(Options.__annotations__)}"
