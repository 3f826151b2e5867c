"""The Tensor: what it holds, how it behaves in Python and NumPy, and the traps it makes loud."""

import copy
import operator
import pickle
import re

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn.errors import DimensionError, HistoryError, MissingRuleError
from tinygrad_dnn.rules.network import relu
from tinygrad_dnn.tensor import as_tensor, handle, owned, require_float, seed


# ---- what it holds ---------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_dtype_is_kept(dtype):
    assert tg.Tensor(np.ones(3, dtype)).dtype == dtype


def test_the_data_is_copied():
    array = np.ones(3)
    x = tg.Tensor(array)
    array += 1
    assert x.data.tolist() == [1, 1, 1]


def test_shape_and_size():
    x = tg.Tensor(np.ones((2, 3)))
    assert (x.shape, x.ndim, x.size, len(x)) == ((2, 3), 2, 6, 2)


def test_new_data_for_a_leaf():
    W = tg.Tensor([1.0, 2.0], name="W1")
    W.data -= 0.5
    assert W.data.tolist() == [0.5, 1.5]
    W.data = [3, 4.0]
    assert W.data.tolist() == [3, 4]
    W.data = W.data.astype(np.float32)
    assert W.dtype == np.float32
    with pytest.raises(DimensionError, match=r"data of W1 is \(2,\), got \(3,\)"):
        W.data = np.ones(3)
    with pytest.raises(HistoryError, match="data for W1 holds int64, which has no derivative"):
        W.data = np.array([1, 2])
    with pytest.raises(HistoryError, match=r"only a leaf's data .* is a result of np.multiply"):
        (W * 2).data = np.ones(2)


def test_grad_must_have_the_shape_of_the_data():
    W = tg.Tensor([1.0, 2.0])
    W.grad = np.array([1.0, 1.0])
    W.grad = None
    with pytest.raises(DimensionError, match=r"grad must have shape \(2,\), got \(3,\)"):
        W.grad = np.ones(3)


def test_a_name_can_be_given_later():
    x = tg.Tensor(1.0)
    assert x.name is None
    x.name = "x"
    assert x.name == "x"


# ---- operators and methods are NumPy's functions ----------------------------------------------
BINARY = {
    operator.add: np.add,
    operator.sub: np.subtract,
    operator.mul: np.multiply,
    operator.truediv: np.divide,
    operator.floordiv: np.floor_divide,
    operator.pow: np.power,
    operator.matmul: np.matmul,
    operator.lt: np.less,
    operator.le: np.less_equal,
    operator.gt: np.greater,
    operator.ge: np.greater_equal,
    operator.eq: np.equal,
    operator.ne: np.not_equal,
}
A, B = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[2.0, 2.0], [1.0, 3.0]])


@pytest.mark.parametrize(("op", "fn"), BINARY.items(), ids=lambda v: v.__name__)
def test_an_operator_is_the_numpy_function_in_either_order(op, fn):
    for a, b in [(tg.Tensor(A), tg.Tensor(B)), (tg.Tensor(A), B), (A, tg.Tensor(B))]:
        out = op(a, b)
        assert isinstance(out, tg.Tensor)
        np.testing.assert_array_equal(out.data, fn(A, B), strict=True)
    if op not in (operator.matmul, operator.floordiv):
        np.testing.assert_array_equal(op(2.0, tg.Tensor(B)).data, op(2.0, B))
        np.testing.assert_array_equal(op(tg.Tensor(A), 2).data, op(A, 2))
        np.testing.assert_array_equal(op(np.float64(2), tg.Tensor(B)).data, op(2.0, B))


@pytest.mark.parametrize("op", [operator.and_, operator.or_, operator.xor])
def test_masks_combine(op):
    x = tg.Tensor(A)
    np.testing.assert_array_equal(op(x > 1, x < 4).data, op(A > 1, A < 4))
    np.testing.assert_array_equal(op(A > 1, x < 4).data, op(A > 1, A < 4))
    np.testing.assert_array_equal((~(x > 1)).data, ~(A > 1))


def test_signs():
    x = tg.Tensor([-1.0, 2.0])
    assert (-x).data.tolist() == [1, -2]
    assert (+x).data.tolist() == [-1, 2]
    assert abs(x).data.tolist() == [1, 2]


CUBE = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.T,
        lambda x: x.mT,
        lambda x: x.sum(),
        lambda x: x.sum(axis=1, keepdims=True),
        lambda x: x.mean(0),
        lambda x: x.max(axis=-1),
        lambda x: x.min(),
        lambda x: x.reshape(6, 4),
        lambda x: x.reshape((6, -1)),
        lambda x: x.reshape(24, order="F"),
        lambda x: x.ravel(),
        lambda x: x.flatten(),
        lambda x: x.transpose(),
        lambda x: x.transpose(2, 0, 1),
        lambda x: x.transpose((2, 0, 1)),
        lambda x: x.swapaxes(0, 2),
        lambda x: x[:1].squeeze(),
        lambda x: x[:1].squeeze(axis=0),
        lambda x: x.clip(3, 7),
        lambda x: x.clip(max=7),
        lambda x: x.astype(np.float32),
        lambda x: x[0, ..., ::2],
        lambda x: x[x > 5],
        lambda x: x[[]],
        lambda x: x[0].dot(np.ones((4, 2))),
    ],
)
def test_a_method_does_what_the_arrays_method_does(f):
    out = f(tg.Tensor(CUBE))
    assert isinstance(out, tg.Tensor)
    np.testing.assert_array_equal(out.data, f(CUBE), strict=True)


@pytest.mark.parametrize(
    "f", [lambda x: x * 2, lambda x: 0.5 - x, lambda x: x**2, lambda x: np.clip(x, 0, 1), relu,
          lambda x: np.where(x > 0, x, 0.0), lambda x: np.maximum(x, 1.0), lambda x: x / 3]
)  # fmt: skip
def test_python_numbers_do_not_promote_float32(f):
    x = tg.Tensor(np.array([0.5, 2.0], np.float32))
    out = f(x)
    assert out.dtype == np.float32
    np.sum(out).backward()
    assert x.grad.dtype == np.float32


def test_tensors_by_keyword():
    x = tg.Tensor(A)
    assert tg.grad(np.sum(a=x), x).tolist() == [[1, 1], [1, 1]]
    assert tg.grad(np.sum(np.clip(a=x, a_min=2.0, a_max=None)), x).tolist() == [[0, 1], [1, 1]]


def test_masks_that_are_tensors_select_and_index():
    x = tg.Tensor([1.0, -2.0, 3.0])
    places = tg.Tensor([2, 2], requires_grad=False)
    assert tg.grad(np.sum(x[x > 0] ** 2), x).tolist() == [2, 0, 6]
    assert tg.grad(np.sum(x[places]), x).tolist() == [0, 0, 2]


def test_asking_numpy_for_a_shape():
    x = tg.Tensor(CUBE)
    assert (np.shape(x), np.ndim(x), np.size(x), np.size(x, 1)) == ((2, 3, 4), 3, 24, 3)


def test_lists_are_arrays_to_a_ufunc():
    x = tg.Tensor([1.0, 2.0])
    assert tg.grad(np.sum(x * [3, 4]), x).tolist() == [3, 4]


# ---- traps made loud -------------------------------------------------------------------------
@pytest.mark.parametrize("shape", [(2,), (0,), (1, 2)])
def test_the_truth_of_an_array_is_refused(shape):
    x = tg.Tensor(np.ones(shape))
    message = f"truth of a Tensor of shape {shape} is ambiguous; use np.where"
    with pytest.raises(ValueError, match=re.escape(message)):
        bool(x > 0)


def test_the_truth_of_one_number_is_its_own():
    assert tg.Tensor(2.0) > 1
    assert not tg.Tensor([[2.0]]) > 3


@pytest.mark.parametrize(
    "leak",
    [
        np.asarray,
        np.array,
        lambda t: np.array([t, t]),
        lambda t: np.ones(2).dot(t),
        lambda t: np.sum([t, t]),
        lambda t: np.add(np.ones(2), [t, t]),
        lambda t: tg.Tensor([t, t]),
        lambda t: np.linalg.norm([t, t]),
    ],
)
def test_turning_a_tensor_into_an_array_is_refused(leak):
    with pytest.raises(HistoryError, match=r"silently drop its history; .* use x\.data"):
        leak(tg.Tensor([1.0, 2.0]))


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (lambda t, out: np.add(t, 1, out=out), "np.add"),
        (lambda t, out: np.add(t, 1, out), "np.add"),
        (lambda t, out: np.sum(t, axis=0, out=out), "np.sum"),
        (lambda t, out: operator.iadd(out, t), "np.add"),
        (lambda t, out: np.add(out, out, out=t), "np.add"),
    ],
)
def test_writing_into_an_array_is_refused(write, name):
    with pytest.raises(HistoryError, match=rf"{name}: out= would overwrite data .* y = {name}\("):
        write(tg.Tensor([1.0, 2.0]), np.zeros(2))


def test_no_output_array_is_no_output_array():
    assert np.sum(tg.Tensor([1.0, 2.0]), out=None).item() == 3


def test_integers_are_no_variables():
    with pytest.raises(HistoryError, match=r"W1 holds int64, which has no derivative; use floats"):
        tg.Tensor([1, 2], name="W1")
    labels = tg.Tensor([1, 2], requires_grad=False, name="Y")
    with pytest.raises(HistoryError, match="Y holds int64"):
        tg.grad(np.sum(tg.Tensor([1.0, 2.0]) * labels), labels)
    with pytest.raises(HistoryError, match="argument 0 holds int64"):
        tg.func.grad(np.sum)(np.array([1, 2]))
    with pytest.raises(HistoryError, match="argument 0 holds int64"):
        tg.func.grad(np.sum)(labels)


def test_a_constant_has_no_gradient_to_ask_for():
    X = tg.Tensor([1.0], requires_grad=False, name="X")
    with pytest.raises(HistoryError, match="X has requires_grad=False"):
        tg.grad(tg.Tensor(1.0) * X, X)


def test_what_is_no_array_of_numbers_is_refused():
    with pytest.raises(HistoryError, match=r"got a Tensor; take x\.data, or x\.detach"):
        tg.Tensor(tg.Tensor(1.0))
    with pytest.raises(HistoryError, match="objects, which are no array of numbers"):
        tg.Tensor(None)


def test_backward_from_an_array_needs_a_cotangent():
    y = tg.Tensor(np.ones((2, 3))) * 2
    with pytest.raises(DimensionError, match=r"shape \(2, 3\): only a scalar .* give gradient="):
        y.backward()
    y.backward(gradient=np.ones((2, 3)))
    (tg.Tensor([[1.0]]) * 2).backward()  # one number is scalar enough


def test_backward_without_history_is_refused():
    with tg.no_grad():
        J = tg.Tensor(1.0) * 2
    J.name = "J"
    with pytest.raises(HistoryError, match=r"backward\(\) from J: .* outside no_grad\(\)"):
        J.backward()
    with pytest.raises(HistoryError, match=r"grad\(\) of J: it has no history"):
        tg.grad(J, tg.Tensor(1.0))


def test_grad_is_of_tensors_by_tensors():
    x = tg.Tensor(1.0)
    with pytest.raises(HistoryError, match=r"grad\(\) needs a Tensor to differentiate, got float"):
        tg.grad(1.0, x)
    with pytest.raises(HistoryError, match=r"grad\(\) differentiates by Tensors, got ndarray"):
        tg.grad(x * x, [x.data])


def test_entries_cannot_be_assigned():
    x = tg.Tensor([1.0, 2.0])
    with pytest.raises(HistoryError, match=r"cannot be assigned: .* tg\.at\(x\)\[index\]\.set"):
        x[0] = 3.0


def test_an_unknown_function_says_what_to_do():
    x = tg.Tensor([1.0, 2.0])
    with pytest.raises(
        MissingRuleError, match=r"no derivative rule for np\.gcd; register .* x\.data"
    ):
        np.gcd(x, x)
    with pytest.raises(MissingRuleError, match=r"no derivative rule for np\.unique"):
        np.unique(x)


def test_a_recorded_call_returns_one_array():
    pair = tg.primitive(lambda x: (x, x))
    tg.rule(pair, vjps=(lambda g, out, x: g,), jvps=(lambda t, out, x: t,))
    with pytest.raises(MissingRuleError, match=r"returned a tuple, .* x\.data"):
        pair(tg.Tensor([1.0, 2.0]))


@pytest.mark.parametrize("ufunc", [np.add, np.multiply])
@pytest.mark.parametrize("method", ["reduce", "accumulate", "outer"])
def test_methods_of_ufuncs_are_the_functions_they_stand_for(ufunc, method):
    data = np.array([[1.0, 2.0], [3.0, -4.0]])
    f = lambda x: getattr(ufunc, method)(x, *([x] if method == "outer" else []))
    np.testing.assert_array_equal(f(tg.Tensor(data)).data, f(data))
    assert tg.gradcheck(f, data)


def test_changing_entries_through_a_ufunc_is_refused():
    with pytest.raises(MissingRuleError, match=r"np\.add\.at; .*use tg\.at"):
        np.add.at(tg.Tensor([1.0, 2.0]), 0, 1.0)


def test_a_failing_call_names_its_arguments():
    W, A0 = tg.Tensor(np.ones((3, 5)), name="W2"), np.ones((4, 7))
    with pytest.raises(ValueError, match="matmul") as failure:
        W @ A0
    assert failure.value.__notes__ == ["in np.matmul(W2 (3, 5), an array (4, 7))"]
    with pytest.raises(ValueError, match="reshape") as failure:
        np.reshape(W * 1.0, (2, 2))
    assert failure.value.__notes__ == ["in np.reshape(a Tensor (3, 5), (2, 2))"]


# ---- as Python sees it -----------------------------------------------------------------------
def test_augmented_assignment_rebinds():
    x = tg.Tensor([1.0, 2.0])
    y = x
    y += 1
    y *= 2
    assert x.data.tolist() == [1, 2]
    assert tg.grad(np.sum(y), x).tolist() == [2, 2]


def test_tensors_hash_by_identity():
    x, y = tg.Tensor(1.0), tg.Tensor(1.0)
    assert len({x, y, x}) == 2
    assert {x: "x", y: "y"}[x] == "x"


def test_iteration_goes_over_the_first_axis():
    x = tg.Tensor([[1.0, 2.0], [3.0, 4.0]])
    first, second = x
    assert tg.grad(np.sum(first * second), x).tolist() == [[3, 4], [1, 2]]
    with pytest.raises(TypeError, match="len"):
        len(tg.Tensor(1.0))
    with pytest.raises(TypeError, match="len"):
        iter(tg.Tensor(1.0))


def test_conversion_to_numbers():
    J = tg.Tensor([[2.5]])
    assert (float(J), int(J), J.item()) == (2.5, 2, 2.5)
    assert [10, 20, 30][tg.Tensor(1, requires_grad=False)] == 20
    with pytest.raises(ValueError, match="size 1"):
        float(tg.Tensor([1.0, 2.0]))
    with pytest.raises(TypeError):
        range(tg.Tensor(1.0))


def test_formatting():
    J = tg.Tensor(2.5)
    assert f"{J:.3f}" == "2.500"
    assert f"{J}" == str(J) == "Tensor(2.5)"


def test_representation():
    x = tg.Tensor(np.ones(2, np.float32), name="x")
    assert repr(x) == "Tensor([1., 1.], dtype=float32, name='x')"
    assert repr(tg.Tensor([1.0]) * 2) == "Tensor([2.], from np.multiply)"
    assert repr(relu(tg.Tensor(1.0))) == "Tensor(1., from relu)"


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_leaves_can_be_copied_and_pickled(again):
    W = tg.Tensor(np.ones((2, 3), np.float32), name="W1")
    same = again(W)
    assert (same.name, same.dtype, same.requires_grad) == ("W1", np.float32, True)
    np.testing.assert_array_equal(same.data, W.data)
    assert not np.shares_memory(same.data, W.data)
    labels = again(tg.Tensor([1, 2], requires_grad=False))
    assert not labels.requires_grad


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickle.dumps])
def test_results_refuse_to_be_copied(again):
    y = tg.Tensor(1.0) * 2
    with pytest.raises(HistoryError, match=r"it is a result of np.multiply .* use x.detach\(\)"):
        again(y)
    assert again(y.detach()) is not None


def test_deepcopy_keeps_what_is_shared_shared():
    W = tg.Tensor(1.0)
    first, second = copy.deepcopy([W, W])
    assert first is second


# ---- helpers for the other modules -----------------------------------------------------------
def test_as_tensor_keeps_tensors_and_wraps_arrays():
    x = tg.Tensor(1.0)
    assert as_tensor(x) is x
    assert not as_tensor(np.ones(2)).requires_grad
    assert handle(x.node).node is x.node


def test_the_seed_has_the_dtype_of_the_end():
    y = tg.Tensor(np.ones(2, np.float32)) * 2
    assert seed(y.node, [1, 2]).dtype == np.float32
    assert seed(np.sum(y).node) == 1


def test_the_gradient_of_a_number_by_itself_is_ones_own():
    for _ in range(2):  # the seed is the same array every time
        x = tg.Tensor(1.0)
        x.backward()
        assert x.grad == 1
        x.grad += 1


def test_owned_copies_only_what_is_shared():
    x = tg.Tensor(1.0)
    own, g = np.ones(3), np.ones(3)
    assert owned({x.node: own}, g)[x.node] is own
    assert owned({x.node: g}, g)[x.node] is not g
    assert isinstance(owned({x.node: np.float64(1)}, g)[x.node], np.ndarray)


def test_require_float_names_who():
    require_float(np.dtype(np.float16), "W1")
    with pytest.raises(HistoryError, match="W1 holds bool"):
        require_float(np.dtype(bool), "W1")
