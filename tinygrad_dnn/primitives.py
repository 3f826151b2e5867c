"""The table that says how each function is differentiated, and the registrars that fill it.

A *primitive* is an ordinary callable: ``np.tanh``, ``np.matmul``, or a function marked
``@primitive``.  A *rule* holds, for each positional argument, two linear maps:

    vjp(g, out, *args, **kwargs)   cotangent of ``out``      ->  cotangent of the argument
    jvp(t, out, *args, **kwargs)   tangent of the argument   ->  its share of ``out``'s tangent

Both are plain NumPy on whatever they are given: arrays, or Tensors when the derivative is to be
differentiated again.  Rules never mention broadcasting, dtypes or Tensors.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, wraps
from sys import maxsize
from typing import Any, TypeAlias

import numpy as np

from tinygrad_dnn.errors import MissingRuleError

Array: TypeAlias = Any  # a NumPy array, or anything that speaks NumPy's dispatch protocols
Function: TypeAlias = Callable[..., Any]
LinearMap: TypeAlias = Callable[..., Array]


def same(v: Array, out: Array, *args: Any, **kwargs: Any) -> Array:
    """Pass ``v`` on as it is: the one map that who knows it need not call."""
    return v


class Each:
    """One linear map ``f(i, v, out, *args)`` for every positional argument i."""

    def __init__(self, f: Callable[..., Array]) -> None:
        self.f = f

    def __getitem__(self, i: int) -> LinearMap:
        return lambda v, out, *args, **kwargs: self.f(i, v, out, *args, **kwargs)


Maps: TypeAlias = tuple[LinearMap | None, ...] | Each


@dataclass(slots=True)
class Rule:
    """How to differentiate one primitive: a vjp and a jvp per positional argument."""

    call: Function  # the primitive itself, for arguments known to be arrays
    vjps: Maps
    jvps: Maps
    broadcasts: bool  # may an argument have been stretched on the way in?
    constant: bool = False  # is every derivative zero?
    before_out: int = maxsize  # how many positional arguments the call takes before ``out``
    detours: dict[Function, tuple[Function, dict[str, Any]]] = field(default_factory=dict)

    def unknown(self, i: int) -> MissingRuleError:
        """Return the error for argument ``i``, which has no entry."""
        return MissingRuleError(
            f"{self.call.__name__}: its derivative with respect to argument {i} is not known; pass "
            f"that argument as a plain array to hold it constant, or register a rule with it"
        )


RULES: dict[Function, Rule] = {}
COMPOSITES: dict[Function, Function] = {}
REFUSED: dict[str, str] = {}  # a function of NumPy's, or a module of them -> what to do instead
UNDISPATCHED: dict[Function, Function] = {}  # a primitive of ours -> what it does to arrays


def rule(
    fn: Function,
    *,
    vjps: Iterable[LinearMap | None] | Each,
    jvps: Iterable[LinearMap | None] | Each,
    broadcasts: bool = False,
) -> None:
    """Register ``fn`` with explicit maps, one vjp and one jvp per positional argument.

    ``None`` claims the derivative is zero; a map left off the end says it is not known, and asking
    for it is an error.  ``broadcasts=True`` lets a vjp return the broadcast shape, which the
    engine then sums back; otherwise a vjp must return exactly its argument's shape.
    """
    if fn in RULES:
        raise ValueError(f"{fn.__name__} already has a rule")
    if not (isinstance(fn, np.ufunc) or fn in UNDISPATCHED or hasattr(fn, "_implementation")):
        raise ValueError(
            f"{fn.__name__} would never reach its rule: it is no function of NumPy's that knows "
            f"other arrays; mark it with @tg.primitive"
        )
    vjps = vjps if isinstance(vjps, Each) else tuple(vjps)
    jvps = jvps if isinstance(jvps, Each) else tuple(jvps)
    before_out = place_of_out(fn)
    RULES[fn] = Rule(UNDISPATCHED.get(fn, fn), vjps, jvps, broadcasts, before_out=before_out)


def elementwise(fn: Function, *partials: Function | None) -> None:
    """Register an elementwise ``fn`` by its partial derivatives ``partial(out, *args)``.

    The Jacobian is diagonal, hence its own transpose: one formula serves both modes.  (Of a complex
    ``fn`` the adjoint is the conjugate: see ``rules``.)

    >>> import numpy as np
    >>> import tinygrad_dnn as tg
    >>> @tg.primitive
    ... def cube(x):
    ...     return x**3
    >>> tg.elementwise(cube, lambda out, x: 3 * x**2)
    >>> tg.func.grad(lambda x: np.sum(cube(x)))(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """

    def back(partial: Function) -> LinearMap:
        def scale(g: Array, out: Array, *args: Any, **kwargs: Any) -> Array:
            slope = partial(out, *args, **kwargs)
            return g * (np.conjugate(slope) if out.dtype.kind == "c" else slope)

        return scale

    def ahead(partial: Function) -> LinearMap:
        return lambda t, out, *args, **kwargs: t * partial(out, *args, **kwargs)

    vjps, jvps = [p and back(p) for p in partials], [p and ahead(p) for p in partials]
    rule(fn, vjps=vjps, jvps=jvps, broadcasts=True)


def multilinear(fn: Function, *vjps: LinearMap | None, broadcasts: bool = False) -> None:
    """Register ``fn``, linear in each argument alone, by its vjps; a jvp is ``fn`` itself."""

    def substituted(i: int) -> LinearMap:
        def substitute(t: Array, out: Array, *args: Any, **kwargs: Any) -> Array:
            return fn(*args[:i], t, *args[i + 1 :], **kwargs)

        return substitute

    jvps = [vjp and substituted(i) for i, vjp in enumerate(vjps)]
    rule(fn, vjps=vjps, jvps=jvps, broadcasts=broadcasts)


def scalar(fn: Function, *gradients: Function | None) -> None:
    """Register a scalar-valued ``fn`` by its gradients ``gradient(out, *args)``."""

    def back(gradient: Function) -> LinearMap:
        return lambda g, out, *args, **kwargs: g * gradient(out, *args, **kwargs)

    def ahead(gradient: Function) -> LinearMap:
        return lambda t, out, *args, **kwargs: np.sum(t * gradient(out, *args, **kwargs))

    rule(fn, vjps=[d and back(d) for d in gradients], jvps=[d and ahead(d) for d in gradients])


def constant(fn: Function) -> None:
    """Register ``fn`` as recorded but locally constant: no derivative flows through it."""
    rule(fn, vjps=(), jvps=())
    RULES[fn].constant = True


def composite(*fns: Function) -> Callable[[Function], Function]:
    """Define what NumPy's ``fns`` are on Tensors in terms of primitives: they need no rule."""

    def register(definition: Function) -> Function:
        COMPOSITES.update(dict.fromkeys(fns, definition))
        return definition

    return register


def as_data(x: Any, dtype: Any = None) -> Array:
    """Return ``x``, of whatever array library it is, as an array of ``dtype``."""
    x = x if hasattr(x, "__array_function__") else np.asarray(x)
    return x if dtype is None or x.dtype == dtype else x.astype(dtype)


def refused(advice: str, *names: str) -> None:
    """Say what to do instead of calling the functions ``names`` on Tensors."""
    REFUSED.update(dict.fromkeys(names, advice))


_BEFORE_OUT: dict[Function, int] = {np.concatenate: 2, np.dot: 2}  # in C: they do not say so


def place_of_out(fn: Function) -> int:
    """Return how many positional arguments NumPy's ``fn`` takes before ``out``."""
    if fn in _BEFORE_OUT:
        return _BEFORE_OUT[fn]
    code = getattr(getattr(fn, "_implementation", None), "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code else ()
    return names.index("out") if "out" in names else maxsize


@cache
def with_keywords(fn: Function, n: int, names: tuple[str, ...]) -> Function:
    """Return ``fn`` as a function of ``n`` arguments and then of its keywords ``names``.

    So what is given by keyword is an input of the call like any other, a constant of its rule.
    """
    rule = RULES[fn]

    def keyed(f: Function) -> Function:
        def call(*args: Any, **kwargs: Any) -> Any:
            first = len(args) - len(names)
            return f(*args[:first], **dict(zip(names, args[first:], strict=True)), **kwargs)

        return call

    def of(maps: Maps) -> tuple[LinearMap | None, ...]:
        known = [maps[i] for i in range(n if isinstance(maps, Each) else min(n, len(maps)))]
        return (*(f and keyed(f) for f in known), *(None,) * (n - len(known) + len(names)))

    call = wraps(fn)(keyed(rule.call))
    call.keyed = names  # type: ignore[attr-defined]  # for those who write the call down
    RULES[call] = Rule(call, of(rule.vjps), of(rule.jvps), rule.broadcasts, rule.constant)
    return call


def detour(outer: Function, inner: Function, pair: Function, **inner_kwargs: Any) -> None:
    """Declare that ``outer(inner(z), *rest)`` is ``pair(z, *rest, inner(z))``, computed that way.

    The graph keeps both operations; value and derivative come from ``pair``, which is handed
    ``inner(z)`` only because it is there already.  ``inner_kwargs`` are the only options of
    ``inner`` for which this holds.
    """
    RULES[outer].detours[inner] = pair, inner_kwargs


def _is_recorded(kind: type) -> bool:
    """Say if calls on a ``kind`` become history: it is a Tensor, or shown as one."""
    return hasattr(kind, "__record__")


# To look for what a type does not have takes three times as long.
is_recorded: Callable[[type], bool] = cache(_is_recorded)


def as_array(a: Any) -> Array:
    """Return a number or nested lists as an array; as a Tensor, if there are some among them."""
    if hasattr(a, "dtype"):
        return a
    if isinstance(a, list | tuple):
        parts = [as_array(part) for part in a]
        if any(is_recorded(type(part)) for part in parts):
            return np.stack(parts)
    return np.asarray(a)


def primitive(fn: Function) -> Function:
    """Let ``fn`` dispatch like a NumPy function: a Tensor among the arguments records the call."""

    @wraps(fn)
    def dispatch(*args: Any, **kwargs: Any) -> Any:
        for arg in (*args, *kwargs.values()) if kwargs else args:
            if is_recorded(type(arg)):
                return arg.__record__(dispatch, args, kwargs)
        return fn(*args, **kwargs)

    UNDISPATCHED[dispatch] = fn
    return dispatch


def as_one(fn: Function) -> Function:
    """Let ``fn``, which looks at the numbers in arrays, be a single call to who records calls."""

    @wraps(fn)
    def dispatch(*args: Any) -> Any:
        for arg in args:
            kind = type(arg)
            if kind is not np.ndarray and hasattr(kind, "__array_function__"):
                if is_recorded(kind):
                    break  # of a Tensor what is done inside is recorded
                return arg.__array_function__(dispatch, (kind,), args, {})
        return fn(*args)

    return dispatch
