"""Declarations that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from compare.options.option import COMPUTATION, DATA, OUTPUT, REQUIRED, argument, option
from shared.choices import Waiting
from shared.storage import mounts

if TYPE_CHECKING:
    from shared.data import DataSpec

# The default of --waiting, by command: decided here alone (docs/decisions.md, "How threads wait").
DEFAULT_WAITING: dict[str, Waiting] = {"run": "passive", "bench": "system"}
BY_DEFAULT = ("torch", "keras", "tf_lowlevel")
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


def resize(**declared: Any) -> Any:
    return option(
        None,
        DATA,
        "Resize images to this many pixels, such as 28 or 28x40 (height x width).",
        note="They keep their proportions ([docs/own-images.md](docs/own-images.md)).",
        metavar="SIZE",
        left_out="as they are",
        **declared,
    )


def channels(**declared: Any) -> Any:
    return option(
        None,
        DATA,
        "Convert images to grey or colour.",
        left_out="as they are; a folder is grey if all in it is",
        **declared,
    )


def split(**declared: Any) -> Any:
    return option(
        None,
        DATA,
        "Share of test images if the data have no test part; the same for every class.",
        left_out="0.2",
        gt=0,
        lt=1,
        quantity="a share",
        example="0.2 stands for 20 %",
        **declared,
    )


def task(**declared: Any) -> Any:
    return option(
        None,
        DATA,
        "What the labels of an .npz file are for: classification, regression or multilabel.",
        note="[docs/tasks.md](docs/tasks.md).",
        left_out="as they are",
        **declared,
    )


def out(left_out: str, help: str = "Output folder.", **declared: Any) -> Any:
    """Declare a folder that the command creates."""
    return option(None, OUTPUT, help, left_out=left_out, **({"parse": mounts.located_new, "metavar": "DIR"} | declared))


def timeout(**declared: Any) -> Any:
    return option(
        300.0,
        COMPUTATION,
        "Give up on a worker after this many seconds without an answer.",
        ge=1,
        le=1_000_000,
        forms=None,
        **declared,
    )


def waiting(command: str, **declared: Any) -> Any:
    """Declare how the OpenMP threads of a timed worker wait for each other."""
    return option(
        DEFAULT_WAITING[command],
        COMPUTATION,
        "How OpenMP threads wait: passive (they sleep) or system (they spin first, unless your environment says "
        "otherwise).",
        note="[docs/bench.md](docs/bench.md#how-threads-wait).",
        **declared,
    )


def own_model(**declared: Any) -> Any:
    """Declare the place of the user's own network that a folder was made with."""
    return option(
        None,
        DATA,
        "Folder of your own network, if it was moved or comes from someone else.",
        left_out="as the run says",
        metavar="DIR/",
        **declared,
    )


def run_dir(help: str = "Folder that 'python -m compare' wrote.", **declared: Any) -> Any:
    return argument(REQUIRED, help, parse=mounts.located, **declared)


class ReadsData:
    """The common part of options that include `data_dir`."""

    data_dir: Path | None

    def data_spec(self, dataset: str, **fields: Any) -> "DataSpec":
        """Return the data: the chosen data set, read as the options say. Raises InputError."""
        from shared.data import DataSpec
        from shared.data.resizing import parse_size

        size, read = getattr(self, "resize", None), ("channels", "split", "task")
        options = {name: getattr(self, name, None) for name in read}
        return DataSpec(dataset=dataset, resize=None if size is None else parse_size(size), **options, **fields)

    @property
    def data_folder(self) -> Path:
        """Return the folder of data sets: the given one, or the user's cache."""
        from shared.data.choice import default_data_dir

        return self.data_dir or default_data_dir()
