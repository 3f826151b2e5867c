"""What gradients are called: "dW1" or "W1" for that of W1, "dZ2" for that of a value in between."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from tinygrad_dnn.checking.arrays import in_words, real
from tinygrad_dnn.primitives import Array


def by_values(
    who: str, grads: Any, parameters: Collection[str], between: Collection[str]
) -> dict[str, Array]:
    """Return gradients in float64 by the names of the values they are derivatives by.

    Every parameter must have one; those of values that nobody knows, as "dZ7", are let through.

    >>> list(by_values("check", {"dW1": 1.0, "b1": 2.0, "dZ1": 3.0}, ["W1", "b1"], []))
    ['W1', 'b1', 'Z1']
    """
    require_dict(who, "grads", grads, "'dW1'")
    known = {*parameters, *between}
    named: dict[str, Array] = {}
    unknown = []
    for key, value in grads.items():
        derivative = key not in known and key[:1] == "d"
        name = key[1:] if derivative else key
        if name not in known and not _between(key, parameters):
            unknown.append(key)
        elif name in named:
            raise ValueError(f"{who}: grads has two gradients of {name}: {name!r} and 'd{name}'")
        else:
            named[name] = real(who, f"grads[{key!r}]", value)
    missing = [f"d{name}" for name in parameters if name not in named]
    if missing:
        near = get_close_matches(missing[0], unknown, 1, 0.5)
        has = ", ".join(map(repr, grads)) or "nothing"
        advice = f"is {near[0]!r} meant?" if near else f"it has {has}"
        raise ValueError(f"{who}: grads has no {missing[0]!r}; {advice}")
    if unknown:
        near = get_close_matches(unknown[0], [f"d{name}" for name in known], 1, 0.5)
        other = "leave it out, or tap that value"
        advice = f"is {near[0]!r} meant? If not, {other}" if near else other
        raise ValueError(f"{who}: grads has {unknown[0]!r}, which is no parameter; {advice}")
    return named


def require_dict(who: str, name: str, found: Any, key: str) -> None:
    """Raise TypeError unless this is a dict with names as keys."""
    if not isinstance(found, Mapping):
        wanted = f"a dict {{{key}: array, ...}}"
        raise TypeError(f"{who}: {name} must be {wanted}, got {in_words(found)}")
    for at in found:
        if not isinstance(at, str):
            raise TypeError(
                f"{who}: {name} has the key {at!r}; keys are names, as in {{{key}: array, ...}}"
            )


def _between(key: str, parameters: Collection[str]) -> bool:
    """Whether a key looks like the gradient of a value in between: dZ2, dA1."""
    letters = key.rstrip("0123456789")
    taken = {name.rstrip("0123456789") for name in parameters}
    named = len(letters) == 2 and letters[0] == "d" and letters[1].isupper()
    return named and letters != key and letters[1] not in taken
