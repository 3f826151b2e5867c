"""The forward and backward pass written out by hand, beside the engine's.

Prints, for every layer, the shapes that the dimensions table asks for and how far the engine's
gradient is from the one derived by hand.
"""

import numpy as np

import tinygrad_dnn as tg
from tinygrad_dnn import nn


def main():
    rng = np.random.default_rng(0)
    n = [3, 5, 5, 3, 1]
    L, m = len(n) - 1, 32
    X, Y = rng.standard_normal((n[0], m)), rng.integers(0, 2, (1, m))
    net = nn.Sequential.from_layer_dims(n, rng=rng)
    P = net.parameters()
    W = {l: P[f"W{l}"].data for l in range(1, L + 1)}
    b = {l: P[f"b{l}"].data for l in range(1, L + 1)}

    # forward: Z[l] = W[l] A[l-1] + b[l], A[l] = g(Z[l])
    A, Z = {0: X}, {}
    for l in range(1, L + 1):
        Z[l] = W[l] @ A[l - 1] + b[l]
        A[l] = np.maximum(Z[l], 0) if l < L else 1 / (1 + np.exp(-Z[l]))

    # backward: dZ[L] = A[L] - Y, then layer by layer
    dW, db = {}, {}
    dZ = A[L] - Y
    for l in range(L, 0, -1):
        dW[l] = (1 / m) * dZ @ A[l - 1].T
        db[l] = (1 / m) * np.sum(dZ, axis=1, keepdims=True)
        if l > 1:
            dZ = (W[l].T @ dZ) * (Z[l - 1] > 0)

    # the same by the engine
    J = nn.binary_cross_entropy(net(X), Y)
    gradients = dict(zip(P, tg.grad(J, P.values()), strict=True))
    for l in range(1, L + 1):
        off = max(
            np.abs(gradients[f"W{l}"] - dW[l]).max() / np.abs(dW[l]).max(),
            np.abs(gradients[f"b{l}"] - db[l]).max() / np.abs(db[l]).max(),
        )
        print(f"layer {l}: dW {dW[l].shape!s:7} db {db[l].shape!s:7} relative difference {off:.1e}")


if __name__ == "__main__":
    main()
