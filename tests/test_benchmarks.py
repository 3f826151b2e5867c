"""The runner of ``benchmarks``: what takes part, what is left out, and what a ratio means."""

import shutil
import time
from importlib import import_module
from pathlib import Path
from threading import Thread
from time import process_time

import numpy as np
import pytest

import tinygrad_dnn as tg
from benchmarks import cases, page, recording, results, studies
from benchmarks.child import Child, Entry
from benchmarks.contestants import hand, jit
from benchmarks.interval import median_of
from benchmarks.race import Result, _is_sure, distance, race
from benchmarks.worker import fall_asleep

SMALL = cases.Case("small", [3, 4, 1], 8)


@pytest.fixture(scope="module")
def found():
    entries = [Entry(name) for name in ("products", "hand", "eager", "fit", "mygrad", "absent")]
    return race(SMALL, "float32", entries, rounds=3)


def test_every_entry_is_timed_in_every_round_or_says_why_not(found):
    for result in found.values():
        assert result.out or len(result.seconds) == 3
    assert not any(found[name].out for name in ("products", "hand", "eager", "fit"))


def test_who_cannot_be_imported_is_left_out_and_nobodys_fault(found):
    absent = found["absent"]
    assert "benchmarks.contestants.absent" in absent.out
    assert not absent.broken


def test_costs_and_parameters_are_compared_with_the_float64_run(found):
    assert 0 < found["eager"].stray < 1e-5
    assert np.isnan(found["products"].stray)


def test_a_wrong_answer_does_not_race(tmp_path):
    package = tmp_path / "tinygrad_dnn"
    shutil.copytree(Path(tg.__file__).parent, package)
    with open(package / "__init__.py", "a") as source:
        source.write(
            "right = optim.SGD.step\noptim.SGD.step = lambda self: right(self) or right(self)"
        )
    wrong = Entry("eager", tree=tmp_path, suffix=" stepping twice")
    result = race(SMALL, "float32", [Entry("hand"), wrong], rounds=1)[wrong.name]
    assert result.broken
    assert "wrong after 20 steps" in result.out
    assert not result.seconds


def test_threads_are_waited_for_until_they_sleep():
    """As OpenBLAS's do, a thread goes on for a while; it is over before the turn of the next."""
    end = time.process_time() + 0.05

    def look_for_work():
        while time.process_time() < end:
            pass

    thread = Thread(target=look_for_work)
    thread.start()
    fall_asleep()
    assert not thread.is_alive()


def test_the_ratio_is_taken_round_by_round():
    slow_machine_later = (
        Result("a", seconds=[1.0, 1.0, 10.0]),
        Result("b", seconds=[2.0, 2.0, 20.0]),
    )
    ratio = slow_machine_later[1].over(slow_machine_later[0])
    assert ratio == (2.0, 2.0, 2.0)


def test_the_interval_covers_the_median():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        interval = median_of(rng.lognormal(size=40), resamples=400)
        covered += interval.low <= 1 <= interval.high
    assert 180 <= covered <= 199


def test_distance_is_norm_wise_and_of_the_worst_array():
    right = [np.array([1.0, 1e-9]), np.array([[100.0]])]
    assert distance([np.array([1.0, 0.0]), np.array([[101.0]])], right) == pytest.approx(0.01)


def test_the_hand_written_step_descends_along_the_numeric_gradient():
    given = cases.problem(SMALL, "float64")
    before = [a.copy() for a in (*given.W, *given.b)]
    hand.build(given).run(1)
    stepped = [
        (old - new) / given.lr for old, new in zip(before, (*given.W, *given.b), strict=True)
    ]
    for k, gradient in enumerate(stepped):
        for i in np.ndindex(gradient.shape):
            costs = []
            for h in (1e-5, -1e-5):
                moved = cases.problem(SMALL, "float64")
                (*moved.W, *moved.b)[k][i] += h
                costs.append(hand.build(moved).run(1))
            assert gradient[i] == pytest.approx((costs[0] - costs[1]) / 2e-5, abs=1e-8)


def test_every_dtype_starts_from_the_same_numbers():
    single, double = (cases.problem(SMALL, dtype) for dtype in ("float32", "float64"))
    assert np.array_equal(single.W[0], double.W[0])
    assert np.array_equal(single.X, double.X)


def test_a_line_is_fitted_by_relative_errors():
    assert studies.line([1, 2, 3], [3, 5, 7]) == pytest.approx((1.0, 2.0, 0.0), abs=1e-9)
    a, b, worst = studies.line([1, 10, 1000], [1.1, 9.0, 1000.0])
    assert b == pytest.approx(1, abs=0.1)
    fitted = [abs((a + b * x) / y - 1) for x, y in ((1, 1.1), (10, 9.0), (1000, 1000.0))]
    assert worst == pytest.approx(max(fitted))


def test_memory_counts_what_a_step_allocates_and_keeps():
    with Child(Entry("hand")) as child:
        first, later = child.ask("peaks", cases.Case("wide", [256, 256, 1], 64), "float64")
    activations, update = 256 * 64 * 8, 256 * 256 * 8
    for peak in (first, later):
        assert 2 * update < peak < 2 * update + 5 * activations  # dW and lr * dW, Z1 and A1, ...


def test_recording_and_planning_are_told_apart(monkeypatch):
    module = import_module("tinygrad_dnn.replay.jit")
    plan, taken = module.Plan, 0.3

    def slow(*args):
        start = process_time()
        while process_time() - start < taken:
            pass
        return plan(*args)

    monkeypatch.setattr(module, "Plan", slow)
    turn = recording.turn(jit, SMALL, "float32")
    assert 0 < turn.later < turn.recording < taken < turn.planning
    assert 0 < turn.first < taken
    assert module.Plan is slow


def test_the_page_is_written_from_the_file(found, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    file = tmp_path / "benchmarks.json"
    monkeypatch.setattr(results, "FILE", file)
    monkeypatch.setattr(page, "PAGE", file.with_suffix(".md"))
    monkeypatch.setattr(page, "FIGURES", file.with_suffix(""))
    monkeypatch.setitem(page.CASES, "small", SMALL)
    monkeypatch.setattr(results, "machine", lambda: {"date": "today"})
    grown = {name: found.get(name, found["eager"]) for name in studies.COMPARED}
    results.keep("race", {"small": {"float32": results.packed(found)}})
    results.keep("memory", {"small": {"hand": [2048, 1024], "eager": [4096, 1024]}})
    results.keep("first", {"L = 4": {"cold": 2.5, "cached": 0.25}})
    counts = {what: [3.0, 2.5, 4.0] for what in recording.COUNTED}
    results.keep("recording", {"small": counts})
    results.keep(
        "growth", {what: {4: results.packed(grown), 8: results.packed(grown)} for what in "Ln"}
    )
    both = grown | {n + studies.TWO: r for n, r in grown.items()}
    results.keep("threads", {"small": results.packed(both)})
    page.write()
    text = page.PAGE.read_text()
    assert "| NumPy by hand | 1.00 (1.00 to 1.00) |" in text
    kept = results.unpacked(results.packed(found))
    assert f"| tinygrad_dnn eager | {kept['eager'].over(kept['hand'])} |" in text
    assert "- absent: No module named 'benchmarks.contestants.absent' (small)" in text
    assert "| eager | 4 (2.00) |" in text
    assert "| L = 4 | 2.50 s | 0.25 s |" in text
    assert f"| {recording.FIRST} | 3.00 (2.50 to 4.00) |" in text
    assert "date today" in text
    assert "| by hand = 1, L = 4 |" in text
    assert "| tinygrad_dnn eager | 1.00 (1.00 to 1.00) |" in text  # two threads over one
    for name in ("ratios-float32", "growth-L", "growth-n"):
        assert (tmp_path / "benchmarks" / f"{name}.svg").exists()


def test_rounds_end_when_all_ratios_are_known():
    hand, slow, out = Result("a", seconds=[1.0] * 12), Result("b", seconds=[2.0] * 12), Result("c")
    assert _is_sure({"a": hand, "b": slow, "c": out}, "a")
    slow.seconds = [2.0, 2.1] * 6
    assert not _is_sure({"a": hand, "b": slow, "c": out}, "a")


def test_the_kernels_are_compiled_where_there_is_nothing_kept(tmp_path):
    pytest.importorskip("llvmlite")
    pytest.importorskip("scipy")
    with Child(Entry("accel", cache=tmp_path)) as child:
        child.ask("title")
        assert child.ask("build", SMALL, "float32") > 0
    assert [file.suffix for file in (tmp_path / "tinygrad_dnn").iterdir()] == [".o"]
