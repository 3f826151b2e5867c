"""Optimisers: they turn the gradients that ``backward`` has left into new parameters, in place.

An optimiser holds the Tensors themselves.  Its numbers may be changed between steps; what it
remembers from step to step are arrays, one for each parameter.
"""

from tinygrad_dnn.optim.adam import Adam as Adam
from tinygrad_dnn.optim.adam import AdamW as AdamW
from tinygrad_dnn.optim.momentum import Momentum as Momentum
from tinygrad_dnn.optim.optimizer import Optimizer as Optimizer
from tinygrad_dnn.optim.rmsprop import RMSProp as RMSProp
from tinygrad_dnn.optim.schedules import Schedule as Schedule
from tinygrad_dnn.optim.schedules import cosine as cosine
from tinygrad_dnn.optim.schedules import exponential as exponential
from tinygrad_dnn.optim.schedules import inverse_time as inverse_time
from tinygrad_dnn.optim.schedules import stepwise as stepwise
from tinygrad_dnn.optim.schedules import warmup as warmup
from tinygrad_dnn.optim.sgd import SGD as SGD
