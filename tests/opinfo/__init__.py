"""PyTorch's own test samples as a battery for this package.

PyTorch ships a data base (`op_db`) of its operations, each with the calls its authors test it on:
empty and 0-d arrays, broadcasting, negative axes, ties.  A *sample* is one such call with what
PyTorch makes of it: values, and gradients for a fixed cotangent.  The *adapter* says how each
operation is written with NumPy's functions.  `frozen.npz` holds a selection of samples, so that a
test run needs no PyTorch; ``python -m tests.opinfo`` runs all of them, ``--freeze`` selects anew.
"""
