"""An operation with its derivative in three lines; then gradients of any order, checked."""

import numpy as np

import tinygrad_dnn as tg


@tg.primitive
def bump(x):
    """exp(-x^2), elementwise."""
    return np.exp(-(x**2))


tg.elementwise(bump, lambda out, x: -2 * x * out)


def main():
    x = np.linspace(-2, 2, 5)
    f = lambda x: np.sum(bump(x))
    print("first derivative ", tg.func.grad(f)(x).round(4))
    print("second derivative", np.diag(tg.func.hessian(f)(x)).round(4))
    print(tg.gradgradcheck(f, x))


if __name__ == "__main__":
    main()
