"""`compare bench`: from options to verdicts."""

from dataclasses import asdict, replace
from pathlib import Path

from compare.bench import report, tables
from compare.bench.launcher import Launcher, Start
from compare.bench.plan import Options, Plan, load_data, make_plan, make_subject
from compare.bench.result import BenchResult, Contestant
from compare.bench.schedule import repeat
from compare.bench.search import Search, starter
from compare.bench.verdicts import ratio_to_baseline, step_time, warnings
from compare.folders import manifest
from compare.folders.output import OutputFolder, carry_out, check_vacant
from compare.subject import Subject
from shared.data import Data

RECORD = "bench.json"


def bench_command(options: Options) -> int:
    """Do what `compare bench` says; return the exit code. Raises InputError before anything is written."""
    started = manifest.utc_now()
    plan = make_plan(options)
    if options.out is not None:
        check_vacant(options.out)
    dataset, data = load_data(options, plan.model)
    subject = make_subject(options, plan, data)
    folder = OutputFolder(options.out or default_out(plan.model.name, started))
    start = starter(folder.log_dir, plan.device, options.timeout_s)
    known: list[BenchResult] = []

    def told(result: BenchResult) -> None:
        """Keep the result so far, on disk too."""
        known.append(result)
        folder.write(RECORD, result.model_dump_json(indent=1).encode())
        said = "; ".join(report.verdicts(result))
        options.screen.note(f"launch {len(result.launches)}, {_left(result)}: {said}")

    def work() -> None:
        settled = replace(plan, contestants=_settled(plan, subject, start, options))
        launcher = Launcher(
            settled.contestants, subject, start, options.budget_s, options.profile, tell=options.screen.note
        )
        repeat(nothing_yet(options, settled, dataset, data), launcher, told)

    ended_early = carry_out(
        folder,
        work=work,
        finished=lambda: bool(known),
        write=lambda: _report(known[-1], folder, options, started),
        unit="launch",
    )
    return _exit_code(known[-1], options) if ended_early is None else ended_early


def default_out(model: str, started: str | None = None) -> Path:
    """Where a bench goes that was given no folder."""
    return Path("runs") / f"{(started or manifest.utc_now()).replace(':', '')}-bench-{model}"


def _left(result: BenchResult) -> str:
    """How long the bench took so far, and how long it may go on."""
    return f"{result.took_s:.0f} s, at most {max(0.0, result.budget_s - result.took_s):.0f} s left"


def _settled(plan: Plan, subject: Subject, start: Start, options: Options) -> list[Contestant]:
    """The contestants, those to be tuned as this machine remembers them or as a search finds them now."""
    search = Search(subject, start, options.screen, anew=options.retune)
    return [
        search.fastest(one).contestant.model_copy(update={"name": one.name}) if one.name in plan.to_tune else one
        for one in plan.contestants
    ]


def nothing_yet(options: Options, plan: Plan, dataset: str, data: Data) -> BenchResult:
    """The record of a bench before its first launch."""
    bytes_per_image, bytes_per_step = plan.model.training_bytes
    return BenchResult(
        model=plan.model.name,
        dataset=dataset,
        data_digest=data.digest(),
        n_test=len(data.x_test),
        device=plan.device,
        seed=options.seed,
        contestants=tuple(plan.contestants),
        lacking=tuple(plan.lacking),
        baseline=plan.baseline,
        flops_per_image=plan.model.training_flops,
        bytes_per_image=bytes_per_image,
        bytes_per_step=bytes_per_step,
        precision=options.interval,
        budget_s=options.budget_s,
        took_s=0.0,
        ending="interrupted",
        environments={},
        launches=(),
    )


def _report(result: BenchResult, folder: OutputFolder, options: Options, started: str) -> None:
    """Print the table and the verdicts, and write everything that is made from the record."""
    screen = options.screen
    tables.print_result(result, screen.console(160))
    said, warned = report.verdicts(result), warnings(result)
    for text in (*said, report.why_ended(result), *warned, *tables.ceilings(result)):
        screen.say(text)
    done = manifest.describe(options.command, started)
    folder.write_all(report.render(result, done), done)
    screen.say(f"Report: {folder.path / 'report.md'}")
    screen.answer(
        folder=folder.path,
        verdicts=said,
        warnings=warned,
        ended=report.why_ended(result),
        baseline=result.baseline,
        contestants=[figures(result, contestant) for contestant in result.contestants],
    )


def figures(result: BenchResult, contestant: Contestant) -> dict[str, object]:
    """What a bench found of one contestant: times in seconds, ratios to the baseline, each with its interval."""
    name = contestant.name
    found = {
        "speed": None if name == result.baseline else ratio_to_baseline(result, name),
        "step_s": step_time(result, name),
        "compute_s": step_time(result, name, "compute"),
    }
    return {
        **contestant.model_dump(include={"name", "implementation", "mode", "batch_size", "threads"}),
        **{key: None if interval is None else asdict(interval) for key, interval in found.items()},
    }


def _exit_code(result: BenchResult, options: Options) -> int:
    """1 where a contestant failed, or where one that was pitted against itself seems to be faster than itself, or had
    too few launches to show anything."""
    if any(launch.failed for launch in result.launches):
        return 1
    if options.aa:
        (other,) = (c.name for c in result.contestants if c.name != result.baseline)
        found = ratio_to_baseline(result, other)
        return 0 if found is not None and found.low is not None and found.holds(1.0) else 1
    return 0
