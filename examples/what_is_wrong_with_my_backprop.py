"""Backprop as in a course notebook, with two mistakes in it, and what the checker says.

The notebook returns dW and db only; the forward pass is plain NumPy and says nothing about itself.
"""

import numpy as np

import tinygrad_dnn as tg

rng = np.random.default_rng(1)
X, Y = rng.standard_normal((3, 20)), (rng.random((1, 20)) > 0.5).astype(float)
m = X.shape[1]
parameters = {
    "W1": rng.standard_normal((5, 3)) * 0.5,
    "b1": np.zeros((5, 1)),
    "W2": rng.standard_normal((4, 5)) * 0.5,
    "b2": np.zeros((4, 1)),
    "W3": rng.standard_normal((1, 4)) * 0.5,
    "b3": np.zeros((1, 1)),
}


def forward(p):
    Z1 = p["W1"] @ X + p["b1"]
    A1 = np.tanh(Z1)
    Z2 = p["W2"] @ A1 + p["b2"]
    A2 = np.maximum(0, Z2)
    A3 = 1 / (1 + np.exp(-(p["W3"] @ A2 + p["b3"])))
    return Z1, A1, Z2, A2, A3


def cost(p):
    A3 = forward(p)[-1]
    return -np.sum(Y * np.log(A3) + (1 - Y) * np.log(1 - A3)) / m


def backward(p):
    _, A1, Z2, A2, A3 = forward(p)
    dZ3 = A3 - Y
    dW3 = dZ3 @ A2.T / m
    db3 = np.sum(dZ3, axis=1, keepdims=True) / m
    dZ2 = (p["W3"].T @ dZ3) * (Z2 > 0)
    dW2 = dZ2 @ A1.T  # the first mistake
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = p["W2"].T @ dZ2  # the second
    dW1 = dZ1 @ X.T / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dW3": dW3, "db3": db3}


def main():
    print(tg.check_backprop(cost, parameters, backward))


if __name__ == "__main__":
    main()
