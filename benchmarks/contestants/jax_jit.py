"""JAX: ``value_and_grad`` and the update in one ``jax.jit``, the old parameters' memory reused."""

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.cases import Problem
from benchmarks.contestants import Contestant, alternating, repeated

TITLE = "JAX jit"
PACKAGES = ("jax",)


def build(problem: Problem) -> Contestant:
    jax.config.update("jax_enable_x64", problem.dtype == np.float64)
    m, lr = problem.X.shape[1], problem.lr
    X, Y = jnp.asarray(problem.X), jnp.asarray(problem.Y)
    held = [[jnp.asarray(W), jnp.asarray(b)] for W, b in zip(problem.W, problem.b, strict=True)]

    def cost(parameters, X, Y):
        A = X
        for W, b in parameters[:-1]:
            A = jax.nn.relu(W @ A + b)
        W, b = parameters[-1]
        Z = W @ A + b
        return jnp.sum(jnp.logaddexp(0, Z) - Y * Z) / m

    def update(parameters, X, Y):
        J, gradients = jax.value_and_grad(cost)(parameters, X, Y)
        return J, jax.tree.map(lambda p, g: p - lr * g, parameters, gradients)

    compiled = jax.jit(update, donate_argnums=0)

    def step():
        nonlocal held
        J, held = compiled(held, X, Y)
        return float(J)

    def parameters():
        return alternating(*([np.asarray(a) for a in column] for column in zip(*held, strict=True)))

    return Contestant(repeated(step), parameters)
