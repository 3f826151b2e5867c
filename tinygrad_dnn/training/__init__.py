"""Training: mini-batches, the loop, and what it remembers."""

from tinygrad_dnn.training.accuracy import accuracy as accuracy
from tinygrad_dnn.training.batches import batches as batches
from tinygrad_dnn.training.fit import fit as fit
from tinygrad_dnn.training.history import History as History
from tinygrad_dnn.training.training import Training as Training
