"""``python -m tinygrad_dnn``."""

import sys

from tinygrad_dnn.cli import main

sys.exit(main())
