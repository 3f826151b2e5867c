"""Samples in a file of numbers: written once with PyTorch, read back without it.

The file is NumPy's .npz without pickles: all entries of one dtype in one long vector, and the
structure (calls, shapes, which entries are whose) as JSON in the bytes of another.
"""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from tests.opinfo.sample import Sample, Slot

FILE = Path(__file__).parent / "frozen.npz"


def save(samples, path=FILE):
    """Write ``samples`` and return how many bytes that took."""
    pools, lengths = defaultdict(list), defaultdict(int)

    def put(a):
        if a is None:
            return None
        kind = a.dtype.name
        pools[kind].append(a.ravel())
        lengths[kind] += a.size
        return [kind, lengths[kind] - a.size, *a.shape]

    structure = [
        {
            "op": s.op,
            "number": s.number,
            "call": encoded(s.call),
            "arrays": [put(a) for a in s.arrays],
            "differentiated": s.differentiated,
            "outputs": [put(a) for a in s.outputs],
            "active": s.active,
            "gradients": [put(a) for a in s.gradients],
        }
        for s in samples
    ]
    text = np.frombuffer(json.dumps(structure, separators=(",", ":")).encode(), np.uint8)
    joined = {f"pool {kind}": np.concatenate(arrays) for kind, arrays in pools.items()}
    np.savez_compressed(path, structure=text, **joined)
    return path.stat().st_size


def load(path=FILE):
    """Return the samples that ``save`` wrote."""
    with np.load(path, allow_pickle=False) as file:
        structure = json.loads(file["structure"].tobytes())
        pools = {name.removeprefix("pool "): file[name] for name in file.files}

    def get(place):
        if place is None:
            return None
        kind, start, *shape = place
        size = int(np.prod(shape))
        return pools[kind][start : start + size].reshape(shape).copy()

    return [
        Sample(
            s["op"],
            s["number"],
            decoded(s["call"]),
            [get(p) for p in s["arrays"]],
            s["differentiated"],
            [get(p) for p in s["outputs"]],
            s["active"],
            [get(p) for p in s["gradients"]],
        )
        for s in structure
    ]


def encoded(value):
    """Python values that JSON lacks as one-entry dicts that name them."""
    match value:
        case Slot():
            return {"array": value.number}
        case np.dtype():
            return {"dtype": value.name}
        case slice():
            return {"slice": [value.start, value.stop, value.step]}
        case tuple():
            return {"tuple": [encoded(v) for v in value]}
        case list():
            return [encoded(v) for v in value]
        case dict():
            return {"dict": {k: encoded(v) for k, v in value.items()}}
        case float() if not np.isfinite(value):
            return {"float": str(value)}
    return {"ellipsis": None} if value is ... else value


def decoded(value):
    """The inverse of ``encoded``."""
    if isinstance(value, list):
        return [decoded(v) for v in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    match kind:
        case "array":
            return Slot(content)
        case "dtype":
            return np.dtype(content)
        case "slice":
            return slice(*content)
        case "tuple":
            return tuple(decoded(v) for v in content)
        case "dict":
            return {k: decoded(v) for k, v in content.items()}
        case "float":
            return float(content)
    return ...
