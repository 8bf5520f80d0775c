"""Compare the time of `compare port --bench` with that of loops written by hand.

    python tests/support/bare_ported.py [torch|keras...] [--turns N] [--starts N] [--threads N]

Both processes run at the same time and take turns. In each turn both run a window of equally many passes. Passes are
forward passes and training steps of a small network, in batches of 1 and of 32.

The result is the ratio of the bench's worker to the bare loop, with a 95 % interval. It is the median over the turns of
a pair of processes, then the geometric mean over pairs. It is printed for the time of a pass and for its processor
time, which other work on the machine disturbs least.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SIZES = (1, 32)
PASSES = ("forward", "training")
WINDOW_S = 0.2
IMAGES = np.arange(32 * 3 * 32 * 32, dtype=np.float32).reshape(32, 3, 32, 32) % 0.997 - 0.5
CLASSES = np.arange(32) % 10
TORCH = """from torch import nn


def build():
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1),
        nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2048, 64), nn.ReLU(), nn.Linear(64, 10),
    )
"""
KERAS = """import keras
from keras import layers as L


def build():
    return keras.Sequential([
        keras.Input((32, 32, 3)), L.Conv2D(16, 3, padding="same", activation="relu"), L.MaxPooling2D(),
        L.Conv2D(32, 3, padding="same"), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D(), L.Flatten(),
        L.Dense(64, activation="relu"), L.Dense(10),
    ])
"""
Pass = Callable[[], Any]


def torch_passes(build: Callable[[], Any], size: int) -> dict[str, Pass]:
    """Return a forward pass and a training step, as in PyTorch's tutorial."""
    import torch

    net, images, classes = build(), IMAGES[:size].copy(), CLASSES[:size].copy()
    optimizer, loss_of = torch.optim.SGD(net.parameters(), lr=0.001), torch.nn.CrossEntropyLoss()

    def forward() -> Any:
        net.eval()
        with torch.no_grad():
            return net(torch.from_numpy(images)).numpy()

    def training() -> Any:
        net.train()
        optimizer.zero_grad()
        loss = loss_of(net(torch.from_numpy(images)), torch.from_numpy(classes))
        loss.backward()
        optimizer.step()
        return loss.detach().numpy()

    return {"forward": forward, "training": training}


def keras_passes(build: Callable[[], Any], size: int) -> dict[str, Pass]:
    """Return a forward pass and a training step, as in Keras's guide to writing your own loops."""
    import keras
    import tensorflow as tf

    net, images, classes = build(), IMAGES[:size].transpose(0, 2, 3, 1).copy(), CLASSES[:size].copy()
    optimizer, loss_of = keras.optimizers.SGD(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer.build(net.trainable_variables)
    call = tf.function(lambda x: net(x, training=False))

    @tf.function
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(y, net(x, training=True))
        optimizer.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)
        return loss

    return {
        "forward": lambda: call(tf.constant(images)).numpy(),
        "training": lambda: step(tf.constant(images), tf.constant(classes)).numpy(),
    }


def serve(framework: str, path: str) -> None:
    """Time what each input line requests: a pass, a batch size, the number of calls, and how many to discard first."""
    import importlib.util

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    spec = importlib.util.spec_from_file_location("users", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    known = {size: globals()[f"{framework}_passes"](module.build, size) for size in SIZES}
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        what, *numbers = line.split()
        size, calls, uncounted = map(int, numbers)
        run = known[size][what]
        for _ in range(uncounted):
            run()
        own, begin = time.process_time(), time.perf_counter()
        for _ in range(calls):
            run()
        print((time.perf_counter() - begin) / calls, (time.process_time() - own) / calls, file=answers, flush=True)


class Bare:
    """A bare loop in its own process."""

    def __init__(self, framework: str, path: Path, variables: dict[str, str]) -> None:
        command = [sys.executable, __file__, "--serve", framework, str(path)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=variables,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def figures(self, what: str, size: int, calls: int, uncounted: int) -> list[float]:
        """Return the seconds and the processor time of a pass."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(what, size, calls, uncounted, file=self._process.stdin, flush=True)
        return list(map(float, self._process.stdout.readline().split()))

    def close(self) -> None:
        self._process.communicate()


def compare(framework: str, turns: int, starts: int, threads: int) -> dict[str, Any]:
    """Return the ratios of the bench's worker to the bare loop."""
    from compare.bench.statistics import ratio
    from compare.processes.environment import worker_variables
    from compare.processes.timed_session import TimedWorker, asked
    from compare.registry.candidates import ALLOCATOR_VARIABLES

    found: dict[str, list[list[tuple[float, float]]]] = {}
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "users.py"
        path.write_text(TORCH if framework == "torch" else KERAS)
        variables = worker_variables(threads, Path(name), True, "system") | ALLOCATOR_VARIABLES["kept"]
        for _ in range(starts):
            worker = TimedWorker(
                "left", f"{path}:build", Path(name) / "log", threads, 600.0, ALLOCATOR_VARIABLES["kept"], "system"
            )
            worker.load("float32")
            request = asked(None, "indices", ("cross_entropy_with_logits", ""), ("sgd", ""))
            worker.prepare(request, {"input": IMAGES}, CLASSES)
            bare = Bare(framework, path, variables)
            for what in PASSES:
                for size in SIZES:
                    for label, pairs in zip(
                        ("time", "processor time"), _turns(worker, bare, what, size, turns), strict=True
                    ):
                        found.setdefault(f"{what}, batches of {size}, {label}", []).append(pairs)
            bare.close()
            worker.close()
    return {
        what: ratio([[b for _, b in one] for one in pairs], [[a for a, _ in one] for one in pairs])
        for what, pairs in found.items()
    }


def _turns(worker: Any, bare: Bare, what: Any, size: int, turns: int) -> list[list[tuple[float, float]]]:
    worker.time_pass(what, size, 20, 20)
    calls = max(3, min(400, round(WINDOW_S / bare.figures(what, size, 20, 20)[0])))
    found: list[list[tuple[float, float]]] = [[], []]
    for turn in range(turns):
        both = {}
        for which in ("bare", "bench") if turn % 2 else ("bench", "bare"):
            time.sleep(0.01)
            if which == "bare":
                both[which] = bare.figures(what, size, calls, calls // 2 + 2)
            else:
                done = worker.time_pass(what, size, calls, calls // 2 + 2)
                both[which] = [done.elapsed_s / calls, done.own_s / calls]
        for pairs, a, b in zip(found, both["bench"], both["bare"], strict=True):
            pairs.append((a, b))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("frameworks", nargs="*")
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="with one, other work on the machine disturbs least")
    parser.add_argument("--serve", action="store_true", help="be the bare loop of FRAMEWORK for the file PATH")
    given = parser.parse_args()
    if given.serve:
        serve(*given.frameworks)
        return
    from bare_serving import ratio_text  # not at the top, because the bare process imports nothing of this suite

    for framework in given.frameworks or ("torch", "keras"):
        for what, found in compare(framework, given.turns, given.starts, given.threads).items():
            print(f"{framework}, {what}: {ratio_text(found)}", flush=True)


if __name__ == "__main__":
    main()
