"""Declarations that several commands share."""

from pathlib import Path
from typing import Any

from compare.options.option import COMPUTATION, DATA, OUTPUT, REQUIRED, argument, option
from shared.choices import Waiting
from shared.storage import mounts

# What --waiting is when left out, by command: decided here alone (docs/decisions.md, "How threads wait").
DEFAULT_WAITING: dict[str, Waiting] = {"run": "passive", "bench": "system"}
IMPLEMENTATIONS = ("torch", "keras", "tf_lowlevel")
MOST_SEED = 2**32 - 1


def data_dir(**declared: Any) -> Any:
    return option(
        None,
        DATA,
        "Folder of data sets in torchvision's layout.",
        parse=mounts.located_data,
        variable="COMPARE_DATA_DIR",
        left_out="the user's cache",
        metavar="DIR",
        **declared,
    )


def out(left_out: str, help: str = "Output folder.", **declared: Any) -> Any:
    """A folder that the command makes."""
    return option(None, OUTPUT, help, left_out=left_out, **({"parse": mounts.located_new, "metavar": "DIR"} | declared))


def timeout(**declared: Any) -> Any:
    return option(
        300.0,
        COMPUTATION,
        "Give a worker up after so many seconds without an answer.",
        ge=1,
        le=1_000_000,
        forms=None,
        **declared,
    )


def waiting(command: str, **declared: Any) -> Any:
    """How the OpenMP threads of a timed worker wait for each other."""
    return option(
        DEFAULT_WAITING[command],
        COMPUTATION,
        "How OpenMP threads wait: passive (they sleep) or system (they spin first, unless your environment says "
        "otherwise).",
        note="[docs/bench.md](docs/bench.md#how-threads-wait).",
        **declared,
    )


def own_model(**declared: Any) -> Any:
    """Where the network of the user's own lies that a folder is of."""
    return option(
        None,
        DATA,
        "Folder of the network of your own, if it was moved or comes from someone else.",
        left_out="as the run says",
        metavar="DIR/",
        **declared,
    )


def run_dir(help: str = "Folder that 'python -m compare' wrote.", **declared: Any) -> Any:
    return argument(REQUIRED, help, parse=mounts.located, **declared)


class ReadsData:
    """What options have in common of which one is `data_dir`."""

    data_dir: Path | None

    @property
    def data_folder(self) -> Path:
        """Where data sets are: as was said, or in the user's cache."""
        from shared.data.choice import default_data_dir

        return self.data_dir or default_data_dir()
