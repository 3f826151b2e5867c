"""PyTorch's arguments in NumPy's terms, for every family."""

from importlib.util import find_spec

from tests.opinfo.compare import Unsupported


def first(fn):
    """``fn`` of the first argument alone; the others change nothing that NumPy knows."""
    return lambda x, *_, **__: fn(x)


def axes(x, dim):
    """PyTorch's ``dim`` as an axis of ``x``: an empty list means all of them."""
    if dim is None or (isinstance(dim, list | tuple) and not dim):
        return None
    if x.ndim == 0:
        raise Unsupported("a 0-d array has no axis")
    return tuple(dim) if isinstance(dim, list | tuple) else dim


def one_or_many(values):
    """The numbers of ``f(x, 1, 2)`` or of ``f(x, (1, 2))``."""
    return tuple(values[0]) if values and isinstance(values[0], list | tuple) else values


def refuse(**options):
    """Refuse options that were given; ``None`` and ``False`` count as not given."""
    for name, value in options.items():
        if value is not None and value is not False:
            raise Unsupported(f"{name}=")


def require_scipy():
    """Refuse what the package computes with SciPy, where that is not installed."""
    if find_spec("scipy") is None:
        raise Unsupported("SciPy is not installed")
