"""`compare bench` with several batch sizes or numbers of threads: a bench for each pair, and the curves."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from compare.bench import scaling
from compare.bench.launcher import Launcher
from compare.bench.plan import Options, Plan, batch_sizes_of, load_data, make_plan, make_subject, threads_of
from compare.bench.result import BenchResult, Launch
from compare.bench.search import starter
from compare.bench.statistics import LEAST_LAUNCHES
from compare.bench.verdicts import warnings
from compare.commands.bench import figures, nothing_yet
from compare.folders import manifest
from compare.folders.output import OutputFolder, carry_out, check_vacant
from compare.processes import environment
from compare.reporting import plots
from compare.reporting.html_page import with_page
from compare.reporting.markdown import markdown_environment
from compare.reporting.screen import table
from compare.subject import Subject
from shared.data import Data
from shared.errors import InputError

LEAST = 2
ROUNDS_S = 4.0  # of a launch: there are many points


def scaling_command(options: Options) -> int:
    """Do what `compare bench` says of several batch sizes or threads; return the exit code. Raises InputError before
    anything is written."""
    started = manifest.utc_now()
    plan = make_plan(options)
    if plan.to_tune:
        raise InputError("--modes tuned is of one batch size and one number of threads. Give one of each.")
    if options.out is not None:
        check_vacant(options.out)
    dataset, data = load_data(options, plan.model)
    subject = make_subject(options, plan, data)
    folder = OutputFolder(options.out or Path("runs") / f"{started.replace(':', '')}-scaling-{plan.model.name}")
    results: list[BenchResult] = []
    screen, n_points = options.screen, len(threads_of(options)) * len(batch_sizes_of(options))

    def work() -> None:
        for result in _measured(options, plan, dataset, data, subject, folder):
            results.append(result)
            first = result.contestants[0]
            stem = f"threads{first.threads}-batch{first.batch_size}"
            folder.write(f"{stem}.json", result.model_dump_json(indent=1).encode())
            left_s = sum(r.took_s for r in results) / len(results) * (n_points - len(results))
            screen.note(f"{first.threads} threads, batches of {first.batch_size}: done, about {left_s:.0f} s left")

    def write() -> None:
        screen.console(180).print(table(list(scaling.HEADINGS), scaling.cells(results), ("contestant",)))
        done = manifest.describe(options.command, started)
        folder.write_all(_files(results, done), done)

    ended_early = carry_out(folder, work, lambda: bool(results), write, "bench")
    if ended_early is not None:
        return ended_early
    screen.say(f"Report: {folder.path / 'report.md'}")
    screen.answer(folder=folder.path, points=[figures(result, c) for result in results for c in result.contestants])
    return 1 if any(launch.failed for result in results for launch in result.launches) else 0


def _measured(
    options: Options, plan: Plan, dataset: str, data: Data, subject: Subject, folder: OutputFolder
) -> Iterator[BenchResult]:
    """A bench for each pair, each with its share of the budget, but never fewer than LEAST launches."""
    start = starter(folder.log_dir, plan.device, options.timeout_s)
    pairs = [(threads, size) for threads in threads_of(options) for size in batch_sizes_of(options)]
    for threads, size in pairs:
        contestants = [c.model_copy(update={"threads": threads, "batch_size": size}) for c in plan.contestants]
        launcher = Launcher(contestants, subject, start, float("inf"), rounds_s=ROUNDS_S, tell=options.screen.note)
        launches: list[Launch] = []
        while len(launches) < LEAST or launcher.clock() * (1 + 1 / len(launches)) < options.budget_s / len(pairs):
            launches.append(launcher.launch(len(launches)))
        yield nothing_yet(options, replace(plan, contestants=contestants), dataset, data).model_copy(
            update={
                "launches": tuple(launches),
                "took_s": launcher.clock(),
                "environments": launcher.environments,
                "ending": "budget",
            }
        )


def _files(results: list[BenchResult], done: manifest.Manifest) -> dict[str, bytes]:
    figure = scaling.picture(results)
    first = results[0]
    text = (
        markdown_environment()
        .get_template("scaling.md.j2")
        .render(
            model=first.model,
            least=LEAST,
            least_for_interval=LEAST_LAUNCHES,
            baseline=first.baseline,
            conditions=f"On the device {first.device}, {first.dataset}.",
            headings=scaling.HEADINGS,
            lines=scaling.cells(results),
            warnings=list(dict.fromkeys(text for result in results for text in warnings(result))),
            cpu=environment.cpu_name(),
            manifest=done,
        )
    )
    return with_page(
        {
            "report.md": text.encode(),
            "plots/scaling.png": plots.to_png(figure),
            "plots/scaling.svg": plots.to_svg(figure),
        }
    )
