"""Cases: windows, convolution, pooling and normalisation."""

from itertools import product
from typing import Any

from tests.case import case, normal
from tests.case import spread as spread_out
from tinygrad_dnn import nn
from tinygrad_dnn.rules.convolution import conv, conv_input, conv_weight
from tinygrad_dnn.rules.normalisation import l2_normalize, standardize
from tinygrad_dnn.rules.patches import fold, patches
from tinygrad_dnn.rules.pooling import avg_pool, max_pool, of_largest, spread, to_largest

PLAIN: dict[str, Any] = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
HOWS: list[dict[str, Any]] = [
    PLAIN,
    {"stride": (2, 3), "padding": (1, 2), "dilation": (1, 1)},
    {"stride": (1, 2), "padding": (2, 0), "dilation": (2, 1)},
]

# ---- windows ---------------------------------------------------------------------------------
PLACES = [(4, 4), (3, 3), (7, 2)]  # of a kernel (2, 3) on (5, 6)
for how, places in zip(HOWS, PLACES, strict=True):
    case(patches, normal(2, 2, 5, 6), kernel=(2, 3), **how)
    case(fold, normal(2, 2, 2, 3, *places), size=(5, 6), **how)
case(patches, normal(1, 2, 5), kernel=(2,), stride=(1,), padding=(1,), dilation=(3,), fill=-1.5)
case(patches, normal(0, 2, 5), kernel=(2,), stride=(1,), padding=(0,), dilation=(1,))
case(fold, normal(1, 2, 2, 4), size=(5,), stride=(1,), padding=(1,), dilation=(3,))

# ---- convolution -----------------------------------------------------------------------------
for (how, places), groups in product(zip(HOWS, PLACES, strict=True), (1, 2)):
    options = {**how, "groups": groups}
    x, W, y = (2, 4, 5, 6), (6, 4 // groups, 2, 3), (2, 6, *places)
    case(conv, normal(*x), normal(*W), **options)
    case(conv_input, normal(*y), normal(*W), size=(5, 6), **options)
    case(conv_weight, normal(*x), normal(*y), kernel=(2, 3), **options)
LINE: dict[str, Any] = {"stride": (2,), "padding": (1,), "dilation": (1,), "groups": 1}
case(conv, normal(3, 2, 6), normal(2, 2, 3), **LINE)
case(conv, normal(0, 2, 6), normal(2, 2, 3), **LINE)
case(conv_input, normal(3, 2, 3), normal(2, 2, 3), size=(6,), **LINE)
case(conv_weight, normal(3, 2, 6), normal(3, 2, 3), kernel=(3,), **LINE)
SPACE: dict[str, Any] = {"stride": (1,) * 3, "padding": (0,) * 3, "dilation": (1,) * 3, "groups": 2}
case(conv, normal(2, 2, 3, 3, 3), normal(2, 1, 2, 2, 2), **SPACE)

case(conv_input, normal(2, 2, 2, 2, 2), normal(2, 1, 2, 2, 2), size=(3, 3, 3), **SPACE)
case(conv_weight, normal(2, 2, 3, 3, 3), normal(2, 2, 2, 2, 2), kernel=(2, 2, 2), **SPACE)
case(nn.conv3d, normal(1, 2, 3, 4, 3), normal(2, 2, 2, 1, 2), normal(2, 1, 1, 1), padding=(1, 0, 0))
case(nn.conv2d, normal(1, 2, 3, 4), normal(2, 2, 2, 3), padding="same", dilation=(3, 1))
case(nn.conv_transpose1d, normal(2, 4, 3), normal(4, 1, 3), normal(2, 1), stride=2, groups=2)
case(nn.conv_transpose3d, normal(1, 2, 2, 1, 2), normal(2, 1, 2, 2, 1), stride=(1, 2, 1))
case(nn.unfold, normal(2, 2, 4, 3), (2, 3), padding=(1, 0))
case(nn.fold, normal(2, 12, 5), (4, 3), (2, 3), padding=(1, 0))
case(nn.linear, normal(3, 4), normal(2, 3), normal(2, 1))

# ---- pooling ---------------------------------------------------------------------------------
WINDOW: dict[str, Any] = {**PLAIN, "kernel": (3, 2), "padding": (1, 1)}
EVERY_OTHER: dict[str, Any] = {"kernel": (3,), "stride": (2,), "padding": (0,), "dilation": (1,)}
for fn, smooth in ((max_pool, False), (avg_pool, True)):
    case(fn, spread_out(2, 2, 4, 6), kernel=(2, 2), smooth=smooth, **{**PLAIN, "stride": (2, 2)})
    case(fn, spread_out(2, 2, 5, 6), smooth=smooth, **{**WINDOW, "stride": (1, 2)})
    case(fn, spread_out(1, 2, 6, 7), smooth=smooth, **{**WINDOW, "dilation": (1, 3)})
    case(fn, spread_out(1, 2, 7), smooth=smooth, **EVERY_OTHER)
    case(fn, spread_out(0, 2, 7), smooth=smooth, **EVERY_OTHER)

X = spread_out(2, 2, 5, 6)
TOP = max_pool(X, **WINDOW)
case(
    of_largest,
    normal(2, 2, 5, 6),
    through=lambda t: of_largest(t, X, TOP, **WINDOW),
    keeps_float32=False,
)
case(to_largest, normal(2, 2, 5, 7), through=lambda g: to_largest(g, X, TOP, **WINDOW))
case(spread, normal(2, 2, 5, 7), size=(5, 6), **WINDOW)
case(spread, normal(1, 2, 3), size=(8,), **EVERY_OTHER)

case(
    max_pool,
    spread_out(1, 1, 3, 4, 2),
    kernel=(2, 2, 1),
    stride=(1, 2, 1),
    padding=(0, 0, 0),
    dilation=(2, 1, 1),
    smooth=False,
)
PLACES_OF_LARGEST = nn.max_pool2d(X, (3, 2), return_indices=True)[1]
case(nn.max_unpool2d, normal(2, 2, 1, 3), PLACES_OF_LARGEST, (3, 2), output_size=(5, 6))

# ---- normalisation ---------------------------------------------------------------------------
case(standardize, normal(3, 5), axis=1)
case(standardize, normal(3, 5), axis=0, eps=0.1)
case(standardize, normal(3, 2, 2, 2), axis=(0, 2, 3))
case(standardize, normal(2, 3, 5), axis=-2)
case(l2_normalize, normal(3, 5))
case(l2_normalize, normal(3, 5), axis=-1, eps=0.1)
case(l2_normalize, normal(3, 5, 2), axis=(0, 1))
case(nn.local_response_norm, normal(2, 5, 3), 3, alpha=2.0)
case(nn.local_response_norm, normal(2, 3, 2, 2), 4, alpha=0.5, beta=1.5, k=2.0)
case(nn.batch_norm, normal(3, 2, 4), normal(2, 1), normal(2, 1))
case(nn.batch_norm, normal(2, 2, 1, 2, 2), normal(2, 1, 1, 1))
