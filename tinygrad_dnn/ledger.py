"""When arrays were changed in place, as closely as can be told by looking again and again.

A *print* is a hash of an array's bytes, a *line* one of the user's program that is being run.  An
array is looked at when a call uses it, when it is handed out as a Tensor's ``data``, and at every
call in between, the longest unseen first: so a change lies between two lines.
"""

import linecache
import os
import sys
from collections import deque
from typing import Any
from weakref import ref

import numpy as np

from tinygrad_dnn.graph import moment

BUDGET = 4_000_000  # bytes that are hashed at every call, besides the call's own
_OURS = tuple(os.path.dirname(path) + os.sep for path in (__file__, np.__file__))


class Entry:
    """What is known of one array: its print, the line it was last found so, and its changes."""

    def __init__(self, array: Any, found: int, line: str) -> None:
        self.array, self.line = ref(array), line
        self.print: int | None = found
        # noticed at this moment, between these lines; of a parameter in training the latest
        self.changes: deque[tuple[int, str, str]] = deque(maxlen=100)

    def found(self, now: int | None, line: str) -> None:
        """Remember that the print is ``now`` this, in this line."""
        if now != self.print:
            self.changes.append((moment(), self.line, line))
        self.print, self.line = now, line


class Ledger:
    """Prints of the arrays that calls have used, the longest unseen first."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}

    def uses(self, array: Any, line: str) -> int | None:
        """Return the print of ``array``, which is used in this line, and keep an eye on it."""
        found = print_of(array)
        if found is not None:
            entry = self._entries.pop(id(array), None)
            if entry is None or entry.array() is not array:
                entry = Entry(array, found, line)
            entry.found(found, line)
            self._entries[id(array)] = entry
        return found

    def reads(self, array: Any, line: str) -> None:
        """Look at ``array``, if a call has used it: it is being handed out in this line."""
        if id(array) in self._entries:
            self.uses(array, line)

    def look_round(self, line: str) -> None:
        """Look at the arrays that have not been looked at for the longest time."""
        left = BUDGET
        for key in list(self._entries):
            entry = self._entries.pop(key)
            array = entry.array()
            if array is None:
                continue
            self._entries[key] = entry
            entry.found(print_of(array), line)
            left -= array.nbytes
            if left < 0:
                break

    def change(self, array: Any, since: int, line: str) -> str:
        """Say between which lines ``array`` was first changed after the moment ``since``."""
        self.reads(array, line)
        entry = self._entries.get(id(array))
        for noticed, before, after in entry.changes if entry else ():
            if noticed > since:
                return f"between {before} and {after}"
        return ""


def print_of(array: Any) -> int | None:
    """Return a hash of an array's bytes; None for what is no array of NumPy's."""
    plain = isinstance(array, np.ndarray) and array.dtype != object
    return hash(array.tobytes()) if plain else None


def users_line() -> str:
    """Return the line of the user's program that is being run: file, number, text."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    file, number = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(file, number, frame.f_globals).strip()
    return f"{file}:{number}" + (f": {text}" if text else "")
