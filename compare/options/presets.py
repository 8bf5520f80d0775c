"""Named sets of options of `run`. Options on the command line have priority over a preset."""

from typing import Any

# The values of options, by the names of their fields.
PRESETS: dict[str, dict[str, Any]] = {
    # High accuracy on MNIST: batch normalisation, and images turned, stretched, shifted and bent.
    "stretch": {
        "model": "cnn_bn_valid",
        "epochs": 18,
        "batch_size": 64,
        "learning_rate": 0.002,
        "augment": "elastic",
        "validation": 1_000,
    },
}
