"""Words: what operations, constants and values are called in a box.

Names that people gave are kept, on one line; of a call is written what is not drawn beside it.
Knows no picture.
"""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from textwrap import wrap
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node

NEUTRAL = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
LONGEST = 40  # characters of a name; a longer one is cut
SIGNS: dict[Any, str] = {
    np.add: "+",
    np.subtract: "−",
    np.multiply: "×",
    np.divide: "÷",
    np.power: "**",
    np.greater: ">",
    np.less: "<",
}
REDUCTIONS: dict[Any, str] = {
    np.add: "sum",
    np.multiply: "prod",
    np.maximum: "max",
    np.minimum: "min",
    np.logical_and: "all",
    np.logical_or: "any",
}
OF_REDUCE = ("axis", "dtype", "out", "keepdims", "initial", "where")  # after the array itself
BREAKS = (" + ", " − ", " * ", " / ")  # where a formula goes on in the next line, the best first
MARGIN = 6  # characters that a line has at least
CONTINUED = ("= ", *(sign.lstrip() for sign in BREAKS))  # what such a line begins with
JOINERS = "\u200c\u200d"  # not printable, but parts of words and of emoji


def op_name(fn: Callable[..., Any] | None) -> str:
    """Return the name of an operation in words: ``binary cross entropy``.

    Of a layer, which has no name, what it is: ``Linear(3 -> 5)``.

    >>> op_name(np.add.reduce), op_name(np.add.accumulate)
    ('sum', 'add accumulate')
    """
    if isinstance(owner := getattr(fn, "__self__", None), np.ufunc):
        if _reduces(fn) and owner in REDUCTIONS:
            return REDUCTIONS[owner]
        return f"{op_name(owner)} {getattr(fn, '__name__', fn)}"
    shown = type(fn).__name__ if repr(fn).endswith(f" at {id(fn):#x}>") else repr(fn)
    name = fn if isinstance(fn, str) else getattr(fn, "__name__", shown)
    return str(name).replace("_", " ").strip()


def course_name(name: str, layer: int | None) -> str:
    """Return the name of a layer's own W, U, b, Z or A as the course writes it.

    >>> course_name("W2", 2), course_name("W2", None)
    ('W[2]', 'W2')
    """
    match = re.fullmatch(r"([WUbZA])(\d+)", name)
    return f"{match[1]}[{layer}]" if match and int(match[2]) == layer else name


def gradient_name(name: str) -> str:
    """Return the course's name of a derivative of J, where what it belongs to is a plain symbol.

    >>> gradient_name("W[1]"), gradient_name("inner.W2")
    ('dW[1]', 'gradient')
    """
    return f"d{name}" if re.fullmatch(r"[^\W\d_]\d*(\[\d+\])?", name) else "gradient"


def clean(text: str) -> str:
    r"""Return ``text`` on one line, without the characters that XML forbids.

    >>> clean("a\nb")
    'a b'
    """
    if text.isprintable() and "  " not in text and text.strip() == text:
        return text
    text = " ".join(text.split())
    return "".join(c if c.isprintable() or c in JOINERS else "\ufffd" for c in text)


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Return ``text`` in lines of at most ``width`` characters; shapes stay whole.

    >>> wrapped("W is (2, 3)", 8)
    ['W is', '(2, 3)']
    """
    whole = re.sub(r"(?<=\d), (?=\d)", ",\N{NO-BREAK SPACE}", text)
    lines = wrap(whole, width, subsequent_indent=indent)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def broken(formula: str, width: int = 32) -> list[str]:
    """Return a formula in lines of about ``width`` characters, each next one begins with a sign.

    It is broken outside of as many brackets as can be, and near the middle.

    >>> broken("J = −(1/m) Σ(Y * log(A) + (1 − Y) * log(1 − A))")
    ['J = −(1/m) Σ(Y * log(A)', '+ (1 − Y) * log(1 − A))']
    """
    if len(re.sub(r"\[\d+\]", "[l]", formula)) <= width:  # the same in every layer
        return [formula]
    depth, found = 0, []
    for i, c in enumerate(formula):
        depth += (c in "([") - (c in ")]")
        if formula[i : i + 3] in BREAKS and MARGIN < i < len(formula) - MARGIN:
            found.append((depth, BREAKS.index(formula[i : i + 3]), abs(2 * i - len(formula)), -i))
    if not found:
        return [formula]
    i = -min(found)[-1]
    return [*broken(formula[:i], width), *broken(formula[i + 1 :], width)]


def short(text: str) -> str:
    """Return ``text``, cut if it is very long."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def value_text(value: Any) -> str:
    """Return a number with four digits.

    >>> value_text(2.0), value_text(np.float64(1 / 3))
    ('2', '0.3333')
    >>> value_text(-0.0)
    '0'
    """
    try:
        return f"{np.asarray(value).item() + 0:.4g}".replace("-", "−")
    except (TypeError, ValueError):
        return str(value)


def rows_text(value: Any) -> list[str]:
    """Return the rows of an array of few numbers; nothing if they are too many to read.

    >>> rows_text(np.array([[0.5, -1], [2, 1 / 3]]))
    ['[0.5, −1]', '[2, 0.3333]']
    """
    array = np.asarray(value)
    if array.ndim > 2 or not array.size or array.shape[-1:] > (6,) or array.size > 24:
        return []
    rows = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
    return [f"[{', '.join(map(value_text, row))}]" for row in rows]


def is_array(x: Any) -> bool:
    """Say whether a constant is drawn as a box of its own: an array, but no single number."""
    return not isinstance(x, type) and hasattr(x, "shape") and np.ndim(x) > 0


def constants_text(
    fn: Callable[..., Any] | None,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    named: Callable[[Any], str] = lambda a: "",
) -> str:
    """Return what a call was given besides things drawn, which stand as a dot, or ``named``.

    >>> constants_text(np.multiply, (2, np.ones(3)), {})
    '2 × ·'
    >>> constants_text(np.maximum, (np.ones(3), 0), {})
    '(·, 0)'
    >>> constants_text(np.add.reduce, (np.ones(3), (1,), None, None, True), {})
    'axis=1, keepdims'
    """
    if _reduces(fn):
        args, kwargs = args[:1], dict(zip(OF_REDUCE, args[1:], strict=False)) | dict(kwargs)
    drawn = [isinstance(a, Node) or is_array(a) for a in args]
    said = {key: v for key, v in kwargs.items() if not _is_default(fn, key, v)}
    options = [key if v is True else f"{key}={_given(v)}" for key, v in said.items()]
    names = [named(a) if d else "" for a, d in zip(args, drawn, strict=True)]
    if all(drawn) and not options and not any(names):
        return ""
    while args and (args[-1] is None or args[-1] is False):  # says nothing
        args = args[:-1]
    shown = [n or "·" if d else _given(a) for a, d, n in zip(args, drawn, names, strict=False)]
    if fn is np.matmul and any(names):
        return " ".join(shown)
    if fn in SIGNS and len(args) == 2:
        return f"{shown[0]} {SIGNS[fn]} {shown[1]}"
    rest = [text for text, d, n in zip(shown, drawn, names, strict=False) if n or not d]
    if fn is not None and fn.__name__ == "getitem":
        return f"[{', '.join(rest)}]"
    if len(shown) > 1 and rest:
        return f"({', '.join(shown + options)})"
    return ", ".join(rest + options)


def _reduces(fn: Callable[..., Any] | None) -> bool:
    return isinstance(getattr(fn, "__self__", None), np.ufunc) and fn.__name__ == "reduce"  # type: ignore[union-attr]


def _is_default(fn: Callable[..., Any] | None, option: str, value: Any) -> bool:
    """Say whether an option says nothing: it is what the function assumes, or None or False."""
    if value is None or value is False or _is_neutral(option, value):
        return True
    try:
        default = inspect.signature(fn).parameters[option].default if fn else None
    except (KeyError, TypeError, ValueError):  # not every function of NumPy shows its signature
        return False
    return isinstance(value, str | bool | int | float) and bool(value == default)


def _is_neutral(option: str, value: Any) -> bool:
    """Say whether an option of a convolution or pooling changes nothing: stride 1, no padding."""
    sizes = value if isinstance(value, tuple) else (value,)
    return option in NEUTRAL and set(sizes) == {NEUTRAL[option]}


def _given(value: Any) -> str:
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, tuple) and len(value) == 1:
        return _given(value[0])
    if isinstance(value, bool | str) or value is None or value is Ellipsis:
        return "…" if value is Ellipsis else str(value)
    if isinstance(value, slice):
        ends = (value.start, value.stop, value.step)
        start, stop, step = ("" if end is None else str(end) for end in ends)
        return f"{start}:{stop}" + (f":{step}" if step else "")
    if isinstance(value, int | float | np.generic) or np.ndim(value) == 0:
        return value_text(value)
    return str(value)
