"""Course: which of the course's equations (6) to (9) a line is, if it is one.

(6) dZ[l] = dA[l] * g[l]'(Z[l])            (7) dW[l]   = (1/m) dZ[l] A[l-1]ᵀ
(8) db[l] = (1/m) Σ_columns dZ[l]          (9) dA[l-1] = W[l]ᵀ dZ[l]
"""

from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.visualize.equations.derive import D, Derivation
from tinygrad_dnn.visualize.equations.factor import PER_EXAMPLE
from tinygrad_dnn.visualize.equations.term import SYMBOL, Term, factored, meaning, symbols


def course_number(derivation: Derivation, what: Any) -> str:
    """Return "(6)" to "(9)" for an equation of the backward pass in the course's convention."""
    if not derivation.course or not isinstance(what, D) or not _in_a_layer(derivation, what.of):
        return ""
    c, term = factored(derivation.equations[what])
    x, y = (*term.args, None, None)[:2]
    if c == PER_EXAMPLE and term.fn is np.matmul and y.fn is np.transpose and _is_result(x):
        return "(7)" if what.of.fn is None else ""
    if c == PER_EXAMPLE and term.fn is np.sum and term.options["axis"] == (1,) and _is_result(x):
        return "(8)" if what.of.fn is None and _is_bias(derivation, what.of) else ""
    if c is None and term.fn is np.matmul and x.fn is np.transpose and _is_result(y):
        W = x.args[0]
        return "(9)" if W.fn == SYMBOL and derivation.scales(what) else ""
    if c is None and term.fn is np.multiply and derivation.scales(what):
        return "(6)" if _is_of_own_activation(term, what.of) else ""
    return ""


def _in_a_layer(derivation: Derivation, node: Node) -> bool:
    calls = [call for call, _ in derivation.record.uses.get(node, ())]
    return any(n.layer is not None for n in (node, *calls))


def _is_bias(derivation: Derivation, b: Node) -> bool:
    """Say whether b is added to a matrix product."""
    calls = [call for call, _ in derivation.record.uses[b]]
    return all(call.fn is np.add and any(p.fn is np.matmul for p in call.parents) for call in calls)


def _is_result(x: Term) -> bool:
    """Say whether a term is the derivative by a result, a dZ."""
    return x.fn == SYMBOL and isinstance(meaning(x), D) and meaning(x).of.fn is not None


def _is_of_own_activation(term: Term, Z: Node) -> bool:
    """Say whether a product is dA times something that the forward pass knows, A made from Z."""
    while term.fn is np.multiply:
        first, *_ = term.args
        if first.fn == SYMBOL:
            break
        term = first
    else:
        return False
    dA = meaning(first)
    others = [what for what in symbols(term) if isinstance(what, D)]
    return isinstance(dA, D) and Z in dA.of.parents and len(others) == 1
