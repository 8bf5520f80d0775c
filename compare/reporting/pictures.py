"""Draw trained networks, from their weights, outputs and records."""

import math
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from compare.analysis.figures import figure_of
from compare.reporting.inspection import Inspected
from compare.reporting.plots import after_each_epoch, loss_of, mark_of, style_of
from shared.models import ModelSpec
from shared.result import RunResult
from shared.weights import Weights

MAX_FILTERS = 64
COLUMNS = 8
N_MISTAKES = 8
MOST_CHARACTERS = 24  # of a class's name, which may come from any folder
MOST_COUNTED = 30  # up to so many classes, confusions show their count
MOST_TICKS = 25  # names along an axis
MOST_BARS, LIKELIEST = 20, 10  # classes of a prediction; if there are more, the likeliest
ABOVE_A_PICTURE = 12  # characters of a name


def label_of(name: str, most: int = MOST_CHARACTERS) -> str:
    """Return the name of a class for Matplotlib: without formulas, and not too long."""
    short = name if len(name) <= most else f"{name[: most - 1]}\u2026"
    return short.replace("$", r"\$")


def has_filters(spec: ModelSpec) -> bool:
    """Whether the first layer has filters that can be images: it is a convolution, or dense over all pixels."""
    shape = spec.parameters[0].shape
    if spec.inputs != "images":
        return False
    return len(shape) == 4 or (len(shape) == 2 and shape[0] == math.prod(spec.input_shape))


def filters(weights: Mapping[str, Weights], spec: ModelSpec, cmap: str) -> Figure:
    """Draw the first layer's filters of every implementation side by side, in one scale. Below them are the distances
    of the others' filters from the first one's."""
    names = list(weights)
    stacks = [first_filters(of_one, spec) for of_one in weights.values()]
    first = stacks[0]
    limit = max(np.abs(stack).max() for stack in stacks)
    differs = len(names) > 1
    height = 3.6 * -(-len(first) // COLUMNS) / COLUMNS + 0.7
    figure = Figure(figsize=(3.8 * len(names), height * (2 if differs else 1)))
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
    axes = figure.subplots(2 if differs else 1, len(names), squeeze=False)
    for place in axes.flat:
        place.axis("off")
    for place, name, stack in zip(axes[0], names, stacks, strict=True):
        _mosaic(place, stack, limit, cmap)
        place.set_title(f"{name}: first-layer filters", fontsize=10)
    if not differs:
        return figure
    explanation = "The differences from these\nare on the right, in scales of their own"
    axes[1, 0].text(0.5, 0.5, explanation, ha="center", va="center", fontsize=10)
    for place, name, stack in zip(axes[1, 1:], names[1:], stacks[1:], strict=True):
        difference = stack - first
        largest = float(np.abs(difference).max())
        _mosaic(place, difference, largest or 1.0, "coolwarm")
        place.set_title(f"{name} less {names[0]}:\nat most {largest:.2g}, filters up to {limit:.2g}", fontsize=10)
    return figure


def first_filters(weights: Weights, spec: ModelSpec) -> np.ndarray:
    """Return the filters of the first layer, at most 64, as images (filters, height, width, channels).

    A dense layer's units are shown as their weights for the image's pixels.
    """
    kernel = weights[spec.parameters[0].name]
    if kernel.ndim == 2:
        kernel = kernel.reshape(*spec.input_shape, -1)
    shown: np.ndarray = np.moveaxis(kernel, -1, 0)[:MAX_FILTERS]
    return shown


def _mosaic(axes: Axes, images: np.ndarray, limit: float, cmap: str) -> None:
    """Draw all images as tiles of one, with 0 in the middle of the scale; three channels are shown as colours."""
    colours = mpl.colormaps[cmap]
    if images.shape[-1] == 3:
        shown = np.clip(images / limit / 2 + 0.5, 0, 1)
    else:
        shown = colours(images[..., 0] / limit / 2 + 0.5)[..., :3]
    axes.imshow(tiled(shown), interpolation="nearest")


def tiled(images: np.ndarray) -> np.ndarray:
    """Return images (n, height, width, channels) as one, eight in a row, with white between them."""
    n, height, width, channels = images.shape
    rows, gap = -(-n // COLUMNS), max(1, height // 8)
    whole = np.ones((rows * (height + gap) - gap, COLUMNS * (width + gap) - gap, channels))
    for number, image in enumerate(images):
        top, left = (number // COLUMNS) * (height + gap), (number % COLUMNS) * (width + gap)
        whole[top : top + height, left : left + width] = image
    return whole


def feature_maps(
    networks: Sequence[Inspected], images: np.ndarray, indices: Sequence[int], channel: int, cmap: str
) -> Figure:
    """Draw one channel of every convolution and pooling layer for each chosen image (images x layers), a block for each
    implementation."""
    layers = map_layers(networks[0])
    width, height = len(layers) + 1, len(indices)
    figure = Figure(figsize=(1.15 * width * len(networks) + 0.5, 1.25 * height + 0.7), layout="constrained")
    blocks = figure.subfigures(1, len(networks), squeeze=False)[0]
    for block, network in zip(blocks, networks, strict=True):
        block.suptitle(f"{network.name}, channel {channel}", fontsize=10)
        axes = block.subplots(height, width, squeeze=False)
        for row, index in enumerate(indices):
            draw_picture(axes[row, 0], images[row], "gray")
            axes[row, 0].set_ylabel(f"image {index}", fontsize=8)
            for column, layer in enumerate(layers, 1):
                axes[row, column].imshow(network.activations[layer][row, :, :, channel], cmap=cmap)
        for column, title in enumerate(("input", *layers)):
            axes[0, column].set_title(title, fontsize=8)
        for one in axes.flat:
            one.set_xticks([])
            one.set_yticks([])
    return figure


def map_layers(network: Inspected) -> list[str]:
    """Return the convolution and pooling layers, in order; if no name matches, all layers whose outputs are maps."""
    maps = [name for name, output in network.activations.items() if output.ndim == 4]
    return [name for name in maps if name.startswith(("conv", "pool"))] or maps


def draw_picture(axes: Axes, image: np.ndarray, cmap: str) -> None:
    """Draw one image (H, W, C): colours as they are, greys by a colour map."""
    if image.shape[-1] == 3:
        axes.imshow(np.clip(image, 0, 1))
    else:
        axes.imshow(image[..., 0], cmap=cmap)


def overfitting(results: Sequence[RunResult]) -> Figure:
    """Draw training and validation (or test) loss and accuracy over epochs, and the gap between the two accuracies. For
    a task other than classification, its figure replaces accuracy."""
    shown = figure_of(results)
    figure = Figure(figsize=(13, 4), layout="constrained")
    loss_axes, accuracy_axes, gap_axes = figure.subplots(1, 3)
    watched = "test"
    for result in results:
        assert result.outcome is not None
        name = result.run.implementation
        style, marker = style_of(name), mark_of(name)
        watched, losses, accuracies = after_each_epoch(result.outcome, shown)
        epochs = [e.epoch for e in result.outcome.epochs]
        known = [e.figure("train", shown.metric.name) for e in result.outcome.epochs]
        training, after = np.array(known, np.float64) * shown.scale, np.array(accuracies) * shown.scale
        loss_axes.plot(epochs, [e.train_loss for e in result.outcome.epochs], linewidth=1, **style)
        loss_axes.plot(epochs, losses, marker=marker, label=name, **style)
        accuracy_axes.plot(epochs, training, linewidth=1, **style)
        accuracy_axes.plot(epochs, after, marker=marker, label=name, **style)
        gap_axes.plot(epochs, shown.gap(training, after), marker=marker, label=name, **style)
    loss_axes.set_yscale("log")
    gap_axes.axhline(0, color="0.5", linewidth=0.8)
    gap = f"{watched} less training" if shown.metric.lower_is_better else f"training less {watched}"
    titles = (
        (loss_axes, loss_of(results), f"Loss: training (thin), {watched} (dots)"),
        (accuracy_axes, shown.axis, f"{shown.title}: training (thin), {watched} (dots)"),
        (gap_axes, "points" if shown.metric.share else shown.axis, f"Overfitting gap: {gap} {shown.metric.title}"),
    )
    for axes, what, title in titles:
        axes.set_xlabel("epoch")
        axes.set_ylabel(what)
        axes.set_title(title, fontsize=9)
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    accuracy_axes.legend()
    return figure


def confusion_matrices(results: Sequence[RunResult], names: Sequence[str]) -> Figure:
    """Draw how many test images of each class were predicted as each class; colours show the share of the true class.
    With many classes there are only colours, and only some names along the axes."""
    step = -(-len(names) // MOST_TICKS) if len(names) > MOST_COUNTED else 1
    places, names = range(0, len(names), step), [label_of(name) for name in names[::step]]
    figure = Figure(figsize=(5.2 * len(results), 5.9), layout="constrained")
    for axes, result in zip(figure.subplots(1, len(results), squeeze=False)[0], results, strict=True):
        assert result.outcome is not None
        counts = np.array(result.outcome.confusion)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)  # the square root makes rare confusions visible
        for (row, column), count in np.ndenumerate(counts):
            if count and len(counts) <= MOST_COUNTED:
                colour = "white" if shares[row, column] > 0.3 else "black"
                axes.text(column, row, str(count), ha="center", va="center", fontsize=7, color=colour)
        axes.set_xticks(places, names, rotation=45, ha="right", fontsize=8)
        axes.set_yticks(places, names, fontsize=8)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true class")
        axes.set_title(f"{result.run.implementation}: {result.outcome.test_accuracy:.2%}", fontsize=10)
    return figure


def mistakes(networks: Sequence[Inspected], images: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> Figure:
    """Draw the test images about which each implementation is most surely wrong, a row each."""
    names = [label_of(name, ABOVE_A_PICTURE) for name in names]
    figure = Figure(figsize=(1.5 * N_MISTAKES, 2.3 * len(networks)), layout="constrained")
    rows = figure.subfigures(len(networks), 1, squeeze=False)[:, 0]
    for row, network in zip(rows, networks, strict=True):
        worst = worst_mistakes(network.probabilities, labels)
        row.suptitle(f"{network.name}: most surely wrong (true class, and the predicted one)", fontsize=10)
        for axes, index in zip(row.subplots(1, N_MISTAKES), [*worst, *[None] * (N_MISTAKES - len(worst))], strict=True):
            axes.axis("off")
            if index is None:
                continue
            draw_picture(axes, images[index], "gray")
            p, truth = network.probabilities[index], labels[index]
            taken = int(p.argmax())
            axes.set_title(f"#{index}: {names[truth]} {p[truth]:.1%}\nas {names[taken]} {p[taken]:.1%}", fontsize=7)
    return figure


def worst_mistakes(probabilities: np.ndarray, labels: np.ndarray) -> list[int]:
    """Return the indices of at most 8 wrong predictions, those with the lowest probability of their true class."""
    truth = probabilities[np.arange(len(labels)), labels]
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return [int(index) for index in wrong[np.argsort(truth[wrong], kind="stable")][:N_MISTAKES]]


def prediction(networks: Sequence[Inspected], image: np.ndarray, names: Sequence[str]) -> Figure:
    """Draw one image (H, W, C) in [0, 1] as the networks see it, 0 black and 1 white. Beside it draw each network's
    probability of each class; if there are many, of the likeliest."""
    names = [label_of(name) for name in names]
    figure = Figure(figsize=(3 + 3.2 * len(networks), 3.4), layout="constrained")
    axes = figure.subplots(1, len(networks) + 1)
    draw_picture(axes[0], image, "gray")
    axes[0].images[0].set_clim(0, 1)  # otherwise Matplotlib stretches a faint image, which the networks see as faint
    axes[0].set_title("what the networks see", fontsize=9)
    axes[0].axis("off")
    for one, network in zip(axes[1:], networks, strict=True):
        p = network.extra_probabilities[0]
        shown = np.arange(len(p)) if len(p) <= MOST_BARS else np.argsort(-p, kind="stable")[:LIKELIEST]
        one.barh(range(len(shown)), p[shown] * 100, color=style_of(network.name).get("color", "0.4"))
        one.set_yticks(range(len(shown)), [names[k] for k in shown], fontsize=8)
        one.invert_yaxis()
        one.set_xlim(0, 100)
        one.set_xlabel("probability (%)", fontsize=8)
        one.set_title(f"{network.name}: {names[int(p.argmax())]} {p.max():.1%}", fontsize=9)
    return figure
