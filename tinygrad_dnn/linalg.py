"""Linear algebra that SciPy has and NumPy lacks, under SciPy's names, on arrays and on Tensors.

It needs SciPy (``pip install tinygrad-dnn[special]``).  What NumPy has is ``np.linalg`` itself.

>>> import numpy as np
>>> import tinygrad_dnn as tg
>>> L, b = tg.Tensor([[2.0, 0.0], [1.0, 4.0]]), np.array([2.0, 9.0])
>>> tg.linalg.solve_triangular(L, b, lower=True).data
array([1., 2.])
"""

from tinygrad_dnn.rules.triangular import solve_triangular as solve_triangular
