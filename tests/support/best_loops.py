"""Compare `tuned` with the best loops written by hand, in turns: python tests/support/best_loops.py [LAUNCHES]"""

import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from best_loop import BATCHES, UNCOUNTED

from compare.processes.environment import worker_variables
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from compare.registry.candidates import ALLOCATOR_VARIABLES
from shared.data import Data
from shared.models import MODELS
from shared.protocol import Build
from shared.training import TrainSpec
from shared.weights import initial_weights

LOOP = Path(__file__).with_name("best_loop.py")
TUNED = {
    "torch": {"layout": "channels_last", "optimizer": "fused", "relu": "after_pooling"},
    "keras": {"optimizer": "fused"},
    "tf_lowlevel": {"optimizer": "fused"},
}
THREADS, STEPS, ROUNDS = 2, 6, 40


def ratio(which: str, data: Data, folder: Path) -> float:
    """Return the step time of the hand-written loop over that of `tuned`: the median over rounds of one launch of
    both."""
    session = Session(which, folder / "log", THREADS, True, 300, ALLOCATOR_VARIABLES["kept"], "system")
    session.wait_until_ready()
    session.load_data(data)
    spec, mode = MODELS["cnn_same"], IMPLEMENTATIONS[which].default_mode
    session.create(Build(spec, TrainSpec(epochs=1), initial_weights(spec, 0), "cpu", mode, tuning=TUNED[which]))
    variables = {**os.environ, **worker_variables(THREADS, folder, True, "system"), **ALLOCATOR_VARIABLES["kept"]}
    by_hand = subprocess.Popen(
        [sys.executable, LOOP, which],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=variables,
    )
    assert by_hand.stdin
    assert by_hand.stdout
    assert by_hand.stdout.readline() == "ready\n"
    session.time_window("end_to_end", 40)

    def ours() -> float:
        return session.time_window("end_to_end", STEPS, UNCOUNTED).elapsed_s

    def theirs() -> float:
        print(STEPS, file=by_hand.stdin, flush=True)
        return float(by_hand.stdout.readline())

    ratios = []
    for _ in range(ROUNDS):
        took = {turn: turn() for turn in random.sample([ours, theirs], 2)}
        ratios.append(took[theirs] / took[ours])
    by_hand.stdin.close()
    by_hand.wait()
    session.close()
    return statistics.median(ratios)


def main() -> None:
    images, labels = (np.concatenate(arrays) for arrays in zip(*BATCHES, strict=True))
    data = Data(x_train=images, y_train=labels, x_test=images[:256], y_test=labels[:256])
    for which in TUNED:
        with tempfile.TemporaryDirectory() as folder:
            found = [ratio(which, data, Path(folder)) for _ in range(int((sys.argv[1:] or ["4"])[0]))]
        launches = ", ".join(f"{r:.3f}" for r in found)
        print(
            f"{which}: by hand {statistics.geometric_mean(found):.3f} times as long as tuned ({launches})", flush=True
        )


if __name__ == "__main__":
    main()
