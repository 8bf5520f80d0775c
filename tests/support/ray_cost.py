"""Measure what Ray itself costs the driver of a study, with made-up runs on a cluster of one node.

    python tests/support/ray_cost.py RUNS [AHEAD]

Unlike those of real runs, the processes are kept. So only sending, waiting and receiving are timed: a record and the
weights of `cnn_same` per run. AHEAD is the number of runs in progress beyond the cluster's capacity.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import ray
from many_runs import BATCH_SIZE, EPOCHS, MODEL, MadeUp
from ray.cluster_utils import Cluster

from compare.processes.ray_cluster import Needs
from compare.training import ray_executor
from compare.training.ray_executor import OnRay, Sent
from compare.training.study import Settings
from shared.data import DataSpec, load
from shared.result import Run
from shared.training import TrainSpec

WEIGHTS_BYTES = 1_687_000  # of `cnn_same`


class MadeUpOnRay(OnRay):
    """Sends tasks that end at once."""

    def _task(self, needs: Needs) -> Any:
        digest = self.digest
        path = sys.path[0], str(Path(__file__).parent)

        def made_up(run_as_json: str, *_: Any) -> Sent:
            sys.path[:0] = path
            run = Run.model_validate_json(run_as_json)
            return Sent(MadeUp(digest).result(run).model_dump_json(), bytes(WEIGHTS_BYTES), "", b"")

        if needs not in self._tasks:
            self._tasks[needs] = ray.remote(num_cpus=needs.cpus)(made_up)
        return self._tasks[needs]


def main() -> None:
    n_runs = int(sys.argv[1])
    if len(sys.argv) > 2:
        ray_executor.AHEAD = int(sys.argv[2])
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    spec = TrainSpec(epochs=EPOCHS, batch_size=BATCH_SIZE)
    runs = [
        Run(
            implementation="torch",
            model=MODEL,
            data=DataSpec(dataset="digits"),
            train=spec.model_copy(update={"seed": seed}),
            recipe="matched",
            mode="eager",
            device="cpu",
        )
        for seed in range(n_runs)
    ]
    data, times = load(DataSpec(dataset="digits"), Path()), []
    with (
        tempfile.TemporaryDirectory() as logs,
        MadeUpOnRay(
            cluster.address, ["torch"], data, Path(logs), Settings(1, "kept", True, 60.0, "passive"), lambda said: None
        ) as executor,
    ):
        start = time.perf_counter()
        for _ in executor.execute([runs], SimpleNamespace(end=lambda result, said: None)):  # type: ignore[arg-type]
            times.append(time.perf_counter() - start)
    cluster.shutdown()
    tenth = max(1, n_runs // 10)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{n_runs:,} runs, {ray_executor.AHEAD:,} ahead: {times[-1]:.1f} s, {times[-1] / n_runs * 1e3:.1f} ms a run "
        f"(the first after {times[0]:.1f} s; the last tenth {(times[-1] - times[-1 - tenth]) / tenth * 1e3:.1f} ms a "
        f"run); peak memory {peak:.2f} GiB"
    )


if __name__ == "__main__":
    main()
