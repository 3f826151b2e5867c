"""Cases of linear algebra."""

import numpy as np

from tests.case import case, normal
from tinygrad_dnn.rules.linalg import cross, multi_dot

# ---- matrix products, of every rank ----------------------------------------------------------
case(np.matmul, normal(2, 3), normal(3, 4))
case(np.matmul, normal(3), normal(3))
case(np.matmul, normal(3), normal(3, 4))
case(np.matmul, normal(2, 3), normal(3))
case(np.matmul, normal(5, 2, 3), normal(5, 3, 4))
case(np.matmul, normal(5, 2, 3), normal(3, 4))
case(np.matmul, normal(2, 3), normal(5, 3, 4))
case(np.matmul, normal(6, 1, 2, 3), normal(5, 3, 4))
case(np.matmul, normal(1, 2, 3), normal(5, 3, 1))
case(np.matmul, normal(3), normal(5, 3, 4))
case(np.matmul, normal(5, 2, 3), normal(3))
case(np.matmul, normal(2, 0), normal(0, 3))
case(np.matmul, normal(2, 3), normal(3, 0))
case(np.linalg.matmul, normal(2, 3), normal(3, 4))

for fn in (np.dot, np.inner):
    case(fn, normal(), normal())
    case(fn, normal(), normal(2, 3))
    case(fn, normal(2, 3), normal())
    case(fn, normal(3), normal(3))
    case(fn, normal(2, 3), normal(3))
case(np.dot, [[1.0, 2.0], [3.0, 4.0]], normal(2), keeps_float32=False)
case(np.dot, normal(3), normal(3, 4))
case(np.dot, normal(2, 3), normal(3, 4))
case(np.dot, normal(5, 2, 3), normal(3, 4))
case(np.dot, normal(2, 3), normal(4, 3, 2))
case(np.dot, normal(3), normal(4, 3, 2))
case(np.dot, normal(5, 1, 3), normal(4, 3, 2))
case(np.dot, normal(2, 0), normal(0, 3))
case(np.inner, normal(4, 3), normal(5, 2, 3))
case(np.inner, normal(3), normal(2, 3))
case(np.vdot, normal(3), normal(3), smooth=False)
case(np.vdot, normal(2, 3), normal(3, 2), smooth=False)
case(np.vdot, normal(), normal(), smooth=False)
case(np.vecdot, normal(3), normal(3), smooth=False)
case(np.vecdot, normal(4, 1, 3), normal(5, 3), smooth=False)
case(
    np.vecdot,
    normal(3, 2),
    normal(3, 2),
    through=lambda x, y: np.linalg.vecdot(x, y, axis=0),
    smooth=False,
)
case(np.matvec, normal(2, 3), normal(3))
case(np.matvec, normal(4, 1, 2, 3), normal(5, 3))
case(np.matvec, normal(2, 3), normal(5, 3))
case(np.vecmat, normal(2), normal(2, 3), smooth=False)
case(np.vecmat, normal(4, 1, 2), normal(5, 2, 3), smooth=False)
case(np.vecmat, normal(5, 2), normal(2, 3), smooth=False)
case(np.tensordot, normal(2, 3, 4), normal(3, 4, 5))
case(np.tensordot, normal(2, 3), normal(3, 4), 1)
case(np.tensordot, normal(2, 3), normal(4), axes=0)
case(np.tensordot, normal(2, 3, 4), normal(4, 5, 2), axes=([0, 2], [2, 0]))
case(np.tensordot, normal(2, 3, 4), normal(5, 4, 3, 2), axes=([-1, 0, 1], [1, -1, 2]))
case(np.linalg.tensordot, normal(2, 3), normal(5, 3), axes=(1, -1))
case(np.tensordot, normal(2, 3), normal(3, 2), axes=((0, 1), (1, 0)))
case(np.kron, normal(2, 3), normal(4, 5))
case(np.kron, normal(3), normal(2, 2))
case(np.kron, normal(2, 3, 2), normal(2))
case(np.kron, normal(), normal(2))
case(np.outer, normal(3), normal(4))
case(np.outer, normal(3, 2), normal(4))
case(np.linalg.outer, normal(3), normal(4))
case(cross, normal(3), normal(3), through=np.cross)
case(cross, normal(4, 1, 3), normal(5, 3), through=np.cross)
case(cross, normal(3, 4), normal(3, 4), axis=0, through=np.cross)
case(cross, normal(3, 4), normal(4, 3), axisa=0, axisc=0, through=np.cross)
case(np.linalg.cross, normal(4, 3), normal(4, 3))
for shapes in (
    [(2, 3), (3, 4)],
    [(2, 3), (3, 4), (4, 5)],
    [(2, 3), (3, 4), (4, 5), (5, 2)],
    [(3,), (3, 4), (4, 5)],
    [(2, 3), (3, 4), (4,)],
    [(3,), (3, 4), (4,)],
    [(0, 3), (3, 4), (4, 2)],
    [(2, 3), (3, 0), (0, 4)],
):
    case(
        multi_dot,
        *(normal(*shape) for shape in shapes),
        through=lambda *factors: np.linalg.multi_dot(factors),
    )
for n in range(1, 8):
    case(np.linalg.matrix_power, normal(3, 3), n)
case(np.linalg.matrix_power, normal(2, 3, 3), 2)
