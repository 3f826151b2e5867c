"""The options of a ufunc's call, said in other words before it is recorded.

``dtype=`` is a cast of the arguments and ``axes=`` a rearrangement of them: each is recorded as
what it is, so no rule needs to know of it.  Knows no Tensors: NumPy's functions find them.
"""

from typing import Any

import numpy as np

from tinygrad_dnn.errors import MissingRuleError
from tinygrad_dnn.primitives import as_array

_WEAK = (int, float, complex)  # Python's numbers take on the dtype of what they meet
_LAYOUT = ("order", "subok")  # say how a result lies in memory, and of which class it is


def called(fn: np.ufunc, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return ``fn(*args, **kwargs)`` in terms of ``fn`` without options.

    Raises MissingRuleError for ``where=``.
    """
    options = {k: v for k, v in kwargs.items() if k not in _LAYOUT}
    if options.pop("where", True) is not True:
        raise MissingRuleError(
            f"np.{fn.__name__} takes no where= on Tensors: entries that are not computed would be "
            f"undefined; use np.where(mask, np.{fn.__name__}(np.where(mask, x, 1)), other)"
        )
    args = _cast(fn, args, options)
    if "axes" in options or "axis" in options or "keepdims" in options:
        return _along(fn, args, **options)
    if options:
        raise MissingRuleError(f"np.{fn.__name__} takes no {', '.join(options)}= on Tensors")
    return fn(*args)


def _cast(fn: np.ufunc, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, ...]:
    """Return ``args`` in the dtypes of the loop that ``dtype=`` or ``signature=`` ask for."""
    signature = options.pop("signature", options.pop("sig", None))
    dtype, casting = options.pop("dtype", None), options.pop("casting", None)
    if dtype is casting is signature is None:
        return args
    if isinstance(signature, str):
        signature = tuple(signature.replace("->", ""))
    if signature is None:
        signature = (None,) * fn.nin + (dtype,) * fn.nout
    args = tuple(a if hasattr(a, "dtype") or type(a) in _WEAK else as_array(a) for a in args)
    given = tuple(type(a) if type(a) in _WEAK else a.dtype for a in args)
    signature = tuple(d if d is None else np.dtype(d) for d in signature)
    loop = fn.resolve_dtypes(
        (*given, *(None,) * fn.nout), signature=signature, casting=casting or "same_kind"
    )
    pairs = zip(args, loop, strict=False)
    return tuple(
        np.asarray(a, d) if type(a) in _WEAK else a if a.dtype == d else np.astype(a, d)
        for a, d in pairs
    )


def _along(
    fn: np.ufunc, args: tuple[Any, ...], axes: Any = None, axis: Any = None, keepdims: Any = False
) -> Any:
    """Return ``fn`` along other axes than the last: they are moved there, and the result's back."""
    if axes is None:
        axes = [(-1 if axis is None else axis,)] * fn.nin
    places = [(a,) if isinstance(a, int) else tuple(a) for a in axes]
    moved = [np.moveaxis(a, p, range(-len(p), 0)) for a, p in zip(args, places, strict=False)]
    out = fn(*moved)
    if keepdims:
        return np.expand_dims(out, places[0])
    back = places[fn.nin] if len(places) > fn.nin else ()
    return np.moveaxis(out, range(-len(back), 0), back)
