"""Bad input to every check: what the message says.  A line per input; texts are patterns."""

import re
import sys

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import nn, optim
from tinygrad_dnn.checking import check_parameters
from tinygrad_dnn.cli.program import main
from tinygrad_dnn.errors import ChangedDataError, DimensionError, HistoryError, StructureError
from tinygrad_dnn.report import CANNOT_TELL, RIGHT, WRONG

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((3, 5)), np.array([[1, 0, 1, 1, 0]])
P = {
    "W1": rng.standard_normal((4, 3)),
    "b1": np.zeros((4, 1)),
    "W2": rng.standard_normal((1, 4)),
    "b2": np.zeros((1, 1)),
}


def silent(name, value):
    return value


def forward(p, tap):
    Z1 = tap("Z1", p["W1"] @ X + p["b1"])
    A1 = tap("A1", np.tanh(Z1))
    Z2 = tap("Z2", p["W2"] @ A1 + p["b2"])
    return Z1, A1, tap("A2", 1 / (1 + np.exp(-Z2)))


def cost(p, tap=tg.tap):
    A2 = forward(p, tap)[-1]
    return -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))


def plain(p):
    return cost(p, silent)


def backward(p):
    (_, A1, A2), m = forward(p, silent), 5
    dZ2 = A2 - Y
    dA1 = p["W2"].T @ dZ2
    dZ1 = dA1 * (1 - A1**2)
    db1, db2 = (np.sum(dZ, axis=1, keepdims=True) / m for dZ in (dZ1, dZ2))
    parameters = {"dW2": dZ2 @ A1.T / m, "db2": db2, "dW1": dZ1 @ X.T / m, "db1": db1}
    return parameters, {"dZ2": dZ2, "dA1": dA1, "dZ1": dZ1}


g, between = backward(P)
G = g | between
f = lambda x: np.sum(np.tanh(x))
sine = lambda x: np.sin(x)  # which older NumPy does not know the arguments of
x = np.array([0.5, -1.0, 2.0])
J, dJ = lambda w: np.sum(w**2), lambda w: 2 * w
W = tg.Tensor(np.ones((2, 3)), name="W")
RAGGED = [[1.0, 2.0], [3.0]]
HOLE = np.where(np.arange(12).reshape(4, 3) == 7, np.nan, g["dW1"])


def broken(*args):
    raise RuntimeError("a mistake of mine")


def without(d, key):
    return {name: value for name, value in d.items() if name != key}


net = nn.Sequential.from_layer_dims(
    [3, 4, 1], hidden="tanh", output="sigmoid", rng=np.random.default_rng(0)
)
H = dict(
    zip(
        ("dW1", "db1", "dW2", "db2"),
        tg.grad(nn.binary_cross_entropy(net(X), Y), list(net.parameters().values())),
        strict=True,
    )
)


def check(grads, cost=cost, params=P, **options):
    return tg.check_backprop(cost, params, grads, **options)


def gradient(f=J, grad_f=dJ, *inputs, **options):
    return tg.check_gradient(f, grad_f, *(inputs or (x,)), **options)


def network(net=net, grads=H, X=X, Y=Y, **options):
    return tg.check_network(net, grads, X, Y, **options)


def fit(**options):
    sgd = optim.SGD(net.parameters(), lr=1e-9)
    return tg.fit(net, X, Y, loss=nn.binary_cross_entropy, optimizer=sgd, epochs=1, **options)


BACKPROP = [
    (lambda: check(g, 0.35), TypeError, r"cost must be a function, cost\(params\), got the number"),
    (lambda: check(g, P, cost), TypeError, "cost must be a function, .* got a dict of 4"),
    (lambda: check(g, lambda p: None), TypeError, "one number, the cost J, got None; is its ret"),
    (lambda: check(g, lambda p: "0.3"), TypeError, "one number, the cost J, got the text '0.3'"),
    (lambda: check(g, lambda p: (cost(p),)), TypeError, "got a tuple of 1; .*comma behind it"),
    (lambda: check(g, lambda p: [cost(p)]), TypeError, "got a list of 1; return the cost alone"),
    (lambda: check(g, lambda p: {"J": cost(p)}), TypeError, "got a dict of 1; return the cost"),
    (lambda: check(g, lambda p: cost(p) + 0j), TypeError, "the cost must be .*complex number"),
    (lambda: check(g, lambda p: cost(p) > 0), TypeError, "one number, the cost J, got a bool"),
    (lambda: check(g, lambda p: object()), TypeError, "one number, the cost J, got an object"),
    (lambda: check(g, lambda p: p["W1"]), DimensionError, r"got shape \(4, 3\); reduce it"),
    (lambda: check(g, lambda p: np.sum(tg.Tensor(p["W1"]))), HistoryError, "returned a Tensor: gr"),
    (lambda: check(g, lambda: 1.0), TypeError, "0 positional.*cost|<lambda> with W1.*defined at"),
    (lambda: check(g, lambda p, X: 1.0), TypeError, r"'X'[^,]*check_backprop called <lambda> with"),
    (lambda: check(g, broken), RuntimeError, r"called broken with W1 \(4, 3\).*raise RuntimeErr"),
    (lambda: check(g, lambda p: np.sum(p["W3"])), KeyError, r"'W3'.*failed at .*p\[\"W3\"\]"),
    (lambda: check(g, lambda p: np.sum(p["W1"] @ p["W1"])), ValueError, "matmul.*failed at .*@"),
    (lambda: check(g, lambda p: p.pop("W1").sum()), ChangedDataError, r"changes params\['W1'\]"),
    (lambda: check(g, lambda p: cost(P)), ValueError, r"it must compute from its argument: params"),
    (lambda: check(g, params=list(P)), TypeError, r"params must be a dict .*, got a list of 4"),
    (lambda: check(g, params=None), TypeError, r"params must be a dict .*, got None"),
    (lambda: check(g, params=P["W1"]), TypeError, "params must be a dict .*an array of float64"),
    (lambda: check(g, params={}), ValueError, r"params holds no numbers; pass \{'W1'"),
    (lambda: check(g, params={"W1": np.ones((0, 3))}), ValueError, r"no numbers: W1 \(0, 3\)"),
    (lambda: check(g, params={1: P["W1"]}), TypeError, "params has the key 1; keys are names"),
    (lambda: check(g, params=P | {"W1": RAGGED}), TypeError, r"params\['W1'\].*different shapes"),
    (lambda: check(g, params=P | {"W1": "w"}), TypeError, r"params\['W1'\] must .* the text 'w'"),
    (lambda: check(g, params=P | {"W1": None}), TypeError, r"params\['W1'\] must be .* got None"),
    (lambda: check(g, params=P | {"W1": {}}), TypeError, r"params\['W1'\] must be .* got a dict"),
    (lambda: check(g, params=P | {"W1": 1j * X}), TypeError, r"params\['W1'\].* of complex128"),
    (
        lambda: check(g, params=P | {"b1": [[np.nan]]}),
        ValueError,
        r"\['b1'\] holds nan at \[0, 0\]",
    ),
    (lambda: check(None), TypeError, r"grads must be a dict \{'dW1': array, ...\}, got None"),
    (lambda: check(list(g.values())), TypeError, "grads must be a dict .*, got a list of 4"),
    (lambda: check({}), ValueError, "grads has no 'dW1'; it has nothing"),
    (lambda: check({0: g["dW1"]}), TypeError, "grads has the key 0; keys are names"),
    (lambda: check(lambda p: None), TypeError, "what <lambda> returns must be a dict .* got None"),
    (lambda: check(lambda p: (1, 2)), TypeError, "what <lambda> returns must be .* a tuple of 2"),
    (lambda: check(broken), RuntimeError, "called broken with W1.*line .*, in broken"),
    (lambda: check(lambda p, cache: g), TypeError, "'cache'.*called <lambda> with W1"),
    (
        lambda: check(g | {"dW1": RAGGED}),
        TypeError,
        r"grads\['dW1'\] .*list of 2 .*different shape",
    ),
    (lambda: check(g | {"dW1": "dW1"}), TypeError, r"grads\['dW1'\] must .* got the text 'dW1'"),
    (lambda: check(g | {"dW1": None}), TypeError, r"grads\['dW1'\] must .* got None"),
    (lambda: check(g | {"dW1": 1j * X}), TypeError, r"grads\['dW1'\] must .* of complex128"),
    (lambda: check(g | {"dW1": (X, Y)}), TypeError, r"grads\['dW1'\] must .* got a tuple of 2"),
    (lambda: check(without(g, "dW2")), ValueError, "no 'dW2'; it has 'db2', 'dW1', 'db1'"),
    (lambda: check(without(g, "dW2") | {"dw2": 1.0}), ValueError, "no 'dW2'; is 'dw2' meant"),
    (lambda: check(g | {"W1": g["dW1"]}), ValueError, "two gradients of W1: 'W1' and 'dW1'"),
    (lambda: check(g, rng="a"), TypeError, "rng must be a generator.*or a seed, got the text 'a'"),
    (lambda: check(g, rng=np.random), TypeError, "rng must be a generator.*got a module"),
    (lambda: check(g, every_entry="yes"), TypeError, "every_entry must be True or False"),
    (lambda: check(g, every_entri=True), TypeError, "no option 'every_entri'; is every_entry mean"),
    (lambda: check(g, points=3), TypeError, "no option 'points'; it has every_entry and rng, all"),
    (lambda: check(g, strict=True), TypeError, "check_backprop has no option 'strict'"),
    (lambda: check(g, X="data"), TypeError, "X must be an array of real numbers, got the text"),
    (lambda: check(g, X=None), TypeError, "X must be an array of real numbers, got None"),
    (lambda: check(g, X=RAGGED), TypeError, "X must be .* a list of 2 whose parts have different"),
    (lambda: check(g, m=0), ValueError, "m, the number of examples, must be 1, 2, 3, ..., got 0"),
    (lambda: check(g, m=2.5), ValueError, "m, the number of examples, must .* got 2.5"),
    (lambda: check(g, m=X), ValueError, "m, the number of examples, must be"),
    (lambda: check(g, keep_prob=80), ValueError, "keep_prob must be a number above 0, at most 1"),
    (lambda: tg.tap(3, X), TypeError, r"the name comes first, tap\('Z1', Z1\), got the number 3"),
    (lambda: tg.tap(X, "Z1"), TypeError, "the name comes first, .*got an array of float64"),
    (lambda: tg.tap("", X), TypeError, "the name comes first"),
    (
        lambda: check(g, lambda p: cost(p) + 0 * bool(tg.tap("Q", None))),
        TypeError,
        "the value of 'Q' must be .* got None",
    ),
    (
        lambda: check(g, lambda p: len(tg.tap("Q", "a"))),
        TypeError,
        "of 'Q' must be .* the text 'a'",
    ),
    (lambda: check(g, lambda p: len(tg.tap("Q", RAGGED))), TypeError, "of 'Q' must .*different"),
    (lambda: check(g, lambda p: tg.tap("W1", p["W1"]).sum()), ValueError, "W1 is a parameter; tap"),
    (lambda: check(g, lambda p: tg.tap("dZ1", X).sum()), ValueError, "tap.'dZ1', .*into grads"),
    (lambda: check(g, lambda p: tg.tap("Z1", X).sum() + cost(p)), ValueError, "is called twice"),
]

FUNCTIONS = [
    (lambda: tg.gradcheck(x, f), TypeError, r"f, .* must be a function, f\(\*inputs\), got an arr"),
    (lambda: tg.gradcheck(f), ValueError, r"none of the inputs of <lambda> varies; pass arrays"),
    (lambda: tg.gradcheck(f, None), ValueError, "none of the inputs of <lambda> varies"),
    (lambda: tg.gradcheck(f, tg.Tensor(x, requires_grad=False)), ValueError, "none of the inputs"),
    (lambda: tg.gradcheck(lambda x: 1.0, x), HistoryError, "must return one Tensor, got float"),
    (lambda: tg.gradcheck(lambda x: None, x), HistoryError, "must return one Tensor, got NoneType"),
    (lambda: tg.gradcheck(lambda x: (x, x), x), HistoryError, "must return one Tensor, got tuple"),
    (lambda: tg.gradcheck(f, 3), HistoryError, "argument x of <lambda> holds int64"),
    (lambda: tg.gradcheck(f, "abc"), HistoryError, "argument x of <lambda> holds <U3"),
    (lambda: tg.gradcheck(f, x + 1j), HistoryError, "argument x of <lambda> is complex"),
    (lambda: tg.gradcheck(broken, x), RuntimeError, r"gradcheck called broken with args\[0\] .3,"),
    (lambda: tg.gradcheck(f, x, x), TypeError, "called <lambda> with x0 .*it is defined at"),
    (lambda: tg.gradcheck(f, RAGGED), HistoryError, r"called <lambda> with x\[0\]\[0\] \(\)"),
    (lambda: tg.gradcheck(f, x, wrt="W"), ValueError, "wrt must be .* the text 'W'; .*arguments x"),
    (lambda: tg.gradcheck(f, x, wrt=1.5), ValueError, "wrt must be names or positions.*number 1.5"),
    (lambda: tg.gradcheck(f, x, wrt=-1), ValueError, "wrt must be names or positions.*number -1"),
    (lambda: tg.gradcheck(f, x, wrt=x), ValueError, "wrt must be names or positions.*an array"),
    (lambda: tg.gradcheck(f, x, wrt=[]), ValueError, "none of the inputs of <lambda> varies"),
    (
        lambda: tg.gradcheck(f, x, points=1.5),
        TypeError,
        "points must be a whole number.*number 1.5",
    ),
    (lambda: tg.gradcheck(f, x, points="3"), TypeError, "points must be a whole number.*text '3'"),
    (lambda: tg.gradcheck(f, x, points=True), TypeError, "points must be a whole number.*True"),
    (lambda: tg.gradcheck(f, x, points=-1), ValueError, "points must be 0 or more, got -1"),
    (lambda: tg.gradcheck(f, x, rng="a"), TypeError, "gradcheck: rng must be a generator"),
    (lambda: tg.gradcheck(f, x, reset=3), TypeError, "reset must be a function without arguments"),
    (lambda: tg.gradcheck(f, x, reset=dJ), TypeError, "reset is called without arguments, but"),
    (lambda: tg.gradcheck(f, x, strict="no"), TypeError, "strict must be True or False"),
    (
        lambda: tg.gradcheck(f, x, eps=1e-6),
        TypeError,
        "no option 'eps'; there is no tolerance or st",
    ),
    (lambda: tg.gradcheck(f, x, point=3), TypeError, "no option 'point'; is points meant"),
    (lambda: tg.gradgradcheck(3, x), TypeError, "gradgradcheck: f, .* must be a function"),
    (lambda: tg.gradgradcheck(f, x, order=2), TypeError, "no option 'order'; it has points, every"),
    (lambda: tg.gradgradcheck(broken, x), RuntimeError, "gradgradcheck called broken with"),
    (lambda: tg.gradgradcheck(f, x, points=-1), ValueError, "gradgradcheck: points must be 0 or m"),
    (lambda: gradient(J, 2 * x), TypeError, r"grad_f must be a function, grad_f\(\*inputs\), got"),
    (lambda: gradient(1.0), TypeError, "f, what is to be checked, must be a function"),
    (lambda: tg.check_gradient(J, dJ), ValueError, "none of the inputs of <lambda> varies"),
    (lambda: gradient(np.square), DimensionError, r"square must .*shape \(3,\).*with check_vjp"),
    (lambda: gradient(lambda w: None), TypeError, "<lambda> must return one number.* got None"),
    (lambda: gradient(lambda w: "1"), TypeError, "<lambda> must return one number.* the text '1'"),
    (lambda: gradient(lambda w: (J(w), 2)), TypeError, "<lambda> must return .* a tuple of 2"),
    (lambda: gradient(lambda w: tg.Tensor(J(w))), HistoryError, "returned a Tensor: gradcheck"),
    (lambda: gradient(J, lambda w: None), StructureError, "what <lambda> returns must be an array"),
    (lambda: gradient(J, lambda w: "2w"), TypeError, "the gradient of w that <lambda> .*text '2w'"),
    (lambda: gradient(J, lambda w: (w, 1)), TypeError, "the gradient of w that .* a tuple of 2"),
    (lambda: gradient(J, lambda w: RAGGED), TypeError, "the gradient of w .*different shapes"),
    (lambda: gradient(J, lambda w: 2j * w), TypeError, "the gradient of w .*complex128"),
    (lambda: gradient(J, lambda w: {"dw": w}), StructureError, "got a dict of 'dw'; .*arguments w"),
    (
        lambda: gradient(J, broken),
        RuntimeError,
        r"check_gradient called broken with w \(3,\); it f",
    ),
    (
        lambda: gradient(J, lambda w, c: w),
        TypeError,
        r"called <lambda> with w \(3,\); it is defined",
    ),
    (lambda: gradient(points=1.5), TypeError, "check_gradient: points must be a whole number"),
    (
        lambda: gradient(h=1e-5),
        TypeError,
        "check_gradient has no option 'h'; there is no tolerance",
    ),
    (lambda: tg.check_vjp(np.sin, 3, x), TypeError, r"vjp_f must be a function, vjp_f\(g, \*inp"),
    (
        lambda: tg.check_vjp(sine, lambda g, x: "a", x),
        TypeError,
        "the gradient of x that <lambda>",
    ),
    (lambda: tg.check_vjp(np.sin, lambda x: x, x), TypeError, r"called <lambda> with g \(3,\), x"),
    (
        lambda: tg.check_vjp(sine, broken, x),
        RuntimeError,
        r"called broken with g \(3,\), x \(3,\)",
    ),
    (
        lambda: tg.check_vjp(lambda x: None, dJ, x),
        TypeError,
        "<lambda>: what it returns must be .*No",
    ),
    (lambda: tg.check_vjp(lambda x: RAGGED, dJ, x), TypeError, "what it returns must .*different"),
    (
        lambda: tg.check_vjp(lambda x: {"Z": x}, dJ, x),
        TypeError,
        "what it returns must .* a dict of",
    ),
    (lambda: tg.check_jvp(np.sin, 3, x), TypeError, r"jvp_f must be a function, jvp_f\(tangents,"),
    (lambda: tg.check_jvp(np.sin, lambda t, x: None, x), TypeError, "what <lambda> returns .*None"),
    (
        lambda: tg.check_jvp(np.sin, lambda t, x: RAGGED, x),
        TypeError,
        "what <lambda> returns .*diff",
    ),
    (
        lambda: tg.check_jvp(np.sin, lambda t, x: 1j * t, x),
        TypeError,
        "what <lambda> returns .*comp",
    ),
    (lambda: tg.check_jvp(sine, broken, x), RuntimeError, r"with the tangent of x \(3,\), x \(3"),
    (lambda: tg.check_jvp(np.sin, dJ, x, rngs=1), TypeError, "no option 'rngs'; is rng meant"),
    (
        lambda: tg.assert_gradients(None),
        TypeError,
        "takes a function of Tensors and its .*got None",
    ),
    (lambda: tg.assert_gradients(True, x), TypeError, "takes a function of Tensors.*got True"),
    (lambda: tg.assert_gradients(tg.gradcheck(f, x), x), TypeError, "a report is checked already"),
    (
        lambda: tg.assert_gradients(f, x, atol=1),
        TypeError,
        "no option 'atol'; there is no tolerance",
    ),
    (lambda: tg.checked(x)(3), TypeError, "@checked marks functions, got the number 3"),
]

NETWORKS = [
    (lambda: network(P), TypeError, "net must be an nn.Sequential, got a dict of 4; the order is"),
    (lambda: network(lambda X: X), TypeError, "net must be an nn.Sequential, got a function"),
    (lambda: network(net.layers[0]), TypeError, "net must be an nn.Sequential, got a Linear"),
    (lambda: network(H, net), TypeError, r"the order is check_network\(net, grads, X, Y\)"),
    (lambda: network(net, X, Y, H), TypeError, "grads must be a dict .*an array of float64; the o"),
    (lambda: network(nn.Sequential(), {}), ValueError, "the network has no parameters"),
    (
        lambda: network(X="data"),
        TypeError,
        "X must be an array of real numbers, got the text 'data'",
    ),
    (lambda: network(X=None), TypeError, "X must be an array of real numbers, got None"),
    (lambda: network(X=RAGGED), TypeError, "X must be .* whose parts have different shapes"),
    (lambda: network(X=X * np.nan), ValueError, r"X holds nan at \[0, 0\] and 14 more such entrie"),
    (lambda: network(X=X.T), DimensionError, r"W1 is \(4, 3\) but X is \(5, 3\); .*transpose it"),
    (lambda: network(X=X[:, 0]), DimensionError, r"X is \(3,\).*reshape\(-1, 1\)"),
    (lambda: network(Y=Y[:, :3]), DimensionError, r"A2 is \(1, 5\) but Y is \(1, 3\)"),
    (lambda: network(Y="labels"), TypeError, "Y must be an array of real numbers, got the text"),
    (lambda: network(loss="bce"), TypeError, r"loss must be a function, loss\(A, Y\), got the tex"),
    (lambda: network(loss=lambda A, Y: None), HistoryError, "must return a Tensor.*got None"),
    (lambda: network(loss=lambda A, Y: 1.0), HistoryError, "must return a Tensor.*the number 1"),
    (lambda: network(loss=lambda A, Y: A - Y), DimensionError, r"one number, got shape \(1, 5\)"),
    (lambda: network(loss=broken), RuntimeError, r"called broken with A2 \(1, 5\), Y \(1, 5\)"),
    (
        lambda: network(grads=None),
        TypeError,
        "grads must be a dict .* function of the outputs.*None",
    ),
    (lambda: network(grads={}), ValueError, "grads has no 'dW1'; it has nothing"),
    (lambda: network(grads=without(H, "dW1")), ValueError, "no 'dW1'; it has 'db1', 'dW2', 'db2'"),
    (lambda: network(grads=H | {"dW9": 1}), ValueError, "grads has 'dW9', .*is 'dW2' meant"),
    (lambda: network(grads=H | {"dZ9": 1}), ValueError, "grads has 'dZ9', but the network has dA0"),
    (lambda: network(grads=H | {"dW1": "a"}), TypeError, r"grads\['dW1'\] must .* the text 'a'"),
    (lambda: network(grads=broken), RuntimeError, r"called broken with outputs\[0\] \(3, 5\), out"),
    (lambda: network(grads=lambda out: None), TypeError, "what <lambda> returns must be a dict"),
    (lambda: network(grads=lambda: H), TypeError, r"called <lambda> with outputs\[0\].*defined at"),
    (lambda: check_parameters(1.0, [W]), TypeError, r"cost must be a function, cost\(\), got the"),
    (
        lambda: check_parameters(broken, [W]),
        RuntimeError,
        r"called broken with W \(2, 3\); it failed",
    ),
    (
        lambda: check_parameters(lambda: None, [W]),
        HistoryError,
        r"<lambda>\(\) must return a Tensor",
    ),
    (
        lambda: check_parameters(lambda: W * 2, [W]),
        DimensionError,
        r"one number, got shape \(2, 3\)",
    ),
    (
        lambda: check_parameters(lambda: np.sum(W), net),
        TypeError,
        "as net.parameters.. is, or Tens",
    ),
    (lambda: check_parameters(lambda: np.sum(W), W), TypeError, "parameters must .* got a Tensor"),
    (lambda: check_parameters(lambda: np.sum(W), None), TypeError, "parameters must .* got None"),
    (
        lambda: check_parameters(lambda: np.sum(W), []),
        ValueError,
        "there is no parameter that requi",
    ),
    (
        lambda: check_parameters(lambda: np.sum(W), {"W": X}),
        TypeError,
        r"parameters\['W'\] must be",
    ),
    (lambda: check_parameters(lambda: np.sum(W), [W], order=2), TypeError, "no option 'order'"),
    (lambda: fit(check_grads_every=0), ValueError, "check_grads_every must be at least 1, got 0"),
    (lambda: fit(check_grads_every=1.5), TypeError, "check_grads_every must be a whole number"),
    (lambda: fit(check_grads_every=True), TypeError, "check_grads_every must be a whole number"),
]


@pytest.mark.parametrize("case", range(len(BACKPROP + FUNCTIONS + NETWORKS)))
def test_exceptions(case):
    call, error, text = (BACKPROP + FUNCTIONS + NETWORKS)[case]
    with pytest.raises(error) as caught:
        call()
    said = "; ".join([str(caught.value), *getattr(caught.value, "__notes__", ())])
    assert re.search(text, said), said


REPORTS = [
    (
        lambda: check(G | {"dA1": G["dA1"].T}),
        WRONG,
        r"dA1: it is \(5, 4\), but A1 is \(4, 5\); it is t",
    ),
    (lambda: check(G | {"dZ2": 1.0}), WRONG, r"dZ2: it is \(\), but Z2 is \(1, 5\)\n"),
    (lambda: check(G | {"dZ2": X}, plain), WRONG, r"dZ2: it is \(3, 5\), but Z2 is \(1, 5\)\n"),
    (
        lambda: check(G | {"dA1": X, "dW1": 2 * g["dW1"]}),
        WRONG,
        r"dW1: the factor 2 too much.*right is dW1 = \(1/m\) \* dZ1 @ X.T\ndA1: it is \(3, 5\)",
    ),
    (lambda: check(G | {"dZ7": X}), RIGHT, "not checked: dZ7; show the values"),
    (lambda: check(g | {"dW1": g["dW1"].ravel()}), WRONG, r"W1 is \(4, 3\): reshape it: dW1.resh"),
    (lambda: check(G | {"dZ1": G["dZ1"].ravel()}), WRONG, r"reshape it: dZ1.reshape\(4, 5\)"),
    (lambda: check(g | {"dW1": g["dW1"].T}), WRONG, r"W1 is \(4, 3\); it is transposed"),
    (lambda: check(g | {"db1": g["db1"].ravel()}), WRONG, r"b1 is \(4, 1\): keepdims=True is miss"),
    (lambda: check(g | {"dW1": HOLE}), WRONG, r"dW1: it holds nan at \[2, 1\]\n"),
    (lambda: check(G | {"dZ2": HOLE[2:3, :1] * Y / 0}), WRONG, "dZ2: it holds (nan|-inf) at"),
    (lambda: check(g, lambda p: np.array([[plain(p)]])), RIGHT, "evaluations"),
    (lambda: check(g | {"dW1": tg.Tensor(g["dW1"])}), RIGHT, "evaluations"),
    (lambda: check(g, params={k: tg.Tensor(v) for k, v in P.items()}), RIGHT, "evaluations"),
    (lambda: check(g, rng=3), RIGHT, "evaluations"),
    (lambda: check(g, lambda p: cost(p) * np.nan), CANNOT_TELL, "the function is nan at these"),
    (lambda: check(g, lambda p: np.inf), CANNOT_TELL, "the function is inf at these inputs"),
    (
        lambda: check(g | {"dW1": 2 * g["dW1"]}, plain, X=X.T),
        WRONG,
        r"X is given as \(5, 3\), but the cost reads X \(3, 5\)",
    ),
    (lambda: check(G, plain, m=7), WRONG, "m = 7 is given, but there are 5 examples"),
    (
        lambda: tg.check_backprop(
            lambda p: np.sum(p["W1"] ** 2),
            {"W1": X, "b1": np.ones((0, 1))},
            {"dW1": 2 * X, "db1": np.ones((0, 1))},
        ),
        RIGHT,
        r"nothing to check in what is empty: db1 \(0, 1\)",
    ),
    (lambda: tg.gradcheck(f, np.ones((0, 3))), RIGHT, r"in what is empty: x \(0, 3\)"),
    (lambda: tg.gradcheck(f, np.array([1.0, np.nan])), CANNOT_TELL, r"x itself holds nan at \[1\]"),
    (lambda: tg.gradcheck(f, x, rng=3), RIGHT, "evaluations"),
    (lambda: tg.gradcheck(f, [0.5, 1]), RIGHT, r"x +\(2,\)"),
    (
        lambda: gradient(J, lambda w: 2 * w[:2]),
        WRONG,
        r"the gradient has shape \(2,\), not \(3,\)\n",
    ),
    (
        lambda: gradient(J, lambda w: 2 * w[:, None]),
        WRONG,
        r"not \(3,\); reshape it: .reshape\(3\)",
    ),
    (lambda: gradient(J, lambda w: 2 * w.sum()), WRONG, r"the gradient has shape \(\), not \(3,\)"),
    (lambda: gradient(J, lambda w: w / 0), WRONG, "the value is inf|the gradient is nan"),
    (lambda: tg.check_jvp(np.sin, lambda t, x: t[:2], x), WRONG, r"shape \(2,\), but sin returns"),
    (lambda: network(grads=H | {"dW1": H["dW1"].ravel()}), WRONG, "reshape it: dW1.reshape"),
    (lambda: network(grads=H | {"dA1": X}), WRONG, r"dA1: it is \(3, 5\), but A1 is \(4, 5\)"),
    (
        lambda: network(grads=H | {"dZ2": Y.T, "dW1": 2 * H["dW1"]}),
        WRONG,
        r"dW1: the factor 2 too much.*\n(.*\n)*dZ2: it is \(5, 1\), but Z2 is \(1, 5\)",
    ),
    (lambda: network(grads=H | {"dW1": HOLE}), WRONG, r"dW1: it holds nan at \[2, 1\]"),
]


@pytest.mark.parametrize("case", range(len(REPORTS)))
def test_reports(case):
    call, verdict, text = REPORTS[case]
    with np.errstate(all="ignore"):
        report = call()
    assert report.verdict == verdict, report
    assert re.search(text, str(report)), report


COST = "import numpy as np\ndef cost(p):\n    return np.sum(p['W'] ** 2)\n"
GIVEN = "params, grads = {'W': np.ones((2, 3))}, {'dW': 2 * np.ones((2, 3))}\n"
COURSE = """
import numpy as np
X = Y = np.ones((2, 3))
parameters = {'W1': np.ones((1, 2))}
def compute_cost(A, Y): return np.mean((A - Y) ** 2)
def backward_propagation(X): return 1
"""
FILES = [
    (None, "nofile.py", "there is no file .*nofile.py"),
    (None, "", "is a folder; name a file in it"),
    ("x = 1", "a.txt", "a.txt is no Python file"),
    ("def f(:\n", "a.py", "a.py cannot be run: line 1: SyntaxError"),
    ("1 / 0\n", "a.py", "a.py cannot be run: line 1: ZeroDivisionError"),
    ("import sys\nsys.exit(3)\n", "a.py", "a.py cannot be run: line 2: SystemExit: 3"),
    ("x = 1\n", "a.py", "there is nothing to check: mark functions"),
    ("x = 1\n", "a.py:x", "x gives the number 1; to be checked it must give a Report"),
    ("def f(): return None\n", "a.py:f", "f gives None; to be checked"),
    ("def f(x): return x\n", "a.py:f", "f takes arguments"),
    (COST, "a.py:costs", "has no costs; did you mean cost"),
    (f"{COST}params = {{}}\n", "a.py", r"\(there is cost, params, but no grads\)"),
    (f"{COST}params, grads = [1], {{}}\n", "a.py", "params must be a dict .*, got a list of 1"),
    (
        f"{COST}params, grads = {{'W': 1.0}}, [1]\n",
        "a.py",
        "grads must be a dict .*got a list of 1",
    ),
    (f"{COST}{GIVEN}grads = {{'gW': 1}}\n", "a.py", "no 'dW'; is 'gW' meant"),
    (
        f"{GIVEN}def cost(p): pass\n".join(["import numpy as np\n", ""]),
        "a.py",
        "got None; is its r",
    ),
    (
        f"{COST.replace('W', 'V')}{GIVEN}",
        "a.py",
        r"line 3: KeyError: 'V'\n  check_backprop called cost with W \(2, 3\); it failed at .*p\['",
    ),
    (
        f"import sys\n{COST}{GIVEN}".replace("return", "sys.exit(0);"),
        "a.py",
        "cannot be checked: line 4: SystemExit: 0",
    ),
    (
        "import numpy as np, tinygrad_dnn as tg\n@tg.checked([1.0, 2.0])\ndef f(x):\n"
        "    return x @ np.ones(3)\n",
        "a.py",
        r"gradcheck called f with x \(2,\); it failed at .*line 4, in f: return x @ np.ones\(3\)",
    ),
    ("{not json", "a.ipynb", "a.ipynb is no notebook that can be read"),
    ("{}", "a.ipynb", "a.ipynb is no notebook that can be read"),
    (
        f"{COURSE}def forward_propagation(X, parameters, bogus): 1",
        "a.py",
        "wants bogus, and the file",
    ),
    (
        f"{COURSE}def forward_propagation(X, parameters): return X",
        "a.py",
        "grads returns must be a d",
    ),
]


@pytest.mark.parametrize("case", range(len(FILES)))
def test_files(case, tmp_path, capsys, monkeypatch):
    content, target, text = FILES[case]
    name, colon, what = target.partition(":")
    if content is not None:
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert main(["check", f"{tmp_path / name}{colon}{what}"]) == 2
    assert re.search(text, said := capsys.readouterr().err), said


def test_functions_that_raise_beyond_their_domain_are_checked_within():
    import math

    report = gradient(lambda w: math.log(w[0]) + math.sqrt(w[1]), lambda w: [1 / w[0], 0.5], x * x)
    assert report.rows[0].verdict == WRONG
    report = gradient(
        lambda w: math.log(w[0]) + math.sqrt(w[1]),
        lambda w: [1 / w[0], 0.5 / math.sqrt(w[1])],
        np.array([0.25, 1.0]),
    )
    assert report, report


def test_a_network_has_a_picture_of_its_errors_too():
    pytest.importorskip("matplotlib").use("agg")
    wrong = np.array(H["dW1"])
    wrong[2] *= 2
    report = network(grads=H | {"dW1": wrong})
    image = report.plot().axes[0].images[0].get_array()
    red = image[..., 0] > 1.5 * image[..., 1]
    assert red[2].all()
    assert red.sum() == 3
    assert 0 < report.difference < 1
