"""NumPy's ufunc protocol on Tensors: methods and options, and what is refused."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn.errors import HistoryError, MissingRuleError
from tinygrad_dnn.recording import record

rng = np.random.default_rng(0)
X = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])


@pytest.mark.parametrize(
    ("method", "options"),
    [
        (np.add.reduce, {}),
        (np.add.reduce, {"axis": None}),
        (np.add.reduce, {"axis": (0, -1), "keepdims": True, "initial": 2.0}),
        (np.add.reduce, {"axis": 1, "where": X > 0}),
        (np.multiply.reduce, {"axis": 1}),
        (np.maximum.reduce, {"axis": 1, "initial": 0.0, "where": X < 2}),
        (np.minimum.reduce, {"axis": -1}),
        (np.logical_and.reduce, {"axis": 1}),
        (np.logical_or.reduce, {"axis": 1}),
        (np.add.reduce, {"dtype": np.float32}),
        (np.maximum.reduce, {"axis": 1, "dtype": np.float32}),
        (np.add.accumulate, {}),
        (np.maximum.accumulate, {"axis": 1}),
        (np.minimum.accumulate, {}),
        (np.multiply.accumulate, {"axis": 1}),
    ],
)
def test_a_method_of_a_ufunc_is_a_reduction(method, options):
    found = record(tg.Tensor, method, (tg.Tensor(X),), options)
    np.testing.assert_array_equal(found.data, method(X, **options), strict=True)


def test_logaddexp_reduce_is_logsumexp():
    found = np.logaddexp.reduce(tg.Tensor(X))  # along axis 0, as every reduce
    np.testing.assert_allclose(found.data, np.logaddexp.reduce(X), rtol=1e-15, strict=True)


def test_outer_of_a_ufunc():
    x, y = tg.Tensor(X), tg.Tensor([2.0, 3.0])
    for ufunc in (np.add, np.floor_divide, np.multiply, np.fmod, np.maximum, np.arctan2, np.less):
        found = record(tg.Tensor, ufunc.outer, (x, y))
        np.testing.assert_array_equal(found.data, ufunc.outer(X, y.data), strict=True)
    dx, dy = tg.grad(np.sum(record(tg.Tensor, np.multiply.outer, (x, y))), [x, y])
    assert dx.tolist() == [[5, 5, 5], [5, 5, 5]]
    assert dy.tolist() == [5.5, 5.5]


def test_a_tensor_among_the_options_is_refused():
    x = tg.Tensor([1.0, 2.0])
    with pytest.raises(MissingRuleError, match=r"np\.sum: its derivative by initial= .* array"):
        np.sum(x, initial=tg.Tensor(1.0))


# ---- a mask as a Tensor ----------------------------------------------------------------------
MASKED = [
    (np.sum, {}),
    (np.sum, {"axis": 0}),
    (np.prod, {"axis": 1}),
    (np.mean, {"axis": 1, "keepdims": True}),
    (np.var, {"ddof": 1}),
    (np.std, {"axis": 1}),
    (np.max, {"axis": 1, "initial": -9.0}),
    (np.min, {"initial": 9.0}),
    (np.any, {"axis": 0}),
    (np.all, {}),
    (np.nansum, {"axis": 1}),
    (np.add.reduce, {"axis": 1}),
]


@pytest.mark.parametrize(("fn", "options"), MASKED)
def test_a_boolean_tensor_says_where_to_reduce(fn, options):
    x = tg.Tensor(X)
    expected = fn(X, where=X > -1.5, **options)
    for a in (x, X):  # a plain array with a Tensor beside it too
        found = fn(a, where=x > -1.5, **options)
        np.testing.assert_array_equal(found.data, expected, strict=True)
    if found.dtype != bool:
        masked = lambda x: fn(x, where=x > -1.5, **options)
        plain = lambda x: fn(x, where=X > -1.5, **options)
        for derivative in (tg.func.jacobian, lambda f: tg.func.jacobian(tg.func.jacobian(f))):
            np.testing.assert_array_equal(derivative(masked)(X), derivative(plain)(X))
        t = rng.normal(size=X.shape)
        np.testing.assert_array_equal(
            tg.func.jvp(masked, [X], [t])[1], tg.func.jvp(plain, [X], [t])[1]
        )


def test_the_mask_is_an_input_of_the_recorded_call():
    x = tg.Tensor(X)
    mask = x > 0
    assert mask.node in np.sum(x, where=mask).node.parents
    assert mask.node in np.sum(X, where=mask).node.parents


def test_sorting_by_several_tensors():
    a, b = tg.Tensor([1.0, 0.0, 1.0]), tg.Tensor([2.0, 5.0, 1.0])
    assert np.lexsort((b, a)).data.tolist() == [1, 2, 0]
    assert np.lexsort((b.data, a)).data.tolist() == [1, 2, 0]
    assert np.lexsort((a,)).data.tolist() == [1, 0, 2]


def test_a_list_with_tensors_among_the_arguments_is_joined():
    x, t = tg.Tensor([1.0, 2.0]), tg.Tensor(3.0)
    y = np.maximum(x, [t, 0.0]) * [[t, 1.0], [t, t]]
    assert y.data.tolist() == [[9, 2], [9, 6]]
    assert tg.grad(np.sum(y), [x, t])[1] == 3 + 3 + 3 + 3 + 2


# ---- options ---------------------------------------------------------------------------------
OPTIONS = [
    (np.exp, (X,), {"dtype": np.float32}),
    (np.add, (X.astype(np.float32), 2.0), {"dtype": "f8"}),
    (np.multiply, (X, [1, 2, 3]), {"signature": "ff->f"}),
    (np.add, (X, 1), {"dtype": int, "casting": "unsafe"}),
    (np.less, (X, 1), {"dtype": bool}),
    (np.negative, (X,), {"order": "F", "subok": False, "where": True, "out": None}),
    (np.matmul, (rng.normal(size=(2, 3, 4)), rng.normal(size=(3, 5, 4))), {"axes": [(0, 1)] * 3}),
    (
        np.matmul,
        (rng.normal(size=(2, 3)), rng.normal(size=(2, 4))),
        {"axes": [(-1, -2), (-2, -1), (1, 0)]},
    ),
    (np.vecdot, (X, X + 1), {"axis": 0}),
    (np.vecdot, (X, X + 1), {"axis": 0, "keepdims": True}),
    (np.vecdot, (X, X + 1), {"axes": [0, 0, ()]}),
    (np.matvec, (rng.normal(size=(3, 4, 2)), rng.normal(size=(4, 2))), {"axes": [(0, 1), 0, 0]}),
]


@pytest.mark.parametrize(("ufunc", "args", "options"), OPTIONS)
def test_options_of_a_ufunc(ufunc, args, options):
    xs = [tg.Tensor(a) if isinstance(a, np.ndarray) else a for a in args]
    found = ufunc(*xs, **options)
    np.testing.assert_allclose(found.data, ufunc(*args, **options), rtol=1e-15, strict=True)
    if found.requires_grad and found.dtype == float:
        weights = rng.normal(size=found.shape)
        by_numbers = tg.gradcheck(lambda *a: np.sum(ufunc(*a, **options) * weights), *xs[:1],
                                  *args[1:])  # fmt: skip
        assert by_numbers, by_numbers.table()


def test_a_dtype_is_a_recorded_cast():
    x = tg.Tensor([1.0, 2.0])
    y = np.multiply(x, 3.0, dtype=np.float32)
    assert y.dtype == np.float32
    found = tg.grad(np.sum(y), x)
    assert found.dtype == float
    assert found.tolist() == [3, 3]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: np.log(x, where=x > 0), MissingRuleError, r"np\.log takes no where=.*np\.where"),
        (lambda x: np.log(X, where=x > 0), MissingRuleError, "entries that are not computed would"),
        (lambda x: np.log(x, where=X > 0, out=X), HistoryError, "out= would overwrite data"),
        (lambda x: np.add(x, 1, dtype=int), TypeError, "Cannot cast ufunc 'add' input 0"),
        (lambda x: np.add(x, np.float32([1, 1, 1]), casting="no"), TypeError, "Cannot cast ufunc"),
        (lambda x: np.add(x, 1, extobj=[]), TypeError, "extobj"),
    ],
)
def test_an_option_that_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(tg.Tensor(X))


def test_two_results_at_once():
    x = tg.Tensor([7.5, -7.5])
    for found, expected in (
        (np.divmod(x, 2.0), np.divmod(x.data, 2.0)),
        (np.modf(x), np.modf(x.data)),
    ):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a.data, b, strict=True)
    assert tg.grad(np.sum(np.modf(x)[0] + np.divmod(x, 2.0)[1]), x).tolist() == [2, 2]
