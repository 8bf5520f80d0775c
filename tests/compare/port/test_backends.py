"""Keras on PyTorch and on JAX in `compare port`."""

import importlib.util

import pytest

from compare.port import Port
from compare.port.workers import backend_of
from shared.errors import InputError

MODELS = """
import keras
from keras import layers, ops


class Scaled(layers.Layer):
    def build(self, shape):
        self.g = self.add_weight(shape=(shape[-1],), initializer="ones", name="g")
        self.w = self.add_weight(shape=(shape[-1], 4), name="w")

    def call(self, x):
        y = (x - ops.mean(x, axis=-1, keepdims=True)) / ops.sqrt(ops.var(x, axis=-1, keepdims=True) + 1e-5)
        y = ops.tanh(ops.matmul(y * self.g, self.w)) + 1.0
        return ops.concatenate([y[:, ::2], 2 * y[:, -1][:, None]], axis=1)


def build(slope=0.1, rate=0.01, stopped=False):
    x = image = keras.Input((8, 8, 3))
    x = layers.Conv2D(6, 3, padding="same", strides=2, kernel_regularizer=keras.regularizers.L2(0.01))(x)
    x = layers.BatchNormalization()(x)
    x = layers.LeakyReLU(negative_slope=slope)(x)
    x = layers.Reshape((16, 6))(layers.Dropout(0.3)(x))
    x = layers.MultiHeadAttention(2, 3)(x, x) + x
    x = Scaled()(layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x))
    if stopped:
        x = ops.stop_gradient(x)
    x = layers.Dense(5, activation="softmax")(layers.GlobalAveragePooling1D()(x))
    model = keras.Model(image, x)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    return model


"""
OTHER = "torch.nn:Identity()"
# The watch of functions does not see these: NumPy's functions, a function imported before, a compiled one, and changes
# in place.
UNSEEN = """
import keras
import numpy as np
from keras import layers, ops

if keras.backend.backend() == "torch":
    import torch

    def unseen(x, name):
        return torch.from_numpy(np.asarray(getattr(np, name)(x.detach().numpy())))

    def seen(x):
        y = torch.zeros_like(x)
        y[:, 0] = x[:, 0]
        y[:, 1:] = x[:, 1:]
        return y.mul_(2.0)
else:
    import jax
    import jax.numpy as jnp
    from jax.numpy import sin, tanh

    def unseen(x, name):
        return {"sin": sin, "tanh": tanh}[name](x)

    seen = jax.jit(lambda x: jnp.multiply(x, 2.0))


class Unseen(layers.Layer):
    def __init__(self, name):
        super().__init__()
        self.function = name

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], 4), name="w")

    def call(self, x):
        return 1.0 + unseen(ops.matmul(x, self.w), self.function)


class Seen(layers.Layer):
    def call(self, x):
        return seen(x)


class Most(layers.Layer):
    def call(self, x):
        return x / unseen(ops.max(ops.absolute(x)), "tanh")


def build(name="tanh", slope=0.1):
    image = keras.Input((5,))
    x = layers.LeakyReLU(slope)(layers.Dense(6)(image))
    x = Unseen(name)(Seen()(x))
    return keras.Model(image, layers.Dense(3)(Most()(x)))


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.head = layers.Dense(4)

    def call(self, x):
        return self.head(unseen(x, "tanh"))
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("backends") / "models.py"
    path.write_text(MODELS)
    return str(path)


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("unseen") / "models.py"
    path.write_text(UNSEEN)
    return str(path)


def unseen_is_a_step(port: Port, unseen: str, backend: str) -> None:
    """A computation that no watch sees is one unexplained step, or an error outside of layers."""
    backends = backend, backend
    found = port.check(f"{unseen}:build", f"{unseen}:build(name='sin', slope=0.2)", backends=backends)
    assert [cause.cause for cause in found.causes] == ["activation.slope"]
    assert [(one.left, one.right) for one in found.unexplained] == [("unseen", "unseen")]
    kinds = {pair.left: pair.kind for pair in found.pairs}
    assert (kinds["unseen"], kinds["most"]) == ("keras:Unseen", "keras:Most")
    assert "seen" not in kinds  # its operations are seen
    with pytest.raises(InputError, match=f"Outside of its layers.*invisible on {backend}.*layer of its own"):
        port.check(f"{unseen}:Own", f"{unseen}:Own", input=(5,), backends=backends)


def found_by(port: Port, models: str, backends: tuple[str, str]) -> None:
    """Equal models agree in everything. A slip of the forward pass and one of training are named."""
    equal = port.check(f"{models}:build", f"{models}:build", backends=backends, loss="compiled", steps=3)
    assert equal.verdict == "same", equal.causes
    assert equal.right.version.partition(" on ")[2].startswith(backends[1])
    other = f"{models}:build(slope=0.2, rate=0.02)"
    slips = port.check(f"{models}:build", other, backends=backends, loss="compiled", steps=2)
    assert slips.verdict == "different"
    assert [cause.cause for cause in slips.causes] == ["activation.slope", "optimizer.learning_rate"]
    assert not slips.unexplained


# It takes 20 s of processor time. .ci/run runs all of this file in the environment with JAX.
# tests/conformance/test_shipped.py has Keras on PyTorch in the default suite.
@pytest.mark.long
def test_on_pytorch_a_model_is_the_same_and_slips_are_named(port: Port, models: str) -> None:
    found_by(port, models, ("torch", "torch"))
    stopped = port.check(
        f"{models}:build", f"{models}:build(stopped=True)", backends=("torch", "torch"), loss="compiled"
    )
    assert [cause.cause for cause in stopped.causes] == ["gradient.stopped"]


@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed: pip install -e '.[jax]'; .ci/run does so"
)
def test_on_jax_a_model_is_the_same_and_slips_are_named(port: Port, models: str) -> None:
    found_by(port, models, ("tensorflow", "jax"))


@pytest.mark.long  # as above; test_unseen.py has the rules in the default suite
def test_on_pytorch_what_is_not_seen_is_a_step(port: Port, unseen: str) -> None:
    unseen_is_a_step(port, unseen, "torch")


@pytest.mark.long  # JAX compiles each operation: half a minute
@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed: pip install -e '.[jax]'; .ci/run does so"
)
def test_on_jax_what_is_not_seen_is_a_step(port: Port, unseen: str) -> None:
    unseen_is_a_step(port, unseen, "jax")


@pytest.mark.long  # as above
@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed: pip install -e '.[jax]'; .ci/run does so"
)
def test_on_jax_a_gradient_that_is_stopped_is_named(port: Port, models: str) -> None:
    found = port.check(
        f"{models}:build", f"{models}:build(stopped=True)", backends=("tensorflow", "jax"), loss="compiled"
    )
    assert [cause.cause for cause in found.causes] == ["gradient.stopped"]
    assert not found.unexplained


@pytest.mark.skipif(importlib.util.find_spec("jax") is not None, reason="JAX is installed")
def test_a_backend_that_is_not_installed(port: Port, models: str) -> None:
    with pytest.raises(
        InputError, match=r"compute with jax, which this environment lacks.*pip install 'compare\[jax\]'"
    ):
        port.check(f"{models}:build", f"{models}:build", backends=("torch", "jax"))


def test_a_backend_is_of_keras_alone(port: Port, models: str) -> None:
    with pytest.raises(InputError, match="left model is of torch, and --left-backend is for models of Keras"):
        port.check(OTHER, f"{models}:build", input=(8, 8, 3), backends=("torch", "torch"))


def test_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert [backend_of("", "tensorflow"), backend_of("", "torch"), backend_of("jax"), backend_of("")] == [
        "torch",
        "tensorflow",
        "jax",
        "torch",
    ]
    monkeypatch.delenv("KERAS_BACKEND")
    assert backend_of("", "tensorflow") == "tensorflow"
