"""Which equation is at fault: the explanation of a student's arrays with the fewest mistakes.

Derivatives are taken in backward order.  One that the student has shown is compared with its
equation, fed with the student's *own* incoming derivatives: if it agrees, it merely follows from
them.  If not, every hypothesis is tried.  One that the student has not shown (dZ1, where only dW1
and db1 are known) may have been computed rightly or in any wrong way; what is shown next decides.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from tinygrad_dnn.checking.diagnosis.factor import CLOSE
from tinygrad_dnn.checking.diagnosis.faults import Equations
from tinygrad_dnn.checking.diagnosis.group import Group
from tinygrad_dnn.checking.diagnosis.sources import same
from tinygrad_dnn.checking.diagnosis.story import Story, different, doubtful
from tinygrad_dnn.checking.diagnosis.terms import Scene
from tinygrad_dnn.primitives import Array

_NONE = np.zeros(0)
STORIES = 12  # explanations carried on from layer to layer,
HOPELESS = 2.5  # but none that assumes so much more than another


@dataclass(frozen=True)
class Backward:
    """The equations, the right derivatives by them, and what the student has shown."""

    scene: Scene
    equations: Equations
    truth: Mapping[str, Array]
    shown: Mapping[str, Array]

    def explained(self) -> Story:
        """Return the story with the fewest mistakes, and what might be said as well."""
        stories = [Story(self.scene)]
        for group in self._groups():
            longer = [new for story in stories for new in self._continued(story, group)]
            least = min(story.weight for story in longer)
            stories = different([s for s in longer if s.weight < least + HOPELESS])[:STORIES]
        return doubtful(stories)

    def _groups(self) -> Iterator[Group]:
        """Yield the names in backward order, in groups."""
        hidden: list[str] = []
        shown: dict[str, Array] = {}
        for name in self.scene.forward.backward_order():
            terms = self.equations.terms.get(name)
            if not terms:
                continue
            joins = name in self.shown and any(term.out in hidden for term in terms)
            if shown and not joins:
                needed = self._needed(shown, hidden)
                yield Group(self.equations, tuple(n for n in hidden if n in needed), shown)
                hidden, shown = [n for n in hidden if n not in needed], {}
            if name in self.shown:
                shown[name] = self.shown[name]
            else:
                hidden.append(name)
        if shown:
            yield Group(self.equations, tuple(hidden), shown)

    def _needed(self, shown: Iterable[str], hidden: Collection[str]) -> set[str]:
        """Return those hidden derivatives that the shown ones are computed from."""
        needed: set[str] = set()
        stack = list(shown)
        while stack:
            terms = self.equations.terms[stack.pop()]
            outs = {part.out for t in terms for part in (t, getattr(t, "by_way", None)) if part}
            stack += (new := outs.intersection(hidden) - needed)
            needed |= new
        return needed

    def _continued(self, story: Story, group: Group) -> list[Story]:
        """Return the story with this group explained, in one way or in several."""
        for name in group.hidden:
            if self._unknown(name, story):
                story = story.losing(name)
        shown = dict(group.shown)
        for name, value in group.shown.items():
            if self._unknown(name, story):
                right = same(value, self.truth[name], CLOSE)
                story = replace(story, against=story.against + right)
                story = story.believing(story.scene.believing(name, value))
                del shown[name]
        hidden = tuple(name for name in group.hidden if name not in story.lost)
        if not shown:
            for name in hidden:
                right = self.equations.right(name, story.scene)
                story = story.believing(story.scene.believing(name, right))
            return [story]
        rest = Group(self.equations, hidden, shown)
        return rest.stories(story) or rest.unexplained(story)

    def _unknown(self, name: str, story: Story) -> bool:
        """Whether a derivative is computed from one that nobody knows, or in ways nobody knows."""
        terms = self.equations.terms[name]
        if any(term.out in story.lost for term in terms):
            return True
        opaque = any(getattr(term, "kind", "") == "other" for term in terms)
        amiss = bool(story.causes or story.unexplained)
        return opaque and amiss and not same(self.shown.get(name, _NONE), self.truth[name], CLOSE)
