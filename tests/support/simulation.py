"""Simulated workers, which report the durations of their steps by their own clock."""

from typing import get_args

import numpy as np

from compare.bench.result import BenchResult, Ceiling, Contestant, Launch, Measured, TimedWindow
from compare.processes.process import WorkerError
from compare.rpc import messages
from shared.protocol import Build
from shared.result import Environment

ENVIRONMENT = Environment(
    framework="simulated",
    framework_version="1",
    python="3",
    numpy="2",
    system="none",
    cpu="none",
    cores=2,
    threads=2,
    n_cuda_devices=0,
    settings={},
    variables={},
)


class SimulatedSession:
    """A worker whose steps take `step_s`, times a random factor of its launch and one of each window.

    Fetching a loss takes the share `fetch` of a window. The whole first window takes `first_s`. The worker makes
    `extra` more steps than requested. It gets warm over a few times `cold` steps, and fails in window `fails_at`.
    """

    lacking = ()  # has every tier

    def __init__(
        self,
        random: np.random.Generator,
        step_s: float,
        luck: float = 0.02,
        extra: int = 0,
        cold: int = 0,
        fails_at: int | None = None,
        foreign: float | None = 0.0,
        fetch: float = 0.0,
        first_s: float | None = None,
    ) -> None:
        self.random = random
        self.step_s = step_s * float(np.exp(random.normal(0, luck)))
        self.extra, self.cold, self.fails_at, self.foreign = extra, cold, fails_at, foreign
        self.fetch, self.first_s = fetch, first_s
        self.n_steps = 0
        self.asked: list[tuple[str, int, int]] = []
        self.ended = False

    def wait_until_ready(self) -> Environment:
        return ENVIRONMENT

    def load_data(self, data: object) -> None: ...

    def create(self, build: Build) -> None:
        self.created = build

    def time_window(self, what: messages.Timed, steps: int, uncounted: int = 0) -> messages.Window:
        self.asked.append((what, steps, uncounted))
        if len(self.asked) - 1 == self.fails_at:
            raise WorkerError("it was asked to fail")
        slow = 1 + 4 * float(np.exp(-self.n_steps / self.cold)) if self.cold else 1.0
        self.n_steps += uncounted + steps
        noise = float(np.exp(self.random.normal(0, 0.02)))
        elapsed_s = (steps + (self.extra if steps > 1 else 0)) * self.step_s * slow * noise
        if self.first_s is not None and len(self.asked) == 1:
            elapsed_s = self.first_s
        return messages.Window(
            elapsed_s=elapsed_s,
            fetch_s=self.fetch * elapsed_s,
            own_s=elapsed_s,
            foreign_s=None if self.foreign is None else self.foreign * elapsed_s,
            n_preempted=0,
        )

    def limits(self, device: str) -> messages.Limits:
        return messages.Limits(flops_per_s=1e11, copied_bytes_per_s=1e10)

    def memory(self) -> messages.PeakMemory:
        return messages.PeakMemory(peak_rss_bytes=1 << 30, peak_device_bytes=None)

    def end_input(self) -> None:
        self.ended = True

    kill = end_input

    def close(self) -> None:
        assert self.ended


def contestant(name: str, implementation: str = "torch", mode: str = "eager") -> Contestant:
    return Contestant(
        name=name, implementation=implementation, mode=mode, threads=2, batch_size=64, tuning={}, variables={}
    )


def simulated_bench() -> BenchResult:
    """Return a bench of two contestants with three launches of four rounds each."""
    random = np.random.default_rng(0)
    names = ("torch", "keras")
    return BenchResult(
        model="cnn_same",
        dataset="digits",
        data_digest="0" * 64,
        n_test=360,
        device="cpu",
        seed=0,
        contestants=tuple(contestant(name, name) for name in names),
        lacking=(),
        baseline="torch",
        flops_per_image=1_000_000,
        bytes_per_image=10_000,
        bytes_per_step=1_000_000,
        precision=0.03,
        budget_s=60,
        took_s=30,
        ending="precise",
        environments=dict.fromkeys(names, ENVIRONMENT),
        launches=tuple(
            Launch(
                number=n,
                started_s=9.0 * n,
                measured={name: _measured(random) for name in names},
                failed={},
                ceilings=(Ceiling(framework="torch", threads=2, flops_per_s=1e11, copied_bytes_per_s=1e10),),
            )
            for n in range(3)
        ),
    )


def _measured(random: np.random.Generator) -> Measured:
    timed: tuple[messages.Timed, ...] = get_args(messages.Timed)
    return Measured(
        start_s=2.0,
        create_s=0.1,
        first_step_s=0.5,
        warm=True,
        windows=tuple(
            TimedWindow(
                what=what,
                round=number,
                position=0,
                steps=10,
                elapsed_s=0.2 * float(np.exp(random.normal(0, 0.02))),
                fetch_s=0.001,
                own_s=0.2,
                foreign_s=0.0,
                n_preempted=0,
            )
            for number in range(-1, 4)
            for what in timed
        ),
        peak_rss_bytes=1 << 30,
        peak_device_bytes=None,
        operation_s={"convolution": 0.004, "pooling": 0.002},
    )
