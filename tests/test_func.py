"""Derivatives of functions: nested, mixed, through closures, against differences."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn.errors import DimensionError, HistoryError
from tinygrad_dnn.func import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from tinygrad_dnn.rules.network import relu, sigmoid

rng = np.random.default_rng(0)


def slope(f, x, v, h=1e-3):
    """Central differences along v, extrapolated: error of order h**6."""
    coarse, fine, finest = ((f(x + k * v) - f(x - k * v)) / (2 * k) for k in (h, h / 2, h / 4))
    a, b = (4 * fine - coarse) / 3, (4 * finest - fine) / 3
    return (16 * b - a) / 15


def wavy(x):
    return np.sum(np.tanh(x) ** 3 * np.exp(x))


# ---- nesting: each form of closure, with the answer worked out by hand ------------------------
def inner_sees_outer_through_the_closure(x):  # d/dy (x y^2) at y = 3 is 6x: the outer d/dx is 6
    return grad(lambda y: x * y * y)(np.array(3.0))


def inner_ignores_its_argument(x):  # the classic confusion: d/dy (x + y) is 1, not 2
    return x * grad(lambda y: x + y)(np.array(1.0))


def inner_at_the_outer_variable(x):  # x d/dy(y^2) at y = x is 2x^2: 4x, at 2 it is 8
    return x * grad(lambda y: y * y)(x)


def inner_at_and_through_the_outer_variable(x):  # d/dy(x y^2) at y = x is 2x^2: 8 again
    return grad(lambda y: x * y * y)(x)


def forward_inside(x):  # the directional derivative of x y^2 at y = 3 along 1: 6x
    return jvp(lambda y: x * y * y, [np.array(3.0)], [np.array(1.0)])[1]


def tangent_is_the_outer_variable(x):  # d(y^2) along x at y = 3: 6x
    return jvp(lambda y: y * y, [np.array(3.0)], [x])[1]


def cotangent_is_the_outer_variable(x):  # 2y x at y = 3
    return vjp(lambda y: y * y, np.array(3.0))[1](x)[0]


def inner_value_only(x):  # the value of an inner trace still depends on x: d/dx 9x
    return value_and_grad(lambda y: x * y * y)(np.array(3.0))[0]


def with_tensors_inside(x):  # a Tensor of one's own changes nothing: d/dx 5 x^2
    return tg.Tensor(5.0) * x * x


@pytest.mark.parametrize(
    ("f", "answer"),
    [
        (inner_sees_outer_through_the_closure, 6),
        (inner_ignores_its_argument, 1),
        (inner_at_the_outer_variable, 8),
        (inner_at_and_through_the_outer_variable, 8),
        (forward_inside, 6),
        (tangent_is_the_outer_variable, 6),
        (cotangent_is_the_outer_variable, 6),
        (inner_value_only, 9),
    ],
)
@pytest.mark.parametrize("by", [grad, lambda f: lambda x: jvp(f, [x], [np.array(1.0)])[1]])
def test_nested_derivatives_do_not_confuse_their_variables(f, answer, by):
    result = by(f)(np.array(2.0))
    assert isinstance(result, np.ndarray)
    assert result == answer


def test_a_live_tensor_inside_makes_the_derivative_a_tensor():
    assert with_tensors_inside(np.array(2.0)).item() == 20
    result = grad(with_tensors_inside)(np.array(2.0))
    assert isinstance(result, tg.Tensor)
    assert result.item() == 20


def test_a_gradient_penalty_reaches_the_parameters():
    w, x = tg.Tensor(3.0), np.array(2.0)
    penalty = grad(lambda x: w * x * x)(x) ** 2  # (2wx)^2, so d/dw is 8 w x^2
    penalty.backward()
    assert w.grad == 8 * 3 * 2**2


def test_a_gradient_penalty_of_a_network_against_differences():
    W1, W2, x = rng.normal(size=(4, 3)), rng.normal(size=(1, 4)), rng.normal(size=(3, 1))

    def penalty(W1, W2):
        dx = grad(lambda x: np.sum(sigmoid(W2 @ np.tanh(W1 @ x))))(x)
        return np.sum(dx * dx)

    T1, T2 = tg.Tensor(W1), tg.Tensor(W2)
    penalty(T1, T2).backward()
    v = rng.normal(size=W1.shape)
    expected = slope(lambda W: penalty(W, W2), W1, v)
    np.testing.assert_allclose(np.sum(T1.grad * v), expected, rtol=1e-9)
    v = rng.normal(size=W2.shape)
    expected = slope(lambda W: penalty(W1, W), W2, v)
    np.testing.assert_allclose(np.sum(T2.grad * v), expected, rtol=1e-9)


@pytest.mark.parametrize("order", range(1, 6))
def test_derivatives_of_sine(order):
    backwards, forwards, mixed = np.sin, np.sin, np.sin
    ahead = lambda f: lambda x: jvp(f, [x], [np.array(1.0)])[1]
    for i in range(order):
        backwards, forwards = grad(backwards), ahead(forwards)
        mixed = grad(mixed) if i % 2 else ahead(mixed)
    for f in (backwards, forwards, mixed):
        expected = np.sin(0.3 + order * np.pi / 2)
        np.testing.assert_allclose(f(np.array(0.3)), expected, rtol=1e-12)


# ---- Jacobians and Hessians ------------------------------------------------------------------
@pytest.mark.parametrize(
    "shapes", [((2,), (3,)), ((3,), (2,)), ((2, 2), (5,)), ((), (3,))], ids=str
)
def test_a_jacobian_by_rows_or_by_columns(shapes):
    n_in, n_out = shapes
    x = rng.normal(size=n_in)
    M = rng.normal(size=(int(np.prod(n_out)), int(np.prod(n_in))))
    f = lambda x: np.reshape(np.sin(M @ np.ravel(x)), n_out)
    J = jacobian(f)(x)
    assert J.shape == (*n_out, *n_in)
    v = rng.normal(size=n_in)
    found = (J * v).reshape(*n_out, -1).sum(axis=-1)
    np.testing.assert_allclose(found, slope(f, x, v), rtol=1e-9)


def test_a_jacobian_of_nothing():
    assert jacobian(lambda x: x * 2)(np.ones(0)).shape == (0, 0)
    assert jacobian(lambda x: np.ones(2) * 3)(np.ones(3)).tolist() == [[0] * 3] * 2


def test_a_jacobian_by_another_argument():
    J = jacobian(lambda a, x: a * x, argnums=1)(np.array([2.0, 3.0]), np.ones(2))
    assert J.tolist() == [[2, 0], [0, 3]]


def test_a_hessian_is_symmetric_and_agrees_with_differences():
    x, v = rng.normal(size=(2, 4))
    H = hessian(wavy)(x)
    np.testing.assert_allclose(H, H.T, rtol=1e-12)
    np.testing.assert_allclose(H @ v, slope(grad(wavy), x, v), rtol=1e-8)
    np.testing.assert_allclose(hvp(wavy, x, v), H @ v, rtol=1e-12)


def test_a_hessian_of_a_matrix_argument():
    x = rng.normal(size=(2, 3))
    assert hessian(wavy)(x).shape == (2, 3, 2, 3)
    assert hessian(lambda x: np.sum(x * 3))(x).tolist() == np.zeros((2, 3, 2, 3)).tolist()


def test_a_hessian_through_parameters():
    w = tg.Tensor(2.0)
    H = hessian(lambda x: w * np.sum(x**3))(np.array([1.0, 2.0]))
    np.sum(H).backward()
    np.testing.assert_allclose(w.grad, 6 + 12)


# ---- arguments and results -------------------------------------------------------------------
def test_gradients_by_several_arguments():
    f = lambda a, b, c: np.sum(a * b) + c
    args = np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array(5.0)
    value, (dc, da) = value_and_grad(f, argnums=(2, 0))(*args)
    assert (value, dc, da.tolist()) == (16, 1, [3, 4])
    assert grad(f, argnums=-1)(*args) == grad(f, argnums=np.int64(2))(*args) == 1


def test_arrays_in_arrays_out():
    value, gradient = value_and_grad(lambda x: np.sum(x**2))(np.ones(2))
    assert type(value) is np.ndarray
    assert type(gradient) is np.ndarray
    assert grad(lambda x: x * x)(3.0) == 6


def test_tensors_in_tensors_out():
    x = tg.Tensor([1.0, 2.0])
    gradient = grad(lambda x: np.sum(x**3))(x)
    assert isinstance(gradient, tg.Tensor)
    assert tg.grad(np.sum(gradient), x).tolist() == [6, 12]
    constant = tg.Tensor([1.0, 2.0], requires_grad=False)
    assert isinstance(grad(lambda x: np.sum(x**3))(constant), np.ndarray)


def test_inputs_are_tensors_only_inside():
    x = tg.Tensor([1.0, 2.0])
    grad(lambda x: np.sum(x**2))(x)
    assert x.grad is None
    assert x.node.fn is None


def test_a_function_that_ignores_its_input_has_derivative_zero():
    x = np.ones(3)
    assert grad(lambda x: np.array(1.0))(x).tolist() == [0, 0, 0]
    assert jvp(lambda x: np.ones(2), [x], [x])[1].tolist() == [0, 0]
    assert grad(lambda x: np.sum(np.sign(x)))(x).tolist() == [0, 0, 0]


def test_the_identity():
    x, v = np.ones(3), np.arange(3.0)
    assert jvp(lambda x: x, [x], [v])[1].tolist() == [0, 1, 2]
    assert vjp(lambda x: x, x)[1](v)[0].tolist() == [0, 1, 2]


def test_a_pullback_can_be_used_again_and_differentiated():
    _, back = vjp(lambda x: x + 1, np.ones(3))
    assert back([1, 2, 3])[0].tolist() == [1, 2, 3]
    assert back(np.ones(3))[0].tolist() == [1, 1, 1]
    assert grad(lambda g: np.sum(back(g)[0] ** 2))(np.ones(3)).tolist() == [2, 2, 2]


def test_inside_no_grad_a_derivative_is_still_taken():
    w = tg.Tensor(2.0)
    with tg.no_grad():
        result = grad(lambda x: w * x * x)(np.array(3.0))
        second = grad(grad(lambda x: w * x * x))(np.array(3.0))
        assert not (w * w).requires_grad
    assert type(result) is np.ndarray
    assert (result, second) == (12, 4)


def test_no_grad_inside_a_function_makes_a_constant():
    def f(x):
        with tg.no_grad():
            frozen = x * x
        return frozen * x

    assert grad(f)(np.array(3.0)) == 9


def test_float32_goes_through():
    x = np.ones(3, np.float32)
    assert grad(wavy)(x).dtype == np.float32
    assert jvp(wavy, [x], [np.ones(3)])[1].dtype == np.float32
    assert hessian(wavy)(x).dtype == np.float32


def test_what_a_function_must_return():
    def pair(x):
        return x, x

    with pytest.raises(HistoryError, match="pair must return one Tensor, got tuple"):
        grad(pair)(np.array(1.0))
    with pytest.raises(DimensionError, match="only a scalar has one gradient"):
        grad(relu)(np.ones(3))


def test_jvp_takes_the_only_argument_as_hvp_does():
    x, v = np.array([1.0, 2.0]), np.array([1.0, 3.0])
    assert jvp(np.square, x, v)[1].tolist() == [2, 12]
    assert jvp(lambda p: p["w"] ** 2, {"w": x}, {"w": v})[1].tolist() == [2, 12]
    assert jvp(np.square, x, v, argnums=0)[1].tolist() == [2, 12]
    with pytest.raises(DimensionError, match=r"tangent of shape \(3,\) for an input of \(2,\)"):
        jvp(np.square, x, np.ones(3))


def test_what_a_transformation_must_be_given():
    with pytest.raises(ValueError, match=r"argnums=\(0, -2\) names an argument twice"):
        grad(np.multiply, argnums=(0, -2))(1.0, 2.0)
    with pytest.raises(ValueError, match="argnums=1, but the function was given 1 arguments"):
        grad(np.sin, 1)(np.array(1.0))
    for wrong in ("0", True, 1.0, (0, "x")):
        for transform in (grad, jacobian, hessian, tg.func.per_example_grad):
            with pytest.raises(TypeError, match=r"argnums=.*; it needs the number of an argument"):
                transform(np.multiply, wrong)(np.ones(2), np.ones(2))
    with pytest.raises(DimensionError, match=r"a tangent of shape \(2,\) for an input of \(3,\)"):
        jvp(np.sum, [np.ones(3)], [np.ones(2)])
    with pytest.raises(DimensionError, match="1 tangents for 2 inputs"):
        jvp(np.add, [np.ones(3), np.ones(3)], [np.ones(3)])
    with pytest.raises(DimensionError, match=r"gradient= has shape \(\)"):
        vjp(np.sin, np.ones(3))[1](1.0)


def test_arguments_by_keyword_go_to_the_function_as_they_are():
    f = lambda x, *, power, scale=1.0: scale * np.sum(x**power)
    x, options = np.array([1.0, 2.0]), {"power": 3, "scale": 2.0}
    assert grad(f)(x, **options).tolist() == [6, 24]
    assert value_and_grad(f)(x, **options)[0] == 18
    assert jacobian(f)(x, **options).tolist() == [6, 24]
    assert np.diag(hessian(f)(x, **options)).tolist() == [12, 24]
    cost = lambda w, X, *, power: np.sum((w * X) ** power)
    each = tg.func.per_example_grad(cost)(np.array(2.0), np.array([1.0, 2.0]), power=2)
    assert each.tolist() == [4, 16]


def test_a_gradient_of_several_numbers_points_to_jacobian():
    with pytest.raises(DimensionError, match=r"wavy_pair returned shape \(2,\), .* use jacobian"):
        grad(wavy_pair)(np.ones(2))


def wavy_pair(x):
    return np.tanh(x)
