"""A group: derivatives that are not shown, and the shown ones that are computed from them next.

What is shown decides what is believed of the rest: ``stories`` are the ways to explain it all with
one mistake or two, ``unexplained`` what remains to be believed if there is none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from tinygrad_dnn.checking.diagnosis.factor import CLOSE, factor_words
from tinygrad_dnn.checking.diagnosis.faults import ENOUGH, FETCHED, NAMED, Equations, fitted
from tinygrad_dnn.checking.diagnosis.sources import same
from tinygrad_dnn.checking.diagnosis.story import Cause, Story
from tinygrad_dnn.checking.diagnosis.sums import kind, repeated
from tinygrad_dnn.checking.diagnosis.terms import Scene
from tinygrad_dnn.checking.diagnosis.whole import ZERO, changes
from tinygrad_dnn.primitives import Array

DEEPEST = 2  # mistakes looked for between two arrays that the student has shown
SMALL = 5000  # entries; of larger arrays, one mistake is looked for, not two
FEW = 6  # hidden derivatives; of more, one mistake is looked for, or the same in several
SOLVED = 400  # entries of an array that is solved for
HIDDEN = 1.05  # the weight of a mistake in what is not shown,
AGAIN = 0.05  # and of the same mistake once more


@dataclass(frozen=True)
class Group:
    """``hidden`` names in backward order, and the student's arrays by name, ``shown``."""

    equations: Equations
    hidden: tuple[str, ...]
    shown: Mapping[str, Array]

    def stories(self, story: Story) -> list[Story]:
        """Return the ways to go on with a story in which nothing is left unexplained."""
        right = self._onward(story.scene, 0)
        found = self._ended(story, right, (), DEEPEST)
        if not self.hidden or (found and len(found[0].causes) == len(story.causes)):
            return found
        for i, name in enumerate(self.hidden):
            scene = self._between(story.scene, 0, i)
            found += [*self._forgotten(story, scene, i), *self._families(story, scene, i)]
            for words, value in self._wrong(name, scene):
                cause = Cause(name, words, HIDDEN)
                found += self._ended(story, self._with(scene, i, value), (cause,), 0)
        found = found or self._everywhere(story)
        if not found and self._small():
            found = self._with_another(story)
            if not found and len(self.hidden) <= FEW:
                found = self._pairs(story)
        return found

    def unexplained(self, story: Story) -> list[Story]:
        """Return what can be believed where no mistake explains what is shown."""
        each = story.believing(self._onward(story.scene, 0))
        off: list[str] = []
        for name, shown in self.shown.items():
            right = self.equations.right(name, each.scene)
            causes: tuple[Cause, ...] = ()
            if not same(shown, right, CLOSE):
                off.append(name)
                causes = self.equations.causes(name, each.scene, shown, DEEPEST)
                if not causes:
                    each = each.wondering(name, shown)
                    continue
            each = each.believing(each.scene.believing(name, shown), *causes)
        outs = [t.out for name in off for t in self.equations.terms[name] if t.out in self.hidden]
        return [each, *self._given_up(story, outs[0])] if outs else [each]

    def _given_up(self, story: Story, name: str) -> list[Story]:
        """Return the story in which a hidden derivative has no explanation."""
        i = self.hidden.index(name)
        scene = self._between(story.scene, 0, i)
        value = self._solved(scene, i)
        if value is not None:
            ended = story.believing(scene).wondering(name, value)
            return self._ended(ended, self._onward(ended.scene, i + 1), (), 0)
        given_up = story.believing(scene).losing(name, unexplained=True)
        for other in self.hidden[i + 1 :]:
            given_up = given_up.losing(other)
        for other, shown in self.shown.items():
            given_up = given_up.believing(given_up.scene.believing(other, shown))
        return [given_up]

    # ---- what is computed from what
    def _between(self, scene: Scene, start: int, end: int) -> Scene:
        """Return the scene with the hidden derivatives of these places, rightly computed."""
        for name in self.hidden[start:end]:
            scene = scene.believing(name, self.equations.right(name, scene))
        return scene

    def _onward(self, scene: Scene, start: int) -> Scene:
        return self._between(scene, start, len(self.hidden))

    def _with(self, scene: Scene, i: int, value: Array) -> Scene:
        """Return the scene with this for the i-th hidden derivative, and what follows from it."""
        return self._onward(scene.believing(self.hidden[i], value), i + 1)

    def _foreseen(self, scene: Scene) -> Array:
        """Return what is shown, as it were if rightly computed from the hidden, in one array."""
        return self._joined({name: self._right(name, scene) for name in self.shown})

    def _right(self, name: str, scene: Scene) -> Array:
        """Return a derivative by its equation, fed with what of this group is shown besides."""
        for term in self.equations.terms[name]:
            if term.out in self.shown:
                scene = scene.believing(term.out, self.shown[term.out])
        return self.equations.right(name, scene)

    def _joined(self, arrays: Mapping[str, Array]) -> Array:
        """Return arrays like those shown as one, each in units of what is shown."""
        return np.concatenate(
            [
                arrays[name].ravel() / (np.max(np.absolute(x)) or 1.0)
                for name, x in self.shown.items()
            ]
        )

    def _solved(self, scene: Scene, i: int) -> Array | None:
        """Return the i-th hidden derivative if what is shown determines it."""
        shape = scene.values[self.hidden[i]].shape
        n = int(np.prod(shape))
        if n > min(SOLVED, self._told(scene)):
            return None
        zero = self._foreseen(self._with(scene, i, np.zeros(shape)))
        columns = [self._foreseen(self._with(scene, i, e.reshape(shape))) for e in np.eye(n)]
        A, rest = np.stack(columns, 1) - zero[:, None], self._joined(self.shown) - zero
        x, _, rank, _ = np.linalg.lstsq(A, rest, rcond=1e-9)
        return x.reshape(shape) if rank == n and same(A @ x, rest, CLOSE) else None

    def _told(self, scene: Scene) -> int:
        """Return how many numbers are shown, 0 if some have not the shape that they should."""
        if any(x.shape != scene.values[name].shape for name, x in self.shown.items()):
            return 0
        return sum(x.size for x in self.shown.values())

    def _small(self) -> bool:
        return all(x.size <= SMALL for x in self.shown.values())

    # ---- mistakes
    def _wrong(self, name: str, scene: Scene, *, often: bool = False) -> list[tuple[str, Array]]:
        """Return the different wrong arrays of the right shape that one mistake may give."""
        right = self.equations.right(name, scene)
        found: dict[bytes, tuple[str, Array]] = {_key(right): ("", right)}
        found.setdefault(_key(0 * right), (ZERO, 0 * right))
        variants = self.equations.variants(name, scene, often=often)
        for words, value in (*variants, *changes(right, self.equations.sizes(name, scene))):
            if value.shape == right.shape and np.all(np.isfinite(value)):
                found.setdefault(_key(value), (words, value))
        return list(found.values())[1:]

    def _forgotten(self, story: Story, scene: Scene, i: int) -> list[Story]:
        """Return the story in which a hidden derivative is left out of a sum.

        Whatever else makes what it contributes vanish is not told from that.
        """
        name = self.hidden[i]
        without = self._with(scene, i, np.zeros_like(scene.values[name]))
        if not np.all([np.any(self._right(shown, without)) for shown in self.shown]):
            return []
        said = "what comes back through it is not added, as if it were zero (+= is missing)"
        return self._ended(story, without, (Cause(name, said, HIDDEN - FETCHED),), 0)

    def _everywhere(self, story: Story) -> list[Story]:
        """Return the stories with the same mistake wherever it can be made, as in a loop."""
        right, found = self._onward(story.scene, 0), []
        told = ((n, kind(w)) for n in self.hidden for w, _ in self._wrong(n, right, often=True))
        for sort, names in repeated(told).items():
            scene, causes = story.scene, []
            for name in self.hidden:
                value = self.equations.right(name, scene)
                for words, wrong in self._wrong(name, scene, often=True) if name in names else ():
                    if kind(words) == sort:
                        value = wrong
                        causes.append(Cause(name, words, HIDDEN))
                        break
                scene = scene.believing(name, value)
            found += self._ended(story, scene, _as_one(causes), 0) if causes else []
        return found

    def _with_another(self, story: Story) -> list[Story]:
        """Return the stories with a frequent mistake in what is hidden, and one more."""
        found: list[Story] = []
        for i, name in enumerate(self.hidden):
            scene = self._between(story.scene, 0, i)
            for words, value in self._wrong(name, scene, often=True):
                found += self._one_more(story, scene, i, Cause(name, words, HIDDEN), value)
        return found

    def _one_more(
        self, story: Story, scene: Scene, i: int, cause: Cause, value: Array
    ) -> list[Story]:
        """Return the stories in which this mistake was made, and another, or a factor."""
        if found := self._ended(story, self._with(scene, i, value), (cause,), DEEPEST - 1):
            return found
        name = self.hidden[i]
        c = self._factor(scene, i, np.zeros_like(value), value) if np.any(value) else None
        change = factor_words(c, self.equations.sizes(name, scene)) if c else None
        if c is None or change is None or change.weight > NAMED:
            return []
        also = Cause(name, change.words, change.weight + 0.1)
        return self._ended(story, self._with(scene, i, c * value), (cause, also), 0)

    def _families(self, story: Story, scene: Scene, i: int) -> list[Story]:
        """Return the stories with a mistake that has a number to be fitted."""
        name, found = self.hidden[i], []
        right, sizes = self.equations.right(name, scene), self.equations.sizes(name, scene)
        if np.any(right) and (c := self._factor(scene, i, np.zeros_like(right), right)):
            change = factor_words(c, sizes)
            cause = Cause(name, change.words, change.weight + 0.05)
            found += self._ended(story, self._with(scene, i, c * right), (cause,), 0)
        for words, start, along in self.equations.families(name, scene):
            if c := self._factor(scene, i, start, along):
                value = start + c * along
                cause = Cause(name, words(c), HIDDEN + 0.1)
                found += self._ended(story, self._with(scene, i, value), (cause,), 0)
        return found

    def _factor(self, scene: Scene, i: int, start: Array, along: Array) -> float | None:
        """Return c if what is shown follows from start + c * along."""
        if self._told(scene) < ENOUGH:
            return None
        rest = self._joined(self.shown)
        from_start = self._foreseen(self._with(scene, i, start))
        more = self._foreseen(self._with(scene, i, start + along)) - from_start
        return fitted(rest - from_start, more)

    def _pairs(self, story: Story) -> list[Story]:
        """Return the stories with a mistake in each of two hidden derivatives."""
        found: list[Story] = []
        for i, j in combinations(range(len(self.hidden)), 2):
            before = self._between(story.scene, 0, i)
            for words, value in self._wrong(self.hidden[i], before, often=True):
                scene = self._between(before.believing(self.hidden[i], value), i + 1, j)
                for also, other in self._wrong(self.hidden[j], scene, often=True):
                    one = Cause(self.hidden[i], words, HIDDEN)
                    two = Cause(self.hidden[j], also, HIDDEN)
                    found += self._ended(story, self._with(scene, j, other), (one, two), 0)
        return found

    def _ended(
        self, story: Story, scene: Scene, causes: tuple[Cause, ...], left: int
    ) -> list[Story]:
        """Return the story in which what is shown has at most so many mistakes more."""
        off = 0
        for name in self._small_first():
            if not same(self.shown[name], self._right(name, scene), CLOSE):
                off += 1
                if off > left:
                    return []
        for name, shown in self.shown.items():
            if off and not same(shown, self.equations.right(name, scene), CLOSE):
                found = self.equations.causes(name, scene, shown, left - off + 1)
                if not found:
                    return []
                causes += found
            scene = scene.believing(name, shown)
        return [story.believing(scene, *causes)]

    def _small_first(self) -> Sequence[str]:
        return sorted(self.shown, key=lambda name: self.shown[name].size)


def _as_one(causes: Sequence[Cause]) -> tuple[Cause, ...]:
    """Return the same mistake in several places as one: in the others it weighs little."""
    return (causes[0], *(replace(cause, weight=AGAIN) for cause in causes[1:]))


def _key(x: Array) -> bytes:
    """Return what two arrays have in common that are equal up to rounding."""
    size = float(np.max(np.absolute(x), initial=0.0)) or 1.0
    return f"{size:.5e}".encode() + bytes((np.round(x / size, 6) + 0.0).tobytes())
