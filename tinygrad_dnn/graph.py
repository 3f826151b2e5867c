"""The recorded computation: a DAG of nodes, each one call of a primitive.

A node owns its inputs and nothing points forward, so a graph has no cycles and reference counting
frees it at once.  Every node carries the moment it was made: creation order is a topological
order, so no walk over a graph needs to sort it or recurse.

This module does not know what a Tensor is, nor how anything is differentiated.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar, Token
from functools import wraps
from inspect import isgeneratorfunction
from itertools import count
from threading import Lock, local
from typing import Any, NamedTuple, Protocol

from numpy import ndarray

moment = count(1).__next__  # the clock of creation; never goes back

# What the code now running says about the calls it makes (per thread and per task):
recording: ContextVar[bool] = ContextVar("recording", default=True)  # are they remembered?
tracing: ContextVar[bool] = ContextVar("tracing", default=False)  # is a function being traced?
watching: ContextVar["Watch | None"] = ContextVar("watching", default=None)  # who looks at them?


class _Layer(local):
    """The number of the layer of a network in which this thread makes its calls.

    No ContextVar, which every layer would have to set: within a layer no task waits for another.
    """

    number: int | None = None


layer = _Layer()

# Switches, so that what nobody uses costs one comparison:
watched = 0  # how many watches there are, of whatever thread
_counting = Lock()
hooked = False  # has any node ever been given a hook?

NO_KWARGS: dict[str, Any] = {}


class Node:
    """One value and the call that made it; a leaf has ``fn=None``.

    ``args`` are the arguments of the call: differentiable inputs as Nodes, constants as they were;
    ``seen`` are the same as the function saw them, all data.  ``detour``, where a loss follows its
    own activation, is the pair as one numerically sound call: the graph keeps the two operations,
    value and derivative come from the one.
    """

    __slots__ = (
        "args",
        "born",
        "detour",
        "fn",
        "grad",
        "hooks",  # set only where there are some
        "kwargs",
        "layer",
        "name",
        "needs_grad",
        "origin",  # set only by a watch: what it wants to remember of the call, or of a change
        "retains_grad",
        "seen",
        "value",
    )

    hooks: dict[int, Callable[[Any], Any]]
    origin: Any

    def __init__(
        self,
        value: Any,
        fn: Callable[..., Any] | None = None,
        args: Sequence[Any] = (),
        seen: Sequence[Any] = (),
        kwargs: dict[str, Any] = NO_KWARGS,
        needs_grad: bool = False,
        name: str | None = None,
    ) -> None:
        self.value = value
        self.fn: Any = fn
        self.args = args
        self.seen = seen
        self.kwargs = kwargs
        self.needs_grad = needs_grad  # does anything that wants a derivative flow into it?
        self.name = name
        self.detour: Node | None = None
        self.grad: Any = None
        self.retains_grad = False
        self.layer = layer.number
        self.born = moment()

    @property
    def parents(self) -> list["Node"]:
        """The nodes it was made from, one entry per use."""
        return [a for a in self.args if isinstance(a, Node)]

    def changed(self) -> None:
        """Say that a leaf's data is no longer what earlier calls saw: it is young again."""
        changed([self])


def data_of(a: Any) -> Any:
    """Return the data of an argument, which is a node or a constant."""
    return a.value if isinstance(a, Node) else a


def changed(leaves: Sequence[Node] = ()) -> tuple[int, int]:
    """Say that the data of ``leaves`` is no longer what earlier calls, and plans, have seen.

    Returns the ``last_change`` before it, and its own moment: who has seen all up to the one has
    seen all up to the other.
    """
    global last_change
    born = moment()
    for leaf in leaves:
        leaf.born = born
    before = last_change  # from here to the next but one line no other thread gets in
    if born > before:
        last_change = born
    if watched and (watch := watching.get()):
        for leaf in leaves:
            watch.changed(leaf)
    return before, born


last_change = 0  # the moment of the latest such change of any leaf: no younger call can be stale


class Watch(Protocol):
    """What looks at every call while it is switched on."""

    walks: bool  # is it a WalkWatch?

    def called(self, node: Node, fn: Any, inputs: Sequence[Any]) -> None:
        """``fn`` was called on ``inputs`` and gave ``node``."""

    def changed(self, node: Node) -> None:
        """The data of the leaf ``node`` was changed."""

    def read(self, node: Node) -> None:
        """The data of the leaf ``node`` is handed out."""


class WalkWatch(Watch, Protocol):
    """What looks at every step of a walk, too."""

    def carried(self, v: Any, call: Node, i: int, kind: str) -> None:
        """The rule's ``kind``, "vjp" or "jvp", gave ``v`` for argument ``i`` of ``call``."""

    def altered(self, call: Node, i: int, data: Any) -> str | None:
        """Say when ``data`` became other than ``call`` saw as argument ``i``, or gave (i = -1).

        None if it did not; an empty text if that is not known.
        """
        ...


def walk_watch() -> WalkWatch | None:
    """Return the watch of the code now running, if it looks at walks."""
    watch: Any = watching.get() if watched else None
    return watch if watch and watch.walks else None


class watched_by:  # noqa: N801  (named as what it does)
    """Let ``watch`` look at what the code in this block does."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def __enter__(self) -> None:
        global watched
        with _counting:
            watched += 1
        self._token = watching.set(self._watch)

    def __exit__(self, *_: object) -> None:
        global watched
        watching.reset(self._token)
        with _counting:
            watched -= 1


class FailedCall(NamedTuple):
    """A call that raised: an exception from a forward pass carries it as ``failed_call``.

    ``fn`` is a function, a layer, or the name of a function that checks what it is given; ``args``
    hold Nodes where a Tensor was given: they are the graph so far.
    """

    fn: Any
    args: Sequence[Any]
    kwargs: dict[str, Any]
    layer: int | None


def blame(error: BaseException, fn: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """Let ``error`` carry the call that it comes from, and with it the graph so far."""
    if not hasattr(error, "failed_call"):
        with suppress(AttributeError):  # an exception with slots
            error.failed_call = FailedCall(fn, args, kwargs, layer.number)  # type: ignore[attr-defined]


def overwritten(a: Node, data: Any, call: Node) -> Node | None:
    """Return the leaf whose new data is where ``call`` saw ``a``'s ``data``, if there is one."""
    memory = _memory(data)
    node: Node | None = a
    while node and node.fn:  # a view lies in the memory of what it is a view of
        node = next((p for p in node.parents if _memory(p.value) is memory), None)
    return node if node and node.born > call.born and _memory(node.value) is memory else None


def _memory(data: Any) -> Any:
    """Return the array that owns the memory ``data`` lies in."""
    while isinstance(data, ndarray) and data.base is not None:
        data = data.base
    return data


def ancestors(*ends: Node) -> list[Node]:
    """Return ``ends`` and all they were made from, every node after the nodes it was made from."""
    seen = set(ends)
    stack = list(seen)
    while stack:
        for parent in stack.pop().parents:
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return sorted(seen, key=lambda node: (node.fn is not None, node.born))


class no_grad:  # noqa: N801  (named as what it does)
    """Compute without recording: results have no history and need no gradient.

    A block, or a decorator.  A generator is better decorated: its steps then do not record, while
    a block that it yields from stays open for its consumer too.

    >>> import tinygrad_dnn as tg
    >>> x = tg.Tensor([1.0, 2.0])
    >>> with tg.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def __init__(self) -> None:
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> None:
        self._tokens.append(recording.set(False))

    def __exit__(self, *_: object) -> None:
        recording.reset(self._tokens.pop())

    def __call__(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``f`` with every call of it, or every step if it is a generator, in a block."""

        @wraps(f)
        def call(*args: Any, **kwargs: Any) -> Any:
            with no_grad():
                return f(*args, **kwargs)

        @wraps(f)
        def steps(*args: Any, **kwargs: Any) -> Iterator[Any]:
            items = f(*args, **kwargs)
            while True:
                with no_grad():
                    try:
                        item = next(items)
                    except StopIteration:
                        return
                yield item

        return steps if isgeneratorfunction(f) else call


@contextmanager
def inside_layer(number: int) -> Iterator[None]:
    """Say that the calls made in this block belong to layer ``number`` of a network."""
    outside, layer.number = layer.number, number
    try:
        yield
    finally:
        layer.number = outside
