"""Compare the time of `bench --inference` with that of loops written by hand (bare_server.py).

    python tests/support/bare_serving.py [WAY...] [--turns N] [--starts N] [--threads N] [--lean]

Both processes of a way run at the same time and take turns. In each turn both run a window of equally many calls, with
one image and with 64.

The result is the ratio of the harness's call to the bare loop's, with a 95 % interval. It is the median over the turns
of a pair of processes, then the geometric mean over pairs. It is printed for the median call, the quickest tenth and
the processor time. Other work on the machine disturbs the quickest tenth least. Start and memory are compared in the
same way for each pair. The processor time of a start is that of the process until it has answered.

With --lean the bare loop takes turns with its own lean variant, which hides Keras's optional imports.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from compare.bench.inference.plan import make_plan
from compare.bench.inference.prepare import prepare, starter
from compare.bench.statistics import Interval, ratio
from compare.options.bench import BenchOptions
from compare.processes.environment import worker_variables
from compare.processes.serving import ServingSession

SERVER = str(Path(__file__).with_name("bare_server.py"))
WAYS = ("torch-eager", "torch-onnx", "keras-graph", "tf_lowlevel-savedmodel")
SIZES = (1, 64)
WINDOW_S = 0.1
WHATS = ("median call", "quick call", "processor time")
Figures = tuple[float, ...]  # in the order of WHATS
Pairs = list[tuple[float, float]]  # of the harness, and of the bare loop


class Bare:
    """A bare loop in its own process. Its start is over once it has answered."""

    def __init__(self, way: str, path: str, variables: dict[str, str]) -> None:
        begin = time.perf_counter()
        command = [sys.executable, SERVER, way, path]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=variables,
            start_new_session=True,  # as the harness does: the system shares processor time out by session
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        self.start_s = time.perf_counter() - begin
        self.used_s = used_s(self._process.pid)

    def figures(self, size: int, calls: int, uncounted: int) -> Figures:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(size, calls, uncounted, file=self._process.stdin, flush=True)
        return tuple(map(float, self._process.stdout.readline().split()))

    def peak_bytes(self) -> int:
        return peak_bytes(self._process.pid)

    def close(self) -> None:
        self._process.communicate()


def peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def used_s(pid: int) -> float:
    """Return the processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def figures(session: ServingSession, size: int, calls: int, uncounted: int) -> Figures:
    """Return the figures of the harness's worker, as a bare loop reports its own."""
    done, call_ns = session.time_calls(size, calls, uncounted)
    return float(np.median(call_ns)) / 1e9, float(np.quantile(call_ns, 0.1)) / 1e9, done.own_s / calls


def compare(way: str, turns: int, starts: int, threads: int) -> dict[str, Interval]:
    """Return the ratios of the harness's worker for `way` to the bare loop."""
    implementation, _, form = way.partition("-")
    options = BenchOptions.of_texts(
        inference=True,
        implementations=implementation,
        served_as=form,
        threads=(threads,),
        waiting="passive",
        allocator="kept",
    )
    plan = make_plan(options)
    images = np.arange(1024 * 28 * 28, dtype=np.float32).reshape(1024, 28, 28, 1) % 0.997
    found: dict[str, list[Pairs]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = str(folder / ("bare.onnx" if form == "onnx" else "bare"))
        variables = worker_variables(plan.threads, folder, True, "passive") | plan.served[0].variables
        subprocess.run([sys.executable, SERVER, "write", way, path], check=True, env=variables, capture_output=True)
        made = prepare(plan, images, folder, folder, lambda line: None)
        start = starter(made.arguments, folder, 600.0)
        for number in range(starts):
            for which in ("bare", "harness") if number % 2 else ("harness", "bare"):  # each starts alone
                if which == "bare":
                    bare = Bare(way, path, variables)
                    continue
                begin = time.perf_counter()
                session = start(made.served[0])
                session.logits(images[:1])
                start_s, start_used_s = time.perf_counter() - begin, used_s(session._process.pid)
            session.give_images(images)
            for size in SIZES:
                for what, pairs in zip(WHATS, _turns(session, bare, size, turns), strict=True):
                    found.setdefault(f"{what} of {size}", []).append(pairs)
            peak = session.memory().peak_rss_bytes
            assert peak is not None
            found.setdefault("start", []).append([(start_s, bare.start_s)])
            found.setdefault("processor time of a start", []).append([(start_used_s, bare.used_s)])
            found.setdefault("memory", []).append([(float(peak), float(bare.peak_bytes()))])
            bare.close()
            session.close()
    return _ratios(found)


def lean(way: str, starts: int, threads: int) -> dict[str, Interval]:
    """Return the ratios of the lean bare loop to the plain one."""
    found: dict[str, list[Pairs]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = str(folder / "bare")
        variables = worker_variables(threads, folder, True, "passive")
        subprocess.run([sys.executable, SERVER, "write", way, path], check=True, env=variables, capture_output=True)
        for number in range(starts):
            both: dict[bool, Bare] = {}
            for is_lean in (True, False) if number % 2 else (False, True):
                both[is_lean] = Bare(way, path, variables | ({"BARE_LEAN": "1"} if is_lean else {}))
            for what, of in (
                ("start", lambda one: one.start_s),
                ("processor time of a start", lambda one: one.used_s),
                ("memory", lambda one: float(one.peak_bytes())),
            ):
                print(f"{way}, {what}: lean {of(both[True]):.6g}, plain {of(both[False]):.6g}", flush=True)
                found.setdefault(what, []).append([(of(both[True]), of(both[False]))])
            for one in both.values():
                one.close()
    return _ratios(found)


def _ratios(found: dict[str, list[Pairs]]) -> dict[str, Interval]:
    """Return the ratios of the first of each pair to the second."""
    return {
        what: ratio([[second for _, second in one] for one in pairs], [[first for first, _ in one] for one in pairs])
        for what, pairs in found.items()
    }


def _turns(session: ServingSession, bare: Bare, size: int, turns: int) -> list[Pairs]:
    """Return the figures of both in each turn: a list of pairs for each of WHATS."""
    session.time_calls(size, 20, 20)
    bare.figures(size, 20, 20)
    calls = max(5, min(400, round(WINDOW_S / bare.figures(size, 20, 0)[1])))
    found: list[Pairs] = [[] for _ in WHATS]
    for turn in range(turns):
        both: dict[str, Figures] = {}
        for which in ("bare", "harness") if turn % 2 else ("harness", "bare"):
            time.sleep(0.01)
            asked = size, calls, calls // 2 + 2
            both[which] = bare.figures(*asked) if which == "bare" else figures(session, *asked)
        for pairs, harness, by_hand in zip(found, both["harness"], both["bare"], strict=True):
            pairs.append((harness, by_hand))
    return found


def ratio_text(found: Interval) -> str:
    """Format an interval as 1.003 [0.991, 1.014]."""
    ends = "" if found.low is None else f" [{found.low:.3f}, {found.high:.3f}]"
    return f"{found.value:.3f}{ends}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("ways", nargs="*")
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="with one, other work on the machine disturbs least")
    parser.add_argument("--lean", action="store_true", help="what the lean variant of a bare loop takes of the plain")
    given = parser.parse_args()
    for way in given.ways or WAYS:
        if given.lean:
            ratios = lean(way, given.starts, given.threads)
        else:
            ratios = compare(way, given.turns, given.starts, given.threads)
        for what, found in ratios.items():
            print(f"{way}, {what}: {ratio_text(found)}", flush=True)


if __name__ == "__main__":
    main()
