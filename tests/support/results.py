"""Made-up results for tests of what is computed from them."""

import numpy as np

from shared.batches import n_batches
from shared.data import DataSpec
from shared.result import Environment, Epoch, Outcome, Run, RunResult, Samples
from shared.training import TrainSpec

ENVIRONMENT = Environment(
    framework="torch",
    framework_version="2.0",
    python="3.11.0",
    numpy="2.0",
    system="Linux",
    cpu="a processor",
    cores=2,
    threads=2,
    n_cuda_devices=0,
    settings={"tf32": "False"},
    variables={},
)


def result(
    step_s: np.ndarray | None = None,
    n_train: int = 1_437,
    batch_size: int = 64,
    slice_steps: tuple[int, ...] | None = None,
    implementation: str = "torch",
    seed: int = 0,
    accuracy: float = 0.98,
    dataset: str = "digits",
    foreign_load: float | None = None,
    yardstick_s: tuple[float, ...] = (),
) -> RunResult:
    """Return a successful run."""
    step_s = np.full(46, 0.02) if step_s is None else step_s
    epochs = max(1, len(step_s) // n_batches(n_train, batch_size))
    return RunResult(
        run=run(implementation, seed, epochs, batch_size, dataset),
        status="ok",
        environment=ENVIRONMENT,
        data_digest="0" * 64,
        n_train=n_train,
        n_test=360,
        outcome=Outcome(
            device_name="cpu",
            n_params=421_642,
            n_trainable=421_642,
            epochs=tuple(
                Epoch(epoch=e, train_loss=1 / e, train_accuracy=0.9, test_loss=1 / e, test_accuracy=accuracy)
                for e in range(1, epochs + 1)
            ),
            samples=Samples(
                loss=tuple(np.linspace(2.3, 0.1, len(step_s)).tolist()),
                step_s=tuple(step_s.tolist()),
                slice_steps=slice_steps or (len(step_s),),
                yardstick_s=yardstick_s,
            ),
            train_s=float(step_s.sum()),
            test_accuracy=accuracy,
            test_loss=0.1,
            confusion=((1, 0), (0, 1)),
            foreign_load=foreign_load,
            peak_rss_bytes=800 * 2**20,
            peak_device_bytes=None,
            weights_sha256="0" * 64,
        ),
    )


def failure(error: str, implementation: str = "keras", seed: int = 0, dataset: str = "digits") -> RunResult:
    """Return a run that failed before its framework was imported."""
    return RunResult(
        run=run(implementation, seed, 2, 64, dataset),
        status="failed",
        error=error,
        data_digest="0" * 64,
        n_train=1_437,
        n_test=360,
    )


def run(
    implementation: str = "torch", seed: int = 0, epochs: int = 2, batch_size: int = 64, dataset: str = "digits"
) -> Run:
    """Return the request of a run."""
    return Run(
        implementation=implementation,
        model="cnn_same",
        data=DataSpec(dataset=dataset),
        train=TrainSpec(epochs=epochs, batch_size=batch_size, seed=seed),
        recipe="matched",
        mode="eager",
        device="cpu",
    )
