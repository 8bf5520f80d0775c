"""Run a saved function's graph eagerly, one operation after the other, to make each watchable."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import context, execute
from tensorflow.python.framework import function_def_to_graph

from compare.adapters.adapter import Unreadable

MOST_TURNS = 1_000
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")


def call_graph(function: Any, inputs: Sequence[Any]) -> Any:
    """Return the result of a concrete function for `inputs`, with its captured tensors. Raises Unreadable if its graph
    cannot run in this way."""
    captured = list(function.captured_inputs)
    graph = function.graph
    outputs = _run(graph, [*inputs, *captured], [*graph.inputs], list(graph.outputs))
    structure = function.structured_outputs
    return tf.nest.pack_sequence_as(structure, outputs[: len(tf.nest.flatten(structure))])


def _run(graph: Any, given: Sequence[Any], places: Sequence[Any], wanted: Sequence[Any]) -> list[Any]:
    """Return the tensors `wanted` of a graph."""
    values: dict[str, Any] = {place.name: value for place, value in zip(places, given, strict=True)}
    for operation in graph.get_operations():
        if operation.type == "Placeholder" or (operation.outputs and operation.outputs[0].name in values):
            continue
        inputs = [values[each.name] for each in operation.inputs]
        if operation.type in _CALLS:
            made = _inlined(operation, inputs)
        elif operation.type in ("If", "StatelessIf"):
            branch = "then_branch" if bool(inputs[0].numpy()) else "else_branch"
            made = _inlined(operation, inputs[1:], branch)
        elif operation.type in ("While", "StatelessWhile"):
            made = _repeated(operation, inputs)
        elif operation.type == "NoOp":
            continue
        else:
            made = _done(operation, inputs)
        values |= {output.name: value for output, value in zip(operation.outputs, made, strict=True)}
    return [values[each.name] for each in wanted]


def _repeated(operation: Any, inputs: list[Any]) -> list[Any]:
    """Run a loop, turn by turn. Raises Unreadable if it has too many."""
    for _ in range(MOST_TURNS):
        if not bool(_inlined(operation, inputs, "cond")[0].numpy()):
            return inputs
        inputs = _inlined(operation, inputs, "body")
    raise Unreadable(f"{operation.name}: a loop of more than {MOST_TURNS:,} turns cannot be followed.")


def _inlined(operation: Any, inputs: Sequence[Any], attribute: str = "f") -> list[Any]:
    name = operation.get_attr(attribute).name
    if not context.context().has_function(name):
        raise Unreadable(f"{operation.name}: its function {name} is not in the saved graph.")
    found = context.context().get_function_def(name)
    inner = function_def_to_graph.function_def_to_graph(found)
    return _run(inner, inputs, list(inner.inputs), list(inner.outputs))


def _done(operation: Any, inputs: list[Any]) -> list[Any]:
    """Run one operation, through the functions that call the watch."""
    if operation.type == "Const":
        return [tf.constant(tf.make_ndarray(operation.get_attr("value")))]
    attributes: list[Any] = []
    for each in operation.op_def.attr:
        value = operation.get_attr(each.name)
        attributes += [each.name, _plain(value)]
    made = execute.execute(operation.type, len(operation.outputs), inputs, tuple(attributes), context.context())
    return list(made)


def _plain(value: Any) -> Any:
    """Return an attribute as an eager operation takes it."""
    if isinstance(value, tf.DType):
        return value.as_datatype_enum
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value
