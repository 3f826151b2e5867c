"""The native executor: every kernel against NumPy, and whole steps against eager."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_replay import DIMS, training

pytest.importorskip("llvmlite")
pytest.importorskip("scipy")

from tinygrad_dnn.graph import Node
from tinygrad_dnn.replay.fusion import FUSED, minus_scaled, minus_scaled_product
from tinygrad_dnn.replay.memory import Memory
from tinygrad_dnn.replay.native import table
from tinygrad_dnn.replay.native.compiler import Library, library
from tinygrad_dnn.replay.native.kernels import COMPARE, ONE, TWO
from tinygrad_dnn.replay.native.table import rows_of

rng = np.random.default_rng(0)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def native(f):
    return tg.jit(f, native=True)


def by_kernel(fn, *args, known=None):
    """What the kernel for ``fn`` makes of ``args``; None if there is none."""
    nodes = [Node(a) if isinstance(a, np.ndarray) else a for a in args]
    with np.errstate(all="ignore"):
        like = np.asarray(fn(*args))
    call, out = Node(like, fn, nodes), np.zeros_like(like)
    if fn in FUSED:
        out[...] = args[0]
    arrays = {n: n.value for n in nodes if isinstance(n, Node)} | {call: out}
    memory = Memory(arrays, set(), [], np.empty(0))
    (found,) = rows_of([call], memory)
    if found is None:
        return None
    known = known or library(found.dtype)
    work = np.full(found.work, 255, np.uint8)  # of nan
    rows = np.array([found.numbers(known, work.ctypes.data)], np.int64)
    step = np.array([rows.ctypes.data, 1, memory.slots.ctypes.data], np.int64)
    known.execute(step.ctypes.data)
    return out


def assert_near(fn, *args, ulp=4, terms=None, **options):
    """The kernel's result is NumPy's, up to a few units in the last place of the largest.

    The largest entry, or that of ``terms``, the sums of the sizes of what was added up.
    """
    found = by_kernel(fn, *args, **options)
    assert found is not None, "no kernel"
    with np.errstate(all="ignore"):
        expected = np.asarray(fn(*args))
    if expected.dtype == bool:
        np.testing.assert_array_equal(found, expected)
    else:
        sizes = np.abs(expected) if terms is None else terms
        size = np.max(sizes, initial=0, where=np.isfinite(sizes))
        atol = ulp * float(np.finfo(expected.dtype).eps) * float(size)
        np.testing.assert_allclose(found, expected, rtol=0, atol=atol)


def normal(*shape, dtype):
    return rng.standard_normal(shape).astype(dtype)


@every_dtype
@pytest.mark.parametrize("fn", ONE, ids=lambda fn: fn.__name__)
def test_functions_of_one_array(fn, dtype):
    x = normal(5, 37, dtype=dtype)
    for a in (x, x[:, ::2], x[0], np.array(0.5, dtype)):
        if fn in (np.log, np.sqrt):
            a = np.abs(a) + dtype(0.1)
        assert_near(fn, a)


SPECIAL = [0.0, -0.0, 1.0, -1.0, 1e-30, -1e-30, 80.0, -80.0, 1e5, -1e5, np.inf, -np.inf, np.nan]


@every_dtype
@pytest.mark.parametrize("fn", ONE, ids=lambda fn: fn.__name__)
def test_functions_of_one_array_at_the_edges(fn, dtype):
    x = np.array(SPECIAL, dtype)
    with np.errstate(all="ignore"):
        expected = fn(x)
    found = by_kernel(fn, x)
    np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(dtype).eps)
    signed = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(found)[signed], np.signbit(expected)[signed])


@every_dtype
def test_exp_log_and_tanh_are_right_to_three_units_in_the_last_place(dtype):
    wide = np.linspace(-87, 88, 20_001)
    small = np.concatenate([10.0 ** np.linspace(-37, 37, 20_001), np.linspace(0.5, 2, 20_001)])
    for fn, x in ((np.exp, wide), (np.tanh, wide / 10), (np.log, small), (np.tanh, small)):
        x = x.astype(dtype)
        exact = fn(x.astype(np.longdouble)).astype(dtype)
        off = np.abs(by_kernel(fn, x) - exact) / np.spacing(np.abs(exact))
        assert off.max() <= 3


@every_dtype
@pytest.mark.parametrize("fn", [*TWO, *COMPARE], ids=lambda fn: fn.__name__)
def test_functions_of_two_arrays_in_every_layout(fn, dtype):
    x, y = normal(5, 37, dtype=dtype), normal(5, 37, dtype=dtype)
    column, line, one = y[:, :1].copy(), y[:1].copy(), np.array(0.25, dtype)
    for a, b in (
        (x, y), (x, column), (column, x), (x, line), (line, x), (x, one), (one, x), (x, 0.25),
        (x[:, ::2], y[:, 1::2][:, :18].repeat(19, 1)[:, :19]), (x, np.asfortranarray(y)), (x, x),
    ):  # fmt: skip
        assert_near(fn, a, b)


@every_dtype
@pytest.mark.parametrize("fn", TWO, ids=lambda fn: fn.__name__)
def test_functions_of_two_arrays_at_the_edges(fn, dtype):
    x, y = (a.ravel() for a in np.meshgrid(*[np.array(SPECIAL, dtype)] * 2))
    with np.errstate(all="ignore"):
        expected = fn(x, y)
    np.testing.assert_allclose(by_kernel(fn, x, y), expected, rtol=4 * np.finfo(dtype).eps)


@every_dtype
def test_masks(dtype):
    x, y = normal(5, 37, dtype=dtype), normal(5, 37, dtype=dtype)
    assert_near(np.multiply, x, y > 0)
    assert_near(np.multiply, y > 0, x)
    assert_near(np.multiply, x, (y > 0)[:, :1].copy())


@every_dtype
def test_sums(dtype):
    x = normal(5, 37, dtype=dtype)
    for a in (x, x.T, x[:, :1], x[:1], x[:, ::3]):
        for axis in (0, 1, None, (1,)):
            for keep in (True, False):
                if not (axis is None and not a.flags.c_contiguous):
                    assert_near(np.add.reduce, a, axis, None, None, keep, ulp=40)
        assert_near(np.maximum.reduce, a, 0, None, None, True)


SIZES = [
    (5, 37, 9), (1, 37, 9), (5, 37, 1), (5, 1, 9), (1, 37, 1), (1, 1, 1), (20, 21, 2000),
    (20, 209, 500), (31, 700, 61), (1, 1500, 900), (201, 401, 33), (900, 1, 1200),
    (1031, 530, 37), (53, 700, 333),
]  # fmt: skip


@every_dtype
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_products_in_every_layout(size, dtype):
    n, k, m = size
    for a in (normal(n, k, dtype=dtype), normal(k, n, dtype=dtype).T):
        for b in (normal(k, m, dtype=dtype), normal(m, k, dtype=dtype).T):
            x, terms = normal(n, m, dtype=dtype), np.abs(a) @ np.abs(b)
            assert_near(np.matmul, a, b, terms=terms)
            assert_near(minus_scaled_product, x, 0.5, a, b, terms=np.abs(x) + terms)
    assert_near(minus_scaled, a, np.array(0.3, dtype), normal(n, k, dtype=dtype))


@pytest.mark.parametrize("width", [16, 32])
def test_products_with_the_vectors_of_other_processors(width, monkeypatch):
    monkeypatch.setattr(table, "LARGE", 0)
    monkeypatch.setattr(table, "blas_threads", lambda: 1)
    monkeypatch.setattr(table, "vector_width", lambda: width)
    known = Library(np.dtype(np.float32), width)
    for n, k, m in [(1, 1, 1), (7, 5, 3), (13, 301, 41), (200, 20, 17), (53, 301, 141)]:
        for a in (normal(n, k, dtype="f"), normal(k, n, dtype="f").T):
            for b in (normal(k, m, dtype="f"), normal(m, k, dtype="f").T):
                assert_near(np.matmul, a, b, terms=np.abs(a) @ np.abs(b), known=known)


RECORDS = np.zeros((200, 300), [("x", float), ("n", "i4")])  # entries of x are 12 bytes apart
RECORDS["x"] = rng.standard_normal(RECORDS.shape)
STRANGE = {
    "as they are": lambda x: x,
    "rows in the opposite order": lambda x: x[::-1],
    "columns in the opposite order": lambda x: x[:, ::-1],
    "the same row again and again": lambda x: np.broadcast_to(x[:1], (200, 300)),
    "the same column again and again": lambda x: np.broadcast_to(x[:, :1], (200, 300)),
    "windows": lambda x: np.lib.stride_tricks.sliding_window_view(x.ravel(), 300)[:200],
    "one column in the opposite order": lambda x: x[::-1, :1],
}


@pytest.mark.parametrize("layout", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize(
    "f",
    [lambda x: np.tanh(x) * 2, lambda x: x @ x.T, lambda x: x.T @ x, np.sum, lambda x: x.sum(1)],
    ids=["entries", "product", "product of columns", "sum", "sums"],
)
def test_arrays_of_strange_layouts(layout, f):
    def laid(x):
        return f(layout(x))

    for x in (RECORDS["x"], RECORDS["x"].copy()):
        native, expected = tg.jit(laid, native=True), laid(x)
        for _ in range(2):
            off = np.max(np.abs(native(x) - expected)) / np.max(np.abs(expected))
            assert off <= 1e-13


def test_what_no_kernel_knows_is_left_to_numpy():
    x = normal(4, 6, dtype=np.float64)
    assert by_kernel(np.arctan, x) is None
    assert by_kernel(np.add, x, x.astype(np.float32)) is None
    assert by_kernel(np.matmul, x[:, ::2], x[:3]) is None
    assert by_kernel(np.add, x.astype(int), x.astype(int)) is None


# ---- whole steps -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("case", "hidden"),
    [
        *((case, "relu") for case in DIMS),
        *((case, f) for case in ("tiny", "moons") for f in ("tanh", "sigmoid", "leaky_relu")),
    ],  # training twenty layers of tanh makes 1e-11 of the last bit, whoever computes it
)
def test_a_hundred_steps_are_those_of_eager(case, hidden):
    net, _, step, X, Y = training(*DIMS[case], hidden=hidden)
    other, _, replayed, _, _ = training(*DIMS[case], jit=native, hidden=hidden)
    for _ in range(100):
        assert float(replayed(X, Y)) == pytest.approx(float(step(X, Y)), rel=1e-12)
    for W, V in zip(net.parameters().values(), other.parameters().values(), strict=True):
        assert np.max(np.abs(W.data - V.data)) <= 1e-12 * np.max(np.abs(W.data))


@pytest.mark.parametrize("case", DIMS)
def test_single_precision_is_no_farther_off_than_twice_eager(case):
    exact, single, other = (
        training(*DIMS[case], dtype, jit)
        for dtype, jit in ((np.float64, None), (np.float32, None), (np.float32, native))
    )
    for net, like in ((exact, single), (other, single)):  # from the same numbers
        for name, W in net[0].parameters().items():
            W.data = like[0].parameters()[name].data.astype(W.dtype)
    for _, _, step, X, Y in (exact, single, other):
        for _ in range(100):
            step(X, Y)

    def off(net):
        pairs = zip(net[0].parameters().values(), exact[0].parameters().values(), strict=True)
        return max(np.max(np.abs(W.data - V.data)) / np.max(np.abs(V.data)) for W, V in pairs)

    assert off(other) <= 2 * max(off(single), 1e-7)


def test_threads_are_started_only_where_they_save_time_and_of_one_library(monkeypatch):
    def multiplied_by(rows, inner, columns):
        nodes = Node(rng.random((rows, inner))), Node(rng.random((inner, columns)))
        call, out = Node(None, np.matmul, nodes), np.empty((rows, columns))
        arrays = {n: n.value for n in nodes} | {call: out}
        (found,) = rows_of([call], Memory(arrays, set(), [], np.empty(0)))
        return found and found.kernel

    sizes = (64, 64, 64), (65, 64, 64), (100, 101, 100), (520, 512, 512), (20, 12288, 600)
    for threads, kernels in (
        (1, ["blas_product", "blas_product", "product", "product", "product"]),
        (2, ["blas_product", "product", "product", None, "product"]),
    ):
        monkeypatch.setattr(table, "blas_threads", lambda threads=threads: threads)
        assert [multiplied_by(*size) for size in sizes] == kernels


def test_inputs_too_large_to_copy_are_read_where_they_are():
    net, _, step, X, Y = training([2000, 4, 1], 64)
    other, _, replayed, _, _ = training([2000, 4, 1], 64, jit=native)
    for i in range(5):
        x = X + i
        assert float(replayed(x, Y)) == pytest.approx(float(step(x, Y)), rel=1e-12)
    for W, V in zip(net.parameters().values(), other.parameters().values(), strict=True):
        np.testing.assert_allclose(V.data, W.data, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("other", [3.0, np.float64(3), np.array(3.0), np.full((2, 3), 3.0)])
def test_an_exponent_that_happens_to_be_two_can_be_another_one(other):
    powers, x = native(lambda x, p: x**p), np.abs(normal(2, 3, dtype=np.float64))
    two = other * 0 + 2
    for exponent in (two, other, two):
        np.testing.assert_allclose(powers(x, exponent), x**exponent, rtol=1e-15)


def test_a_square_has_the_dtype_of_its_power():
    x = normal(2, 3, dtype=np.float32)
    squared = native(lambda x: (x ** np.float64(2), x.astype(np.int32) ** 2.0, x**2))
    for _ in range(2):
        for found, expected in zip(
            squared(x), (x ** np.float64(2), x.astype(np.int32) ** 2.0, x**2), strict=True
        ):
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, rtol=np.finfo(expected.dtype).eps)


def test_a_step_is_few_native_calls():
    _, _, step, X, Y = training([3, 5, 1], 32, jit=native)
    step(X, Y)
    assert len(step.plan().steps) == 1
