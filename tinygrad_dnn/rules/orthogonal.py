"""QR, batched: Q and R lie side by side in one array, above each other if ``a`` is tall.

Of a wide matrix, the square block on the left is what is decomposed; the rest of R is Q^H times the
rest of ``a``.  The formulas need that block, or all of a tall matrix, to have full rank.

Formulas: Walter and Lehmann, "Algorithmic differentiation of linear algebra functions" (2010).
"""

from typing import NamedTuple

import numpy as np

from tinygrad_dnn.errors import MissingRuleError
from tinygrad_dnn.primitives import Array, composite, primitive, rule
from tinygrad_dnn.rules.decompositions import diagonal, hermitian, real, spread
from tinygrad_dnn.rules.linalg import H


class QRResult(NamedTuple):
    """What ``np.linalg.qr`` returns."""

    Q: Array
    R: Array


@primitive
def qr(a):
    """``np.linalg.qr(a)`` as one array: Q above R if ``a`` is tall, else Q left of R."""
    Q, R = np.linalg.qr(a)
    return np.concatenate([Q, R], axis=-2 if Q.shape[-1] == R.shape[-1] else -1)


def _factors(x, a):
    """Q and R of what ``qr`` returns, or of its cotangent."""
    m, n = a.shape[-2:]
    return (x[..., :m, :], x[..., m:, :]) if m >= n else (x[..., :m], x[..., m:])


def _over(x, R):
    """``x`` times the inverse of ``R``."""
    return H(np.linalg.solve(H(R), H(x)))


def _tall_vjp(gQ, gR, Q, R):
    inner = hermitian(gR @ H(R) - H(Q) @ gQ, lower=False)
    return _over(gQ + Q @ inner, H(R))


def _tall_jvp(t, Q, R):
    t = _over(t, R)
    inner = H(Q) @ t
    low = np.tril(inner, -1)
    inner = inner - low + H(low)  # the change of R over R: a triangle with a real diagonal
    inner = inner - spread(diagonal(inner) - real(diagonal(inner)), inner)
    return t - Q @ inner, inner @ R


def _qr_vjp(g, out, a):
    (Q, R), (gQ, gR) = _factors(out, a), _factors(g, a)
    m = Q.shape[-2]
    if R.shape[-1] <= m:
        return _tall_vjp(gQ, gR, Q, R)
    gQ = gQ + a[..., m:] @ H(gR[..., m:])
    left = _tall_vjp(gQ, gR[..., :m], Q, R[..., :m])
    return np.concatenate([left, Q @ gR[..., m:]], axis=-1)


def _qr_jvp(t, out, a):
    Q, R = _factors(out, a)
    m = Q.shape[-2]
    if R.shape[-1] <= m:
        return np.concatenate(_tall_jvp(t, Q, R), axis=-2)
    dQ, dR = _tall_jvp(t[..., :m], Q, R[..., :m])
    return np.concatenate([dQ, dR, H(dQ) @ a[..., m:] + H(Q) @ t[..., m:]], axis=-1)


rule(qr, vjps=(_qr_vjp,), jvps=(_qr_jvp,))


@composite(np.linalg.qr)
def _qr(a, mode="reduced"):
    if mode not in ("reduced", "r"):
        raise MissingRuleError(
            f"np.linalg.qr on Tensors takes mode='reduced' or mode='r', got mode={mode!r}"
        )
    Q, R = _factors(qr(a), a)
    return R if mode == "r" else QRResult(Q, R)
