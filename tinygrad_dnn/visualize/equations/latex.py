"""LaTeX: terms as mathematics, for amsmath, KaTeX and MathJax."""

import re

from tinygrad_dnn.visualize.equations.typeset import Typeset

RELATIONS = {"≥": r"\geq", "≤": r"\leq", "≠": r"\neq"}
KNOWN = {"log", "exp", "tanh", "sin", "cos", "tan", "sinh", "cosh", "max", "min"}
GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi|chi|"
    "psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Phi|Psi|Omega"
)
LETTERS = dict(zip(GREEK.pattern.split("|"), "αβγδεζηθκλμνξπρστφχψωΓΔΘΛΞΠΣΦΨΩ", strict=True))
COMMANDS = {letter: rf"\{name}" for name, letter in LETTERS.items()}
SPECIAL = re.compile(r"([#$%&_{}])")


class Latex(Typeset):
    """Writes terms as LaTeX; ``names`` says what symbols are called, in LaTeX too."""

    plus, minus, negative = " + ", " - ", "-"
    entrywise, dot, gap = r" \odot ", r" \cdot ", r" \, "
    transpose, sigma = r"\top", r"\sigma"
    layer, closing = "]}", "}"

    def fraction(self, top: str, bottom: str) -> str:
        return rf"\frac{{{top}}}{{{bottom}}}"

    def raised(self, base: str, exponent: str) -> str:
        return f"{{{base}}}^{{{exponent}}}"

    def lowered(self, base: str, index: str) -> str:
        return f"{{{base}}}_{{{index}}}"

    def root(self, text: str) -> str:
        return rf"\sqrt{{{text}}}"

    def size(self, text: str) -> str:
        return rf"\left| {text} \right|"

    def square(self, text: str) -> str:
        return rf"\left[ {text} \right]"

    def brackets(self, text: str) -> str:
        return rf"\left( {text} \right)"

    def choice(self, condition: str, x: str, y: str) -> str:
        rows = rf"{x} & {condition} \\ {y} & \text{{otherwise}}"
        return rf"\begin{{cases}} {rows} \end{{cases}}"

    def sum_over(self, over: str) -> str:
        return rf"\sum_{{\text{{{over}}}}}" if over else r"\sum"

    def number(self, text: str) -> str:
        found = re.fullmatch(r"(.*)e([-+−]?)0*(\d+)", text)
        if not found:
            return text.replace("−", "-")
        power = f"10^{{{found[2].strip('+').replace('−', '-')}{found[3]}}}"
        return power if found[1] == "1" else rf"{found[1].replace('−', '-')} \cdot {power}"

    def words(self, text: str) -> str:
        plain = SPECIAL.sub(_escaped, text.replace("−", "-"))
        return rf"\text{{{plain}}}"

    def sign(self, sign: str) -> str:
        return RELATIONS.get(sign, sign)

    def function(self, name: str) -> str:
        if name in KNOWN:
            return rf"\{name}"
        return rf"\operatorname{{{SPECIAL.sub(_escaped, name)}}}"


def latex_name(name: str, layer: int | None) -> str:
    r"""Return a symbol's name in LaTeX; the number of its ``layer`` in brackets above.

    >>> latex_name("dW1", 1), latex_name("dθ", None), latex_name("learning_rate", None)
    ('dW^{[1]}', 'd\\theta', '\\mathrm{learning\\_rate}')
    """
    name, _, again = name.partition("_") if re.search(r"\d_\d+$", name) else (name, "", "")
    d, word, number = re.fullmatch(r"(d(?=[^\W\d_]))?(.*?)(\d*)", name).groups(default="")  # type: ignore[union-attr]
    if GREEK.fullmatch(word):
        word = rf"\{word}"
    elif word in COMMANDS:
        word = COMMANDS[word]
    elif not word.isascii():
        word = rf"\text{{{word}}}"
    elif len(word) != 1:
        word = rf"\mathrm{{{SPECIAL.sub(_escaped, word)}}}"
    below = f"_{{{again}}}" if again else ""
    if not number:
        return d + word
    if layer is None:
        return f"{d}{word}_{{{number}}}"
    return f"{d}{word}^{{[{number}]}}{below}"


def _escaped(found: re.Match[str]) -> str:
    return "\\" + found[1]
