"""Where the package and PyTorch differ by intention, each with its reason.

``python -m tests.opinfo`` names the lines that no sample needs any more.
"""

from typing import NamedTuple


class Difference(NamedTuple):
    """A mismatch of this kind is expected where call and text have these words."""

    operations: tuple[str, ...]
    kind: str
    words: tuple[str, ...]
    reason: str

    def covers(self, sample, mismatch):
        if sample.op not in self.operations or mismatch.kind != self.kind:
            return False
        said = f"{sample} -> {mismatch.text}"
        return all(word in said for word in self.words)


INTENDED = (
    Difference(
        ("nn.functional.hardsigmoid",),
        "gradient",
        ("relative difference 3.0e-08",),
        "PyTorch takes 1/6 in float32 for the derivative, in float64 too",
    ),
    Difference(
        ("clamp",),
        "value dtype",
        ("i[5, 10, 5]", "float64 instead of float32"),
        "NumPy promotes float32 beside an array of int32 to float64",
    ),
    Difference(
        ("linalg.vander",),
        "value dtype",
        ("float64 instead of float32",),
        "np.vander of float32 is float64 in NumPy",
    ),
    Difference(
        ("linalg.norm.subgradients_at_zero",),
        "gradient",
        ("[5, 5], ", "relative difference 1.0e+00"),
        "a norm at 0 has derivative 0; PyTorch's of singular values there is some rotation",
    ),
    Difference(
        ("nn.functional.conv_transpose2d", "nn.functional.conv_transpose3d"),
        "raises",
        ("DimensionError", "output_padding=(2, 3"),
        "an output_padding of the stride or more is refused; PyTorch takes it below the dilation",
    ),
    Difference(
        ("cov",),
        "gradient",
        ("correction=1, fweights=None, aweights=f[2]", "input 1: relative difference"),
        "of two numbers the unbiased covariance does not depend on the weights: rounding is left",
    ),
    Difference(
        tuple(f"nn.functional.max_unpool{n}d" for n in (1, 2, 3)),
        "gradient",
        ("relative difference",),
        "of entries for one place the last stays and has the derivative; PyTorch gives it to all",
    ),
    *(
        Difference((op,), "gradient", (shape, "relative difference"), why)
        for op, shape in (
            ("nn.functional.group_norm", "f[1, 2]"),
            ("nn.functional.layer_norm", "f[1, 2]"),
            ("nn.functional.layer_norm", "f[1]"),
            ("nn.functional.batch_norm", "f[2, 1]"),
            ("nn.functional.normalize", "f[1, 2, 4, 5], p=0.5, dim=0"),
            ("corrcoef", "f[3, 2]"),
            ("nn.functional.cosine_similarity", "f[1, 2, 3], f[2, 1, 3], dim=-2"),
        )
        for why in ["one or two standardised entries are 0 or ±1: float32 leaves rounding alone"]
    ),
    *(
        Difference(("polygamma.polygamma_n_1",), kind, words, "SciPy's polygamma is float64")
        for kind, words in (
            ("value dtype", ("float64 instead of float32",)),
            ("value", ("f[5, 5]", "relative difference 7.0e-06")),
        )
    ),
    Difference(
        ("nn.functional.scaled_dot_product_attention",),
        "value",
        ("relative difference", "e-06", "f["),
        "exponentials of scores near 100 magnify their float32 rounding a hundredfold",
    ),
    Difference(
        ("linalg.svd",),
        "value",
        ("relative difference 2.", "e-06", "f["),
        "singular vectors are as sensitive as their values are close: float32 shows",
    ),
)


def reviewed(sample, mismatch):
    """The Difference that covers a mismatch, or None."""
    return next((d for d in INTENDED if d.covers(sample, mismatch)), None)
