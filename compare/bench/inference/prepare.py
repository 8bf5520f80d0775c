"""Make, once before the first launch, the files that every way to serve is loaded from: weights, and exported files."""

import atexit
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from compare.bench.inference.launcher import Start
from compare.bench.inference.machine import size_on_disk
from compare.bench.inference.plan import InferencePlan
from compare.bench.inference.record import FILES, Served, Unavailable
from compare.processes.environment import compiled_in
from compare.processes.pool import Workers
from compare.processes.process import Tell, WorkerError
from compare.processes.serving import ServingSession
from compare.registry import implementation
from compare.worker.served import NETWORK, WEIGHTS
from shared.errors import UserCodeError
from shared.models import BATCH_NORM_EPSILON, ModelSpec
from shared.storage import temporary
from shared.weights import Weights, initial_weights


@dataclass
class Prepared:
    """The ways that can be loaded, with HOW and SOURCE of each (compare/worker/served.py), and those that cannot."""

    served: list[Served] = field(default_factory=list)
    arguments: dict[str, tuple[str, str]] = field(default_factory=dict)
    unavailable: list[Unavailable] = field(default_factory=list)


def prepare(plan: InferencePlan, images: np.ndarray, folder: Path, logs: Path, tell: Tell) -> Prepared:
    """Write weights and files to `folder`, and logs to `logs`. A way to serve is unavailable if its file cannot be
    written."""
    made = Prepared()
    weights = initial_weights(plan.model, plan.options.seed)
    (folder / NETWORK).write_bytes(TypeAdapter(ModelSpec).dump_json(plan.model))
    np.savez(folder / WEIGHTS, **dict[str, Any](weights))
    exported = _exported(plan, weights, images, folder, logs, tell)
    for served in plan.served:
        spec = implementation(served.implementation)
        path = folder / WEIGHTS
        made.arguments[served.name] = f"{spec.module}:{served.form}", str(folder)
        if served.form in FILES:
            found = exported[served.name]
            if isinstance(found, str):
                facts = served.model_dump(include={"name", "implementation", "form"})
                made.unavailable.append(Unavailable(**facts, why=found))
                continue
            path = found
            made.arguments[served.name] = FILES[served.form], str(path)
        made.served.append(served.model_copy(update={"files_bytes": size_on_disk(path)}))
    return made


def _exported(
    plan: InferencePlan, weights: Weights, images: np.ndarray, folder: Path, logs: Path, tell: Tell
) -> dict[str, Path | str]:
    """Return the exported file of each way to serve, or the reason if it could not be written."""
    wanted = [served for served in plan.served if served.form in FILES]
    found: dict[str, Path | str] = {}
    if not wanted:
        return found
    tell(f"Exporting {', '.join(served.name for served in wanted)} ...")
    with Workers(logs, "cpu", plan.options.timeout, tell, plan.threads) as workers:
        sessions = workers.start(list(dict.fromkeys(served.implementation for served in wanted)))
        for served in wanted:
            path = folder / f"{served.name}.{'keras' if served.form == 'file' else served.form}"
            session, format_ = sessions[served.implementation], FILES[served.form]
            try:
                session.wait_until_ready()
                session.export(format_, path, plan.model, weights, BATCH_NORM_EPSILON, None, images[:2])
                found[served.name] = path
            except WorkerError as error:
                found[served.name] = f"it cannot be exported: {error.error}"
            except UserCodeError as error:
                found[served.name] = f"it cannot be exported: {error.message}"
    return found


def starter(arguments: Mapping[str, Sequence[str]], logs: Path, timeout_s: float) -> Start:
    """Return a function that starts a process for a way to serve. The cache of compiled code is new for this command.
    Its first launch therefore compiles everything, and later ones nothing."""
    compiled = str(temporary.make("compiled"))
    atexit.register(shutil.rmtree, compiled, ignore_errors=True)

    def start(served: Served) -> ServingSession:
        return ServingSession(
            served.name,
            arguments[served.name],
            logs / f"{served.name}.log",
            served.threads,
            timeout_s,
            {**compiled_in(compiled), **served.variables},
            served.waiting,
        )

    return start
