"""Measure what the driver of a study costs per run, with runs that are made up instead of trained.

    python tests/support/many_runs.py RUNS OUT

Everything but the training is real: records are written as they arrive, then tables, pictures, the report and the
manifest. Only the weights of the first seed are written, because all of them would fill the disk. A line reports the
cost. `python -m compare report OUT`, `verify OUT` and `diff OUT OTHER` can then be timed on the folder.
"""

import hashlib
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from compare.analysis.seeds import Judging
from compare.commands.study import StudyWork
from compare.folders import manifest
from compare.folders.output import OutputFolder
from compare.reporting.screen import Screen
from compare.training.outcome import Finished
from compare.training.planned import PLAN, Planned
from compare.training.progress import Progress
from compare.training.study import Settings
from shared.choices import AskedDevice, Device
from shared.data import Data, DataSpec, load
from shared.models import MODELS
from shared.result import Environment, Epoch, Outcome, Run, RunResult, Samples
from shared.training import TrainSpec
from shared.weights import initial_weights, to_safetensors

IMPLEMENTATIONS = ("torch", "keras", "tf_lowlevel", "keras_functional")
MODEL, EPOCHS, BATCH_SIZE = "dense_baseline", 3, 64


class MadeUp:
    """An executor that trains nothing. Results arrive as fast as they are taken."""

    def __init__(self, data_digest: str) -> None:
        self.digest = data_digest
        self.random = np.random.default_rng(0)
        self.weights = to_safetensors(initial_weights(MODELS[MODEL], 0), {"model": MODEL})

    def __enter__(self) -> "MadeUp":
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing, because nothing has to be ended."""

    def choose_device(self, asked: AskedDevice) -> Device:
        return "cpu"

    def execute(self, by_seed: Sequence[Sequence[Run]], progress: Progress) -> Iterator[Finished]:
        for runs in by_seed:
            for run in runs:
                # Pictures need the weights of the first seed.
                yield Finished(self.result(run), self.weights if run.train.seed == 0 else None)

    def result(self, run: Run) -> RunResult:
        n_steps = EPOCHS * -(-1437 // BATCH_SIZE)
        accuracy = round(min(1.0, self.random.normal(0.95, 0.01)) * 360) / 360
        step_s = self.random.lognormal(np.log(0.02), 0.05, n_steps)
        return RunResult(
            run=run,
            status="ok",
            environment=ENVIRONMENT,
            data_digest=self.digest,
            n_train=1437,
            n_test=360,
            outcome=Outcome(
                device_name="cpu",
                n_params=MODELS[MODEL].n_params,
                n_trainable=MODELS[MODEL].n_trainable,
                epochs=tuple(
                    Epoch(epoch=e, train_loss=1 / e, train_accuracy=0.9, test_loss=1 / e, test_accuracy=accuracy)
                    for e in range(1, EPOCHS + 1)
                ),
                samples=Samples(
                    loss=tuple(self.random.lognormal(-1, 0.5, n_steps).tolist()),
                    step_s=tuple(step_s.tolist()),
                    slice_steps=(23,) * EPOCHS,
                    yardstick_s=tuple(self.random.lognormal(np.log(0.003), 0.02, EPOCHS).tolist()),
                ),
                train_s=float(step_s.sum()),
                test_accuracy=accuracy,
                test_loss=0.2,
                confusion=tuple(tuple(36 if i == j else 0 for j in range(10)) for i in range(10)),
                foreign_load=0.01,
                peak_rss_bytes=800 << 20,
                peak_device_bytes=None,
                weights_sha256=hashlib.sha256(self.weights).hexdigest(),
            ),
        )


ENVIRONMENT = Environment(
    node="node",
    framework="made up",
    framework_version="1",
    python="3",
    numpy="2",
    system="Linux",
    cpu="a processor",
    cores=2,
    threads=2,
    n_cuda_devices=0,
    settings={"tf32": "False"},
    variables={f"VARIABLE_{n}": str(n) for n in range(20)},
)


def study(n_runs: int, out: Path) -> int:
    """Run a made-up study, and return its exit code."""
    data = load(DataSpec(dataset="digits"), Path())
    names = [name for name in IMPLEMENTATIONS if name != "keras_functional"]
    seeds = range(-(-n_runs // len(names)))
    runs = tuple(
        Run(
            implementation=name,
            model=MODEL,
            data=DataSpec(dataset="digits"),
            train=TrainSpec(epochs=EPOCHS, batch_size=BATCH_SIZE, seed=seed),
            recipe="matched",
            mode="eager",
            device="cpu",
        )
        for seed in seeds
        for name in names
    )[:n_runs]
    digest = data.digest()
    planned = Planned(
        command="made up",
        dataset_reason="made up",
        parity=False,
        mlflow=None,
        started=manifest.utc_now(),
        data_digest=digest,
        runs=runs,
        threads=2,
        allocator="kept",
        judging=Judging(implementations=tuple(names)),
    )
    return MadeUpStudy(planned, OutputFolder(out), data, names).exit_code()


class MadeUpStudy(StudyWork):
    """A study whose runs are not trained."""

    def __init__(self, made_up: Planned, folder: OutputFolder, data: Data, names: list[str]) -> None:
        super().__init__(
            folder, data, names, Settings(2, "kept", True, 60.0, "passive"), None, None, Screen(quiet=True)
        )
        self.made_up = made_up

    def executor(self) -> MadeUp:
        return MadeUp(self.data.digest())

    def settle(self, executor: object) -> Planned:
        self.folder.write(PLAN, self.made_up.model_dump_json(indent=1).encode())
        return self.made_up


def main() -> None:
    n_runs, out = int(sys.argv[1]), Path(sys.argv[2])
    start = time.perf_counter()
    code = study(n_runs, out)
    took_s = time.perf_counter() - start
    sizes = [path.stat().st_size for path in out.rglob("*") if path.is_file()]
    records = [path.stat().st_size for path in (out / "results").iterdir()]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{n_runs:,} runs: {took_s:.1f} s, {took_s / n_runs * 1e3:.2f} ms a run; peak memory {peak:.2f} GiB; "
        f"{sum(sizes) / 2**20:,.0f} MiB in {len(sizes):,} files, {np.mean(records) / 2**10:.1f} KiB a record; "
        f"exit code {code}"
    )
    os._exit(code)


if __name__ == "__main__":
    main()
