"""The facts about an implementation that are known before its framework is imported."""

from dataclasses import dataclass, field, replace
from typing import Literal

from compare.registry.candidates import Candidate
from shared.choices import Device, Dtype, Format, Mode, Scale, TaskName
from shared.models import MODELS, ModelSpec

BOTH: tuple[Dtype, ...] = ("float32", "float64")


@dataclass(frozen=True)
class Style:
    """The style of its lines: a colour that the colour-blind can distinguish, a line style, and the mark of a point.
    The line style (a name or lengths of dashes, as in Matplotlib) is for print."""

    color: str
    linestyle: str | tuple[float, tuple[float, ...]]
    marker: str = "o"


@dataclass(frozen=True)
class ImplementationSpec:
    """One implementation, and every fact about it.

    name, title: its names in commands and reports.
    module: the worker's import, which exports what shared/protocol.py requires.
    default_mode, modes: the mode in which its users run it by default, and all of its modes.
    models: its architectures.
    tasks: the tasks for which it trains networks of the user's own (shared/task.py).
    own_file: the file of its network in the folder of an architecture of the user's own; "" if it takes none.
    dtypes: the types in which it can compute on each device.
    own_epsilon: the epsilon of its framework's own batch normalisation, which its idiomatic recipe uses.
    own_norm_needs: the smallest batch for which its own batch normalisation can compute a variance.
    joined_by, n_workers: how several of its processes train one network, if they can, and how many do.
    idiomatic_scale: how its idiomatic recipe scales pixels; None if it only has the matched recipe.
    versions: the distributions whose versions determine its speed.
    variables: environment variables that its worker needs, in addition to those of every worker.
    style: its style in plots; None leaves it to the plot.
    exports: the formats that it writes.
    also_serves: formats that it only writes for serving: `compare export` has another writer for them.
    candidates: the choices of the mode `tuned`, for each device; without any it has no such mode.
    plain: the start of its speed waterfall: what its framework's users write first.
    """

    name: str
    title: str
    module: str
    default_mode: Mode
    models: tuple[str, ...] = tuple(MODELS)
    tasks: tuple[TaskName, ...] = ("classification",)
    own_file: str = ""
    modes: tuple[Mode, ...] = ("eager", "graph")
    dtypes: dict[Device, tuple[Dtype, ...]] = field(default_factory=lambda: {"cpu": BOTH, "cuda": BOTH})
    own_epsilon: float = 1e-3
    own_norm_needs: int = 1
    joined_by: Literal["torchrun", "tf_config"] | None = None
    n_workers: int = 1
    idiomatic_scale: Scale | None = None
    versions: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    style: Style | None = None
    exports: tuple[Format, ...] = ()
    also_serves: tuple[Format, ...] = ()
    candidates: dict[Device, tuple[Candidate, ...]] = field(default_factory=dict)
    plain: tuple[Candidate, ...] = ()

    def shared_by(self, n_workers: int) -> "ImplementationSpec":
        """Return the same trained by `n_workers` processes, each on its share of every batch, in the default mode.
        Networks with batch normalisation are left out: statistics would be per share."""
        return replace(
            self,
            name=f"{self.name}@{n_workers}",
            title=f"{self.title}, {n_workers} workers",
            models=tuple(name for name in self.models if name in MODELS and not MODELS[name].normalises),
            modes=(self.default_mode,),
            n_workers=n_workers,
        )

    def has(self, model: ModelSpec) -> bool:
        """Return whether it has that architecture: one of its own, or one of the user's own with a file for it."""
        if model.code is None:
            return model.name in self.models
        if model.task not in self.tasks:
            return False
        return self.own_file in dict(model.code.files) and not (self.n_workers > 1 and model.normalises)

    @property
    def package(self) -> str:
        """The package that the module is in."""
        return self.module.partition(".")[0]
