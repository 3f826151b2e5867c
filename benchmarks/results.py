"""Results: what was measured, kept in a file from which the page is made."""

import json
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.race import Result

PROJECT = Path(__file__).parents[1]
FILE = PROJECT / "docs" / "benchmarks.json"


def load() -> dict[str, Any]:
    """Return the results by section: race, growth, memory, threads; {} if there are none yet."""
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def keep(section: str, found: dict[str, Any]) -> None:
    """Put ``found`` in the place of what ``section`` held, with the machine it was measured on."""
    results = load()
    results[section] = {"machine": machine(), "found": found}
    FILE.write_text(json.dumps(results, indent=None, separators=(",", ":")) + "\n")


def packed(results: dict[str, Result]) -> dict[str, dict[str, object]]:
    """Return the results of one race for the file."""
    return {name: result.as_dict() for name, result in results.items()}


def unpacked(kept: dict[str, dict[str, Any]]) -> dict[str, Result]:
    """Return the results of one race from the file."""
    return {name: Result(**fields) for name, fields in kept.items()}
