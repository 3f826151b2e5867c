"""Several arrays from one, and one from several."""

import numpy as np

from tests.opinfo.adapter.arguments import one_or_many


def cat(arrays, dim=0):
    """``torch.cat`` takes an empty vector beside arrays of any rank; NumPy does not."""
    whole = [a for a in arrays if a.shape != (0,)]
    return np.concatenate(whole or arrays, axis=dim)


def split(x, sizes, dim=0):
    """Pieces of one length, the last perhaps shorter, or of the lengths given."""
    length = x.shape[dim]
    cuts = np.cumsum(sizes)[:-1] if isinstance(sizes, list | tuple) else range(sizes, length, sizes)
    return np.split(x, [int(c) for c in cuts], axis=dim)


def chunk(x, chunks, dim=0):
    return split(x, max(1, -(-x.shape[dim] // chunks)), dim)


def tensor_split(x, indices_or_sections, dim=0):
    return np.array_split(x, places(indices_or_sections), axis=dim)


def places(given):
    """Where to cut, as NumPy's split functions want it."""
    given = np.asarray(given)
    return int(given) if given.ndim == 0 else [int(i) for i in given]


def unbind(x, dim=0):
    return [np.take(x, i, axis=dim) for i in range(x.shape[dim])]


def meshgrid(*arrays, indexing="ij"):
    return np.meshgrid(*(np.atleast_1d(a) for a in one_or_many(arrays)), indexing=indexing)


def block_diag(*blocks):
    """The blocks down the diagonal of a matrix, zeros elsewhere."""
    blocks = [np.atleast_2d(b) for b in blocks]
    width = sum(b.shape[1] for b in blocks)
    rows, start = [], 0
    for b in blocks:
        rows.append(np.pad(b, ((0, 0), (start, width - start - b.shape[1]))))
        start += b.shape[1]
    return np.concatenate(rows)


def cartesian_prod(*vectors):
    if len(vectors) == 1:
        return +vectors[0]
    return np.stack([np.ravel(g) for g in np.meshgrid(*vectors, indexing="ij")], axis=1)


OPERATIONS = {
    "cat": cat,
    "stack": lambda arrays, dim=0: np.stack(arrays, axis=dim),
    "hstack": lambda arrays: np.hstack(arrays),
    "vstack": lambda arrays: np.vstack(arrays),
    "dstack": lambda arrays: np.dstack(arrays),
    "column_stack": lambda arrays: np.column_stack(arrays),
    "block_diag": block_diag,
    **dict.fromkeys(
        (
            "split", "split.list_args", "split_with_sizes", "split_with_sizes_copy", "unsafe_split",
        ),
        split,
    ),
    **dict.fromkeys(("chunk", "unsafe_chunk"), chunk),
    "tensor_split": tensor_split,
    "hsplit": lambda x, n: np.hsplit(x, places(n)),
    "vsplit": lambda x, n: np.vsplit(x, places(n)),
    "dsplit": lambda x, n: np.dsplit(x, places(n)),
    **dict.fromkeys(("unbind", "unbind_copy"), unbind),
    "meshgrid.variadic_tensors": meshgrid,
    "meshgrid.list_of_tensors": meshgrid,
    "cartesian_prod": cartesian_prod,
}  # fmt: skip
