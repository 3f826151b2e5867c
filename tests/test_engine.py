"""The two walks: what they visit, what they deliver, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_dnn as tg
from tinygrad_dnn.engine import pushforward
from tinygrad_dnn.errors import ChangedDataError, DimensionError, HistoryError, MissingRuleError
from tinygrad_dnn.primitives import RULES, rule, scalar
from tinygrad_dnn.rules.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    cross_entropy_with_logits,
)
from tinygrad_dnn.rules.network import log_softmax, relu, sigmoid, softmax

rng = np.random.default_rng(0)


# ---- what is delivered -----------------------------------------------------------------------
def test_backward_adds_up_over_every_path():
    x = tg.Tensor(3.0)
    (x * x + x).backward()
    assert x.grad == 7


def test_backward_twice_adds_twice():
    x = tg.Tensor([1.0, 2.0])
    J = np.sum(x**2)
    J.backward()
    first = x.grad
    J.backward()
    np.testing.assert_array_equal(x.grad, [4, 8])
    np.testing.assert_array_equal(first, [2, 4])  # what was handed out is not touched again


def test_grad_leaves_the_grad_attribute_alone():
    x = tg.Tensor(3.0)
    y = x * x
    assert tg.grad(y, x) == 6
    assert x.grad is None


def test_an_input_that_was_not_used_gets_zeros():
    x, unused = tg.Tensor(3.0), tg.Tensor(np.ones((2, 3), np.float32))
    dx, d_unused = tg.grad(x * x, [x, unused])
    np.testing.assert_array_equal(d_unused, np.zeros((2, 3)), strict=False)
    assert (d_unused.dtype, dx) == (np.float32, 6)
    (x * x).backward()
    assert unused.grad is None


def test_grad_by_an_intermediate_result_and_what_it_came_from():
    x = tg.Tensor(3.0)
    y = x * x
    dx, dy, dJ = tg.grad(J := y * y, [x, y, J])
    assert (dx, dy, dJ) == (108, 18, 1)


def test_retain_grad_keeps_the_gradient_of_a_result():
    x = tg.Tensor(3.0)
    y = (x * x).retain_grad()
    (y * y).backward()
    assert (y.grad, x.grad) == (18, 108)


def test_constants_are_not_visited():
    X = tg.Tensor(np.ones((2, 3)), requires_grad=False, name="X")
    W = tg.Tensor(np.ones((3, 2)))
    np.sum(W @ X).backward()
    assert X.grad is None


def test_detach_cuts_the_path():
    x = tg.Tensor(3.0)
    (x * (x * x).detach()).backward()
    assert x.grad == 9


def test_work_that_nobody_asked_for_is_not_done():
    visited = []

    @tg.primitive
    def spied(x, y):
        return x + y

    def vjp(i):
        return lambda g, out, x, y: visited.append(i) or g

    rule(spied, vjps=(vjp(0), vjp(1)), jvps=(None, None))
    x, y = tg.Tensor(1.0), tg.Tensor(1.0)
    tg.grad(spied(x * 2, y * 2), y)
    assert visited == [1]
    spied(x, np.array(1.0)).backward()
    assert visited == [1, 0]


@pytest.mark.parametrize("make", [
    lambda x, y: x + y,
    lambda x, y: np.concatenate([x, y]),
    lambda x, y: np.stack([x, y]),
    lambda x, y: (x + y).reshape(3, 1).T,
    lambda x, y: np.broadcast_to(x, (2, 3)) - y,
])  # fmt: skip
@pytest.mark.parametrize("create_graph", [False, True])
def test_gradients_share_memory_with_nothing(make, create_graph):
    x, y = tg.Tensor(rng.normal(size=3)), tg.Tensor(rng.normal(size=3))
    middle = x * 1.0
    out = make(middle, y)
    g = np.ones(out.shape)
    found = tg.grad(out, [x, middle, y], gradient=g, create_graph=create_graph)
    found = [c.data for c in found] if create_graph else found
    for i, c in enumerate(found):
        for other in (g, x.data, y.data, middle.data, out.data, *found[:i]):
            assert not np.shares_memory(c, other)
        assert c.flags.writeable

    middle.retain_grad()
    out.backward(g)
    for c in (x.grad, middle.grad, y.grad):
        assert c.flags.writeable
        c += 1.0
    np.testing.assert_array_equal(g, np.ones(out.shape))
    assert not np.shares_memory(x.grad, y.grad)
    assert not np.shares_memory(x.grad, middle.grad)


def test_an_input_asked_for_twice_is_answered_twice():
    x = tg.Tensor(np.ones(3))
    first, second = tg.grad(np.sum(x * x), [x, x])
    assert not np.shares_memory(first, second)
    assert (first.tolist(), second.tolist()) == ([2, 2, 2], [2, 2, 2])


def test_a_tangent_shares_no_memory_with_what_was_given():
    v = np.ones(3)
    _, tangent = tg.func.jvp(lambda x: x + 1, [np.ones(3)], [v])
    assert not np.shares_memory(tangent, v)


def test_a_gradient_comes_back_in_the_dtype_of_its_leaf():
    w, x = tg.Tensor(np.ones((2, 1), np.float32)), tg.Tensor(np.ones((2, 3)))
    out = w * x
    assert out.dtype == np.float64
    np.sum(out).backward()
    assert (w.grad.dtype, x.grad.dtype) == (np.float32, np.float64)
    assert w.grad.tolist() == [[3], [3]]


def test_a_cotangent_may_be_any_array_or_a_tensor():
    x = tg.Tensor(np.ones(3))
    y = x * 2
    for g in ([1, 2, 3], np.array([1.0, 2.0, 3.0]), tg.Tensor([1.0, 2.0, 3.0])):
        found = tg.grad(y, x, gradient=g)
        assert isinstance(found, np.ndarray)
        assert found.tolist() == [2, 4, 6]
        x.grad = None
        y.backward(g)
        assert isinstance(x.grad, np.ndarray)
        assert x.grad.tolist() == [2, 4, 6]


def test_backward_inside_a_rule():
    @tg.primitive
    def cube(x):
        return x**3

    def by_another_walk(g, out, x):
        inner = tg.Tensor(x)
        (inner * inner * inner).backward()
        return g * inner.grad

    rule(cube, vjps=(by_another_walk,), jvps=(by_another_walk,))
    x = tg.Tensor(2.0)
    (cube(x) * x).backward()
    assert x.grad == 32


# ---- any graph -------------------------------------------------------------------------------
STEPS = [
    lambda x, y: x + y,
    lambda x, y: x * y,
    lambda x, y: np.sin(x) - y,
    lambda x, y: np.tanh(x @ y),
    lambda x, y: np.where(x > y, x, y * 0.5),
    lambda x, y: softmax(x) + np.mean(y, axis=0),
    lambda x, y: np.concatenate([x[:1], y[1:]]),
    lambda x, y: x.T * y[::-1],
]


def network_of(program, leaves):
    """Run a random program: each step takes two earlier values and adds one."""
    values = list(leaves)
    for step, i, j in program:
        values.append(STEPS[step](values[i % len(values)], values[j % len(values)]))
    return values, np.sum(np.cos(values[-1] + values[len(values) // 2]))


numbers = st.integers(0, 20)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(program=st.lists(st.tuples(st.integers(0, len(STEPS) - 1), numbers, numbers), max_size=12))
def test_all_walks_over_a_random_graph_agree(program):
    data = [rng.normal(size=(2, 2)) for _ in range(2)]
    leaves = [tg.Tensor(x) for x in data]
    values, J = network_of(program, leaves)
    gradients = tg.grad(J, values)

    recorded = tg.grad(J, values, create_graph=True)
    for x in values[2:]:
        x.retain_grad()
    J.backward()
    for x, dx, again in zip(values, gradients, recorded, strict=True):
        np.testing.assert_allclose(again.data, dx, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(0 if x.grad is None else x.grad, dx, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(tg.grad(J, x), dx, rtol=1e-12, atol=1e-14)

    for x, dx in zip(values, gradients, strict=True):  # forwards, from a leaf or from the middle
        t = rng.normal(size=x.shape)
        (tangent,) = pushforward([J.node], {x.node: t})
        expected = 0 if tangent is None else tangent
        np.testing.assert_allclose(np.sum(dx * t), expected, rtol=1e-11, atol=1e-13)

    ts = [rng.normal(size=x.shape) for x in data]
    f = lambda *xs: network_of(program, xs)[1]
    _, tangent = tg.func.jvp(f, data, ts)
    expected = sum(np.sum(dx * t) for dx, t in zip(gradients, ts, strict=False))
    np.testing.assert_allclose(tangent, expected, rtol=1e-11, atol=1e-13)


# ---- what is refused -------------------------------------------------------------------------
def test_a_cotangent_of_another_shape():
    y = tg.Tensor(np.ones((2, 3)), name="Z1") * 1.0
    y.name = "A1"
    with pytest.raises(DimensionError, match=r"gradient= has shape \(3,\), but A1 .* \(2, 3\)"):
        y.backward(np.ones(3))


def test_a_jvp_that_returns_another_shape_is_named():
    @tg.primitive
    def tripled(x):
        return x * 3

    rule(tripled, vjps=(None,), jvps=(lambda t, out, x: np.sum(t),))
    message = r"the jvps of tripled returned shape \(\), but its result has shape \(3,\)"
    with pytest.raises(DimensionError, match=message):
        tg.func.jvp(tripled, [np.ones(3)], [np.ones(3)])


def test_a_rule_that_returns_another_shape_is_named():
    @tg.primitive
    def doubled(x):
        return x * 2

    rule(doubled, vjps=(lambda g, out, x: np.sum(g),), jvps=(None,))
    with pytest.raises(
        DimensionError,
        match=r"the vjp of doubled for argument 0 returned shape \(\), .* has shape \(3,\)",
    ):
        np.sum(doubled(tg.Tensor(np.ones(3)))).backward()


def test_a_failing_rule_is_named():
    @tg.primitive
    def halved(x):
        return x / 2

    rule(halved, vjps=(lambda g, out, x: None,), jvps=(lambda t, out, x: 1 / 0,))
    with pytest.raises(AttributeError) as failure:
        halved(tg.Tensor(1.0)).backward()
    assert failure.value.__notes__ == ["in the vjp of halved for argument 0"]
    with pytest.raises(ZeroDivisionError) as failed:
        tg.func.jvp(halved, [np.array(1.0)], [np.array(1.0)])
    assert failed.value.__notes__ == ["in the jvp of halved for argument 0"]


def test_a_derivative_that_is_not_known_is_named():
    @tg.primitive
    def shifted(x, by):
        return x + by

    rule(shifted, vjps=(lambda g, out, x, by: g,), jvps=(lambda t, out, x, by: t,))
    x, by = tg.Tensor(1.0), tg.Tensor(2.0)
    shifted(x, 2.0).backward()
    message = "shifted: its derivative with respect to argument 1 is not known"
    with pytest.raises(MissingRuleError, match=message):
        shifted(x, by).backward()
    with pytest.raises(MissingRuleError, match=message):
        tg.func.jvp(shifted, [x.data, by.data], [x.data, by.data])
    assert tg.grad(shifted(x, by), x) == 1


def test_a_rule_for_one_mode_only_does_not_claim_zero_in_the_other():
    @tg.primitive
    def forward_only(x):
        return 2 * x

    rule(forward_only, vjps=(), jvps=(lambda t, out, x: 2 * t,))
    x = np.array(3.0)
    assert tg.func.jvp(forward_only, [x], [x]) == (6, 6)
    with pytest.raises(MissingRuleError, match=r"forward_only: its derivative .* argument 0"):
        tg.func.grad(forward_only)(x)


def test_none_claims_that_a_derivative_is_zero():
    @tg.primitive
    def gate(x, key):
        return x

    rule(gate, vjps=(lambda g, out, x, key: g, None), jvps=(lambda t, out, x, key: t, None))
    x, key = tg.Tensor(1.0), tg.Tensor(5.0)
    assert tg.grad(gate(x, key), [x, key]) == [1, 0]


def test_a_function_that_would_never_reach_its_rule():
    def plain(x):
        return np.sin(x)

    with pytest.raises(ValueError, match=r"plain would never .* @tg\.primitive"):
        tg.elementwise(plain, lambda out, x: np.cos(x))


def test_a_function_has_one_rule():
    with pytest.raises(ValueError, match="tanh already has a rule"):
        tg.elementwise(np.tanh, lambda out, x: 1)


# ---- data that changed between the walks -----------------------------------------------------
def changed_in_place(W):
    W.data -= 1.0


def replaced(W):
    W.data = W.data - 1.0


NEEDS_W = {
    "multiply": lambda W: W * W,
    "matmul": lambda W: W @ (W * 1.0),
    "a view": lambda W: W.T**2,
    "a view of a view": lambda W: np.exp(W[0].reshape(2, 1)) * np.square(W[0].reshape(2, 1)),
    "stretched": lambda W: np.square(np.broadcast_to(W, (3, 2, 2))),
    "a primitive of ours": lambda W: relu(W),
    "a choice": lambda W: np.where(W > 0, W, 0) * W,
}
NEEDS_NO_W = {
    "add": lambda W: W + 1.0,
    "multiply by a constant": lambda W: W * np.full((2, 2), 3.0),
    "exp, which needs its output": lambda W: np.exp(W),
    "mean": lambda W: np.mean(W, axis=0),
    "reshape": lambda W: W.reshape(4) * 2.0,
    "index": lambda W: W[np.array([0, 0])],
    "matmul": lambda W: np.ones((3, 2)) @ W,
    "sigmoid": lambda W: sigmoid(W),
    "max of another": lambda W: np.max(W * 1.0),
}


@pytest.mark.parametrize("f", NEEDS_W.values(), ids=NEEDS_W)
def test_data_overwritten_in_place_is_an_error_if_the_walk_needs_it(f):
    W = tg.Tensor(np.array([[1.0, 2.0], [3.0, 4.0]]), name="W1")
    J = np.sum(f(W))
    changed_in_place(W)
    with pytest.raises(ChangedDataError, match="needs the data of W1, but it was replaced"):
        J.backward()
    with pytest.raises(ChangedDataError, match="W1"):
        tg.grad(J, W, create_graph=True)


@pytest.mark.parametrize("f", NEEDS_NO_W.values(), ids=NEEDS_NO_W)
@pytest.mark.parametrize("change", [changed_in_place, replaced])
def test_changed_data_is_no_error_if_the_walk_does_not_need_it(f, change):
    W = tg.Tensor(np.array([[1.0, 2.0], [3.0, 4.0]]), name="W1")
    J = np.sum(f(W))
    expected = tg.grad(J, W)
    change(W)
    np.testing.assert_array_equal(tg.grad(J, W), expected)


@pytest.mark.parametrize("f", NEEDS_W.values(), ids=NEEDS_W)
def test_data_replaced_by_a_new_array_leaves_the_old_one_to_the_walk(f):
    W = tg.Tensor(np.array([[1.0, 2.0], [3.0, 4.0]]), name="W1")
    J = np.sum(f(W))
    expected = tg.grad(J, W)
    replaced(W)
    np.testing.assert_array_equal(tg.grad(J, W), expected)


def test_a_second_derivative_would_need_the_data_of_the_first():
    W = tg.Tensor(np.array([1.0, 2.0]), name="W1")
    J = np.sum(W**3)
    replaced(W)
    with pytest.raises(ChangedDataError, match="W1"):
        tg.grad(J, W, create_graph=True)


def test_a_forward_walk_refuses_overwritten_data_too():
    W = tg.Tensor(np.array([1.0, 2.0]), name="W1")

    def f(x):
        y = W * x
        W.data *= 2.0
        return y

    with pytest.raises(ChangedDataError, match="through multiply needs the data of W1"):
        tg.func.jvp(f, [np.ones(2)], [np.ones(2)])


def test_a_new_forward_pass_sees_the_new_data():
    W = tg.Tensor(np.array([1.0, 2.0]))
    np.sum(W**2).backward()
    W.data -= W.grad
    W.grad = None
    np.sum(W**2).backward()
    np.testing.assert_array_equal(W.grad, [-2, -4])


# ---- a loss after its own activation ---------------------------------------------------------
PAIRS = [
    pytest.param(sigmoid, binary_cross_entropy, binary_cross_entropy_with_logits, id="binary"),
    pytest.param(softmax, cross_entropy, cross_entropy_with_logits, id="many classes"),
]
LABELS = np.array([[1.0, 0, 0, 1, 0], [0, 1, 1, 0, 1]])
MILD = rng.normal(size=(2, 5))
EXTREME = np.array([[1e3, 1e3, -1e4, -40.0, 800.0], [-1e3, 1e3, 1e4, 0.5, 1.0]])


@pytest.mark.parametrize(("activation", "loss", "with_logits"), PAIRS)
@pytest.mark.parametrize("values", [MILD, EXTREME], ids=["mild", "saturated"])
def test_the_pair_is_computed_and_differentiated_as_one(activation, loss, with_logits, values):
    Z, same = tg.Tensor(values), tg.Tensor(values)
    A = activation(Z)
    J, K = loss(A, LABELS), with_logits(same, LABELS)
    J.backward()
    K.backward()
    assert J.data == K.data
    np.testing.assert_allclose(Z.grad, same.grad, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(Z.grad, (A.data - LABELS) / 5, rtol=1e-12, atol=1e-300)
    assert list(J.node.parents) == [A.node]  # the graph keeps the two operations
    assert list(A.node.parents) == [Z.node]


def test_the_activation_can_still_be_asked_for():
    Z, Y = tg.Tensor(MILD), LABELS
    A = sigmoid(Z).retain_grad()
    J = binary_cross_entropy(A, Y)
    plain = (-Y / A.data + (1 - Y) / (1 - A.data)) / 5

    (dA,) = tg.grad(J, [A])
    np.testing.assert_allclose(dA, plain, rtol=1e-14)
    (along,) = pushforward([J.node], {A.node: MILD})
    np.testing.assert_allclose(along, np.sum(plain * MILD), rtol=1e-13)
    dZ, dA = tg.grad(J, [Z, A])
    np.testing.assert_allclose(dA, plain, rtol=1e-14)
    np.testing.assert_allclose(dZ, (A.data - Y) / 5, rtol=1e-14)
    J.backward()
    np.testing.assert_allclose(A.grad, plain, rtol=1e-14)
    np.testing.assert_allclose(Z.grad, (A.data - Y) / 5, rtol=1e-14)


def test_asking_for_a_saturated_activation_does_not_disturb_its_input():
    Z, Y = tg.Tensor([[1e3, -1e3]]), np.array([[0.0, 0.0]])
    A = sigmoid(Z).retain_grad()
    with pytest.warns(RuntimeWarning, match="divide by zero"):  # dA is infinite, and says so
        binary_cross_entropy(A, Y).backward()
    assert A.grad.tolist() == [[np.inf, 0.5]]
    np.testing.assert_allclose(Z.grad, [[0.5, 0]], atol=1e-300)


@pytest.mark.parametrize(("activation", "loss", "with_logits"), PAIRS)
def test_other_consumers_of_the_activation_accumulate(activation, loss, with_logits):
    Z = tg.Tensor(MILD)
    A = activation(Z).retain_grad()
    (loss(A, LABELS) + np.sum(A**2)).backward()
    apart = tg.func.grad(lambda Z: with_logits(Z, LABELS) + np.sum(activation(Z) ** 2))(MILD)
    np.testing.assert_allclose(Z.grad, apart, rtol=1e-12)
    plain = tg.func.grad(lambda A: loss(A, LABELS) + np.sum(A**2))(A.data)
    np.testing.assert_allclose(A.grad, plain, rtol=1e-12)


@pytest.mark.parametrize(("activation", "loss", "with_logits"), PAIRS)
def test_every_mode_and_order_goes_through_the_pair(activation, loss, with_logits):
    pair = lambda Z: loss(activation(Z), LABELS)
    one = lambda Z: with_logits(Z, LABELS)
    v = rng.normal(size=MILD.shape)
    for values in (MILD, EXTREME):
        for f in (tg.func.jvp, lambda f, x, v: (tg.func.hvp(f, x[0], v[0]),) * 2):
            expected = f(one, [values], [v])
            for a, b in zip(f(pair, [values], [v]), expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)
    hessian = tg.func.hessian(pair)(MILD)
    np.testing.assert_allclose(hessian, tg.func.hessian(one)(MILD), rtol=1e-11, atol=1e-14)


def test_second_order_by_the_activation_itself():
    Z, Y = tg.Tensor(MILD), LABELS
    A = sigmoid(Z)
    (dA,) = tg.grad(binary_cross_entropy(A, Y), [A], create_graph=True)
    (ddA,) = tg.grad(np.sum(dA), [A])
    np.testing.assert_allclose(ddA, (Y / A.data**2 + (1 - Y) / (1 - A.data) ** 2) / 5, rtol=1e-13)


def test_the_labels_may_be_tensors_and_may_be_given_by_name():
    Z, Y = tg.Tensor(MILD), tg.Tensor(LABELS)
    dZ, dY = tg.grad(binary_cross_entropy(sigmoid(Z), Y=Y), [Z, Y])
    np.testing.assert_allclose(dZ, (1 / (1 + np.exp(-MILD)) - LABELS) / 5, rtol=1e-13)
    np.testing.assert_allclose(dY, -MILD / 5, rtol=1e-13)
    by_name = binary_cross_entropy(A=sigmoid(Z), Y=LABELS)
    np.testing.assert_array_equal(tg.grad(by_name, Z), dZ)
    by_name = binary_cross_entropy(sigmoid(Z), Y=LABELS)
    assert by_name.node.detour is not None
    np.testing.assert_array_equal(tg.grad(by_name, Z), dZ)


def test_a_softmax_over_another_axis_takes_no_detour():
    Z = tg.Tensor(MILD)
    J = cross_entropy(softmax(Z, axis=1), LABELS)
    expected = -np.sum(LABELS * log_softmax(MILD, axis=1)) / 5
    np.testing.assert_allclose(J.data, expected, rtol=1e-13)
    assert J.node.detour is None
    assert cross_entropy(softmax(Z, axis=0), LABELS).node.detour is not None


@pytest.mark.parametrize("change", [changed_in_place, replaced])
def test_no_detour_to_an_input_that_is_no_longer_there(change):
    Z = tg.Tensor(MILD)
    A = sigmoid(Z)
    change(Z)
    J = binary_cross_entropy(A, LABELS)
    np.testing.assert_allclose(J.data, binary_cross_entropy(A.data, LABELS), rtol=1e-13)
    np.testing.assert_allclose(tg.grad(J, Z), (A.data - LABELS) / 5, rtol=1e-13)


def test_a_scalar_function_of_ones_own():
    @tg.primitive
    def energy(x):
        return np.sum(x**2) / 2

    scalar(energy, lambda out, x: x)
    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(tg.func.grad(energy)(x), x)
    assert tg.func.jvp(energy, [x], [x]) == (2.5, 5)
    assert energy in RULES


# ---- complex numbers: the gradient is dJ/d Re z + i dJ/d Im z ----------------------------------
def slopes(f, z, h=1e-6):
    """The gradient of the real f by central differences, along both axes of every entry."""
    found = np.zeros(z.shape, complex)
    for i in np.ndindex(z.shape):
        for axis in (1, 1j) if np.iscomplexobj(z) else (1,):
            e = np.zeros(z.shape, complex)
            e[i] = h * axis
            e = e if np.iscomplexobj(z) else e.real
            found[i] += axis * (f(z + e) - f(z - e)) / (2 * h)
    return found if np.iscomplexobj(z) else found.real


REAL_OF_COMPLEX = {
    "real part": lambda z, w: np.sum(np.real(z * w)),
    "imaginary part": lambda z, w: np.sum(np.imag(z * z * w)),
    "squared size": lambda z, w: np.sum(np.real(z * np.conjugate(z)) * w),
    "product of matrices": lambda z, w: np.sum(np.real(w @ z @ np.conjugate(z.T)) ** 2),
    "stretched": lambda z, w: np.sum(np.imag(w[:1] * z * (1 + 2j)) ** 2),
    "analytic": lambda z, w: np.sum(np.real(np.exp(z * w) * z)),
}
Z0 = rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2))
W0 = rng.normal(size=(2, 2))


@pytest.mark.parametrize("f", REAL_OF_COMPLEX.values(), ids=REAL_OF_COMPLEX)
@pytest.mark.parametrize("create_graph", [False, True])
def test_gradients_by_complex_and_by_real_leaves(f, create_graph):
    z, w = tg.Tensor(Z0), tg.Tensor(W0)
    found = tg.grad(f(z, w), [z, w], create_graph=create_graph)
    dz, dw = [d.data for d in found] if create_graph else found
    assert (dz.dtype, dw.dtype) == (np.complex128, np.float64)
    np.testing.assert_allclose(dz, slopes(lambda z: f(z, W0), Z0), rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(dw, slopes(lambda w: f(Z0, w), W0), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("f", REAL_OF_COMPLEX.values(), ids=REAL_OF_COMPLEX)
def test_tangents_of_complex_and_of_real_inputs(f):
    dz, dw = Z0[::-1] * 1j, W0[::-1]
    out, tangent = tg.func.jvp(f, (Z0, W0), (dz, dw))
    assert (out.dtype, tangent.dtype) == (np.float64, np.float64)
    h = 1e-6
    expected = (f(Z0 + h * dz, W0 + h * dw) - f(Z0 - h * dz, W0 - h * dw)) / (2 * h)
    np.testing.assert_allclose(tangent, expected, rtol=1e-7, atol=1e-8)


def test_a_step_against_the_gradient_goes_downhill():
    z = tg.Tensor(Z0.astype(np.complex64), name="z")
    before = None
    for _ in range(20):
        J = np.sum(np.real(z * np.conjugate(z)))
        z.grad = None
        J.backward()
        assert z.grad.dtype == np.complex64
        z.data -= np.float32(0.1) * z.grad
        assert before is None or J.item() < 0.7 * before
        before = J.item()


def test_a_complex_number_has_no_one_gradient():
    z = tg.Tensor(1 + 2j)
    J = z * z
    J.name = "J"
    with pytest.raises(HistoryError, match=r"backward from J of complex128: only a real number"):
        J.backward()
    assert tg.grad(J, z, gradient=1) == 2 * np.conj(1 + 2j)
