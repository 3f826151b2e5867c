"""The layers of the package: who may import whom, and how long a file may grow."""

import ast
import re
from pathlib import Path

import pytest

import tinygrad_dnn

ROOT = Path(tinygrad_dnn.__file__).parent
MODULES = sorted(path for path in ROOT.rglob("*.py"))
LONGEST = 300


def layers() -> dict[str, int]:
    """Read which layer every module and package is in from the table of ``docs/design.md``."""
    text = (ROOT.parent / "docs" / "design.md").read_text()
    rows = re.findall(r"^\| *(\d+) \| (.*) \|$", text, re.MULTILINE)
    named = [(int(n), re.sub(r"\(.*?\)", "", modules)) for n, modules in rows]
    return {name: n for n, modules in named for name in re.findall(r"`(\w+)/?`", modules)}


LAYERS = layers()


def name_of(path: Path) -> str:
    """The module's name inside the package, ``rules.shape`` or ``rules`` or ``__init__``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in MODULES}


def own_names(path: Path) -> set[str]:
    """The names that an ``__init__`` has from elsewhere: they hide modules of the same name."""
    package = f"tinygrad_dnn.{name_of(path)}".removesuffix(".__init__")
    found = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ImportFrom)]
    return {a.asname or a.name for node in found if node.module != package for a in node.names}


HIDING = {name_of(path): own_names(path) for path in MODULES if path.name == "__init__.py"}


def resolved(dotted: str, imported: str | None = None) -> str:
    """The module meant by ``from tinygrad_dnn.<dotted> import <imported>``."""
    if imported in HIDING.get(dotted or "__init__", ()):
        return dotted or "__init__"
    full = f"{dotted}.{imported}" if dotted and imported else imported or dotted
    while full and full not in NAMES:
        full = full.rpartition(".")[0]
    return full or "__init__"


def imports(path: Path) -> set[str]:
    """Every module of the package that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            module = node.module or ""
            if module.split(".")[0] == "tinygrad_dnn":
                dotted = module.partition(".")[2]
                found |= {resolved(dotted, alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "tinygrad_dnn":
                    found.add(resolved(alias.name.partition(".")[2]))
    return found - {name_of(path)}


IMPORTS = {name_of(path): imports(path) for path in MODULES}
every_module = pytest.mark.parametrize("path", MODULES, ids=name_of)


def packages(name: str) -> set[str]:
    """Those that a module is in, inside this one."""
    parts = name.split(".")[:-1]
    return {".".join(parts[: i + 1]) for i in range(len(parts))}


def top(name: str) -> str:
    return name.split(".")[0]


def test_every_module_has_a_layer():
    assert {top(name) for name in NAMES} == LAYERS.keys()


@every_module
def test_imports_point_to_lower_layers(path):
    name = name_of(path)
    for other in IMPORTS[name]:
        one, another = top(name), top(other)
        allowed = one == another or LAYERS[another] < LAYERS[one]
        assert allowed, f"{name} (layer {LAYERS[one]}) imports {other} (layer {LAYERS[another]})"


def test_there_are_no_circles():
    without = {  # to import a module is to run those of its packages that do not yet run
        name: others | set().union(*map(packages, others)) - {name, *packages(name)}
        for name, others in IMPORTS.items()
    }
    while free := {name for name, others in without.items() if not others & set(without)}:
        without = {name: others for name, others in without.items() if name not in free}
    assert not without, f"these import each other: {without}"


@every_module
def test_no_file_outgrows_its_reader(path):
    assert len(path.read_text().splitlines()) <= LONGEST


def test_the_checker_sees_imports_where_they_hide(tmp_path):
    (file := tmp_path / "hidden.py").write_text(
        "import numpy\n"
        "def f():\n"
        "    from tinygrad_dnn.tensor import Tensor\n"
        "    import tinygrad_dnn.rules.shape\n"
        "    from tinygrad_dnn import graph, no_grad\n"
        "    from tinygrad_dnn.rules import linalg\n"
        "    from tinygrad_dnn.visualize import draw\n"  # the function, and not the module
        "    from tinygrad_dnn.visualize import dot\n"
    )
    IMPORTED = {"tensor", "rules.shape", "graph", "__init__", "rules.linalg"}
    IMPORTED |= {"visualize", "visualize.dot"}
    tree_root, globals()["ROOT"] = ROOT, tmp_path
    try:
        assert imports(file) == IMPORTED
    finally:
        globals()["ROOT"] = tree_root
