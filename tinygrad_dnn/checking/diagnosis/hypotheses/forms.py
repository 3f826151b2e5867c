"""What one writes down: functions of one value, by how they are written.

``FORMS`` are expressions that stand for g' in somebody's notes, of any u; ``MEANT`` says of which
activation they are the derivative; ``MANGLED`` is what is done to an array that belongs as it is.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from tinygrad_dnn import equations
from tinygrad_dnn.primitives import Array

Forms = Mapping[str, Callable[[Array], Array]]

FORMS: Forms = {
    "1 - {u}**2": lambda u: 1 - u**2,
    "{u} * (1 - {u})": lambda u: u * (1 - u),
    "({u} > 0)": lambda u: np.float64(u > 0),
    "({u} < 0)": lambda u: np.float64(u < 0),
    "{u}": lambda u: u,
    "1 - {u}": lambda u: 1 - u,
    "1 + {u}": lambda u: 1 + u,
    "{u}**2": lambda u: u**2,
    "1 + {u}**2": lambda u: 1 + u**2,
    "{u}**2 - 1": lambda u: u**2 - 1,
    "(1 - {u})**2": lambda u: (1 - u) ** 2,
    "{u} * (1 + {u})": lambda u: u * (1 + u),
    "{u} * ({u} - 1)": lambda u: u * (u - 1),
    "{u} * (1 - {u}**2)": lambda u: u * (1 - u**2),
    "{u}**2 * (1 - {u})": lambda u: u**2 * (1 - u),
    "{u} * (1 - {u})**2": lambda u: u * (1 - u) ** 2,
    "2 * {u}": lambda u: 2 * u,
    "np.sign({u})": np.sign,
    "abs({u})": np.absolute,
    "np.maximum({u}, 0)": lambda u: np.maximum(u, 0),
    "tanh({u})": np.tanh,
    "1 - tanh({u})": lambda u: 1 - np.tanh(u),
    "1 - tanh({u})**2": equations.tanh_prime,
    "sigmoid({u})": equations.sigmoid,
    "1 - sigmoid({u})": lambda u: 1 - equations.sigmoid(u),
    "sigmoid({u}) * (1 - sigmoid({u}))": equations.sigmoid_prime,
}
MEANT = {  # the activation whose derivative a form is, and of what: of Z, or of A = g(Z)
    "1 - {u}**2": ("tanh", "A"),
    "{u} * (1 - {u})": ("sigmoid", "A"),
    "({u} > 0)": ("relu", "Z"),
    "1 - tanh({u})**2": ("tanh", "Z"),
    "sigmoid({u}) * (1 - sigmoid({u}))": ("sigmoid", "Z"),
}
MANGLED: Forms = {
    "the absolute value abs({u})": np.absolute,
    "the square {u}**2": lambda u: u**2,
    "the sign np.sign({u})": np.sign,
    "the positive part np.maximum({u}, 0)": lambda u: np.maximum(u, 0),
    "the mask [{u} > 0]": lambda u: np.float64(u > 0),
}


def at(u: str, value: Array, forms: Forms) -> Iterator[tuple[str, str, Array]]:
    """Yield the forms, as they are written of ``u``, and their values where they are finite."""
    for form, function in forms.items():
        found = function(value)
        if np.all(np.isfinite(found)):
            yield form, form.format(u=u), found


def mangled(u: str, value: Array) -> Iterator[tuple[str, Array]]:
    """Yield what may have been done to ``u`` that does not belong."""
    for _, words, found in at(u, value, MANGLED):
        yield f"{words} stands where {u} belongs", found
