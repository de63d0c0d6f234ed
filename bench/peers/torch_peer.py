"""PyTorch as a peer, on one thread: does the job that a line names, and answers with the nanoseconds it took.

Jobs: an initialiser's name in camelCase; `construct LAYERS FEATURES`; `load LAYERS FEATURES PATH`.
"""

import functools
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)

weight = torch.empty(4096, 4096)
initialisers = {
    "xavierUniform_": nn.init.xavier_uniform_,
    "kaimingUniform_": nn.init.kaiming_uniform_,
    "normal_": nn.init.normal_,
}


def construct(layers: int, features: int) -> nn.Sequential:
    return nn.Sequential(*(nn.Linear(features, features) for _ in range(layers)))


# A load is timed into a model that exists, as ours is.
model = functools.cache(construct)


def job(words: list[str]):
    if words[0] in initialisers:
        return lambda: initialisers[words[0]](weight)
    layers, features = int(words[1]), int(words[2])
    if words[0] == "construct":
        return lambda: construct(layers, features)
    target, path = model(layers, features), words[3]
    return lambda: target.load_state_dict(torch.load(path, weights_only=True))


print(torch.__version__, flush=True)
for line in sys.stdin:
    work = job(line.rstrip("\n").split(" ", 3))
    started = time.perf_counter_ns()
    work()
    print(time.perf_counter_ns() - started, flush=True)
