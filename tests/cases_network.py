"""Cases of the activations and losses."""

import numpy as np

from tests.case import case, normal, probabilities, spread
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
