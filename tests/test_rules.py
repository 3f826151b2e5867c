"""Every rule against independent witnesses, through every property a rule must have."""

import dataclasses
import math
from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import tinygrad_dnn as tg
from tests.cases import CASES, CONSTANT_CALLS, PACKAGE_RULES, Case
from tinygrad_dnn.primitives import RULES, Each
from tinygrad_dnn.rules.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    cross_entropy_with_logits,
    mean_squared_error,
)
from tinygrad_dnn.rules.network import (
    leaky_relu,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    softmax,
)

every_case = pytest.mark.parametrize("case", CASES, ids=str)


# ---- witnesses -------------------------------------------------------------------------------
def inner(us, vs):
    return sum(float(np.sum(u * v)) for u, v in zip(us, vs, strict=True))


def moved(xs, ts, h):
    return [x + h * t for x, t in zip(xs, ts, strict=True)]


def complex_step(f, xs, ts):
    """The derivative of an analytic ``f`` along ``ts``: no difference is taken, nothing cancels."""
    return np.imag(f(*moved(xs, ts, 1e-30j))) / 1e-30


def differences(f, xs, ts, h=0.02):
    """The derivative of ``f`` along ``ts``: central differences, extrapolated to step zero."""
    steps = [(f(*moved(xs, ts, h / 2**k)) - f(*moved(xs, ts, -h / 2**k))) for k in range(5)]
    table = [d / (2 * h / 2**k) for k, d in enumerate(steps)]
    for level in range(1, len(table)):
        weight = 4**level
        table = [(weight * b - a) / (weight - 1) for a, b in pairwise(table)]
    return table[0]


def witness(case: Case):
    return complex_step if case.smooth else differences


def directions(xs, seed=0):
    """Tangents no longer than one in any entry: with the step above, they stay clear of kinks."""
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.uniform(-1, 1, size=x.shape)) for x in xs]


def close(a, b, rtol=1e-9, atol=1e-10):
    np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def check_jvp(case: Case, xs=None):
    xs = case.args if xs is None else xs
    ts = directions(xs)
    _, tangent = tg.func.jvp(case.call, xs, ts)
    close(tangent, witness(case)(case.call, xs, ts))


def check_vjp(case: Case, xs=None):
    xs = case.args if xs is None else xs
    ts = directions(xs)
    out, back = tg.func.vjp(case.call, *xs)
    (g,) = directions([out], seed=1)
    cotangents = back(g)
    assert [c.shape for c in cotangents] == [x.shape for x in xs]
    close(inner(cotangents, ts), inner([g], [witness(case)(case.call, xs, ts)]))


# ---- properties ------------------------------------------------------------------------------
def test_every_rule_has_a_case():
    tested = {case.rule for case in CASES} | set(CONSTANT_CALLS)
    assert set(PACKAGE_RULES) <= tested


@every_case
def test_recording_does_not_change_the_value(case):
    recorded = case.call(*map(tg.Tensor, case.args))
    plain = np.asarray(case.call(*case.args))
    assert recorded.dtype == plain.dtype
    if case.exact:
        np.testing.assert_array_equal(recorded.data, plain, strict=True)
    np.testing.assert_allclose(recorded.data, plain, rtol=1e-13, atol=1e-15, strict=True)
    assert recorded.requires_grad


@every_case
def test_jvp_agrees_with_the_witness(case):
    check_jvp(case)


@every_case
def test_vjp_agrees_with_the_witness(case):
    check_vjp(case)


@every_case
def test_vjp_is_the_transpose_of_jvp(case):
    ts = directions(case.args, seed=2)
    out, tangent = tg.func.jvp(case.call, case.args, ts)
    (g,) = directions([out], seed=3)
    _, back = tg.func.vjp(case.call, *case.args)
    close(inner(back(g), ts), inner([g], [tangent]), rtol=1e-12, atol=1e-13)


def slope(case, g, ts):
    """The derivative of <g, f> along ``ts``, as a function of the inputs."""

    def along(*xs):
        _, back = tg.func.vjp(case.call, *xs)
        return sum(np.sum(c * t) for c, t in zip(back(g), ts, strict=True))

    return along


@every_case
def test_second_order_through_nested_functions(case):
    ts, ss = directions(case.args, seed=4), directions(case.args, seed=5)
    (g,) = directions([case.call(*case.args)], seed=6)
    along = slope(case, g, ts)
    expected = differences(along, case.args, ss)

    all_inputs = tuple(range(len(case.args)))
    backwards_twice = tg.func.grad(along, all_inputs)(*case.args)
    close(inner(backwards_twice, ss), expected, rtol=1e-7, atol=1e-8)

    _, forwards_over_backwards = tg.func.jvp(along, case.args, ss)
    close(forwards_over_backwards, expected, rtol=1e-7, atol=1e-8)

    def tangent(*xs):
        return np.sum(g * tg.func.jvp(case.call, xs, ts)[1])

    _, forwards_twice = tg.func.jvp(tangent, case.args, ss)
    close(forwards_twice, expected, rtol=1e-7, atol=1e-8)


@every_case
def test_second_order_through_create_graph(case):
    ts, ss = directions(case.args, seed=4), directions(case.args, seed=5)
    (g,) = directions([case.call(*case.args)], seed=6)
    expected = differences(slope(case, g, ts), case.args, ss)

    xs = [tg.Tensor(x) for x in case.args]
    first = tg.grad(case.call(*xs), xs, gradient=g, create_graph=True)
    assert all(isinstance(c, tg.Tensor) for c in first)
    along = sum(np.sum(c * t) for c, t in zip(first, ts, strict=True))
    second = tg.grad(along, xs) if along.node.fn else [np.zeros(x.shape) for x in xs]
    close(inner(second, ss), expected, rtol=1e-7, atol=1e-8)


@every_case
def test_float32_stays_float32(case):
    xs = [x.astype(np.float32) for x in case.args]
    tensors = [tg.Tensor(x) for x in xs]
    out = case.call(*tensors)
    if case.keeps_float32:
        assert out.dtype == np.float32
    g = np.ones(out.shape)
    gradients = tg.grad(out, tensors, gradient=g)
    assert [c.dtype for c in gradients] == [np.float32] * len(xs)
    _, tangent = tg.func.jvp(case.call, xs, xs)
    assert tangent.dtype == out.dtype
    _, back = tg.func.vjp(case.call, *case.args)
    for c, exact in zip(gradients, back(g), strict=True):
        np.testing.assert_allclose(c, exact, rtol=1e-3, atol=1e-5)


@every_case
def test_inputs_and_cotangent_are_not_mutated(case):
    xs = [x.copy() for x in case.args]
    out, back = tg.func.vjp(case.call, *xs)
    (g,) = directions([out], seed=7)
    before = g.copy()
    for array in (*xs, g):
        array.flags.writeable = False
    back(g)
    tg.func.jvp(case.call, xs, xs)
    np.testing.assert_array_equal(g, before)
    for x, original in zip(xs, case.args, strict=True):
        np.testing.assert_array_equal(x, original)


def strided(x):
    """The same entries, scattered in memory."""
    wide = np.zeros((*x.shape, 2))
    wide[..., 0] = x
    return wide[..., 0]


def by_columns(x):
    return np.array(x, order="F")


@every_case
@pytest.mark.parametrize("layout", [strided, by_columns])
def test_the_layout_in_memory_does_not_matter(case, layout):
    out, back = tg.func.vjp(case.call, *case.args)
    (g,) = directions([out], seed=8)
    _, back_from_layout = tg.func.vjp(case.call, *map(layout, case.args))
    for a, b in zip(back(g), back_from_layout(layout(g)), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-13, atol=1e-14)


SAME_SHAPES = [c for c in CASES if len(c.args) > 1 and len({x.shape for x in c.args}) == 1]


@pytest.mark.parametrize("case", SAME_SHAPES, ids=str)
def test_an_argument_given_twice_receives_both_derivatives(case):
    x = case.args[0]
    tensor = tg.Tensor(x)
    same = [tensor] * len(case.args)
    out, back = tg.func.vjp(case.call, *[x] * len(case.args))
    (g,) = directions([out], seed=9)
    close(tg.grad(case.call(*same), tensor, gradient=g), reduce(np.add, back(g)), rtol=1e-13)
    _, tangent = tg.func.jvp(lambda x: case.call(*[x] * len(case.args)), [x], [x])
    _, separately = tg.func.jvp(case.call, [x] * len(case.args), [x] * len(case.args))
    close(tangent, separately, rtol=1e-13)


# ---- shapes nobody thought of ----------------------------------------------------------------
real, above_zero = (-2.0, 2.0), (0.5, 2.0)


@pytest.mark.parametrize(
    ("call", "ranges", "cores"),
    [
        (np.add, (real, real), ((), ())),
        (np.subtract, (real, real), ((), ())),
        (np.multiply, (real, real), ((), ())),
        (np.divide, (real, above_zero), ((), ())),
        (np.power, (above_zero, real), ((), ())),
        (np.maximum, (real, above_zero), ((), ())),
        (np.minimum, (above_zero, real), ((), ())),
        (lambda x, y: np.where(np.array([True]), x, y), (real, real), ((), ())),
        (np.matmul, (real, real), ((2, 3), (3, 1))),
        (np.matmul, (real, real), ((1, 1), (1, 2))),
    ],
    ids=lambda v: getattr(v, "__name__", ""),
)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_broadcasting_of_any_shapes(call, ranges, cores, data):
    drawn = data.draw(mutually_broadcastable_shapes(num_shapes=2, min_dims=0, min_side=0))
    shapes = [shape + core for shape, core in zip(drawn.input_shapes, cores, strict=True)]
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    xs = [np.asarray(rng.uniform(*r, size=s)) for r, s in zip(ranges, shapes, strict=True)]
    smooth = call not in (np.maximum, np.minimum)
    if not smooth:  # keep the two well apart
        xs = [np.round(xs[0]), np.round(xs[1]) + 0.5]
    case = Case(call, "drawn", call, tuple(xs), smooth, keeps_float32=True)
    check_vjp(case)
    check_jvp(case)


# ---- recorded constants ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fn", "args"), CONSTANT_CALLS.items(), ids=lambda v: getattr(v, "__name__", "")
)
@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")  # since NumPy 2.5
def test_a_step_function_is_recorded_and_has_derivative_zero(fn, args):
    assert RULES[fn].constant
    floats = args[0].dtype == np.float64
    xs = [tg.Tensor(a, requires_grad=a.dtype == np.float64) for a in args]
    out = fn(*xs)
    assert out.node.fn is fn
    assert not out.requires_grad
    np.testing.assert_array_equal(out.data, fn(*args), strict=True)
    if floats:
        x = xs[0]
        both = np.sum(x) + np.sum(out * 2.0)
        np.testing.assert_array_equal(tg.grad(both, x), np.ones(x.shape))
        _, tangent = tg.func.jvp(lambda x: fn(x, *args[1:]) * 1.0, args[:1], args[:1])
        np.testing.assert_array_equal(tangent, np.zeros(out.shape))


# ---- what our own functions compute ----------------------------------------------------------
Z = np.array([[-3.0, 0.0, 2.0], [1.0, 0.5, -1.0]])


@pytest.mark.parametrize(
    ("fn", "by_hand"),
    [
        (relu, [[0, 0, 2], [1, 0.5, 0]]),
        (leaky_relu, [[-0.03, 0, 2], [1, 0.5, -0.01]]),
        (sigmoid, [[1 / (1 + math.exp(-z)) for z in row] for row in Z]),
        (softmax, [[1 / (1 + math.exp(b - a)) for a, b in zip(*Z, strict=True)],
                   [1 / (1 + math.exp(a - b)) for a, b in zip(*Z, strict=True)]]),
        (log_softmax, [[-math.log1p(math.exp(b - a)) for a, b in zip(*Z, strict=True)],
                       [-math.log1p(math.exp(a - b)) for a, b in zip(*Z, strict=True)]]),
        (logsumexp, math.log(sum(math.exp(z) for z in Z.ravel()))),
    ],
)  # fmt: skip
def test_an_activation_computes_its_formula(fn, by_hand):
    np.testing.assert_allclose(fn(Z), by_hand, rtol=1e-14)


def test_activations_of_plain_numbers_and_of_integers():
    assert (relu(-1.0), leaky_relu(-1.0), sigmoid(0.0)) == (0, -0.01, 0.5)
    for dtype in (bool, np.uint8, np.int64):
        np.testing.assert_allclose(sigmoid(np.array([1], dtype)), 1 / (1 + math.exp(-1)))
    np.testing.assert_allclose(leaky_relu(np.array([-3, 2])), [-0.03, 2])


def test_the_losses_compute_their_formulas():
    A, Y = np.array([[0.2, 0.9]]), np.array([[0, 1]])
    J = -(math.log(0.8) + math.log(0.9)) / 2
    np.testing.assert_allclose(binary_cross_entropy(A, Y), J, rtol=1e-14)
    logits = np.log(A / (1 - A))
    np.testing.assert_allclose(binary_cross_entropy_with_logits(logits, Y), J, rtol=1e-14)

    A, Y = np.array([[0.2, 0.5], [0.7, 0.25], [0.1, 0.25]]), np.array([[0, 1], [1, 0], [0, 0]])
    J = -(math.log(0.7) + math.log(0.5)) / 2
    np.testing.assert_allclose(cross_entropy(A, Y), J, rtol=1e-14)
    np.testing.assert_allclose(cross_entropy_with_logits(np.log(A), Y), J, rtol=1e-14)

    assert mean_squared_error(np.array([[1.0, 2.0]]), np.array([[0.0, 4.0]])) == 2.5


def test_a_certain_and_right_prediction_costs_nothing():
    A = np.array([[0.0, 1.0]])
    assert binary_cross_entropy(A, A) == 0
    assert cross_entropy(np.vstack([A, 1 - A]), np.vstack([A, 1 - A])) == 0
    np.testing.assert_array_equal(tg.func.grad(binary_cross_entropy)(A, A), [[0.5, -0.5]])


# ---- logits far out --------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1_000.0, 10_000.0])
@pytest.mark.parametrize(
    "cost",
    [
        lambda Z: np.sum(sigmoid(Z)),
        lambda Z: np.sum(softmax(Z)[0]),
        lambda Z: np.sum(softmax(Z, axis=1)[0]),
        lambda Z: np.sum(log_softmax(Z)),
        lambda Z: logsumexp(Z),
        lambda Z: np.sum(logsumexp(Z, axis=0)),
        lambda Z: np.sum(relu(Z)) + np.sum(leaky_relu(Z)),
        lambda Z: binary_cross_entropy_with_logits(Z, ONES_AND_ZEROS),
        lambda Z: binary_cross_entropy(sigmoid(Z), ONES_AND_ZEROS),
        lambda Z: cross_entropy_with_logits(Z, ONES_AND_ZEROS),
        lambda Z: cross_entropy(softmax(Z), ONES_AND_ZEROS),
    ],
)
def test_values_and_gradients_are_finite_at_huge_logits(cost, size, dtype):
    Z = size * np.array([[1, -1, 0, 1], [-1, -1, 1, 1]], dtype)
    value, gradient = tg.func.value_and_grad(cost)(Z)
    assert np.isfinite(value)
    assert np.all(np.isfinite(gradient))
    assert gradient.dtype == dtype
    second = tg.func.grad(lambda Z: np.sum(tg.func.grad(cost)(Z) * Z))(Z)
    assert np.all(np.isfinite(second))


ONES_AND_ZEROS = np.array([[1, 1, 0, 0], [0, 0, 1, 1]], np.float32)


# ---- the policy at kinks ---------------------------------------------------------------------
def slopes(f, *xs):
    return [c.tolist() for c in tg.func.grad(lambda *xs: np.sum(f(*xs)), tuple(range(len(xs))))(
        *map(np.asarray, xs))]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_what_goes_back_through_relu_is_bit_for_bit_the_product_with_its_mask(dtype):
    odd = [-np.inf, -1.5, -0.0, 0.0, 3.25, np.inf, np.nan]
    v, z = (np.array(a, dtype) for a in np.meshgrid(odd, odd))
    (vjp,) = RULES[relu].vjps
    with np.errstate(invalid="ignore"):
        assert vjp(v, relu(z), z).tobytes() == (v * (z > 0)).tobytes()


def test_relu_and_absolute_have_slope_zero_at_zero():
    assert slopes(relu, [0.0, -0.0]) == [[0, 0]]
    assert slopes(np.absolute, [0.0, -0.0]) == [[0, 0]]
    assert slopes(leaky_relu, [0.0]) == [[0.01]]


@pytest.mark.parametrize("fn", [np.maximum, np.minimum])
def test_two_tied_arguments_share_equally(fn):
    assert slopes(fn, [1.0, 2.0], [1.0, 2.0]) == [[0.5, 0.5], [0.5, 0.5]]
    assert slopes(lambda x: fn(x, x), [1.0]) == [[1]]


@pytest.mark.parametrize("fn", [np.max, np.min])
def test_tied_entries_share_equally(fn):
    assert slopes(fn, [[2.0, 2.0], [2.0, 2.0]]) == [[[0.25, 0.25], [0.25, 0.25]]]
    assert slopes(lambda x: fn(x, axis=1), [[3.0, 3.0], [1.0, 2.0]])[0][0] == [0.5, 0.5]
    _, tangent = tg.func.jvp(fn, [np.array([2.0, 2.0])], [np.array([1.0, 3.0])])
    assert tangent == 2


def test_clip_passes_the_gradient_at_its_limits():
    x = [-2.0, -1.0, 0.0, 1.0, 2.0]
    assert slopes(lambda x: np.clip(x, -1, 1), x) == [[0, 1, 1, 1, 0]]
    assert slopes(lambda x: np.clip(x, None, None), x) == [[1, 1, 1, 1, 1]]
    assert slopes(np.clip, x, -1.0, 1.0) == [[0, 1, 1, 1, 0], 1, 1]


def test_the_zeroth_power_is_flat_everywhere():
    x = np.array([-1.0, 0.0, 2.0])
    for exponent in (0, 0.0, np.zeros(3), np.array(0)):
        assert slopes(lambda x, n=exponent: x**n, x) == [[0, 0, 0]]


def test_powers_of_zero_and_of_negative_numbers():
    x = np.array([-2.0, 0.0, 2.0])
    assert slopes(lambda x: x**3, x) == [[12, 0, 12]]
    assert slopes(lambda x: x**1, x) == [[1, 1, 1]]
    assert slopes(lambda x: x ** np.array([3, 2, 1]), x) == [[12, 0, 1]]
    assert tg.func.grad(tg.func.grad(lambda x: x**2))(np.array(0.0)) == 2
    assert tg.func.grad(tg.func.grad(tg.func.grad(lambda x: x**2)))(np.array(0.0)) == 0


def test_the_derivative_by_the_exponent():
    n = np.array([0.0, 2.0, 3.0])
    (found,) = slopes(lambda n: np.array([0.0, 0.0, 2.0]) ** n, n)
    np.testing.assert_allclose(found, [0, 0, 8 * math.log(2)], rtol=1e-14)
    with pytest.warns(RuntimeWarning, match="invalid value"):  # it would be complex
        assert np.isnan(tg.func.grad(lambda n: (-2.0) ** n)(np.array(3.0)))


def test_mixed_derivative_of_a_power_at_exponent_zero():
    x, n = np.array(2.0), np.array(0.0)
    by_x = tg.func.grad(np.power)
    assert tg.func.grad(by_x, 1)(x, n) == 0.5  # d/dn of n x**(n - 1) at n = 0 is 1 / x


def test_mixed_derivative_of_the_loss_at_a_certain_label():
    A, Y = np.array([[0.25]]), np.array([[0.0]])
    by_A = lambda A, Y: np.sum(tg.func.grad(binary_cross_entropy)(A, Y))
    np.testing.assert_allclose(tg.func.grad(by_A, 1)(A, Y), -1 / A - 1 / (1 - A), rtol=1e-14)


def test_a_step_into_integers_has_derivative_zero():
    x = np.array([1.5, 2.5])
    assert slopes(lambda x: x.astype(int).astype(float) * x, x) == [[1, 2]]
    assert tg.func.jvp(lambda x: x.astype(int) * 2.0, [x], [x])[1].tolist() == [0, 0]


def test_a_clip_of_integers_stays_integer():
    labels = tg.Tensor([1, 5], requires_grad=False)
    assert np.clip(labels, None, 3).dtype == labels.dtype


def test_an_order_that_follows_the_layout_is_refused():
    x = np.asfortranarray(np.ones((2, 3)))
    with pytest.raises(NotImplementedError, match="order='A' follows the layout in memory"):
        tg.func.grad(lambda x: np.sum(np.reshape(x, (3, 2), order="A")))(x)


def test_dot_refuses_out():
    with pytest.raises(TypeError, match="out= would overwrite"):
        np.dot(tg.Tensor(np.ones(3)), np.ones(3), out=np.array(0.0))


@pytest.mark.parametrize("join", [np.concatenate, np.stack])
def test_joining_refuses_options_it_does_not_know(join):
    with pytest.raises(TypeError, match=f"np.{join.__name__} on Tensors takes no dtype"):
        join([tg.Tensor([1.0])], dtype=np.float32)


# ---- the testers are tested ------------------------------------------------------------------
def scaled(linear_map):
    return lambda *args, **kwargs: 1.001 * linear_map(*args, **kwargs)


def mutants():
    """Every linear map of every rule, one at a time made wrong by a thousandth."""
    for fn, rule in PACKAGE_RULES.items():
        for kind in ("vjps", "jvps"):
            maps = getattr(rule, kind)
            if isinstance(maps, Each):
                yield fn, kind, 0, dataclasses.replace(rule, **{kind: Each(scaled(maps.f))})
                continue
            for i, linear_map in enumerate(maps):
                if linear_map:
                    wrong = (*maps[:i], scaled(linear_map), *maps[i + 1 :])
                    yield fn, kind, i, dataclasses.replace(rule, **{kind: wrong})


def killed(fn, check):
    for case in (c for c in CASES if c.rule is fn):
        try:
            check(case)
        except AssertionError:
            return True
    return False


def test_a_map_wrong_by_a_thousandth_is_caught(monkeypatch, record_property):
    survivors, count = [], 0
    for fn, kind, i, wrong in mutants():
        count += 1
        with monkeypatch.context() as patch:
            patch.setitem(RULES, fn, wrong)
            if not killed(fn, check_vjp if kind == "vjps" else check_jvp):
                survivors.append(f"{fn.__name__}.{kind}[{i}]")
    record_property("mutants", count)
    print(f"{count} mutants, {len(survivors)} survivors")
    assert count > 100
    assert not survivors
