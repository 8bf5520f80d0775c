"""Find the fastest settings on this machine, from its memory or by a search."""

import atexit
import math
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from compare.bench import tuned
from compare.bench.launcher import Launcher, Start
from compare.bench.result import Contestant, Launch
from compare.processes.environment import compiled_in
from compare.processes.session import Session
from compare.reporting.screen import Screen
from compare.subject import Subject
from shared.choices import Device, Mode
from shared.errors import InputError
from shared.models import ModelSpec
from shared.result import Tuned
from shared.storage import temporary


def starter(log_dir: Path, device: Device, timeout_s: float) -> Start:
    """Return a function that starts a contestant's worker, with the contestant's variables and a log in `log_dir`. The
    cache of compiled code is new for this command. Its first launch therefore compiles everything, and later ones
    nothing."""
    compiled = str(temporary.make("compiled"))
    atexit.register(shutil.rmtree, compiled, ignore_errors=True)

    def start(contestant: Contestant) -> Session:
        name = re.sub(r"[^a-zA-Z0-9_]+", "-", f"{contestant.implementation}-{contestant.name}")
        return Session(
            contestant.implementation,
            log_dir / f"{name}.log",
            contestant.threads,
            hide_cuda=device == "cpu",
            timeout_s=timeout_s,
            variables={**compiled_in(compiled), **contestant.variables},
            waiting=contestant.waiting,
        )

    return start


class Search:
    """A search for the fastest candidates of contestants, whose results are remembered on this machine."""

    def __init__(self, subject: Subject, start: Start, screen: Screen, again: bool = False) -> None:
        """With `again`, search even if a result is remembered."""
        self._subject, self._start, self._screen, self._again = subject, start, screen, again
        self._memory = tuned.default_memory()
        self._found: dict[str, tuned.Fastest] = {}

    def fastest(self, plain: Contestant) -> tuned.Fastest:
        """Return the fastest candidate for `plain`, which sets the threads and images. Raises InputError if every
        candidate failed."""
        subject = self._subject
        key = tuned.key(_name(subject.spec), subject.device, subject.train, plain)
        choice = self._found.get(key) or (None if self._again else self._memory.recall(key))
        if choice is None:
            choice = self._searched(plain, key)
        self._found[key] = choice
        self._screen.note(
            f"{plain.name}: {choice.factor}, {choice.speed:.2f}x as fast as the first of {choice.n_candidates} "
            "candidates."
        )
        return choice

    def _searched(self, plain: Contestant, key: str) -> tuned.Fastest:
        self._screen.note(f"{plain.name}: searching for its fastest settings, once for this machine ...")
        failed: dict[str, str] = {}

        def launch(candidates: list[Contestant], number: int) -> Launch:
            launcher = Launcher(
                candidates, self._subject, self._start, math.inf, training_alone=True, tell=self._screen.note
            )
            done = launcher.launch(number)
            failed.update(done.failed)
            return done

        choice = tuned.choose(plain, self._subject.device, launch)
        if choice is None:
            said = "; ".join(f"{factor}: {error}" for factor, error in failed.items())
            raise InputError(f"{plain.name}: every candidate failed ({said}). Leave it out, or use another mode.")
        try:
            self._memory.remember(key, choice)
        except OSError as error:
            print(f"The result cannot be kept in {self._memory.path}: {error.strerror}.", file=sys.stderr)
        return choice


def _name(spec: ModelSpec) -> str:
    """Return the name under which a network is remembered; for one of the user's own it includes the code's digest."""
    return spec.name if spec.code is None else f"{spec.name} {spec.code.digest[:12]}"


def for_run(search: Search, plain: Mapping[str, Contestant]) -> dict[str, tuple[Mode, Tuned]]:
    """Return the mode and settings for runs of the implementations in `plain`, by name."""
    return {name: as_run(search.fastest(contestant).contestant) for name, contestant in plain.items()}


def as_run(contestant: Contestant) -> tuple[Mode, Tuned]:
    """Return the mode and settings that make a run equal to `contestant`."""
    return contestant.mode, Tuned(
        factor=contestant.tuned or "",
        tuning=contestant.tuning,
        variables=contestant.variables,
        threads=contestant.threads,
        waiting=contestant.waiting,
    )
