"""`compare visualize`: draw what the networks of a run have learned."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from compare import checks, networks
from compare.folders.additions import adding_to
from compare.folders.output import WriteError, write_whole
from compare.folders.picture_file import read_picture
from compare.folders.run_folder import load_data, load_results, load_weights
from compare.options.folders import VisualizeOptions
from compare.registry import IMPLEMENTATIONS
from compare.reporting import listeners, pictures, plots, task_pictures
from compare.reporting.inspection import Inspected, inspect
from compare.reporting.screen import Screen
from shared.choices import TaskName
from shared.data import Data, DataSpec, channel_statistics, load, own_folder, standardised
from shared.data.catalog import class_names
from shared.data.dataset import unit
from shared.errors import InputError
from shared.models import ModelSpec
from shared.result import RunResult
from shared.storage import mounts

MOST_NUMBERS = 10  # numbers of a regression that are printed
MOST_IMAGES = 24  # whose feature maps are drawn together: each has a row for every layer and network


def command(options: VisualizeOptions, screen: Screen) -> int:
    """Make the pictures, and return the exit code. Raises InputError before any is written."""
    _check_cmap(options.cmap)
    results = _chosen(networks.results_at_hand(load_results(options.run_dir), options.model), options.seed)
    first = results[0].run
    spec = first.spec
    weights = [load_weights(options.run_dir, result) for result in results]
    data = load_data(results[0], options.data_folder)
    indices = list(options.images)
    _check_images(options.images, len(data.x_test))
    channels = min((layer.output_shape[-1] for layer in spec.layers if len(layer.output_shape) == 3), default=None)
    if channels is None and options.filter:
        raise InputError(f"--filter {options.filter} is not possible: {spec.name} has no filters. Leave it out.")
    if channels is not None and options.filter >= channels:
        raise InputError(
            f"--filter {options.filter} is not possible: the layers of {spec.name} have 0 ... {channels - 1}."
        )
    if spec.task == "classification":
        names = class_names(first.data.dataset, spec.n_classes, first.data.classes)
    else:
        names = tuple(task_pictures.output_names(first.data.classes, spec.n_classes))
    picture, negative = _picture(options.predict, spec, first.data)

    if spec.inputs != "images":
        screen.note(f"The network takes {spec.inputs}: filters, feature maps and single examples are not drawn.")
    out = options.out or options.run_dir / "pictures"
    seen = _scaled(picture, first.data, options.data_folder)
    with adding_to(options.run_dir, out) as added:
        seen_by = inspect(results, weights, data, data.x_test[indices], seen)
        shown = load(first.data.model_copy(update={"scale": "unit"}), options.data_folder)
        drawn = _draw(results, seen_by, spec, shown, indices, options, names, picture)
        saved = []
        for path in _save(drawn, options, added):
            screen.note(mounts.with_addresses(path))
            saved.append(path)
    listeners.outlive()
    if len(picture):
        _print_prediction(seen_by, names, negative, spec.task, screen)
    screen.say(f"Pictures of {', '.join(n.name for n in seen_by)}: {out}")
    screen.answer(folder=out, pictures=saved)
    return 0


def _check_cmap(name: str) -> None:
    import matplotlib as mpl

    from shared.errors import check_name

    check_name("colour map", name, list(mpl.colormaps))


def _chosen(results: list[RunResult], seed: int | None) -> list[RunResult]:
    """Return the completed runs of one seed, in the registry's order of implementations."""
    done = [result for result in results if result.outcome is not None]
    if not done:
        raise InputError("No run in that folder ended well, so there are no weights to draw. Train again.")
    seeds = sorted({result.run.train.seed for result in done})
    if seed is not None and seed not in seeds:
        raise InputError(f"There is no run of seed {seed} that ended well; there are {', '.join(map(str, seeds))}.")
    wanted = seeds[0] if seed is None else seed
    chosen = [result for result in done if result.run.train.seed == wanted]
    return sorted(chosen, key=lambda r: [*IMPLEMENTATIONS, r.run.implementation].index(r.run.implementation))


def _check_images(images: tuple[int, ...], n_test: int) -> None:
    if len(images) > MOST_IMAGES:
        raise InputError(
            f"--images names {len(images)}, and one drawing holds the feature maps of {MOST_IMAGES} at most. Name "
            "fewer, and draw more than once with other --out folders."
        )
    for index in images:
        if index >= n_test:
            raise InputError(f"--images {index} is not possible: the test images are 0 ... {n_test - 1:,}.")


def _picture(path: Path | None, spec: ModelSpec, data: DataSpec) -> tuple[np.ndarray, bool]:
    """Return the picture to classify as (1, H, W, C), or (0, H, W, C) if there is none. If the network was trained on
    pictures, it is read in the same way."""
    if path is not None:
        checks.check_only_images(spec, "--predict")
    if path is None or spec.inputs != "images":
        return np.empty((0, *spec.input_shape), np.float32), False
    height, width, channels = spec.input_shape
    if own_folder.folder_of(data.dataset) is not None:
        return unit(own_folder.read_one(path, (height, width, channels)))[None], False
    image, negative = read_picture(path, (height, width, channels))
    return image[None], negative


def _scaled(picture: np.ndarray, spec: DataSpec, data_dir: Path) -> np.ndarray:
    """Scale the picture like the data of the run."""
    if spec.scale == "unit":
        return picture
    return standardised(picture, *channel_statistics(load(spec.whole, data_dir).x_train))


def _draw(
    results: list[RunResult],
    networks: list[Inspected],
    spec: ModelSpec,
    data: Data,
    indices: list[int],
    options: VisualizeOptions,
    names: tuple[str, ...],
    picture: np.ndarray,
) -> Iterator[tuple[str, Figure]]:
    """Yield the name and the figure of each picture."""
    if pictures.has_filters(spec):
        yield "filters", pictures.filters({n.name: n.weights for n in networks}, spec, options.cmap)
    if pictures.map_layers(networks[0]):
        yield (
            "feature_maps",
            pictures.feature_maps(networks, data.x_test[indices], indices, options.filter, options.cmap),
        )
    yield "learning_curves", pictures.overfitting(results)
    match spec.task:
        case "classification":
            yield "confusion_matrices", pictures.confusion_matrices(results, names)
            if spec.inputs == "images":
                yield "mistakes", pictures.mistakes(networks, data.x_test, data.y_test, names)
        case "regression":
            yield "errors", task_pictures.errors(results, names)
            if spec.inputs == "images":
                yield (
                    "largest_errors",
                    task_pictures.largest_errors(networks, data.x_test, data.y_test, names, spec.task),
                )
        case "multilabel":
            yield "label_scores", task_pictures.label_scores(results, names)
            if spec.inputs == "images":
                yield "mistakes", task_pictures.largest_errors(networks, data.x_test, data.y_test, names, spec.task)
    if len(picture):
        draw = task_pictures.numbers if spec.task == "regression" else pictures.prediction
        yield "prediction", draw(networks, picture[0], names)


def _save(drawn: Iterator[tuple[str, Figure]], options: VisualizeOptions, added: list[Path]) -> Iterator[Path]:
    """Write each picture twice, to --out or else below the run's folder, and yield their paths. Each path is in `added`
    before it is written."""
    folder, below = (options.run_dir, "pictures/") if options.out is None else (options.out, "")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in drawn:
            for suffix, content in (("png", plots.to_png(figure)), ("svg", plots.to_svg(figure))):
                path = folder / f"{below}{name}.{suffix}"
                added.append(path)
                write_whole(folder, f"{below}{name}.{suffix}", content)
                yield path
    except OSError as error:
        raise InputError(f"The pictures cannot be written to {folder}: {error.strerror}. Give another --out.") from None
    except WriteError as error:
        raise InputError(f"The pictures cannot be written: {error}. Give another --out.") from None


def _print_prediction(
    networks: list[Inspected], names: tuple[str, ...], negative: bool, task: TaskName, screen: Screen
) -> None:
    if negative:
        screen.say("The picture is dark on light; the networks were shown its negative.")
    for network in networks:
        p = network.extra_probabilities[0]
        if task == "regression":
            best = [f"{name} {value:.4g}" for name, value in zip(names, p, strict=True)][:MOST_NUMBERS]
        else:
            best = [f"{names[i]} {p[i]:.1%}" for i in np.argsort(-p, kind="stable")[:3]]
        screen.say(f"{network.name}: {', '.join(best)}")
