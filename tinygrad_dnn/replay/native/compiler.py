"""The compiler: the kernels as machine code of this processor, once per dtype, kept on disk."""

import ctypes
import hashlib
import os
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

from tinygrad_dnn.replay.native.code import DOUBLE, I64, SINGLE, Code
from tinygrad_dnn.replay.native.frame import WIDTH, Frame
from tinygrad_dnn.replay.native.kernels import KERNELS

REALS: dict[Any, Any] = {np.dtype(np.float32): SINGLE, np.dtype(np.float64): DOUBLE}
BLAS = {np.dtype(np.float32): "sgemm", np.dtype(np.float64): "dgemm"}
SOURCES = (
    "code", "vectors", "functions", "frame", "panels", "products", "kernels", "compiler",
)  # fmt: skip
DIGEST = hashlib.sha256().digest_size


class Library:
    """The compiled kernels of one dtype, for vectors of ``width`` bytes: ``addresses`` by name.

    ``execute(step)`` runs the rows of a table in order; at the address ``step`` stand that of the
    table, the number of its rows and the address of the slots.  One address is all that is given,
    and as a pointer, since ctypes takes longer for three numbers than a small kernel runs.
    """

    def __init__(self, dtype: Any, width: int) -> None:
        machine = _machine()
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        code = _object(dtype, width, machine)
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        self.addresses = {name: self._engine.get_function_address(name) for name in KERNELS}
        execute = self._engine.get_function_address("execute")
        self.execute = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(execute)
        self.blas = _address_of_blas(BLAS[dtype])


@lru_cache
def library(dtype: Any) -> Library:
    """Return the kernels for ``dtype``."""
    return Library(dtype, vector_width())


def _machine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=3, jit=True
    )


def _object(dtype: Any, width: int, machine: Any) -> bytes:
    """Return the machine code, from disk if it is there."""
    kept = _kept(dtype, width)
    if code := _read(kept):
        return code
    made: bytes = machine.emit_object(_optimised(_module(REALS[dtype], width), machine))
    with suppress(OSError):  # a folder that cannot be written: compiled again the next time
        _write(kept, made)
    return made


def _read(kept: Path) -> bytes:
    """Return the machine code in a file; nothing if that is not there, or damaged."""
    try:
        found = kept.read_bytes()
    except OSError:
        return b""
    digest, code = found[:DIGEST], found[DIGEST:]
    return code if hashlib.sha256(code).digest() == digest else b""


def _write(kept: Path, code: bytes) -> None:
    """Put machine code into a file, all of it or nothing, after what tells if it is damaged."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=kept.parent) as beside:
        whole = Path(beside) / kept.name
        whole.write_bytes(hashlib.sha256(code).digest() + code)
        whole.replace(kept)


def _kept(dtype: Any, width: int) -> Path:
    """Return where the machine code is kept: by all that it depends on."""
    here = Path(__file__).parent
    told = hashlib.sha256(f"{llvm.llvm_version_info} {width} {llvm.get_host_cpu_name()}".encode())
    told.update(llvm.get_host_cpu_features().flatten().encode())
    for source in SOURCES:
        told.update((here / f"{source}.py").read_bytes())
    return _folder() / "tinygrad_dnn" / f"kernels-{dtype}-{told.hexdigest()[:16]}.o"


def _folder() -> Path:
    """Return the user's folder of what can be made again; who has none gets one that cannot be."""
    if root := os.environ.get("XDG_CACHE_HOME"):
        return Path(root)
    try:
        return Path.home() / ".cache"
    except RuntimeError:
        return Path(os.devnull)


def vector_width() -> int:
    """Return the bytes of a vector of this processor."""
    features = llvm.get_host_cpu_features()
    return 64 if features.get("avx512f") else 32 if features.get("avx") else 16


def _module(real: Any, width: int) -> ir.Module:
    """Return all kernels, and ``execute``, which calls the kernel of each row."""
    module = ir.Module("kernels")
    for name, kernel in KERNELS.items():
        code = Code(module, name, 2, real, width)
        kernel(Frame(code))
        code.finish()
    code = Code(module, "execute", 1, real, width)
    (step,) = code.arguments
    table, rows, slots = (code.load(step, i, I64) for i in range(3))
    with code.loop(rows) as i:
        row = table + i * (8 * WIDTH)
        code.call(code.load(row, 0, I64), row, slots)
    code.finish()
    return module


def _optimised(module: ir.Module, machine: Any) -> Any:
    parsed = llvm.parse_assembly(str(module))
    parsed.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = True
    options.loop_interleaving = options.loop_unrolling = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(parsed, builder)
    return parsed


def _address_of_blas(name: str) -> int:
    """Return the address of a function of BLAS, which SciPy hands out as capsules."""
    capsule = import_module("scipy.linalg.cython_blas").__pyx_capi__[name]
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    address = api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))
    return int(address or 0)
