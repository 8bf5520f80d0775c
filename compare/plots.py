"""Pictures, made from records alone."""

import io
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from shared.batches import n_batches
from shared.result import RunResult

# Okabe and Ito's colours, which the colour-blind can tell apart, with line styles for print.
STYLES = {
    "torch": {"color": "#D55E00", "linestyle": "-"},
    "keras": {"color": "#0072B2", "linestyle": "--"},
    "tf_lowlevel": {"color": "#009E73", "linestyle": ":"},
}


def learning_curves(results: Sequence[RunResult]) -> Figure:
    """Loss on the left, accuracy on the right, over epochs; training figures thin, test figures with markers."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    labelled: set[str] = set()
    for result in results:
        if result.outcome is None:
            continue
        style = STYLES.get(result.run.implementation, {})
        epochs = [e.epoch for e in result.outcome.epochs]
        label = None if result.run.implementation in labelled else result.run.implementation
        labelled.add(result.run.implementation)
        loss_axes.plot(*_smoothed_loss(result), linewidth=1, alpha=0.6, **style)
        loss_axes.plot(epochs, [e.test_loss for e in result.outcome.epochs], marker="o", label=label, **style)
        accuracy_axes.plot(
            epochs, [e.train_accuracy * 100 for e in result.outcome.epochs], linewidth=1, alpha=0.6, **style
        )
        accuracy_axes.plot(
            epochs, [e.test_accuracy * 100 for e in result.outcome.epochs], marker="o", label=label, **style
        )
    for axes, what in ((loss_axes, "cross-entropy"), (accuracy_axes, "accuracy (%)")):
        axes.set_xlabel("epoch")
        axes.set_ylabel(what)
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    loss_axes.set_yscale("log")
    loss_axes.set_title("Loss: training (thin, averaged over 1/10 epoch), test (dots)", fontsize=9)
    accuracy_axes.set_title("Accuracy: training (thin, during the epoch), test (dots)", fontsize=9)
    accuracy_axes.legend()
    return figure


def to_png(figure: Figure) -> bytes:
    """The figure as a PNG file; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()


def to_svg(figure: Figure) -> bytes:
    """The figure as an SVG file; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "compare"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _smoothed_loss(result: RunResult) -> tuple[np.ndarray, np.ndarray]:
    """Epoch (fractional) and training loss, averaged over a tenth of an epoch."""
    assert result.outcome is not None
    loss = np.array(result.outcome.samples.loss)
    per_epoch = n_batches(result.n_train, result.run.train.batch_size)
    width = max(1, per_epoch // 10)
    means = np.array([loss[i : i + width].mean() for i in range(0, len(loss), width)])
    middles = np.array([i + min(width, len(loss) - i) / 2 for i in range(0, len(loss), width)])
    return middles / per_epoch, means
