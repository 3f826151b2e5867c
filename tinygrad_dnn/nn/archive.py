"""Archive: named arrays and one text in one file, .npz or .safetensors by the name's ending.

Nothing in a file is ever executed, and nothing is allocated that the file does not hold: what the
headers claim is compared with the sizes of the members, which are stored uncompressed.
"""

from collections.abc import Mapping
from math import prod
from os import PathLike, fspath
from os.path import getsize
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from tinygrad_dnn.primitives import Array

Path = str | PathLike[str]
TEXT = "layers"  # the name under which the text lies beside the arrays
STORED = 0  # zipfile.ZIP_STORED
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def write(path: Path, text: str, arrays: Mapping[str, Array]) -> None:
    """Write ``text`` and ``arrays`` to ``path``."""
    if fspath(path).endswith(".safetensors"):
        contiguous = {name: np.array(array, order="C") for name, array in arrays.items()}
        _safetensors().save_file(contiguous, path, metadata={TEXT: text})
        return
    with open(path, "wb") as file:
        members: dict[str, Any] = {TEXT: np.array(text), **arrays}
        np.savez(file, **members)


def read(path: Path) -> tuple[str, dict[str, Array]]:
    """Return the text and the arrays in ``path``; ValueError for what ``write`` has not written."""
    if fspath(path).endswith(".safetensors"):
        return _read_safetensors(path)
    import zipfile  # and with it every compression there is: not needed to import the package

    try:
        with zipfile.ZipFile(path) as file:
            _check(file, getsize(path))
        with np.load(path, allow_pickle=False) as members:
            arrays = {name: members[name] for name in members.files}
        return str(arrays.pop(TEXT)), arrays
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, EOFError, SyntaxError) as error:
        raise ValueError(f"{path} is not a network saved by net.save: {error}") from error


def _check(file: Any, size: int) -> None:
    """Refuse members that claim to be larger than they are, or than the file."""
    members = file.infolist()
    if len({member.filename for member in members}) < len(members):
        raise ValueError("two members have the same name")
    if any(member.compress_type != STORED for member in members):
        raise ValueError("its members are compressed, which those of net.save are not")
    if sum(member.file_size for member in members) > size:
        raise ValueError("its members claim to be larger than the file")
    for member in members:
        with file.open(member) as stream:
            claimed, header = _claimed(stream)
        if claimed != member.file_size - header:
            raise ValueError(
                f"{member.filename} claims {claimed:,} bytes of numbers, but holds "
                f"{member.file_size - header:,}"
            )


def _claimed(stream: IO[bytes]) -> tuple[int, int]:
    """Return how many bytes of numbers an .npy header claims, and its own length."""
    version = npy.read_magic(stream)
    if version not in HEADERS:
        raise ValueError(f".npy version {version} is unknown")
    shape, _, dtype = HEADERS[version](stream)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are never loaded")
    if any(n < 0 for n in shape):
        raise ValueError(f"shape {shape}")
    return prod(shape) * dtype.itemsize, stream.tell()


def _read_safetensors(path: Path) -> tuple[str, dict[str, Array]]:
    _safetensors()
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no dict)
            return (file.metadata() or {})[TEXT], arrays
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is not a network saved by net.save: {error}") from error


def _safetensors() -> Any:
    try:
        from safetensors import numpy as safetensors
    except ImportError:
        raise ImportError(
            "files that end in .safetensors need the package: pip install safetensors; "
            "or save to a name that ends in .npz"
        ) from None
    return safetensors
