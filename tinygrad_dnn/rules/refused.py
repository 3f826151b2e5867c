"""What NumPy can do and a Tensor cannot, with what to do instead: errors quote it."""

from tinygrad_dnn.primitives import refused

# ---- of which nothing could be differentiated ------------------------------------------------
refused(
    "its result changes in jumps, or has a shape that depends on the numbers; call it on x.data",
    "np.histogram", "np.histogram2d", "np.histogramdd", "np.histogram_bin_edges", "np.unique",
    "np.unique_all", "np.unique_counts", "np.unique_inverse", "np.unique_values", "np.intersect1d",
    "np.union1d", "np.setdiff1d", "np.setxor1d", "np.trim_zeros",
)  # fmt: skip
refused(
    "its result is places in an array; call it on x.data",
    "np.ix_", "np.ravel_multi_index", "np.unravel_index", "np.diag_indices_from",
    "np.tril_indices_from", "np.triu_indices_from",
)  # fmt: skip
refused(
    "it asks about an array; ask about x.data",
    "np.can_cast", "np.min_scalar_type", "np.common_type", "np.shares_memory",
    "np.may_share_memory", "np.einsum_path",
)  # fmt: skip
refused(
    "it is for writing an array down; give it x.data",
    "np.save", "np.savez", "np.savez_compressed", "np.savetxt", "np.array2string", "np.array_repr",
    "np.array_str",
)  # fmt: skip
refused(
    "text, bits, dates and records have no derivative; call it on x.data",
    "np.packbits", "np.unpackbits", "np.busday_count", "np.busday_offset", "np.is_busday",
    "np.datetime_as_string", "np.lib.recfunctions", "np.strings",
    "np.char",
)  # fmt: skip
refused(
    "its like= would make an array, not a Tensor; make one with tg.Tensor(...)",
    "np.arange", "np.array", "np.asanyarray", "np.asarray", "np.ascontiguousarray",
    "np.asfortranarray", "np.empty", "np.eye", "np.frombuffer", "np.fromfile", "np.fromfunction",
    "np.fromiter", "np.fromstring", "np.genfromtxt", "np.identity", "np.loadtxt",
    "np.ones", "np.require", "np.tri", "np.zeros",
)  # fmt: skip

# ---- to be said in another way ---------------------------------------------------------------
refused(
    "it writes into its first argument; build a new array with np.where, np.concatenate or, in "
    "place of np.full and np.full_like, np.broadcast_to",
    "np.copyto", "np.fill_diagonal", "np.place", "np.put", "np.put_along_axis", "np.putmask",
)  # fmt: skip
refused("it changes its array in place; use tg.at, which returns a new one", "ufunc.at")
refused(
    "say it step by step, as functools.reduce or itertools.accumulate do with any function",
    "ufunc.reduce", "ufunc.accumulate", "ufunc.reduceat",
)  # fmt: skip
refused("it has two results; take the exponent from x.data, and np.ldexp", "np.frexp")
refused("its step is that of the number format; call it on x.data", "np.nextafter")
refused("use np of the same name, on x.astype(complex) where it needs to be", "np.lib.scimath")
refused("use np.sort, and x.astype(complex) after it", "np.sort_complex")
refused("use np.tile, np.reshape or np.pad", "np.resize")
refused("use np.linalg.eigvals of the companion matrix", "np.roots")
refused("multiply the factors with np.polymul", "np.poly")
refused("it has two results, quotient and remainder; it is not differentiated", "np.polydiv")
refused("use np.polyval, whose coefficients begin with the highest", "np.polynomial.polynomial")
