"""Start the processes of one data-parallel worker as torchrun does: `python -m torch_impl.torchrun SIZE ARGUMENTS`.

Python is started SIZE times on this machine with ARGUMENTS. Each process gets its rank and the addresses from torchrun.
All share this process's standard input, which only the first reads. If one fails, all are ended.
"""

import os
import sys

from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
from torch.distributed.launcher.api import LaunchConfig, elastic_launch


def main() -> None:
    size, *arguments = sys.argv[1:]
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=int(size),
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        logs_specs=DefaultLogsSpecs(log_dir=os.devnull),  # otherwise it leaves a folder behind
    )
    elastic_launch(config, sys.executable)(*arguments)


if __name__ == "__main__":
    main()
