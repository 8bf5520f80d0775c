"""Checks of options and data that several commands share."""

from collections.abc import Sequence

from compare.processes import environment
from compare.registry import IMPLEMENTATIONS, implementation
from shared.choices import MixedPrecision
from shared.data import Data
from shared.errors import InputError
from shared.models import MODELS, ModelSpec
from shared.task import TASKS

TUNED = "tuned"  # as a mode: the fastest for each here


def named(implementations: Sequence[str], sizes: Sequence[int]) -> list[str]:
    """Return the implementations at every number of processes: `torch` at 1 and 2 is `torch`, `torch@2`. A name that
    includes its number is unchanged. Raises InputError if one cannot be shared."""
    found = []
    for name in implementations:
        numbered = "@" in name and implementation(name).n_workers > 1  # keras@jax is not one
        found += [name] if numbered else [name if size == 1 else _shared(name, size) for size in sizes]
    return found


def _shared(name: str, size: int) -> str:
    spec = implementation(name)
    if not spec.joined_by:
        able = ", ".join(known for known, other in IMPLEMENTATIONS.items() if other.joined_by)
        raise InputError(
            f"--world-size: the implementation '{name}' cannot be trained by several processes. Known: {able}."
        )
    return f"{name}@{size}"


def having(implementations: tuple[str, ...], by_default: tuple[str, ...], model: ModelSpec) -> tuple[str, ...]:
    """Return the implementations that take part. For a network of the user's own, implementations without a file for it
    are left out, unless they were named. Raise InputError if none remains."""
    if model.code is None or implementations != by_default:
        return implementations
    left = tuple(name for name in implementations if implementation(name).has(model))
    if not left:
        files = ", ".join(one.own_file for one in IMPLEMENTATIONS.values() if one.own_file)
        raise InputError(f"{model.code.folder} has none of {files}. Add one, or name the --implementations.")
    return left


def left_out(by_default: tuple[str, ...], left: Sequence[str]) -> str:
    """Return in words which implementations are left out, and why; "" if none are."""
    gone = [name for name in by_default if name not in left]
    files = " and ".join(implementation(name).own_file for name in gone)
    return f"Left out: {', '.join(gone)}, as the folder has no {files}." if gone else ""


def check_own_recipe(option: str, names: Sequence[str]) -> None:
    """Raise InputError if one only has the matched recipe, and `option` needs its users' own."""
    if without := [name for name in names if implementation(name).idiomatic_scale is None]:
        having = ", ".join(name for name, spec in IMPLEMENTATIONS.items() if spec.idiomatic_scale)
        what = f"{option} needs a framework's own recipe, which {' and '.join(without)} lacks"
        raise InputError(f"{what}. Known: {having}. Leave it out of --implementations.")


def check_model(name: str, model: ModelSpec) -> None:
    """Raise InputError if the implementation `name` has no `model`, or if it is one of several processes, which cannot
    train it."""
    spec = implementation(name)
    if spec.n_workers > 1 and model.normalises:
        able = ", ".join(known for known, other in MODELS.items() if not other.normalises)
        raise InputError(
            f"The architecture '{model.name}' has batch normalisation, whose statistics would be per process, "
            f"by different rules in every framework: {name} would train another network. Use --model {able}."
        )
    if model.task not in spec.tasks:
        raise InputError(
            f"'{model.name}' is for {TASKS[model.task].title}, and the implementation '{name}' is for "
            f"{' and '.join(TASKS[task].title for task in spec.tasks)} only. Leave it out of --implementations."
        )
    if model.code is not None and not spec.has(model):
        needed = f"a file {spec.own_file} there" if spec.own_file else "code in this suite to take networks of your own"
        raise InputError(
            f"'{model.name}' has no network for the implementation '{name}', which needs {needed}. Leave it out of "
            "--implementations, or add it."
        )
    if not spec.has(model):
        raise InputError(
            f"The implementation '{name}' has no '{model.name}', only {', '.join(spec.models)}. Leave it out of "
            "--implementations, or give another --model."
        )


def check_shares(implementations: Sequence[str], batch_size: int, n_images: int, whole_batches: bool = False) -> None:
    """Raise InputError if a batch has fewer images than there are processes. This includes the last batch of an epoch,
    unless there are only `whole_batches`."""
    size = most_workers(implementations)
    last = batch_size if whole_batches else n_images % batch_size or batch_size
    if min(batch_size, last) < size:
        which = f"the last batch of an epoch has {last}" if last < batch_size else f"a batch has {batch_size}"
        raise InputError(
            f"Each of {size} processes takes a share of every batch, and {which} of {n_images:,} images. Give another "
            "--batch-size, or fewer processes."
        )


def most_workers(implementations: Sequence[str]) -> int:
    """Return the most processes that train a network together."""
    return max(IMPLEMENTATIONS[name].n_workers for name in implementations)


def default_threads(implementations: Sequence[str]) -> int:
    """Return the threads of each process that give the processes of one network a core each."""
    return max(1, environment.usable_cores() // most_workers(implementations))


def check_mixed_precision(name: MixedPrecision, device: str) -> None:
    """Raise InputError if the device has no such format."""
    if name == "tf32" and device != "cuda":
        raise InputError(
            "--mixed-precision tf32 is a format of CUDA devices only. Give --device cuda with it, or use bfloat16."
        )


def check_mode(implementation: str, mode: str) -> None:
    """Raise InputError if the implementation does not have the mode."""
    having = IMPLEMENTATIONS[implementation].modes
    if mode != "default" and mode not in having:
        raise InputError(
            f"The implementation '{implementation}' has no mode '{mode}', only {' and '.join(having)}. Leave it out of "
            "--implementations, or give another --mode."
        )


def check_shape(model: ModelSpec, data: Data, dataset: str) -> None:
    """Raise InputError unless the images of `dataset` have the shape that `model` takes, and its task's labels, with at
    most its number of classes."""
    check_task(model, data, dataset)
    shape = data.x_train.shape[1:]
    if model.inputs != "images":
        _check_example(model, data, dataset)
    elif shape != model.input_shape:
        fitting = [name for name, spec in MODELS.items() if spec.input_shape == shape]
        advice = f"Use --model {' or '.join(fitting)}, or another data set."
        if model.code is not None:
            way = _brought(shape, model.input_shape)
            change = f"convert them with {way}, or " if way else ""
            advice = f"Give other images (--dataset), {change}change the network and its contract."
        elif not fitting:
            advice = f"No built-in architecture takes images of that shape. {resizing(shape, model)}"
        raise InputError(
            f"The architecture '{model.name}' takes images of {model.input_shape} (height, width, channels), "
            f"and those of {dataset} are {shape}. {advice}"
        )
    if model.task == "classification":
        _check_classes(model, data, dataset)
    elif data.y_train.shape[1:] != (model.n_classes,):
        raise InputError(
            f"The architecture '{model.name}' has {model.n_classes} outputs, and {dataset} has {data.y_train.shape[1]} "
            "numbers for each image. Give other data, or change the network and its contract."
        )


def _check_example(model: ModelSpec, data: Data, dataset: str) -> None:
    """Raise InputError unless the vectors, sequences or tokens have the shape that the network takes."""
    shape, sizes = data.x_train.shape[1:], " x ".join(map(str, model.input_shape))
    if shape != model.input_shape:
        raise InputError(
            f"The architecture '{model.name}' takes {model.inputs} of {sizes}, and those of {dataset} are "
            f"{' x '.join(map(str, shape))}. Give other data, or change the network and its contract."
        )
    highest = max(x.max() for x in (data.x_train, data.x_test))
    if model.vocabulary is not None and highest >= model.vocabulary:
        raise InputError(
            f"The architecture '{model.name}' has {model.vocabulary:,} tokens, 0 to {model.vocabulary - 1:,}, and "
            f"those of {dataset} go up to {highest:,}. Give other data, or change the network and its contract."
        )


def check_only_images(model: ModelSpec, option: str) -> None:
    """Raise InputError if `option` only makes sense for images, and the network takes something else."""
    if model.inputs != "images":
        raise InputError(f"{option} is for images, and '{model.name}' takes {model.inputs}. Leave it out.")


def check_task(model: ModelSpec, data: Data, dataset: str) -> None:
    """Raise InputError unless the labels of `dataset` suit the task of `model`."""
    found = data.spec.task if data.spec and data.spec.task else "classification"
    if found == model.task:
        return
    wanted, given = TASKS[model.task], TASKS[found]
    if model.code is None:
        advice = f"Give --model the folder of a network of your own for {given.title} (docs/tasks.md)"
    elif found == "classification" and not dataset.endswith(".npz"):
        advice = "Give data for it: --dataset FILE.npz (docs/tasks.md)"
    else:
        advice = f"Write its contract for it: python -m compare contract {model.name} --task {found}"
    if found == "multilabel" and model.task == "classification":
        advice += ", or, if exactly one is 1 in each row, give the numbers of the classes: y.argmax(axis=1)"
    elif dataset.endswith(".npz") and model.task != "classification":
        advice += f", or, if the labels are meant so, read them so: --task {model.task}"
    raise InputError(
        f"The architecture '{model.name}' is for {wanted.title}, and the labels of {dataset} are for {given.title}. "
        f"For {wanted.title} a label is {wanted.label}. {advice}."
    )


def check_only_classification(model: ModelSpec, option: str) -> None:
    """Raise InputError if `option` only makes sense for classification, and the network is for something else."""
    if model.task != "classification":
        raise InputError(
            f"{option} is for classification, and '{model.name}' is for {TASKS[model.task].title}. Leave it out."
        )


def resizing(shape: tuple[int, ...], model: ModelSpec | None = None) -> str:
    """Return the options that convert images of an unsupported shape to that of `model`, and to others'."""
    ways = {name: _brought(shape, spec.input_shape) for name, spec in MODELS.items()}
    wanted = "" if model is None else _brought(shape, model.input_shape)
    by_way = {way: name for name, way in reversed(ways.items()) if way and way != wanted}
    alike = {way: name for way, name in by_way.items() if "--channels" not in way}
    if wanted and "--channels" not in wanted:
        others: dict[str, str] = {}
    else:
        others = alike or (by_way if not wanted else {})
    found = [*([wanted] if wanted else []), *(f"{way} for --model {name}" for way, name in others.items())]
    if not found:
        return "Give another data set, or a network of your own (docs/your-own-network.md)."
    return (
        f"Convert them with {' or '.join(found)}, or give another data set, or a network of your own "
        "(docs/your-own-network.md)."
    )


def _brought(shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """Return the options that convert images of `shape` (height, width, channels) to another; "" if none do."""
    if not len(shape) == len(wanted) == 3 or shape[2] not in (1, 3, wanted[2]):
        return ""
    height, width, channels = wanted
    size = f"--resize {height if height == width else f'{height}x{width}'}" if shape[:2] != wanted[:2] else ""
    colours = f"--channels {'grey' if channels == 1 else 'colour'}" if shape[2] != channels else ""
    return " ".join(option for option in (size, colours) if option)


def _check_classes(model: ModelSpec, data: Data, dataset: str) -> None:
    names = data.spec.classes if data.spec else ()
    highest = max(int(labels.max()) for labels in (data.y_train, data.y_test))
    if highest < model.n_classes >= len(names):
        return
    n_classes, shape = max(highest + 1, len(names)), data.x_train.shape[1:]
    fitting = [name for name, spec in MODELS.items() if spec.input_shape == shape and spec.n_classes >= n_classes]
    advice = f"Use --model {' or '.join(fitting)}" if fitting else "Leave those images out"
    if names:
        advice = f"{advice}, or give" if fitting else "No architecture has that many for this shape. Give"
        raise InputError(
            f"The architecture '{model.name}' has {model.n_classes} classes, and {dataset} has {len(names)}. {advice} "
            "another data set."
        )
    lowest = min(int(labels.min()) for labels in (data.y_train, data.y_test))
    if lowest == 1 and highest == model.n_classes:
        advice = "If yours count from 1, subtract 1 from all labels, training and test"
    raise InputError(
        f"The architecture '{model.name}' has {model.n_classes} classes, 0 to {model.n_classes - 1}, and labels of "
        f"{dataset} go up to {highest}. {advice}, or give another data set."
    )


def check_own_norm(
    what: str, implementations: Sequence[str], model: ModelSpec, batch_size: int, n_images: int, change: str
) -> None:
    """Raise InputError if `what` (an option) leaves a batch with too few images for the batch normalisation of an
    implementation's own framework. It holds out a tenth of the `n_images`; `change` says what helps: "Give another
    --batch-size"."""
    n_kept = n_images - n_images // 10
    last = n_kept % batch_size or batch_size
    refusing = [name for name in implementations if last < IMPLEMENTATIONS[name].own_norm_needs]
    if not refusing or not model.normalises_vectors:
        return
    which = "every batch" if batch_size == last else "the last batch of an epoch"
    raise InputError(
        f"{what} trains on {n_kept:,} of the {n_images:,} training images in batches of {batch_size:,}. So {which} "
        f"has {'one image' if last == 1 else f'{last} images'}. {IMPLEMENTATIONS[refusing[0]].title}'s own batch "
        f"normalisation, which {model.name} then uses, cannot compute a variance from that. {change}, or leave "
        f"{' and '.join(refusing)} out of --implementations."
    )


def check_held_out(n_images: int) -> None:
    """Raise InputError if a tenth of the training images, which the idiomatic recipe validates on, is no image."""
    if n_images < 10:
        raise InputError(
            "--recipe idiomatic holds out a tenth of the training images for validation, and there is no tenth of "
            f"{n_images:,}. Train on ten images or more (--limit), or use --recipe matched."
        )


def check_batch_size(batch_size: int, data: Data, option: str = "--batch-size") -> None:
    """Raise InputError if a batch would be larger than all training images."""
    if batch_size > len(data.x_train):
        raise InputError(
            f"{option} {batch_size:,} is larger than the {len(data.x_train):,} training images. Give that many or "
            "fewer."
        )
