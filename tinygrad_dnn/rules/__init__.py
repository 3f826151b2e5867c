"""Every derivative the package knows, one table per family.

Notation in all of them: ``g`` cotangent of the output, ``t`` tangent of an input, ``v`` either of
the two, ``out`` the output; ``x, y`` (or ``a, b`` for matrices) the inputs.

Policy at points without a derivative: relu'(0) = 0 and |x|'(0) = 0; where max, min, maximum or
minimum are tied, the tied entries share equally (of a running one, the first has it all); where
sorted entries are tied, the first in the array counts as the smaller; clip passes the gradient at
its limits; x**0 has derivative 0 at x = 0; hypot and every norm are flat at 0, and a standard
deviation where the entries are all equal; a step function (sign, a comparison, a cast to integers)
has derivative 0.

Complex numbers: the gradient of a real J by z is dJ/d Re z + i dJ/d Im z, the direction of steepest
ascent.  So a vjp is the adjoint of its jvp under Re(sum(conj(u) v)); of ``elementwise`` functions
the partial is conjugated for it.  A real argument receives the real part.
"""

from tinygrad_dnn.rules import activations as activations
from tinygrad_dnn.rules import complex_numbers as complex_numbers
from tinygrad_dnn.rules import convolution as convolution
from tinygrad_dnn.rules import covariance as covariance
from tinygrad_dnn.rules import criteria as criteria
from tinygrad_dnn.rules import cumulative as cumulative
from tinygrad_dnn.rules import decompositions as decompositions
from tinygrad_dnn.rules import diagonals as diagonals
from tinygrad_dnn.rules import eigen as eigen
from tinygrad_dnn.rules import einsum as einsum
from tinygrad_dnn.rules import elementwise as elementwise
from tinygrad_dnn.rules import fft as fft
from tinygrad_dnn.rules import indexing as indexing
from tinygrad_dnn.rules import joining as joining
from tinygrad_dnn.rules import linalg as linalg
from tinygrad_dnn.rules import losses as losses
from tinygrad_dnn.rules import methods as methods
from tinygrad_dnn.rules import nan as nan
from tinygrad_dnn.rules import network as network
from tinygrad_dnn.rules import normalisation as normalisation
from tinygrad_dnn.rules import norms as norms
from tinygrad_dnn.rules import order as order
from tinygrad_dnn.rules import orthogonal as orthogonal
from tinygrad_dnn.rules import padding as padding
from tinygrad_dnn.rules import patches as patches
from tinygrad_dnn.rules import pieces as pieces
from tinygrad_dnn.rules import polynomial as polynomial
from tinygrad_dnn.rules import pooling as pooling
from tinygrad_dnn.rules import products as products
from tinygrad_dnn.rules import quantiles as quantiles
from tinygrad_dnn.rules import ranges as ranges
from tinygrad_dnn.rules import reduction as reduction
from tinygrad_dnn.rules import refused as refused
from tinygrad_dnn.rules import shape as shape
from tinygrad_dnn.rules import singular as singular
from tinygrad_dnn.rules import solving as solving
from tinygrad_dnn.rules import special as special
from tinygrad_dnn.rules import steps as steps
from tinygrad_dnn.rules import triangular as triangular
from tinygrad_dnn.rules import trigonometric as trigonometric
