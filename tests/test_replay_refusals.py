"""What tg.jit refuses, in words: what was called, where, and what to do instead."""

import copy
import io
import math
import pickle

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_replay import plain
from tinygrad_dnn import nn
from tinygrad_dnn.errors import HistoryError, ReplayError

X = np.arange(1.0, 5.0).reshape(2, 2)
Y = np.array([0, 2, 1])
TABLE = np.eye(3)
PLACE = r"test_replay_refusals\.py:\d+"


def stores_rows(x):
    rows = np.zeros((2, 2))
    rows[0] = x[0]
    return rows


def stores_a_number(x):
    entries = np.zeros(2)
    entries[0] = x[0, 0]
    return entries


ENTRIES = {
    "table[y]": (lambda y: TABLE[y], Y, r"gives TABLE\[y\], at .* pass the table as an argument"),
    "np.eye": (lambda y: np.eye(3)[y], Y, r"gives np\.eye\(3\)\[y\], at .* nn\.one_hot\(y, n\)"),
    "take": (lambda y: np.take(TABLE, y), Y, r"gives np\.take, at .* np\.take_along_axis"),
    "method": (lambda y: TABLE.take(y), Y, r"gives TABLE\.take, at .* np\.take_along_axis"),
    "asarray": (lambda x: np.asarray(x), X, "an array already: use x"),
    "contiguous": (lambda x: np.ascontiguousarray(x.T), X, r"an array already: .* x\.copy\(\)"),
    "array": (lambda x: np.array([x.sum(), 1.0]), X, r"np\.array, at .* np\.stack"),
    "full": (lambda x: np.full(3, x.sum()), X, r"np\.full, at .* np\.broadcast_to"),
    "dot": (lambda x: X.dot(x), X, r"gives X\.dot, at .* NumPy's functions of arrays"),
    "mask": (lambda x: X[x > 1], X, r"calls X\[x > 1\] at .* whose shape differs"),
    "row": (stores_rows, X, "writes a recorded value into an array of its own"),
    "entry": (stores_a_number, X, "writes a recorded value into an array of its own"),
    "iterator": (lambda x: np.fromiter(iter(x[0]), float), X, "asks for a number"),
}


@pytest.mark.parametrize("case", ENTRIES)
def test_entries_of_an_array_that_are_asked_for(case):
    f, x, wanted = ENTRIES[case]
    with pytest.raises(ReplayError, match=wanted) as error:
        plain(f)(x)
    error.match(PLACE)


@pytest.mark.parametrize(
    "f",
    [
        lambda y, table: table[y],
        lambda y, table: np.take(table, y, axis=0),
        lambda y, _: np.take_along_axis(TABLE, y[:, None], axis=0),
        lambda y, _: nn.one_hot(y, 3).T,
    ],
    ids=["argument", "take", "along axis", "one-hot"],
)
def test_what_to_do_instead_of_a_table_of_constants(f):
    rows = plain(f)
    for y in (Y, Y[::-1], Y * 0):
        np.testing.assert_array_equal(rows(np.array(y), TABLE), TABLE[y])


def test_a_tensor_is_a_table_too():
    table = tg.Tensor(TABLE, requires_grad=False)
    rows = plain(lambda y: table[y])
    for y in (Y, Y[::-1], Y * 0):
        np.testing.assert_array_equal(rows(np.array(y)).data, TABLE[y])


@pytest.mark.parametrize(
    "f",
    [lambda x: print(x), lambda x: str(x), lambda x: f"{x}", lambda x: pickle.dumps(x)],
    ids=["print", "str", "f-string", "pickle"],
)
def test_what_would_be_shown_or_kept_once(f):
    with pytest.raises(ReplayError, match=rf"asks for a number .* at .*{PLACE}"):
        plain(f)(X)


def test_a_tensor_that_would_be_printed_once():
    net = nn.Linear(2, 1, rng=np.random.default_rng(0))
    with pytest.raises(ReplayError, match=rf"gives print, at .*{PLACE}.* do that outside"):
        plain(lambda x: print(net(x)))(X)


def test_a_symbol_says_what_it_is():
    told = []
    plain(lambda x: told.append(repr(x)))(X)
    assert told[0].startswith("Symbol((2, 2) float64 in <lambda>")


MEANT = {"matrix": lambda x: x.view(np.matrix), "masked": lambda x: np.ma.masked_greater(x, 2.0)}


@pytest.mark.parametrize("kind", MEANT)
def test_arrays_that_mean_something_else(kind):
    other = MEANT[kind](X)
    for f in (lambda a: a * 2, lambda a: X + a):
        with pytest.raises(HistoryError, match=r"an argument of <lambda>: "):
            plain(f)(other)
    for f in (lambda x: x * other, lambda x: np.hypot(other, x)):
        with pytest.raises(HistoryError, match=r"np\.(multiply|hypot) in <lambda>: "):
            plain(f)(X)


def test_a_copy_of_a_network_inside():
    net = nn.Linear(2, 1, rng=np.random.default_rng(0))

    def f(x):
        other = copy.deepcopy(net)
        other.W.data += 1
        return other(x) - net(x)

    for x in (X, X + 1, X * 3):
        np.testing.assert_allclose(plain(f)(x).data, f(x).data, rtol=1e-15)


def test_another_container_is_named():
    class Pair:
        def __init__(self, first):
            self.first = first

    pair = plain(lambda x: Pair(x * 2))(X)
    with pytest.raises(ReplayError, match=r"in dicts, lists and tuples: .* other objects"):
        pair.first + 1


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x, n: x * math.cos(n), r"calls math\.cos, at .*: np\.cos$"),
        (lambda x, n: x[:n], "takes a number that differs .* for an index, a size"),
        (lambda x, n: [0.0, 1.0][n] * x, "takes a number that differs .* for an index, a size"),
        (
            lambda x, n: sum(x for _ in range(n)),
            "takes a number that differs .* for an index, a size",
        ),
        (lambda x, n: np.save(io.BytesIO(), x), r"calls np\.save at .*refusals\.py:\d+, which a"),
        (lambda x, n: np.savetxt(io.StringIO(), x), r"calls np\.savetxt at .*, which a replay"),
    ],
)
def test_what_is_wanted_is_said(f, message):
    with pytest.raises(ReplayError, match=message):
        plain(f)(np.ones(3), np.int64(1))


def test_an_object_that_is_called_is_named():
    class Network:
        def __call__(self, x):
            return x if x[0] > 0 else -x

    with pytest.raises(ReplayError, match=r"^Network asks for a number"):
        plain(Network())(np.ones(2))


def test_who_goes_back_from_a_result_is_told_that_it_has_no_history():
    W = tg.Tensor(np.ones(2))
    J = plain(lambda x: np.sum(W * x))(np.ones(2))
    with pytest.raises(HistoryError, match=r"outside no_grad\(\), tg\.jit$"):
        J.backward()
