"""The environment of a worker: variables set before it imports a framework, and which of them are recorded."""

import getpass
import os
import platform
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from compare import own_packages
from compare.processes.cores import cores
from shared.choices import Waiting
from shared.errors import InputError
from shared.result import Environment
from shared.storage import temporary

# Variables that change a framework's results or speed: they are recorded with every result.
RECORDED_PREFIXES = (
    *("COMPARE_THREADS", "CUBLAS_", "CUDA_", "GLIBC_", "GOMP_", "KERAS_BACKEND", "KMP_", "LD_PRELOAD", "MALLOC_"),
    "MKL_",
    *("NVIDIA_", "OMP_", "OPENBLAS_", "PYTHONHASHSEED", "PYTORCH_", "TORCH", "XLA_"),
    *("TF_CPP_", "TF_CUDNN_", "TF_DETERMINISTIC", "TF_ENABLE_", "TF_FORCE_", "TF_GPU_", "TF_NUM_", "TF_XLA_"),
)


# How OpenMP's threads wait for each other. By default they spin for some milliseconds. That is fast if each has its own
# core, and otherwise takes the core from everything else: beside one busy process PyTorch was 3 times as slow.
WAITING_VARIABLES: dict[Waiting, dict[str, str]] = {
    "passive": {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"},
    "system": {},  # as the user's environment sets it
}
WAITING_VARIABLE = "COMPARE_WAITING"  # names the choice, for the worker to record


def usable_cores() -> int:
    """Return the number of cores for this process (compare/processes/cores.py)."""
    return cores().usable


COMPILED_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"  # the place of compiled code; it changes no result and is not recorded


KEPT_VARIABLE = "COMPARE_COMPILED"  # a folder to reuse code that other packages' frameworks compile


def compiled_in(folder: str) -> dict[str, str]:
    """Return a worker's variables that make its framework keep compiled code in `folder`, and reuse what is there."""
    return {COMPILED_VARIABLE: folder, KEPT_VARIABLE: folder}


def recorded(variables: Mapping[str, str]) -> dict[str, str]:
    """Return those of a worker's variables that are kept with its results."""
    names = (name for name in sorted(variables) if name.startswith(RECORDED_PREFIXES) and name != COMPILED_VARIABLE)
    return {name: variables[name] for name in names}


def worker_variables(threads: int, home: Path, hide_cuda: bool, waiting: Waiting = "passive") -> dict[str, str]:
    """Return the environment of a worker: this process's own, with explicit values for everything that changes a result
    or a time. `home` is its own folder, which includes its framework's temporary files and is removed with them."""
    stated = {
        **WAITING_VARIABLES[waiting],
        WAITING_VARIABLE: waiting,
        "COMPARE_THREADS": str(threads),
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": str(threads),
        # Messages below the level of an error are noise here; errors go to the worker's log.
        "TF_CPP_MIN_LOG_LEVEL": "2",
        # By default Keras reads its backend, float type and image layout from a file in the user's home.
        "KERAS_BACKEND": "tensorflow",
        "KERAS_HOME": str(home),
        "TMPDIR": str(home),
        COMPILED_VARIABLE: _compiled(),  # which outlives the worker, as in any other program
        # TensorFlow takes the whole card unless a variable forbids it, and the workers share it.
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        # If there are several algorithms for a convolution or a product, cuDNN and cuBLAS use one whose bits are
        # reproducible.
        "PYTHONHASHSEED": "0",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        "TF_CUDNN_DETERMINISTIC": "1",
        "PYTHONUNBUFFERED": "1",
        # A framework's own warnings are not errors, and it needs its docstrings and assertions.
        "PYTHONWARNINGS": "",
        "PYTHONOPTIMIZE": "",
        # The worker runs this very code, wherever it is started.
        "PYTHONPATH": os.pathsep.join(import_path()),
        "PYTHONSAFEPATH": "1",
    }
    if hide_cuda:
        stated["CUDA_VISIBLE_DEVICES"] = ""
    return {**os.environ, **stated}


def _compiled() -> str:
    """Return where torch.compile keeps compiled code, by PyTorch's own rule, but with this process's TMPDIR."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user number without a name
        user = str(os.getuid())
    return os.environ.get(COMPILED_VARIABLE) or str(temporary.place() / f"torchinductor_{user.replace('/', '_')}")


def import_path() -> list[str]:
    """Return the user's PYTHONPATH without entries that would hide this code's packages. Add the folder of this code if
    it runs from a checkout instead of being installed."""
    entries = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    own = [entry for entry in entries if not own_packages.hides(Path(entry))]
    installed = Path(sysconfig.get_path("purelib")).resolve() == own_packages.HOME
    return own if installed else [str(own_packages.HOME), *own]


def require_cuda(environments: Mapping[str, Environment]) -> None:
    """Raise InputError if the framework in one of `environments`, by implementation, sees no CUDA device."""
    blind = {name: e.framework_version for name, e in environments.items() if not e.n_cuda_devices}
    if blind:
        raise InputError(
            "--device cuda is not possible: no CUDA device is visible to "
            f"{' or '.join(f'{name} ({version})' for name, version in blind.items())}. Install the framework with "
            "CUDA (for keras and tf_lowlevel: pip install 'tensorflow[and-cuda]'), leave the implementation out "
            "with --implementations, or use --device cpu."
        )


def cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
