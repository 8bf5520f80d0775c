"""`compare run`: from options to an output folder."""

import sys
from dataclasses import asdict
from pathlib import Path

from compare import manifest, mlflow_runs, progress, report, run_folder, seeds, tables
from compare.fetching import show_fetching
from compare.output import OutputFolder, carry_out, check_vacant
from compare.parity import report as parity_report
from compare.parity import within
from compare.parity.result import ParityResult
from compare.plan import Options, Plan, check_fit, check_options, make_plan
from compare.rows import row
from compare.seeds import Judging
from compare.study import Study
from shared.data import Data, load
from shared.data.choice import Choice, choose
from shared.result import Run, RunResult


def run_command(options: Options) -> int:
    """Do what `compare run` says; return the exit code. Raises InputError before anything is written."""
    started = manifest.utc_now()
    options = check_options(options)
    if options.out is not None:
        check_vacant(options.out)
    choice = choose(options.dataset, options.data_dir, show_fetching(sys.stderr))
    plan = make_plan(options, choice.dataset)
    if options.parity:
        within.check_possible(plan.implementations, plan.recipe, options.mixed_precision)
    data = load(plan.data, options.data_dir)
    check_fit(plan, data)
    server = None if options.mlflow is None else mlflow_runs.connect(options.mlflow)
    options.screen.note(choice.reason)

    folder = OutputFolder(options.out or _default_out(plan, started))
    results: list[RunResult] = []
    compared: list[ParityResult] = []

    def work() -> None:
        _train(plan, data, folder, options, results)
        if options.parity:
            options.screen.note("Comparing the implementations as functions ...")
            compared.append(_compare(plan, data, folder, options, results[0].run))

    ended_early = carry_out(
        folder,
        work,
        finished=lambda: bool(results),
        write=lambda: _report(plan, folder, results, compared, choice, options, started),
        unit="run",
    )
    if ended_early is not None:
        return ended_early
    if server is not None and not _log(server, folder, results, options):
        return 1
    well = all(result.status == "ok" for result in results) and all(result.passed for result in compared)
    return 0 if well else 1


def _train(plan: Plan, data: Data, folder: OutputFolder, options: Options, results: list[RunResult]) -> None:
    """Train every run of `plan`; write each as soon as it ends, and then add it to `results`."""
    hide_cuda = plan.device == "cpu"
    shown = progress.shown_on(sys.stderr, options.screen.quiet, [training.seed for training in plan.training])
    with (
        Study(plan.implementations, data, folder.log_dir, plan.threads, hide_cuda, options.timeout_s) as study,
        shown,
    ):
        device = study.choose_device(plan.device)
        for training in plan.training:
            runs = plan.runs(training, device)
            for finished in study.train(runs, shown):
                result = finished.result
                if finished.weights_file is not None:
                    folder.write(result.weights_path, finished.weights_file)
                folder.write(f"results/{result.name}.json", result.model_dump_json(indent=1).encode())
                results.append(result)


def _compare(plan: Plan, data: Data, folder: OutputFolder, options: Options, run: Run) -> ParityResult:
    """Whether the implementations are the same function, on the device and in the mode of the runs."""
    mode = None if plan.mode == "default" else plan.mode
    return within.check_run(
        plan.model, run.train, data, plan.implementations, run.device, mode, folder.log_dir, options.timeout_s
    )


def _report(
    plan: Plan,
    folder: OutputFolder,
    results: list[RunResult],
    compared: list[ParityResult],
    choice: Choice,
    options: Options,
    started: str,
) -> None:
    """Print the table, and write everything that is made from records."""
    judging = _judging(plan, options)
    results = seeds.in_order(results, judging)
    rows = [row(result) for result in results]
    screen, over_seeds = options.screen, seeds.summaries(results, judging)
    console = screen.console()
    tables.print_table(rows, f"{plan.model.name} on {plan.data.dataset}, {results[0].run.device}", console)
    if report.shows_seeds(results, judging):
        tables.print_summaries(over_seeds, judging.target, console)
    done = manifest.describe(options.command, started, choice.reason)
    parity = parity_report.within(compared, within.STUDY, done) if compared else None
    said = report.verdicts(results, judging, parity)
    for text in said:
        screen.say(text)

    folder.write("study.json", judging.model_dump_json(indent=1).encode())
    weights = run_folder.weights_of_first(folder.path, results)
    folder.write_all(report.render(results, weights, done, judging, parity), done)
    screen.say(f"Report: {folder.path / 'report.md'}")
    screen.answer(
        folder=folder.path,
        verdicts=said,
        runs=[asdict(one) for one in rows],
        over_seeds=[asdict(summary) for summary in over_seeds],
        pairs=[asdict(pair) for pair in seeds.pairs(results, judging)],
    )


def _judging(plan: Plan, options: Options) -> Judging:
    return Judging(
        implementations=tuple(plan.implementations),
        margin=options.margin,
        target=options.target,
        tensorboard=options.tensorboard,
    )


def _log(server: mlflow_runs.Server, folder: OutputFolder, results: list[RunResult], options: Options) -> bool:
    """Log the study; whether that went well."""
    done = run_folder.load_record(folder.path / manifest.MANIFEST, manifest.Manifest)
    try:
        run_id = mlflow_runs.log_study(server, folder.path, results, done)
    except mlflow_runs.MlflowError as error:
        print(f"MLflow took no more: {error} All of it is in {folder.path}.", file=sys.stderr)
        return False
    options.screen.note(f"MLflow run {run_id} in the experiment '{mlflow_runs.EXPERIMENT}' of {options.mlflow}")
    return True


def _default_out(plan: Plan, started: str) -> Path:
    dataset = Path(plan.data.dataset).stem
    return Path("runs") / f"{started.replace(':', '')}-{plan.model.name}-{dataset}"
