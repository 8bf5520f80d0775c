"""Read a SavedModel by the signature that says how to call it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from compare.adapters.adapter import Unreadable
from compare.adapters.plain import plain
from compare.adapters.tensorflow_adapter import TensorFlowAdapter
from compare.adapters.tensorflow_graphs import call_graph


def load_saved_model(path: Path) -> TensorFlowAdapter:
    """Return the adapter of a SavedModel: its serving signature, or its only one. Its graph runs eagerly, one operation
    after the other. Raises Unreadable if it cannot be read."""
    try:
        module = tf.saved_model.load(str(path))
    except Exception as error:
        raise Unreadable(f"{path.name} cannot be read as a SavedModel: {plain(error)}") from error
    signatures = getattr(module, "signatures", {})
    if not signatures:
        raise Unreadable(f"{path.name} has no signature that says how to call it. Save it with one: signatures=....")
    name = "serving_default" if "serving_default" in signatures else sorted(signatures)[0]
    function = signatures[name]
    specs = function.structured_input_signature[1]

    def call(**tensors: Any) -> Any:
        return call_graph(function, [tensors[each.name] for each in _in_order(function, specs)])

    adapter = TensorFlowAdapter(module, call, specs, evaluates_only=path.name)
    adapter.signature = function
    return adapter


def _in_order(function: Any, specs: Mapping[str, Any]) -> list[Any]:
    """Return the specifications of a signature's inputs in the order of its graph."""
    names = [each.name.split(":")[0] for each in function.graph.inputs]
    by_name = {spec.name: spec for spec in specs.values()}
    by_key = {re.sub(r"\W", "_", key): spec for key, spec in specs.items()}
    found = [by_name.get(name) or by_key.get(name) for name in names]
    return [each for each in found if each is not None]
