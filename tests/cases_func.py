"""Cases for the primitives of ``tinygrad_dnn.func``: a checkpoint, of one and of two inputs."""

import numpy as np

from tests.case import case, normal
from tinygrad_dnn.func import checkpoint
from tinygrad_dnn.func.checkpointing import checkpointed

case(checkpointed, normal(2, 3), through=checkpoint(lambda x: np.tanh(x) * x))
case(checkpointed, normal(2, 3), normal(3, 2), through=checkpoint(lambda x, y: np.sin(x @ y)))
