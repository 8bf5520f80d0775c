"""`compare run`: from options to a study in an output folder, or back to one that was interrupted."""

import sys
from pathlib import Path

from compare.analysis.seeds import Judging
from compare.checks import TUNED, check_number
from compare.commands.carry_on import Surroundings, carry_on
from compare.commands.fetching import show_fetching
from compare.folders import manifest
from compare.folders.output import OutputFolder, check_vacant
from compare.folders.run_folder import MAX_LIST_BYTES, load_record
from compare.parity import within
from compare.registry import IMPLEMENTATIONS
from compare.reporting import mlflow_runs
from compare.reporting.screen import Screen
from compare.training.executor import Executor
from compare.training.options import Options, check_options
from compare.training.plan import Plan, check_fit, make_plan
from compare.training.planned import PLAN, Planned
from shared.data import Data, load
from shared.data.choice import choose
from shared.errors import InputError
from shared.protocol import Device, Mode
from shared.result import Tuned


def run_command(options: Options) -> int:
    """Do what `compare run` says; return the exit code. Raises InputError before anything is written."""
    started = manifest.utc_now()
    options = check_options(options)
    if options.out is not None:
        check_vacant(options.out)
    choice = choose(options.dataset, options.data_dir, *([] if options.screen.quiet else [show_fetching(sys.stderr)]))
    plan = make_plan(options, choice.dataset)
    if options.parity:
        within.check_possible(plan.implementations, plan.recipe, options.mixed_precision)
    data = load(plan.data, options.data_dir)
    check_fit(plan, data)
    server = None if options.mlflow is None else mlflow_runs.connect(options.mlflow)
    options.screen.note(choice.reason)
    folder = OutputFolder(options.out or _default_out(plan, started))

    def settle(executor: Executor) -> Planned:
        device = executor.choose_device(plan.device)
        tuned = _tuned(plan, device, data, folder, options) if plan.mode == TUNED else {}
        planned = Planned(
            command=options.command,
            started=started,
            dataset_reason=choice.reason,
            data_digest=data.digest(),
            runs=tuple(run for training in plan.training for run in plan.runs(training, device, tuned)),
            threads=plan.threads,
            allocator=plan.allocator,
            judging=_judging(plan, options),
            parity=options.parity,
            mlflow=options.mlflow,
            executor=plan.executor,
            address=options.address,
        )
        folder.write(PLAN, planned.model_dump_json(indent=1).encode())
        return planned

    around = Surroundings(
        plan.implementations,
        plan.threads,
        plan.allocator,
        hide_cuda=plan.device == "cpu",
        timeout_s=options.timeout_s,
        screen=options.screen,
        executor=plan.executor,
        address=options.address,
    )
    return carry_on(folder, data, around, settle, server)


def resume_command(path: Path, data_dir: Path, timeout_s: float, screen: Screen) -> int:
    """Do what `compare run --resume` says; return the exit code. Raises InputError before anything is written."""
    check_number("--timeout", timeout_s, 1, 1_000_000)
    if not (path / PLAN).is_file():
        raise InputError(
            f"{path} has no {PLAN}: no study had begun there, so that there is nothing to resume. Start it anew, with "
            "another --out."
        )
    planned = load_record(path / PLAN, Planned, MAX_LIST_BYTES)
    first = planned.runs[0]
    data = load(first.data, data_dir)
    if data.digest() != planned.data_digest:
        raise InputError(
            f"The data set '{first.data.dataset}' is not what the study was begun with: its digest is "
            f"{data.digest()}, and {PLAN} says {planned.data_digest}. Give the original data with --data-dir."
        )
    server = None if planned.mlflow is None else mlflow_runs.connect(planned.mlflow)
    folder = OutputFolder.reopened(path)

    def settle(executor: Executor) -> Planned:
        executor.choose_device(first.device)
        return planned

    around = Surroundings(
        planned.implementations,
        planned.threads,
        planned.allocator,
        hide_cuda=first.device == "cpu",
        timeout_s=timeout_s,
        screen=screen,
        executor=planned.executor,
        address=planned.address,
    )
    return carry_on(folder, data, around, settle, server)


def _tuned(
    plan: Plan, device: Device, data: Data, folder: OutputFolder, options: Options
) -> dict[str, tuple[Mode, Tuned]]:
    """How each implementation is fastest on this machine."""
    from compare.bench.result import Contestant
    from compare.bench.search import Search, for_run, starter
    from compare.subject import Subject

    subject = Subject(plan.model, plan.training[0], data, device)
    search = Search(subject, starter(folder.log_dir, device, options.timeout_s), options.screen)
    plain = {
        name: Contestant(
            name=name,
            implementation=name,
            mode=IMPLEMENTATIONS[name].default_mode,
            threads=plan.threads,
            batch_size=plan.batch_size(device),
            tuning={},
            variables={},
            mixed_precision=plan.training[0].mixed_precision,
        )
        for name in plan.implementations
    }
    return for_run(search, plain)


def _judging(plan: Plan, options: Options) -> Judging:
    return Judging(
        implementations=tuple(plan.implementations),
        margin=options.margin,
        target=options.target,
        tensorboard=options.tensorboard,
    )


def _default_out(plan: Plan, started: str) -> Path:
    dataset = Path(plan.data.dataset).stem
    return Path("runs") / f"{started.replace(':', '')}-{plan.model.name}-{dataset}"
