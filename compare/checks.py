"""What is asked for of data-parallel training: `--world-size`, and what does not go with it."""

from collections.abc import Sequence

from compare.processes import environment
from compare.registry import IMPLEMENTATIONS
from shared.errors import InputError
from shared.models import MODELS
from shared.names import check_name
from shared.world import MAX_SIZE


def named(implementations: Sequence[str], sizes: Sequence[int]) -> list[str]:
    """The implementations at every number of processes: `torch` at 1 and 2 is `torch`, `torch@2`. What names its number
    itself stays as it is. Raises InputError where one cannot be shared."""
    found = []
    for name in implementations:
        found += [name] if "@" in name else [name if size == 1 else _shared(name, size) for size in sizes]
    return found


def _shared(name: str, size: int) -> str:
    spec = IMPLEMENTATIONS[check_name("implementation", name, IMPLEMENTATIONS)]
    if not spec.joined_by:
        able = ", ".join(known for known, other in IMPLEMENTATIONS.items() if other.joined_by)
        raise InputError(
            f"--world-size: the implementation '{name}' cannot be trained by several processes. Known: {able}."
        )
    return f"{name}@{size}"


def check_size(size: int) -> None:
    """Raise InputError unless so many processes can train one network."""
    if not 1 <= size <= MAX_SIZE:
        raise InputError(f"--world-size {size} is not possible. Give a number from 1 to {MAX_SIZE}.")


def check_model(name: str, model: str) -> None:
    """Raise InputError where the implementation `name` is one of several processes, which cannot train `model`."""
    if IMPLEMENTATIONS[name].n_workers > 1 and MODELS[model].normalises:
        able = ", ".join(known for known, spec in MODELS.items() if not spec.normalises)
        raise InputError(
            f"The architecture '{model}' has batch normalisation, which would see each process's share of a batch, by "
            f"other rules in every framework: {name} would train another network. Use --model {able}."
        )


def check_shares(implementations: Sequence[str], batch_size: int, n_images: int, whole_batches: bool = False) -> None:
    """Raise InputError where a batch has fewer images than there are processes; the last one of an epoch, too, unless
    there are `whole_batches` alone."""
    size = most_workers(implementations)
    last = batch_size if whole_batches else n_images % batch_size or batch_size
    if min(batch_size, last) < size:
        which = f"the last batch of an epoch has {last}" if last < batch_size else f"a batch has {batch_size}"
        raise InputError(
            f"Of every batch each of {size} processes takes a share, and {which} of {n_images:,} images. Give another "
            "--batch-size, or fewer processes."
        )


def most_workers(implementations: Sequence[str]) -> int:
    """The most processes that train a network together."""
    return max(IMPLEMENTATIONS[name].n_workers for name in implementations)


def default_threads(implementations: Sequence[str]) -> int:
    """The threads of each process, so that those of one network have a core each."""
    return max(1, environment.usable_cores() // most_workers(implementations))
