"""Cases of the activations and losses."""

import numpy as np

from tests.case import case, normal, positive, probabilities, spread
from tinygrad_dnn.rules.activations import (
    celu,
    clipped_relu,
    crelu,
    elu,
    gelu,
    glu,
    hard_sigmoid,
    hard_tanh,
    log_sigmoid,
    maxout,
    mish,
    prelu,
    relu6,
    selu,
    softplus,
    softsign,
    swish,
)
from tinygrad_dnn.rules.criteria import (
    bernoulli_nll,
    contrastive,
    focal,
    focal_with_logits,
    gaussian_kl,
    gaussian_nll,
    hinge,
    huber,
    margin_ranking,
    mean_absolute_error,
    multiclass_hinge,
    negative_log_likelihood,
    triplet,
)
from tinygrad_dnn.rules.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    cross_entropy_with_logits,
    mean_squared_error,
)
from tinygrad_dnn.rules.network import (
    leaky_relu,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    softmax,
)

# ---- activations -----------------------------------------------------------------------------
case(relu, spread(3, 4), smooth=False)
case(relu, spread(), smooth=False)
case(leaky_relu, spread(3, 4), smooth=False)
case(leaky_relu, spread(3, 4), 0.3, smooth=False)
case(leaky_relu, spread(3, 4), slope=0.2, smooth=False)
case(sigmoid, normal(3, 4))
case(sigmoid, normal())
for fn in (softmax, log_softmax):
    case(fn, normal(3, 4))
    case(fn, normal(3, 4), axis=1)
    case(fn, normal(3), axis=-1)
    case(fn, normal(3, 0))
    case(fn, normal(0, 3))
case(logsumexp, normal(3, 4))
case(logsumexp, normal())
case(logsumexp, normal(3, 4), 0)
case(logsumexp, normal(3, 4), axis=-1, keepdims=True)
case(logsumexp, normal(2, 3, 4), axis=(0, 2))
case(logsumexp, normal(2, 3, 4), (0, 2), True)

# ---- losses ----------------------------------------------------------------------------------
LABELS = np.array([[0, 1, 1, 0, 1]])
ONE_HOT = np.eye(3, dtype=int)[:, [0, 2, 1, 1]]
case(binary_cross_entropy, probabilities(1, 5), LABELS, keeps_float32=False)
case(binary_cross_entropy, probabilities(2, 5), probabilities(2, 5))
case(binary_cross_entropy_with_logits, normal(1, 5), LABELS, smooth=False, keeps_float32=False)
case(binary_cross_entropy_with_logits, normal(2, 5), probabilities(2, 5), smooth=False)
case(cross_entropy, probabilities(3, 4), ONE_HOT, keeps_float32=False)
case(cross_entropy, probabilities(3, 4), probabilities(3, 4))
case(cross_entropy_with_logits, normal(3, 4), ONE_HOT, keeps_float32=False)
case(cross_entropy_with_logits, normal(3, 4), probabilities(3, 4))
case(mean_squared_error, normal(3, 4), normal(3, 4))
case(mean_squared_error, normal(1, 1), normal(1, 1))

# ---- more activations ------------------------------------------------------------------------
for fn in (relu6, clipped_relu, hard_sigmoid, hard_tanh, selu, elu, celu, softsign):
    case(fn, 3 * spread(4, 5), smooth=False)
    case(fn, spread(), smooth=False)
for fn in (softplus, log_sigmoid):
    case(fn, spread(3, 4), smooth=False)
for fn in (swish, mish, gelu):
    case(fn, normal(3, 4), smooth=False)
case(clipped_relu, spread(3, 4), 0.6, smooth=False)
case(elu, spread(3, 4), 0.5, smooth=False)
case(celu, spread(3, 4), alpha=2.0, smooth=False)
case(swish, normal(3, 4), 1.5, smooth=False)
case(swish, normal(3, 4), positive(3, 1), smooth=False)
case(gelu, normal(3, 4), "tanh")
case(prelu, spread(3, 4), positive(), smooth=False)
case(prelu, spread(3, 4), positive(3, 1), smooth=False)
case(glu, normal(4, 3))
case(glu, normal(3, 4), axis=-1)
case(crelu, spread(3, 4), axis=1, smooth=False)
case(maxout, spread(6, 2), 3, smooth=False)
case(maxout, spread(2, 6), 2, axis=-1, smooth=False)

# ---- more losses -----------------------------------------------------------------------------
SIGNS = np.array([[1, -1, 1, 1]])
case(mean_absolute_error, spread(3, 4), spread(3, 4) + 0.1, smooth=False)
case(huber, 3 * spread(2, 3), np.zeros((2, 3)) + 0.05, smooth=False)
case(huber, 3 * spread(2, 3), 0, delta=0.5, smooth=False)
case(gaussian_nll, normal(3, 4), normal(3, 4), normal(3, 4))
case(gaussian_kl, normal(3, 4), normal(3, 4))
case(bernoulli_nll, normal(1, 5), LABELS, smooth=False, keeps_float32=False)
case(negative_log_likelihood, normal(3, 4), ONE_HOT, keeps_float32=False)
case(focal, probabilities(3, 4), ONE_HOT, keeps_float32=False)
case(focal, probabilities(3, 4), ONE_HOT, gamma=0.5, alpha=0.25, keeps_float32=False)
case(focal_with_logits, normal(3, 4), ONE_HOT, keeps_float32=False)
case(hinge, spread(1, 4), SIGNS, smooth=False, keeps_float32=False)
case(multiclass_hinge, spread(3, 4), ONE_HOT, margin=0.9, smooth=False, keeps_float32=False)
case(margin_ranking, spread(1, 4), spread(1, 4) + 0.1, SIGNS, smooth=False, keeps_float32=False)
for margin in (9.0, 0.5):
    case(
        contrastive,
        positive(3, 5),
        -positive(3, 5),
        LABELS,
        margin=margin,
        keeps_float32=False,
        smooth=False,
    )
for margin in (50.0, -50.0):
    case(triplet, spread(3, 4), spread(3, 4), spread(3, 4), margin=margin, smooth=False)
