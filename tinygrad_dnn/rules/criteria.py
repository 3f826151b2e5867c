"""More losses, each its formula and nothing else: the rules of its parts differentiate it.

Examples are the m columns.  A loss of numbers is the mean over all entries; a loss of classes or
distributions is the sum over the rows, and the mean over the columns, (1/m) sum(...).
"""

from math import log, pi

import numpy as np

from tinygrad_dnn.primitives import Array
from tinygrad_dnn.rules.losses import binary_cross_entropy_with_logits
from tinygrad_dnn.rules.network import log_softmax, relu


# ---- of numbers ------------------------------------------------------------------------------
def mean_absolute_error(A: Array, Y: Array) -> Array:
    """Mean |A - Y|.  Shapes: A, Y (n, m) -> ().

    >>> float(mean_absolute_error(np.array([[1.0, 2.0]]), np.array([[0.0, 4.0]])))
    1.5
    """
    return np.mean(np.absolute(A - Y))


def huber(A: Array, Y: Array, *, delta: float = 1.0) -> Array:
    """Return the mean of d**2 / 2 where d = |A - Y| <= delta, else delta (d - delta / 2).

    Shapes: A, Y (n, m) -> ().  Huber (1964).

    >>> float(huber(np.array([[1.0, 4.0]]), np.array([[0.0, 0.0]])))
    2.0
    """
    d = A - Y
    size = np.absolute(d)
    return np.mean(np.where(size <= delta, np.square(d) / 2, delta * (size - delta / 2)))


def gaussian_nll(mean: Array, log_variance: Array, Y: Array) -> Array:
    """-(1/m) sum log N(Y; mean, exp(log_variance)).  Shapes: all (n, m) -> ().

    >>> float(gaussian_nll(np.array([[1.0]]), np.array([[0.0]]), np.array([[1.0]])))
    0.918938533204...
    """
    terms = log_variance + np.square(Y - mean) * np.exp(-log_variance) + log(2 * pi)
    return np.sum(terms) / (2 * Y.shape[1])


def gaussian_kl(mean: Array, log_variance: Array) -> Array:
    """(1/m) sum KL(N(mean, exp(log_variance)) || N(0, 1)).  Shapes: both (n, m) -> ().

    >>> float(gaussian_kl(np.array([[2.0]]), np.array([[0.0]])))
    2.0
    """
    terms = np.exp(log_variance) + np.square(mean) - 1 - log_variance
    return np.sum(terms) / (2 * mean.shape[1])


# ---- of classes ------------------------------------------------------------------------------
def bernoulli_nll(Z: Array, Y: Array) -> Array:
    """-(1/m) sum log P(Y) where P(1) = sigmoid(Z).  Shapes: Z, Y (n, m) -> ().

    >>> float(bernoulli_nll(np.array([[0.0]]), np.array([[1.0]])))
    0.693147180559...
    """
    return binary_cross_entropy_with_logits(Z, Y)


def negative_log_likelihood(log_A: Array, Y: Array) -> Array:
    """-(1/m) sum(Y log_A), of logarithms of probabilities.  Shapes: log_A, Y (n, m) -> ().

    >>> float(negative_log_likelihood(np.array([[-1.0], [-2.0]]), np.array([[0.0], [1.0]])))
    2.0
    """
    return -np.sum(Y * log_A) / Y.shape[1]


def focal(A: Array, Y: Array, *, alpha: float = 1.0, gamma: float = 2.0) -> Array:
    """-(alpha/m) sum(Y (1 - A)**gamma log A), of probabilities (Lin et al. 2017).

    Shapes: A, Y (n, m) -> (), Y one-hot.

    >>> float(focal(np.array([[0.5], [0.5]]), np.array([[0.0], [1.0]])))
    0.173286795139...
    """
    return -alpha * np.sum(Y * (1 - A) ** gamma * np.log(np.where(Y == 0, 1, A))) / Y.shape[1]


def focal_with_logits(Z: Array, Y: Array, *, alpha: float = 1.0, gamma: float = 2.0) -> Array:
    """focal(softmax(Z), Y) without rounding.  Shapes: Z, Y (n, m) -> (), Y one-hot.

    >>> float(focal_with_logits(np.array([[0.0], [0.0]]), np.array([[0.0], [1.0]])))
    0.173286795139...
    """
    log_A = log_softmax(Z)
    return -alpha * np.sum(Y * (-np.expm1(log_A)) ** gamma * log_A) / Y.shape[1]


# ---- of margins ------------------------------------------------------------------------------
def hinge(A: Array, Y: Array) -> Array:
    """Mean max(0, 1 - Y A), with labels -1 and 1.  Shapes: A, Y (n, m) -> ().

    >>> float(hinge(np.array([[0.5, 3.0]]), np.array([[-1.0, 1.0]])))
    0.75
    """
    return np.mean(relu(1 - Y * A))


def multiclass_hinge(A: Array, Y: Array, *, margin: float = 1.0) -> Array:
    """(1/m) sum max(0, margin + A - A at the label), over the other classes.

    Shapes: A, Y (n, m) -> (), Y one-hot.  Weston and Watkins (1999).

    >>> float(multiclass_hinge(np.array([[2.0], [1.5]]), np.array([[1.0], [0.0]])))
    0.5
    """
    right = np.sum(Y * A, axis=0, keepdims=True)
    return np.sum((1 - Y) * relu(margin + A - right)) / Y.shape[1]


def margin_ranking(A: Array, B: Array, Y: Array, *, margin: float = 0.0) -> Array:
    """Mean max(0, margin - Y (A - B)): A should be above B where Y = 1, below where Y = -1.

    Shapes: all (n, m) -> ().

    >>> float(margin_ranking(np.array([[1.0]]), np.array([[3.0]]), np.array([[1.0]])))
    2.0
    """
    return np.mean(relu(margin - Y * (A - B)))


def contrastive(A: Array, B: Array, same: Array, *, margin: float = 1.0) -> Array:
    """(1/2m) sum of d**2 where ``same`` is 1, of max(0, margin - d)**2 where 0; d = |A - B|.

    Shapes: A, B (n, m), same (m,) or (1, m) -> ().  Hadsell et al. (2006).

    >>> float(contrastive(np.array([[3.0]]), np.array([[1.0]]), np.array([1.0])))
    2.0
    """
    squares = np.sum(np.square(A - B), axis=0)
    apart = squares > 0
    d = np.where(apart, np.sqrt(np.where(apart, squares, 1)), 0)
    same = np.reshape(same, squares.shape)
    terms = same * squares + (1 - same) * np.square(relu(margin - d))
    return np.sum(terms) / (2 * A.shape[1])


def triplet(anchor: Array, positive: Array, negative: Array, *, margin: float = 0.2) -> Array:
    """(1/m) sum max(0, |anchor - positive|**2 - |anchor - negative|**2 + margin).

    Shapes: all (n, m) -> ().  Schroff et al. (2015).

    >>> float(triplet(np.array([[0.0]]), np.array([[1.0]]), np.array([[0.5]])))
    0.95
    """
    near = np.sum(np.square(anchor - positive), axis=0)
    far = np.sum(np.square(anchor - negative), axis=0)
    return np.mean(relu(near - far + margin))
