"""What only some users want, and is not installed with this project unless asked for."""

import importlib.util

from shared.errors import InputError

EXTRAS = {"onnx": ("onnx", "onnxscript", "onnxruntime"), "mlflow": ("mlflow",)}  # of pyproject.toml, and their modules


def require(extra: str, asked_by: str) -> None:
    """Raise InputError unless every package of `extra` is installed, which is not imported for it."""
    if missing := [module for module in EXTRAS[extra] if importlib.util.find_spec(module) is None]:
        raise InputError(
            f"{asked_by} needs {' and '.join(missing)}, which this environment lacks. Install it: "
            f"pip install 'compare[{extra}]', or in a checkout pip install -e '.[{extra}]'."
        )
