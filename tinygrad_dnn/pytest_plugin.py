"""The pytest plugin: a fixture ``assert_gradients``, whose failures show the whole report.

It is found by itself once the package is installed; nothing but the fixture is added.
"""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(scope="session")
def assert_gradients() -> Callable[..., Any]:
    """Return ``tinygrad_dnn.assert_gradients``: check gradients, fail with the report.

    ::

        def test_swish(assert_gradients):
            assert_gradients(swish, np.linspace(-2, 2, 7))
    """
    from tinygrad_dnn.checking.asserting import assert_gradients as function

    return function
