"""``np.einsum``: linear in each operand, so the cotangent of one is an einsum of all the others.

Three things an einsum does to an operand have to be undone: a letter that it repeats (a diagonal)
comes back as a unit matrix, one that it alone has (a sum) as ones, and the ellipsis as letters.
"""

from string import ascii_letters

import numpy as np

from tinygrad_dnn.primitives import Each, rule
from tinygrad_dnn.rules.linalg import conj


def _parsed(args):
    """The letters of every operand, those of the result, the operands, and where these stand."""
    if isinstance(args[0], str):
        left, arrow, result = args[0].replace(" ", "").partition("->")
        inputs, operands, places = left.split(","), args[1:], list(range(1, len(args)))
    else:  # operand, places, operand, places, ..., result
        n = len(args) // 2
        arrow, operands, places = (
            "->" * (len(args) % 2),
            args[: 2 * n : 2],
            list(range(0, 2 * n, 2)),
        )
        inputs = [_letters(axes) for axes in args[1 : 2 * n : 2]]
        result = _letters(args[-1]) if arrow else ""
    extra = [np.ndim(x) - len(s.replace("...", "")) for s, x in zip(inputs, operands, strict=True)]
    stretched = max([n for s, n in zip(inputs, extra, strict=True) if "..." in s], default=0)
    unused = [c for c in ascii_letters if c not in "".join(inputs)]
    rest = "".join(unused[:stretched])
    if not arrow:
        letters = "".join(inputs).replace(".", "")
        result = rest + "".join(sorted(c for c in letters if letters.count(c) == 1))
    inputs = [
        s.replace("...", rest[stretched - n :]) if "..." in s else s
        for s, n in zip(inputs, extra, strict=True)
    ]
    return inputs, result.replace("...", rest), operands, places


def _letters(axes):
    return "".join("..." if axis is Ellipsis else ascii_letters[axis] for axis in axes)


def _vjp(i, g, out, *args, optimize=False, **options):
    inputs, result, operands, places = _parsed(args)
    k = places.index(i)
    of_x, x = inputs[k], operands[k]
    terms = [(result, g)]
    terms += [(s, conj(y)) for j, (s, y) in enumerate(zip(inputs, operands, strict=True)) if j != k]
    longest: dict[str, int] = {}
    for s, y in terms:
        for letter, n in zip(s, y.shape, strict=True):
            longest[letter] = max(n, longest.get(letter, 0))
    unused = iter([c for c in ascii_letters if c not in longest and c not in of_x])
    target = ""
    for letter, n in zip(of_x, x.shape, strict=True):
        if letter in target:
            again = next(unused)
            terms.append((letter + again, np.eye(n, dtype=g.dtype)))
            target += again
        else:
            if letter not in longest or longest[letter] < n:  # summed, or stretched
                terms.append((letter, np.ones(n, g.dtype)))
            target += letter
    subscripts = ",".join(s for s, _ in terms) + "->" + target
    optimize = optimize if isinstance(optimize, bool | str) else True  # a path is for its call only
    return np.einsum(subscripts, *(y for _, y in terms), optimize=optimize)


def _jvp(i, t, out, *args, **options):
    return np.einsum(*args[:i], t, *args[i + 1 :], **options)


rule(np.einsum, vjps=Each(_vjp), jvps=Each(_jvp), broadcasts=True)
