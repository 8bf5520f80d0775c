"""Optional packages: which are installed, and which a user must request from this project."""

import importlib.util
from importlib.metadata import PackageNotFoundError, version

from shared.errors import InputError

# The extras of pyproject.toml, and their modules.
EXTRAS = {
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "mlflow": ("mlflow",),
    "ray": ("ray",),
    "tensorboard": ("tensorboard",),
    "s3": ("obstore", "boto3"),
    "gs": ("obstore",),
    "sign": ("cryptography",),
}


def missing(extra: str) -> list[str]:
    """Return the modules of `extra` that are not installed, without importing any."""
    return [module for module in EXTRAS[extra] if importlib.util.find_spec(module) is None]


def require(extra: str, asked_by: str) -> None:
    """Raise InputError unless every package of `extra` is installed."""
    if lacking := missing(extra):
        raise InputError(
            f"{asked_by} needs {' and '.join(lacking)}, which this environment lacks. Install it: "
            f"pip install 'compare[{extra}]', or in a checkout pip install -e '.[{extra}]'."
        )


def installed_versions(*packages: str) -> dict[str, str]:
    """Return the versions of the installed ones, without importing them."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
