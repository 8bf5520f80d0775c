"""Load a model from a reference: the user's code is imported here, in the worker, and nowhere else."""

import importlib
import importlib.util
import json
import os
import pickle
import random
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from compare.adapters.adapter import Adapter, Unreadable, users_own
from compare.adapters.references import Reference
from shared.lean import for_good

# A folder with a file of one of these names must not come before the installed packages.
EXTRA = "pip install 'compare[{0}]', or in a checkout pip install -e '.[{0}]'"
BACKENDS = ("tensorflow", "torch", "jax")  # Keras's backends that can be read
FRAMEWORKS = ("torch", "keras", "tensorflow", "numpy", "onnx", "torchvision", "jax", "shared", "compare")


def backend() -> str:
    """Return Keras's backend in this process."""
    return os.environ.get("KERAS_BACKEND", "tensorflow")


def prepare(precision: str) -> None:
    """Make the building of models reproducible, and let Keras build in `precision`. Call it before any import. Raises
    Unreadable if Keras's backend is missing."""
    wanted = backend()
    if wanted not in BACKENDS:
        raise Unreadable(
            f"Keras on {wanted} is not read: its backend must be {', '.join(BACKENDS[:-1])} or {BACKENDS[-1]}."
        )
    if wanted != "tensorflow" and importlib.util.find_spec(wanted) is None:
        how = EXTRA.format(wanted) if wanted == "jax" else f"pip install {wanted}"
        raise Unreadable(f"Keras is to compute with {wanted}, which this environment lacks. Install it: {how}.")
    home = Path(os.environ["KERAS_HOME"])
    settings = {"floatx": precision, "epsilon": 1e-7, "backend": backend(), "image_data_format": "channels_last"}
    (home / "keras.json").write_text(json.dumps(settings))
    if keras := sys.modules.get("keras"):  # used by an earlier model: layer numbers start again
        keras.utils.clear_session()
    _seed()


def load(reference: Reference, precision: str) -> Adapter:
    """Return the model's adapter. Raises Unreadable, and anything that the user's code raises."""
    if reference.path is not None:
        return _saved(reference.path, precision)
    found = named(reference)
    if isinstance(found, type):
        with users_own():
            found = found(*reference.args, **dict(reference.kwargs))
    return adapter_of(found, reference, precision)


def named(reference: Reference) -> Any:
    """Return what a reference names or, if it is a call, its result. Raises Unreadable, and anything that the user's
    code raises."""
    with users_own(), _framework_comes():
        module = _module(reference)
    _keep_float64()
    found: Any = module
    for part in reference.name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise Unreadable(_no_such_name(reference, module)) from None
    _seed()
    if reference.called:
        with users_own():
            found = found(*reference.args, **dict(reference.kwargs))
    return found


def adapter_of(found: Any, reference: Reference, precision: str) -> Adapter:
    """Return the adapter for an object that a reference names: a model, or a function's result. The type decides."""
    for _ in range(2):
        if (adapter := _known(found, precision)) is not None:
            return adapter
        if not callable(found) or isinstance(found, type):
            break
        with users_own():
            found = found()
    raise Unreadable(
        f"{reference.text} is not a model but {type(found).__name__}. It must be a torch.nn.Module, a Keras model, a "
        "tf.Module, a function of tensors over tf.Variables, or a class or function that returns one."
    )


def _known(found: Any, precision: str) -> Adapter | None:
    torch, keras, tensorflow = (sys.modules.get(name) for name in ("torch", "keras", "tensorflow"))
    if keras is not None and isinstance(found, keras.layers.Layer):  # with PyTorch as the backend this is also a module
        from compare.adapters.keras_adapter import KerasAdapter

        return KerasAdapter(found)
    if torch is not None and isinstance(found, torch.nn.Module):
        from compare.adapters.torch_adapter import TorchAdapter

        return TorchAdapter(found, precision)
    if tensorflow is not None:
        from compare.adapters.tensorflow_adapter import TensorFlowAdapter, is_network

        if isinstance(found, tensorflow.Module) or is_network(found):
            return TensorFlowAdapter(found)
    return None


def _module(reference: Reference) -> ModuleType:
    if not reference.module.endswith(".py"):
        return importlib.import_module(reference.module)
    path = Path(reference.module).resolve()
    hides = any((path.parent / name).exists() for one in FRAMEWORKS for name in (one, f"{one}.py"))
    sys.path.insert(len(sys.path) if hides else 0, str(path.parent))
    name = path.stem if path.stem not in (*FRAMEWORKS, *sys.stdlib_module_names) else f"users_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Unreadable(f"{path.name} cannot be imported as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _no_such_name(reference: Reference, module: ModuleType) -> str:
    own = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and callable(value) and getattr(value, "__module__", None) == module.__name__
    ]
    hint = f" It has {', '.join(sorted(own)[:8])}." if own else ""
    return f"{reference.module} has no {reference.name}.{hint}"


def _saved(path: Path, precision: str) -> Adapter:
    suffix = path.suffix.lower()
    if suffix == ".keras":
        with _framework_comes():
            from compare.adapters.keras_file import load_keras_file
        return load_keras_file(path, precision)
    if suffix == ".onnx":
        from compare.adapters.onnx_adapter import OnnxAdapter

        return OnnxAdapter(path)
    if suffix == ".pt2":
        return _exported(path, precision)
    with _framework_comes():
        from compare.adapters.saved_models import load_saved_model
    return load_saved_model(path)


def _exported(path: Path, precision: str) -> Adapter:
    with _framework_comes():
        import torch

        from compare.adapters.torch_adapter import TorchAdapter

    # An exported program may contain pickles, which can be programs, and torch.export reads them as such.
    with _environment("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "1"):
        try:
            program = torch.export.load(path)
        except pickle.UnpicklingError:
            raise Unreadable(
                f"{path.name} holds Python objects besides tensors, which are not read: they could be programs. Give "
                "the module that it was exported from, as FILE.py:NAME."
            ) from None
        except Exception as error:  # a broken file can raise anything
            first = str(error).strip().splitlines() or [type(error).__name__]
            raise Unreadable(f"{path.name} cannot be read as an exported PyTorch program: {first[0][:300]}") from None
    return TorchAdapter(program.module(), precision)


def _framework_comes() -> AbstractContextManager[None]:
    """Return a context that excludes a newly imported framework from garbage collection, but no later models."""
    return nullcontext() if {"torch", "tensorflow", "jax"} & sys.modules.keys() else for_good()


@contextmanager
def _environment(variable: str, value: str) -> Iterator[None]:
    """Set a variable of this process's environment while the context lasts."""
    before = os.environ.get(variable)
    os.environ[variable] = value
    try:
        yield
    finally:
        os.environ.pop(variable)
        if before is not None:
            os.environ[variable] = before


def _keep_float64() -> None:
    """Let Keras keep float64 with backends other than TensorFlow. It otherwise turns it into float32 when it derives a
    type."""
    if backend() != "tensorflow" and "keras" in sys.modules:
        from keras.src.backend.common import dtypes

        dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"


def _seed() -> None:
    """Seed the sources of initial weights, in all modules imported so far."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  # users draw from it
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)
    if tensorflow := sys.modules.get("tensorflow"):
        tensorflow.random.set_seed(0)
    if keras := sys.modules.get("keras"):
        keras.utils.set_random_seed(0)
