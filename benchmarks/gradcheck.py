"""Gradient checkers side by side: false alarms, misses, and what a check costs.

    python -m benchmarks.gradcheck [--seed 0] [--every 1]

Every checker judges the same functions and vjps, those of tests/battery.py, wrapped as it wants
them.  Peers that are not installed are left out with a word.  ``--every k`` takes each k-th wrong
gradient.  Checkers with O(n) evaluations are not run where there are more than 5000 numbers.
"""

import argparse
import time
import warnings
from collections import Counter
from collections.abc import Callable

import numpy as np

import tinygrad_dnn as tg
from tests.battery import Case, right, wrong
from tinygrad_dnn.report import CANNOT_TELL

GROUPS = ("smooth", "scales", "noise", "float32", "kinks", "large")
MANY = 5000
Judge = Callable[[Case], bool | None]  # is it right?  None: cannot tell


def ours(case: Case) -> bool | None:
    report = tg.check_vjp(case.f, case.vjp, *case.inputs)
    if report.verdict == CANNOT_TELL:
        return None
    if case.mistake and report:
        j, size = case.mistake
        if size < 4 * float(report.rows[j].details["judged by"]):
            return None  # too small to be seen, and the report says so
    return bool(report)


def ours_real(case: Case) -> bool | None:
    """Judge the same function behind a cast that refuses complex numbers."""
    f = lambda *xs: case.f(*(np.asarray(x, float) for x in xs))
    return ours(Case(case.name, case.group, f, case.vjp, case.inputs, case.mistake))


def scalar(case: Case) -> tuple[Callable, Callable, np.ndarray]:
    """Return a case as one cost of one vector, weighted at random, and its gradient."""
    shapes = [np.shape(x) for x in case.inputs]
    ends = np.cumsum([int(np.prod(s)) for s in shapes])[:-1]
    flat = np.concatenate([np.ravel(x) for x in case.inputs])
    u = np.random.default_rng(0).uniform(0.5, 1.5, np.shape(case.f(*case.inputs)))

    def apart(v):
        return [p.reshape(s) for p, s in zip(np.split(v, ends), shapes, strict=True)]

    cost = lambda v: float(np.sum(u * case.f(*apart(v))))
    gradient = lambda v: np.concatenate([np.ravel(d) for d in case.vjp(u, *apart(v))])
    return cost, gradient, flat


def course(case: Case) -> bool | None:
    """Judge by the course's rule: h = 1e-7, ||a - n|| / (||a|| + ||n||) <= 1e-7."""
    cost, gradient, x = scalar(case)
    if x.size > MANY:
        return None
    h, n = 1e-7, np.empty(x.size)
    for i in range(x.size):
        step = np.zeros_like(x)
        step[i] = h
        n[i] = (cost(x + step) - cost(x - step)) / (2 * h)
    a = gradient(x)
    size = np.linalg.norm(a) + np.linalg.norm(n)
    return bool(np.linalg.norm(a - n) <= 1e-7 * size)


def peers() -> tuple[dict[str, Judge], list[str]]:
    found: dict[str, Judge] = {}
    missing = []
    for name, make in (("torch", _torch), ("jax", _jax), ("scipy", _scipy)):
        try:
            found |= make()
        except ImportError as error:
            missing.append(f"{name} left out: {error}")
    return found, missing


def _torch() -> dict[str, Judge]:
    import torch

    def judge(case: Case, fast: bool) -> bool | None:
        class Op(torch.autograd.Function):
            @staticmethod
            def forward(ctx, *xs):
                ctx.xs = [x.detach().numpy() for x in xs]
                return torch.from_numpy(np.array(case.f(*ctx.xs)))

            @staticmethod
            def backward(ctx, g):
                grads = case.vjp(g.numpy().reshape(np.shape(case.f(*ctx.xs))), *ctx.xs)
                pairs = zip(grads, ctx.xs, strict=True)
                return tuple(torch.from_numpy(np.array(d, x.dtype)) for d, x in pairs)

        if not fast and sum(np.size(x) for x in case.inputs) > MANY:
            return None
        xs = [torch.from_numpy(np.array(x)).requires_grad_() for x in case.inputs]
        try:
            return torch.autograd.gradcheck(Op.apply, xs, fast_mode=fast, raise_exception=False)
        except (RuntimeError, ValueError):
            return False

    return {"torch slow": lambda c: judge(c, False), "torch fast": lambda c: judge(c, True)}


def _jax() -> dict[str, Judge]:
    import jax
    from jax.test_util import check_vjp

    jax.config.update("jax_enable_x64", True)

    def judge(case: Case) -> bool | None:
        f = lambda *xs: np.asarray(case.f(*map(np.asarray, xs)))

        def f_vjp(*xs):
            xs = [np.asarray(x) for x in xs]
            return f(*xs), lambda g: tuple(np.asarray(d) for d in case.vjp(np.asarray(g), *xs))

        try:
            check_vjp(f, f_vjp, case.inputs)
        except AssertionError:
            return False
        return True

    return {"jax check_vjp": judge}


def _scipy() -> dict[str, Judge]:
    from scipy.optimize import check_grad

    def judge(case: Case) -> bool | None:
        cost, gradient, x = scalar(case)
        if x.size > MANY:
            return None
        return bool(check_grad(cost, gradient, x) <= 1e-5)

    return {"scipy check_grad <= 1e-5": judge}


def judged(judge: Judge, case: Case) -> bool | None:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return judge(case)


def verdicts(judges: dict[str, Judge], seed: int, every: int) -> None:
    """Print, for each group, alarms of right and passes of wrong gradients; ? is no answer."""
    cells: dict[tuple[str, str], Counter] = {(n, g): Counter() for n in judges for g in GROUPS}
    for group in GROUPS:
        for i, case in enumerate(right(seed, [group])):
            mistakes = [m for k, m in enumerate(wrong(case, seed + i)) if (i + k) % every == 0]
            for name, judge in judges.items():
                cell = cells[name, group]
                cell["right", judged(judge, case)] += 1
                for mistake in mistakes:
                    cell["wrong", judged(judge, mistake)] += 1
    print(f"seed {seed}: false alarms / right gradients . missed / wrong ones (+ no answer)")
    print("  ".join(["checker".ljust(26), *(g.ljust(22) for g in GROUPS), "all"]))
    for name in judges:
        row = [cells[name, g] for g in GROUPS]
        total = sum(row, Counter())
        print("  ".join([name.ljust(26), *(_cell(c).ljust(22) for c in row), _cell(total)]))


def _cell(c: Counter) -> str:
    def side(kind: str, bad: bool) -> str:
        total = sum(n for (k, _), n in c.items() if k == kind)
        unknown = f"+{c[kind, None]}?" if c[kind, None] else ""
        return f"{c[kind, bad]}{unknown}/{total}"

    return f"{side('right', False)} . {side('wrong', True)}"


def costs(judges: dict[str, Judge]) -> None:
    """Print evaluations and seconds for a right gradient of a network of n parameters."""
    print("\na right gradient: evaluations of f, and seconds")
    sizes = {"100": (10, 8, 1), "10,000": (100, 97, 1), "1,000,000": (1000, 990, 9, 1)}
    print("  ".join(["checker".ljust(26), *(f"n = {n}".ljust(20) for n in sizes)]))
    for name, judge in judges.items():
        cells = []
        for dims in sizes.values():
            case, calls = _counted(dims)
            n = sum(x.size for x in case.inputs)
            if n > MANY and name in ("torch slow", "scipy check_grad <= 1e-5", "course's 1e-7"):
                cells.append("2 n, not run" if name != "scipy check_grad <= 1e-5" else "n, not run")
                continue
            start = time.perf_counter()
            judged(judge, case)
            cells.append(f"{calls[0]:,} in {time.perf_counter() - start:.2f} s")
        print("  ".join([name.ljust(26), *(cell.ljust(20) for cell in cells)]))


def _counted(dims: tuple[int, ...]) -> tuple[Case, list[int]]:
    from tests.battery import TANH, network_case

    case, calls = network_case("", "", dims, 20, np.random.default_rng(0), TANH), [0]

    def f(*xs):
        calls[0] += 1
        return case.f(*xs)

    return Case("", "", f, case.vjp, case.inputs), calls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    found, missing = peers()
    judges = {"tinygrad_dnn": ours, "the same, real steps": ours_real, **found}
    judges["course's 1e-7"] = course
    print(*missing, sep="\n", end="\n" if missing else "")
    verdicts(judges, options.seed, options.every)
    costs(judges)


if __name__ == "__main__":
    main()
