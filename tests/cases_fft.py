"""Cases of Fourier transforms: real and imaginary parts in, real and imaginary parts out."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.case import case, normal


def of_parts(fn: Any, **options: Any) -> Callable[..., Any]:
    """``fn`` as a function from real arrays (the parts of its argument) to a real array."""

    def parts(re: Any, im: Any = None) -> Any:
        z = fn(re if im is None else re + 1j * im, **options)
        z = z if np.iscomplexobj(z) else z + 0j
        return np.stack([np.real(z), np.imag(z)])

    return parts


LINES = ({}, {"n": 4}, {"n": 7}, {"axis": 0}, {"axis": 0, "n": 5}, {"n": 1})
for norm in ("ortho", None, "backward", "forward"):
    for options in LINES if norm == "ortho" else LINES[:2]:
        for fn in (np.fft.fft, np.fft.ifft, np.fft.irfft, np.fft.hfft):
            if fn in (np.fft.irfft, np.fft.hfft) and options.get("n") == 1:
                continue
            call = of_parts(fn, norm=norm, **options)
            case(fn, normal(3, 5), normal(3, 5), through=call, smooth=False)
            case(fn, normal(3, 6), through=call, smooth=False)
        for fn in (np.fft.rfft, np.fft.ihfft):
            call = of_parts(fn, norm=norm, **options)
            case(fn, normal(3, 5), through=call, smooth=False)
            case(fn, normal(3, 6), through=call, smooth=False)
case(np.fft.fft, normal(4), through=lambda x: np.real(np.fft.fft(x, 3, -1, "ortho")), smooth=False)

PLANES = (
    {},
    {"axes": (0, 2)},
    {"axes": (-1, 0)},
    {"axes": (1,)},
    {"s": (2, 5), "axes": (0, 1)},
    {"s": (4, 6, 3), "axes": (0, 1, 2)},
    {"s": (3, -1), "axes": (2, 1)},
)
for norm in ("ortho", "backward", "forward"):
    for options in PLANES if norm == "ortho" else PLANES[:1]:
        for fn in (np.fft.fftn, np.fft.ifftn, np.fft.irfftn):
            call = of_parts(fn, norm=norm, **options)
            case(fn, normal(2, 3, 4), normal(2, 3, 4), through=call, smooth=False)
            case(fn, normal(2, 3, 5), through=call, smooth=False)
        call = of_parts(np.fft.rfftn, norm=norm, **options)
        case(np.fft.rfftn, normal(2, 3, 4), through=call, smooth=False)
        case(np.fft.rfftn, normal(2, 3, 5), through=call, smooth=False)
for fn in (np.fft.fft2, np.fft.ifft2, np.fft.irfft2):
    for options in ({}, {"s": (3, 3)}, {"axes": (0, 1)}):
        call = of_parts(fn, norm="ortho", **options)
        case(fn, normal(2, 3, 4), normal(2, 3, 4), through=call, smooth=False)
for options in ({}, {"s": (3, 3)}, {"axes": (0, 1)}):
    case(np.fft.rfft2, normal(2, 3, 4), through=of_parts(np.fft.rfft2, **options), smooth=False)
for fn in (np.fft.fftshift, np.fft.ifftshift):
    case(fn, normal(5))
    case(fn, normal(4, 5))
    case(fn, normal(4, 5), axes=1)
    case(fn, normal(4, 5, 3), (0, -1))
