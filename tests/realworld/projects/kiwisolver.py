"""Solve constraints between three variables."""

from itertools import pairwise

from kiwisolver import Solver, Variable

left, middle, right = Variable("left"), Variable("middle"), Variable("right")
solver = Solver()
for constraint in (
    left == 10,
    right >= left + 80,
    (middle * 2 == left + right) | "strong",
    (right == 0) | "weak",
):
    solver.addConstraint(constraint)
solver.updateVariables()
assert (left.value(), middle.value(), right.value()) == (10, 50, 90)


def loop() -> None:
    chain = [Variable(str(i)) for i in range(150)]
    own = Solver()
    own.addConstraint(chain[0] == 1)
    for before, after in pairwise(chain):
        own.addConstraint(after >= before + 1)
        own.addConstraint((after == 0) | "weak")
    own.updateVariables()
