"""Nested containers: taken apart, put together, compared."""

from collections import OrderedDict, defaultdict
from typing import NamedTuple

import pytest

from tinygrad_dnn.containers import items, leaves, mapped, matched, rebuilt
from tinygrad_dnn.errors import StructureError


class Layer(NamedTuple):
    W: object
    b: object


TREES = [
    1,
    [],
    {},
    None,
    [1, (2, 3), {"a": 4, "b": [None, 5]}],
    Layer(1, Layer(2, None)),
    ({"W1": 1}, [2, [3, [4]]]),
]


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_what_is_taken_apart_can_be_put_together(tree):
    again = rebuilt(tree, leaves(tree))
    assert again == tree
    assert type(again) is type(tree)
    doubled = mapped(lambda x: 2 * x, tree)
    assert leaves(doubled) == [2 * x for x in leaves(tree)]
    assert matched(doubled, tree, "it") == leaves(doubled)


def test_a_path_is_what_python_writes():
    tree = {"layers": [{"W": 1}, {"W": 2}]}
    paths = [path for path, _ in items(tree, "tree")]
    assert paths == ["tree['layers'][0]['W']", "tree['layers'][1]['W']"]
    assert [eval(path, {"tree": tree}) for path in paths] == [1, 2]


def test_dicts_are_matched_by_key_and_sequences_by_position():
    assert matched({"b": 2, "a": 1}, {"a": 0, "b": 0}, "it") == [1, 2]
    assert matched([1, (2,)], (0, [0]), "it") == [1, 2]
    assert matched([[1, 2]], [0], "it") == [[1, 2]]  # a list of numbers can be an array


@pytest.mark.parametrize(
    ("tree", "like", "message"),
    [
        ({"a": 1}, {"a": 0, "b": 0}, r"it must be a dict of 'a', 'b', got a dict of 'a'$"),
        ([1], {"a": 0}, r"it must be a dict of 'a', got a list of 1$"),
        ({"x": [1, 2]}, {"x": [0]}, r"it\['x'\] must have 1 parts, got a list of 2$"),
        (1, [0], r"it must have 1 parts, got int$"),
        ([{}], [0], r"it\[0\] must be an array, got a dict of nothing$"),
        ([None], [0], r"it\[0\] must be an array, got NoneType$"),
        ([1], [None], r"it\[0\] must be None, got int$"),
    ],
)
def test_another_structure_is_an_error(tree, like, message):
    with pytest.raises(StructureError, match=message):
        matched(tree, like, "it")


def test_a_dict_of_another_kind_stays_one():
    tree = OrderedDict(b=1, a=defaultdict(list, c=2))
    new = rebuilt(tree, "xy")
    assert new == {"b": "x", "a": {"c": "y"}}
    assert list(new) == ["b", "a"]
    assert (type(new), type(new["a"]), new["a"].default_factory) == (OrderedDict, defaultdict, list)
    assert tree == {"b": 1, "a": {"c": 2}}


def test_a_dict_that_cannot_be_changed_becomes_one_that_can():
    class Fixed(dict):
        def update(self, *_):
            raise TypeError("fixed")

    new = rebuilt(Fixed(a=1), "x")
    assert (type(new), new) == (dict, {"a": "x"})
