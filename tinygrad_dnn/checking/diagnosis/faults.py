"""The mistakes that can be made in one equation, and which of them gives the array shown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from tinygrad_dnn.checking.diagnosis.factor import CLOSE, Sizes, either, factor_words
from tinygrad_dnn.checking.diagnosis.forward import Elementwise, Forward
from tinygrad_dnn.checking.diagnosis.hypotheses import all_families, all_wrong
from tinygrad_dnn.checking.diagnosis.hypotheses.parameters import something_else, updated
from tinygrad_dnn.checking.diagnosis.hypotheses.passes import pass_left_out
from tinygrad_dnn.checking.diagnosis.hypotheses.penalties import no_penalty, penalty_too
from tinygrad_dnn.checking.diagnosis.hypotheses.words import Family, Wrong
from tinygrad_dnn.checking.diagnosis.losses import PENALTIES
from tinygrad_dnn.checking.diagnosis.sources import same
from tinygrad_dnn.checking.diagnosis.story import Cause
from tinygrad_dnn.checking.diagnosis.sums import wrong_sums
from tinygrad_dnn.checking.diagnosis.terms import AnyTerm, Direct, Jacobian, Scene, Slope, total
from tinygrad_dnn.checking.diagnosis.whole import factor_of, factors, rearranged
from tinygrad_dnn.primitives import Array

NAMED = 1.2  # the weight of factors that have a reason
FETCHED = 0.01  # what is told of the array alone weighs more than what is told of its equation
FITTED = 1.15  # of a mistake with a number that is fitted
ENOUGH = 3  # entries, to fit a number to


@dataclass(frozen=True)
class Equations:
    """The terms of every derivative by its name; a mistake is in one of them, or in their sum."""

    terms: Mapping[str, Sequence[AnyTerm]]
    truth: Mapping[str, Array]  # the right derivatives
    network: bool = True  # of parameters that somebody may regularise
    _sizes: dict[str, Sizes] = field(default_factory=dict)

    def sizes(self, name: str, scene: Scene) -> Sizes:
        """Return the numbers that a factor of a derivative may be made of."""
        if name not in self._sizes:
            self._sizes[name] = sizes_of(scene, name)
        return self._sizes[name]

    def right(self, name: str, scene: Scene) -> Array:
        """Return the derivative by the right equation, from what is believed in the scene."""
        return total(self.terms[name], scene)

    def variants(self, name: str, scene: Scene, *, often: bool = False) -> Wrong:
        """Yield what one mistake in one of the terms makes of the whole, or a frequent one."""
        terms = self.terms[name]
        if len(terms) == 1:
            yield from self.of_term(terms[0], scene, often=often)
        else:
            wrong = [list(self.of_term(term, scene, often=often)) for term in terms]
            yield from wrong_sums(terms, scene, wrong)
        if (way := getattr(terms[0], "by_way", None)) and way.out in scene.d:
            yield from all_wrong(way, scene, often=often)
        if fused := self._fused(name, scene):
            yield from all_wrong(fused, scene, often=often)
        if name not in scene.forward.parameters:
            yield from pass_left_out(total(terms, scene), scene)
        else:
            yield from something_else(name, scene, self.truth)
            for c in self._penalties() if self.network and not _penalised(terms) else ():
                for words, value in penalty_too(name, scene, c):
                    yield words, value + total(terms, scene)

    def families(self, name: str, scene: Scene) -> Iterator[Family]:
        """Yield the mistakes with a number open."""
        terms = self.terms[name]
        whole = total(terms, scene)
        for term in terms:
            others = whole - term.value(scene) if len(terms) > 1 else 0.0
            for words, start, along in all_families(term, scene):
                if start.shape == whole.shape:
                    yield Family(words, start + others, along)
        if name in scene.forward.parameters:
            yield from updated(name, scene, whole)
            added = self.network and not _penalised(terms)
            for words, start, along in no_penalty(name, scene) if added else ():
                yield Family(words, start + whole, along)

    def _penalties(self) -> set[float]:
        """Return the coefficients of the L2 penalties in the cost."""
        direct = (t for terms in self.terms.values() for t in terms if isinstance(t, Direct))
        return {float(f"{term.coefficient:.9g}") for term in direct if term.kind == "L2"}

    def of_term(self, term: AnyTerm, scene: Scene, *, often: bool = False) -> Wrong:
        """Yield what one mistake makes of a term."""
        yield from all_wrong(term, scene, often=often)
        if len(self.terms[term.of]) == 1 or isinstance(term, Direct):
            return
        value, formula = term.value(scene), term.formula(scene)
        for c in factors(self.sizes(term.of, scene)):
            words = factor_words(c, self.sizes(term.of, scene)).words
            yield f"in the term {formula}: {words}", c * value

    def _fused(self, name: str, scene: Scene) -> Direct | None:
        """Return dZ[L] as if it did not go by way of dA[L]."""
        term = self.terms[name][0]
        before = self.terms.get(term.out, ())
        if isinstance(term, Slope | Jacobian) and getattr(before[0], "kind", "") == "loss":
            return Direct(name, "", term.value(scene), "", "loss")
        return None

    def causes(self, name: str, scene: Scene, shown: Array, most: int) -> tuple[Cause, ...]:
        """Return the mistakes, at most so many, that make what is shown of the right equation."""
        right, sizes = self.right(name, scene), self.sizes(name, scene)
        if not np.any(shown):
            return tuple(Cause(name, *change) for change in rearranged(shown, right))
        if shown.shape != right.shape and same(shown, right.T, CLOSE):
            return (Cause(name, "it is transposed"),)
        variants = list(self.variants(name, scene))
        factor = factor_of(shown, right, sizes)
        if factor and shown.size < ENOUGH and factor.weight <= NAMED:
            return (Cause(name, *factor),)  # of few numbers anything can be told
        found = [Cause(name, *factor)] if factor else []
        told = (Cause(name, words) for words, x in variants if _told(x, shown, right))
        found += islice(told, 1)
        found += islice(self._fitted(name, scene, shown, right), 1)
        for change in rearranged(shown, right):
            plainly = change.weight == 1.0 and change.words.startswith("only ")
            fetched = 0.0 if plainly else FETCHED
            found.append(Cause(name, change.words, change.weight + fetched))
        if found:
            return (_simplest(found),)
        if most < 2 or shown.size < 2:
            return ()
        return self._with_factor(name, variants, shown, right, sizes) or self._two_terms(
            name, scene, shown
        )

    def _fitted(self, name: str, scene: Scene, shown: Array, right: Array) -> Iterator[Cause]:
        """Yield the mistakes with a number in them that give what is shown."""
        if shown.shape != right.shape or shown.size < ENOUGH or same(shown, right, CLOSE):
            return
        for family in self.families(name, scene):
            c = fitted(shown - family.start, family.along)
            if c is not None:
                yield Cause(name, family.words(c), FITTED)
        yield from self._factors_of_terms(name, scene, shown, right)

    def _factors_of_terms(
        self, name: str, scene: Scene, shown: Array, right: Array
    ) -> Iterator[Cause]:
        """Yield that one of several terms has a factor that does not belong."""
        terms = self.terms[name]
        for term in terms if len(terms) > 1 else ():
            value = term.value(scene)
            least, rest = CLOSE * np.max(np.absolute(right)), right - value
            if min(np.max(np.absolute(value)), np.max(np.absolute(rest))) <= least:
                continue  # one of the two is rounding
            c = fitted(shown - (right - value), value)
            if c is not None:
                change = factor_words(c, self.sizes(name, scene))
                said = f"in the term {term.formula(scene)}: {change.words}"
                yield Cause(name, said, change.weight + FETCHED)

    def _with_factor(
        self,
        name: str,
        variants: Sequence[tuple[str, Array]],
        shown: Array,
        right: Array,
        sizes: Sizes,
    ) -> tuple[Cause, ...]:
        for words, value in variants:
            if value.size < shown.size or not np.any(value):
                continue
            if value.shape == right.shape and same(value, right, CLOSE):
                continue
            changes = [factor_of(shown, value, sizes), *rearranged(shown, value)]
            for change in changes:
                if change and change.weight <= NAMED:
                    return Cause(name, words), Cause(name, *change)
        return ()

    def _two_terms(self, name: str, scene: Scene, shown: Array) -> tuple[Cause, ...]:
        """Return a mistake in each of two terms: in the product and in the regularisation."""
        terms = self.terms[name]
        if len(terms) != 2:
            return ()
        firsts, seconds = (list(self.of_term(term, scene)) for term in terms)
        for words, value in firsts:
            if value.shape != shown.shape:
                continue
            for also, other in seconds:
                if other.shape == shown.shape and same(shown, value + other, CLOSE):
                    return Cause(name, words), Cause(name, also)
        return ()


def _penalised(terms: Sequence[AnyTerm]) -> bool:
    """Whether the cost has something of the parameter itself."""
    return any(getattr(term, "kind", "") in (*PENALTIES, "other") for term in terms)


def sizes_of(scene: Scene, name: str) -> Sizes:
    """Return the numbers that a factor may be made of: m, and the sizes of arrays."""
    values, m, forward = scene.values, scene.m, scene.forward
    own = {
        f"{name}.shape[{i}]": n
        for i, n in enumerate(values[name].shape)
        if n != m or i != forward.over
    }
    others: dict[int, str] = {}
    for other in forward.backward_order():
        for i, n in enumerate(values[other].shape):
            if n not in (m, *own.values()):
                others[n] = f"{other}.shape[{i}]"
    numbers = {n: abs(float(x)) for n, x in values.items() if x.ndim == 0}
    numbers = {n: x for n, x in numbers.items() if x not in (0.5, 1 / m) and x % 1}
    keep = next((1 / step.scale(values) for step in _masked(forward) if step.z == name), 1.0)
    return Sizes(m, own, {called: n for n, called in others.items()}, numbers, keep)


def _masked(forward: Forward) -> Iterator[Elementwise]:
    return (s for s in forward.steps if isinstance(s, Elementwise) and s.mask)


def fitted(rest: Array, along: Array) -> float | None:
    """Return c if ``rest`` is c times ``along``, and c is not 0."""
    size = float(np.sum(along * along))
    if rest.shape != along.shape or not 0 < size < np.inf:
        return None
    c = float(np.sum(rest * along)) / size
    return c if c and same(rest, c * along, CLOSE) else None


def _simplest(causes: Sequence[Cause]) -> Cause:
    """Return the cause of least weight, with the words of all that weigh no more."""
    best = min(causes, key=lambda cause: cause.weight)
    fitting = [cause.words for cause in causes if cause.weight == best.weight]
    return Cause(best.name, either(fitting), best.weight)


def _told(value: Array, shown: Array, right: Array) -> bool:
    """Whether a hypothesis gives what is shown, and not what is right."""
    if value.shape != shown.shape and value.size == shown.size and value.size > 1:
        value = value.reshape(shown.shape) if _squeezed(value) == _squeezed(shown) else value
    return same(shown, value, CLOSE) and not (
        value.shape == right.shape and same(value, right, CLOSE)
    )


def _squeezed(x: Array) -> tuple[int, ...]:
    return tuple(n for n in x.shape if n != 1)
