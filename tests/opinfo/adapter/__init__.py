"""PyTorch's operations in NumPy's functions: name -> callable on Tensors, one table per family.

PyTorch's names for arguments (``dim``, ``keepdim``, ...) are translated here and nowhere else.
What a function cannot express (a 0-d array with an axis, an option NumPy lacks) it refuses with
`Unsupported`: such a sample is counted, and is no mismatch.
"""

from tests.opinfo.adapter import (
    arithmetic,
    elementwise,
    fourier,
    indexing,
    joining,
    layers,
    linalg,
    losses,
    network,
    products,
    reduction,
    shape,
    special,
    windows,
)

FAMILIES = {
    module.__name__.rpartition(".")[2]: module.OPERATIONS
    for module in (
        arithmetic, elementwise, special, reduction, products, linalg, shape, joining, indexing,
        network, layers, windows, losses, fourier,
    )
}  # fmt: skip
ADAPTER = {name: fn for family in FAMILIES.values() for name, fn in family.items()}
