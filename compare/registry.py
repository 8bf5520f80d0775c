"""The implementations that can be compared."""

from dataclasses import dataclass, field, replace
from typing import Literal

from shared.models import MODELS
from shared.protocol import Device, Mode
from shared.training import Dtype
from shared.world import MAX_SIZE

BOTH: tuple[Dtype, ...] = ("float32", "float64")
ALL: tuple[Mode, ...] = ("eager", "graph", "xla")


@dataclass(frozen=True)
class ImplementationSpec:
    """One implementation: the module that exports it, the modes that it has and the one in which its users run it by
    default, the architectures that it has, the types in which it can compute on each device, and the epsilon of its
    framework's own batch normalisation, which its idiomatic recipe uses; and how several processes of it train one
    network, if they can, and how many do."""

    name: str
    title: str
    module: str
    default_mode: Mode
    models: tuple[str, ...] = tuple(MODELS)
    modes: tuple[Mode, ...] = ("eager", "graph")
    dtypes: dict[Device, tuple[Dtype, ...]] = field(default_factory=lambda: {"cpu": BOTH, "cuda": BOTH})
    own_epsilon: float = 1e-3
    joined_by: Literal["torchrun", "tf_config"] | None = None
    n_workers: int = 1

    def shared_by(self, n_workers: int) -> "ImplementationSpec":
        """The same trained by so many processes, each on its share of every batch: of what there is no batch
        normalisation in, which would see another batch, and in the default mode."""
        return replace(
            self,
            name=f"{self.name}@{n_workers}",
            title=f"{self.title}, {n_workers} workers",
            models=tuple(name for name in self.models if not MODELS[name].normalises),
            modes=(self.default_mode,),
            n_workers=n_workers,
        )

    @property
    def package(self) -> str:
        """The package that the module is in."""
        return self.module.partition(".")[0]


class Registry(dict[str, ImplementationSpec]):
    """The implementations by name; `NAME@N` is the one of that name trained by N processes."""

    def __missing__(self, name: str) -> ImplementationSpec:
        base, at, n_workers = name.partition("@")
        spec = self.get(base)
        if at and spec and spec.joined_by and n_workers in _WORKERS:
            return spec.shared_by(int(n_workers))
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        try:
            self[name]  # type: ignore[index]
        except KeyError:
            return False
        return True


_WORKERS = {str(n) for n in range(2, MAX_SIZE + 1)}

IMPLEMENTATIONS = Registry(
    (spec.name, spec)
    for spec in (
        ImplementationSpec("torch", "PyTorch", "torch_impl", "eager", own_epsilon=1e-5, joined_by="torchrun"),
        ImplementationSpec("keras", "Keras", "tf_impl", "graph", modes=ALL, joined_by="tf_config"),
        ImplementationSpec(
            "tf_lowlevel", "raw TensorFlow", "tf_lowlevel_impl", "graph", modes=ALL, joined_by="tf_config"
        ),
        ImplementationSpec(
            "keras_functional", "Keras, functional form", "tf_impl.functional", "graph", ("cnn_bn_cifar",), ALL
        ),
    )
)
