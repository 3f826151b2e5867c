"""What the numbers were measured on."""

import datetime
import importlib.metadata
import os
import platform
from pathlib import Path

from benchmarks.child import SLOWED, Child, Entry, cores
from benchmarks.contestants import HAND

PACKAGES = ("numpy", "llvmlite", "jax", "torch", "mygrad", "autograd")


def machine() -> dict[str, str]:
    """Return the machine, the versions and the BLAS kernel of a child, in words."""
    with Child(Entry(HAND)) as child:
        child.ask("title")
        blas = child.ask("blas")
    unset = [name for name in SLOWED if name in os.environ]
    return {
        "date": datetime.date.today().isoformat(),
        "processor": f"{_processor()}, {os.cpu_count()} cores, pinned to core {cores(1)[0]}",
        "system": f"{platform.system()}, {platform.machine()}",
        "load average": ", ".join(f"{x:.2f}" for x in os.getloadavg()),
        "Python": platform.python_version(),
        "BLAS": blas + (f" ({', '.join(unset)} unset for it)" if unset else ""),
        "packages": ", ".join(f"{p} {v}" for p in PACKAGES if (v := _version(p))),
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((l.split(": ")[1] for l in lines if l.startswith("model name")), "unknown")
