"""A derivative that is a sum of contributions: what goes wrong in one of them, in several, in all.

A loop over time, or over layers that share a weight, makes the same mistake every time.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import numpy as np

from tinygrad_dnn.checking.diagnosis.forward import Elementwise
from tinygrad_dnn.checking.diagnosis.hypotheses.words import Wrong
from tinygrad_dnn.checking.diagnosis.terms import AnyTerm, Direct, Product, Scene, total
from tinygrad_dnn.primitives import Array

FACTOR = "in the term"  # how a factor of one term begins; of all, it is one of the sum
NUMBER = r"(?<=[A-Za-z])\d+"  # of a layer
Told = Sequence[tuple[str, Array]]
Kind = tuple[str, tuple[int, ...]]


def wrong_sums(terms: Sequence[AnyTerm], scene: Scene, wrong: Sequence[Told]) -> Wrong:
    """Yield what mistakes make of a sum; ``wrong`` is, for every term, what one makes of it.

    A mistake that leaves nothing of a term is not told from the term being forgotten.
    """
    values = [term.value(scene) for term in terms]
    yield from _through(terms, values)
    for i, (term, told) in enumerate(zip(terms, wrong, strict=True)):
        others = sum(values[:i] + values[i + 1 :], np.zeros(()))
        if not isinstance(term, Direct):
            yield f"{_contribution(term, scene)} is not added (+= is missing)", others
        for words, value in told:
            if value.shape == others.shape and (np.any(value) or isinstance(term, Direct)):
                yield words, value + others
    yield from _in_several(values, wrong)
    yield from _together(terms, scene, values)


def _through(terms: Sequence[AnyTerm], values: Sequence[Array]) -> Wrong:
    """Yield that nothing comes through a value that this one is used in twice, as in x @ x."""
    outs = [term.out for term in terms]
    for out in dict.fromkeys(out for out in outs if 1 < outs.count(out) < len(outs)):
        said = f"{terms[0].of} is used more than once, and what comes through d{out} is not added"
        kept = [x for x, other in zip(values, outs, strict=True) if other != out]
        yield f"{said} (+= is missing)", sum(kept[1:], kept[0])


def kind(words: str) -> Kind:
    """Return what is said, whatever the numbers of layers or steps, but with their differences.

    >>> kind("A2 stands where A1 belongs") == kind("A3 stands where A2 belongs")
    True
    >>> kind("A3 stands where A1 belongs") == kind("A3 stands where A2 belongs")
    False
    """
    numbers = [int(n) for n in re.findall(NUMBER, words)]
    return re.sub(NUMBER, "#", words), tuple(b - a for a, b in pairwise(numbers))


def _in_several(values: Sequence[Array], wrong: Sequence[Told]) -> Wrong:
    """Yield the sum with the same mistake in every term in which it can be made."""
    kinds: dict[Kind, dict[int, tuple[str, Array]]] = {}
    for i, told in enumerate(wrong):
        for words, value in told:
            if value.shape == values[i].shape:
                kinds.setdefault(kind(words), {}).setdefault(i, (words, value))
    for places in kinds.values():
        said = "; ".join(words for words, _ in places.values())
        if len(places) > 1 and not (len(places) == len(values) and said.startswith(FACTOR)):
            parts = [places[i][1] if i in places else value for i, value in enumerate(values)]
            yield said, sum(parts[1:], parts[0])


def _together(terms: Sequence[AnyTerm], scene: Scene, values: Sequence[Array]) -> Wrong:
    """Yield what is done to all contributions at once."""
    if len(terms) == 2 and values[0].shape == values[1].shape:
        one, other = (term.formula(scene) for term in terms)
        yield (
            f"the contributions {one} and {other} are multiplied instead of added",
            values[0] * values[1],
        )
    products = [term for term in terms if isinstance(term, Product)]
    for operand in dict.fromkeys(term.other for term in products):
        with suppress(ValueError):  # of another shape
            alike = [replace(term, other=operand) for term in products]
            said = f"{operand} stands in every contribution to d{terms[0].of}"
            yield said, total(alike, scene)
    own = {step.z: step.out for step in scene.forward.steps if isinstance(step, Elementwise)}
    after = [replace(term, other=own[term.out]) for term in products if term.out in own]
    here = [term for term, value in zip(after, values, strict=False) if np.any(value)]
    for some in (after, here) if len(after) == len(terms) > 1 else ():
        with suppress(ValueError):
            said = (
                f"{' and '.join(term.other for term in some)}, computed in these very steps, stand"
            )
            yield f"{said} where the values before them belong (off by one)", total(some, scene)
    for term, value in zip(terms, values, strict=True) if len(terms) > 2 else ():
        yield f"{_contribution(term, scene)} overwrites the others (+= is missing)", value


def _contribution(term: AnyTerm, scene: Scene) -> str:
    return f"{term.of} is used more than once, and the contribution {term.formula(scene)}"


def repeated(told: Iterator[tuple[str, Kind]]) -> dict[Kind, list[str]]:
    """Return the kinds of mistakes that may be made at several names, with these names."""
    places: dict[Kind, list[str]] = {}
    for name, sort in told:
        if name not in places.setdefault(sort, []):
            places[sort].append(name)
    return {sort: names for sort, names in places.items() if len(names) > 1}
