"""Read small Keras and TensorFlow models in one process, and print the results as JSON.

Every node of a recording is computed again by the reference evaluator, and by the framework.
"""

import gc
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
import tensorflow as tf
import timed_cases
from keras import layers as L

from compare.adapters import tensorflow_arrays
from compare.adapters.adapter import Unreadable
from compare.adapters.keras_adapter import KerasAdapter
from compare.adapters.keras_file import load_keras_file
from compare.adapters.saved_models import load_saved_model
from compare.adapters.tensorflow_adapter import TensorFlowAdapter
from compare.graphs.evaluate import evaluate_node

SEQUENCE, IMAGE, VOLUME = (11, 6), (8, 9, 6), (5, 6, 4, 4)


def found(adapter: Any, inputs: dict[str, np.ndarray], modes: tuple[bool, ...] = (False, True)) -> dict[str, Any]:
    """Return what was read of a model in evaluation (False) and training mode (True). It has the kinds, and the largest
    distances of evaluator and framework from the recorded values."""
    said: dict[str, Any] = {"evaluated": 0.0, "applied": 0.0, "modes": {}}
    for training in modes:
        made = adapter.record(inputs, training)
        again = adapter.record(inputs, training)
        for node in made.graph.nodes:
            given = [made.values[name] for name in node.inputs]
            if not given:
                continue
            value = made.values[node.name]
            scale = 1 + float(np.abs(value).max())
            applied = adapter.apply(node.name, given, training)
            said["applied"] = max(said["applied"], float(np.abs(applied - value).max()) / scale)
            if ":" not in node.kind:
                weights = {role: made.weights[f"{node.name}/{role}"] for role in node.roles}
                distance = float(np.abs(evaluate_node(node, given, weights) - value).max()) / scale
                said["evaluated"] = max(said["evaluated"], distance)
        said["modes"]["training" if training else "evaluation"] = {
            "nodes": {node.name: [node.kind, list(node.inputs), list(node.shape)] for node in made.graph.nodes},
            "attributes": {node.name: dict(node.attributes) for node in made.graph.nodes},
            "roles": {name: list(array.shape) for name, array in made.weights.items()},
            "statistics": sorted(made.statistics),
            "same_again": all(np.array_equal(made.values[name], again.values[name]) for name in made.values),
        }
        fixed = {node.name for node in made.graph.nodes if node.kind == "Constant"}
        kept = {name: array * 1.25 for name, array in made.weights.items() if name.rpartition("/")[0] not in fixed}
        adapter.set_weights(kept)
        moved = adapter.record(inputs, training).weights
        said["set"] = all(np.array_equal(moved[name], array) for name, array in kept.items())
        adapter.set_weights({name: made.weights[name] for name in kept})
    return said


def varied(model: Any) -> None:
    """Give every weight different values."""
    draw = np.random.default_rng(1)
    for variable in model.weights:
        if "float" in variable.dtype and "seed" not in variable.path:
            variable.assign(draw.uniform(0.5, 1.5, variable.shape))


def example(shapes: dict[str, tuple[int, ...]], largest: int | None = None) -> dict[str, np.ndarray]:
    """Return inputs of these canonical shapes. Integers are below `largest`."""
    draw = np.random.default_rng(2)
    if largest:
        return {name: draw.integers(0, largest, (2, *shape)) for name, shape in shapes.items()}
    return {name: draw.standard_normal((2, *shape)) for name, shape in shapes.items()}


def layer(build: Callable[[Any], Any], *shapes: tuple[int, ...], largest: int | None = None) -> dict[str, Any]:
    """Return the results for a functional model of one layer."""
    inputs = [L.Input(shape, dtype="int32" if largest else None) for shape in shapes]
    model = keras.Model(inputs, build(inputs if len(inputs) > 1 else inputs[0]))
    varied(model)
    adapter = KerasAdapter(model)
    stated = adapter.stated_inputs()
    assert stated is not None
    given = example(stated, largest)
    said = found(adapter, given)
    said["stated"] = {name: list(shape) for name, shape in stated.items()}
    return said


def behind(build: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Put a layer after a convolution, which makes its input channels-last."""
    return lambda x: build(L.Conv2D(6, 1)(x))


LAYERS: dict[str, Callable[[], dict[str, Any]]] = {
    "conv1d_causal": lambda: layer(L.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="tanh"), SEQUENCE),
    "conv2d": lambda: layer(L.Conv2D(4, (3, 2), strides=(2, 3), padding="same", groups=2, activation="relu"), IMAGE),
    "conv2d_first": lambda: layer(L.Conv2D(4, 3, data_format="channels_first"), (3, 8, 9)),
    "conv3d": lambda: layer(L.Conv3D(4, 2, dilation_rate=2), VOLUME),
    "depthwise1d": lambda: layer(L.DepthwiseConv1D(3, depth_multiplier=2, strides=2, padding="same"), SEQUENCE),
    "depthwise2d": lambda: layer(L.DepthwiseConv2D(3, depth_multiplier=2, activation="relu6"), IMAGE),
    "depthwise_dilated": lambda: layer(L.DepthwiseConv2D(3, dilation_rate=2, padding="same"), IMAGE),
    "separable1d": lambda: layer(L.SeparableConv1D(5, 3, padding="same", activation="relu"), SEQUENCE),
    "separable2d": lambda: layer(L.SeparableConv2D(5, 3, strides=2, padding="same", depth_multiplier=2), IMAGE),
    "transposed1d": lambda: layer(L.Conv1DTranspose(5, 3, strides=2, padding="same"), SEQUENCE),
    "transposed2d": lambda: layer(L.Conv2DTranspose(5, (3, 4), strides=(2, 3), padding="valid"), IMAGE),
    "transposed_extra": lambda: layer(L.Conv2DTranspose(5, 3, strides=2, padding="same", output_padding=1), IMAGE),
    "transposed3d": lambda: layer(L.Conv3DTranspose(5, 3, strides=2, padding="same"), VOLUME),
    "dense": lambda: layer(L.Dense(3, activation="gelu"), (5,)),
    "dense_image": lambda: layer(behind(L.Dense(3)), IMAGE),
    "dense_sequence": lambda: layer(L.Dense(3, use_bias=False), (7, 5)),
    "einsum": lambda: layer(L.EinsumDense("abc,cd->abd", output_shape=(None, 4), bias_axes="d"), (7, 5)),
    "einsum_own": lambda: layer(L.EinsumDense("abc,cde->abde", output_shape=(None, 4, 2)), (7, 6)),
    "batch_norm": lambda: layer(L.BatchNormalization(), IMAGE),
    "batch_norm_axis": lambda: layer(L.BatchNormalization(axis=1, scale=False), IMAGE),
    "batch_norm_frozen": lambda: layer(L.BatchNormalization(trainable=False), IMAGE),
    "layer_norm": lambda: layer(L.LayerNormalization(), SEQUENCE),
    "layer_norm_image": lambda: layer(behind(L.LayerNormalization()), IMAGE),
    "layer_norm_axes": lambda: layer(behind(L.LayerNormalization(axis=[1, 2, 3])), IMAGE),
    "rms_norm": lambda: layer(L.RMSNormalization(), SEQUENCE),
    "group_norm": lambda: layer(L.GroupNormalization(3), IMAGE),
    "instance_norm": lambda: layer(L.GroupNormalization(-1), IMAGE),
    "unit_norm": lambda: layer(L.UnitNormalization(), (6,)),
    "flatten": lambda: layer(lambda x: L.Dense(3)(L.BatchNormalization()(L.Flatten()(behind(L.ReLU())(x)))), IMAGE),
    "unflatten": lambda: layer(lambda x: L.Conv2DTranspose(3, 3)(L.Reshape((3, 2, 5))(L.Dense(30)(x))), (7,)),
    "there_and_back": lambda: layer(
        lambda x: L.Conv2D(3, 3)(L.Reshape((8, 9, 6))(L.BatchNormalization()(L.Flatten()(behind(L.ReLU())(x))))), IMAGE
    ),
    "flat_join": lambda: layer(
        lambda x: L.Dense(3)(L.Concatenate()([L.Flatten()(L.Conv2D(4, 3)(x[0])), L.Dense(4)(x[1])])), IMAGE, (5,)
    ),
    "permute": lambda: layer(behind(L.Permute((2, 1, 3))), IMAGE),
    "reshape": lambda: layer(behind(L.Reshape((-1, 6))), IMAGE),
    "repeat": lambda: layer(L.RepeatVector(3), (5,)),
    "zero_padding": lambda: layer(L.ZeroPadding2D(((1, 2), (0, 3))), IMAGE),
    "cropping": lambda: layer(L.Cropping2D(((1, 2), (0, 3))), IMAGE),
    "add": lambda: layer(L.Add(), SEQUENCE, SEQUENCE, SEQUENCE),
    "average": lambda: layer(L.Average(), SEQUENCE, SEQUENCE),
    "subtract": lambda: layer(L.Subtract(), IMAGE, IMAGE),
    "multiply": lambda: layer(L.Multiply(), IMAGE, IMAGE),
    "maximum": lambda: layer(L.Maximum(), IMAGE, IMAGE),
    "concatenate": lambda: layer(lambda x: L.Concatenate()([behind(L.ReLU())(x), x]), IMAGE),
    "dot": lambda: layer(L.Dot(axes=2), SEQUENCE, SEQUENCE),
    "up_sampling1d": lambda: layer(L.UpSampling1D(2), SEQUENCE),
    "up_sampling": lambda: layer(L.UpSampling2D((2, 3)), IMAGE),
    "embedding": lambda: layer(L.Embedding(11, 4), (6,), largest=11),
    "embedding_conv": lambda: layer(lambda x: L.Conv1D(3, 3)(L.Embedding(11, 4)(x)), (6,), largest=11),
    "rescaling": lambda: layer(L.Rescaling(1 / 255, offset=-1), IMAGE),
    "rescaling_channels": lambda: layer(L.Rescaling([1.0, 2, 3], offset=[1.0, 0, 2]), (8, 7, 3)),
    "normalization": lambda: layer(L.Normalization(mean=[1.0, 2, 3], variance=[1.0, 2, 4]), (8, 7, 3)),
    "lambda": lambda: layer(L.Lambda(lambda x: x * 2 + 1), IMAGE),
    "lstm": lambda: layer(L.LSTM(4, return_sequences=True, dropout=0.2), SEQUENCE),
    "attention": lambda: layer(lambda x: L.MultiHeadAttention(2, 3, dropout=0.1)(x, x), SEQUENCE),
    "operations": lambda: layer(
        lambda x: keras.ops.concatenate([x, x * 2.0, keras.ops.gelu(x), 1.0 - keras.ops.relu(x)], axis=-1), IMAGE
    ),
    "slices": lambda: layer(lambda x: keras.ops.pad(x[:, 1:, ::2], ((0, 0), (1, 0), (0, 0), (0, 0))) ** 2, IMAGE),
}
for _kind in ("Max", "Average"):
    for _rank, _shape in ((1, SEQUENCE), (2, IMAGE), (3, VOLUME)):
        _pool = getattr(L, f"{_kind}Pooling{_rank}D")
        LAYERS[f"{_kind}{_rank}"] = lambda pool=_pool, shape=_shape: layer(pool(2, 2, padding="same"), shape)
        _whole = getattr(L, f"Global{_kind}Pooling{_rank}D")
        LAYERS[f"Global{_kind}{_rank}"] = lambda pool=_whole, shape=_shape: layer(pool(keepdims=True), shape)
        _some = getattr(L, f"Adaptive{_kind}Pooling{_rank}D")
        LAYERS[f"Adaptive{_kind}{_rank}"] = lambda pool=_some, shape=_shape: layer(pool(3), shape)
ACTIVATIONS = (
    "relu", "leaky_relu", "relu6", "softmax", "celu", "elu", "selu", "softplus", "softsign", "squareplus",
    "soft_shrink", "sparse_plus", "silu", "gelu", "glu", "tanh", "tanh_shrink", "sigmoid", "sparse_sigmoid",
    "exponential", "hard_sigmoid", "hard_silu", "hard_tanh", "hard_shrink", "linear", "mish", "log_softmax",
    "log_sigmoid", "sparsemax",
)  # fmt: skip
for _name in ACTIVATIONS:
    LAYERS[f"activation_{_name}"] = lambda name=_name: layer(L.Activation(name), (6,))
for _name, _built in {
    "relu_max": lambda: L.ReLU(2.0),
    "relu_slope": lambda: L.ReLU(negative_slope=0.1),
    "relu_threshold": lambda: L.ReLU(threshold=0.5),
    "relu_all": lambda: L.ReLU(2.0, 0.1, 0.3),
    "leaky": lambda: L.LeakyReLU(0.2),
    "elu_alpha": lambda: L.ELU(0.5),
    "prelu": L.PReLU,
    "prelu_shared": lambda: L.PReLU(shared_axes=[1, 2]),
    "softmax_axis": lambda: L.Softmax(axis=1),
    "dropout": lambda: L.Dropout(0.2),
    "spatial_dropout": lambda: L.SpatialDropout2D(0.2),
    "gaussian_noise": lambda: L.GaussianNoise(0.1),
    "alpha_dropout": lambda: L.AlphaDropout(0.1),
}.items():
    LAYERS[_name] = lambda built=_built: layer(behind(built()), IMAGE)


class Block(L.Layer):
    """A user's layer, with a weight of its own."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.conv = L.Conv2D(filters, 3, padding="same")
        self.bn = L.BatchNormalization()
        self.gain = self.add_weight(shape=(filters,), name="gain", initializer="ones")

    def call(self, x: Any) -> Any:
        return tf.nn.relu(self.bn(self.conv(x)) * self.gain)


class Network(keras.Model):
    """A subclassed model that declares no input."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [Block(4), Block(4)]
        self.pool = L.GlobalAveragePooling2D()
        self.drop = L.Dropout(0.5)
        self.head = L.Dense(3)

    def call(self, x: Any) -> Any:
        for block in self.blocks:
            x = block(x)
        gate = keras.ops.sigmoid(keras.ops.reshape(self.pool(x), (-1, 1, 1, 4)))
        return self.head(self.drop(keras.ops.reshape(x * gate, (x.shape[0], -1))))


def subclassed() -> dict[str, Any]:
    """Return the results for a subclassed model."""
    model = Network()
    model(np.zeros((1, 6, 5, 3)))
    varied(model)
    adapter, given = KerasAdapter(model), example({"x": (3, 6, 5)})
    return found(adapter, given) | {"timed": timed_cases.nodes(adapter, given)}


def functional() -> dict[str, Any]:
    """Return the results for a functional model and for training steps of it."""
    adapter, given = KerasAdapter(sequential()), example({"image": (3, 6, 5)})
    said = found(adapter, given)
    said["trained"] = timed_cases.trained(adapter, given, np.zeros((len(given["image"]), 4)))
    said["usual"] = timed_cases.modes(adapter.model)
    return said


def sequential() -> Any:
    """Return a network with a flattening, a frozen part inside, and a shared layer."""
    parts = [L.Input((6, 5, 3)), L.Conv2D(4, 3, name="conv"), L.BatchNormalization(name="bn")]
    inner = keras.Sequential(parts, name="inner")
    x = L.Input((6, 5, 3), name="image")
    shared = L.Dense(4, name="shared")
    y = L.Flatten()(inner(x, training=False))
    y = shared(L.Dense(4, name="first", activation="relu")(y))
    model = keras.Model(x, shared(y))
    varied(model)
    return model


def files() -> dict[str, Any]:
    """Return the results for a saved model and its weights, read in float64 from a file that states float32."""
    keras.config.set_floatx("float32")
    model = sequential()
    keras.config.set_floatx("float64")
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "net.keras")
        adapter = load_keras_file(Path(folder) / "net.keras", "float64")
        given = example({"image": (3, 6, 5)})
        said = found(adapter, given)
        made = adapter.record(given, False)
        said["types"] = sorted({array.dtype.name for array in made.values.values()})
        adapter.save_weights(Path(folder) / "net.weights.h5")
        said["written"] = (Path(folder) / "net.weights.h5").stat().st_size
        said["refused"] = refused(lambda: adapter.save_weights(Path(folder) / "net.h5"))
        (Path(folder) / "bad.keras").write_text("no model")
        said["unreadable"] = refused(lambda: load_keras_file(Path(folder) / "bad.keras", "float64"))
        said["hostile"] = [
            refused(partial(load_keras_file, hostile(Path(folder), *content), "float64"))
            for content in ((b"{}", bytes(100 << 20)), (b"[" * 100_000 + b"]" * 100_000, b""))
        ]
        said["wrong_shape"] = refused(lambda: adapter.record({"image": np.zeros((2, 4, 9, 9))}, False))
        said["wrong_weight"] = refused(lambda: adapter.set_weights({"first/W": np.zeros((2, 2))}))
    return said


def hostile(folder: Path, config: bytes, weights: bytes) -> Path:
    """Write a compressed file with this configuration and these weights."""
    path = folder / "hostile.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", weights)
    return path


def refused(call: Callable[[], Any]) -> str:
    """Return the error message of a call that is refused."""

    try:
        call()
    except Unreadable as error:
        return str(error)
    return ""


class Convolution(tf.Module):
    """A convolution in raw TensorFlow."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.kernel, self.bias = variable(3, 3, inputs, outputs), variable(outputs)

    def __call__(self, x: Any) -> Any:
        return tf.nn.bias_add(tf.nn.conv2d(x, self.kernel, 2, "SAME"), self.bias)


class Normalization(tf.Module):
    """A batch normalisation by TensorFlow's functions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma, self.beta, self.mean, self.var = (variable(channels) for _ in range(4))

    def __call__(self, x: Any, training: bool) -> Any:
        mean, var = self.mean, self.var
        if training:
            mean, var = tf.nn.moments(x, [0, 1, 2])
            self.mean.assign(0.9 * self.mean + 0.1 * mean)
            self.var.assign(0.9 * self.var + 0.1 * var)
        return tf.nn.batch_normalization(x, mean, var, self.beta, self.gamma, 1e-3)


class Written(Normalization):
    """The same, written out in arithmetic."""

    def __call__(self, x: Any, training: bool) -> Any:
        if training:
            mean = tf.reduce_mean(x, [0, 1, 2], keepdims=True)
            var = tf.reduce_mean((x - mean) ** 2, [0, 1, 2], keepdims=True)
        else:
            mean, var = self.mean, self.var
        return self.gamma * (x - mean) / tf.sqrt(var + 1e-5) + self.beta


class Raw(tf.Module):
    """A network in raw TensorFlow, compiled, in float32."""

    def __init__(self) -> None:
        super().__init__()
        self.c1, self.bn1, self.c2, self.bn2 = Convolution(3, 4), Normalization(4), Convolution(4, 5), Written(5)
        self.w, self.b = variable(45, 6), variable(6)

    @tf.function
    def __call__(self, x: Any, training: bool = False) -> Any:
        x = tf.nn.relu(self.bn1(self.c1(x), training))
        x = tf.nn.relu(self.bn2(self.c2(x), training))
        x = tf.reshape(x, [tf.shape(x)[0], -1]) @ self.w + self.b
        return tf.nn.softmax(0.5 * x * (1 + tf.math.erf(x / 1.4142135)))


class Sequence(tf.Module):
    """Attention and a hand-written layer normalisation over a sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel, self.bias, self.gain, self.shift = variable(3, 4, 5), variable(5), variable(5), variable(5)
        self.table, self.inner, self.outer = variable(7, 4), variable(5, 5), variable(5, 2)

    def __call__(self, x: Any) -> Any:
        x = tf.nn.conv1d(tf.gather(self.table, x), self.kernel, 1, "SAME") + self.bias
        mean, var = tf.reduce_mean(x, -1, keepdims=True), tf.math.reduce_variance(x, -1, keepdims=True)
        x = (x - mean) * tf.math.rsqrt(var + 1e-6) * self.gain + self.shift
        y = tf.tensordot(x, self.inner, 1)
        y = y * tf.sigmoid(y)
        y = tf.matmul(tf.nn.softmax(tf.matmul(x, x, transpose_b=True) / 2.0), y)
        left, right = tf.split(y, [2, 3], axis=-1)
        return tf.reduce_max(tf.concat([right, left], -1) + tf.stack([y[:, :, 0]] * 5, -1), 1) @ self.outer


def variable(*shape: int) -> Any:
    """Return a float32 variable with different values."""
    return tf.Variable(np.random.default_rng(sum(shape)).uniform(0.3, 1, shape).astype(np.float32))


def raw() -> dict[str, Any]:
    """Return the results for a tf.Module."""
    adapter = TensorFlowAdapter(Raw())
    given = {"x": example({"x": (3, 12, 12)})["x"].astype(np.float32)}
    said = found(adapter, given) | {"timed": timed_cases.nodes(adapter, given)}
    said["precisions"] = list(adapter.precisions)
    return said


def saved() -> dict[str, Any]:
    """Return the results for a SavedModel."""
    module = Raw()
    given = example({"x": (3, 12, 12)})["x"].astype(np.float32)
    spec = tf.TensorSpec((None, 12, 12, 3), tf.float32, "x")
    with tempfile.TemporaryDirectory() as folder:
        signature = tf.function(lambda x: module(x, False)).get_concrete_function(spec)
        tf.saved_model.save(module, folder, signatures=signature)
        adapter = load_saved_model(Path(folder))
    said = found(adapter, {"x": given}, modes=(False,)) | {"timed": timed_cases.nodes(adapter, {"x": given})}
    try:
        adapter.record({"x": given}, True)
    except Unreadable as refused:
        said["in_training"] = str(refused)
    made = adapter.record({"x": given}, False)
    expected = module(np.moveaxis(given, 1, -1)).numpy()
    said["stated"] = {name: list(shape) for name, shape in (adapter.stated_inputs() or {}).items()}
    said["output"] = float(np.abs(made.values[made.graph.outputs[0]] - expected).max())
    return said


CASES: dict[str, Callable[[], dict[str, Any]]] = {
    **LAYERS,
    "subclassed": subclassed,
    "functional": functional,
    "files": files,
    "raw": raw,
    "saved": saved,
    "sequence": lambda: found(TensorFlowAdapter(Sequence()), {"x": np.random.default_rng(0).integers(0, 7, (2, 6))}),
}


def main() -> None:
    tensorflow_arrays.LARGE_BYTES = 0  # treat every weight as one of a gigabyte
    keras.config.set_floatx("float64")
    gc.freeze()  # stops clear_session from searching all of TensorFlow each time
    answers = {}
    for name, case in CASES.items():
        keras.utils.clear_session()
        try:
            answers[name] = case()
        except Exception as error:
            raise RuntimeError(f"{name}: {error}") from error
    sys.stdout.write("\n" + json.dumps(answers))


if __name__ == "__main__":
    main()
