"""The implementations that can be compared."""

from dataclasses import dataclass, field

from shared.models import MODELS
from shared.protocol import Device, Mode
from shared.training import Dtype

BOTH: tuple[Dtype, ...] = ("float32", "float64")
ALL: tuple[Mode, ...] = ("eager", "graph", "xla")


@dataclass(frozen=True)
class ImplementationSpec:
    """One implementation: the module that exports it, the modes that it has and the one in which its users run it by
    default, the architectures that it has, the types in which it can compute on each device, and the epsilon of its
    framework's own batch normalisation, which its idiomatic recipe uses."""

    name: str
    title: str
    module: str
    default_mode: Mode
    models: tuple[str, ...] = tuple(MODELS)
    modes: tuple[Mode, ...] = ("eager", "graph")
    dtypes: dict[Device, tuple[Dtype, ...]] = field(default_factory=lambda: {"cpu": BOTH, "cuda": BOTH})
    own_epsilon: float = 1e-3

    @property
    def package(self) -> str:
        """The package that the module is in."""
        return self.module.partition(".")[0]


IMPLEMENTATIONS: dict[str, ImplementationSpec] = {
    spec.name: spec
    for spec in (
        ImplementationSpec("torch", "PyTorch", "torch_impl", "eager", own_epsilon=1e-5),
        ImplementationSpec("keras", "Keras", "tf_impl", "graph", modes=ALL),
        ImplementationSpec("tf_lowlevel", "raw TensorFlow", "tf_lowlevel_impl", "graph", modes=ALL),
        ImplementationSpec(
            "keras_functional", "Keras, functional form", "tf_impl.functional", "graph", ("cnn_bn_cifar",), ALL
        ),
    )
}
