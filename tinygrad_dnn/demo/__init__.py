"""The demo: train a deep network on real data, verify every gradient, show all of it on a page."""

from tinygrad_dnn.demo.run import run as run
