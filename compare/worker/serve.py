"""The worker that only answers: `python -m compare.worker.serve HOW SOURCE`. It loads one network as a service would
(compare/worker/served.py), and answers requests until its input ends.

It only imports NumPy, the standard library, and what serving that network needs: its start and its memory are measured.
Requests and answers are therefore plain dictionaries here; compare/rpc/serving_messages.py has their classes. Requests
come on standard input, and answers go to the original standard output. A framework's own output goes to standard error,
which is the worker's log.
"""

import gc
import os
import sys
import time
import traceback
from itertools import islice
from typing import Any, BinaryIO

import numpy as np

from compare.processes import usage
from compare.processes.signals import die_with_parent_if_asked
from compare.rpc import wire
from compare.worker.served import Loaded, load
from shared.lean import leave

Answer = tuple[dict[str, Any], wire.Arrays]


class Server:
    """A loaded network, and the images for timing it."""

    def __init__(self, loaded: Loaded) -> None:
        self.predict, self.loaded = loaded.predict, loaded
        self.images = np.zeros((0,), np.float32)
        self._place = 0  # of the next batch in the images

    def do(self, request: dict[str, Any], arrays: wire.Arrays) -> Answer:
        """Carry out the request, and return the answer with its arrays."""
        match request["kind"]:
            case "AnswerImages":
                return {"kind": "ArraysSent"}, {"logits": np.asarray(self.predict(arrays["images"]))}
            case "GiveImages":
                self.images = arrays["images"]
                return {"kind": "ImagesTaken"}, {}
            case "TimeCalls":
                return self.time(request["batch_size"], request["calls"], request["uncounted"])
            case "DescribeServer":
                facts = {"framework": self.loaded.framework, "version": self.loaded.version}
                return {"kind": "ServerDescribed", **facts, "modules": _modules()}, {}
            case "GetMemory":
                peak = usage.peak_rss_bytes()
                return {"kind": "PeakMemory", "peak_rss_bytes": peak, "peak_device_bytes": None}, {}
        raise TypeError(f"no answer to {request['kind']}")

    def time(self, batch_size: int, calls: int, uncounted: int) -> Answer:
        """Time `calls` calls one after another, each from images on the host to logits on the host, right after
        `uncounted` uncounted ones. No garbage is collected meanwhile."""
        batches = self._batches(batch_size)
        predict, clock = self.predict, time.perf_counter_ns
        warm, timed = list(islice(batches, uncounted)), list(islice(batches, calls))
        ends = np.zeros(calls + 1, np.int64)
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            for batch in warm:
                predict(batch)
            before = usage.usage()
            ends[0] = clock()
            for number, batch in enumerate(timed, 1):
                predict(batch)
                ends[number] = clock()
            after = usage.usage()
        finally:
            gc.enable()
        answer = {
            "kind": "Calls",
            "elapsed_s": float(ends[-1] - ends[0]) / 1e9,
            "own_s": after.own_s - before.own_s,
            "foreign_s": after.foreign_s(before),
            "n_preempted": after.n_preempted - before.n_preempted,
        }
        return answer, {"call_ns": np.diff(ends)}

    def _batches(self, batch_size: int) -> Any:
        """Yield batches of the images without end, each in one piece of memory, as in a service."""
        last = len(self.images) - batch_size
        if last < 0:
            raise ValueError(f"{batch_size} images were asked for, and {len(self.images)} were given")
        while True:
            self._place = 0 if self._place > last else self._place
            yield self.images[self._place : self._place + batch_size]
            self._place += batch_size


def _modules() -> list[str]:
    """Return the imported top-level modules, from which the harness derives the distributions that were needed."""
    return sorted({name.partition(".")[0] for name in sys.modules})


def main() -> None:
    die_with_parent_if_asked()
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        server = Server(load(sys.argv[1], sys.argv[2]))
    except Exception as error:  # the harness gets any error before this process ends
        _send(answers, _failed(error), {})
        raise SystemExit(1) from None
    while (frame := wire.read(requests)) is not None:
        try:
            answer, sent = server.do(*frame)
        except Exception as error:
            answer, sent = _failed(error), {}
        _send(answers, answer, sent)


def _send(answers: BinaryIO, answer: dict[str, Any], arrays: wire.Arrays) -> None:
    wire.write(answers, answer, arrays)


def _failed(error: Exception) -> dict[str, Any]:
    first, *_ = str(error).strip().splitlines() or [""]
    error_text = f"{type(error).__name__}: {first}"
    return {"kind": "Failed", "error": error_text, "traceback": traceback.format_exc(), "diverged": False}


if __name__ == "__main__":
    main()
    leave()
