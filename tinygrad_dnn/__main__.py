"""``python -m tinygrad_dnn``."""

import sys

from tinygrad_dnn.cli.program import main

sys.exit(main())
