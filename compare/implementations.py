"""The implementations that can be compared."""

from dataclasses import dataclass

from shared.models import MODELS
from shared.protocol import Mode


@dataclass(frozen=True)
class ImplementationSpec:
    """One implementation: the module that exports it, the mode in which its users run it by default, and the
    architectures that it has."""

    name: str
    title: str
    module: str
    default_mode: Mode
    models: tuple[str, ...] = tuple(MODELS)


IMPLEMENTATIONS: dict[str, ImplementationSpec] = {
    spec.name: spec
    for spec in (
        ImplementationSpec("torch", "PyTorch", "torch_impl", "eager"),
        ImplementationSpec("keras", "Keras", "tf_impl", "graph"),
        ImplementationSpec("tf_lowlevel", "raw TensorFlow", "tf_lowlevel_impl", "graph"),
        ImplementationSpec(
            "keras_functional", "Keras, functional form", "tf_impl.functional", "graph", ("cnn_bn_cifar",)
        ),
    )
}
