"""Report a study, and compare whether its implementations are the same function. The module draws, and takes long to
import: compare/commands/study.py imports it while workers import their frameworks."""

from dataclasses import asdict

from compare.analysis import machines, seeds
from compare.analysis.figures import figure_of
from compare.analysis.headline import headlines
from compare.analysis.rows import line, row
from compare.commands.lifecycle import report_line
from compare.folders import manifest, run_folder
from compare.folders.output import OutputFolder
from compare.parity import library
from compare.parity import report as parity_report
from compare.parity.result import ParityResult
from compare.reporting import tables
from compare.reporting.screen import Screen
from compare.training import report as training_report
from compare.training.planned import Planned
from shared.data import Data
from shared.result import RunResult


def compared(planned: Planned, data: Data, folder: OutputFolder, timeout_s: float) -> ParityResult:
    """Compare whether the implementations are the same function, on the device and in the mode of the runs."""
    first = planned.runs[0]
    return library.check_run(
        first.spec,
        first.train,
        data,
        planned.implementations,
        first.device,
        planned.common_mode,
        folder.log_dir,
        timeout_s,
    )


def report(
    planned: Planned,
    data_warnings: tuple[str, ...],
    folder: OutputFolder,
    results: list[RunResult],
    parity_result: ParityResult | None,
    screen: Screen,
) -> None:
    """Print the table, and write everything that is made from records."""
    judging = planned.judging
    results = seeds.in_order(results, judging)
    rows = [row(result) for result in results]
    over_seeds, first = seeds.summaries(results, judging), planned.runs[0]
    done = manifest.describe(planned.command, planned.started, planned.dataset_reason, data_warnings)
    parity = parity_report.within([parity_result], library.STUDY, done) if parity_result else None
    folder.write("study.json", judging.model_dump_json(indent=1).encode())
    weights = run_folder.weights_of_first(folder.path, results)
    folder.write_all(training_report.render(results, weights, done, judging, parity), done)

    lines = headlines(results, judging, parity.headline if parity else None)
    screen.headlines(lines)
    console = screen.console()  # not earlier, because its reader may have gone
    screen.say_left_out(tables.print_table(rows, f"{first.model} on {first.data.dataset}, {first.device}", console))
    if training_report.shows_seeds(results, judging):
        tables.print_summaries(over_seeds, judging.target, console, figure_of(results))
    tables.print_machines(machines.by_machine(results), console)
    said = training_report.verdicts(results, judging, parity)
    for text in said:
        screen.say(text)
    report_line(folder, screen)
    screen.answer(
        folder=folder.path,
        data_warnings=data_warnings,
        headline=[asdict(line) for line in lines],
        verdicts=said,
        runs=[line(one) for one in rows],
        over_seeds=[asdict(summary) for summary in over_seeds],
        pairs=[asdict(pair) for pair in seeds.pairs(results, judging)],
    )
