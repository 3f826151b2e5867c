"""Derivatives of functions of containers, by several arguments, with something on the side."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_func import slope
from tinygrad_dnn.errors import DimensionError, HistoryError, MissingRuleError, StructureError
from tinygrad_dnn.func import (
    custom_vjp,
    ggnvp,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    per_example_grad,
    stop_gradient,
    value_and_grad,
    vjp,
)
from tinygrad_dnn.nn.losses import mean_squared_error
from tinygrad_dnn.rules.network import sigmoid

rng = np.random.default_rng(0)
PARAMS = {
    "W1": rng.normal(size=(4, 3)),
    "b1": rng.normal(size=(4, 1)),
    "rest": [(rng.normal(size=(1, 4)), rng.normal(size=(1, 1)))],
}
X, Y = rng.normal(size=(3, 6)), rng.uniform(size=(1, 6))


def model(params, X):
    W2, b2 = params["rest"][0]
    return sigmoid(W2 @ np.tanh(params["W1"] @ X + params["b1"]) + b2)


def cost(params, X, Y):
    return mean_squared_error(model(params, X), Y)


def leaves(params):
    return [params["W1"], params["b1"], *params["rest"][0]]


def built(values):
    W1, b1, W2, b2 = values
    return {"W1": W1, "b1": b1, "rest": [(W2, b2)]}


def direction():
    return built([rng.normal(size=p.shape) for p in leaves(PARAMS)])


def along(f, v, h=1e-3):
    """The slope of f at PARAMS along v, by central differences."""
    at = lambda t: f(built([p + t * d for p, d in zip(leaves(PARAMS), leaves(v), strict=True)]))
    return slope(at, 0.0, 1.0, h)


def inner(a, b):
    return sum(np.sum(x * y) for x, y in zip(leaves(a), leaves(b), strict=True))


# ---- containers ------------------------------------------------------------------------------
def test_a_gradient_has_the_structure_of_its_argument():
    value, gradient = value_and_grad(cost)(PARAMS, X, Y)
    assert value == cost(PARAMS, X, Y)
    assert (type(gradient["rest"]), type(gradient["rest"][0])) == (list, tuple)
    for p, dp in zip(leaves(PARAMS), leaves(gradient), strict=True):
        assert (type(dp), dp.shape) == (np.ndarray, p.shape)
    for _ in range(3):
        v = direction()
        expected = along(lambda p: cost(p, X, Y), v)
        np.testing.assert_allclose(inner(gradient, v), expected, rtol=1e-9)
        _, tangent = jvp(cost, (PARAMS, X, Y), (v,), argnums=(0,))
        np.testing.assert_allclose(tangent, expected, rtol=1e-9)


def test_products_with_second_derivatives_keep_the_structure():
    u, v = direction(), direction()
    expected = along(lambda p: inner(grad(cost)(p, X, Y), u), v)
    found = hvp(cost, (PARAMS, X, Y), v)
    np.testing.assert_allclose(inner(found, u), expected, rtol=1e-8)
    np.testing.assert_allclose(inner(hvp(cost, (PARAMS, X, Y), u), v), expected, rtol=1e-8)


def test_a_result_may_be_a_container_too():
    def f(x):
        return {"square": x * x, "rest": [np.sum(x), (x, None)], "constant": np.ones(2)}

    x = np.array([1.0, 2.0])
    out, back = vjp(f, x)
    assert out["square"].tolist() == [1, 4]
    assert out["rest"][1][1] is None
    g = {"square": [1, 1], "rest": [10.0, ([5, 0], None)], "constant": [7, 7]}
    assert back(g)[0].tolist() == [2 + 10 + 5, 4 + 10]
    _, t = jvp(f, [x], [np.array([1.0, 0.0])])
    assert (t["square"].tolist(), t["rest"][0], t["constant"].tolist()) == ([2, 0], 1, [0, 0])
    assert t["rest"][1][0].tolist() == [1, 0]


def test_the_same_result_twice_adds_its_cotangents():
    _, back = vjp(lambda x: (x * 2, x, x), np.array(3.0))
    assert back((1.0, 10.0, 100.0)) == (112,)
    y = lambda x: [z := x * x, z]
    assert vjp(y, np.array(3.0))[1]([1.0, 1.0]) == (12,)


def test_jacobians_of_containers_by_rows_and_by_columns():
    a, b = rng.normal(size=2), rng.normal(size=(2, 2))

    def wide(p):  # more inputs than outputs
        return {"s": np.sum(p["a"]) * p["b"][0, 0]}

    def tall(p):  # more outputs than inputs
        return {"o": np.tensordot(p["a"], p["b"], 0) * 2, "a": p["a"], "s": np.sum(p["b"] ** 2)}

    for f in (wide, tall):
        J = jacobian(f)({"a": a, "b": b})
        out = f({"a": a, "b": b})
        for name in out:
            for key, v in (("a", rng.normal(size=2)), ("b", rng.normal(size=(2, 2)))):
                assert J[name][key].shape == np.shape(out[name]) + v.shape
                at = lambda t, key=key, v=v, f=f, name=name: f(
                    {"a": a, "b": b} | {key: {"a": a, "b": b}[key] + t * v}
                )[name]
                found = np.tensordot(J[name][key], v, v.ndim)
                np.testing.assert_allclose(found, slope(at, 0.0, 1.0), rtol=1e-9, atol=1e-9)


def test_a_hessian_by_two_arguments_has_four_blocks():
    a, b = rng.normal(size=2), rng.normal(size=(3, 2))
    f = lambda a, b: np.sum(np.sin(b @ a) ** 2)
    (aa, ab), (ba, bb) = hessian(f, (0, 1))(a, b)
    assert (aa.shape, ab.shape, ba.shape, bb.shape) == ((2, 2), (2, 3, 2), (3, 2, 2), (3, 2, 3, 2))
    np.testing.assert_allclose(ab, np.moveaxis(ba, -1, 0), rtol=1e-12)
    v = rng.normal(size=b.shape)
    expected = slope(lambda t: grad(f)(a, b + t * v), 0.0, 1.0)
    np.testing.assert_allclose(np.tensordot(ab, v, 2), expected, rtol=1e-8)


def test_tensors_in_containers_make_tensors_in_containers():
    params = {"w": tg.Tensor(2.0), "b": 1.0}
    gradient = grad(lambda p: p["w"] ** 3 * p["b"])(params)
    assert isinstance(gradient["w"], tg.Tensor)
    assert tg.grad(gradient["w"], params["w"]) == 12


def test_another_structure_is_an_error():
    with pytest.raises(StructureError, match=r"tangents\[0\] must be a dict of 'w', got a list"):
        jvp(lambda p: p["w"] * 2, ({"w": 1.0},), ([1.0],))
    _, back = vjp(lambda x: {"y": x * 2}, np.array(1.0))
    with pytest.raises(StructureError, match="the cotangent must be a dict of 'y', got float"):
        back(1.0)
    with pytest.raises(HistoryError, match=r"argument 1\['n'\] holds int64, which has no deriv"):
        grad(lambda x, p: x * p["n"], 1)(1.0, {"n": 3})
    with pytest.raises(HistoryError, match="must return one Tensor or several, got None"):
        vjp(lambda x: None, np.array(1.0))


# ---- by which arguments ----------------------------------------------------------------------
def test_argnums_of_every_transformation():
    f = lambda a, b, c: a * b**2 * np.sum(c)
    args = np.array(2.0), np.array(3.0), np.array([1.0, 4.0])  # 2 * 9 * 5
    out, back = vjp(f, *args, argnums=1)
    assert (out, back(1.0)) == (90, 60)
    assert vjp(f, *args, argnums=(1, 0))[1](1.0) == (60, 45)
    assert jvp(f, args, 1.0, argnums=1)[1] == 60
    assert jvp(f, args, (1.0, 1.0), argnums=(0, 1))[1] == 105
    assert jvp(f, args, args)[1] == 4 * 90  # homogeneous of degree 4
    assert hvp(f, args, 1.0, 1) == 20
    assert hvp(f, args, [1.0, 1.0], -1).tolist() == [0, 0]
    assert ggnvp(f, np.square, args, 1.0, 1) == 2 * 60 * 60
    assert hessian(f, 1)(*args) == 20
    by_b, by_c = jacobian(f, (1, 2))(*args)
    assert (by_b, by_c.tolist()) == (60, [18, 18])


def test_an_error_names_the_argument_by_its_own_place():
    with pytest.raises(HistoryError, match="argument 2 holds int64"):
        grad(lambda a, b, c: a, 2)(1.0, 2.0, 3)
    with pytest.raises(ValueError, match="argnums=3, but the function was given 2 arguments"):
        vjp(np.add, 1.0, 2.0, argnums=3)


# ---- something on the side -------------------------------------------------------------------
def test_has_aux_hands_something_through():
    def f(x):
        y = np.sin(x)
        return np.sum(y), {"y": y, "steps": 3}

    x = np.array([1.0, 2.0])
    (value, aux), gradient = value_and_grad(f, has_aux=True)(x)
    assert (value, aux["steps"]) == (np.sum(np.sin(x)), 3)
    assert type(aux["y"]) is np.ndarray
    np.testing.assert_array_equal(gradient, np.cos(x))
    again, aux = grad(f, has_aux=True)(x)
    np.testing.assert_array_equal(again, gradient)
    assert aux["y"].tolist() == np.sin(x).tolist()
    with pytest.raises(HistoryError, match=r"with has_aux=True must return a pair .* got Tensor"):
        grad(np.sin, has_aux=True)(x)


# ---- Gauss-Newton ----------------------------------------------------------------------------
def test_the_gauss_newton_matrix_is_jacobian_times_hessian_times_jacobian():
    W, v = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    f = lambda W, X: np.tanh(W @ X)
    outer = lambda Z: np.sum(np.exp(Z) * Z)
    J = jacobian(f)(W, X).reshape(12, 6)
    H = hessian(outer)(f(W, X)).reshape(12, 12)
    found = ggnvp(f, outer, (W, X), v)
    np.testing.assert_allclose(found.ravel(), J.T @ H @ J @ v.ravel(), rtol=1e-11)


def test_gauss_newton_of_a_linear_function_is_the_hessian():
    W, v = rng.normal(size=(1, 3)), rng.normal(size=(1, 3))
    loss = lambda Z: mean_squared_error(sigmoid(Z), Y)
    f = lambda W, X: W @ X
    found = ggnvp(f, loss, (W, X), v)
    np.testing.assert_allclose(found, hvp(lambda W: loss(f(W, X)), W, v), rtol=1e-11)


def test_gauss_newton_of_parameters_in_a_container():
    v = direction()
    found = ggnvp(model, lambda A: mean_squared_error(A, Y), (PARAMS, X), v)
    assert inner(found, v) > 0
    _, Jv = jvp(model, (PARAMS, X), v, argnums=0)
    np.testing.assert_allclose(inner(found, v), np.sum(Jv**2) * 2 / 6, rtol=1e-11)


# ---- example by example ----------------------------------------------------------------------
def test_gradients_of_the_examples_apart():
    found = per_example_grad(cost)(PARAMS, X, Y)
    for j in range(6):
        one = [p + 0.0 for p in leaves(PARAMS)]
        v = direction()
        expected = along(lambda p, j=j: cost(p, X[:, j : j + 1], Y[:, j : j + 1]), v)
        gradient = built([dp[j] for dp in leaves(found)])
        np.testing.assert_allclose(inner(gradient, v), expected, rtol=1e-8)
        assert len(one) == 4
    mean = built([dp.mean(axis=0) for dp in leaves(found)])
    whole = grad(cost)(PARAMS, X, Y)
    for a, b in zip(leaves(mean), leaves(whole), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_examples_along_another_axis_and_in_chosen_arguments():
    f = lambda w, x, y, c: np.sum((x @ w - y) ** 2) * c
    w, x, y = rng.normal(size=2), rng.normal(size=(5, 2)), rng.normal(size=5)
    found = per_example_grad(f, examples=(1, 2), axis=0)(w, x, y, 3.0)
    np.testing.assert_allclose(found, 6 * (x @ w - y)[:, None] * x, rtol=1e-12)
    by_c, by_w = per_example_grad(f, (3, 0), examples=(1, 2), axis=0)(w, x, y, 3.0)
    np.testing.assert_array_equal(by_w, found)
    np.testing.assert_allclose(by_c, (x @ w - y) ** 2, rtol=1e-12)
    labels = np.array([0, 1, 1])
    picked = per_example_grad(lambda w, i: np.sum(w[i]), axis=0)(w, labels)
    assert picked.tolist() == [[1, 0], [0, 1], [0, 1]]


def test_no_examples_have_no_gradients():
    assert per_example_grad(lambda w, x: np.sum(w * x))(np.ones((2, 3)), X[:, :0]).shape == (
        0,
        2,
        3,
    )


def test_examples_must_be_found():
    f = per_example_grad(lambda w, x, y: np.sum(w * x) + np.sum(y))
    with pytest.raises(
        DimensionError, match=r"argument 2 of shape \(\) has no axis -1 .*examples="
    ):
        f(1.0, np.ones(3), 2.0)
    with pytest.raises(DimensionError, match=r"got {'argument 1': 3, 'argument 2': 2}"):
        f(1.0, np.ones(3), np.ones(2))


# ---- rules of one's own ----------------------------------------------------------------------
def test_a_rule_for_a_whole_function():
    calls = []

    @custom_vjp(lambda g, out, x, y: (g * y * 10, None))
    def product(x, y):
        calls.append(type(x))
        return np.asarray(x * y)

    x, y = tg.Tensor(2.0), tg.Tensor(3.0)
    out = product(x, y)
    assert (out.item(), calls) == (6, [np.ndarray])
    assert tg.grad(out, [x, y]) == [30, 0]
    (dx,) = tg.grad(product(x, y), [x], create_graph=True)
    assert tg.grad(dx, y) == 10
    assert product(2.0, 3.0) == 6
    with pytest.raises(
        MissingRuleError, match=r"product: its derivative .* argument 0 is not known"
    ):
        jvp(product, (2.0, 3.0), (1.0, 1.0))
    assert jacobian(product)(np.array([1.0]), 3.0).tolist() == [
        [30]
    ]  # falls back on the other mode


def test_a_rule_must_answer_for_every_argument():
    @custom_vjp(lambda g, out, x, y: (g,))
    def added(x, y):
        return x + y

    message = "the derivative of added must be a tuple of 2, one cotangent per argument, got 1"
    with pytest.raises(DimensionError, match=message):
        added(tg.Tensor(1.0), 2.0).backward()


def test_stop_gradient_in_every_mode():
    f = lambda x: x * stop_gradient(x * x)
    x = np.array(3.0)
    assert grad(f)(x) == 9
    assert jvp(f, (x,), (1.0,))[1] == 9
    assert grad(grad(f))(x) == 0
    kept = stop_gradient({"a": tg.Tensor(1.0), "b": [x]})
    assert not kept["a"].requires_grad
    assert kept["b"][0] is x


def test_complex_jacobians_are_refused():
    with pytest.raises(HistoryError, match="a Jacobian of complex128 has no one meaning"):
        jacobian(lambda z: z * 2)(np.array([1j]))
