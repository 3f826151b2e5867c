"""Linear algebra beyond the case table: complex matrices, degenerate ones, refusals, witnesses."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_rules import differences

rng = np.random.default_rng(0)


def complex_normal(*shape):
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def hermitian(n):
    a = complex_normal(n, n) / 8
    return a + a.conj().T + np.diag(2.0 * np.arange(1, n + 1))


def signless(V):
    return V * np.conj(V[..., :1, :])


# ---- complex matrices: gradients by real and imaginary part --------------------------------------
Z, SQUARE, TALL, WIDE = (
    complex_normal(3, 4),
    complex_normal(3, 3) + 4 * np.eye(3),
    complex_normal(4, 2),
    complex_normal(2, 4),
)
V3, REAL = complex_normal(3), rng.normal(size=(4, 3))
POSITIVE = hermitian(3)

COMPLEX = {
    "matmul": (np.matmul, Z, complex_normal(4, 2)),
    "matmul, one real": (np.matmul, Z, REAL),
    "matmul, the other real": (np.matmul, REAL, Z),
    "matmul of vectors": (np.matmul, V3, complex_normal(3)),
    "matrix and vector": (np.matmul, complex_normal(2, 3), V3),
    "vector and matrix": (np.matmul, V3, Z),
    "vecdot": (np.vecdot, Z, complex_normal(4)),
    "vdot": (np.vdot, Z, complex_normal(3, 4)),
    "dot": (np.dot, Z, complex_normal(2, 4, 3)),
    "inner": (np.inner, Z, complex_normal(2, 4)),
    "tensordot": (lambda a, b: np.tensordot(a, b, ([0, 1], [1, 0])), Z, complex_normal(4, 3)),
    "einsum": (lambda a, b: np.einsum("ij,jk,k->ki", a, b, b[0]), Z, complex_normal(4, 4)),
    "kron": (np.kron, Z, V3),
    "outer": (np.outer, V3, Z),
    "cross": (np.cross, V3, complex_normal(2, 3)),
    "multi_dot": (lambda a, b: np.linalg.multi_dot([a, b, a, b]), Z, complex_normal(4, 3)),
    "inv": (np.linalg.inv, SQUARE),
    "pinv": (np.linalg.pinv, TALL),
    "det": (np.linalg.det, SQUARE),
    "sign of slogdet": (lambda a: np.linalg.slogdet(a).sign, SQUARE),
    "slogdet": (lambda a: np.linalg.slogdet(a).logabsdet, SQUARE),
    "solve": (np.linalg.solve, SQUARE, Z),
    "solve for a vector": (np.linalg.solve, SQUARE, V3),
    "cholesky": (np.linalg.cholesky, POSITIVE),
    "upper cholesky": (lambda a: np.linalg.cholesky(a, upper=True), POSITIVE),
    "eigvalsh": (np.linalg.eigvalsh, POSITIVE),
    "eigvalsh of the upper triangle": (lambda a: np.linalg.eigvalsh(a, "U"), POSITIVE),
    "eigenvalues of eigh": (lambda a: np.linalg.eigh(a).eigenvalues, POSITIVE),
    "eigenvectors of eigh": (lambda a: signless(np.linalg.eigh(a, "U").eigenvectors), POSITIVE),
    "eigenvalues of eig": (lambda a: np.sum(np.linalg.eigvals(a) ** 3), SQUARE),
    "eigenvectors of eig": (lambda a: np.sum(signless(np.linalg.eig(a)[1]), axis=-1), SQUARE),
    "of eig of real": (lambda a: np.sum(np.linalg.eigvals(a) ** 3), rng.normal(size=(4, 4))),
    "vectors of eig of real": (
        lambda a: np.sum(np.linalg.eigvals(a) * signless(np.linalg.eig(a)[1]), axis=-1),
        rng.normal(size=(4, 4)),
    ),
    "singular values": (np.linalg.svdvals, WIDE),
    "svd, tall": (lambda a: low_rank(a), TALL),
    "svd, wide": (lambda a: low_rank(a), WIDE),
    "svd, square": (lambda a: low_rank(a), SQUARE),
    "phases of svd": (lambda a: both_sides(a), TALL),
    "qr, tall": (lambda a: signless(np.linalg.qr(a).Q), TALL),
    "qr, wide": (lambda a: np.conj(np.linalg.qr(a).R[:, :1]) * np.linalg.qr(a).R, WIDE),
    "r": (lambda a: np.linalg.qr(a, mode="r"), TALL),
    "norm": (np.linalg.norm, Z),
    "nuclear norm": (lambda a: np.linalg.norm(a, "nuc"), Z),
    "norm of columns": (lambda a: np.linalg.norm(a, 3, axis=0), Z),
    "largest row sum": (lambda a: np.linalg.norm(a, np.inf), Z),
    "trace": (np.trace, Z),
    "diag": (lambda a: np.diag(np.diag(a)), Z),
    "matrix power": (lambda a: np.linalg.matrix_power(a, -3), SQUARE),
}  # fmt: skip


def low_rank(a):
    U, S, Vh = np.linalg.svd(a, full_matrices=False)
    return U * np.log(S) @ Vh


def both_sides(a):
    """Depends on U and Vh each, on their common phase not at all."""
    U, S, Vh = np.linalg.svd(a, full_matrices=False)
    return signless(U) @ (S * U[0] * Vh[:, 0])


@pytest.mark.parametrize("name", COMPLEX)
def test_derivatives_of_complex_matrices(name):
    f, *zs = COMPLEX[name]
    unit = [rng.uniform(-1, 1, size=z.shape) for z in zs]
    turned = [rng.uniform(-1, 1, size=z.shape) for z in zs]
    ts = [t + 1j * s if np.iscomplexobj(z) else t for z, t, s in zip(zs, unit, turned, strict=True)]
    expected = differences(f, zs, ts, h=0.01)

    out, tangent = tg.func.jvp(f, zs, ts)
    np.testing.assert_array_equal(out, f(*zs))
    np.testing.assert_allclose(tangent, expected, rtol=1e-8, atol=1e-8)

    g = rng.normal(size=out.shape)
    g = g + 1j * rng.normal(size=out.shape) if np.iscomplexobj(out) else g
    _, back = tg.func.vjp(f, *zs)
    found = back(g)
    assert [c.dtype for c in found] == [z.dtype for z in zs]
    there = sum(np.sum(np.conj(c) * t).real for c, t in zip(found, ts, strict=True))
    np.testing.assert_allclose(there, np.sum(np.conj(g) * expected).real, rtol=1e-8, atol=1e-8)

    def slope(*zs):  # of a real function, along ts: a second derivative is one of it
        found = tg.func.vjp(f, *zs)[1](g)
        return sum(np.sum(np.real(np.conj(c) * t)) for c, t in zip(found, ts, strict=True))

    second = differences(slope, zs, ts, h=0.01)
    np.testing.assert_allclose(tg.func.jvp(slope, zs, ts)[1], second, rtol=1e-6, atol=1e-6)
    again = tg.func.grad(slope, tuple(range(len(zs))))(*zs)
    there = sum(np.sum(np.conj(c) * t).real for c, t in zip(again, ts, strict=True))
    np.testing.assert_allclose(there, second, rtol=1e-6, atol=1e-6)


# ---- degenerate matrices -----------------------------------------------------------------------
def gradient(f, a):
    return tg.func.grad(f)(np.asarray(a, float))


def test_norms_at_zero_have_slope_zero():
    for order in (None, 1, 2, 3, np.inf, -np.inf):
        norm = lambda x, o=order: np.linalg.norm(x, o)
        np.testing.assert_array_equal(gradient(norm, [0, 0]), [0, 0])
    for order in ("fro", "nuc", 1, 2, np.inf):
        norm = lambda x, o=order: np.linalg.norm(x, o)
        np.testing.assert_array_equal(gradient(norm, np.zeros((2, 3))), np.zeros((2, 3)))
    np.testing.assert_array_equal(gradient(lambda x: np.linalg.norm(x, 3), [0, 2]), [0, 1])


def test_ties_of_norms_share_equally():
    np.testing.assert_array_equal(
        gradient(lambda x: np.linalg.norm(x, np.inf), [2, -2]), [0.5, -0.5]
    )
    np.testing.assert_allclose(gradient(lambda x: np.linalg.norm(x, 2), np.eye(2)), np.eye(2) / 2)
    rows = gradient(lambda x: np.linalg.norm(x, np.inf), [[1, 2], [3, 0]])
    np.testing.assert_array_equal(rows, [[0.5, 0.5], [0.5, 0]])


def test_values_that_tie_are_right_where_vectors_are_not_asked_for():
    identity = np.eye(3)
    for f in (
        lambda a: np.sum(np.linalg.eigh(a).eigenvalues),
        lambda a: np.sum(np.linalg.eigvalsh(a)),
        lambda a: np.sum(np.linalg.svd(a).S),
        lambda a: np.sum(np.linalg.svdvals(a)),
    ):
        np.testing.assert_allclose(gradient(f, identity), identity, atol=1e-15)


@pytest.mark.parametrize("which", [lambda a: np.linalg.eigh(a)[1], lambda a: np.linalg.svd(a)[0]])
def test_vectors_of_values_that_tie_have_no_derivative(which):
    weights = rng.normal(size=(2, 2))
    with pytest.warns(RuntimeWarning, match="divide by zero"), np.errstate(invalid="ignore"):
        found = gradient(lambda a: np.sum(weights * which(a)), np.eye(2))
    assert not np.all(np.isfinite(found))


def test_the_gradient_of_the_determinant_is_the_cofactors_even_of_a_singular_matrix():
    found = gradient(np.linalg.det, [[1, 2], [2, 4]])
    np.testing.assert_allclose(found, [[4, -2], [-2, 1]], rtol=1e-14)
    found = gradient(np.linalg.det, np.arange(1, 10).reshape(3, 3))
    np.testing.assert_allclose(found, [[-3, 6, -3], [6, -12, 6], [-3, 6, -3]], rtol=1e-13)
    assert not np.any(gradient(np.linalg.det, np.zeros((3, 3))))
    assert gradient(np.linalg.det, [[0]]) == 1


def test_the_logarithm_of_the_determinant_of_a_singular_matrix_has_no_slope():
    with np.errstate(divide="ignore"):
        out = np.linalg.slogdet(tg.Tensor([[1.0, 2.0], [2.0, 4.0]]))[1]
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix") as caught:
        out.backward()
    assert "in the vjp of" in caught.value.__notes__[0]


def test_the_gradient_lies_in_the_triangle_that_is_read():
    a = np.array([[40.0, 9.0], [1.0, 30.0]])  # what stands above the diagonal is never read
    for f in (np.linalg.cholesky, np.linalg.eigvalsh, lambda a: np.linalg.eigh(a)[1][0]):
        assert gradient(lambda a, f=f: np.sum(f(a) ** 3), a)[0, 1] == 0
    upper = gradient(lambda a: np.sum(np.linalg.eigvalsh(a, "U") ** 3), a)
    assert upper[1, 0] == 0 != upper[0, 1]


def test_no_power_of_a_matrix_is_constant():
    x = tg.Tensor(np.ones((2, 2)))
    out = np.linalg.matrix_power(x, 0)
    np.testing.assert_array_equal(out.data, np.eye(2))
    assert not out.requires_grad


# ---- what is refused ---------------------------------------------------------------------------
A = tg.Tensor(np.ones((3, 2)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: np.linalg.svd(A),
            r"of shape \(3, 2\) .* first 2 are arbitrary.*full_matrices=Fal",
        ),
        (lambda: np.linalg.svd(A, hermitian=True), "leave hermitian out"),
        (lambda: np.linalg.qr(A, mode="complete"), "mode='reduced' or mode='r', got mode='compl"),
        (lambda: np.cross(A, A), r"vectors of three entries, got 2 and 2; .*a\[0\] \* b\[1\]"),
        (lambda: np.linalg.outer(A, A), r"two vectors, got shapes \(3, 2\) and \(3, 2\); np.outer"),
        (lambda: np.linalg.cond(A[0]), r"takes matrices, got an array of shape \(2,\)"),
        (
            lambda: np.diag(np.stack([A, A])),
            r"a vector or a matrix, got .*\(2, 3, 2\); np.diagonal",
        ),
        (lambda: np.matrix_transpose(A[0]), r"takes matrices, got an array of shape \(2,\)"),
    ],
)
def test_what_is_refused_says_what_to_do(call, message):
    with pytest.raises((NotImplementedError, ValueError), match=message):
        call()


# ---- other libraries ---------------------------------------------------------------------------
S = rng.normal(size=(4, 4))
SYMMETRIC = S + S.T + np.diag([2.0, 8.0, 16.0, 32.0])
TORCH = {
    "inv": (lambda np, a: np.linalg.inv(a), SYMMETRIC),
    "det": (lambda np, a: np.linalg.det(a), SYMMETRIC),
    "logdet": (lambda np, a: np.linalg.slogdet(a)[1], SYMMETRIC),
    "solve": (lambda np, a: np.linalg.solve(a, a[:, :2]), SYMMETRIC),
    "pinv": (lambda np, a: np.linalg.pinv(a[:, :2]), S),
    "cholesky": (lambda np, a: np.linalg.cholesky(a @ a.T), SYMMETRIC),
    "eigvalsh": (lambda np, a: np.linalg.eigvalsh((a + a.T) / 2), SYMMETRIC),
    "eigh": (lambda np, a: np.linalg.eigh((a + a.T) / 2)[1] ** 2, SYMMETRIC),
    "svdvals": (lambda np, a: np.linalg.svdvals(a), S),
    "svd of tall": (lambda np, a: np.linalg.svd(a[:, :3], full_matrices=False)[0] ** 2, S),
    "svd of wide": (lambda np, a: np.linalg.svd(a[:3], full_matrices=False)[2] ** 2, S),
    "qr": (lambda np, a: np.linalg.qr(a)[0] ** 2, S),
    "qr of tall": (lambda np, a: np.linalg.qr(a[:, :2])[1] ** 2, S),
    "qr of wide": (lambda np, a: np.linalg.qr(a[:2])[1] ** 2, S),
    "norm": (lambda np, a: np.linalg.norm(a, 2, 0), S),
    "nuclear norm": (lambda np, a: np.linalg.matrix_norm(a, ord="nuc"), S),
    "spectral norm": (lambda np, a: np.linalg.matrix_norm(a, ord=2), S),
    "column norm": (lambda np, a: np.linalg.matrix_norm(a, ord=1), S),
    "multi_dot": (lambda np, a: np.linalg.multi_dot([a, a[:, :2], a[:2]]), S),
    "einsum": (lambda np, a: np.einsum("ii,ij,kj->ik", a, a, a), S),
    "tensordot": (lambda np, a: np.tensordot(a, a, ([1], [0])), S),
    "kron": (lambda np, a: np.kron(a, a[:2]), S),
    "cross": (lambda np, a: np.linalg.cross(a[:, :3], a[:, 1:]), S),
    "rfft": (lambda np, a: np.fft.irfft(np.fft.rfft(a) ** 2), S),
    "fft": (lambda np, a: np.real(np.fft.fftn(a, norm="ortho") ** 3), S),
}


class Lookalike:
    """``torch`` where its name for a thing is not NumPy's."""

    def __init__(self, torch):
        self.torch = torch

    def __getattr__(self, name):
        return getattr(self.torch, name)

    def tensordot(self, a, b, axes):
        return self.torch.tensordot(a, b, dims=axes)


@pytest.mark.parametrize("name", TORCH)
def test_agreement_with_torch(name):
    torch = pytest.importorskip("torch")
    f, a = TORCH[name]
    theirs = torch.tensor(a, requires_grad=True)
    out = f(Lookalike(torch), theirs)
    weights = rng.normal(size=tuple(out.shape))
    (out * torch.tensor(weights)).sum().backward()
    ours = tg.Tensor(a)
    np.testing.assert_allclose(f(np, ours).data, out.detach().numpy(), rtol=1e-9, atol=1e-10)
    gradient = tg.grad(np.sum(f(np, ours) * weights), ours)
    np.testing.assert_allclose(gradient, theirs.grad.numpy(), rtol=1e-8, atol=1e-9)


HIPS = ("inv", "det", "logdet", "solve", "pinv", "cholesky", "eigh", "svd of tall", "fft")


@pytest.mark.parametrize("name", HIPS)
def test_agreement_with_autograd(name):
    autograd = pytest.importorskip("autograd")
    anp = pytest.importorskip("autograd.numpy")
    f, a = TORCH[name]
    weights = rng.normal(size=f(np, a).shape)
    theirs = autograd.grad(lambda a: anp.sum(f(anp, a) * weights))(a)
    ours = tg.func.grad(lambda a: np.sum(f(np, a) * weights))(a)
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-9)
