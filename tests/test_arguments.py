"""A Tensor in any argument of any function that NumPy dispatches: recorded, or refused.

Every function is called with a Tensor, alone and in a list or tuple, in one argument at a time and
with all sorts of things in the others.  Most such calls are nonsense, and NumPy's own error or ours
is right; what must not be is an endless recursion, or a plain result that has quietly left out a
Tensor that wants a derivative.
"""

import inspect
from itertools import product

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.test_operations import overridable
from tinygrad_dnn.primitives import RULES
from tinygrad_dnn.recording import name_of
from tinygrad_dnn.rules.steps import QUESTIONS

V, M = np.array([0.5, 1.5, 2.5]), np.array([[2.0, 0.5], [0.5, 3.0]])
v, m, t = tg.Tensor(V), tg.Tensor(M), tg.Tensor(1.5)
GIVEN = [v, m, t, [v, v], (v,), [[t, 1.0], [1.0, t]], v > 1, (v > 1,)]
BESIDE = [V, M, 1, (1,), [V, V], V > 1, "ij,ij->ij"]

FILES = {"np.save", "np.savez", "np.savez_compressed", "np.savetxt", "np.loadtxt", "np.genfromtxt"}
# Options that say how: a Tensor there is a yes or no, a count, a place or a dtype, if anything.
HOW = {
    "N", "asrecarray", "assume_unique", "autoconvert", "axis", "axisc", "bias", "casting",
    "compute_uv", "copy", "cov", "ddof", "deg", "density", "descending", "dtype", "dtypes",
    "edge_order", "endpoint",
    "equal_nan", "full", "full_matrices", "hermitian", "include_initial", "increasing",
    "indexing", "invert", "k", "keepdims", "like", "m", "mode", "norm", "ord", "order",
    "overwrite_input", "q", "retstep", "return_counts", "return_index", "return_indices",
    "return_inverse", "returned", "right", "rowvar", "rtol", "sorted", "sparse", "stable",
    "subok", "tol", "trim", "unique", "usemask", "wrap", "writeable",
}  # fmt: skip
# Answers and texts, no data.  (To a list of Tensors the two np.array_e... answer False: NumPy's own
# code takes the refusal to make an array of it for "no array".)
ANSWERS = (
    "np.array2string", "np.array_repr", "np.array_str", "np.strings", "np.char", "np.can_cast",
    "np.array_equal", "np.array_equiv", "np.einsum_path",
)  # fmt: skip


def arguments(fn):
    """The names of its positional arguments that it needs, and of those that it can do without."""
    if isinstance(fn, np.ufunc):
        return [f"x{i}" for i in range(fn.nin)], ["where"]
    try:
        parameters = inspect.signature(fn).parameters.values()
    except ValueError:
        return ["a"], []
    some = [p for p in parameters if p.kind is not p.VAR_KEYWORD and p.name != "out"]
    needed = [p.name for p in some if p.default is p.empty and p.kind <= p.POSITIONAL_OR_KEYWORD]
    needed += ["*0", "*1"] * any(p.kind is p.VAR_POSITIONAL for p in some)
    return needed, [p.name for p in some if p.default is not p.empty]


def calls(fn):
    """All the calls to be tried: what is given, in which argument, and the whole call."""
    needed, options = arguments(fn)
    for name, given in product([*needed, *options], GIVEN):
        for beside in list(product(BESIDE, repeat=len(needed)))[:50]:
            args, kwargs = list(beside), {}
            if name in needed:
                args[needed.index(name)] = given
            else:
                kwargs[name] = given
            yield name, given, args, kwargs


def tensors(x):
    """All Tensors in a value, however nested."""
    if isinstance(x, tg.Tensor):
        return [x]
    return [t for part in x for t in tensors(part)] if isinstance(x, list | tuple) else []


TRIED = sorted((fn for fn in overridable() if name_of(fn) not in FILES), key=name_of)
TRIED = [fn for fn in TRIED if "recfunctions" not in name_of(fn)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("fn", TRIED, ids=name_of)
def test_a_tensor_in_any_argument(fn):
    for name, given, args, kwargs in calls(fn):
        try:
            with np.errstate(all="ignore"):
                out = fn(*args, **kwargs)
        except RecursionError:
            pytest.fail(f"endless: {args}, {kwargs}")
        except Exception:  # whichever; there is no result to be mistaken for one
            continue
        wanted = any(t.requires_grad for t in tensors(given))
        asked = fn in QUESTIONS or name_of(fn).startswith(ANSWERS) or name in HOW
        direct = any(isinstance(a, tg.Tensor) for a in (*args, *kwargs.values()))
        asked |= not direct and fn in RULES and RULES[fn].constant  # of a list: a plain array
        whole = name in ("initial", "nan", "posinf", "neginf") and not any(
            args[0] is x for x in (V, M)
        )
        if wanted and not asked and not whole:  # beside integers it goes as an integer
            assert tensors(out), f"{args}, {kwargs} gave {out!r}"
