"""Everything NumPy lets other arrays handle is differentiated, constant, or refused with advice."""

import runpy
from operator import attrgetter
from pathlib import Path

import numpy as np
import numpy.char
import numpy.polynomial
import numpy.strings  # these three are not loaded by NumPy itself
import pytest
from numpy.testing.overrides import (
    get_overridable_numpy_array_functions,
    get_overridable_numpy_ufuncs,
)

import tinygrad_dnn as tg
from tests.cases import CASES
from tinygrad_dnn.errors import HistoryError, MissingRuleError
from tinygrad_dnn.primitives import COMPOSITES, REFUSED, RULES
from tinygrad_dnn.recording import advice_on, name_of, record
from tinygrad_dnn.rules.steps import QUESTIONS

DOCS = Path(__file__).parent.parent / "docs"


def takes_floats(ufunc):
    return any("d" in kinds.partition("->")[0] for kinds in ufunc.types)


def overridable():
    """All that NumPy dispatches, but its private helpers and what takes no floats at all."""
    functions = get_overridable_numpy_array_functions()
    ufuncs = {
        u
        for u in get_overridable_numpy_ufuncs()
        if takes_floats(u) and getattr(np, u.__name__, None) is u
    }
    return functions | ufuncs


def classes(fn):
    name = name_of(fn)
    refused = name in REFUSED or name.rpartition(".")[0] in REFUSED
    return [
        kind
        for kind, so in [
            ("rule", fn in RULES and not RULES[fn].constant),
            ("constant", fn in RULES and RULES[fn].constant),
            ("formula", fn in COMPOSITES),
            ("refused", refused),
        ]
        if so
    ]


def test_every_function_that_numpy_dispatches_is_classified_once():
    found = {}
    for fn in overridable():  # np.full is there twice: as it is called, and as like= reaches it
        found.setdefault(name_of(fn), set()).update(classes(fn))
    found.pop("np.in1d", None)  # deprecated, and gone since NumPy 2.4
    wrong = {name: kinds for name, kinds in found.items() if len(kinds) != 1}
    assert not wrong
    assert len(found) > 300


def test_nothing_is_refused_that_does_not_exist():
    for name in REFUSED:
        assert attrgetter(name.partition(".")[2])(np.ufunc if name.startswith("ufunc.") else np)


def test_every_formula_is_called_by_a_case(monkeypatch):
    called = set()

    def seen(fn, definition):
        def call(*args, **kwargs):
            called.add(fn)
            return definition(*args, **kwargs)

        return call

    for fn, definition in COMPOSITES.items():
        monkeypatch.setitem(COMPOSITES, fn, seen(fn, definition))
    for case in CASES:
        case.call(*map(tg.Tensor, case.args))
    without = {*QUESTIONS, np.empty_like, np.nonzero, np.lexsort}
    missed = {name_of(fn) for fn in set(COMPOSITES) - called - without}
    methods = {name for name in missed if name.count(".") == 2 and "linalg" not in name}
    assert missed - methods == set()


def test_the_page_of_operations_is_current():
    generated = runpy.run_path(str(DOCS / "generate.py"))["page"]()
    page = (DOCS / "operations.md").read_text()
    assert page == generated, "run: python docs/generate.py"


# ---- what a refusal says ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("call", "advice"),
    [
        (lambda x: np.unique(x), r"np\.unique; .* call it on x\.data"),
        (lambda x: np.copyto(np.zeros(2), x), r"np\.copyto; it writes into its first argument"),
        (lambda x: np.frexp(x), r"np\.frexp; it has two results; take the exponent"),
        (lambda x: np.subtract.reduce(x), r"np\.subtract\.reduce; say it step by step"),
        (lambda x: np.zeros(2, like=x), r"np\.zeros; its like= .* tg\.Tensor"),
        (lambda x: np.lib.scimath.sqrt(x), r"np\.lib\.scimath\.sqrt; use np of the same name"),
        (lambda x: np.resize(x, 3), r"np\.resize; use np\.tile"),
        (lambda x: np.save("nowhere", x), r"np\.save; .* give it x\.data"),
        (lambda x: np.gcd(x, x), r"np\.gcd; register one .* x\.data"),
    ],
)
def test_a_refusal_says_what_to_do(call, advice):
    with pytest.raises(MissingRuleError, match=rf"no derivative rule for {advice}"):
        call(tg.Tensor([1.0, 2.0]))


def test_in_place_methods_of_ufuncs_point_to_at():
    assert advice_on(np.add.at) == REFUSED["ufunc.at"]
    with pytest.raises(MissingRuleError, match=r"np\.add\.at; .* use tg\.at"):
        record(tg.Tensor, np.add.at, (tg.Tensor([1.0]), 0, 1.0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: np.quantile(x, 1.5), "got q=1.5; quantiles lie between 0 and 1"),
        (lambda x: np.quantile(x, 0.5, method="middle"), "method= one of linear, lower"),
        (lambda x: np.gradient(x, 1.0, 2.0), "got 2 spacings for 1 axes"),
        (lambda x: np.gradient(x, edge_order=3), "edge_order=3; it takes 1 or 2"),
        (lambda x: np.gradient(x[:1]), "axis of length 1: edge_order=1 needs at least 2"),
        (lambda x: np.diff(x, -1), "n=-1; it takes a number of times"),
        (lambda x: np.cumulative_sum(x.reshape(2, 1)), r"shape \(2, 1\) needs axis="),
        (lambda x: np.average(x, weights=[1.0]), r"weights have shape \(1,\), but the array"),
        (lambda x: np.select([x > 0], [x, x]), "1 conditions and 2 choices"),
        (lambda x: np.polyfit(x, x, 1, cov=True), "takes no full= and no cov="),
        (
            lambda x: np.piecewise(x, [x > 0], [1.0, 2.0, 3.0]),
            "3 functions for 1 conditions; it takes",
        ),
    ],
)
def test_an_option_that_is_wrong_says_so(call, message):
    with pytest.raises((ValueError, TypeError, MissingRuleError), match=message):
        call(tg.Tensor([1.0, 2.0]))


AXES = {
    np.diff: (),
    np.trapezoid: (),
    np.gradient: (),
    np.median: (),
    np.quantile: (0.5,),
    np.insert: ([0], 1.0),
    np.delete: ([0],),
    np.take: ([0],),
    np.append: (np.ones((2, 3)),),
    np.average: (),
    np.rollaxis: (),
    np.linalg.vector_norm: (),
    np.apply_along_axis: (),
    np.split: (1,),
    np.unstack: (),
    np.add.reduce: (),
    np.maximum.accumulate: (),
    np.add.reduceat: ([0],),
    np.cumulative_sum: (),
    np.fft.fft2: (),
    np.unwrap: (),
}


@pytest.mark.parametrize("fn", AXES, ids=name_of)
@pytest.mark.parametrize("axis", [2, -3])
def test_an_axis_that_is_not_there(fn, axis):
    def call(x):
        if fn is np.apply_along_axis:
            return fn(np.sum, axis, x)
        if fn is np.fft.fft2:
            return fn(x, axes=(0, axis))
        return fn(x, *AXES[fn], axis=axis)

    x = np.ones((2, 3))
    for array in (x, tg.Tensor(x)):
        with pytest.raises(IndexError):  # np.exceptions.AxisError is one
            call(array)


# ---- out= ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "write",
    [
        lambda x, out: np.sum(x, 0, None, out),
        lambda x, out: np.mean(x, 0, None, out),
        lambda x, out: np.max(x, 0, out),
        lambda x, out: np.cumsum(x, 0, None, out),
        lambda x, out: np.median(x, 0, out),
        lambda x, out: np.clip(x, 0, 1, out),
        lambda x, out: np.nansum(x, out=out),
        lambda x, out: np.tanh(x, out),
        lambda x, out: np.multiply(x, 2, out=(out,)),
    ],
)
def test_out_is_refused_by_keyword_and_by_position(write):
    out = np.zeros(2)
    with pytest.raises(HistoryError, match=r"out= would overwrite data that a derivative may need"):
        write(tg.Tensor([1.0, 2.0]), out)
    assert not out.any()


def test_no_out_is_no_out():
    x = tg.Tensor([1.0, 2.0])
    assert np.sum(x, 0, None, None).item() == np.median(x, None, None).item() * 2 == 3
