"""Random programs of NumPy's functions, on which recordings and replays are tried.

A program is a list of steps (name, i, j): ``STEPS[name]`` of two of the results so far, the i-th
and the j-th counted from the latest.  Entries stay of order one, away from poles.
"""

import numpy as np
from hypothesis import strategies as st

import tinygrad_dnn as tg
from tinygrad_dnn import nn

ELEMENTWISE = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * np.tanh(y),
    "divide": lambda x, y: x / (2 + np.sin(y)),
    "power": lambda x, y: np.power(1 + x * x, 0.5) * np.tanh(y),  # older NumPy: x**0.5 is sqrt
    "hypot": lambda x, y: np.hypot(x, 1 + y * y) / 2,
    "arctan2": lambda x, y: np.arctan2(x, 1 + y * y),
    "logaddexp": lambda x, y: np.logaddexp(x, y) / 2,
    "negative": lambda x, y: -x,
    "halved": lambda x, y: x / 2,
    "one minus": lambda x, y: 1 - x,
    "tanh": lambda x, y: np.tanh(x),
    "sin": lambda x, y: np.sin(x),
    "cosine of the sum": lambda x, y: np.cos(x + y),
    "bell": lambda x, y: np.exp(-x * x),
    "square": lambda x, y: np.square(np.tanh(x)),
    "cube": lambda x, y: np.tanh(x) ** 3,
    "root": lambda x, y: np.sqrt(1 + x * x),
    "log1p": lambda x, y: np.log1p(x * x),
    "sigmoid": lambda x, y: nn.sigmoid(x),
    "softplus": lambda x, y: nn.softplus(x),
    "gelu": lambda x, y: nn.gelu(x),
    "copy": lambda x, y: np.copy(x),
    "cast": lambda x, y: np.astype(x, np.float64),
}
KINKS = {
    "maximum": np.maximum,
    "minimum": lambda x, y: np.minimum(x, 0.5 * y),
    "where": lambda x, y: np.where(x > y, x, -y),
    "mask": lambda x, y: (x > 0) * y,
    "choice": lambda x, y: np.where(np.isfinite(x) & (y < 0.5), np.abs(x), 0.25),
    "clip": lambda x, y: np.clip(x, -0.5, 0.5),
    "abs": lambda x, y: np.abs(x) - y,
    "relu": lambda x, y: nn.relu(x),
    "leaky relu": lambda x, y: nn.leaky_relu(x),
    "sign": lambda x, y: np.sign(x) * y,
    "largest": lambda x, y: y - np.max(x, axis=-1, keepdims=True),
    "smallest": lambda x, y: np.min(x, axis=0),
    "sort": lambda x, y: np.sort(x, axis=-1),
    "arg": lambda x, y: np.take_along_axis(x, np.argsort(x, axis=0), axis=0),
}
PRODUCTS = {
    "matmul": lambda x, y: np.tanh(x @ y),
    "left transposed": lambda x, y: (x.T @ y) / 4,
    "right transposed": lambda x, y: (x @ y.T) / 4,
    "there and back": lambda x, y: np.tanh(x @ y.T) @ y / 3,
    "gram": lambda x, y: x @ x.T / 4,
    "gram of columns": lambda x, y: x.T @ x / 4,
    "dot": lambda x, y: np.dot(x, y) / 3,
    "outer": lambda x, y: np.multiply.outer(np.tanh(x), y)[..., 0],
    "einsum": lambda x, y: np.einsum("ij,kj->ik", x, y) / 3,
    "tensordot": lambda x, y: np.tensordot(x, y, axes=((0,), (0,))) / 3,
    "linear": lambda x, y: x @ y + np.sum(y, axis=0, keepdims=True),
}
REDUCTIONS = {
    "sum": lambda x, y: np.sum(x) / 4,
    "row sums": lambda x, y: y + np.sum(x, axis=-1, keepdims=True) / 4,
    "column sums": lambda x, y: np.sum(x, axis=0) / 3,
    "mean": lambda x, y: np.mean(x, axis=0, keepdims=True),
    "centre": lambda x, y: x - np.mean(x, axis=-1, keepdims=True),
    "mean of all": lambda x, y: y - x.mean(),
    "product": lambda x, y: np.prod(np.tanh(x), axis=0),
    "variance": lambda x, y: y / np.sqrt(1 + np.var(x, axis=0)),
    "deviation": lambda x, y: y * np.std(np.sin(x) + np.arange(x.shape[-1]), axis=-1)[..., None],
    "softmax": lambda x, y: y * nn.softmax(x),
    "logsumexp": lambda x, y: nn.logsumexp(x, axis=0) / 2,
    "norm": lambda x, y: x / np.sqrt(1 + np.sum(x * x)),
    "cumsum": lambda x, y: np.cumsum(x, axis=-1) / 2,
    "cumprod": lambda x, y: np.cumprod(np.tanh(x), axis=0),
}
SHAPES = {
    "transpose": lambda x, y: x.T,
    "axes": lambda x, y: np.swapaxes(x, 0, -1),
    "flat": lambda x, y: np.ravel(x),
    "reshape": lambda x, y: np.reshape(x, y.shape),
    "first rows": lambda x, y: x[:2],
    "but the first": lambda x, y: x[1:],
    "backwards": lambda x, y: x[::-1],
    "every other": lambda x, y: x[..., ::2],
    "one row": lambda x, y: x[0],
    "one column": lambda x, y: x[..., -1:],
    "one entry": lambda x, y: x[0, 0],
    "new axis": lambda x, y: x[:, None],
    "pick": lambda x, y: x[[1, 0, 1]],
    "pick columns": lambda x, y: x[:, np.array([0, 1, 1])],
    "crossed": lambda x, y: x[[0, 1], [1, 0]],
    "constant mask": lambda x, y: x[np.arange(x.shape[0]) % 2 == 0],
    "stretch": lambda x, y: np.broadcast_to(x, np.broadcast_shapes(x.shape, y.shape)),
    "squeeze": lambda x, y: np.squeeze(x),
    "concatenate": lambda x, y: np.concatenate([x, y]),
    "side by side": lambda x, y: np.hstack([x, y[:, :2]]),
    "stack": lambda x, y: np.stack([x, y]),
    "block": lambda x, y: np.block([[x, y], [y, x]]),
    "split": lambda x, y: np.split(x, 2)[1],
    "both parts": lambda x, y: np.multiply(*np.split(x, 2, axis=-1)),
    "pad": lambda x, y: np.pad(x, 1)[:-1],
    "roll": lambda x, y: np.roll(x, 1, axis=-1),
    "flip": lambda x, y: np.flip(x, 0),
    "tile": lambda x, y: np.tile(x, 2),
    "repeat": lambda x, y: np.repeat(x, 2, axis=0),
    "diagonal": lambda x, y: np.diagonal(x),
    "lower": lambda x, y: np.tril(x),
    "written": lambda x, y: tg.at(x)[0].set(y[0]),
    "added": lambda x, y: tg.at(x)[1:].add(np.tanh(y[1:])),
    "like": lambda x, y: y + np.ones_like(x),
}
SMOOTH = ELEMENTWISE | PRODUCTS | REDUCTIONS | SHAPES
STEPS = SMOOTH | KINKS
LARGEST = 5000  # entries of a result


def programs(steps=STEPS, most=20):
    """Return programs of so many ``steps`` at most."""
    back = st.integers(0, most)
    return st.lists(
        st.tuples(st.sampled_from(sorted(steps)), back, back), min_size=2, max_size=most
    )


def fitting(program, inputs):
    """Return those steps of ``program`` whose shapes fit, and how many results there are then."""
    results, kept = list(inputs), []
    for step in program:
        try:
            result = taken(step, results)
        except (ValueError, IndexError, TypeError):
            continue
        if isinstance(result, np.ndarray | np.generic) and result.size <= LARGEST:
            results.append(result)
            kept.append(step)
    return kept


def taken(step, results):
    """Return what ``step`` makes of the ``results`` so far."""
    name, i, j = step
    x, y = (results[-1 - k % len(results)] for k in (i, j))
    return STEPS[name](x, y)


def run(program, inputs):
    """Return ``inputs`` and the results of all steps."""
    results = list(inputs)
    for step in program:
        results.append(taken(step, results))
    return results
