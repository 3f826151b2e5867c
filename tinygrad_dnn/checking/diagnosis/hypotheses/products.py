"""dW = (1/m) dZ A.T,  dA = W.T dZ,  db = (1/m) sum of dZ over the examples: what goes wrong."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from tinygrad_dnn.checking.diagnosis.forward import Call, Elementwise, plain
from tinygrad_dnn.checking.diagnosis.hypotheses.forms import mangled
from tinygrad_dnn.checking.diagnosis.hypotheses.words import (
    Family,
    Wrong,
    relation,
    skipped,
    telling,
)
from tinygrad_dnn.checking.diagnosis.sources import multiplies
from tinygrad_dnn.checking.diagnosis.terms import (
    Addend,
    Jacobian,
    Product,
    Scene,
    Share,
    Slope,
    Through,
)
from tinygrad_dnn.primitives import Array

EVERY = 4096  # so much work is done to find the example that is forgotten; else first and last


def not_transposed(term: Product, scene: Scene) -> Wrong:
    """``dA = W dZ``."""
    g, other = scaled(term, scene), term.operand(scene)
    a, b = (g, other) if term.left else (other, g)
    if multiplies(a, b):
        wrong = (a @ b).T if term.turned else a @ b
        yield f"{term.other} is not transposed: {term.other}.T belongs there", wrong
    if square(scene.values[term.of]):
        yield f"the product {term.formula(scene)} is transposed", term.value(scene).T
    of = scene.values[term.of]
    if of.ndim == 2 and min(of.shape) > 1:
        said = f"the product {term.formula(scene)} is reshaped where it should be transposed"
        value = term.value(scene)
        yield said, value.T.reshape(value.shape)
    if other.ndim == 2 and min(other.shape) > 1:
        said = f"{term.other} is reshaped where it should be transposed ({term.other}.T)"
        yield said, term.product(g, other.reshape(other.T.shape).T)
    if multiplies(b, a) and a.ndim == b.ndim == 2:
        yield "the factors are in the wrong order, and not transposed", b @ a


def elementwise_product(term: Product, scene: Scene) -> Wrong:
    """``dA = W.T * dZ``."""
    g, other = scaled(term, scene), term.operand(scene)
    for turned in (other, other.T):
        if fits(g, turned) and min(g.size, turned.size) > 1:
            yield (
                "an elementwise product (*) stands where the matrix product (@) belongs",
                g * turned,
            )
    of = scene.values[term.of].shape
    said = "an elementwise product (*) stands where the matrix product (@) belongs, with"
    for words, factor in _lines(term.other, other) if other.ndim == 2 else ():
        if fits(g, factor) and np.broadcast_shapes(g.shape, factor.shape) == of:
            yield f"{said} {words}", g * factor


def _lines(name: str, matrix: Array) -> Iterator[tuple[str, Array]]:
    """Yield what is made of a matrix so that NumPy multiplies it elementwise."""
    for axis in (0, 1):
        for word, line in (("sum", matrix.sum(axis)), ("mean", matrix.mean(axis))):
            for turned in (line[:, None], line[None]):
                yield f"the {word} of {name} over axis {axis}", turned
    if square(matrix):
        for turned in (np.diag(matrix)[:, None], np.diag(matrix)[None]):
            yield f"the diagonal of {name}", turned


def other_operand(term: Product, scene: Scene) -> Wrong:
    """``dW = (1/m) dZ Z_prev.T``, or with the A of another layer, or with A_prev**2."""
    g, right = scaled(term, scene), term.operand(scene)
    for name, value in scene.values.items():
        if name != term.other and value.shape == right.shape and telling(value):
            said = f"{name} stands where {term.other} belongs{relation(name, term.other, scene)}"
            yield said, term.product(g, value)
    for name, value in scene.d.items():
        if value.shape == right.shape and telling(value):
            said = f"the gradient d{name} stands where {term.other} belongs"
            yield said, term.product(g, value)
    for said, value in mangled(term.other, right):
        yield said, term.product(g, value)
    for step in scene.forward.steps:
        if isinstance(step, Call) and step.out == term.other:
            for value in step.reordered(scene.values):
                said = f"the parts of {step.out} are joined in another order"
                yield said, term.product(g, value)
        if not isinstance(step, Elementwise) or not step.mask:
            continue
        A = step.function(scene.values[step.z])
        if step.out == term.other:
            said = f"{term.other} before dropout stands where it belongs after dropout"
            yield said, term.product(g, A)
            said = f"{term.other} without the division by keep_prob"
            yield said, term.product(g, A * scene.values[step.mask])
        elif A.shape == right.shape:
            said = f"{step.out} (before dropout) stands where {term.other} belongs"
            yield f"{said}{relation(step.out, term.other, scene)}", term.product(g, A)


def bias_added(term: Product, scene: Scene) -> Wrong:
    """``dA = W.T dZ + b``."""
    value, parameters = term.value(scene), scene.forward.parameters
    for name in parameters if term.of not in parameters else ():
        b = scene.values[name]
        if b.size < value.size and fits(value, b) and (value + b).shape == value.shape:
            yield f"{name} is added, which belongs into the forward pass alone", value + b


def operand_forgotten(term: Product, scene: Scene) -> Wrong:
    """``dA = dZ``, or as if W were full of ones."""
    g, right = scaled(term, scene), term.operand(scene)
    said = f"the factor {term.other} is forgotten"
    if g.shape == scene.values[term.of].shape:
        yield said, g
    if np.any(right):
        yield f"{said} (as if it were full of ones)", term.product(g, np.ones_like(right))
    axis = 1 - scene.forward.over
    if plain(term.other) in scene.forward.parameters and axis < g.ndim:
        zeros = np.zeros(scene.values[term.of].shape)
        for word, total in (("sum", np.sum(g, axis)), ("mean", np.mean(g, axis))):
            value = np.expand_dims(total, axis)
            if fits(value, zeros):
                yield f"{said}: only the {word} of d{term.out} is there", value + zeros


def product_of_means(term: Product, scene: Scene) -> Iterator[Family]:
    """``dW = mean(dZ) mean(A).T``: the examples are averaged before they are multiplied."""
    g, other, over = scaled(term, scene), term.operand(scene), scene.forward.over
    if {g.ndim, other.ndim} != {2}:
        return
    if plain(term.other) not in scene.forward.parameters and g.shape[over] == other.shape[over] > 1:
        means = np.sum(g, over, keepdims=True), np.mean(other, over, keepdims=True)
        said = f"d{term.out} and {term.other} are summed or averaged over the examples before they "
        said += "are multiplied (the outer product of the means): the sum of the products belongs"
        found = term.product(*means)
        yield Family(lambda c: said, 0 * found, found)


def updated_weights(term: Product, scene: Scene) -> Iterator[Family]:
    """``dA = (W - lr dW).T dZ``: the update came too early."""
    if term.other in scene.d:
        g, dW = scaled(term, scene), scene.d[term.other]
        said = f"the updated {term.other} = {term.other} - {{:.6g}} * d{term.other} is used: "
        said += f"d{term.of} needs the {term.other} of the forward pass, update after all gradients"
        right = term.product(g, term.operand(scene))
        yield Family(lambda c: said.format(-c), right, term.product(g, dW))


def other_gradient(
    term: Product | Addend | Slope | Jacobian | Share | Through, scene: Scene
) -> Wrong:
    """The incoming gradient is another one, or none at all."""
    right = scene.d[term.out]
    for name, value in scene.d.items():
        if name in (term.of, term.out, *scene.forward.parameters) or value.shape != right.shape:
            continue
        if telling(value):
            yield (
                f"d{name} stands where d{term.out} belongs{skipped(name, term.out, scene)}",
                term.value(scene.believing(term.out, value)),
            )
    if telling(right):
        yield (
            f"the incoming gradient d{term.out} is ignored (as if it were 1)",
            term.value(scene.believing(term.out, np.ones_like(right))),
        )
    for name, value in scene.values.items():
        if value.shape == right.shape and telling(value):
            yield (
                f"the value {name} stands where the gradient d{term.out} belongs",
                term.value(scene.believing(term.out, value)),
            )
    summed = ((np.sum, "summed"), (np.mean, "averaged")) if telling(right) else ()
    for (function, word), axis in product(summed, (None, *range(right.ndim))):
        if axis == scene.forward.over and term.of in scene.forward.parameters:
            continue  # the outer product of the means
        value = function(right, axis=axis, keepdims=True) + np.zeros_like(right)
        where = "all entries" if axis is None else f"axis {axis}"
        said = f"the incoming gradient d{term.out} is {word} over {where} before it is used"
        yield said, term.value(scene.believing(term.out, value))
    for said, value in mangled(f"d{term.out}", right) if telling(right) else ():
        yield said, term.value(scene.believing(term.out, value))


def forgotten_summand(term: Product | Addend, scene: Scene) -> Wrong:
    """One of the examples, or of the units, that are summed over is left out; or all but one."""
    g = scene.d[term.out]
    axis = scene.forward.over
    if isinstance(term, Product) and plain(term.other) in scene.forward.parameters:
        axis = 1 - axis
    n = g.shape[axis] if axis < g.ndim else 0
    if n < 2:
        return
    what = "example" if axis == scene.forward.over else "unit"
    line = "column" if axis == 1 else "row"
    for i in range(n) if n * g.size <= EVERY else (0, n - 1):
        index = (slice(None), i) if axis else i
        without, alone = np.array(g), np.zeros_like(g)
        without[index], alone[index] = 0, g[index]
        which = "the last" if i == n - 1 else "the first" if i == 0 else "one"
        left_out = term.value(scene.believing(term.out, without))
        where = f"{line} {i} of d{term.out}"
        yield f"{which} {what} is forgotten in the sum: {where} is left out", left_out
        if n > 2:
            yield f"only one {what} is used: {where}", term.value(scene.believing(term.out, alone))
    for k in range(2, n - 1) if n * g.size <= EVERY else {n // 2} - {0, 1}:
        for which, part in (("first", slice(k)), ("last", slice(n - k, n))):
            some, lines = np.zeros_like(g), (slice(None), part) if axis else part
            some[lines] = g[lines]
            said = f"only the {which} {k} of the {n} {what}s are summed"
            yield said, term.value(scene.believing(term.out, some))
    if n > 2:
        flipped = np.flip(g, axis)
        yield (
            f"the {what}s of d{term.out} are in another order than those of its factor (reversed)",
            term.value(scene.believing(term.out, flipped)),
        )


def wrong_sum(term: Addend, scene: Scene) -> Wrong:
    """``db = dZ``, or its sum over another axis."""
    g, b = scene.d[term.out], scene.values[term.of]
    if b.shape == g.shape:
        return
    scale, over = scene.scale(term.of), min(scene.forward.over, g.ndim - 1)
    of = f"d{term.out}"
    yield f"{of} is not summed over the examples (the bias was broadcast: axis={over})", scale * g
    for keep in (True, False) if g.ndim > 1 else ():
        wrong = np.sum(g, axis=1 - over, keepdims=keep)
        said = f"{of} is summed over the wrong axis: axis={1 - over} instead of axis={over}"
        yield said, scale * wrong
        yield f"{said}, and it is the mean", np.mean(g, axis=1 - over, keepdims=keep)
    for word, value in (("summed", np.sum(g)), ("averaged", np.mean(g))):
        said = f"{of} is {word} over all entries, the wrong axis too: axis={over} is missing"
        yield said, scale * value
        yield said, np.full(b.shape, scale * value)
        yield said, np.asarray(value)
        yield said, np.full(b.shape, value)
    if b.size == g.size // g.shape[over]:
        yield f"the largest of {of} instead of the sum", np.max(g, axis=over).reshape(b.shape)
        norm = np.sqrt(np.sum(g**2, axis=over)).reshape(b.shape)
        yield f"the norm of {of} instead of the sum", norm
    total = scale * term.value(scene) / (scene.scale(term.of) or 1.0)
    yield f"the absolute value of the sum of {of}", np.absolute(total)
    yield f"the square of the sum of {of}", scale * (total / scale) ** 2
    for name in scene.forward.parameters:
        dW = scene.d.get(name)
        if dW is not None and dW.ndim == 2 and min(dW.shape) > 1:
            for axis in (0, 1):
                summed = np.sum(dW, axis=axis)
                if summed.size == b.size:
                    yield f"d{name} is summed instead of {of}", summed.reshape(b.shape)


def scaled(term: Product, scene: Scene) -> Array:
    """Return the incoming gradient with the factor 1/m, if there is one."""
    return scene.scale(term.of) * scene.d[term.out]


def square(x: Array) -> bool:
    """Whether a matrix has as many rows as columns."""
    return bool(x.ndim == 2 and x.shape[0] == x.shape[1])


def fits(a: Array, b: Array) -> bool:
    """Whether NumPy multiplies the two elementwise."""
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        return False
    return True
