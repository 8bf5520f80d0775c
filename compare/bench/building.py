"""Make a contestant ready in its worker: build its network, and make steps until it is warm."""

import time

from compare.bench.entry import Entry
from compare.bench.shape import is_warm, warm_windows
from compare.subject import Subject
from shared.protocol import Build
from shared.weights import initial_weights

WARMUP_S = 0.06
MOST_WARMUP_S = 15.0
MANY_EPOCHS = 1_000_000  # for a framework's own loop, which ends with its worker


def build(entry: Entry, subject: Subject) -> float | None:
    """Build the network, make the first step, and return its seconds; None for a framework's own loop."""
    entry.session.load_data(subject.data)
    begin = time.perf_counter()
    _create(entry, subject)
    entry.create_s = time.perf_counter() - begin
    return None if entry.own_loop else entry.session.time_window("end_to_end", 1).elapsed_s


def warm_up(entry: Entry) -> None:
    """Make steps until they stop getting faster."""
    warmup_s = 0.0
    step_s: list[float] = []
    steps = 1
    while not (warm := is_warm(step_s, warm_windows(step_s))) and warmup_s < MOST_WARMUP_S:
        window = entry.time("end_to_end", steps)
        warmup_s += window.elapsed_s
        step_s.append(window.step_s)
        steps = max(1, round(WARMUP_S / window.step_s))
    entry.warm = warm
    if not entry.own_loop:
        entry.time("compute", steps)  # its first window puts the batches on the device


def _create(entry: Entry, subject: Subject) -> None:
    contestant = entry.contestant
    of_contestant = {"batch_size": contestant.batch_size, "mixed_precision": contestant.mixed_precision}
    train = subject.train.model_copy(update=of_contestant)
    weights = initial_weights(subject.spec, train.seed)
    if contestant.recipe == "idiomatic":
        train = train.model_copy(update={"epochs": MANY_EPOCHS, "optimizer": None, "schedule": "constant"})
        weights = {}
    entry.session.create(
        Build(subject.spec, train, weights, subject.device, contestant.mode, contestant.recipe, contestant.tuning)
    )
