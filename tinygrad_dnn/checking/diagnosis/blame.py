"""Which equation is at fault: the explanation of a student's arrays with the fewest mistakes.

Derivatives are taken in backward order.  One that the student has shown is compared with its
equation, fed with the student's *own* incoming derivatives: if it agrees, it merely follows from
them.  If not, every hypothesis is tried.  One that the student has not shown (dZ1, where only dW1
and db1 are known) may have been computed rightly or in any wrong way; what is shown next decides.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinygrad_dnn.checking.diagnosis.hypotheses import all_wrong
from tinygrad_dnn.checking.diagnosis.reading import same
from tinygrad_dnn.checking.diagnosis.terms import AnyTerm, Direct, Jacobian, Scene, Slope, total
from tinygrad_dnn.checking.diagnosis.whole import (
    CLOSE,
    Change,
    changes,
    compared,
    factor_words,
    factors,
)
from tinygrad_dnn.primitives import Array

DEEPEST = 2  # mistakes looked for between two arrays that the student has shown
SMALL = 5000  # entries; of larger arrays, one mistake is looked for, not two
STORIES = 12  # explanations carried on from layer to layer
UNEXPLAINED = 3.0  # weighs as much as so many mistakes


@dataclass(frozen=True)
class Cause:
    """A mistake in the equation of one derivative."""

    name: str
    words: str
    weight: float = 1.0


@dataclass(frozen=True)
class Story:
    """An explanation: what was believed of every derivative, and the mistakes that led there."""

    scene: Scene
    causes: tuple[Cause, ...] = ()
    unexplained: tuple[str, ...] = ()

    @property
    def weight(self) -> float:
        """How much has to be assumed."""
        return sum(cause.weight for cause in self.causes) + UNEXPLAINED * len(self.unexplained)


@dataclass(frozen=True)
class Backward:
    """The equations, and what the student has shown."""

    scene: Scene
    terms: Mapping[str, Sequence[AnyTerm]]
    shown: Mapping[str, Array]

    def explained(self) -> Story:
        """Return the story with the fewest mistakes."""
        stories = [Story(self.scene)]
        for group in self._groups():
            longer = [new for story in stories for new in self._continued(story, group)]
            longer.sort(key=lambda story: story.weight)
            stories = _different(longer)[:STORIES]
        return stories[0]

    def _groups(self) -> Iterator[list[str]]:
        """Yield the names in backward order, split after each run of shown ones."""
        group: list[str] = []
        for name in self.scene.forward.backward_order():
            if name not in self.terms:
                continue
            if group and group[-1] in self.shown and name not in self.shown:
                yield group
                group = []
            group.append(name)
        if any(name in self.shown for name in group):
            yield group

    def _continued(self, story: Story, group: Sequence[str]) -> list[Story]:
        found: list[Story] = []
        small = max(self.scene.values[name].size for name in group) <= SMALL
        for depth in range(DEEPEST + 1 if small else 2):
            found += [
                Story(scene, story.causes + causes, story.unexplained)
                for scene, causes in self._assigned(story.scene, (), group, depth)
            ]
            if found and (depth == 0 or not small):
                break
        return found or [self._as_far_as_possible(story, group)]

    def _assigned(
        self, scene: Scene, causes: tuple[Cause, ...], names: Sequence[str], left: int
    ) -> Iterator[tuple[Scene, tuple[Cause, ...]]]:
        """Yield the ways to explain these names with exactly ``left`` mistakes more."""
        if not names:
            if not left:
                yield scene, causes
            return
        name, *rest = names
        for value, added in self._ways(scene, name, left):
            believed = scene.believing(name, value)
            yield from self._assigned(believed, causes + added, rest, left - len(added))

    def _ways(
        self, scene: Scene, name: str, left: int
    ) -> Iterator[tuple[Array, tuple[Cause, ...]]]:
        right = total(self.terms[name], scene)
        if name in self.shown:
            shown = self.shown[name]
            if same(shown, right, CLOSE):
                yield shown, ()
            elif left:
                for causes in self._causes(scene, name, shown, right, left):
                    yield shown, causes
            return
        yield right, ()
        if left:
            for words, value in self._unshown(scene, name, right):
                yield value, (Cause(name, words, 1.05),)
        if left > 1:
            for words, value in self._unshown(scene, name, right):
                for c in factors(self._sizes(name)):
                    also = Cause(name, factor_words(c, self._sizes(name)).words, 1.1)
                    yield c * value, (Cause(name, words, 1.05), also)

    def _unshown(self, scene: Scene, name: str, right: Array) -> list[tuple[str, Array]]:
        """Return the different wrong arrays of the right shape that one mistake may give."""
        found = {_key(right): ("", right)}
        for words, value in (*self._variants(scene, name), *changes(right, self._sizes(name))):
            if value.shape == right.shape and np.all(np.isfinite(value)):
                found.setdefault(_key(value), (words, value))
        return list(found.values())[1:]

    def _causes(
        self, scene: Scene, name: str, shown: Array, right: Array, most: int
    ) -> Sequence[tuple[Cause, ...]]:
        """Return the mistakes that make the shown array of the right equation: one, or two."""
        sizes = self._sizes(name)
        if not np.any(shown):
            return [(_cause(name, change),) for change in compared(shown, right, sizes)]
        found = [(_cause(name, change),) for change in compared(shown, right, sizes)]
        found += [
            (Cause(name, words),)
            for words, value in self._variants(scene, name)
            if _told(value, shown, right)
        ]
        if found:
            return sorted(found, key=lambda causes: causes[0].weight)[:1]
        if most < 2 or shown.size < 2:
            return []
        for words, value in self._variants(scene, name):
            if same(value, right, CLOSE) or not np.any(value):
                continue
            for change in compared(shown, value, sizes):
                if change.weight <= 1.2:
                    return [(Cause(name, words), _cause(name, change))]
        return self._two_terms(scene, name, shown)

    def _two_terms(self, scene: Scene, name: str, shown: Array) -> list[tuple[Cause, ...]]:
        """Return a mistake in each of two terms: in the product and in the regularisation."""
        terms = self.terms[name]
        if len(terms) != 2:
            return []
        firsts, seconds = (list(self._of_term(scene, term)) for term in terms)
        for words, value in firsts:
            for also, other in seconds:
                if value.shape == other.shape == shown.shape and same(shown, value + other, CLOSE):
                    return [(Cause(name, words), Cause(name, also))]
        return []

    def _variants(self, scene: Scene, name: str) -> Iterator[tuple[str, Array]]:
        """Yield what one mistake in one of the terms makes of the whole."""
        terms = self.terms[name]
        values = [term.value(scene) for term in terms]
        for i, term in enumerate(terms):
            others = sum(values[:i] + values[i + 1 :], np.zeros(()))
            for words, value in self._of_term(scene, term):
                if len(terms) == 1:
                    yield words, value
                elif value.shape == others.shape:
                    yield words, value + others
        yield from self._fused(scene, name)
        if "L2" not in {getattr(term, "kind", "") for term in terms}:
            yield from self._penalised(scene, name, values)

    def _fused(self, scene: Scene, name: str) -> Iterator[tuple[str, Array]]:
        """Yield wrong forms of dZ[L] that do not go by way of dA[L]."""
        term = self.terms[name][0]
        before = self.terms.get(term.out, ())
        if isinstance(term, Slope | Jacobian) and getattr(before[0], "kind", "") == "loss":
            right = Direct(name, "", term.value(scene), "", "loss")
            yield from all_wrong(right, scene)

    def _of_term(self, scene: Scene, term: AnyTerm) -> Iterator[tuple[str, Array]]:
        yield from all_wrong(term, scene)
        if len(self.terms[term.of]) == 1:
            return
        value = term.value(scene)
        if not isinstance(term, Direct):
            formula = term.formula(scene)
            yield (
                f"{term.of} is used more than once, and the contribution {formula} is "
                f"not added (+= is missing)",
                np.zeros_like(value),
            )
            for c in factors(self._sizes(term.of)):
                words = factor_words(c, self._sizes(term.of)).words
                yield f"in the term {formula}: {words}", c * value

    def _penalised(
        self, scene: Scene, name: str, values: Sequence[Array]
    ) -> Iterator[tuple[str, Array]]:
        """Yield a regularisation that does not belong to this parameter."""
        if name not in scene.forward.parameters:
            return
        for terms in self.terms.values():
            for term in terms:
                if isinstance(term, Direct) and term.kind == "L2":
                    said = f"regularisation (L2) is added, though the cost has none of {name}"
                    yield said, sum(values, term.coefficient * scene.values[name])
                    return

    def _as_far_as_possible(self, story: Story, group: Sequence[str]) -> Story:
        """Return the story in which what is not shown is right, and each shown one for itself."""
        scene, causes, unexplained = story.scene, story.causes, story.unexplained
        for name in group:
            right = total(self.terms[name], scene)
            value = self.shown.get(name, right)
            if name in self.shown and not same(value, right, CLOSE):
                found = self._causes(scene, name, value, right, 2)
                causes += found[0] if found else ()
                unexplained += () if found else (name,)
            scene = scene.believing(name, value)
        return Story(scene, causes, unexplained)

    def _sizes(self, name: str) -> dict[str, int]:
        return sizes_of(self.scene, name)


def sizes_of(scene: Scene, name: str) -> dict[str, int]:
    """Return the numbers that a factor may be made of: m, and the sizes of the array."""
    shape = scene.values[name].shape
    return {"m": scene.m} | {f"{name}.shape[{i}]": n for i, n in enumerate(shape) if n != scene.m}


def _key(x: Array) -> bytes:
    """Return what two arrays have in common that are equal up to rounding."""
    size = float(np.max(np.absolute(x), initial=0.0)) or 1.0
    return f"{size:.5e}".encode() + bytes((np.round(x / size, 6) + 0.0).tobytes())


def _told(value: Array, shown: Array, right: Array) -> bool:
    """Whether a hypothesis gives what is shown, and not what is right."""
    if value.shape != shown.shape and value.size == shown.size and value.size > 1:
        value = value.reshape(shown.shape) if _squeezed(value) == _squeezed(shown) else value
    return same(shown, value, CLOSE) and not (
        value.shape == right.shape and same(value, right, CLOSE)
    )


def _squeezed(x: Array) -> tuple[int, ...]:
    return tuple(n for n in x.shape if n != 1)


def _cause(name: str, change: Change) -> Cause:
    return Cause(name, change.words, change.weight)


def _different(stories: Sequence[Story]) -> list[Story]:
    """Return the stories without those that believe the same and assume more."""
    kept: list[Story] = []
    for story in stories:
        mine = story.scene.d
        if not any(all(same(v, k.scene.d[n], CLOSE) for n, v in mine.items()) for k in kept):
            kept.append(story)
    return kept
