"""`compare parity --waterfall`: from options to a table, a picture and a page."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from compare.checks import check_only_classification, check_only_images, check_own_norm
from compare.commands.lifecycle import Began, Work, note_data_warnings, report_line
from compare.options.parity import ParityOptions
from compare.parity import waterfall, waterfall_report
from compare.parity.plan import ParityPlan, make_plan
from compare.parity.waterfall import RecipeStage, TrainingCurve, stages, train
from compare.processes.pool import THREADS, Workers, ask_all
from compare.processes.process import WorkerError
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from compare.reporting.screen import Screen, print_first
from compare.subject import Subject
from shared.batches import n_batches
from shared.errors import InputError


def command(options: ParityOptions, screen: Screen) -> int:
    """Carry out `compare parity --waterfall`, and return the exit code. Raises InputError before any writing."""
    plan = make_plan(options)
    if len(plan.models) != 1:
        raise InputError("--waterfall takes one architecture at a time. Give one with --model.")
    if shared := [name for name in plan.all_implementations if IMPLEMENTATIONS[name].n_workers > 1]:
        raise InputError(f"--waterfall takes one process each, not {' and '.join(shared)}. Name them without @N.")
    began = Began(options.command, options.out)
    (model,) = plan.models
    check_only_classification(model, "--waterfall")
    check_only_images(model, "--waterfall")
    data = plan.load_data()[model.name]
    note_data_warnings([data], screen)
    n_kept = len(data.x_train) - len(data.x_train) // 10  # as in every stage
    if options.steps >= n_batches(n_kept, options.batch_size):  # otherwise no epoch reaches its last batch
        check_own_norm(
            "--waterfall",
            plan.all_implementations,
            model,
            options.batch_size,
            len(data.x_train),
            "Give another --batch-size",
        )
    work = Stages(plan, plan.subject(model, data, options.seed), began, screen)
    try:
        ended_early = work.carry_out()
    except WorkerError as error:
        work.folder.discard()
        print(f"A worker failed: {error}\n{error.details}", file=sys.stderr)
        return 1
    if ended_early is not None:
        return ended_early
    return 0


class Stages(Work[RecipeStage]):
    """All stages. A part of them explains nothing, and therefore either all are kept or none."""

    unit = "waterfall"

    def __init__(self, plan: ParityPlan, subject: Subject, began: Began, screen: Screen) -> None:
        super().__init__(began.folder("waterfall"))
        self.plan, self.subject, self.began, self.screen = plan, subject, began, screen

    def do(self) -> Iterator[RecipeStage]:
        plan, options, note = self.plan, self.plan.options, self.screen.note
        done = []
        with Workers(self.folder.log_dir, options.device, options.timeout, note) as workers:
            sessions = workers.start(plan.implementations[self.subject.spec.name])
            for matched, own in stages():
                runs = tuple(_train_all(sessions, self.subject, own, seed, options.steps) for seed in plan.seeds)
                done.append(RecipeStage(matched, runs))
                note(f"{'own recipes' if matched is None else matched + ' matched'}: done")
        yield from done

    def write(self) -> None:
        plan, done, screen = self.plan, self.began.manifest(data=[self.subject.data]), self.screen
        rows, lines = waterfall_report.cells(self.results), waterfall_report.headlines(self.results)
        screen.headlines(lines)
        headings = list(waterfall_report.HEADINGS)
        screen.say_left_out(print_first(screen.console(120), headings, rows, waterfall_report.HEADINGS[:1]))
        record = waterfall.RecipeWaterfall(
            model=self.subject.spec.name, steps=plan.options.steps, stages=tuple(self.results)
        )
        self.folder.write(waterfall.RECORD, record.model_dump_json(indent=1).encode())
        self.folder.write_all(waterfall_report.render(record, done), done)
        report_line(self.folder, screen)
        screen.answer(
            folder=self.folder.path,
            headline=[asdict(line) for line in lines],
            verdicts=[line.sentence for line in lines],
            headings=waterfall_report.HEADINGS,
            rows=rows,
        )


def _train_all(
    sessions: dict[str, Session], subject: Subject, own: Sequence[str], seed: int, n_steps: int
) -> dict[str, TrainingCurve]:
    return ask_all(sessions, THREADS, lambda session: train(session, subject, own, seed, n_steps))
