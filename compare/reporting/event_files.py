"""TensorBoard's event files of a run, made from its record.

The records in them are TensorBoard's own, written by its writer, which needs neither framework.
"""

import io
from collections.abc import Iterator, Sequence
from datetime import datetime

from compare.analysis.figures import flat_epoch
from compare.extras import require
from compare.folders.manifest import Manifest
from shared.result import Outcome, RunResult

FIRST_EVENT = "brain.Event:2"  # the format's version in TensorBoard's notation
Point = tuple[float, int, str, float]  # seconds since the run began, step, tag, value


def event_files(results: Sequence[RunResult], manifest: Manifest) -> dict[str, bytes]:
    """Return an event file for each completed run, by its path in the output folder; `tensorboard --logdir` takes the
    folder. Times include training steps alone, and start with the study."""
    require("tensorboard", "A report with TensorBoard's event files")
    began = datetime.fromisoformat(manifest.started).timestamp()
    return {
        f"tensorboard/{result.name}/events.out.tfevents.0": _events(began, _points(result.outcome))
        for result in results
        if result.outcome
    }


def _points(outcome: Outcome) -> Iterator[Point]:
    samples, elapsed_s = outcome.samples, 0.0
    for step, (loss, step_s) in enumerate(zip(samples.loss, samples.step_s, strict=True), 1):
        elapsed_s += step_s
        yield elapsed_s, step, "step/loss", loss
        yield elapsed_s, step, "step/milliseconds", step_s * 1e3
    for epoch in outcome.epochs:
        at = outcome.train_s * epoch.epoch / len(outcome.epochs)
        for name, value in flat_epoch(epoch).items():
            if name == "epoch" or value is None:
                continue
            yield at, epoch.epoch, f"epoch/{name}", value
    figures = outcome.test_metrics if outcome.test_accuracy is None else {"accuracy": outcome.test_accuracy}
    for name, value in figures.items():
        yield outcome.train_s, len(outcome.epochs), f"test/{name}", value
    yield outcome.train_s, len(outcome.epochs), "test/loss", outcome.test_loss


def _events(began: float, points: Iterator[Point]) -> bytes:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    stream = io.BytesIO()
    writer = RecordWriter(stream)
    writer.write(Event(wall_time=began, file_version=FIRST_EVENT).SerializeToString())
    for elapsed_s, step, tag, value in points:
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
        writer.write(Event(wall_time=began + elapsed_s, step=step, summary=summary).SerializeToString())
    return stream.getvalue()
