"""The plan of a study, as it is kept in its folder: enough to continue after an interruption."""

from typing import Annotated, Any, Literal

from pydantic import FailFast, Field, TypeAdapter, model_validator

from compare import checks
from compare.analysis.seeds import Judging
from compare.registry import IMPLEMENTATIONS
from shared.choices import Allocator, ExecutorName, Mode, Waiting
from shared.contract import OwnNetwork
from shared.data import Data
from shared.models import MODELS, ModelSpec
from shared.record import Moment, Record
from shared.result import SCHEMA_VERSION, Run

PLAN = "plan.json"


class Planned(Record):
    """Every run of a study, by seed, with the device that was settled on, and the settings of its verdicts. Also
    whether runs are compared as functions, where they are logged, and where they are trained."""

    schema_version: Literal[1] = SCHEMA_VERSION
    command: str
    started: Moment
    dataset_reason: str
    data_digest: str
    runs: Annotated[tuple[Run, ...], FailFast(), Field(min_length=1, max_length=1_000_000)]
    threads: int = Field(ge=1, le=10_000)
    allocator: Allocator = "kept"
    waiting: Waiting = "system"  # as in plans without it
    judging: Judging
    parity: bool = False
    mlflow: str | None = None
    executor: ExecutorName = "local"
    address: str = "auto"
    network: OwnNetwork | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_its_network(cls, given: Any) -> Any:
        """Give every run the network of the user's own, which the file names once: there may be many runs."""
        if isinstance(given, dict) and given.get("network") is not None and isinstance(given.get("runs"), list):
            network = TypeAdapter(ModelSpec).validate_python(given["network"])
            runs = [{**run, "network": network} if isinstance(run, dict) else run for run in given["runs"]]
            return {**given, "network": network, "runs": runs}
        return given

    @model_validator(mode="after")
    def _one_study(self) -> "Planned":
        if len({run.name for run in self.runs}) < len(self.runs):
            raise ValueError("a run is there twice")
        if unknown := [
            run.name
            for run in self.runs
            if run.implementation not in IMPLEMENTATIONS or (run.network is None and run.model not in MODELS)
        ]:
            raise ValueError(f"{unknown[0]} is of an implementation or architecture that this version does not have")
        first = self.runs[0]
        if any((run.data, run.device, run.spec) != (first.data, first.device, first.spec) for run in self.runs):
            raise ValueError("its runs are not of one architecture, one data set and one device")
        return self

    def content(self) -> bytes:
        """Return the file's content: a network of the user's own is written once, and not with every run."""
        return self.model_dump_json(indent=1, exclude={"runs": {"__all__": {"network"}}}).encode()

    def check_fit(self, data: Data) -> None:
        """Repeat the checks of a new study's plan: an earlier version, or another person, may have written this one.
        Raises InputError unless every run can be trained on `data`."""
        n_images = len(data.x_train)
        checks.check_shape(self.runs[0].spec, data, self.runs[0].data.dataset)
        for recipe, batch_size in sorted({(run.recipe, run.train.batch_size) for run in self.runs}):
            runs = [run for run in self.runs if (run.recipe, run.train.batch_size) == (recipe, batch_size)]
            names = list(dict.fromkeys(run.implementation for run in runs))
            checks.check_batch_size(batch_size, data, f"{PLAN}: a batch size of")
            checks.check_shares(names, batch_size, n_images)
            if recipe == "idiomatic":
                checks.check_held_out(n_images)
                checks.check_own_norm(
                    f"{PLAN}: the study",
                    names,
                    runs[0].spec,
                    batch_size,
                    n_images,
                    "Begin another study, with another --batch-size or --limit",
                )

    @property
    def by_seed(self) -> list[list[Run]]:
        """The runs of each seed, which are trained in parallel."""
        grouped: dict[int, list[Run]] = {}
        for run in self.runs:
            grouped.setdefault(run.train.seed, []).append(run)
        return list(grouped.values())

    @property
    def implementations(self) -> list[str]:
        """Every implementation that takes part, in the order of the request."""
        return list(dict.fromkeys(run.implementation for run in self.runs))

    @property
    def common_mode(self) -> Mode | None:
        """The mode that was requested for all; None if each runs as its users run it."""
        usual = all(run.mode == IMPLEMENTATIONS[run.implementation].default_mode for run in self.runs)
        return None if usual else self.runs[0].mode
