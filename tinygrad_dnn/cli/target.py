"""Target: what ``FILE.py:NAME`` on a command line means, loaded from that file and called.

The file is run as a module of its own, as Python would run it from its own folder, except that
``__name__`` is not ``"__main__"``.  Whatever is wrong with it is ``Unusable``, in one sentence.
"""

import argparse
import inspect
import sys
from difflib import get_close_matches
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any

from tinygrad_dnn.cli import notebook
from tinygrad_dnn.cli.unusable import Unusable

Commands = Any  # what argparse's add_subparsers returns; its class has no public name
_number = count(1).__next__


def argument(parser: argparse.ArgumentParser, help: str) -> None:
    """Let a command take a target, as ``options.target``."""
    parser.add_argument("target", metavar="FILE.py:NAME", help=help)


def taken_apart(target: str) -> tuple[Path, str]:
    """Return the file and the name in it, "" if there is none.

    >>> taken_apart("net.py:train")[1], taken_apart("net.py")[1]
    ('train', '')
    """
    file, colon, name = target.rpartition(":")
    return (Path(file), name) if colon and name.isidentifier() else (Path(target), "")


def load(target: str) -> Any:
    """Return what ``FILE.py:NAME`` names; raises Unusable if there is no such thing."""
    file, name = taken_apart(target)
    if not name:
        raise Unusable(f"{target!r}: give a file and what is in it, FILE.py:NAME")
    module = run_file(file)
    if not hasattr(module, name):
        near = get_close_matches(name, names := _own(module), 1)
        known = f"did you mean {near[0]}?" if near else f"it has {', '.join(names) or 'nothing'}"
        raise Unusable(f"{file} has no {name}; {known}")
    return getattr(module, name)


def call(function: Any, target: str) -> Any:
    """Return what ``function`` returns without arguments; raises Unusable if it wants some.

    An exception of the function itself is passed on.
    """
    try:
        inspect.signature(function).bind()
    except TypeError:
        wanted = inspect.signature(function)
        raise Unusable(
            f"{target} takes arguments, {wanted}; name a function that takes none"
        ) from None
    except ValueError:  # not every builtin tells
        pass
    return function()


def arguments(name: str) -> tuple[Any, ...]:
    """Return what a picture or an explanation is of: the arguments of ``draw`` and ``explain``.

    The function that ``name`` names is called; what it returns is one argument, or a network with
    its data, (net, X) or (net, X, Y).
    """
    from tinygrad_dnn.nn.sequential import Sequential

    found = load(name)
    if callable(found) and not isinstance(found, Sequential):
        found = call(found, name)
    is_net = isinstance(found, tuple) and 1 < len(found) < 4 and callable(found[0])
    return found if is_net else (found,)


def blamed(error: BaseException, file: str | Path) -> str:
    """Return what an exception says and its notes, with the last line of ``file`` it came by."""
    path = str(Path(file).resolve())
    frames = [f for f in extract_tb(error.__traceback__) if f.filename.startswith(path)]
    lines = [(frame.filename, frame.lineno) for frame in frames]
    if isinstance(error, SyntaxError):
        lines = [(error.filename or path, error.lineno)]
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    where = f"{lines[-1][0][len(path) :]} line {lines[-1][1]}: ".lstrip() if lines else ""
    notes = "".join(f"\n  {note}" for note in getattr(error, "__notes__", ()))
    return f"{where}{type(error).__name__}" + (f": {said}" if said else "") + notes


def run_file(path: Path) -> ModuleType:
    """Run a file, or the cells of a notebook, and return its module."""
    if path.is_dir():
        raise Unusable(f"{path} is a folder; name a file in it")
    if not path.is_file():
        raise Unusable(f"there is no file {path}")
    path = path.resolve()
    name = f"{path.stem}_{_number()}"  # new each time, and nobody's
    spec = spec_from_file_location(name, path)
    if path.suffix == ".ipynb":
        module = ModuleType(name)
    elif spec is None or spec.loader is None:
        raise Unusable(f"{path.name} is no Python file: its name must end in .py")
    else:
        module = module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.parent))  # and it stays: the function may import more
    try:
        if spec and spec.loader:
            spec.loader.exec_module(module)
        else:
            notebook.run(path, module)
    except Unusable:
        raise
    except (Exception, SystemExit) as error:
        raise Unusable(f"{path.name} cannot be run: {blamed(error, path)}") from error
    return module


def _own(module: ModuleType) -> list[str]:
    """Return the names that a file defines itself, public ones."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and getattr(value, "__module__", module.__name__) == module.__name__
    ]
