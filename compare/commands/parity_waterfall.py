"""`compare parity --waterfall`: from options to a table, a picture and a page."""

import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from compare.folders import manifest
from compare.folders.output import OutputFolder, carry_out, check_vacant
from compare.parity.plan import Options, Plan, load_data, make_plan, make_subject
from compare.parity.plots import waterfall
from compare.parity.waterfall import FACTORS, Stage, Trained, stages, train
from compare.processes.pool import THREADS, Workers, ask_all
from compare.processes.process import WorkerError
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from compare.reporting import plots
from compare.reporting.html_page import with_page
from compare.reporting.markdown import markdown_environment
from compare.reporting.screen import table
from compare.subject import Subject
from shared.errors import InputError

HEADINGS = ("matched", "loss apart", "explained", "accuracy apart", "explained")
RECORDS: TypeAdapter[list[Stage]] = TypeAdapter(list[Stage])


def waterfall_command(options: Options) -> int:
    """Do what `compare parity --waterfall` says; return the exit code. Raises InputError before anything is written."""
    plan = make_plan(options)
    if len(plan.models) != 1:
        raise InputError("--waterfall is of one architecture at a time. Give one with --model.")
    if shared := [name for name in plan.all_implementations if IMPLEMENTATIONS[name].n_workers > 1]:
        raise InputError(f"--waterfall is of one process each, not {' and '.join(shared)}. Name them without @N.")
    if options.out is not None:
        check_vacant(options.out)
    (model,) = plan.models
    subject = make_subject(options, plan, model, load_data(options, plan)[model.name], options.seed)
    started = manifest.utc_now()
    folder = OutputFolder(options.out or Path("runs") / f"{started.replace(':', '')}-waterfall")
    done: list[Stage] = []
    try:
        ended_early = carry_out(
            folder,
            work=lambda: done.extend(_every_stage(options, plan, subject, folder)),  # some of them explain nothing
            finished=lambda: bool(done),
            write=lambda: folder.write_all(_files(done, subject, options), manifest.describe(options.command, started)),
            unit="waterfall",
        )
    except WorkerError as error:
        folder.discard()
        print(f"A worker failed: {error}\n{error.details}", file=sys.stderr)
        return 1
    if ended_early is not None:
        return ended_early
    screen, rows = options.screen, cells(done)
    screen.console(120).print(table(list(HEADINGS), rows, left_aligned=HEADINGS[:1]))
    screen.say(f"Report: {folder.path / 'report.md'}")
    screen.answer(folder=folder.path, headings=HEADINGS, rows=rows)
    return 0


def _every_stage(options: Options, plan: Plan, subject: Subject, folder: OutputFolder) -> list[Stage]:
    done = []
    with Workers(folder.log_dir, plan.device, options.timeout_s, options.screen.note) as workers:
        sessions = workers.start(plan.implementations[subject.spec.name])
        for matched, own in stages():
            seeds = range(options.seed, options.seed + options.seeds)
            runs = tuple(_train_all(sessions, subject, own, seed, options.steps) for seed in seeds)
            done.append(Stage(matched, runs))
            options.screen.note(f"{'own recipes' if matched is None else matched + ' matched'}: done")
    return done


def _files(done: Sequence[Stage], subject: Subject, options: Options) -> dict[str, bytes]:
    figure = waterfall(done, subject.spec.name)
    page = markdown_environment().get_template("waterfall.md.j2")
    text = page.render(
        model=subject.spec.name,
        headings=HEADINGS,
        rows=cells(done),
        factors=FACTORS,
        options=options,
        n_runs=len(done[0].runs),
    )
    return with_page(
        {
            "waterfall.png": plots.to_png(figure),
            "waterfall.svg": plots.to_svg(figure),
            "waterfall.json": RECORDS.dump_json(list(done), indent=1),
            "report.md": text.encode(),
        }
    )


def cells(done: Sequence[Stage]) -> list[list[str]]:
    """The rows of the table: at each stage how far apart losses and accuracies are, with the standard error over seeds,
    and what share of the whole the factor explains that was just matched."""
    rows = []
    for number, stage in enumerate(done):
        row = ["nothing" if stage.matched is None else stage.matched]
        for measure in (Stage.losses_apart, Stage.accuracies_apart):
            now, whole = measure(stage), measure(done[0]).mean
            explained = (measure(done[number - 1]).mean - now.mean) / whole if number and whole else None
            row += [f"{now.mean:.4f} ± {now.error:.4f}", "" if explained is None else f"{explained:.0%}"]
        rows.append(row)
    return rows


def _train_all(
    sessions: dict[str, Session], subject: Subject, own: Sequence[str], seed: int, n_steps: int
) -> dict[str, Trained]:
    return ask_all(sessions, THREADS, lambda session: train(session, subject, own, seed, n_steps))
