"""Indexing, joining and rearranging beyond the case table: any index, refusals, messages."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices, integer_array_indices

import tinygrad_dnn as tg

rng = np.random.default_rng(0)
X = rng.normal(size=(3, 4, 2))
x = tg.Tensor(X)


# ---- any index ---------------------------------------------------------------------------------
@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_the_gradient_of_any_index_is_what_add_at_makes(data):
    kinds = basic_indices(X.shape, allow_newaxis=True), integer_array_indices(X.shape)
    index = data.draw(st.one_of(*kinds))
    out, back = tg.func.vjp(lambda x: x[index], X)
    np.testing.assert_array_equal(out, X[index])
    g = np.asarray(rng.normal(size=out.shape))
    expected = np.zeros(X.shape)
    np.add.at(expected, index, g)
    np.testing.assert_array_equal(back(g)[0], expected)


def part_of_an_index(n):
    """Something that indexes an axis of length ``n``."""
    places, masks = st.lists(st.integers(-n, n - 1), min_size=2, max_size=2), st.booleans()
    masks = st.lists(masks, min_size=n, max_size=n).map(np.array)
    return st.one_of(
        st.integers(-n, n - 1),
        st.slices(n),
        places,
        places.map(lambda p: np.array([p])),
        places.map(lambda p: tg.Tensor(p, requires_grad=False)),
        masks,
        masks.map(lambda m: tg.Tensor(m, requires_grad=False)),
    )


@pytest.mark.filterwarnings("ignore:Out of bound index found")  # before NumPy 2.4: of nothing
@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_an_index_of_all_sorts_of_parts(data):
    parts = [data.draw(part_of_an_index(n)) for n in X.shape[: data.draw(st.integers(1, 3))]]
    for extra in data.draw(st.lists(st.sampled_from([None, ...]), max_size=2, unique=True)):
        parts.insert(data.draw(st.integers(0, len(parts))), extra)
    index = tuple(parts)
    plain = tuple(p.data if isinstance(p, tg.Tensor) else p for p in index)
    try:
        expected = X[plain]
    except IndexError:  # these lengths do not go together
        with pytest.raises(IndexError):
            x[index]
        return
    out, back = tg.func.vjp(lambda x: x[index], X)
    np.testing.assert_array_equal(out, expected)
    g = np.asarray(rng.normal(size=out.shape))
    added, assigned = np.zeros(X.shape), X.copy()
    np.add.at(added, plain, g)
    assigned[plain] = g
    np.testing.assert_allclose(back(g)[0], added, rtol=1e-15, atol=1e-15)
    np.testing.assert_array_equal(tg.at(X)[index].set(g), assigned)
    np.testing.assert_allclose(tg.at(X)[index].add(g), X + added, rtol=1e-15, atol=1e-15)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_a_mask_of_any_rank(data):
    mask = rng.random(X.shape[: data.draw(st.integers(1, 3))]) < data.draw(st.floats(0, 1))
    found = tg.func.grad(lambda x: np.sum(x[mask] * X[mask]))(X)
    mask = mask.reshape(mask.shape + (1,) * (3 - mask.ndim))
    np.testing.assert_array_equal(found, X * mask)


def test_tensors_as_indices():
    order = np.argmax(x, axis=0)
    np.testing.assert_array_equal(x[order].data, X[order.data])
    picked = np.take_along_axis(x, np.expand_dims(order, 0), axis=0)
    np.testing.assert_array_equal(tg.grad(np.sum(picked), x), X.max(axis=0) == X)
    np.testing.assert_array_equal(x[np.nonzero(x > 0)].data, X[X > 0])
    np.testing.assert_array_equal(x[np.where(x > 0)].data, X[X > 0])
    np.testing.assert_array_equal(tg.grad(np.sum(x[x > 0]), x), X > 0)


def test_counting_by_weight():
    places, weights = np.array([0, 2, 2]), tg.Tensor([1.0, 2.0, 3.0])
    out = np.bincount(places, weights, 4)
    assert out.data.tolist() == [1, 0, 5, 0]
    assert tg.grad(np.sum(out * [1.0, 2.0, 3.0, 4.0]), weights).tolist() == [1, 3, 3]


def test_results_that_are_several_arrays_come_as_numpy_gives_them():
    for fn, kind in (
        (lambda a: np.split(a, 3), list),
        (lambda a: np.array_split(a, 2), list),
        (lambda a: np.unstack(a), tuple),
        (lambda a: np.broadcast_arrays(a, a[0]), tuple),
        (lambda a: np.meshgrid(a[0, 0], a[0, 1]), tuple),
        (lambda a: np.atleast_1d(a, a), tuple),
        (lambda a: np.nonzero(a), tuple),
    ):
        found, expected = fn(x), fn(X)
        assert type(found) is type(expected) is kind
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a.data, b, strict=True)


def test_an_integer_result_stays_integer():
    labels = tg.Tensor([[1, 2], [3, 4]], requires_grad=False)
    for fn in (np.flip, np.diag, np.tril, np.copy, np.vstack, lambda a: np.full_like(a, 2.7)):
        np.testing.assert_array_equal(fn(labels).data, fn(labels.data), strict=True)


# ---- what is refused, and what is wrong ----------------------------------------------------------
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: np.split(x, 2), r"axis 0 of shape \(3, 4, 2\) .* 2 equal parts; np.array_split"),
        (lambda: np.pad(x, 1, "empty"), "takes as mode one of 'constant', .*, got 'empty'; "),
        (lambda: np.rot90(x, axes=(0, 0)), r"a plane of two axes, got axes=\(0, 0\)"),
        (lambda: np.rollaxis(x, 0, 7), "start=7, but the array has 3 axes"),
        (lambda: np.meshgrid(x[0, 0], indexing="yx"), "indexing is 'xy' or 'ij', got 'yx'"),
        (
            lambda: np.take_along_axis(x, np.array([0]), -1),
            r"shape \(1,\), but the array has \(3, 4",
        ),
        (lambda: np.vstack([x], dtype=np.float32), "np.vstack on Tensors takes no dtype"),
        (lambda: np.hstack([x], casting="no"), "np.hstack on Tensors takes no casting"),
    ],
)
def test_what_is_refused_says_what_to_do(call, message):
    with pytest.raises((NotImplementedError, ValueError, TypeError), match=message):
        call()


@pytest.mark.parametrize("index", [5, (0, 0, 0, 0), np.array([3]), slice(0, 2, 0)])
def test_an_index_outside_is_numpys_error_with_the_call_noted(index):
    with pytest.raises((IndexError, ValueError)) as caught:
        x[index]
    assert "in getitem(a Tensor (3, 4, 2)" in "".join(caught.value.__notes__)


def test_take_outside():
    with pytest.raises(IndexError, match="out of bounds"):
        np.take(x, [7], axis=1)


def test_assigning_entries_is_refused():
    with pytest.raises(TypeError, match="entries cannot be assigned"):
        x[0] = 1.0


# ---- places outside ------------------------------------------------------------------------------
@pytest.mark.parametrize("mode", ["raise", "wrap", "clip"])
@pytest.mark.parametrize("places", [[], [0.5], (1, 2), 1, [[2, 0]], [-5, 7]])
def test_places_in_a_list_are_those_of_numpy(mode, places):
    if mode == "raise" and places == [-5, 7]:
        with pytest.raises(IndexError, match="out of bounds"):
            np.take(x, places, axis=1)
        return
    expected = np.take(X, places, axis=1, mode=mode)
    np.testing.assert_array_equal(np.take(x, places, axis=1, mode=mode).data, expected)


@pytest.mark.parametrize("jit", [lambda f: f, tg.jit])
def test_choices_are_not_counted_from_the_end(jit):
    t, u = tg.Tensor([1.0, 2.0, 3.0]), tg.Tensor([4.0, 5.0, 6.0])
    choose = jit(lambda a: np.choose(a, [t, u]))
    for a in ([0, 1, 1], [1, 0, 0], [True, False, True]):
        found = choose(np.array(a)).data
        np.testing.assert_array_equal(found, np.choose(a, [t.data, u.data]))
    with pytest.raises(IndexError, match="out of bounds for axis 0 with size 2"):
        choose(np.array([0, -1, 1]))
