"""The user's function and its inputs: what varies, what it is called, and whose line failed.

Inputs may be nested dicts, lists and tuples; their leaves are the arguments that a check names,
``params['W1']``.  All of them are taken to float64.
"""

import inspect
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from tinygrad_dnn.containers import items, leaves, rebuilt
from tinygrad_dnn.errors import HistoryError
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor

Wanted = str | int | Sequence[str | int] | None
OURS = Path(__file__).parent.parent
LIBRARIES = (str(OURS), str(Path(np.__file__).parent))


class Call:
    """A call ``f(*inputs)`` that can be made with other numbers in place of the varying ones.

    ``wrt`` says which inputs vary, by name or position: by default all but Tensors with
    ``requires_grad=False``.  ``names``, ``given`` and ``point`` are of the varying leaves, as the
    user gave them and in float64.
    """

    def __init__(
        self, what: str, f: Callable[..., Any], inputs: Sequence[Any], wrt: Wanted
    ) -> None:
        self.what, self.f, self.inputs = what, f, inputs
        self.name = function_name(f)
        self.input_names = _input_names(f, inputs)
        self.varying = self._varying(wrt)
        found = [leaf for i in self.varying for leaf in items(inputs[i], self.input_names[i])]
        self.names = [_own_name(x) or path for path, x in found]
        self.given = [x.data if isinstance(x, Tensor) else np.asarray(x) for _, x in found]
        self.point = [
            self._float64(name, x) for name, x in zip(self.names, self.given, strict=True)
        ]

    def inputs_at(self, point: Sequence[Any]) -> list[Any]:
        """Return the inputs with the numbers of ``point`` in place of the varying ones."""
        full, rest = list(self.inputs), iter(point)
        for i in self.varying:
            full[i] = rebuilt(full[i], [next(rest) for _ in leaves(full[i])])
        return full

    @property
    def roots(self) -> Sequence[Any]:
        """What the user wrote and passed."""
        return (self.f, *self.inputs)

    @property
    def varied(self) -> Any:
        """The inputs that vary, in their containers: one of them by itself, several in a tuple."""
        trees = tuple(self.inputs[i] for i in self.varying)
        return trees[0] if len(trees) == 1 else trees

    def value(self, point: Sequence[Any]) -> Any:
        """Return what the function returns at a point."""
        with blaming(self.described(point)):
            return self.f(*self.inputs_at(point))

    def described(self, point: Sequence[Any]) -> str:
        """Return the call in words: names and shapes."""
        shapes = ", ".join(
            f"{name} {np.shape(x)}" for name, x in zip(self.names, point, strict=True)
        )
        return f"{self.what} called {self.name} with {shapes}"

    def _varying(self, wrt: Wanted) -> list[int]:
        n = len(self.inputs)
        if wrt is None:
            inputs = enumerate(self.inputs)
            return [i for i, x in inputs if not isinstance(x, Tensor) or x.requires_grad]
        wanted = [wrt] if isinstance(wrt, str | int) else list(wrt)
        for one in wanted:
            if not (one in self.input_names or (isinstance(one, int) and 0 <= one < n)):
                raise ValueError(
                    f"{self.what}(wrt={one!r}): {self.name} has the arguments "
                    f"{', '.join(self.input_names)}"
                )
        return [one if isinstance(one, int) else self.input_names.index(one) for one in wanted]

    def _float64(self, name: str, x: Array) -> Array:
        who = f"argument {name} of {self.name}"
        if x.dtype.kind not in "fc":
            raise HistoryError(
                f"{who} holds {x.dtype}, which has no derivative; use floats (1.0, or "
                f".astype(float)), or leave it out with wrt="
            )
        if np.iscomplexobj(x):
            raise HistoryError(
                f"{who} is complex; {self.what} knows real arguments only: pass real and "
                f"imaginary part as two"
            )
        return np.array(x, np.float64)


@contextmanager
def blaming(what: str) -> Iterator[None]:
    """Add to an exception from the user's function what was called, and the user's own line."""
    try:
        yield
    except Exception as error:
        line = users_line(error.__traceback__)
        if not any(note.startswith(what.split(" ")[0]) for note in getattr(error, "__notes__", ())):
            error.add_note(f"{what}; it failed at {line}" if line else what)
        raise


def users_line(trace: TracebackType | None) -> str:
    """Return the innermost line of a traceback that is neither NumPy's nor ours."""
    frames = traceback.extract_tb(trace)
    theirs = [frame for frame in frames if not frame.filename.startswith(LIBRARIES)]
    if not theirs:
        return ""
    frame = theirs[-1]
    return f"{frame.filename}, line {frame.lineno}, in {frame.name}: {frame.line or '?'}"


def function_name(f: Callable[..., Any]) -> str:
    """Return what to call a function."""
    return getattr(f, "__name__", type(f).__name__)


def _own_name(x: Any) -> str | None:
    return x.name if isinstance(x, Tensor) else None


def _input_names(f: Callable[..., Any], inputs: Sequence[Any]) -> list[str]:
    """Return the names of a function's arguments as it calls them itself, else x0, x1."""
    try:
        signature = inspect.signature(f)
        bound = signature.bind(*inputs)
    except (TypeError, ValueError):
        return [f"x{i}" for i in range(len(inputs))]
    names: list[str] = []
    for name, value in bound.arguments.items():
        several = signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
        names += [f"{name}[{i}]" for i in range(len(value))] if several else [name]
    return names
