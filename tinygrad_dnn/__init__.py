"""A small autograd on NumPy for people who derive, teach, check and look at backpropagation.

What only some programs use, checking, drawing and training, is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tinygrad_dnn import func as func
from tinygrad_dnn import nn as nn
from tinygrad_dnn import optim as optim
from tinygrad_dnn.anomaly import detect_anomaly as detect_anomaly
from tinygrad_dnn.at import at as at
from tinygrad_dnn.graph import no_grad as no_grad
from tinygrad_dnn.primitives import elementwise as elementwise
from tinygrad_dnn.primitives import multilinear as multilinear
from tinygrad_dnn.primitives import primitive as primitive
from tinygrad_dnn.primitives import rule as rule
from tinygrad_dnn.tensor import Tensor as Tensor
from tinygrad_dnn.tensor import grad as grad

__version__ = "0.1.0"

_PARTS = ("checking", "linalg", "replay", "special", "training", "visualize")
_LATER = {
    "assert_gradients": "checking",
    "check_gradient": "checking",
    "check_jvp": "checking",
    "check_network": "checking",
    "check_parameters": "checking",
    "check_vjp": "checking",
    "checked": "checking",
    "gradcheck": "checking",
    "gradgradcheck": "checking",
    "check_backprop": "checking",
    "tap": "checking",
    "draw": "visualize",
    "explain": "visualize",
    "fit": "training",
    "jit": "replay",
}

if TYPE_CHECKING:
    from tinygrad_dnn import checking as checking
    from tinygrad_dnn import linalg as linalg
    from tinygrad_dnn import replay as replay
    from tinygrad_dnn import special as special
    from tinygrad_dnn import training as training
    from tinygrad_dnn import visualize as visualize
    from tinygrad_dnn.checking.asserting import assert_gradients as assert_gradients
    from tinygrad_dnn.checking.backprop import check_backprop as check_backprop
    from tinygrad_dnn.checking.checked import checked as checked
    from tinygrad_dnn.checking.gradcheck import gradcheck as gradcheck
    from tinygrad_dnn.checking.gradcheck import gradgradcheck as gradgradcheck
    from tinygrad_dnn.checking.network import check_network as check_network
    from tinygrad_dnn.checking.parameters import check_parameters as check_parameters
    from tinygrad_dnn.checking.plain import check_gradient as check_gradient
    from tinygrad_dnn.checking.plain import check_jvp as check_jvp
    from tinygrad_dnn.checking.plain import check_vjp as check_vjp
    from tinygrad_dnn.checking.tap import tap as tap
    from tinygrad_dnn.replay.jit import jit as jit
    from tinygrad_dnn.training.fit import fit as fit
    from tinygrad_dnn.visualize.draw import draw as draw
    from tinygrad_dnn.visualize.explain import explain as explain
else:

    def __getattr__(name: str) -> Any:
        if name in _PARTS:
            return import_module(f"tinygrad_dnn.{name}")
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"tinygrad_dnn.{_LATER[name]}"), name)
        globals()[name] = value  # found at once the next time
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER, *_PARTS})
