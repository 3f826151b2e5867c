"""Races of one training step between libraries, growth studies, and the page that shows them.

    python -m benchmarks --help

Run from the project's directory; ``pip install -e ".[bench]"`` brings the other libraries.
A *contestant* is one library's way of taking the step (``contestants/``); it lives in a child
process of its own (``worker``), which the parent lets run in turn (``race``).
"""
