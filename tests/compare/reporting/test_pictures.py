"""Pictures of trained networks show the given values."""

import re
from dataclasses import replace

import numpy as np
import pytest
from results import result

from compare.reporting import pictures, plots
from compare.reporting.inspection import Inspected, softmax
from shared.models import CNN_BN_CIFAR, CNN_SAME, DENSE_BASELINE, ModelSpec
from shared.weights import initial_weights

NAMES = tuple("0123456789")
RANDOM = np.random.default_rng(0)


def network(name: str, spec: ModelSpec = CNN_SAME, n_images: int = 3) -> Inspected:
    shapes = {layer.name: layer.output_shape for layer in spec.layers}
    return Inspected(
        name=name,
        weights=initial_weights(spec, 0),
        activations={layer: RANDOM.random((n_images, *shape)) for layer, shape in shapes.items()},
        probabilities=softmax(RANDOM.normal(size=(50, 10))),
        extra_probabilities=softmax(RANDOM.normal(size=(1, 10))),
    )


def texts(figure: object) -> str:
    """Return all words in a figure, including nested figures."""
    import matplotlib.text

    return "\n".join(t.get_text() for t in figure.findobj(matplotlib.text.Text))  # type: ignore[attr-defined]


@pytest.mark.parametrize("spec", [CNN_SAME, CNN_BN_CIFAR, DENSE_BASELINE], ids=lambda spec: spec.name)
def test_filters_and_their_differences(spec: ModelSpec) -> None:
    one, other = network("torch", spec), network("keras", spec)
    first = spec.parameters[0].name
    other.weights[first] = other.weights[first].copy()
    other.weights[first][..., 3].flat[0] += 0.25
    figure = pictures.filters({"torch": one.weights, "keras": other.weights}, spec, "gray")
    assert "keras less torch:\nat most 0.25" in texts(figure)
    stacks = [pictures.first_filters(n.weights, spec) for n in (one, other)]
    assert np.flatnonzero(np.abs(stacks[1] - stacks[0]).max(axis=(1, 2, 3))).tolist() == [3]
    assert plots.to_png(figure)[:4] == b"\x89PNG"


def test_every_filter_is_a_tile_of_the_mosaic() -> None:
    images = RANDOM.random((11, 3, 4, 3))
    whole = pictures.tiled(images)
    assert whole.shape == (3 + 1 + 3, 8 * 4 + 7, 3)
    for number, image in enumerate(images):
        top, left = 4 * (number // 8), 5 * (number % 8)
        np.testing.assert_array_equal(whole[top : top + 3, left : left + 4], image)
    assert (whole[4:, 15:] == 1).all()  # blank without an image


def test_clipping_paths_are_named_by_number() -> None:
    """By default their names are hashes of their positions, to the last bit."""
    drawing = plots.to_svg(pictures.overfitting([result()]))
    names = re.findall(rb'<clipPath id="(\w+)"', drawing)
    assert sorted(names) == sorted({b"clip%d" % (number + 1) for number in range(len(names))})
    assert set(re.findall(rb"url\(#(\w+)\)", drawing)) == set(names)


def test_feature_maps_are_images_by_layers() -> None:
    networks = [network("torch"), network("keras")]
    images = RANDOM.random((3, 28, 28, 1))
    figure = pictures.feature_maps(networks, images, [9, 22, 45], 2, "inferno")
    blocks = figure.subfigs
    assert [len(block.axes) for block in blocks] == [3 * 5, 3 * 5]  # the input and four layers
    for block, net in zip(blocks, networks, strict=True):
        drawn = [axes.images[0].get_array() for axes in block.axes]
        for row in range(3):
            np.testing.assert_array_equal(drawn[row * 5], images[row, ..., 0])
            for column, layer in enumerate(("conv1", "pool1", "conv2", "pool2"), 1):
                np.testing.assert_array_equal(drawn[row * 5 + column], net.activations[layer][row, :, :, 2])
    assert "image 45" in texts(figure)


def test_worst_mistakes_come_first_and_are_mistakes() -> None:
    p = np.full((5, 3), 0.0)
    p[0], p[1], p[2], p[3], p[4] = [0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7], [0.01, 0.98, 0.01], [0, 0, 1]
    assert pictures.worst_mistakes(p, np.array([0, 0, 0, 0, 2])) == [3, 2, 1]
    assert pictures.worst_mistakes(p, p.argmax(axis=1)) == []


def test_mistakes_name_both_classes() -> None:
    net = network("torch")
    labels = np.zeros(50, np.int64)
    figure = pictures.mistakes([net], RANDOM.random((50, 28, 28, 1)), labels, tuple("abcdefghij"))
    index = pictures.worst_mistakes(net.probabilities, labels)[0]
    p = net.probabilities[index]
    assert f"#{index}: a {p[0]:.1%}\nas {'abcdefghij'[p.argmax()]} {p.max():.1%}" in texts(figure)


def test_the_gap_is_training_less_what_came_after() -> None:
    figure = pictures.overfitting([result(accuracy=0.98), result(implementation="keras", accuracy=0.85)])
    gap = figure.axes[2]
    drawn = {line.get_label(): line.get_ydata() for line in gap.lines}
    np.testing.assert_allclose(drawn["torch"], [-8, -8])  # 90 % in training
    np.testing.assert_allclose(drawn["keras"], [5, 5])


def test_confusion_matrices_show_every_count() -> None:
    figure = pictures.confusion_matrices([result()], ("no", "yes"))
    (axes,) = figure.axes
    assert [t.get_text() for t in axes.texts] == ["1", "1"]
    assert axes.get_title() == "torch: 98.00%"


def test_a_prediction_shows_every_class() -> None:
    net = network("torch")
    figure = pictures.prediction([net], RANDOM.random((28, 28, 1)), NAMES)
    widths = [bar.get_width() for bar in figure.axes[1].patches]
    np.testing.assert_allclose(widths, net.extra_probabilities[0] * 100)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_prediction_shows_what_the_networks_were_given(channels: int) -> None:
    faint = 0.2 + 0.1 * RANDOM.random((28, 28, channels))
    (drawn,) = pictures.prediction([network("torch")], faint, NAMES).axes[0].images
    np.testing.assert_array_equal(drawn.get_array(), faint if channels == 3 else faint[..., 0])
    assert drawn.get_clim() == (0, 1)  # faint, and not stretched


def test_a_hundred_classes_with_long_names_can_be_read() -> None:
    names = [f"class {number:03d} of a name as long as a folder's may be" for number in range(100)]
    known = result()
    assert known.outcome is not None
    counts = tuple(tuple(row) for row in (7 * np.eye(100, dtype=int) + np.eye(100, k=3, dtype=int)).tolist())
    many = known.model_copy(update={"outcome": known.outcome.model_copy(update={"confusion": counts})})
    (axes,) = pictures.confusion_matrices([many], names).axes
    assert not axes.texts, "ten thousand numbers would cover each other"
    assert [label.get_text()[:9] for label in axes.get_yticklabels()] == [f"class {n:03d}" for n in range(0, 100, 4)]
    assert axes.images[0].get_array().shape == (100, 100)

    probabilities = softmax(RANDOM.normal(size=(50, 100)))
    net = replace(network("torch"), probabilities=probabilities, extra_probabilities=probabilities[:1])
    drawn = pictures.prediction([net], RANDOM.random((28, 28, 1)), names).axes[1]
    likeliest = np.argsort(-probabilities[0])[:10]
    np.testing.assert_allclose([bar.get_width() for bar in drawn.patches], probabilities[0][likeliest] * 100)
    assert [label.get_text()[:9] for label in drawn.get_yticklabels()] == [names[k][:9] for k in likeliest]
    mistakes = pictures.mistakes([net], RANDOM.random((50, 28, 28, 1)), np.zeros(50, np.int64), names)
    above = [line for line in texts(mistakes).split("\n") if "class 0" in line]
    assert above
    assert max(map(len, above)) <= 24, "what is beside each other does not overlap"
