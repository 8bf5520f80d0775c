"""Read a `.keras` file, which may come from anywhere: check its sizes, then use Keras's loader in safe mode."""

import json
import shutil
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras

from compare.adapters.adapter import Unreadable
from compare.adapters.keras_adapter import KerasAdapter
from compare.adapters.plain import plain

CONFIG = "config.json"
MAX_CONFIG_BYTES = 64 << 20
FREE_BYTES, MAX_RATIO = 64 << 20, 100  # always allowed size of an unpacked part; beyond it, its ratio to the file
MOST_SHOWN = 400  # characters of Keras's message about a file


def load_keras_file(path: Path, precision: str) -> KerasAdapter:
    """Return the adapter of a model that Keras saved, with layers that compute in `precision`. Raises Unreadable if it
    cannot be read."""
    try:
        with TemporaryDirectory() as folder:
            copy = Path(folder) / "model.keras"
            with zipfile.ZipFile(path) as before, zipfile.ZipFile(copy, "w") as after:
                _check_sizes(path, before)
                for part in before.infolist():
                    if part.filename == CONFIG:
                        content = json.dumps(_in_precision(json.loads(before.read(part)), precision)).encode()
                        after.writestr(CONFIG, content)
                    else:
                        with before.open(part) as source, after.open(part.filename, "w", force_zip64=True) as target:
                            shutil.copyfileobj(source, target)
            return KerasAdapter(keras.saving.load_model(copy, compile=False))
    except Unreadable:
        raise
    except RecursionError:
        raise Unreadable(f"{path.name} cannot be read as a model of Keras: {CONFIG} is nested too deeply.") from None
    except MemoryError:
        raise Unreadable(f"{path.name} cannot be read: there is not enough memory for its weights.") from None
    except Exception as error:
        raise Unreadable(f"{path.name} cannot be read as a model of Keras: {plain(error)[:MOST_SHOWN]}") from error


def _check_sizes(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise Unreadable if a part is in the file twice, or would unpack to much more than its size in the file. Keras
    copies parts unpacked, and its own check misses this."""
    names = archive.namelist()
    if len(set(names)) < len(names):
        raise Unreadable(f"{path.name} has a part twice. Save the model again.")
    for part in archive.infolist():
        allowed = MAX_CONFIG_BYTES if part.filename == CONFIG else max(FREE_BYTES, MAX_RATIO * part.compress_size)
        if part.file_size > allowed:
            raise Unreadable(
                f"{path.name}: {part.filename[:100]} would unpack to {part.file_size:,} bytes, and takes "
                f"{part.compress_size:,} in the file, which models do not. Save the model again."
            )


def _in_precision(config: Any, precision: str) -> Any:
    """Return the configuration of a model with other floating-point types: a file states one per layer."""
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
