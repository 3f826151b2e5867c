"""An explanation in the making: what is believed, and what has to be assumed for it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinygrad_dnn.checking.diagnosis.factor import CLOSE
from tinygrad_dnn.checking.diagnosis.sources import same
from tinygrad_dnn.checking.diagnosis.terms import Scene
from tinygrad_dnn.primitives import Array

UNEXPLAINED = 3.0  # weighs as much as so many mistakes


@dataclass(frozen=True)
class Cause:
    """A mistake in the equation of one derivative."""

    name: str
    words: str
    weight: float = 1.0
    instead: tuple["Cause", ...] = ()  # what may be the mistake as well


@dataclass(frozen=True)
class Story:
    """What was believed, and the mistakes that led there.

    ``unexplained`` are derivatives that no mistake gives; ``lost`` those whose numbers nobody can
    know: not shown, and unexplained or computed from lost ones.  ``against`` counts what speaks
    against it: derivatives that are right, though computed from lost ones.
    """

    scene: Scene
    causes: tuple[Cause, ...] = ()
    unexplained: tuple[str, ...] = ()
    lost: frozenset[str] = frozenset()
    against: int = 0

    @property
    def weight(self) -> float:
        """How much has to be assumed."""
        unknown = UNEXPLAINED * (len(self.unexplained) + self.against)
        return sum(cause.weight for cause in self.causes) + unknown

    def believing(self, scene: Scene, *causes: Cause) -> "Story":
        """Return the story with more derivatives, and the mistakes that explain them."""
        return replace(self, scene=scene, causes=self.causes + causes)

    def wondering(self, name: str, value: Array) -> "Story":
        """Return the story with a derivative that is known, and not explained."""
        unexplained = (*self.unexplained, name)
        return replace(self, scene=self.scene.believing(name, value), unexplained=unexplained)

    def losing(self, name: str, *, unexplained: bool = False) -> "Story":
        """Return the story with a derivative that is not known."""
        more = (name,) if unexplained else ()
        lost = self.lost | {name}
        return replace(self, lost=lost, unexplained=self.unexplained + more)


def different(stories: Sequence[Story]) -> list[Story]:
    """Return the stories without those that believe the same and assume as much, or more."""
    kept: list[Story] = []
    for story in sorted(stories, key=lambda story: story.weight):
        alike = [i for i, other in enumerate(kept) if _alike(story, other)]
        if alike:
            kept[alike[0]] = _either(kept[alike[0]], story)
        else:
            kept.append(story)
    return kept


def doubtful(stories: Sequence[Story]) -> Story:
    """Return the first story, with what others that assume as much say in place of one cause."""
    best = stories[0]
    for other in stories[1:]:
        best = _either(best, other)
    return best


def _alike(one: Story, other: Story) -> bool:
    mine, others = one.scene.d, other.scene.d
    return mine.keys() == others.keys() and all(same(x, others[n], CLOSE) for n, x in mine.items())


def _either(one: Story, other: Story) -> Story:
    """Return one story, with the cause of another in place of one cause, if both weigh the same."""
    mine, others = one.causes, other.causes
    if one.unexplained != other.unexplained or abs(one.weight - other.weight) > CLOSE:
        return one
    unlike = [i for i, (a, b) in enumerate(zip(mine, others, strict=False)) if a != b]
    if len(mine) != len(others) or len(unlike) != 1:
        return one
    (i,) = unlike
    both = replace(mine[i], instead=(*mine[i].instead, others[i], *others[i].instead))
    return replace(one, causes=(*mine[:i], both, *mine[i + 1 :]))
