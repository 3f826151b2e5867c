"""Mistakes that students make, each with the words that a good teacher would use of it.

``MISTAKES``: (name, which derivative, who can make it, what is written down, what must be said).
``who`` takes a Student and a layer.  The words are patterns, any of which will do.
"""

from typing import NamedTuple

import numpy as np

from tests.students import (
    dA_right,
    db_right,
    dW_right,
    dZ_right,
    skipped,
    squash,
    squash_prime,
)


class Mistake(NamedTuple):
    name: str
    kind: str
    who: object
    make: object
    said: str


def anyone(s, l):
    return True


def hidden(s, l):
    return l < s.L


def square(s, l):
    return s.widths[l] == s.widths[l - 1] > 1


def curved(s, l):
    return l < s.L and s.hidden in ("tanh", "sigmoid")


def leaky(s, l):
    return l < s.L and s.hidden == "leaky"


def rectified(s, l):
    return l < s.L and s.hidden == "relu"


def skipping(s, l):
    return s.skips(l + 1)


def regularised(s, l):
    return s.lam > 0


def dropped(s, l):
    return l < s.L and s.keep < 1 and np.any(s.D[l] == 0)


def data_part(d):
    return dW_right(d) - d.lam / d.m * d.W[d.l]


def wider(s, l):
    return s.widths[l] > 1


def with_dropout(d, dA):
    return dA * d.D[d.l] / d.keep if d.keep < 1 else dA


def plain(s, l):
    return s.lam == 0


def square_after(s, l):
    return l < s.L and s.widths[l + 1] == s.widths[l] > 1


def beside_data(d):
    return dW_right(d) - data_part(d)


def beside(d):
    """What reaches A besides W."""
    return dA_right(d) - d.W[d.l + 1].T @ d.dZ[d.l + 1]


def other_prime(name):
    return lambda d: with_dropout(d, d.dA[d.l]) * squash_prime(name, d.Z[d.l])


def unit(d):
    return 1 if d.per > 1 else d.m


MISTAKES = [
    # ---- factors
    Mistake("dW without 1/m", "dW", plain, lambda d: dW_right(d) * d.m, r"1/m"),
    Mistake("dW with 1/m twice", "dW", plain, lambda d: dW_right(d) / d.m, r"1/m.*(twice|often)"),
    Mistake("dW negated", "dW", anyone, lambda d: -dW_right(d), r"sign"),
    Mistake("dW doubled", "dW", anyone, lambda d: 2 * dW_right(d), r"factor 2|twice"),
    Mistake("dW halved", "dW", anyone, lambda d: dW_right(d) / 2, r"half|1/2"),
    Mistake("db without 1/m", "db", anyone, lambda d: db_right(d) * d.m, r"1/m"),
    Mistake("db with 1/m twice", "db", anyone, lambda d: db_right(d) / d.m, r"1/m.*(twice|often)"),
    Mistake("db negated", "db", anyone, lambda d: -db_right(d), r"sign"),
    Mistake("db doubled", "db", anyone, lambda d: db_right(d) * 2, r"factor 2|twice"),
    Mistake("dA times m", "dA", hidden, lambda d: dA_right(d) * d.m, r"m = \d+ times too large"),
    Mistake("dA over m", "dA", hidden, lambda d: dA_right(d) / d.m, r"m = \d+ times too small|1/m"),
    Mistake("dA negated", "dA", hidden, lambda d: -dA_right(d), r"sign"),
    Mistake("dZ negated", "dZ", anyone, lambda d: -dZ_right(d), r"sign"),
    Mistake("dZ doubled", "dZ", anyone, lambda d: 2 * dZ_right(d), r"factor 2|twice"),
    # ---- dW
    Mistake("dW transposed", "dW", square, lambda d: dW_right(d).T, r"transposed"),
    Mistake(
        "dW from Z of the layer before",
        "dW",
        lambda s, l: l > 1 and s.hidden != "linear",
        lambda d: dW_right(d) + d.dZ[d.l] @ (d.Z[d.l - 1] - d.A[d.l - 1]).T / d.per,
        r"Z\d.*instead|Z\d stands where A\d",
    ),
    Mistake(
        "dW from this layer's A",
        "dW",
        square,
        lambda d: dW_right(d) + d.dZ[d.l] @ (d.A[d.l] - d.A[d.l - 1]).T / d.per,
        r"A\d stands where (A\d|X)",
    ),
    Mistake(
        "dW from X",
        "dW",
        lambda s, l: l > 1 and s.widths[l - 1] == s.widths[0],
        lambda d: dW_right(d) + d.dZ[d.l] @ (d.A[0] - d.A[d.l - 1]).T / d.per,
        r"X stands where A\d",
    ),
    Mistake(
        "dW from dA",
        "dW",
        hidden,
        lambda d: dW_right(d) + (d.dA[d.l] - d.dZ[d.l]) @ d.A[d.l - 1].T / d.per,
        r"dA\d stands where dZ\d",
    ),
    Mistake(
        "dW from the dZ of the layer after",
        "dW",
        lambda s, l: l < s.L and s.widths[l] == s.widths[l + 1],
        lambda d: dW_right(d) + (d.dZ[d.l + 1] - d.dZ[d.l]) @ d.A[d.l - 1].T / d.per,
        r"dZ\d stands where dZ\d",
    ),
    Mistake(
        "dW without the incoming gradient",
        "dW",
        anyone,
        lambda d: dW_right(d) + (1 - d.dZ[d.l]) @ d.A[d.l - 1].T / d.per,
        r"incoming gradient.*ignored",
    ),
    Mistake(
        "dW without the last example",
        "dW",
        anyone,
        lambda d: dW_right(d) - d.dZ[d.l][:, -1:] @ d.A[d.l - 1][:, -1:].T / d.per,
        r"last example",
    ),
    Mistake(
        "dW without the first example",
        "dW",
        anyone,
        lambda d: dW_right(d) - d.dZ[d.l][:, :1] @ d.A[d.l - 1][:, :1].T / d.per,
        r"first example",
    ),
    Mistake(
        "dW with a row never filled",
        "dW",
        lambda s, l: s.widths[l] > 1 and s.widths[l - 1] > 1,
        lambda d: dW_right(d) * (np.arange(len(d.W[d.l])) > 0)[:, None],
        r"row 0.*(forgotten|zero)",
    ),
    Mistake(
        "dW with a column never filled",
        "dW",
        lambda s, l: s.widths[l] > 1 and s.widths[l - 1] > 1,
        lambda d: dW_right(d) * (np.arange(d.W[d.l].shape[1]) != 2),
        r"column 2.*(forgotten|zero)",
    ),
    Mistake("dW stays zero", "dW", anyone, lambda d: 0 * d.W[d.l], r"zero everywhere"),
    # ---- regularisation
    Mistake("no penalty", "dW", regularised, data_part, r"regularisation.*missing"),
    Mistake(
        "penalty twice",
        "dW",
        regularised,
        lambda d: dW_right(d) + d.lam / d.m * d.W[d.l],
        r"regularisation.*(twice|double)",
    ),
    Mistake(
        "penalty without 1/m",
        "dW",
        regularised,
        lambda d: data_part(d) + d.lam * d.W[d.l],
        r"1/m is missing.*regularisation",
    ),
    Mistake(
        "penalty with 1/m twice",
        "dW",
        regularised,
        lambda d: data_part(d) + d.lam / d.m**2 * d.W[d.l],
        r"1/m is there twice.*regularisation",
    ),
    Mistake(
        "penalty halved",
        "dW",
        regularised,
        lambda d: data_part(d) + d.lam / d.m / 2 * d.W[d.l],
        r"1/2.*regularisation",
    ),
    Mistake(
        "penalty subtracted",
        "dW",
        regularised,
        lambda d: data_part(d) - d.lam / d.m * d.W[d.l],
        r"sign.*regularisation",
    ),
    Mistake(
        "data part without 1/m, penalty right",
        "dW",
        regularised,
        lambda d: data_part(d) * d.m + d.lam / d.m * d.W[d.l],
        r"1/m is missing",
    ),
    Mistake(
        "penalty on b",
        "db",
        regularised,
        lambda d: db_right(d) + d.lam / d.m * d.b[d.l],
        r"regularisation.*added",
    ),
    # ---- db
    Mistake(
        "db over the other axis",
        "db",
        wider,
        lambda d: d.dZ[d.l].sum(axis=0, keepdims=True) / d.per,
        r"wrong axis",
    ),
    Mistake(
        "db over everything", "db", wider, lambda d: d.dZ[d.l].sum() / d.per, r"wrong axis|all ent"
    ),
    Mistake("db not summed", "db", anyone, lambda d: d.dZ[d.l] / d.per, r"not summed"),
    Mistake("db flat", "db", wider, lambda d: db_right(d).ravel(), r"keepdims"),
    Mistake(
        "db from dA",
        "db",
        hidden,
        lambda d: d.dA[d.l].sum(axis=1, keepdims=True) / d.per,
        r"dA\d stands where dZ\d",
    ),
    Mistake(
        "db of the layer after",
        "db",
        lambda s, l: l < s.L and s.widths[l] == s.widths[l + 1],
        lambda d: d.dZ[d.l + 1].sum(axis=1, keepdims=True) / d.per,
        r"dZ\d stands where dZ\d",
    ),
    Mistake(
        "db without the last example",
        "db",
        anyone,
        lambda d: d.dZ[d.l][:, :-1].sum(axis=1, keepdims=True) / d.per,
        r"last example",
    ),
    # ---- dZ
    Mistake("no g'", "dZ", hidden, lambda d: with_dropout(d, d.dA[d.l]), r"' .*is missing"),
    Mistake(
        "tanh' for it",
        "dZ",
        lambda s, l: l < s.L and s.hidden != "tanh",
        other_prime("tanh"),
        r"tanh' .*instead",
    ),
    Mistake(
        "sigmoid' for it",
        "dZ",
        lambda s, l: l < s.L and s.hidden != "sigmoid",
        other_prime("sigmoid"),
        r"sigmoid' .*instead",
    ),
    Mistake(
        "relu' for it",
        "dZ",
        lambda s, l: l < s.L and s.hidden != "relu",
        other_prime("relu"),
        r"relu' .*instead",
    ),
    Mistake(
        "g'(A)",
        "dZ",
        curved,
        lambda d: with_dropout(d, d.dA[d.l]) * d.g_prime(d.A[d.l]),
        r"evaluated at A\d instead of Z\d",
    ),
    Mistake(
        "formula in A fed with Z",
        "dZ",
        lambda s, l: l < s.L and s.hidden == "tanh",
        lambda d: with_dropout(d, d.dA[d.l]) * (1 - d.Z[d.l] ** 2),
        r"evaluated at Z|Z.*instead",
    ),
    Mistake(
        "g for g'",
        "dZ",
        hidden,
        lambda d: with_dropout(d, d.dA[d.l]) * squash(d.hidden, d.Z[d.l]),
        r"instead of its derivative|itself",
    ),
    Mistake(
        "mask upside down",
        "dZ",
        lambda s, l: l < s.L and s.hidden == "relu",
        lambda d: with_dropout(d, d.dA[d.l]) * (d.Z[d.l] <= 0),
        r"invert",
    ),
    Mistake(
        "mask of dA",
        "dZ",
        lambda s, l: l < s.L and s.hidden == "relu",
        lambda d: with_dropout(d, d.dA[d.l]) * (d.dA[d.l] > 0),
        r"mask.*dA\d",
    ),
    Mistake(
        "g' at the Z of the layer before",
        "dZ",
        lambda s, l: 1 < l < s.L and s.widths[l] == s.widths[l - 1],
        lambda d: with_dropout(d, d.dA[d.l]) * d.g_prime(d.Z[d.l - 1]),
        r"at [ZA]\d instead of Z\d",
    ),
    Mistake(
        "g' at the Z of the layer after",
        "dZ",
        lambda s, l: l < s.L - 1 and s.widths[l] == s.widths[l + 1],
        lambda d: with_dropout(d, d.dA[d.l]) * d.g_prime(d.Z[d.l + 1]),
        r"at [ZA]\d instead of Z\d",
    ),
    Mistake(
        "matrix product for *",
        "dZ",
        lambda s, l: l < s.L and s.widths[l] == s.m,
        lambda d: with_dropout(d, d.dA[d.l]) @ d.g_prime(d.Z[d.l]),
        r"matrix product",
    ),
    Mistake(
        "incoming gradient ignored",
        "dZ",
        hidden,
        lambda d: d.g_prime(d.Z[d.l]),
        r"incoming gradient.*ignored",
    ),
    Mistake(
        "mask of dropout forgotten",
        "dZ",
        dropped,
        lambda d: d.dA[d.l] * d.g_prime(d.Z[d.l]),
        r"dropout mask.*not applied",
    ),
    Mistake(
        "dropout not rescaled",
        "dZ",
        dropped,
        lambda d: d.dA[d.l] * d.D[d.l] * d.g_prime(d.Z[d.l]),
        r"rescaled",
    ),
    Mistake(
        "a column never filled",
        "dZ",
        anyone,
        lambda d: dZ_right(d) * (np.arange(d.m) < d.m - 1),
        r"column \d+.*(forgotten|zero)|last example",
    ),
    # ---- the output
    Mistake(
        "Y forgotten", "dZ", lambda s, l: l == s.L, lambda d: d.A[d.L] / unit(d), r"Y is missing"
    ),
    Mistake(
        "g' once more",
        "dZ",
        lambda s, l: l == s.L and s.output == "sigmoid",
        lambda d: dZ_right(d) * squash_prime("sigmoid", d.Z[d.L]),
        r"sigmoid'.*(too often|twice)",
    ),
    Mistake(
        "Z for A",
        "dZ",
        lambda s, l: l == s.L and s.output != "linear",
        lambda d: (d.Z[d.L] - d.Y) / unit(d),
        r"Z.*instead of A",
    ),
    Mistake(
        "half of the loss's derivative",
        "dZ",
        lambda s, l: l == s.L,
        lambda d: dZ_right(d) / 2,
        r"half|1/2",
    ),
    # ---- dA
    Mistake(
        "W not transposed",
        "dA",
        lambda s, l: l < s.L and s.widths[l] == s.widths[l + 1] > 1,
        lambda d: beside(d) + d.W[d.l + 1] @ d.dZ[d.l + 1],
        r"not transposed",
    ),
    Mistake(
        "W of the layer before",
        "dA",
        lambda s, l: l < s.L and (s.widths[l + 1], s.widths[l]) == (s.widths[l], s.widths[l - 1]),
        lambda d: beside(d) + d.W[d.l].T @ d.dZ[d.l + 1],
        r"W\d stands where W\d",
    ),
    Mistake(
        "dA for dZ",
        "dA",
        lambda s, l: l < s.L - 1,
        lambda d: beside(d) + d.W[d.l + 1].T @ d.dA[d.l + 1],
        r"dA\d stands where dZ\d|is missing",
    ),
    Mistake(
        "dW for W",
        "dA",
        hidden,
        lambda d: beside(d) + d.dW[d.l + 1].T @ d.dZ[d.l + 1],
        r"dW\d stands where W\d",
    ),
    Mistake(
        "incoming ignored in dA",
        "dA",
        hidden,
        lambda d: beside(d) + d.W[d.l + 1].T @ np.ones_like(d.dZ[d.l + 1]),
        r"incoming gradient.*ignored",
    ),
    Mistake(
        "* for @",
        "dA",
        lambda s, l: l < s.L and s.widths[l] == s.widths[l + 1] == s.m,
        lambda d: d.W[d.l + 1].T * d.dZ[d.l + 1],
        r"elementwise product",
    ),
    # ---- slopes written with another value, or another number
    Mistake(
        "sigmoid' of A",
        "dZ",
        lambda s, l: l < s.L and s.hidden != "sigmoid",
        lambda d: with_dropout(d, d.dA[d.l]) * d.g(d.Z[d.l]) * (1 - d.g(d.Z[d.l])),
        r"sigmoid' .*instead",
    ),
    Mistake(
        "tanh' of A",
        "dZ",
        lambda s, l: l < s.L and s.hidden != "tanh",
        lambda d: with_dropout(d, d.dA[d.l]) * (1 - d.g(d.Z[d.l]) ** 2),
        r"tanh' .*instead",
    ),
    Mistake(
        "slope of leaky with the wrong sign",
        "dZ",
        leaky,
        lambda d: with_dropout(d, d.dA[d.l]) * np.where(d.Z[d.l] > 0, 1, -d.leak),
        r"sign of the slope",
    ),
    Mistake(
        "another slope of leaky",
        "dZ",
        leaky,
        lambda d: with_dropout(d, d.dA[d.l]) * np.where(d.Z[d.l] > 0, 1, 0.037),
        r"slope 0.037 instead of",
    ),
    Mistake(
        "a leak in relu",
        "dZ",
        rectified,
        lambda d: with_dropout(d, d.dA[d.l]) * np.where(d.Z[d.l] > 0, 1, 0.013),
        r"leaky_relu', with the slope 0.013",
    ),
    Mistake(
        "threshold 1",
        "dZ",
        rectified,
        lambda d: with_dropout(d, d.dA[d.l]) * (d.Z[d.l] > 1),
        r"threshold is not 0",
    ),
    Mistake(
        "threshold below 0",
        "dZ",
        rectified,
        lambda d: with_dropout(d, d.dA[d.l]) * (d.Z[d.l] >= -0.6),
        r"threshold is not 0|relu' .*is missing",
    ),
    Mistake(
        "threshold of A",
        "dZ",
        rectified,
        lambda d: with_dropout(d, d.dA[d.l]) * (d.g(d.Z[d.l]) > 0.4),
        r"threshold is not 0",
    ),
    Mistake(
        "g' twice",
        "dZ",
        curved,
        lambda d: with_dropout(d, d.dA[d.l]) * d.g_prime(d.Z[d.l]) ** 2,
        r"' is there twice",
    ),
    Mistake(
        "divided by g'",
        "dZ",
        curved,
        lambda d: with_dropout(d, d.dA[d.l]) / d.g_prime(d.Z[d.l]),
        r"divided by .* instead of multiplied",
    ),
    Mistake(
        "1 - A",
        "dZ",
        curved,
        lambda d: with_dropout(d, d.dA[d.l]) * (1 - d.g(d.Z[d.l])),
        r"1 - \S+ instead of",
    ),
    Mistake(
        "abs of dA",
        "dZ",
        hidden,
        lambda d: np.absolute(with_dropout(d, d.dA[d.l])) * d.g_prime(d.Z[d.l]),
        r"absolute value abs\(dA\d\)",
    ),
    Mistake(
        "1 - keep_prob",
        "dZ",
        dropped,
        lambda d: d.dA[d.l] * d.D[d.l] / (1 - d.keep) * d.g_prime(d.Z[d.l]),
        r"divided by 1 - keep_prob",
    ),
    Mistake(
        "dropout rescaled twice",
        "dZ",
        dropped,
        lambda d: d.dA[d.l] * d.D[d.l] / d.keep**2 * d.g_prime(d.Z[d.l]),
        r"rescaled twice",
    ),
    # ---- the output, once more
    Mistake(
        "sigmoid' at a linear output",
        "dZ",
        lambda s, l: l == s.L and s.output == "linear",
        lambda d: dZ_right(d) * squash_prime("sigmoid", d.Z[d.l]),
        r"sigmoid'.*(does not belong|instead of 1)",
    ),
    Mistake(
        "relu' at a linear output",
        "dZ",
        lambda s, l: l == s.L and s.output == "linear",
        lambda d: dZ_right(d) * (d.Z[d.l] > 0),
        r"relu'.*(does not belong|instead of 1)",
    ),
    Mistake(
        "A (1 - A) at softmax",
        "dZ",
        lambda s, l: l == s.L and s.output == "softmax",
        lambda d: dZ_right(d) * d.A[d.L] * (1 - d.A[d.L]),
        r"sigmoid'.*does not belong",
    ),
    Mistake(
        "A - 1",
        "dZ",
        lambda s, l: l == s.L and not s.squared,
        lambda d: (d.A[d.L] - 1) / unit(d),
        r"A - 1 instead of A - Y",
    ),
    Mistake(
        "the true class alone",
        "dZ",
        lambda s, l: l == s.L and s.output == "softmax",
        lambda d: dZ_right(d) * d.Y,
        r"only the entries of the true class",
    ),
    Mistake(
        "-Y/A",
        "dZ",
        lambda s, l: l == s.L and s.output == "softmax",
        lambda d: -d.Y / d.A[d.L] / unit(d),
        r"-Y/A.*softmax is missing",
    ),
    Mistake(
        "divided by the number of classes",
        "dZ",
        lambda s, l: l == s.L and s.widths[-1] > 1,
        lambda d: dZ_right(d) / len(d.Y),
        r"divided by Z\d.shape\[0\] = \d, the number|1/m",
    ),
    Mistake(
        "labels shifted",
        "dZ",
        lambda s, l: l == s.L and not s.squared,
        lambda d: (d.A[d.L] - np.roll(d.Y, 1, axis=1)) / unit(d),
        r"Y is shifted by 1",
    ),
    Mistake(
        "labels inverted",
        "dZ",
        lambda s, l: l == s.L and not s.squared,
        lambda d: (d.A[d.L] - (1 - d.Y)) / unit(d),
        r"1 - Y|inverted|reversed .*along axis 0",
    ),
    Mistake(
        "labels shifted, in a squared error",
        "dZ",
        lambda s, l: l == s.L and s.squared,
        lambda d: (d.A[d.L] - np.roll(d.Y, 1, axis=1)) * squash_prime(d.output, d.Z[d.L]) / unit(d),
        r"Y is shifted by 1",
    ),
    Mistake(
        "A - Y after a squared error",
        "dZ",
        lambda s, l: l == s.L and s.squared,
        lambda d: (d.A[d.L] - d.Y) / unit(d),
        r"sigmoid'.* is missing",
    ),
    # ---- products and sums, once more
    Mistake(
        "dW over the number of features",
        "dW",
        lambda s, l: plain(s, l) and s.widths[l - 1] not in (s.m, 1),
        lambda d: dW_right(d) * d.m / d.W[d.l].shape[1],
        r"shape\[1\] = \d+, the number of units",
    ),
    Mistake(
        "db over the number of units",
        "db",
        lambda s, l: s.widths[l] not in (s.m, 1),
        lambda d: db_right(d) * d.m / len(d.b[d.l]),
        r"shape\[0\] = \d+, the number of units",
    ),
    Mistake(
        "dW over m - 1",
        "dW",
        plain,
        lambda d: dW_right(d) * d.m / (d.m - 1),
        r"divided by m - 1",
    ),
    Mistake(
        "dW from A squared",
        "dW",
        lambda s, l: l > 1,
        lambda d: dW_right(d) + d.dZ[d.l] @ (d.A[d.l - 1] ** 2 - d.A[d.l - 1]).T / d.per,
        r"square A\d\*\*2",
    ),
    Mistake(
        "dW from A before dropout",
        "dW",
        lambda s, l: l > 1 and dropped(s, l - 1),
        lambda d: dW_right(d) + d.dZ[d.l] @ (d.g(d.Z[d.l - 1]) - d.A[d.l - 1]).T / d.per,
        r"A\d before dropout",
    ),
    Mistake(
        "db of absolute values",
        "db",
        anyone,
        lambda d: np.absolute(d.dZ[d.l]).sum(axis=1, keepdims=True) / d.per,
        r"absolute value",
    ),
    Mistake(
        "db of squares",
        "db",
        anyone,
        lambda d: (d.dZ[d.l] ** 2).sum(axis=1, keepdims=True) / d.per,
        r"square dZ",
    ),
    Mistake(
        "W squared",
        "dA",
        hidden,
        lambda d: dA_right(d) + (d.W[d.l + 1] ** 2 - d.W[d.l + 1]).T @ d.dZ[d.l + 1],
        r"square W\d\*\*2",
    ),
    Mistake(
        "W updated already",
        "dA",
        hidden,
        lambda d: dA_right(d) - 0.037 * d.dW[d.l + 1].T @ d.dZ[d.l + 1],
        r"updated W\d = W\d - 0.037 \* dW",
    ),
    Mistake(
        "W forgotten",
        "dA",
        lambda s, l: l < s.L and s.widths[l] == s.widths[l + 1],
        lambda d: dA_right(d) + d.dZ[d.l + 1] - d.W[d.l + 1].T @ d.dZ[d.l + 1],
        r"factor W\d is forgotten",
    ),
    Mistake(
        "W forgotten, dZ summed",
        "dA",
        hidden,
        lambda d: (
            dA_right(d) + d.dZ[d.l + 1].sum(axis=0, keepdims=True) - d.W[d.l + 1].T @ d.dZ[d.l + 1]
        ),
        r"factor W\d is forgotten",
    ),
    # ---- regularisation, once more
    Mistake(
        "a penalty that the cost has not",
        "dW",
        plain,
        lambda d: dW_right(d) + 0.7 / d.m * d.W[d.l],
        r"regularisation \(L2\) is added",
    ),
    Mistake(
        "sum of W in the penalty",
        "dW",
        regularised,
        lambda d: data_part(d) + d.lam / d.m * d.W[d.l].sum(),
        r"sum np.sum\(W\d\) instead of W",
    ),
    Mistake(
        "another lambda",
        "dW",
        regularised,
        lambda d: data_part(d) + 1.37 * d.lam / d.m * d.W[d.l],
        r"factor of the regularisation",
    ),
    # ---- skip connections
    Mistake(
        "skip connection forgotten",
        "dA",
        skipping,
        lambda d: dA_right(d) - skipped(d),
        r"not added \(\+= is missing\)",
    ),
    Mistake(
        "skip connection twice",
        "dA",
        skipping,
        lambda d: dA_right(d) + skipped(d),
        r"in the term d[AZ]\d: the factor 2",
    ),
    Mistake(
        "skip connection subtracted",
        "dA",
        skipping,
        lambda d: dA_right(d) - 2 * skipped(d),
        r"in the term d[AZ]\d: the sign",
    ),
    # ---- something else as a whole
    Mistake("W for dW", "dW", anyone, lambda d: d.W[d.l], r"W\d itself stands where"),
    Mistake("b for db", "db", anyone, lambda d: d.b[d.l], r"b\d itself stands where"),
    Mistake(
        "W updated for dW",
        "dW",
        anyone,
        lambda d: d.W[d.l] - 0.13 * dW_right(d),
        r"updated W\d = W\d - 0.13 \* dW\d stands where the gradient belongs",
    ),
    Mistake(
        "dW of the layer after",
        "dW",
        lambda s, l: l < s.L and s.widths[l + 1] == s.widths[l] == s.widths[l - 1],
        lambda d: d.dW[d.l + 1],
        r"dW\d stands where dW\d belongs",
    ),
    Mistake(
        "dW clipped",
        "dW",
        wider,
        lambda d: np.clip(dW_right(d), -0.02, 0.02),
        r"clipped: to between -0.02 and 0.02",
    ),
    Mistake(
        "A reshaped",
        "dW",
        lambda s, l: s.widths[l - 1] > 1,
        lambda d: (
            dW_right(d) + d.dZ[d.l] @ (d.A[d.l - 1].reshape(d.m, -1) - d.A[d.l - 1].T) / d.per
        ),
        r"[AX]\d? is reshaped where it should be transposed",
    ),
    Mistake(
        "means multiplied",
        "dW",
        wider,
        lambda d: (
            dW_right(d)
            - data_part(d)
            + d.dZ[d.l].mean(axis=1, keepdims=True)
            @ d.A[d.l - 1].mean(axis=1, keepdims=True).T
            * (d.m / d.per)
        ),
        r"outer product of the means",
    ),
    Mistake(
        "X in other units",
        "dW",
        lambda s, l: l == 1,
        lambda d: dW_right(d) - data_part(d) + data_part(d) / 255,
        r"255 times too small",
    ),
    Mistake(
        "product transposed beside a penalty",
        "dW",
        lambda s, l: regularised(s, l) and square(s, l),
        lambda d: dW_right(d) - data_part(d) + data_part(d).T,
        r"product .* is transposed",
    ),
    Mistake(
        "m - 1 beside a penalty",
        "dW",
        regularised,
        lambda d: dW_right(d) + data_part(d) / (d.m - 1),
        r"in the term .*divided by m - 1",
    ),
    Mistake(
        "db over the number of features",
        "db",
        lambda s, l: (
            wider(s, l)
            and l > 1
            and s.widths[0] not in (s.m, s.m - 1, s.m**0.5, *s.widths[l - 1 :])
        ),
        lambda d: db_right(d) * d.m / len(d.A[0]),
        r"divided by [XW]1?.shape\[.\] = \d+, the number of units",
    ),
    # ---- the loss, of Z alone and of hinge
    Mistake(
        "abs(A - Y)",
        "dZ",
        lambda s, l: l == s.L and not s.squared,
        lambda d: np.absolute(d.A[d.L] - d.Y) / unit(d),
        r"absolute value abs\(",
    ),
    Mistake(
        "(A - Y)**2",
        "dZ",
        lambda s, l: l == s.L and not s.squared,
        lambda d: (d.A[d.L] - d.Y) ** 2 / unit(d),
        r"square",
    ),
    Mistake(
        "g' in Z after the loss's derivative",
        "dZ",
        lambda s, l: l == s.L and s.output == "sigmoid" and not s.squared,
        lambda d: (
            (d.A[d.L] - d.Y) / (d.A[d.L] * (1 - d.A[d.L])) * d.Z[d.L] * (1 - d.Z[d.L]) / unit(d)
        ),
        r"Z\d \* \(1 - Z\d\).*instead of sigmoid'",
    ),
    Mistake(
        "diagonal of softmax",
        "dZ",
        lambda s, l: l == s.L and s.output == "softmax",
        lambda d: -d.Y * (1 - d.A[d.L]) / unit(d),
        r"only the diagonal",
    ),
    Mistake(
        "leaky' for it",
        "dZ",
        lambda s, l: l < s.L and s.hidden in ("tanh", "sigmoid"),
        lambda d: with_dropout(d, d.dA[d.l]) * np.where(d.Z[d.l] > 0, 1, 0.1),
        r"leaky_relu'.*0.1 for Z\d < 0",
    ),
    Mistake(
        "penalty on b of one unit",
        "db",
        lambda s, l: regularised(s, l) and s.widths[l] == 1,
        lambda d: db_right(d) + d.lam / d.m * d.b[d.l],
        r"regularisation \(L2\) is added",
    ),
    Mistake(
        "dW with a learning rate",
        "dW",
        plain,
        lambda d: 0.01 * dW_right(d),
        r"0.01 times the right value, as if multiplied by a learning rate",
    ),
    Mistake(
        "dW from this layer's A before dropout",
        "dW",
        lambda s, l: dropped(s, l) and square(s, l),
        lambda d: dW_right(d) + d.dZ[d.l] @ (d.g(d.Z[d.l]) - d.A[d.l - 1]).T / d.per,
        r"A\d \(before dropout\) stands where",
    ),
    # ---- by way of dA[L]; parts, lines and sizes of things
    Mistake(
        "dA[L] ignored",
        "dZ",
        lambda s, l: l == s.L and s.output == "sigmoid" and not s.squared,
        lambda d: squash_prime("sigmoid", d.Z[d.L]),
        r"incoming gradient dA\d is ignored",
    ),
    Mistake(
        "sum of softmax over the examples",
        "dZ",
        lambda s, l: l == s.L and s.output == "softmax",
        lambda d: (d.A[d.L] * np.sum(d.Y, axis=1, keepdims=True) - d.Y) / unit(d),
        r"sum in the derivative of softmax is over the wrong axis",
    ),
    Mistake(
        "half of the examples",
        "dW",
        plain,
        lambda d: d.dZ[d.l][:, : d.m // 2] @ d.A[d.l - 1][:, : d.m // 2].T / d.per,
        r"only the first \d of the \d+ examples are summed",
    ),
    Mistake(
        "W summed, then * for @",
        "dA",
        square_after,
        lambda d: beside(d) + d.W[d.l + 1].sum(axis=0)[:, None] * d.dZ[d.l + 1],
        r"elementwise product .*the sum of W\d over axis 0",
    ),
    Mistake(
        "dA summed",
        "dZ",
        curved,
        lambda d: with_dropout(d, d.dA[d.l].sum() * np.ones_like(d.dA[d.l])) * d.g_prime(d.Z[d.l]),
        r"incoming gradient dA\d is summed over all entries",
    ),
    Mistake(
        "dW over its norm",
        "dW",
        wider,
        lambda d: dW_right(d) / np.linalg.norm(dW_right(d)),
        r"scaled to the norm 1",
    ),
    Mistake(
        "dW rounded",
        "dW",
        wider,
        lambda d: np.round(dW_right(d), 2),
        r"rounded to 2 digits",
    ),
    Mistake(
        "product reshaped",
        "dW",
        lambda s, l: s.widths[l] != s.widths[l - 1] and min(s.widths[l], s.widths[l - 1]) > 1,
        lambda d: beside_data(d) + data_part(d).T.reshape(d.W[d.l].shape),
        r"reshaped where it should be transposed",
    ),
    Mistake(
        "labels of the other kind",
        "dZ",
        lambda s, l: l == s.L and s.output == "sigmoid" and not s.squared,
        lambda d: (d.A[d.L] - (2 * d.Y - 1)) / unit(d),
        r"labels 2 Y - 1",
    ),
    Mistake(
        "A rounded",
        "dZ",
        lambda s, l: l == s.L and s.output == "sigmoid" and not s.squared,
        lambda d: ((d.A[d.L] > 0.5) - d.Y) / unit(d),
        r"A is rounded to 0 and 1|A is missing",
    ),
    Mistake(
        "b added to dA",
        "dA",
        lambda s, l: l < s.L and s.widths[l] > 1,
        lambda d: dA_right(d) + d.b[d.l],
        r"b\d is added, which belongs into the forward pass",
    ),
]
