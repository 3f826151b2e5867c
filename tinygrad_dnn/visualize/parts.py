"""Parts: what is drawn as one box each: mostly one thing of a graph, of a deep one many.

The layers in the middle of a deep network become one part, what follows one another in a long graph
too, and never a result.  Knows things and who uses whom, no boxes.
"""

from tinygrad_dnn.visualize.fold import between, middle, runs
from tinygrad_dnn.visualize.reading import Reading

Part = list[int]  # the things drawn as one box


def parts_of(reading: Reading, fold: int | None, max_nodes: int) -> list[Part]:
    """Return at most ``max_nodes`` parts, of a network at most ``fold`` layers."""
    return _Folding(reading).parts(fold, max_nodes)


class _Folding:
    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.things, self.inputs, self.users = reading.things, reading.inputs, reading.users

    def parts(self, fold: int | None, max_nodes: int) -> list[Part]:
        deep = (self._deep_layers(fold, back) for back in (False, True))
        folds = [layers for layers in deep if layers]
        parts = self._contracted(folds)
        if len(parts) > max_nodes:
            for run in self._runs(set().union(*folds)):
                folds += self._between_results(run)
            parts = self._contracted(folds)
        if len(parts) > max_nodes:
            parts = self._contracted(self._middle(max_nodes))
        if len(parts) > max_nodes:
            parts = self._fewer_inputs(parts, max_nodes)
        return parts

    def _deep_layers(self, fold: int | None, back: bool) -> set[int] | None:
        """Return what is in the middle layers, on the way forward or ``back``."""
        layers = [t.layer if t.back == back else None for t in self.things]
        numbers = sorted({layer for layer in layers if layer is not None})
        hidden = middle(len(numbers), fold)
        if hidden is None:
            return None
        inner = set(numbers[slice(*hidden)])
        folded = between((i for i, layer in enumerate(layers) if layer in inner), self.inputs)
        ends = any(self.things[i].is_end for i in folded)
        return None if ends and not back else folded

    def _runs(self, taken: set[int]) -> list[list[int]]:
        def free(i: int) -> bool:
            return self.things[i].kind == "operation" and i not in taken

        operations = [i for i in range(len(self.things)) if free(i)]
        before = [sorted({j for j in inputs if free(j)}) for inputs in self.inputs]
        uses = [len(users) for users in self.users]
        return runs(operations, before, uses)

    def _middle(self, max_nodes: int) -> list[set[int]]:
        """Return the middle of the operations as they were made, always convex, without results."""
        operations = [i for i, t in enumerate(self.things) if t.kind == "operation"]
        kept = max(1, max_nodes // 6)
        return self._between_results(operations[kept : len(operations) - kept])

    def _between_results(self, operations: list[int]) -> list[set[int]]:
        """Return the stretches to fold: a result is always drawn."""
        folds: list[set[int]] = [set()]
        for i in operations:
            if self.things[i].is_end:
                folds.append(set())
            else:
                folds[-1].add(i)
        return folds

    def _contracted(self, folds: list[set[int]]) -> list[list[int]]:
        """Return the parts, a leaf or constant going where all its users have gone."""
        fold_of = {i: f for f, fold in enumerate(folds) for i in fold}
        for i, thing in enumerate(self.things):
            if thing.kind != "operation" and i not in fold_of:
                homes = {fold_of.get(user) for user in self.reading.first_users(i)}
                if len(homes) == 1 and (home := homes.pop()) is not None:
                    fold_of[i] = home
        parts: list[list[int]] = []
        folded: list[list[int]] = [[] for _ in folds]
        placed: set[int] = set()
        for i, thing in enumerate(self.things):
            fold = fold_of.get(i)
            if fold is None:
                parts.append([i])
                continue
            folded[fold].append(i)
            if thing.kind == "operation" and fold not in placed:  # its place in the flow
                placed.add(fold)
                parts.append(folded[fold])
        return parts

    def _fewer_inputs(self, parts: list[list[int]], max_nodes: int) -> list[list[int]]:
        """Return the parts with the leaves and constants that are too many as one."""
        alone = [p for p in parts if len(p) == 1 and self.things[p[0]].kind != "operation"]
        surplus = alone[max(0, len(alone) - (len(parts) - max_nodes) - 1) :]
        joined = {part[0] for part in surplus}
        return [part for part in parts if part[0] not in joined] + [sorted(joined)]
