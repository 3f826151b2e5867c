"""The equations of one network: the terms that its forward pass gives, and what the cost adds.

What a measured derivative holds beyond the terms that are known comes from the cost itself: the
loss at the output, the penalty of regularisation at a W, or something that nobody has tapped.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from tinygrad_dnn.checking.diagnosis.forward import Forward
from tinygrad_dnn.checking.diagnosis.losses import PENALTIES, Written, written
from tinygrad_dnn.checking.diagnosis.terms import AnyTerm, Direct, Scene, terms_of, total
from tinygrad_dnn.primitives import Array

OPAQUE = "the derivative of the loss"
NOTHING = 1e-6  # of a derivative's largest entry: measured rounding


def equations_of(
    forward: Forward, measured: Mapping[str, Array], shown: Collection[str], *, per_example: bool
) -> tuple[dict[str, Sequence[AnyTerm]], dict[str, Array]]:
    """Return the terms of every derivative, and the right derivatives in this convention.

    ``measured`` are derivatives of the cost J, for some of the names; ``shown`` the names whose
    derivatives the student has shown.
    """
    scene = Scene(forward, per_example)
    equations: dict[str, Sequence[AnyTerm]] = {}
    for name in forward.backward_order():
        terms: list[AnyTerm] = [t for t in terms_of(forward, name) if t.out in scene.d]
        known = measured.get(name)
        if known is not None and per_example and name not in forward.parameters:
            known = forward.m * known
        if not terms and known is None:
            continue
        if known is not None:
            expected = total(terms, scene) if terms else np.zeros_like(known)
            terms += _direct(forward, name, known - expected, known, alone=not terms)
        if fused := _fused(forward, name, terms, equations, scene, shown):
            terms = [replace(fused, by_way=terms[0])]
        if terms:
            equations[name] = terms
            scene = scene.believing(name, total(terms, scene))
    return equations, scene.d


def _fused(
    forward: Forward,
    name: str,
    terms: Sequence[AnyTerm],
    equations: Mapping[str, Sequence[AnyTerm]],
    scene: Scene,
    shown: Collection[str],
) -> Direct | None:
    """Return dZ[L] = A[L] - Y in one term, if it is that and nobody has shown dA[L]."""
    if len(terms) != 1 or terms[0].out in shown or name in forward.parameters:
        return None
    before = equations.get(terms[0].out, ())
    if not before or getattr(before[0], "kind", "") != "loss":
        return None
    found = written(forward, terms[0].value(scene), NOTHING)
    return _loss(name, found) if found else None


def _direct(
    forward: Forward, name: str, rest: Array, known: Array, *, alone: bool
) -> list[AnyTerm]:
    """Return the term for what no step of the forward pass explains, if anything is left."""
    measured = np.isfinite(rest)  # of a large array, some entries
    size = _largest(known[measured])
    if not _largest(rest[measured]) > NOTHING * size and not alone:
        return []
    if alone and name not in forward.parameters and name in forward.ends():
        found = written(forward, known, NOTHING)
        loss = _loss(name, found) if found else Direct(name, "", known, OPAQUE, "loss")
        return [loss] if np.all(measured) else []
    if alone:
        unread = "(what reaches it through values that were not understood)"
        return [Direct(name, "", known, unread, "other")] if np.all(measured) else []
    if name in forward.parameters:
        penalties = _penalties(name, forward.values[name], rest, NOTHING * size)
        if penalties:
            return penalties
    other = Direct(name, "", rest, "(what reaches it by other ways)", "other")
    return [other] if np.all(measured) else []


def _penalties(name: str, W: Array, rest: Array, nothing: float) -> list[AnyTerm]:
    """Return L2 and L1 penalties that sum to what is left of the derivative by a parameter."""
    there = np.isfinite(rest)
    for kinds in (["L2"], ["L1"], [*PENALTIES]):
        arrays = [PENALTIES[kind][1](W) for kind in kinds]
        columns = np.stack([array[there] for array in arrays], 1)
        fit, _, rank, _ = np.linalg.lstsq(columns, rest[there], rcond=None)
        told = rank == len(kinds) and (len(kinds) == 1 or np.sum(there) > len(kinds))
        if told and _largest(rest[there] - columns @ fit) <= nothing:
            return [_penalty(name, *found) for found in zip(kinds, fit, arrays, strict=True)]
    return []


def _penalty(name: str, kind: str, c: float, array: Array) -> Direct:
    words = f"(lambda/m) * {PENALTIES[kind][0].format(W=name)} (lambda/m = {c:.6g})"
    return Direct(name, "", c * array, words, kind, float(c))


def _loss(name: str, found: Written) -> Direct:
    return Direct(name, "", found.array, found.words, "loss", found.c, found.form, found.Y)


def _largest(x: Array) -> float:
    return float(np.max(np.absolute(x), initial=0.0))
