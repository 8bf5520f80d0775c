"""Training on TensorFlow's own operations, as shared/protocol.py asks for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from shared.data import Data
from shared.protocol import Build, Framework, Mode, OnEpoch
from shared.training import SGD, Adam, AdamW, TrainSpec
from shared.weights import Weights
from shared.world import World
from tf_lowlevel_impl import idiomatic, optimizers
from tf_lowlevel_impl import weights as layout
from tf_lowlevel_impl.models import MODELS
from tf_lowlevel_impl.profile import by_operation
from tf_lowlevel_impl.settings import settings
from tf_lowlevel_impl.tuning import Tuning

CPU, GPU = "/CPU:0", "/GPU:0"
STATE_NAMES = ("m", "v", "velocity")

Batch = tuple[tf.Tensor, tf.Tensor]


def framework() -> Framework:
    """TensorFlow's version, devices and settings."""
    if World.here().size > 1:
        from tf_lowlevel_impl.distributed import strategy

        strategy()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    return Framework(
        name="tensorflow",
        version=tf.__version__,
        n_cuda_devices=len(tf.config.list_physical_devices("GPU")),
        settings={
            "tf32": str(tf.config.experimental.tensor_float_32_execution_enabled()),
        },
    )


def create(build: Build) -> "LowLevelModel":
    """Build the network as a LowLevelModel."""
    train, device = build.train, build.device
    tf.config.experimental.enable_tensor_float_32_execution(train.mixed_precision == "tf32")
    gpus = tf.config.list_physical_devices("GPU")[:1] if device == "cuda" else []
    tf.config.set_visible_devices(gpus, "GPU")
    if gpus:
        tf.config.experimental.reset_memory_stats("GPU:0")
    world = World.here()
    # What is dropped of one share is not what is dropped of another.
    tf.random.set_global_generator(tf.random.Generator.from_seed(train.seed + world.rank))
    with tf.device(GPU if device == "cuda" else CPU):
        if world.size > 1:
            from tf_lowlevel_impl.distributed import SharingLowLevelModel

            return SharingLowLevelModel(build)
        return LowLevelModel(build)


def fit(model: "LowLevelModel", train: TrainSpec, data: Data, on_epoch: OnEpoch) -> None:
    """Train `model` in the idiomatic recipe."""
    idiomatic.fit(model.module, train, data, on_epoch)


class LowLevelModel:
    """A `tf.Module` with its optimizer."""

    def __init__(self, build: Build) -> None:
        self.spec, train, mode = build.model, build.train, build.mode
        self.device = GPU if build.device == "cuda" else CPU
        self.dtype = tf.as_dtype(train.dtype)
        self.compute_dtype = tf.bfloat16 if train.mixed_precision == "bfloat16" else self.dtype
        self.module = MODELS[self.spec.name](self.dtype, **train.network_arguments)
        self.variables = layout.by_name(self.module, self.spec)
        self.trainable = {p.name: self.variables[p.name] for p in self.spec.parameters if p.trainable}
        if build.weights is None:
            idiomatic.initialise(self.spec, self.variables)
        else:
            self.load(build.weights)
        tuning = Tuning.model_validate(dict(build.tuning))
        self.optimizer = _optimizer(train, list(self.trainable.values()), tuning)
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
        with tf.GradientTape() as tape:
            logits = self._logits(images, training=True)
            loss = cross_entropy(labels, logits)
        self.optimizer.apply(tape.gradient(loss, list(self.trainable.values())), rate)
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
        return tf.cast(self.module(tf.cast(images, self.compute_dtype), training), self.dtype)

    def loss_and_gradients(self, batch: Batch) -> tuple[float, Weights]:
        images, labels = batch
        with self._statistics_kept(), tf.GradientTape() as tape:
            loss = cross_entropy(labels, self.module(images, training=True))
        gradients = tape.gradient(loss, self.trainable)
        return float(loss), layout.export(self.spec, gradients)

    def activations(self, images: np.ndarray, training: bool = False) -> dict[str, np.ndarray]:
        seen: dict[str, np.ndarray] = {}

        def tap(name: str, output: tf.Tensor) -> tf.Tensor:
            seen[name] = self.fetch(output)
            return output

        with self._statistics_kept():
            self.module(self._put_images(images), training, tap)
        return seen

    def weights(self) -> Weights:
        return layout.export(self.spec, self.variables)

    def load(self, weights: Weights) -> None:
        layout.load(self.module, self.spec, weights)

    def optimizer_state(self) -> Weights:
        state: Weights = {}
        for key in STATE_NAMES:
            moments = dict(zip(self.trainable, getattr(self.optimizer, key, ()), strict=False))
            exported = layout.export(self.spec, moments)
            state |= {f"{name}/{key}": value for name, value in exported.items()}
        return state

    def state(self) -> dict[str, np.ndarray]:
        return {name: variable.numpy() for name, variable in self._everything().items()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        for name, variable in self._everything().items():
            variable.assign(state[name])

    def _everything(self) -> dict[str, tf.Variable]:
        """What changes in training: the network's variables, the optimizer's, and the state of random numbers."""
        assert self.optimizer is not None, "only the matched recipe trains step by step"
        known = {v.ref() for v in self.variables.values()}
        moments = (v for v in self.optimizer.variables if v.ref() not in known)
        named = {f"optimizer/{number}": v for number, v in enumerate(moments)}
        return self.variables | named | {"random": tf.random.get_global_generator().state}

    def settings(self) -> dict[str, str]:
        return settings(self.module, self.optimizer) | {"tensorflow": tf.__version__}

    def count_parameters(self) -> tuple[int, int]:
        return (
            sum(v.shape.num_elements() for v in self.module.variables),
            sum(v.shape.num_elements() for v in self.module.trainable_variables),
        )

    def count_by_layer(self) -> dict[str, int]:
        layers = {name: getattr(self.module, name) for name in dict.fromkeys(n.split("/")[0] for n in self.variables)}
        return {name: sum(v.shape.num_elements() for v in layer.variables) for name, layer in layers.items()}

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
        kept = [(v, tf.identity(v)) for v in self.variables.values() if not v.trainable]
        yield
        for variable, value in kept:
            variable.assign(value)

    def _put_images(self, images: np.ndarray) -> tf.Tensor:
        return self._put(images, self.dtype)  # (N, H, W, C)

    def _put(self, array: np.ndarray, dtype: tf.DType) -> tf.Tensor:
        with tf.device(self.device):
            return tf.constant(array, dtype)


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """The mean over the batch of the cross-entropy of logits (N, classes) with labels (N,)."""
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


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


def _optimizer(
    train: TrainSpec, variables: list[tf.Variable], tuning: Tuning
) -> optimizers.Adam | optimizers.SGD | None:
    """The matched optimizer; None in the idiomatic recipe, which has one of its own."""
    match train.optimizer:
        case None:
            return None
        case Adam() | AdamW() as adam:
            return (optimizers.FusedAdam if tuning.optimizer == "fused" else optimizers.Adam)(adam, variables)
        case SGD() as sgd:
            return optimizers.SGD(sgd, variables)
