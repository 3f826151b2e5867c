"""What is handed in as dW or db, and is something else as a whole."""

from collections.abc import Iterator, Mapping

from tinygrad_dnn.checking.diagnosis.hypotheses.words import Family, Wrong
from tinygrad_dnn.checking.diagnosis.terms import Scene
from tinygrad_dnn.primitives import Array


def something_else(name: str, scene: Scene, truth: Mapping[str, Array]) -> Wrong:
    """W, or the gradient of another parameter."""
    yield f"{name} itself stands where its gradient d{name} belongs", scene.values[name]
    for other in scene.forward.parameters:
        for d in (scene.d, truth):
            if other != name and other in d:
                said = f"d{other} stands where d{name} belongs: the gradients are mixed up"
                yield said, d[other]


def updated(name: str, scene: Scene, right: Array) -> Iterator[Family]:
    """``W - lr dW``."""
    said = f"the updated {name} = {name} - {{:.6g}} * d{name} stands where the gradient belongs"
    yield Family(lambda c: said.format(-c), scene.values[name], right)
