"""Measure where the time of a step goes, with TensorFlow's profiler."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from shared.choices import Device
from shared.timeline import time_by_name

# Executors record the operations that they run on these lines, as "name:kind".
CPU_LINES = ("tf_Compute", "tf_inter_op")
GPU_LINES = ("Stream",)  # kernels, by their own names
PS = 1e-12
PS_PER_NS = 1_000


def by_operation(work: Callable[[], None], device: Device) -> dict[str, float]:
    """Return the time in seconds that `work` spends in each kind of operation.

    The time is the device's, unless the device is the CPU. Operations that run at the same time share it
    (shared/timeline.py). Operations that XLA has compiled into one count as one.
    """
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        try:
            work()
        finally:
            tf.profiler.experimental.stop()
        (path,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(path.read_bytes())
    events = []
    for plane in space.planes:
        on_gpu = plane.name.startswith("/device:GPU")
        if on_gpu != (device == "cuda"):
            continue
        for line in plane.lines:
            if not line.name.startswith(GPU_LINES if on_gpu else CPU_LINES):
                continue
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                kind = name if on_gpu else name.partition(":")[2]
                if kind and not kind.startswith(":"):
                    events.append((kind, line.timestamp_ns * PS_PER_NS + event.offset_ps, event.duration_ps))
    return {kind: spent_ps * PS for kind, spent_ps in time_by_name(events).items()}
