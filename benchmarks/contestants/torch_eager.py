"""PyTorch: torch.nn and torch.optim.  Examples are rows, as its layers want them."""

import torch

from benchmarks.cases import Problem
from benchmarks.contestants import Contestant, repeated

TITLE = "PyTorch eager"
PACKAGES = ("torch",)


def build(problem: Problem, compiled=lambda f: f) -> Contestant:
    torch.set_num_threads(1)
    layers = []
    for W, b in zip(problem.W, problem.b, strict=True):
        linear = torch.nn.Linear(W.shape[1], W.shape[0])
        linear.weight.data, linear.bias.data = torch.tensor(W), torch.tensor(b[:, 0])
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    loss = torch.nn.BCEWithLogitsLoss()
    descent = torch.optim.SGD(model.parameters(), lr=problem.lr)
    rows, targets = torch.tensor(problem.X.T.copy()), torch.tensor(problem.Y.T.copy())
    forward = compiled(lambda: loss(model(rows), targets))
    update = compiled(descent.step)

    def step():
        descent.zero_grad()
        J = forward()
        J.backward()
        update()
        return float(J.detach())

    def parameters():
        held = (p.detach().numpy() for p in model.parameters())
        return [p if p.ndim == 2 else p[:, None] for p in held]

    return Contestant(repeated(step), parameters)
