"""What the diagnosis says of a student's gradients, fed with exact derivatives: quick.

``Diagnosed(student).of(grads)`` is what ``check_backprop`` says of them, without the measuring.
The network is read from the engine's record, or, as where there is none, from values and cost.
"""

from dataclasses import fields

import numpy as np

from tests.students import Student
from tinygrad_dnn.checking.diagnosis.explain import explain
from tinygrad_dnn.checking.diagnosis.inference import infer
from tinygrad_dnn.checking.shown import Shown
from tinygrad_dnn.checking.student import Student as Handed


class Diagnosed:
    def __init__(self, student: Student, recorded: bool = True):
        cost, params, self.right = student.lesson({})
        own = {name: x for name, x in self.right.items() if name[1:] in params}
        self.handed = Handed(cost, params, self.right if student.taps else own, {})
        self.m, self.of_J = student.m, {name[1:]: x for name, x in own.items()}
        if recorded:
            self.forward, of_J = self.handed.wired()
            self.of_J |= of_J
        elif student.taps:
            self.forward = self.handed.forward()
            self.of_J |= self._within(student)
        else:
            found = infer(lambda p: float(self.handed.value(p, {})), params, self.handed.context)
            self.forward, self.of_J[found.output] = found.forward, found.derivative
        self.forward.m = student.m

    def _within(self, student):
        scale = student.m if student.course else 1
        everything = Student(**{**vars_of(student), "shows": "everything"}).lesson({})[2]
        of_J = {name[1:]: x / scale for name, x in everything.items() if name[1] in "ZA"}
        A, Y = self.forward.values[f"A{student.L}"], student.Y
        if student.output == "linear" or student.squared:
            dA = A - Y
        elif student.output == "softmax":
            dA = -Y / A
        else:
            dA = -Y / A + (1 - Y) / (1 - A)
        return of_J | {f"A{student.L}": dA / student.m}

    def of(self, grads):
        """Return the sentences, a line for every gradient that is wrong."""
        given = {name[1:]: np.asarray(x, float) for name, x in grads.items()}
        shown = Shown(given, {**self.handed.params, **self.handed.tapped})
        middle = {name: x for name, x in self.of_J.items() if name not in self.handed.params}
        known = {name: x for name, x in middle.items() if name in given}
        convention = shown.convention(known, self.m)
        possible = [True, False] if convention is None else [convention]
        notes = explain(self.forward, self.of_J, shown.arrays, possible).notes
        said = [f"d{name}: {note}" for name, note in notes.items()]
        flat = [n for n, x in given.items() if x.shape != shown.arrays[n].shape]
        return "\n".join([*said, *(f"d{name}: keepdims=True is missing" for name in flat)])


def vars_of(student):
    """The arguments that a student was made with."""
    return {field.name: getattr(student, field.name) for field in fields(student) if field.init}
