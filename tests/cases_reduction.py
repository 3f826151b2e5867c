"""Cases of the reductions."""

import numpy as np

from tests.case import case, normal, spread

# ---- reductions ------------------------------------------------------------------------------
for fn in (np.sum, np.mean):
    case(fn, normal(2, 3))
    case(fn, normal())
    case(fn, normal(2, 3), axis=0)
    case(fn, normal(2, 3), -1)
    case(fn, normal(2, 3, 4), axis=(0, -1))
    case(fn, normal(2, 3, 4), axis=(2, 0), keepdims=True)
    case(fn, normal(2, 3), keepdims=True)
    case(fn, normal(2, 3), axis=())
    case(fn, normal(0, 3), axis=1)
    case(fn, normal(2, 3), where=np.array([[True], [False]]))
    case(fn, normal(2, 3), axis=1, where=np.array([True, False, True]))
case(np.sum, normal(0, 3))
case(np.sum, normal(2, 3), 1, None, None, True)
case(np.sum, normal(2, 3), axis=1, initial=2.0)
case(np.mean, normal(2, 3), 1, None, None, True)
for fn in (np.max, np.min):
    case(fn, spread(2, 3), smooth=False)
    case(fn, spread(), smooth=False)
    case(fn, spread(2, 3), 0, smooth=False)
    case(fn, spread(2, 3, 4), axis=(0, -1), keepdims=True, smooth=False)
    case(fn, spread(2, 3, 4), axis=(2, 0), smooth=False)
    case(fn, spread(0, 3), axis=1, smooth=False)
    case(fn, spread(2, 3), 1, None, True, smooth=False)
