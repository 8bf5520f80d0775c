"""Remove steps that lead to no output."""

from compare.adapters.steps import Trace


def pruned(trace: Trace) -> None:
    """Remove the steps of a trace that no output depends on, except its inputs."""
    needed = {value.number for value in trace.outputs}
    kept = []
    for step in reversed(trace.steps):
        if step.output.number in needed or step.rule == "input":
            needed |= {value.number for value in step.inputs}
            kept.append(step)
    trace.steps = kept[::-1]
