"""`compare bench --waterfall`: one bench for each implementation, and the page that is made of them."""

from pathlib import Path

from compare.bench import waterfall
from compare.bench.launcher import Launcher
from compare.bench.plan import Options, batch_sizes_of, load_data, make_plan, make_subject, threads_of
from compare.bench.report import why_ended
from compare.bench.result import BenchResult
from compare.bench.schedule import repeat
from compare.bench.search import starter
from compare.commands.bench import figures, nothing_yet
from compare.folders import manifest
from compare.folders.output import OutputFolder, carry_out, check_vacant
from compare.processes import environment
from compare.registry import IMPLEMENTATIONS
from compare.reporting import plots
from compare.reporting.html_page import with_page
from compare.reporting.markdown import markdown_environment
from compare.reporting.screen import table
from shared.errors import InputError

Results = dict[str, tuple[BenchResult, list[waterfall.Stage]]]


def waterfall_command(options: Options) -> int:
    """Do what `compare bench --waterfall` says; return the exit code. Raises InputError before anything is written."""
    started = manifest.utc_now()
    plan = make_plan(options)
    if len(batch_sizes_of(options)) > 1 or len(threads_of(options)) > 1:
        raise InputError("--waterfall is of one batch size and one number of threads. Give one of each.")
    if options.out is not None:
        check_vacant(options.out)
    without = [c.implementation for c in plan.contestants if not IMPLEMENTATIONS[c.implementation].plain]
    if without:
        known = ", ".join(name for name, spec in IMPLEMENTATIONS.items() if spec.plain)
        raise InputError(
            f"--waterfall: {' and '.join(without)} has none. Known: {known}. Leave it out of --implementations."
        )
    dataset, data = load_data(options, plan.model)
    subject = make_subject(options, plan, data)
    folder = OutputFolder(options.out or Path("runs") / f"{started.replace(':', '')}-speed-{plan.model.name}")
    start = starter(folder.log_dir, plan.device, options.timeout_s)
    results: Results = {}
    screen = options.screen

    def work() -> None:
        for plain in plan.contestants:
            of = waterfall.stages(plain.implementation, plan.device, plain.threads)
            taking_part = waterfall.contestants(plain, of)
            launcher = Launcher(taking_part, subject, start, options.budget_s, tell=options.screen.note)

            def told(result: BenchResult, name: str = plain.implementation, of: list[waterfall.Stage] = of) -> None:
                results[name] = result, of
                folder.write(f"{name}.json", result.model_dump_json(indent=1).encode())
                left_s = max(0.0, result.budget_s - result.took_s)
                screen.note(
                    f"{name}: launch {len(result.launches)}, {result.took_s:.0f} s, at most {left_s:.0f} s left for it"
                )

            empty = nothing_yet(options, plan, dataset, data).model_copy(
                update={"contestants": tuple(taking_part), "baseline": taking_part[0].name}
            )
            repeat(empty, launcher, told)
            lines = waterfall.cells(*results[plain.implementation])
            headings = list(waterfall.HEADINGS)
            screen.console(120).print(table(headings, lines, waterfall.HEADINGS[:1], title=plain.implementation))

    def write() -> None:
        done = manifest.describe(options.command, started)
        folder.write_all(_files(results, done), done)

    ended_early = carry_out(folder, work, lambda: bool(results), write, "launch")
    if ended_early is not None:
        return ended_early
    screen.say(f"Report: {folder.path / 'report.md'}")
    screen.answer(
        folder=folder.path,
        stages={name: [figures(result, c) for c in result.contestants] for name, (result, _) in results.items()},
    )
    return 1 if any(launch.failed for result, _ in results.values() for launch in result.launches) else 0


def _files(results: Results, done: manifest.Manifest) -> dict[str, bytes]:
    figure = waterfall.picture(results)
    first, _ = next(iter(results.values()))
    text = (
        markdown_environment()
        .get_template("speed_waterfall.md.j2")
        .render(
            model=first.model,
            batch_size=first.contestants[0].batch_size,
            device=first.device,
            threads=first.contestants[0].threads,
            headings=waterfall.HEADINGS,
            tables={name: waterfall.cells(*found) for name, found in results.items()},
            why={name: why_ended(result) for name, (result, _) in results.items()},
            cpu=environment.cpu_name(),
            manifest=done,
        )
    )
    return with_page(
        {
            "report.md": text.encode(),
            "plots/waterfall.png": plots.to_png(figure),
            "plots/waterfall.svg": plots.to_svg(figure),
        }
    )
