"""The case table: every rule, in every regime it has, collected from the files ``cases_*.py``."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from tests.case import CASES as CASES
from tests.case import Case as Case
from tests.case import restart
from tinygrad_dnn.primitives import RULES
from tinygrad_dnn.rules.joining import remaining

for _file in sorted(Path(__file__).parent.glob("cases_*.py")):
    restart()
    import_module(f"tests.{_file.stem}")


def of_the_package(fn: Any) -> bool:
    return (getattr(fn, "__module__", None) or "numpy").split(".")[0] in ("numpy", "tinygrad_dnn")


PACKAGE_RULES = {fn: rule for fn, rule in RULES.items() if of_the_package(fn)}

# The functions that are recorded but have derivative zero, each with something to call it on.
_TRUTH = np.array([True, False, True])
_NUMBERS = np.array([5, 2, 7])
_REALS = np.array([-1.5, 0.25, 2.75])
_LOGICAL = (np.logical_and, np.logical_or, np.logical_xor, np.bitwise_and, np.bitwise_or)
CONSTANT_CALLS: dict[Any, tuple[np.ndarray, ...]] = dict.fromkeys(_LOGICAL, (_TRUTH, ~_TRUTH))
_TWO_REALS = (
    np.isclose, np.allclose, np.array_equal, np.array_equiv, np.isin, np.searchsorted, np.digitize,
)  # fmt: skip
CONSTANT_CALLS |= {
    np.bitwise_xor: (_NUMBERS, _NUMBERS[::-1]),
    np.left_shift: (_NUMBERS, _NUMBERS[::-1]),
    np.right_shift: (_NUMBERS, _NUMBERS[::-1]),
    np.bitwise_count: (_NUMBERS,),
    np.invert: (_TRUTH,),
    np.argpartition: (_REALS, np.array(1)),
    remaining: (np.array([0, 2]), np.array(3)),
}
CONSTANT_CALLS |= dict.fromkeys(_TWO_REALS, (_REALS, _REALS))
for fn, rule in PACKAGE_RULES.items():
    if rule.constant and fn not in CONSTANT_CALLS:
        CONSTANT_CALLS[fn] = (_REALS, _REALS[::-1]) if getattr(fn, "nin", 1) == 2 else (_REALS,)
