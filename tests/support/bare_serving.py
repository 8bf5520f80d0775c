"""Loops that serve `cnn_same` as one would write them by hand, without this project; and how far `bench --inference`
is from them: `python tests/support/bare_serving.py [WAY...]`.

For each way both processes are alive at once and take turns: a window of the same number of calls each, of one image
and of 64. What is printed is the ratio of the harness's median call to the bare loop's, the median over turns, with a
95 % interval by bootstrap over turns; and the ratio of starts and of memory, of several processes each.

A line to a bare loop is a batch size, a number of calls, and how many before them are not counted; a line from it the
median seconds of a call.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

IMAGES = np.random.default_rng(0).random((1024, 28, 28, 1), np.float32)
SIZES = (1, 64)
WINDOW_S = 0.1
WAYS = ("torch-eager", "torch-onnx", "keras-graph", "tf_lowlevel-savedmodel")
Answer = Callable[[np.ndarray], np.ndarray]


def torch_network():  # type: ignore[no-untyped-def]
    import torch
    from torch import nn

    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(3136, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    ).eval()


def keras_network():  # type: ignore[no-untyped-def]
    import keras

    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10),
        ]
    )


def torch_eager(path: str) -> Answer:
    import torch

    net = torch_network()

    def answer(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            logits: np.ndarray = net(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
        return logits

    return answer


def torch_onnx(path: str) -> Answer:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"x": images.reshape(-1, 1, 28, 28)})[0]  # type: ignore[no-any-return]


def keras_graph(path: str) -> Answer:
    import tensorflow as tf

    net = keras_network()
    call = tf.function(lambda x: net(x, training=False), input_signature=[tf.TensorSpec((None, 28, 28, 1))])
    return lambda images: call(tf.constant(images)).numpy()  # type: ignore[no-any-return]


def tf_lowlevel_savedmodel(path: str) -> Answer:
    import tensorflow as tf

    serve = tf.saved_model.load(path).signatures["serving_default"]
    return lambda images: next(iter(serve(tf.constant(images)).values())).numpy()  # type: ignore[no-any-return]


def write(way: str, path: str) -> None:
    """Write the file that a bare loop serves, if it serves one: by hand, not by this project's exporters."""
    if way == "torch-onnx":
        import torch

        dynamic = {"x": {0: torch.export.Dim("n")}}
        example = torch.zeros(2, 1, 28, 28)
        named = {"input_names": ["x"], "dynamic_shapes": (dynamic["x"],), "external_data": False}
        torch.onnx.export(torch_network(), (example,), path, dynamo=True, verbose=False, **named)  # type: ignore[arg-type]
    elif way == "tf_lowlevel-savedmodel":
        keras_network().export(path, format="tf_saved_model", verbose=False)


def serve(way: str, path: str) -> None:
    """Answer one image, and then time what each line asks for."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    answer = globals()[way.replace("-", "_")](path)
    answer(IMAGES[:1])
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        size, calls, uncounted = map(int, line.split())
        batches = [IMAGES[size * (n % (1024 // size)) :][:size] for n in range(uncounted + calls)]
        spent = []
        for batch in batches:
            begin = time.perf_counter()
            answer(batch)
            spent.append(time.perf_counter() - begin)
        print(statistics.median(spent[uncounted:]), file=answers, flush=True)


class Bare:
    """A bare loop in a process of its own; its start is over when it has answered."""

    def __init__(self, way: str, path: str, variables: dict[str, str]) -> None:
        begin = time.perf_counter()
        command = [sys.executable, __file__, "--serve", way, "--path", path]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=variables
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        self.start_s = time.perf_counter() - begin

    def median_s(self, size: int, calls: int, uncounted: int) -> float:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(size, calls, uncounted, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def peak_bytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])

    def close(self) -> None:
        self.process.communicate()


@dataclass(frozen=True)
class Ratio:
    """The harness over the bare loop, with the ends of a 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def ratio_of(harness: list[float], bare: list[float]) -> Ratio:
    """The median of the ratios of pairs."""
    logs = np.log(harness) - np.log(bare)
    drawn = np.median(logs[np.random.default_rng(0).integers(0, len(logs), (4000, len(logs)))], axis=1)
    value, low, high = np.exp([np.median(logs), *np.quantile(drawn, [0.025, 0.975])])
    return Ratio(float(value), float(low), float(high))


def compare(way: str, turns: int, starts: int) -> dict[str, Ratio]:
    """How far the harness's worker for `way` is from the bare loop: calls of each size, start, and memory."""
    from compare.bench.inference.plan import make_plan
    from compare.bench.inference.prepare import prepare, starter
    from compare.options.bench import BenchOptions
    from compare.processes.environment import worker_variables

    implementation, _, form = way.partition("-")
    options = BenchOptions.of_texts(
        inference=True, implementations=implementation, served_as=form, waiting="passive", allocator="kept"
    )
    plan = make_plan(options)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = str(folder / ("bare.onnx" if form == "onnx" else "bare"))
        variables = worker_variables(plan.threads, folder, True, "passive") | plan.served[0].variables
        subprocess.run([sys.executable, __file__, "--write", way, "--path", path], check=True, env=variables)
        made = prepare(plan, IMAGES, folder, folder, lambda line: None)
        start = starter(made.arguments, folder, 600.0)
        found: dict[str, list[tuple[float, float]]] = {"start": [], "memory": []}
        for number in range(starts):
            order = (0, 1) if number % 2 else (1, 0)
            for which in order:  # each starts alone
                if which:
                    bare = Bare(way, path, variables)
                else:
                    begin = time.perf_counter()
                    session = start(made.served[0])
                    session.logits(IMAGES[:1])
                    start_s = time.perf_counter() - begin
            found["start"].append((start_s, bare.start_s))
            session.give_images(IMAGES)
            for size in SIZES:
                pairs = found.setdefault(f"call of {size}", [])
                first = bare.median_s(size, 5, 5)
                session.time_calls(size, 5, 5)
                calls = max(5, min(400, round(WINDOW_S / first)))
                for turn in range(turns):
                    both = [0.0, 0.0]
                    for which in (0, 1) if turn % 2 else (1, 0):
                        time.sleep(0.01)
                        if which:
                            both[1] = bare.median_s(size, calls, calls // 2 + 2)
                        else:
                            _, call_ns = session.time_calls(size, calls, calls // 2 + 2)
                            both[0] = float(np.median(call_ns)) / 1e9
                    pairs.append((both[0], both[1]))
            peak = session.memory().peak_rss_bytes
            assert peak is not None
            found["memory"].append((float(peak), float(bare.peak_bytes())))
            bare.close()
            session.close()
    return {what: ratio_of([a for a, _ in pairs], [b for _, b in pairs]) for what, pairs in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("ways", nargs="*")
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--serve")
    parser.add_argument("--write")
    parser.add_argument("--path", default="")
    given = parser.parse_args()
    if given.serve:
        serve(given.serve, given.path)
    elif given.write:
        write(given.write, given.path)
    else:
        for way in given.ways or WAYS:
            for what, ratio in compare(way, given.turns, given.starts).items():
                print(f"{way}, {what}: {ratio}", flush=True)


if __name__ == "__main__":
    main()
