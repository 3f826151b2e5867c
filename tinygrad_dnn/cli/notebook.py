"""Notebook: the code cells of an .ipynb file, run as one module, as "restart and run all" does."""

import json
import linecache
from pathlib import Path
from types import ModuleType
from typing import Any

from tinygrad_dnn.cli.unusable import Unusable


def run(path: Path, module: ModuleType) -> None:
    """Run the code cells of a notebook in a module; lines for IPython (%, !) are left out.

    Raises Unusable for a file that is no notebook; an exception of a cell is passed on.
    """
    for number, source in enumerate(_cells(path), 1):
        name = f"{path}[cell {number}]"
        linecache.cache[name] = (len(source), None, source.splitlines(True), name)
        exec(compile(source, name, "exec"), vars(module))


def _cells(path: Path) -> list[str]:
    """Return the source of the code cells."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [_plain(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError) as error:
        raise Unusable(f"{path.name} is no notebook that can be read: {error!r}") from error


def _plain(source: Any) -> str:
    """Return a cell without what only IPython understands, line numbers kept."""
    text = source if isinstance(source, str) else "".join(source)
    if text.lstrip().startswith("%%"):
        return ""
    return "\n".join("pass" if line.startswith(("%", "!")) else line for line in text.splitlines())
