"""From an explanation to sentences, one for every row of a report."""

from collections.abc import Mapping, Sequence

from tinygrad_dnn.checking.diagnosis.factor import CLOSE, DESCRIPTION, either
from tinygrad_dnn.checking.diagnosis.sources import same
from tinygrad_dnn.checking.diagnosis.story import Cause, Story
from tinygrad_dnn.checking.diagnosis.terms import AnyTerm, formula
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
            if not self.notes.get(name):
                self._say(name, self._following(name))

    def _following(self, name: str) -> str:
        roots = self._roots(name)
        said = ", ".join(f"d{root}" for root in roots)
        if lost := [term.out for term in self.terms[name] if term.out in self.story.lost]:
            unknown = " and ".join(f"d{out}" for out in dict.fromkeys(lost))
            asked = f"show {unknown} to learn whether {self._equation(name)} itself is right"
            return f"follows from {said}, as far as can be told: {asked}"
        return f"follows from {said}: {self._equation(name)} itself is right"

    def _wrong(self, name: str) -> bool:
        return name in self.story.lost or not same(
            self.story.scene.d[name], self.truth[name], CLOSE
        )

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
        causes = [cause for cause in self.story.causes if cause.name == name]
        here = [follower for follower in self.followers if name in self._roots(follower)]
        lost = [follower for follower in here if self._from_lost(follower)]
        sure = [follower for follower in here if follower not in lost]
        follow = ""
        if sure:
            own = "their own equations are" if len(sure) > 1 else "its own equation is"
            after = ", ".join(f"d{follower}" for follower in sure)
            follow = f"; {after} follow{'' if len(sure) > 1 else 's'} from it, {own} right"
        if lost:
            after = ", ".join(f"d{follower}" for follower in lost)
            more = f"show d{name} to learn more" if name not in self.shown else "more is not known"
            many = "" if len(lost) > 1 else "s"
            follow += f"; {after} follow{many} from it, as far as can be told: {more}"
        if causes:
            said = f"{'; and '.join(map(_said, causes))}; right is {self._equation(name)}{follow}"
        else:
            unknown = f"{self._equation(name)} does not give it, nor does any mistake that is known"
            said = f"cause unknown: {unknown}{follow}"
        if name in self.shown:
            self._say(name, said)
        elif seen := here or [shown for shown in self.shown if name in self._before(shown)]:
            others = {f" or d{other.name}" for c in causes for other in c.instead} - {
                f" or d{name}"
            }
            labels = f"d{name}{''.join(sorted(others))}"
            self._say(seen[0], f"{labels}, not among the gradients, is the root: {said}")

    def _from_lost(self, name: str) -> bool:
        return any(term.out in self.story.lost for term in self.terms[name])

    def _say(self, name: str, said: str) -> None:
        known = self.notes.get(name)
        self.notes[name] = f"{known}; {said}" if known else said


def _said(cause: Cause) -> str:
    """Return a cause, or a mere description for what it is."""
    words = [cause.words]
    for other in cause.instead:
        if other.name == cause.name:
            words.append(other.words)
        elif other.words != cause.words:
            words.append(f"in d{other.name}, {other.words}")
    said = either(words)
    return f"cause unknown, but {said}" if cause.weight >= DESCRIPTION else said
