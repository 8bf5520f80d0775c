"""`compare run`: from options to a study in an output folder."""

import sys

from compare import checks, networks
from compare.checks import TUNED
from compare.commands.fetching import show_fetching
from compare.commands.lifecycle import Began, note_threads
from compare.commands.study import StudyWork
from compare.options.run import RunOptions
from compare.registry import IMPLEMENTATIONS
from compare.reporting import mlflow_runs
from compare.reporting.screen import Screen
from compare.training.executor import Executor
from compare.training.plan import RunPlan, check_options, make_plan
from compare.training.planned import PLAN, Planned
from compare.training.study import Settings
from shared.choices import Device, Mode
from shared.data import Data, load
from shared.data.choice import choose
from shared.result import Tuned


class NewStudy(StudyWork):
    """A study that begins: its plan is kept before anything is trained."""

    def __init__(
        self,
        plan: RunPlan,
        data: Data,
        began: Began,
        dataset_reason: str,
        server: mlflow_runs.Server | None,
        screen: Screen,
    ) -> None:
        options = plan.options
        settings = Settings(plan.threads, options.allocator, options.device == "cpu", options.timeout, options.waiting)
        cluster = options.address if options.executor == "ray" else None
        folder = began.folder(plan.folder_name)
        super().__init__(folder, data, plan.implementations, settings, cluster, server, screen)
        self.plan, self.began, self.dataset_reason = plan, began, dataset_reason

    def settle(self, executor: Executor) -> Planned:
        plan, options = self.plan, self.plan.options
        device = executor.choose_device(options.device)
        tuned = self._tuned(device) if options.mode == TUNED else {}
        planned = Planned(
            command=options.command,
            started=self.began.at,
            dataset_reason=self.dataset_reason,
            data_digest=self.data.digest(),
            runs=tuple(run for training in plan.training for run in plan.runs(training, device, tuned)),
            threads=plan.threads,
            allocator=options.allocator,
            waiting=options.waiting,
            judging=plan.judging,
            parity=options.parity,
            mlflow=options.mlflow,
            executor=options.executor,
            address=options.address,
            network=plan.model if plan.model.code else None,
        )
        for name, content in networks.copies(plan.model).items():
            self.folder.write(name, content)
        self.folder.write(PLAN, planned.content())
        return planned

    def _tuned(self, device: Device) -> dict[str, tuple[Mode, Tuned]]:
        """Return the fastest mode and settings of each implementation on this machine."""
        from compare.bench.result import Contestant
        from compare.bench.search import Search, for_run, starter
        from compare.subject import Subject

        plan = self.plan
        subject = Subject(plan.model, plan.training[0], self.data, device)
        search = Search(subject, starter(self.folder.log_dir, device, plan.options.timeout), self.screen)
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


def command(options: RunOptions, screen: Screen) -> int:
    """Carry out `compare run`, and return the exit code. Raises InputError before anything is written."""
    asked, options = options.implementations, check_options(options)
    began = Began(options.command, options.out)
    choice = choose(options.dataset, options.data_folder, *([] if screen.quiet else [show_fetching(sys.stderr)]))
    plan = make_plan(options, choice.dataset)
    if options.parity:
        from compare.parity import library  # its package draws, and takes long to import

        library.check_possible(plan.implementations, options.recipe, options.mixed_precision)
    data = load(plan.data, options.data_folder)
    plan = plan.of_data(data)
    plan.check_fit(data)
    reason = f"{choice.reason} {data.description}".strip()
    server = None if options.mlflow is None else mlflow_runs.connect(options.mlflow)
    screen.note(reason)
    if said := checks.left_out(asked, options.implementations):
        screen.note(said)
    note_threads(options.threads, plan.threads, screen)
    return NewStudy(plan, data, began, reason, server, screen).exit_code()
