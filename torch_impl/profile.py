"""Measure where the time of a step goes, with PyTorch's profiler."""

from collections.abc import Callable

import torch
from torch.profiler import ProfilerActivity, profile

from shared.choices import Device


def by_operation(work: Callable[[], None], device: Device) -> dict[str, float]:
    """Return the time in seconds that `work` spends in each kind of operation, without the operations it calls.

    The time is the device's, unless the device is the CPU.
    """
    on_cuda = device == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_cuda else [])]
    with profile(activities=activities) as profiler:
        work()
        if on_cuda:
            torch.cuda.synchronize()
    spent: dict[str, float] = {}
    for event in profiler.key_averages():
        if on_cuda and event.device_type.name != "CUDA":
            continue  # the operation that started a kernel includes the kernel's time
        time_s = (event.self_device_time_total if on_cuda else event.self_cpu_time_total) * 1e-6
        if time_s > 0:
            spent[event.key] = spent.get(event.key, 0.0) + time_s
    return spent
