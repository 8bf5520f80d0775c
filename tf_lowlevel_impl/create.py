"""Build and train a network in raw TensorFlow, and describe TensorFlow: what this package exports."""

import tensorflow as tf

from shared.data import Data
from shared.protocol import Build, Framework, OnEpoch
from shared.training import TrainSpec
from shared.world import World
from tf_lowlevel_impl import idiomatic
from tf_lowlevel_impl.distributed import SharingLowLevelModel, strategy
from tf_lowlevel_impl.on_device import see
from tf_lowlevel_impl.train import LowLevelModel


def framework() -> Framework:
    """Return TensorFlow's version, devices and settings."""
    if World.here().size > 1:
        strategy()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    return Framework(
        name="tensorflow",
        version=tf.__version__,
        n_cuda_devices=len(tf.config.list_physical_devices("GPU")),
        settings={"tf32": str(tf.config.experimental.tensor_float_32_execution_enabled())},
    )


def create(build: Build) -> LowLevelModel:
    """Build the network as a LowLevelModel."""
    train, world = build.train, World.here()
    tf.config.experimental.enable_tensor_float_32_execution(train.mixed_precision == "tf32")
    device = see(build.device)
    # Each worker has its own dropout.
    tf.random.set_global_generator(tf.random.Generator.from_seed(train.seed + world.rank))
    with tf.device(device):
        return (SharingLowLevelModel if world.size > 1 else LowLevelModel)(build)


def fit(model: LowLevelModel, train: TrainSpec, data: Data, on_epoch: OnEpoch) -> None:
    """Train `model` in the idiomatic recipe."""
    idiomatic.fit(model.module, train, data, on_epoch)
