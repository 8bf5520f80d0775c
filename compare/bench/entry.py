"""A contestant in one launch, and its measurements."""

from dataclasses import dataclass, field

from compare.bench.result import Contestant, Measured, TimedWindow
from compare.processes.session import Session
from compare.rpc.messages import Timed, Window


@dataclass
class Entry:
    """A contestant in this launch, its worker, and its measurements so far."""

    contestant: Contestant
    session: Session
    start_s: float | None = None
    create_s: float = 0.0
    first_step_s: float | None = None
    warm: bool = False
    windows: list[TimedWindow] = field(default_factory=list)
    memory: tuple[int | None, int | None] = (None, None)
    operation_s: dict[str, float] = field(default_factory=dict)
    alone_s: dict[str, float] = field(default_factory=dict)
    uncounted: int = 0  # steps before each window
    beside: int = 0  # number of busy processes at present

    @property
    def own_loop(self) -> bool:
        """Whether its framework's own loop is timed."""
        return self.contestant.recipe == "idiomatic"

    def time(
        self, what: Timed, steps: int, number: int = -1, position: int = 0, uncounted: int | None = None
    ) -> TimedWindow:
        """Time one window, and store it. A framework's own loop makes as many steps as an epoch has."""
        if self.own_loop:
            done, steps = self._time_epoch()
        else:
            done = self.session.time_window(what, steps, self.uncounted if uncounted is None else uncounted)
        figures = done.model_dump()
        window = TimedWindow(what=what, round=number, position=position, steps=steps, beside=self.beside, **figures)
        self.windows.append(window)
        return window

    def _time_epoch(self) -> tuple[Window, int]:
        epoch = self.session.fit_epoch()
        foreign_s = None  # within the timed part of the epoch, which excludes validation
        if epoch.foreign_s is not None and epoch.elapsed_s > 0:
            foreign_s = epoch.foreign_s * epoch.train_s / epoch.elapsed_s
        window = Window(elapsed_s=epoch.train_s, fetch_s=0.0, own_s=epoch.train_s, foreign_s=foreign_s, n_preempted=0)
        return window, epoch.n_steps

    @property
    def measured(self) -> Measured:
        return Measured(
            start_s=self.start_s,
            create_s=self.create_s,
            first_step_s=self.first_step_s,
            warm=self.warm,
            windows=tuple(self.windows),
            peak_rss_bytes=self.memory[0],
            peak_device_bytes=self.memory[1],
            operation_s=self.operation_s,
            alone_s=self.alone_s,
        )
