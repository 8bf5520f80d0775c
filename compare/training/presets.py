"""Named sets of options. What is given on the command line goes before what a preset says."""

from dataclasses import dataclass

from shared.training import Augmentation


@dataclass(frozen=True)
class Preset:
    """One way of training, and what it is for."""

    name: str
    purpose: str
    model: str
    epochs: int
    batch_size: int
    learning_rate: float
    augmentation: Augmentation
    validation: int


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "stretch",
            "high accuracy on MNIST: batch normalisation, and images turned, stretched, shifted and bent",
            model="cnn_bn_valid",
            epochs=18,
            batch_size=64,
            learning_rate=0.002,
            augmentation="elastic",
            validation=1_000,
        ),
    )
}
