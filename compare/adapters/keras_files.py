"""A file that Keras saved, read as a model that computes in another precision."""

import json
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras

from compare.adapters.adapter import Unreadable
from compare.adapters.keras_adapter import KerasAdapter
from compare.adapters.tensorflow_watch import plain

MOST_SHOWN = 400  # of what Keras says of a file


def load_keras_file(path: Path, precision: str) -> KerasAdapter:
    """Return the adapter of a model that Keras saved, with layers that compute in `precision`. Raises Unreadable if it
    cannot be read."""
    try:
        with TemporaryDirectory() as folder:
            copy = Path(folder) / "model.keras"
            with zipfile.ZipFile(path) as before, zipfile.ZipFile(copy, "w") as after:
                for name in before.namelist():
                    content = before.read(name)
                    if name == "config.json":
                        content = json.dumps(_in_precision(json.loads(content), precision)).encode()
                    after.writestr(name, content)
            return KerasAdapter(keras.saving.load_model(copy, compile=False))
    except Exception as error:
        raise Unreadable(f"{path.name} cannot be read as a model of Keras: {plain(error)[:MOST_SHOWN]}") from error


def _in_precision(config: Any, precision: str) -> Any:
    """Return the configuration of a model with other types of floating-point numbers: a file states one per layer."""
    if isinstance(config, list):
        return [_in_precision(each, precision) for each in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy" and "float" in str(config["config"].get("name")):
        return config | {"config": config["config"] | {"name": precision}}
    changed = {name: _in_precision(each, precision) for name, each in config.items()}
    if isinstance(config.get("dtype"), str) and "float" in config["dtype"]:
        changed["dtype"] = precision
    return changed
