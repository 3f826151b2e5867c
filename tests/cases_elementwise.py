"""Cases of the elementwise functions."""

import numpy as np

from tests.case import bits, case, normal, positive, spread
from tinygrad_dnn.rules.elementwise import clip

# ---- arithmetic ------------------------------------------------------------------------------
for fn in (np.add, np.subtract, np.multiply):
    case(fn, normal(2, 3), normal(2, 3))
    case(fn, normal(), normal())
    case(fn, normal(3, 1), normal(4, 1, 2))
    case(fn, normal(0, 3), normal(3))
    case(fn, normal(2, 3), 2.5)
    case(fn, 3, normal(2, 3))
case(np.divide, normal(2, 3), positive(2, 3))
case(np.divide, normal(3), -positive(2, 1))
case(np.divide, normal(3), 3)
case(np.divide, 1.0, positive())
for fn in (np.negative, np.positive, np.square, np.exp, np.expm1, np.sin, np.cos, np.tanh):
    case(fn, normal(2, 3))
    case(fn, normal())
    case(fn, normal(2, 0))
for fn in (np.sqrt, np.log, np.log1p):
    case(fn, positive(2, 3))
    case(fn, positive())
case(np.power, positive(2, 3), normal(2, 3))
case(np.power, positive(3), normal(2, 1))
case(np.power, positive(), normal())
case(np.power, normal(2, 3), 3)
case(np.power, spread(2, 3), 2.0)
case(np.power, spread(2, 3), -2, smooth=False)
case(np.power, spread(2, 3), 1)
case(np.power, spread(2, 3), 0)
case(np.power, positive(2, 3), 0.5)
case(np.power, 2.0, normal(2, 3))
case(np.power, spread(5), np.array([-1, 0, 1, 2, 3]), smooth=False, keeps_float32=False)
case(np.power, positive(3), np.array([-1, 0, 2]), keeps_float32=False)

# ---- pieces ----------------------------------------------------------------------------------
case(np.absolute, spread(2, 3), smooth=False)
case(np.absolute, spread(), smooth=False)
for fn in (np.maximum, np.minimum):
    case(fn, spread(2, 3), spread(2, 3) + 0.1, smooth=False)
    case(fn, spread(3, 1), spread(4) + 0.1, smooth=False)
    case(fn, spread(2, 3), 0, smooth=False)
case(clip, spread(2, 3), -0.4, 0.4, through=np.clip, smooth=False)
case(clip, spread(2, 3), None, 0.2, through=np.clip, smooth=False)
case(clip, spread(2, 3), 0.2, None, through=np.clip, smooth=False)
case(clip, spread(7, 1), spread(5) - 0.5, spread(5) + 0.75, through=np.clip, smooth=False)
case(clip, spread(6), np.array(0.4), np.array(-0.4), through=np.clip, smooth=False)
case(clip, spread(6), np.array(0.0), through=lambda x, low: np.clip(x, min=low), smooth=False)
case(clip, spread(6), np.array(0.0), through=lambda x, high: np.clip(x, None, high), smooth=False)
case(np.where, bits(2, 3), normal(2, 3), normal(2, 3))
case(np.where, bits(4, 1), normal(3), normal())
case(np.where, bits(2, 3), normal(2, 3), 0)
case(np.where, bits(2, 3), 0, normal(2, 3))
