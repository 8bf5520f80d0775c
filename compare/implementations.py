"""The implementations that can be compared."""

from dataclasses import dataclass

from shared.protocol import Mode


@dataclass(frozen=True)
class ImplementationSpec:
    """One implementation: the package that holds it, and the mode in which its users run it by default."""

    name: str
    title: str
    package: str
    default_mode: Mode


IMPLEMENTATIONS: dict[str, ImplementationSpec] = {
    spec.name: spec
    for spec in (
        ImplementationSpec("torch", "PyTorch", "torch_impl", "eager"),
        ImplementationSpec("keras", "Keras", "tf_impl", "graph"),
        ImplementationSpec("tf_lowlevel", "raw TensorFlow", "tf_lowlevel_impl", "graph"),
    )
}
