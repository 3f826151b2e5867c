"""The user's function and its inputs: what varies, what it is called, and whose line failed.

Inputs may be nested dicts, lists and tuples; their leaves are the arguments that a check names,
``params['W1']``.  All of them are taken to float64.
"""

import inspect
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from tinygrad_dnn.checking.arrays import in_words
from tinygrad_dnn.containers import items, leaves, rebuilt
from tinygrad_dnn.errors import HistoryError
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor

Wanted = str | int | Sequence[str | int] | None
OURS = Path(__file__).parent.parent
LIBRARIES = (str(OURS), str(Path(np.__file__).parent))
# what functions raise beyond their domain
UNDEFINED = (ArithmeticError, ValueError, AssertionError)


class Call:
    """A call ``f(*inputs)`` that can be made with other numbers in place of the varying ones.

    ``wrt`` says which inputs vary, by name or position: by default all but Tensors with
    ``requires_grad=False``.  ``names``, ``given`` and ``point`` are of the varying leaves, as the
    user gave them and in float64.  A list of floats is taken as an array.
    """

    def __init__(
        self, what: str, f: Callable[..., Any], inputs: Sequence[Any], wrt: Wanted
    ) -> None:
        require_function(what, "f, what is to be checked,", f, "f(*inputs)")
        self.what, self.f, self.inputs = what, f, [_as_array(x) for x in inputs]
        self.name = function_name(f)
        self.input_names = _input_names(f, inputs)
        self.varying = self._varying(wrt)
        found = [leaf for i in self.varying for leaf in items(self.inputs[i], self.input_names[i])]
        if not found:
            raise ValueError(
                f"{what}: none of the inputs of {self.name} varies; pass arrays of floats, "
                f"{what}(f, x), or Tensors that require a gradient"
            )
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
        with blaming(self.what, self.f, zip(self.names, point, strict=True)):
            return self.f(*self.inputs_at(point))

    def _varying(self, wrt: Wanted) -> list[int]:
        n = len(self.inputs)
        if wrt is None:
            inputs = enumerate(self.inputs)
            return [i for i, x in inputs if not isinstance(x, Tensor) or x.requires_grad]
        wanted = list(wrt) if isinstance(wrt, list | tuple | set) else [wrt]
        for one in wanted:
            named = isinstance(one, str) and one in self.input_names
            if not (named or (isinstance(one, int) and 0 <= one < n)):
                raise ValueError(
                    f"{self.what}: wrt must be names or positions of arguments, got "
                    f"{in_words(one)}; {self.name} has the arguments {', '.join(self.input_names)}"
                )
        names: list[Any] = self.input_names
        places = [one if isinstance(one, int) else names.index(one) for one in wanted]
        return list(dict.fromkeys(places))

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
def blaming(who: str, f: Any, arguments: Iterable[tuple[str, Any]]) -> Iterator[None]:
    """Add to an exception from the user's function f what was called, and the user's own line.

    ``arguments`` are the names and values of what it was called with.
    """
    try:
        yield
    except Exception as error:
        if not any(note.startswith(f"{who} called") for note in getattr(error, "__notes__", ())):
            shapes = ", ".join(f"{name} {np.shape(x)}" for name, x in arguments)
            line = users_line(error.__traceback__)
            where = f"; it failed at {line}" if line else _definition(f)
            error.add_note(f"{who} called {function_name(f)} with {shapes or 'nothing'}{where}")
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


def require_function(who: str, name: str, f: Any, usage: str) -> None:
    """Raise TypeError unless f is callable; ``usage`` is how it is called."""
    if not callable(f):
        raise TypeError(f"{who}: {name} must be a function, {usage}, got {in_words(f)}")


def _definition(f: Any) -> str:
    code = getattr(f, "__code__", None)
    if code is None or code.co_filename.startswith(LIBRARIES):
        return ""
    return f"; it is defined at {code.co_filename}, line {code.co_firstlineno}"


def _as_array(x: Any) -> Any:
    """Return a list of numbers, at least one of them a float, as an array."""
    found = leaves(x) if isinstance(x, list) else []
    numbers = all(isinstance(leaf, int | float) for leaf in found)
    if not (numbers and any(isinstance(leaf, float) for leaf in found)):
        return x
    try:
        return np.asarray(x, float)
    except ValueError:  # rows of different lengths stay what they are
        return x


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
