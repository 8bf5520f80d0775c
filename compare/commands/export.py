"""`compare export`: write a trained network as a file that its framework loads without this project."""

import math
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compare import checks, networks
from compare.analysis.figures import figure_of
from compare.extras import require
from compare.folders.additions import adding_to
from compare.folders.run_folder import load_data, load_results, load_weights
from compare.options.folders import ExportOptions
from compare.processes import environment
from compare.processes.pool import Workers
from compare.processes.process import WorkerError
from compare.registry import IMPLEMENTATIONS
from compare.reporting import listeners
from compare.reporting.screen import Screen
from shared import randomness
from shared.choices import Format
from shared.data import channel_statistics, load, standardised
from shared.errors import InputError, check_name
from shared.models import BATCH_NORM_EPSILON, ModelSpec
from shared.protocol import Build
from shared.result import RunResult
from shared.storage import temporary
from shared.weights import Weights

TIMEOUT_S = 300.0
N_IMAGES = 256  # images for comparing a file with the network that it was made from
TOLERANCE = 1e-4  # relative to the largest logit: float32 and another order of sums

Scaling = tuple[np.ndarray, np.ndarray]  # mean and deviation of each channel (C,)


@dataclass(frozen=True)
class FormatSpec:
    """A format: its files' suffix, the program that reads it, the layout of its images, and the extra that it needs."""

    suffix: str
    read_by: str
    channels_first: bool
    extra: str | None = None


FORMATS: dict[Format, FormatSpec] = {
    "torch": FormatSpec(".pt2", "torch.export.load(PATH).module()", channels_first=True),
    "onnx": FormatSpec(".onnx", "onnxruntime.InferenceSession(PATH)", channels_first=True, extra="onnx"),
    "keras": FormatSpec(".keras", "keras.saving.load_model(PATH)", channels_first=False),
    "tf_savedmodel": FormatSpec(".savedmodel", "tf.saved_model.load(PATH)", channels_first=False),
}


@dataclass(frozen=True)
class Network:
    """A trained network: its run, its weights, and the mean and deviation that scaled its images, if any."""

    result: RunResult
    weights: Weights
    scaling: Scaling | None


def command(options: ExportOptions, screen: Screen) -> int:
    """Carry out `compare export`, and return the exit code. Raises InputError before anything is written."""
    format_ = options.format
    to = FORMATS[format_]
    if to.extra:
        require(to.extra, f"--format {format_}")
    result = _chosen(
        networks.results_at_hand(load_results(options.run_dir), options.model), options, writer_of(format_)
    )
    _check_file(result, format_)
    checks.check_only_images(result.run.spec, "export")
    path = options.out or options.run_dir / "exports" / f"{result.name}{to.suffix}"
    if format_ == "keras" and path.suffix != to.suffix:  # Keras recognises the format by it
        raise InputError(f"--out {path}: names of this format end with {to.suffix}. Give such a name.")
    with adding_to(options.run_dir, path) as added:
        if path.exists():
            raise InputError(
                f"{path} already exists, and is not overwritten. Give another --out, or move it elsewhere."
            )
        weights = load_weights(options.run_dir, result)
        network = Network(result, weights, _scaling(result, options.data_folder))
        added.append(path)
        distance = _write(format_, network, path, screen)

    listeners.outlive()
    assert result.outcome is not None
    spec = result.run.spec
    height, width, channels = spec.input_shape
    shape = (channels, height, width) if to.channels_first else (height, width, channels)
    screen.say(f"{result.name}, {_figure(result)} of the test images, as {path}")
    outputs = "numbers" if spec.task == "regression" else "logits"
    screen.say(
        f"{to.read_by} gives {outputs} (N, {spec.n_classes}) for float32 images (N, {', '.join(map(str, shape))}) from "
        "0 to 1."
    )
    screen.say(f"For {N_IMAGES} images of noise, the file read back agrees with the network to {distance:.1e}.")
    screen.answer(file=path, format=format_, network=result.name, input_shape=shape, distance=distance)
    return 0


def _figure(result: RunResult) -> str:
    figure = figure_of([result])
    assert result.outcome is not None, "only what was trained is exported"
    shown = figure.text_of(figure.of(result.outcome))
    return shown if figure.task.classifies else f"{figure.metric.title} {shown}"


def writer_of(format_: Format) -> str:
    """Return the implementation whose framework writes files of this format."""
    return next(name for name, spec in IMPLEMENTATIONS.items() if format_ in spec.exports)


def _check_file(result: RunResult, format_: Format) -> None:
    """Raise InputError if the network is the user's own, without a file for the framework that writes the format."""
    spec, writer = result.run.spec, IMPLEMENTATIONS[writer_of(format_)]
    if spec.code is not None and not writer.has(spec):
        raise InputError(
            f"--format {format_} is written by {writer.title}, and {spec.code.folder} has no {writer.own_file}. Add "
            "that file and train again, or give another --format."
        )


def _chosen(results: list[RunResult], options: ExportOptions, writer: str) -> RunResult:
    """Return the run that is asked for; by default that of the format's own framework, and of the first seed."""
    done = [result for result in results if result.outcome is not None]
    if not done:
        raise InputError(f"No run in {options.run_dir} ended well, so there are no weights. Train again.")
    there = list(dict.fromkeys(result.run.implementation for result in done))
    name = options.implementation or (writer if writer in there else there[0])
    of_name = [result for result in done if result.run.implementation == check_name("trained network of", name, there)]
    seeds = sorted(result.run.train.seed for result in of_name)
    seed = seeds[0] if options.seed is None else options.seed
    if seed not in seeds:
        raise InputError(f"There is no run of {name} with seed {seed}; there are {', '.join(map(str, seeds))}.")
    return next(result for result in of_name if result.run.train.seed == seed)


def _scaling(result: RunResult, data_dir: Path) -> Scaling | None:
    """Return the scaling of the network's images, which the data determine; None if they were not scaled."""
    run = result.run
    if run.recipe == "idiomatic":
        own = result.outcome is not None and result.outcome.scale == "standard"
        return channel_statistics(load_data(result, data_dir).x_train) if own else None
    if run.data.scale == "unit":
        return None
    load_data(result, data_dir)  # raises an error unless these are exactly the run's data
    return channel_statistics(load(run.data.whole, data_dir).x_train)


def _write(format_: Format, network: Network, path: Path, screen: Screen) -> float:
    """Write the file, whole or not at all. Return the relative distance of its logits from the network's own."""
    result = network.result
    images = _noise(result.run.spec)
    with temporary.folder("export") as scratch:
        new = scratch / path.name
        try:
            own, exported = _both(format_, network, new, images, screen)
        except WorkerError as error:
            raise InputError(f"{result.name} cannot be exported as {format_}: {error}.") from None
        distance = float(np.abs(own - exported).max() / np.abs(own).max())
        if not distance <= TOLERANCE:
            raise InputError(
                f"{result.name} was not exported: read back, the file's logits are {distance:.1e} away from the "
                f"network's own, and {TOLERANCE:g} is allowed. Please report this with the run's report."
            )
        _move(new, path)
    return distance


def _both(
    format_: Format, network: Network, path: Path, images: np.ndarray, screen: Screen
) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits of the network itself, in the implementation that trained it, and of the file."""
    run, weights, scaling = network.result.run, network.weights, network.scaling
    spec = run.spec
    trainer = IMPLEMENTATIONS[run.implementation]
    epsilon = trainer.own_epsilon if run.recipe == "idiomatic" else BATCH_NORM_EPSILON
    writer = writer_of(format_)
    names = list(dict.fromkeys((run.implementation, writer)))
    threads = environment.usable_cores()
    with Workers(path.parent, "cpu", TIMEOUT_S, screen.note, threads) as workers:
        sessions = workers.start(names)
        for session in sessions.values():
            session.wait_until_ready()
        session = sessions[run.implementation]
        # In float32 throughout, like the file; the idiomatic network's own images are scaled here, like the file's.
        own_layers = ("normalisation",) if run.recipe == "idiomatic" else ()
        changes = {"own": own_layers, "dtype": "float32", "mixed_precision": "none"}
        session.create(Build(spec, run.train.model_copy(update=changes), weights, "cpu", run.mode))
        own = session.logits(images if scaling is None else standardised(images, *scaling))
        exported = sessions[writer].export(format_, path, spec, weights, epsilon, scaling, images)
    return own, exported


def _noise(spec: ModelSpec) -> np.ndarray:
    shape = (N_IMAGES, *spec.input_shape)
    return randomness.uniform(math.prod(shape), "export").astype(np.float32).reshape(shape)


def _move(new: Path, path: Path) -> None:
    """Move what was written to its place: first next to it, complete, and then to its name."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.beside(path) as beside:
            shutil.move(new, beside / path.name)
            (beside / path.name).replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {_reason(error)}. Make room, or give another --out.") from None


def _reason(error: OSError) -> str:
    """Return why something could not be moved; for a folder the error is a list with an entry for each file."""
    if error.strerror:
        return error.strerror
    text = str(error.args[0][0][2] if error.args and isinstance(error.args[0], list) else error)
    return re.sub(r"^\[Errno \d+\] ([^:]+).*", r"\1", text)
