"""The machine code that is kept on disk: whole, or made again."""

import numpy as np
import pytest

pytest.importorskip("llvmlite")
pytest.importorskip("scipy")

from tinygrad_dnn.replay.native import compiler
from tinygrad_dnn.replay.native.compiler import Library
from tinygrad_dnn.replay.native.kernels import KERNELS


def test_damaged_machine_code_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    single = np.dtype(np.float32)
    Library(single, compiler.vector_width())
    (kept,) = (tmp_path / "tinygrad_dnn").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2])
    assert Library(single, compiler.vector_width()).addresses.keys() == KERNELS.keys()
    assert kept.read_bytes() == whole
    assert [*kept.parent.iterdir()] == [kept]


@pytest.mark.parametrize("damage", [b"", b"garbage", bytes(100)])
def test_no_file_but_a_whole_one_is_machine_code(tmp_path, damage):
    kept = tmp_path / "kernels.o"
    assert compiler._read(kept) == b""
    compiler._write(kept, b"code")
    assert compiler._read(kept) == b"code"
    kept.write_bytes(damage)
    assert compiler._read(kept) == b""
    assert compiler._read(tmp_path) == b""


def test_who_has_no_home_has_no_machine_code_on_disk(monkeypatch):
    def nobodys():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(compiler.Path, "home", nobodys)
    kept = compiler._kept(np.dtype(np.float32), 64)
    assert compiler._read(kept) == b""
    with pytest.raises(OSError, match="Not a directory"):
        compiler._write(kept, b"code")
