"""Nested dicts, lists and tuples of arrays: taken apart into leaves, and put together again.

A *leaf* is whatever is no dict, list, tuple or None; None stands for nothing.  A *path* says where
a leaf is, as Python writes it: ``['W1'][0]``.  What a leaf holds is not known here.
"""

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from typing import Any

from tinygrad_dnn.errors import StructureError

NESTED = (dict, list, tuple)


def items(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield path and value of every leaf, in order.

    >>> list(items({"W1": 1.0, "rest": [2.0, None, (3.0,)]}))
    [("['W1']", 1.0), ("['rest'][0]", 2.0), ("['rest'][2][0]", 3.0)]
    """
    if isinstance(tree, NESTED):
        for key, part in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from items(part, f"{path}[{key!r}]")
    elif tree is not None:
        yield path, tree


def leaves(tree: Any) -> list[Any]:
    """Return the leaves of ``tree``, in order."""
    if not isinstance(tree, NESTED):
        return [] if tree is None else [tree]
    found: list[Any] = []
    for part in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(part, NESTED):
            found += leaves(part)
        elif part is not None:
            found.append(part)
    return found


def rebuilt(tree: Any, values: Iterable[Any]) -> Any:
    """Return ``tree`` with its leaves replaced by ``values``, in order.

    >>> rebuilt({"W1": 1.0, "rest": [2.0, None]}, "ab")
    {'W1': 'a', 'rest': ['b', None]}
    """
    return _built(tree, iter(values))


def _built(tree: Any, rest: Iterator[Any]) -> Any:
    if not isinstance(tree, NESTED):
        return None if tree is None else next(rest)
    if isinstance(tree, dict):
        entries = {key: _built(part, rest) for key, part in tree.items()}
        return entries if type(tree) is dict else _of_kind(tree, entries)
    parts = [_built(part, rest) for part in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)


def _of_kind(tree: dict[Any, Any], entries: dict[Any, Any]) -> dict[Any, Any]:
    """Return ``entries`` as a dict of the kind of ``tree``, if one of it can be changed."""
    try:
        built = copy(tree)
        built.update(entries)
    except TypeError:
        return entries
    return built


def mapped(f: Callable[[Any], Any], tree: Any) -> Any:
    """Return ``tree`` with ``f`` of every leaf in its place."""
    return rebuilt(tree, map(f, leaves(tree)))


def matched(tree: Any, like: Any, what: str) -> list[Any]:
    """Return the parts of ``tree`` that stand where ``like`` has its leaves, in ``like``'s order.

    ``what`` is ``tree`` in messages.  Dicts are matched by key, lists and tuples by position.

    >>> matched({"b": 1, "a": [2, 3]}, {"a": (0, 0), "b": 0}, "the tangent")
    [2, 3, 1]
    """
    if isinstance(like, dict):
        if not isinstance(tree, dict) or tree.keys() != like.keys():
            raise StructureError(f"{what} must be a dict of {_keys(like)}, got {_described(tree)}")
        return [x for key in like for x in matched(tree[key], like[key], f"{what}[{key!r}]")]
    if isinstance(like, list | tuple):
        if not isinstance(tree, list | tuple) or len(tree) != len(like):
            raise StructureError(f"{what} must have {len(like)} parts, got {_described(tree)}")
        pairs = enumerate(zip(tree, like, strict=True))
        return [x for i, (part, l) in pairs for x in matched(part, l, f"{what}[{i}]")]
    if like is None:
        if tree is not None:
            raise StructureError(f"{what} must be None, got {_described(tree)}")
        return []
    if isinstance(tree, dict) or tree is None:
        raise StructureError(f"{what} must be an array, got {_described(tree)}")
    return [tree]


def _keys(tree: Any) -> str:
    return ", ".join(map(repr, tree)) or "nothing"


def _described(tree: Any) -> str:
    if isinstance(tree, dict):
        return f"a dict of {_keys(tree)}"
    if isinstance(tree, list | tuple):
        return f"a {type(tree).__name__} of {len(tree)}"
    return f"{type(tree).__name__}"
