"""`compare run`: from options to an output folder."""

import sys
from pathlib import Path

from rich.console import Console

from compare import manifest, progress, report, run_folder, seeds, tables
from compare.fetching import show_fetching
from compare.output import OutputFolder, WriteError, check_vacant, end_early
from compare.plan import Options, Plan, check_fit, check_options, make_plan
from compare.rows import row
from compare.seeds import Judging
from compare.study import Study
from shared.data import Data, load
from shared.data.choice import Choice, choose
from shared.errors import InputError
from shared.result import RunResult


def run_command(options: Options) -> int:
    """Do what `compare run` says; return the exit code. Raises InputError before anything is written."""
    started = manifest.utc_now()
    options = check_options(options)
    if options.out is not None:
        check_vacant(options.out)
    choice = choose(options.dataset, options.data_dir, show_fetching(sys.stderr))
    plan = make_plan(options, choice.dataset)
    data = load(plan.data, options.data_dir)
    check_fit(plan, data)
    print(choice.reason, file=sys.stderr)

    folder = OutputFolder(options.out or _default_out(plan, started))
    results: list[RunResult] = []
    stopped_by: KeyboardInterrupt | WriteError | None = None
    try:
        _train(plan, data, folder, options.timeout_s, results)
    except InputError:
        folder.discard()
        raise
    except (KeyboardInterrupt, WriteError) as error:
        stopped_by = error

    if results:
        try:
            _report(plan, folder, results, choice, options, started)
        except WriteError as error:
            stopped_by = stopped_by or error
    if stopped_by is None:
        return 0 if all(result.status == "ok" for result in results) else 1
    return end_early(folder, stopped_by, bool(results), "run")


def _train(plan: Plan, data: Data, folder: OutputFolder, timeout_s: float, results: list[RunResult]) -> None:
    """Train every run of `plan`; write each as soon as it ends, and then add it to `results`."""
    hide_cuda = plan.device == "cpu"
    shown = progress.Bars(sys.stderr) if sys.stderr.isatty() else progress.Lines(sys.stderr)
    with (
        Study(plan.implementations, data, folder.log_dir, plan.threads, hide_cuda, timeout_s) as study,
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


def _report(
    plan: Plan, folder: OutputFolder, results: list[RunResult], choice: Choice, options: Options, started: str
) -> None:
    """Print the table, and write everything that is made from records."""
    judging = Judging(implementations=tuple(plan.implementations), margin=options.margin, target=options.target)
    results = seeds.in_order(results, judging)
    rows = [row(result) for result in results]
    # Where nobody's window limits the width, nothing is cut or turned.
    console = Console(width=None if sys.stdout.isatty() else 200, markup=False, highlight=False)
    tables.print_table(rows, f"{plan.model.name} on {plan.data.dataset}, {results[0].run.device}", console)
    if report.shows_seeds(results, judging):
        tables.print_summaries(seeds.summaries(results, judging), judging.target, console)
    for text in report.verdicts(results, judging):
        console.print(text, soft_wrap=True)

    done = manifest.describe(options.command, started, choice.reason)
    folder.write("study.json", judging.model_dump_json(indent=1).encode())
    folder.write_all(report.render(results, run_folder.weights_of_first(folder.path, results), done, judging), done)
    console.print(f"Report: {folder.path / 'report.md'}", soft_wrap=True)


def _default_out(plan: Plan, started: str) -> Path:
    dataset = Path(plan.data.dataset).stem
    return Path("runs") / f"{started.replace(':', '')}-{plan.model.name}-{dataset}"
