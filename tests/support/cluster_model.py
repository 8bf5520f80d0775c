"""Simulate a study on very many nodes, to find the part that fails to keep up first.

    python tests/support/cluster_model.py --run-s 60 --driver-ms 5 --mtbf-h 1000

Each node trains one run after another. A run takes a random time (lognormal, a tenth of scatter). A node fails at
random (exponential). Its run restarts on another node, and the node returns after ten minutes. The driver takes results
one by one in order of arrival, and needs the same time for each.

For 10 to 10,000 nodes it prints how busy the driver is and the longest queue of results. It also prints how much longer
the study takes than its training.
"""

import argparse
import heapq
from collections import deque
from dataclasses import dataclass

import numpy as np

REPAIR_S = 600.0
RUNS_A_NODE = 20


@dataclass(frozen=True)
class Found:
    """The result for one number of nodes.

    It has the driver's share of busy time, the longest queue of results, the number of restarted runs, and the stretch.
    The stretch is the study's time over that of its training if nothing failed or waited.
    """

    busy: float
    most_waiting: int
    again: int
    stretch: float


def simulate(n_nodes: int, run_s: float, driver_s: float, mtbf_s: float, seed: int = 0) -> Found:
    """Simulate a study of 20 runs for each node."""
    random = np.random.default_rng(seed)
    left = n_runs = n_nodes * RUNS_A_NODE
    events: list[tuple[float, int, str]] = []  # time, node, event: a run "ended", the node "failed" or is "back"

    def begin(node: int, now: float) -> None:
        nonlocal left
        if left == 0:
            return
        left -= 1
        takes_s, fails_s = random.lognormal(np.log(run_s), 0.1), random.exponential(mtbf_s)
        heapq.heappush(events, (now + min(takes_s, fails_s), node, "ended" if takes_s <= fails_s else "failed"))

    for node in range(n_nodes):
        begin(node, 0.0)
    again = most_waiting = 0
    free_at = busy_s = 0.0
    waiting: deque[float] = deque()  # when the driver will finish each queued result
    idle: list[int] = []
    while events:
        now, node, what = heapq.heappop(events)
        if what == "failed":
            again, left = again + 1, left + 1
            heapq.heappush(events, (now + REPAIR_S, node, "back"))
            if idle:  # a node without other work takes over the run
                begin(idle.pop(), now)
            continue
        if what == "ended":
            while waiting and waiting[0] <= now:
                waiting.popleft()
            free_at = max(free_at, now) + driver_s
            busy_s += driver_s
            waiting.append(free_at)
            most_waiting = max(most_waiting, len(waiting))
        if left:
            begin(node, now)
        else:
            idle.append(node)
    return Found(busy_s / free_at, most_waiting, again, free_at / (RUNS_A_NODE * run_s) if n_runs else 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run-s", type=float, default=60.0, help="seconds of a run")
    parser.add_argument("--driver-ms", type=float, default=5.0, help="milliseconds of the driver for each result")
    parser.add_argument("--mtbf-h", type=float, default=1000.0, help="hours between failures of a node")
    given = parser.parse_args()
    print("| nodes | results a second | driver busy | most waiting | restarted | time over training time |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for n_nodes in (10, 100, 1_000, 3_000, 10_000):
        found = simulate(n_nodes, given.run_s, given.driver_ms / 1e3, given.mtbf_h * 3600)
        print(
            f"| {n_nodes:,} | {n_nodes / given.run_s:,.1f} | {found.busy:.0%} | {found.most_waiting:,} | "
            f"{found.again:,} | {found.stretch:.2f} |"
        )


if __name__ == "__main__":
    main()
