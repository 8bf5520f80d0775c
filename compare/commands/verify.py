"""`compare verify`: whether a folder is whole and unaltered, and with --rerun whether its weights are as accurate as
its records say."""

import tempfile
from pathlib import Path

from compare.commands.proof import made_by_others, problems
from compare.folders.run_folder import load_data, load_results, load_weights
from compare.processes import environment
from compare.processes.session import Session, WorkerError, starting
from compare.reporting.screen import Screen
from shared.data import Data
from shared.errors import InputError
from shared.models import MODELS
from shared.result import RunResult

TIMEOUT_S = 300.0


def verify_command(folder: Path, rerun: bool, data_dir: Path, screen: Screen) -> int:
    """Do what `compare verify` says; return the exit code, 1 where anything is not as it was written."""
    found = problems(folder)
    if not found:
        if said := made_by_others(folder):
            screen.note(said)
        if rerun:
            found = _rerun(folder, data_dir, screen)
    for text in found:
        screen.say(text)
    screen.say(f"{folder} is {'not ' if found else ''}as it was written.")
    screen.answer(folder=folder, problems=found)
    return 1 if found else 0


def _rerun(folder: Path, data_dir: Path, screen: Screen) -> list[str]:
    """Evaluate every network again from its weights; what is not as its record says, in words."""
    if not (folder / "results").is_dir():
        raise InputError(f"--rerun: {folder} has no trained weights. Leave it out, or give the folder of a run.")
    done = [result for result in load_results(folder) if result.outcome]
    if not done:
        return []
    data = load_data(done[0], data_dir)
    found = []
    with tempfile.TemporaryDirectory() as logs:
        names = list(dict.fromkeys(r.run.implementation for r in done))
        screen.note(starting(names))
        sessions = {name: _start(name, Path(logs), screen) for name in names}
        try:
            for number, result in enumerate(done, 1):
                screen.note(f"{result.name}: evaluating again ({number} of {len(done)}) ...")
                found += _evaluate(folder, result, sessions[result.run.implementation], data)
        finally:
            for session in sessions.values():
                session.close()
    return found


def _start(name: str, logs: Path, screen: Screen) -> Session:
    log, threads = logs / f"{name}.log", environment.usable_cores()
    return Session(name, log, threads, hide_cuda=True, timeout_s=TIMEOUT_S, tell=screen.note)


def _evaluate(folder: Path, result: RunResult, session: Session, data: Data) -> list[str]:
    assert result.outcome is not None
    run, said = result.run, result.outcome.test_accuracy
    try:
        session.wait_until_ready()
        if session.data_digest != result.data_digest:
            session.load_data(data)
        session.create(
            MODELS[run.model], run.train, load_weights(folder, result), "cpu", run.mode, run.recipe, run.tuning
        )
        accuracy = session.evaluate("test").accuracy
    except WorkerError as error:
        return [f"{result.name} cannot be evaluated again: {error}. {error.details}"]
    if round(abs(accuracy - said) * result.n_test) == 0:
        return []
    return [f"{result.name}: its weights give a test accuracy of {accuracy:.4%} here, and its record says {said:.4%}."]
