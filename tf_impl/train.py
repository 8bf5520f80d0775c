"""Training in Keras, as shared/protocol.py asks for it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from shared.data import Data
from shared.protocol import Build, Framework, Mode, OnEpoch
from shared.training import SGD, Adam, AdamW, TrainSpec
from shared.weights import Weights
from shared.world import World
from tf_impl import idiomatic
from tf_impl import weights as layout
from tf_impl.models import MODELS, Builder
from tf_impl.optimizers import ClassicMomentum, FusedAdam, PaperAdam
from tf_impl.profile import by_operation
from tf_impl.settings import settings
from tf_impl.tuning import Tuning

CPU, GPU = "/CPU:0", "/GPU:0"
STATE_NAMES = ("m", "v", "velocity")

Batch = tuple[tf.Tensor, tf.Tensor]


def framework() -> Framework:
    """Keras's version, devices and settings."""
    if World.here().size > 1:
        from tf_impl.distributed import strategy

        strategy()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    return Framework(
        name="keras",
        version=f"{keras.__version__} (tensorflow {tf.__version__})",
        n_cuda_devices=len(tf.config.list_physical_devices("GPU")),
        settings={
            "tf32": str(tf.config.experimental.tensor_float_32_execution_enabled()),
            "backend": keras.backend.backend(),
        },
    )


def create(build: Build) -> "KerasModel":
    """Build the network as a KerasModel."""
    return create_from(MODELS, build)


def fit(model: "KerasModel", train: TrainSpec, data: Data, on_epoch: OnEpoch) -> None:
    """Train `model` in the idiomatic recipe."""
    idiomatic.fit(model.model, train, data, on_epoch)


def create_from(builders: Mapping[str, Builder], build: Build) -> "KerasModel":
    """Build the network as a KerasModel, by the one of `builders` that has its name."""
    train, device = build.train, build.device
    tf.config.experimental.enable_tensor_float_32_execution(train.mixed_precision == "tf32")
    gpus = tf.config.list_physical_devices("GPU")[:1] if device == "cuda" else []
    tf.config.set_visible_devices(gpus, "GPU")
    if gpus:
        tf.config.experimental.reset_memory_stats("GPU:0")
    world = World.here()
    keras.utils.set_random_seed(train.seed + world.rank)  # what is dropped of one share is not what is of another
    # What ~/.keras/keras.json could have changed is stated here.
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx(train.dtype)
    # Else it stays what the first network of this process had.
    keras.config.set_dtype_policy("mixed_bfloat16" if train.mixed_precision == "bfloat16" else train.dtype)
    with tf.device(GPU if device == "cuda" else CPU):
        arguments = train.network_arguments
        if build.recipe == "idiomatic" or "normalisation" in train.own:
            arguments |= idiomatic.OWN_LAYERS.get(build.model.name, {})
        network = builders[build.model.name]
        if world.size > 1:
            from tf_impl.distributed import SharingKerasModel, strategy

            with strategy().scope():
                return SharingKerasModel(network(**arguments), build)
        return KerasModel(network(**arguments), build)


class KerasModel:
    """A `keras.Model` with its optimizer."""

    def __init__(self, model: keras.Model, build: Build) -> None:
        self.spec, train, mode = build.model, build.train, build.mode
        self.device = GPU if build.device == "cuda" else CPU
        self.dtype = tf.as_dtype(train.dtype)
        self.model = model
        if build.weights is not None:
            self.load(build.weights)
        tuning = Tuning.model_validate(dict(build.tuning))
        self.optimizer = _optimizer(train, self.model.trainable_variables, tuning)
        own = "loss" in train.own
        self.loss = _loss_of_probabilities if own else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        images = tf.TensorSpec((None, *self.spec.input_shape), self.dtype)
        labels = tf.TensorSpec((None,), tf.int64)
        rate = tf.TensorSpec((), self.dtype)
        self.update = _compiled(self._update, (images, labels, rate), mode, tuning)
        self.forward = _compiled(self._forward, (images,), mode, tuning)

    def put(self, images: np.ndarray, labels: np.ndarray) -> Batch:
        return self._put_images(images), self._put(labels, tf.int64)

    def fetch_batch(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        images, labels = batch
        return self.fetch(images), self.fetch(labels)

    def train_step(self, batch: Batch, learning_rate: float) -> tuple[tf.Tensor, tf.Tensor]:
        return self.update(*batch, tf.constant(learning_rate, self.dtype))

    def _update(self, images: tf.Tensor, labels: tf.Tensor, rate: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        assert self.optimizer is not None, "only the matched recipe trains step by step"
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self._logits(images, training=True)
            loss = self.loss(labels, logits)
        self.optimizer.learning_rate.assign(rate)
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss, logits

    def sync(self) -> None:
        if self.device != CPU:  # on the CPU every call returns when it is done
            tf.test.experimental.sync_devices()

    def fetch(self, tensor: tf.Tensor) -> np.ndarray:
        return tensor.numpy()

    def logits(self, images: np.ndarray) -> np.ndarray:
        return self.fetch(self.forward(self._put_images(images)))

    def _forward(self, images: tf.Tensor) -> tf.Tensor:
        return self._logits(images, training=False)

    def _logits(self, images: tf.Tensor, training: bool) -> tf.Tensor:
        return tf.cast(self.model(images, training=training), self.dtype)

    def loss_and_gradients(self, batch: Batch) -> tuple[float, Weights]:
        images, labels = batch
        variables = self.model.trainable_variables
        with self._statistics_kept(), tf.GradientTape() as tape:
            loss = self.loss(labels, self.model(images, training=True))
        gradients = tape.gradient(loss, variables)
        named = dict(zip(layout.by_name(variables), gradients, strict=True))
        return float(loss), layout.export(self.spec, named)

    def activations(self, images: np.ndarray, training: bool = False) -> dict[str, np.ndarray]:
        names = [layer.name for layer in self.spec.layers]
        outputs = [self.model.get_layer(name).output for name in names]
        inspected = keras.Model(self.model.inputs, outputs)
        with self._statistics_kept():
            tensors = inspected(self._put_images(images), training=training)
        return {name: self.fetch(t) for name, t in zip(names, tensors, strict=True)}

    def weights(self) -> Weights:
        return layout.export(self.spec, layout.by_name(self.model.variables))

    def load(self, weights: Weights) -> None:
        layout.load(self.model, self.spec, weights)

    def optimizer_state(self) -> Weights:
        names = layout.by_name(self.model.trainable_variables)
        state: Weights = {}
        for key in STATE_NAMES:
            moments = dict(zip(names, getattr(self.optimizer, key, ()), strict=False))
            exported = layout.export(self.spec, moments)
            state |= {f"{name}/{key}": value for name, value in exported.items()}
        return state

    def state(self) -> dict[str, np.ndarray]:
        return {name: np.array(variable) for name, variable in self._everything().items()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        for name, variable in self._everything().items():
            variable.assign(state[name])

    def _everything(self) -> dict[str, keras.Variable]:
        """What changes in training: the network's variables, among them the states of random numbers, and the
        optimizer's."""
        assert self.optimizer is not None, "only the matched recipe trains step by step"
        kinds = {"network": self.model.variables, "optimizer": self.optimizer.variables}
        return {f"{kind}/{number}": v for kind, of_one in kinds.items() for number, v in enumerate(of_one)}

    def settings(self) -> dict[str, str]:
        return settings(self.model, self.optimizer) | {"tensorflow": tf.__version__, "keras": keras.__version__}

    def count_parameters(self) -> tuple[int, int]:
        trainable = sum(int(np.prod(v.shape)) for v in self.model.trainable_variables)
        return self.model.count_params(), trainable

    def count_by_layer(self) -> dict[str, int]:
        return {layer.name: layer.count_params() for layer in self.model.layers if layer.count_params()}

    def count_flops(self) -> int:
        images = tf.TensorSpec((1, *self.spec.input_shape), self.dtype)
        return _count_flops(tf.function(self._forward).get_concrete_function(images).graph)

    def profile(self, work: Callable[[], None]) -> dict[str, float]:
        return by_operation(work, "cpu" if self.device == CPU else "cuda")

    def device_name(self) -> str:
        if self.device == CPU:
            return "cpu"
        (gpu,) = tf.config.get_visible_devices("GPU")
        return str(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name))

    def peak_device_bytes(self) -> int | None:
        if self.device == CPU:
            return None
        return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])

    @contextmanager
    def _statistics_kept(self) -> Iterator[None]:
        """Put the moving statistics back afterwards: a pass in training mode moves them."""
        named = layout.by_name(self.model.variables)  # the state of a dropout layer's random numbers is none of them
        statistics = [named[p.name] for p in self.spec.parameters if not p.trainable]
        kept = [(v, tf.identity(v.value)) for v in statistics]
        yield
        for variable, value in kept:
            variable.assign(value)

    def _put_images(self, images: np.ndarray) -> tf.Tensor:
        return self._put(images, self.dtype)  # (N, H, W, C)

    def _put(self, array: np.ndarray, dtype: tf.DType) -> tf.Tensor:
        with tf.device(self.device):
            return tf.constant(array, dtype)


def _loss_of_probabilities(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return keras.losses.SparseCategoricalCrossentropy()(labels, keras.ops.softmax(logits))


def _count_flops(graph: tf.Graph) -> int:
    """What TensorFlow's own profiler counts in the convolutions and matrix products of `graph`."""
    profiler = tf.compat.v1.profiler
    builder = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
    options = builder.with_accounted_types([".*Conv2D", ".*MatMul"]).with_empty_output().build()
    return int(profiler.profile(graph, options=options, cmd="op").total_float_ops)


def _compiled(
    function: Callable[..., Any], signature: tuple[tf.TensorSpec, ...], mode: Mode, tuning: Tuning
) -> Callable[..., Any]:
    """As a graph, `function` is traced once and serves every batch size, or is traced for each where shapes are static;
    else it is run operation by operation."""
    if mode == "eager":
        return function
    any_size = signature if tuning.shapes == "any" else None
    return tf.function(function, input_signature=any_size, jit_compile=mode == "xla")


def _optimizer(train: TrainSpec, variables: list[keras.Variable], tuning: Tuning) -> keras.optimizers.Optimizer | None:
    """The matched optimizer; None in the idiomatic recipe, which has one of its own."""
    match train.optimizer:
        case None:
            return None
        case _ if "optimizer" in train.own:
            optimizer = keras.optimizers.Adam()
        case Adam() | AdamW() as adam:
            optimizer = (FusedAdam if tuning.optimizer == "fused" else PaperAdam)(adam)
        case SGD() as sgd:
            optimizer = ClassicMomentum(sgd)
    optimizer.build(variables)
    return optimizer
