"""Run samples against the adapter, and count what came of them."""

from collections import Counter
from dataclasses import dataclass, field

from tests.opinfo.adapter import ADAPTER
from tests.opinfo.compare import Mismatch, Unsupported, mismatches
from tinygrad_dnn.errors import MissingRuleError


@dataclass
class Tally:
    """What came of the samples of some operations."""

    operations: Counter = field(default_factory=Counter)  # name -> samples compared
    unsupported: Counter = field(default_factory=Counter)  # (name, why) -> samples left out
    missing: Counter = field(default_factory=Counter)  # (name, message) -> samples left out
    differentiated: set = field(default_factory=set)  # names of which a gradient was compared
    gradients: int = 0
    mismatches: list = field(default_factory=list)  # (sample, Mismatch)

    def run(self, sample):
        """Compare one sample; return its mismatches, or None if it was left out."""
        try:
            found = mismatches(ADAPTER[sample.op], sample)
        except Unsupported as why:
            self.unsupported[sample.op, str(why)] += 1
            return None
        except MissingRuleError as why:
            self.missing[sample.op, str(why)] += 1
            return None
        except Exception as error:
            first_line = str(error).partition("\n")[0]
            found = [Mismatch("raises", f"{type(error).__name__}: {first_line[:150]}")]
        self.operations[sample.op] += 1
        if sample.differentiated:
            self.differentiated.add(sample.op)
        self.gradients += len(sample.differentiated)
        self.mismatches += [(sample, m) for m in found]
        return found
