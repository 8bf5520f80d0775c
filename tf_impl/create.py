"""Build and train a Keras network, and describe Keras: what this package exports."""

from collections.abc import Mapping

import keras
import tensorflow as tf

from shared import own_code
from shared.data import Data
from shared.protocol import Build, Framework, OnEpoch
from shared.training import TrainSpec
from shared.world import World
from tf_impl import idiomatic
from tf_impl.distributed import SharingKerasModel, strategy
from tf_impl.models import MODELS, Builder
from tf_impl.own import FILE, own_layers
from tf_impl.train import KerasModel
from tf_lowlevel_impl.on_device import see


def framework() -> Framework:
    """Return Keras's version, devices and settings."""
    if World.here().size > 1:
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


def create(build: Build) -> KerasModel:
    """Build the network as a KerasModel."""
    return create_from(MODELS, build)


def create_from(builders: Mapping[str, Builder], build: Build) -> KerasModel:
    """Build the network as a KerasModel, from the user's own code or from the builder of its name in `builders`."""
    train, world = build.train, World.here()
    tf.config.experimental.enable_tensor_float_32_execution(train.mixed_precision == "tf32")
    device = see(build.device)
    keras.utils.set_random_seed(train.seed + world.rank)  # each worker has its own dropout
    # These override ~/.keras/keras.json.
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx(train.dtype)
    # Otherwise the policy of this process's first network would stay.
    keras.config.set_dtype_policy("mixed_bfloat16" if train.mixed_precision == "bfloat16" else train.dtype)
    arguments = train.network_arguments
    if build.recipe == "idiomatic" or "normalisation" in train.own:
        arguments |= own_layers(build.model)
    network = own_code.chosen(build.model, FILE, builders)
    with tf.device(device):
        if world.size == 1:
            return KerasModel(network(**arguments), build)
        with strategy().scope():
            return SharingKerasModel(network(**arguments), build)


def fit(model: KerasModel, train: TrainSpec, data: Data, on_epoch: OnEpoch) -> None:
    """Train `model` in the idiomatic recipe."""
    idiomatic.fit(model.model, train, data, on_epoch)
