"""Derivatives as functions of functions, as JAX names them.

Arrays in, arrays out; where any Tensor that requires a gradient flows in, as an argument or
through the closure of ``f``, Tensors come out.  So nesting needs no flag: ``grad(grad(f))`` and a
gradient penalty on a model's parameters are both right without asking.

Arguments and results may be nested dicts, lists and tuples of arrays; a derivative has the same
structure.  ``argnums`` says by which arguments of ``f``: a number, or a tuple of them for a tuple.
What is given by keyword goes to ``f`` as it is.
"""

from tinygrad_dnn.func.checkpointing import checkpoint as checkpoint
from tinygrad_dnn.func.custom import custom_vjp as custom_vjp
from tinygrad_dnn.func.custom import stop_gradient as stop_gradient
from tinygrad_dnn.func.examples import per_example_grad as per_example_grad
from tinygrad_dnn.func.gradients import grad as grad
from tinygrad_dnn.func.gradients import jvp as jvp
from tinygrad_dnn.func.gradients import value_and_grad as value_and_grad
from tinygrad_dnn.func.gradients import vjp as vjp
from tinygrad_dnn.func.jacobians import hessian as hessian
from tinygrad_dnn.func.jacobians import jacobian as jacobian
from tinygrad_dnn.func.products import ggnvp as ggnvp
from tinygrad_dnn.func.products import hvp as hvp
from tinygrad_dnn.func.trace import alias as alias
