"""A small autograd on NumPy for people who derive, teach, check and look at backpropagation."""

from tinygrad_dnn import func as func
from tinygrad_dnn import nn as nn
from tinygrad_dnn import optim as optim
from tinygrad_dnn.anomaly import detect_anomaly as detect_anomaly
from tinygrad_dnn.at import at as at
from tinygrad_dnn.checking import check_parameters as check_parameters
from tinygrad_dnn.checking import gradcheck as gradcheck
from tinygrad_dnn.graph import no_grad as no_grad
from tinygrad_dnn.primitives import elementwise as elementwise
from tinygrad_dnn.primitives import multilinear as multilinear
from tinygrad_dnn.primitives import primitive as primitive
from tinygrad_dnn.primitives import rule as rule
from tinygrad_dnn.tensor import Tensor as Tensor
from tinygrad_dnn.tensor import grad as grad
from tinygrad_dnn.training import fit as fit
from tinygrad_dnn.visualize import draw as draw

__version__ = "0.1.0"
