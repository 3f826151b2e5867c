"""Where a Tensor may become a plain number, and where that would silently lose its derivative."""

import array
import math
from fractions import Fraction

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn.errors import HistoryError

J = tg.Tensor(2.5, name="J")
Z = tg.Tensor(1 + 2j)


# ---- wanted ----------------------------------------------------------------------------------
def test_a_number_for_people():
    assert (float(J), complex(J), int(J), J.item()) == (2.5, 2.5, 2, 2.5)
    assert complex(Z) == 1 + 2j
    assert f"{J:.3f} {J:.1e} %.1f" % J == "2.500 2.5e+00 2.5"
    assert [math.sqrt(2 * J * 5), round(float(J))] == [5, 2]
    assert [round(J).item(), round(J * 1.11, 1).item()] == [2, 2.8]
    assert sorted([J, J / 2, 3 * J], key=float)[0].item() == 1.25
    assert J > 2
    assert not math.isnan(J)


def test_numbers_without_a_derivative_go_wherever_they_like():
    history = np.zeros(4)
    with tg.no_grad():
        history[0] = J * 2
    history[1] = J.detach()
    history[2] = J.item()
    history[3] = tg.Tensor(7, requires_grad=False)
    assert history.tolist() == [5, 2.5, 2.5, 7]
    assert np.sum(history, initial=J.detach()) == 19.5


def test_conversions_that_are_asked_for_in_so_many_words():
    assert np.float64(J) == 2.5
    assert np.fromiter(map(float, [J, J]), float).tolist() == [2.5, 2.5]
    assert np.fromiter((float(j) for j in (J, J)), float).tolist() == [2.5, 2.5]
    assert max(map(float, (J, J / 2))) == math.fsum([J]) == 2.5
    assert eval("float(J)") == 2.5  # no source to look at


def test_an_array_of_objects_keeps_tensors():
    parts = np.empty(2, object)
    parts[0], parts[1] = J * 2, J * 3
    assert tg.grad(np.sum(parts), J) == 5


# ---- accidents -------------------------------------------------------------------------------
def refusal(call):
    """What is said about it, also where NumPy puts an error of its own on top."""
    with pytest.raises((HistoryError, ValueError)) as caught:
        call()
    error = caught.value if isinstance(caught.value, HistoryError) else caught.value.__cause__
    assert isinstance(error, HistoryError)
    return str(error)


@pytest.mark.parametrize(
    "place", [np.zeros(2), np.zeros(2, complex), np.zeros(2, np.int64), array.array("d", [0, 0])],
    ids=["float", "complex", "int", "array.array"],
)  # fmt: skip
def test_an_entry_of_a_plain_array(place):
    def write():
        place[1] = J * 2

    if getattr(place, "dtype", None) == np.int64:
        write()  # a step function: nothing is lost
        assert place[1] == 5
        return
    message = refusal(write)
    assert "would be written into a plain array as a number, and lose its history" in message
    assert "np.stack" in message
    assert "x.item() is the number, on purpose" in message
    assert place[1] == 0


def test_several_entries_of_a_plain_array():
    out = np.zeros(3)

    def write(index, value):
        out[index] = value

    for index in (slice(2), [0, 1], ..., out == 0):
        assert "turning a Tensor into an array" in refusal(lambda i=index: write(i, J))
    assert "turning a Tensor into an array" in refusal(lambda: write(slice(2), [J, J]))
    assert "np.dot(a, x) is a.dot(x)" in refusal(lambda: np.ones(2).dot(tg.Tensor([1.0, 2.0])))
    assert "np.block make one Tensor of several" in refusal(lambda: np.array([J, J]))
    assert not out.any()


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.sum(x, initial=J),
        lambda x: np.max(x, initial=J),
        lambda x: np.prod(x, initial=J),
        lambda x: x.sum(initial=J),
        lambda x: x.mean(where=[True, False, True]) + np.add.reduce(x) + x.max(initial=J),
        lambda x: np.add.reduce(x, initial=J),
        lambda x: np.fromiter([J, J * 2], float),
        lambda x: np.fromiter((J for _ in range(3)), float),
        lambda x: x.fill(J),
        lambda x: np.multiply.reduce(
            x,
            initial=J,
        ),
    ],
)
def test_a_tensor_that_numpy_itself_asks_for_a_number(call):
    message = refusal(lambda: call(np.ones(3)))
    assert "J would become a constant inside NumPy's" in message
    assert "np.sum(x) + t" in message


TRANSFORMED = [
    tg.func.grad,
    lambda f: lambda x: tg.func.jvp(f, [x], [x]),
    tg.func.hessian,
    lambda f: lambda x: tg.func.vjp(f, x),
    lambda f: lambda x: tg.gradcheck(f, x),
]


@pytest.mark.parametrize("transform", TRANSFORMED)
@pytest.mark.parametrize(
    "f",
    [
        lambda x: math.exp(x) * x,
        lambda x: x * float(x),
        lambda x: x * complex(x).real,
    ],
)
def test_a_float_inside_a_function_that_is_being_differentiated(transform, f):
    message = refusal(lambda: transform(f)(np.array(2.0)))
    assert "would become a constant inside a function that is being differentiated" in message
    assert "np.exp, not math.exp" in message


@pytest.mark.parametrize("transform", TRANSFORMED)
def test_numpy_is_named_inside_such_a_function_too(transform):
    f = lambda x: x * np.add.reduce(np.ones(2), initial=x)
    assert "inside NumPy's reduce" in refusal(lambda: transform(f)(np.array(2.0)))


def test_a_scalar_of_numpys_inside_such_a_function():
    message = refusal(lambda: tg.func.grad(lambda x: x * np.float64(x))(np.array(2.0)))
    assert "would silently drop its history" in message


def test_what_such_a_function_may_do_all_the_same():
    seen = []

    def f(x):
        seen.append((x.item(), f"{x:.1f}", float(x.detach()), int(x), bool(x > 1)))
        with tg.no_grad():
            seen.append(float(x * 2))
        return x * x.item() if x > 1 else -x

    assert tg.func.grad(f)(np.array(3.0)) == 3
    assert seen == [(3, "3.0", 3, 3, True), 6]
    assert float(J) == 2.5  # outside again


def test_a_rule_that_calculates_with_plain_numbers():
    @tg.primitive
    def power_of_e(x):
        return math.exp(x)

    tg.elementwise(power_of_e, lambda out, x: math.exp(x))
    x = tg.Tensor(2.0)
    assert tg.grad(power_of_e(x), x) == math.exp(2)
    message = refusal(lambda: tg.grad(power_of_e(x), x, create_graph=True))
    assert "np.exp, not math.exp" in message
    assert "np.exp, not math.exp" in refusal(lambda: tg.func.hvp(power_of_e, x, np.array(1.0)))
    assert float(x) == 2


def test_an_error_leaves_nothing_switched_on():
    with pytest.raises(HistoryError):
        tg.func.grad(lambda x: math.exp(x))(np.array(1.0))
    assert math.exp(J) == math.exp(2.5)


# ---- what has no derivative ------------------------------------------------------------------
def test_places_counts_and_masks_become_arrays():
    x = tg.Tensor([1.0, -2.0, 3.0])
    labels = np.array([5, 6, 7])
    assert labels[x > 0].tolist() == [5, 7]
    assert labels[np.argsort(x)].tolist() == [6, 5, 7]
    assert np.asarray(x > 0).dtype == bool
    assert not np.asarray(np.argsort(x)).flags.writeable
    assert np.array(np.argsort(x), float).dtype == float
    np.testing.assert_array_equal(np.argmax(x), 2)
    np.testing.assert_array_equal(np.insert(x, np.argsort(x)[:1], 7.0).data, [1, 7, -2, 3])
    np.testing.assert_array_equal(np.insert(x, [], []).data, x.data)


# ---- what a Tensor does not have -------------------------------------------------------------
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: x.exp(), r"a Tensor has no exp; use np\.exp\(x\)"),
        (lambda x: x.sort(), r"a Tensor has no sort; use np\.sort\(x\)"),
        (lambda x: x.resize(3), r"a Tensor has no resize; use np\.tile, np\.reshape or np\.pad"),
        (lambda x: x.put(0, 1.0), r"a Tensor has no put; .*build a new array with np\.where"),
        (lambda x: x.strides, r"a Tensor has no strides; x\.data\.strides is that of its array"),
        (lambda x: x.numpy(), r"a Tensor has no numpy; its array is x\.data"),
        (lambda x: x.at[0].set(1.0), r"a Tensor has no at; tg\.at\(x\)\[index\]\.set\(value\)"),
    ],
)
def test_a_method_that_is_not_there(call, message):
    with pytest.raises(AttributeError, match=message):
        call(tg.Tensor([1.0, 2.0]))


def test_an_array_changed_in_place_by_a_tensor():
    total = np.zeros(2)
    with pytest.raises(
        HistoryError, match=r"write y = np\.add.* a = a \+ t for a \+= t of an array"
    ):
        total += tg.Tensor([1.0, 2.0])
    assert not total.any()


def test_questions_about_tensors_in_a_list():
    x = tg.Tensor([1.0, 2.0])
    assert np.array_equal([x[0], x[1]], [1.0, 2.0])
    assert not np.array_equal([x[0], x[1]], [1.0, 3.0])
    assert np.array_equiv([x[0], x[1]], [[1.0, 2.0], [1.0, 2.0]])
    assert np.allclose([x[0], x[1]], x.data)
    assert np.isclose([x], [[1.0, 3.0]]).tolist() == [[True, False]]
    assert "would silently drop" in refusal(lambda: np.linalg.norm([x[0], x[1]]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: x * Fraction(1, 2), r"np\.multiply\(x \(2,\), Fraction\(1, 2\)\)"),
        (lambda x: x + np.array([1, 2], object), r"np\.add\(x \(2,\), an array \(2,\)\)"),
    ],
)
def test_what_numpy_makes_objects_of(call, words):
    with pytest.raises(HistoryError, match=words + ".* array of objects .* as float"):
        call(tg.Tensor([1.0, 2.0], name="x"))


# ---- arrays of other kinds -------------------------------------------------------------------
KINDS = [
    (lambda a: a.view(np.matrix), r"of a np\.matrix \* is the product of matrices.*np\.asarray"),
    (lambda a: np.ma.array(a, mask=a > 1), r"a masked array would lose its mask; give a\.data"),
]


@pytest.mark.parametrize(("kind", "words"), KINDS)
def test_arrays_on_which_the_rules_would_be_wrong(kind, words):
    data = np.array([[1.0, 2.0], [3.0, 4.0]])
    x, other = tg.Tensor(data, name="x"), kind(data)
    for call in (
        lambda: tg.Tensor(other),
        lambda: setattr(x, "data", other),
        lambda: x * other,
        lambda: x @ other,
        lambda: np.hypot(x, other),
    ):
        with pytest.raises(HistoryError, match=words):
            call()
    with pytest.raises(HistoryError):
        other * x


def test_arrays_of_a_kind_of_ones_own_are_arrays():
    class Own(np.ndarray):
        pass

    data = np.array([[1.0, 2.0], [3.0, 4.0]])
    x = tg.Tensor(data)
    np.testing.assert_array_equal(tg.grad(np.sum(x * data.view(Own)), x), data)
    y = tg.Tensor(data.view(Own))
    np.testing.assert_array_equal(tg.grad(np.sum(y * y), y), 2 * data)
