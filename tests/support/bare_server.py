"""Loops that serve `cnn_same`, written by hand without this project. bare_serving.py starts them.

python tests/support/bare_server.py WAY PATH serves the file PATH or builds its own network. It prints "ready" after it
has answered one image. Each input line is a batch size, a number of calls and the number of calls to discard first.
Each output line is the seconds of the median call, those of one of the quickest tenth, and the processor time per call.
With "write" in front of them it writes the file instead.

It imports the framework requested, NumPy, and nothing else that is slow to import. With BARE_LEAN=1 it is the
faster-starting variant of docs/serving.md, which hides Keras's optional imports.
"""

import os
import resource
import sys
import time
from collections.abc import Callable

import numpy as np

if os.environ.get("BARE_LEAN"):
    for name in ("matplotlib", "pandas", "sklearn"):
        sys.modules[name] = None  # type: ignore[assignment]  # makes imports of it fail

IMAGES = np.arange(1024 * 28 * 28, dtype=np.float32).reshape(1024, 28, 28, 1) % 0.997  # numpy.random takes 6 MB
Answer = Callable[[np.ndarray], np.ndarray]


def torch_network():  # type: ignore[no-untyped-def]
    import torch
    from torch import nn

    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(3136, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    ).eval()


def keras_network():  # type: ignore[no-untyped-def]
    import keras

    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10),
        ]
    )


def torch_eager(path: str) -> Answer:
    import torch

    net = torch_network()

    def answer(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            logits: np.ndarray = net(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
        return logits

    return answer


def torch_onnx(path: str) -> Answer:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"x": images.reshape(-1, 1, 28, 28)})[0]  # type: ignore[no-any-return]


def keras_graph(path: str) -> Answer:
    import tensorflow as tf

    net = keras_network()
    call = tf.function(lambda x: net(x, training=False), input_signature=[tf.TensorSpec((None, 28, 28, 1))])
    return lambda images: call(tf.constant(images)).numpy()  # type: ignore[no-any-return]


def tf_lowlevel_savedmodel(path: str) -> Answer:
    import tensorflow as tf

    serve = tf.saved_model.load(path).signatures["serving_default"]
    return lambda images: next(iter(serve(tf.constant(images)).values())).numpy()  # type: ignore[no-any-return]


def write(way: str, path: str) -> None:
    """Write the file that a bare loop serves, if it serves one, without this project's exporters."""
    if way == "torch-onnx":
        import torch

        dynamic = {"x": {0: torch.export.Dim("n")}}
        example = torch.zeros(2, 1, 28, 28)
        named = {"input_names": ["x"], "dynamic_shapes": (dynamic["x"],), "external_data": False}
        torch.onnx.export(torch_network(), (example,), path, dynamo=True, verbose=False, **named)  # type: ignore[arg-type]
    elif way == "tf_lowlevel-savedmodel":
        keras_network().export(path, format="tf_saved_model", verbose=False)


def serve(way: str, path: str) -> None:
    """Answer one image, then time what each line requests."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    answer = globals()[way.replace("-", "_")](path)
    answer(IMAGES[:1])
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        size, calls, uncounted = map(int, line.split())
        batches = [IMAGES[size * (n % (1024 // size)) :][:size] for n in range(uncounted + calls)]
        for batch in batches[:uncounted]:
            answer(batch)
        spent, used_s = [], _used_s()
        for batch in batches[uncounted:]:
            begin = time.perf_counter()
            answer(batch)
            spent.append(time.perf_counter() - begin)
        used_s = (_used_s() - used_s) / calls
        print(float(np.median(spent)), float(np.quantile(spent, 0.1)), used_s, file=answers, flush=True)


def _used_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    (write if sys.argv[1] == "write" else serve)(*sys.argv[-2:])
