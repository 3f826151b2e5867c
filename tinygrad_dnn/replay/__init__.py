"""Replay: a function recorded once and run again as a flat list of NumPy calls."""

from tinygrad_dnn.replay.jit import jit as jit
