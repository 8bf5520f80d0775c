"""Read one network of keras.applications with random weights: `python keras_zoo.py NAME SIZE` prints JSON."""

import json
import os
import sys
from collections import Counter

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np

from compare.adapters.keras_adapter import KerasAdapter
from compare.graphs.evaluate import evaluate


def main() -> None:
    name, size = sys.argv[1], int(sys.argv[2])
    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(0)
    model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3))
    adapter = KerasAdapter(model)
    stated = adapter.stated_inputs() or {}
    given = {each: np.random.default_rng(0).uniform(0, 1, (2, *shape)) for each, shape in stated.items()}
    made = adapter.record(given, False)
    again = evaluate(made.graph, given, made.weights)
    distances = [
        float(np.abs(again[node.name] - made.values[node.name]).max() / np.abs(made.values[node.name]).max())
        for node in made.graph.nodes
    ]
    training = adapter.record(given, True)
    back = adapter.record(given, False)
    output = model(np.moveaxis(next(iter(given.values())), 1, -1)).numpy()
    answer = {
        "kinds": Counter(node.kind for node in made.graph.nodes),
        "far": max(distances),
        "output": float(np.abs(output - made.values[made.graph.outputs[0]]).max()),
        "statistics": len(training.statistics),
        "unchanged": all(np.array_equal(back.values[each], made.values[each]) for each in made.values),
    }
    sys.stdout.write("\n" + json.dumps(answer))


if __name__ == "__main__":
    main()
