"""Networks: layers, activations, losses, initialisers and the thin ``Sequential``.

Examples are columns: A is (n, m), W (n_out, n_in), b (n_out, 1).  Images are (m, c, h, w), of c
channels, and sequences (T, n, m); ``Flatten`` goes from images to columns.
"""

from tinygrad_dnn.nn import init as init
from tinygrad_dnn.nn.activations import LeakyReLU as LeakyReLU
from tinygrad_dnn.nn.activations import ReLU as ReLU
from tinygrad_dnn.nn.activations import Sigmoid as Sigmoid
from tinygrad_dnn.nn.activations import Softmax as Softmax
from tinygrad_dnn.nn.activations import Tanh as Tanh
from tinygrad_dnn.nn.bilinear import Bilinear as Bilinear
from tinygrad_dnn.nn.convolution import Conv1d as Conv1d
from tinygrad_dnn.nn.convolution import Conv2d as Conv2d
from tinygrad_dnn.nn.convolution import ConvTranspose2d as ConvTranspose2d
from tinygrad_dnn.nn.dropout import Dropout as Dropout
from tinygrad_dnn.nn.dropout import dropout as dropout
from tinygrad_dnn.nn.embedding import Embedding as Embedding
from tinygrad_dnn.nn.embedding import embedding as embedding
from tinygrad_dnn.nn.flatten import Flatten as Flatten
from tinygrad_dnn.nn.flatten import Unflatten as Unflatten
from tinygrad_dnn.nn.functions.convolution import conv1d as conv1d
from tinygrad_dnn.nn.functions.convolution import conv2d as conv2d
from tinygrad_dnn.nn.functions.convolution import conv_transpose2d as conv_transpose2d
from tinygrad_dnn.nn.functions.normalisation import batch_norm as batch_norm
from tinygrad_dnn.nn.functions.normalisation import group_norm as group_norm
from tinygrad_dnn.nn.functions.normalisation import layer_norm as layer_norm
from tinygrad_dnn.nn.functions.pooling import avg_pool2d as avg_pool2d
from tinygrad_dnn.nn.functions.pooling import global_avg_pool2d as global_avg_pool2d
from tinygrad_dnn.nn.functions.pooling import max_pool2d as max_pool2d
from tinygrad_dnn.nn.functions.recurrent import gru_step as gru_step
from tinygrad_dnn.nn.functions.recurrent import lstm_step as lstm_step
from tinygrad_dnn.nn.functions.recurrent import rnn_step as rnn_step
from tinygrad_dnn.nn.linear import Linear as Linear
from tinygrad_dnn.nn.losses import binary_cross_entropy as binary_cross_entropy
from tinygrad_dnn.nn.losses import (
    binary_cross_entropy_with_logits as binary_cross_entropy_with_logits,
)
from tinygrad_dnn.nn.losses import cross_entropy as cross_entropy
from tinygrad_dnn.nn.losses import cross_entropy_with_logits as cross_entropy_with_logits
from tinygrad_dnn.nn.losses import mean_squared_error as mean_squared_error
from tinygrad_dnn.nn.losses import one_hot as one_hot
from tinygrad_dnn.nn.normalisation import BatchNorm1d as BatchNorm1d
from tinygrad_dnn.nn.normalisation import BatchNorm2d as BatchNorm2d
from tinygrad_dnn.nn.normalisation import GroupNorm as GroupNorm
from tinygrad_dnn.nn.normalisation import LayerNorm as LayerNorm
from tinygrad_dnn.nn.parameters import buffers as buffers
from tinygrad_dnn.nn.parameters import parameters as parameters
from tinygrad_dnn.nn.parameters import set_training as set_training
from tinygrad_dnn.nn.pooling import AvgPool2d as AvgPool2d
from tinygrad_dnn.nn.pooling import GlobalAvgPool2d as GlobalAvgPool2d
from tinygrad_dnn.nn.pooling import MaxPool2d as MaxPool2d
from tinygrad_dnn.nn.recurrent import GRU as GRU
from tinygrad_dnn.nn.recurrent import LSTM as LSTM
from tinygrad_dnn.nn.recurrent import RNN as RNN
from tinygrad_dnn.nn.sequential import Sequential as Sequential
from tinygrad_dnn.rules.network import leaky_relu as leaky_relu
from tinygrad_dnn.rules.network import log_softmax as log_softmax
from tinygrad_dnn.rules.network import logsumexp as logsumexp
from tinygrad_dnn.rules.network import relu as relu
from tinygrad_dnn.rules.network import sigmoid as sigmoid
from tinygrad_dnn.rules.network import softmax as softmax
from tinygrad_dnn.rules.normalisation import l2_normalize as l2_normalize
from tinygrad_dnn.rules.normalisation import standardize as standardize
