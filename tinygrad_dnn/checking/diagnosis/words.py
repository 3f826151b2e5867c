"""From an explanation to sentences, one for every row of a report."""

from collections.abc import Mapping, Sequence

from tinygrad_dnn.checking.diagnosis.blame import Cause, Story
from tinygrad_dnn.checking.diagnosis.reading import same
from tinygrad_dnn.checking.diagnosis.terms import AnyTerm, formula
from tinygrad_dnn.checking.diagnosis.whole import CLOSE, DESCRIPTION
from tinygrad_dnn.primitives import Array


class Sentences:
    """What is said of each wrong derivative; ``notes`` by the names of rows, "dW1"."""

    def __init__(
        self,
        story: Story,
        terms: Mapping[str, Sequence[AnyTerm]],
        truth: Mapping[str, Array],
        shown: Mapping[str, Array],
    ) -> None:
        self.story, self.terms, self.truth, self.shown = story, terms, truth, shown
        self.culprits = {cause.name for cause in story.causes} | set(story.unexplained)
        self.followers = [
            name
            for name in shown
            if name in terms and name not in self.culprits and self._wrong(name)
        ]
        self.notes: dict[str, str] = {}
        for name in story.scene.forward.backward_order():
            if name in self.culprits:
                self._root(name)
        for name in self.followers:
            roots = ", ".join(f"d{root}" for root in self._roots(name))
            mine = f"follows from {roots}: {self._equation(name)} itself is right"
            if not self.notes.get(name):
                self._say(name, mine)

    def _wrong(self, name: str) -> bool:
        return not same(self.story.scene.d[name], self.truth[name], CLOSE)

    def _roots(self, name: str) -> list[str]:
        """Return the nearest culprits that a derivative was computed from."""
        roots: list[str] = []
        for term in self.terms[name]:
            if term.out in self.culprits:
                roots.append(term.out)
            elif term.out in self.terms and self._wrong(term.out):
                roots += self._roots(term.out)
        return list(dict.fromkeys(roots))

    def _before(self, name: str) -> set[str]:
        """Return every wrong derivative that this one was computed from."""
        wrong = {t.out for t in self.terms.get(name, ()) if t.out in self.terms}
        wrong = {out for out in wrong if out in self.culprits or self._wrong(out)}
        return wrong.union(*(self._before(out) for out in wrong))

    def _equation(self, name: str) -> str:
        return f"d{name} = {formula(self.terms[name], self.story.scene)}"

    def _root(self, name: str) -> None:
        causes = [_said(cause) for cause in self.story.causes if cause.name == name]
        here = [follower for follower in self.followers if name in self._roots(follower)]
        after = ", ".join(f"d{follower}" for follower in here)
        follow = ""
        if here:
            own = "their own equations are" if len(here) > 1 else "its own equation is"
            follow = f"; {after} follow{'' if len(here) > 1 else 's'} from it, {own} right"
        if not causes:
            said = f"{self._equation(name)} does not give it, nor does any mistake that is known"
            self._say(name, f"cause unknown: {said}{follow}")
            return
        said = f"{'; and '.join(causes)}; right is {self._equation(name)}{follow}"
        if name in self.shown:
            self._say(name, said)
        elif seen := here or [shown for shown in self.shown if name in self._before(shown)]:
            self._say(seen[0], f"d{name}, not among the gradients, is the root: {said}")

    def _say(self, name: str, said: str) -> None:
        known = self.notes.get(name)
        self.notes[name] = f"{known}; {said}" if known else said


def _said(cause: Cause) -> str:
    """Return a cause, or a mere description for what it is."""
    return f"cause unknown, but {cause.words}" if cause.weight >= DESCRIPTION else cause.words
