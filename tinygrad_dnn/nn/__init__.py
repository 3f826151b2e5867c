"""Networks: layers, activations, losses, initialisers and the thin ``Sequential``.

Examples are columns: A is (n, m), W (n_out, n_in), b (n_out, 1).
"""

from tinygrad_dnn.nn import init as init
from tinygrad_dnn.nn.activations import LeakyReLU as LeakyReLU
from tinygrad_dnn.nn.activations import ReLU as ReLU
from tinygrad_dnn.nn.activations import Sigmoid as Sigmoid
from tinygrad_dnn.nn.activations import Softmax as Softmax
from tinygrad_dnn.nn.activations import Tanh as Tanh
from tinygrad_dnn.nn.linear import Linear as Linear
from tinygrad_dnn.nn.losses import binary_cross_entropy as binary_cross_entropy
from tinygrad_dnn.nn.losses import (
    binary_cross_entropy_with_logits as binary_cross_entropy_with_logits,
)
from tinygrad_dnn.nn.losses import cross_entropy as cross_entropy
from tinygrad_dnn.nn.losses import cross_entropy_with_logits as cross_entropy_with_logits
from tinygrad_dnn.nn.losses import mean_squared_error as mean_squared_error
from tinygrad_dnn.nn.losses import one_hot as one_hot
from tinygrad_dnn.nn.parameters import parameters as parameters
from tinygrad_dnn.nn.sequential import Sequential as Sequential
from tinygrad_dnn.rules.network import leaky_relu as leaky_relu
from tinygrad_dnn.rules.network import log_softmax as log_softmax
from tinygrad_dnn.rules.network import logsumexp as logsumexp
from tinygrad_dnn.rules.network import relu as relu
from tinygrad_dnn.rules.network import sigmoid as sigmoid
from tinygrad_dnn.rules.network import softmax as softmax
