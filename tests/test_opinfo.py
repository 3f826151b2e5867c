"""Every operation on PyTorch's own samples, frozen in a file: values and gradients."""

from collections import defaultdict

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.opinfo import frozen
from tests.opinfo.adapter import ADAPTER, FAMILIES
from tests.opinfo.battery import Tally
from tests.opinfo.compare import Unsupported, mismatches
from tests.opinfo.reviewed import INTENDED, reviewed
from tests.opinfo.sample import Sample, Slot, filled
from tinygrad_dnn.graph import ancestors
from tinygrad_dnn.primitives import RULES, Each

SAMPLES = defaultdict(list)
for _sample in frozen.load():
    SAMPLES[_sample.op].append(_sample)


@pytest.mark.parametrize("name", SAMPLES)
def test_an_operation_agrees_with_pytorch(name):
    for sample in SAMPLES[name]:
        for mismatch in mismatches_of(sample):
            assert reviewed(sample, mismatch), f"{sample}: {mismatch.kind}, {mismatch.text}"


def mismatches_of(sample):
    tally = Tally()
    found = tally.run(sample)
    assert not tally.missing, f"{sample}: {next(why for _, why in tally.missing)}"
    if tally.unsupported:
        pytest.skip("this sample needs a library that is not installed")
    return found


def test_the_file_is_small_and_holds_no_pickles():
    assert frozen.FILE.stat().st_size < 500_000
    with np.load(frozen.FILE, allow_pickle=False) as file:
        assert all(file[name].dtype.kind in "fiub" for name in file.files)


def test_no_operation_is_in_two_families():
    assert sum(len(family) for family in FAMILIES.values()) == len(ADAPTER)


def test_every_difference_has_its_operation_and_a_reason():
    for difference in INTENDED:
        assert set(difference.operations) <= set(ADAPTER)
        assert difference.reason


# ---- the battery bites -----------------------------------------------------------------------
def rules_of(sample):
    """The rules that the gradients of a sample go through."""
    leaves = [
        tg.Tensor(a, requires_grad=i in sample.differentiated) if a.dtype.kind == "f" else a
        for i, a in enumerate(sample.arrays)
    ]
    inputs, args, kwargs = filled(sample.call, leaves)
    with np.errstate(all="ignore"):
        out = ADAPTER[sample.op](inputs, *args, **kwargs)
    outs = out if isinstance(out, tuple | list) else [out]
    ends = [y.node for y in outs if isinstance(y, tg.Tensor)]
    return {node.fn for node in ancestors(*ends) if node.fn and node.needs_grad}


def scaled(rule):
    """A rule's vjps, each wrong by one in a thousand."""

    def wrong(vjp):
        return vjp and (lambda *args, **kwargs: 1.001 * vjp(*args, **kwargs))

    if isinstance(rule.vjps, Each):
        whole = rule.vjps.f
        return Each(lambda *args, **kwargs: 1.001 * whole(*args, **kwargs))
    return tuple(wrong(vjp) for vjp in rule.vjps)


def reaching():
    """For every rule that the samples go through: the samples that do."""
    users = defaultdict(list)
    for samples in SAMPLES.values():
        for sample in samples:
            if sample.differentiated and any(np.any(g) for g in sample.gradients if g is not None):
                try:
                    for fn in rules_of(sample):
                        users[fn].append(sample)
                except (Unsupported, ValueError):  # a reviewed difference
                    continue
    return users


def test_a_rule_wrong_by_a_thousandth_is_noticed(monkeypatch):
    survivors = []
    for fn, samples in reaching().items():
        with monkeypatch.context() as patch:
            patch.setattr(RULES[fn], "vjps", scaled(RULES[fn]))
            samples = sorted(samples, key=lambda s: s.size)[-20:]
            if not any(m for s in samples for m in mismatches_of(s)):
                survivors.append(fn.__name__)
    assert survivors == []


def sample_of_square(**changes):
    x = np.array([1.0, -2.0, 3.0])
    given = {
        "op": "square",
        "number": 0,
        "call": (Slot(0), (), {}),
        "arrays": [x],
        "differentiated": [0],
        "outputs": [x**2],
        "active": [0],
    }
    sample = Sample(**given | changes)
    sample.gradients = changes.get("gradients") or [2 * x * sample.cotangents[0]]
    return sample


@pytest.mark.parametrize(
    ("fn", "kind"),
    [
        (np.square, None),
        (lambda x: x**3, "value"),
        (lambda x: (x, x), "outputs"),
        (lambda x: (x**2)[:, None], "value shape"),
        (lambda x: (x**2).astype(np.float32), "value dtype"),
        (lambda x: x * x.data, "gradient"),
        (lambda x: x.data**2, "gradient"),
        (lambda x: np.where(x > 0, np.nan, x**2), "value"),
        (lambda x: np.square(x) if x.data.fill(0) else x**2, "value"),
    ],
)
def test_every_kind_of_mismatch_is_found(fn, kind):
    found = {m.kind for m in mismatches(fn, sample_of_square())}
    assert kind in found if kind else not found


def test_a_changed_input_is_found():
    def fn(x):
        y = x**2
        x.data[...] = 0
        return y

    assert any(m.kind == "input changed" for m in mismatches(fn, sample_of_square()))


# ---- samples and their file ------------------------------------------------------------------
def test_a_sample_survives_its_file(tmp_path):
    kwargs = {"a": slice(1, None, 2), "b": ..., "c": np.dtype("float32"), "d": float("-inf")}
    call = (Slot(0), ([Slot(1), None], ("text", 2, True)), kwargs)
    arrays = [np.eye(2), np.zeros((0, 3), np.int64)]
    given = Sample("op", 7, call, arrays, [0], [np.float32(3).reshape(())], [0], [None])
    frozen.save([given], tmp_path / "one.npz")
    (read,) = frozen.load(tmp_path / "one.npz")
    assert read.call == call
    assert str(read) == str(given)
    for a, b in zip([*arrays, *given.outputs], [*read.arrays, *read.outputs], strict=True):
        np.testing.assert_array_equal(a, b, strict=True)
    assert (read.number, read.differentiated, read.active) == (7, [0], [0])
    assert read.gradients == [None]


def test_a_sample_shows_its_call():
    sample = sample_of_square(call=(Slot(0), (2,), {"axis": (0, 1)}))
    assert str(sample) == "square[0](d[3], 2, axis=(0, 1))"


def test_cotangents_depend_on_the_sample_alone():
    one, another = sample_of_square(), sample_of_square(number=1)
    np.testing.assert_array_equal(one.cotangents, sample_of_square().cotangents)
    assert not np.array_equal(one.cotangents, another.cotangents)


def test_most_operations_are_frozen_with_gradients():
    with_gradients = [n for n, samples in SAMPLES.items() if any(s.differentiated for s in samples)]
    assert len(with_gradients) > 300
