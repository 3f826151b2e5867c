"""Write ``docs/operations.md`` from the tables of rules: ``python docs/generate.py``."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import tinygrad_dnn.special  # noqa: F401  (its rules are among those listed)
from tinygrad_dnn.primitives import COMPOSITES, REFUSED, RULES
from tinygrad_dnn.recording import name_of
from tinygrad_dnn.rules.steps import QUESTIONS

PAGE = Path(__file__).parent / "operations.md"

HEAD = """# Operations

What NumPy's functions do on Tensors.  This page is written by `python docs/generate.py` from the
tables of rules themselves, and a test checks that it is current; another, that every function which
NumPy lets other arrays handle is in one of these lists.

Every differentiable operation has both modes and every order.  `out=` is refused everywhere.
Of a ufunc `dtype=`, `signature=`, `casting=`, `axes=`, `axis=` and `keepdims=` are what NumPy makes
of them, `where=` is refused; of a reduction `where=` may be a Tensor.
"""


def of_numpy(fn: Callable[..., Any]) -> bool:
    """Return whether ``fn`` is NumPy's, rather than ours or a user's."""
    return name_of(fn).startswith("np.")


def listed(fns: Iterable[Callable[..., Any]]) -> str:
    """Return the names of ``fns`` in order, as Markdown."""
    return ", ".join(f"`{name}`" for name in sorted({name_of(fn) for fn in fns})) + "\n"


def page() -> str:
    """Return the whole page."""
    ours = [f for f in RULES if getattr(f, "__module__", "").startswith("tinygrad_dnn.rules")]
    rules = [f for f in RULES if of_numpy(f)]
    formulas = [f for f in COMPOSITES if of_numpy(f) and f not in QUESTIONS]
    formulas = [f for f in formulas if not name_of(f).endswith(".outer")]
    by_advice: dict[str, list[str]] = {}
    for name, advice in REFUSED.items():
        by_advice.setdefault(advice, []).append(name)
    refused = "".join(
        f"- {', '.join(f'`{name}`' for name in sorted(names))}: {advice}.\n"
        for advice, names in by_advice.items()
    )
    return "\n".join(
        [
            HEAD,
            "## Differentiable, by a rule of their own\n",
            listed(f for f in rules if not RULES[f].constant),
            "## Differentiable, as a formula of those\n",
            listed(formulas)[:-1]
            + ", and `outer` of every elementwise function of two arguments\n",
            "## Recorded with derivative zero\n",
            listed(f for f in rules if RULES[f].constant),
            "## Answered at once\n",
            listed(QUESTIONS),
            "## Refused, with what to do instead\n",
            refused,
            "## Ours, where NumPy has no name for it\n",
            listed(ours),
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(page())
