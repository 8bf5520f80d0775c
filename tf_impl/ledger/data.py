"""Keras's and TensorFlow's forms of the rows about the way from image files to batches."""

import io
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, optimizers

from tf_impl.ledger.forms import aligned, both, own


@own("image-scale")
def array(image: np.ndarray) -> Any:
    return keras.utils.img_to_array(image.astype("uint8"))


@aligned("image-scale", "image-scale-floats")
def divided(image: np.ndarray) -> Any:
    return keras.utils.img_to_array(image) / 255


@own("image-scale-floats")
def rescaled(image: np.ndarray) -> Any:
    return layers.Rescaling(1 / 255)(image)


@own("image-normalisation")
def preprocessed(image: np.ndarray) -> Any:
    return keras.applications.resnet.preprocess_input(image.astype("float64"))


@aligned("image-normalisation")
def preprocessed_for_torch(image: np.ndarray) -> Any:
    return keras.applications.imagenet_utils.preprocess_input(image.astype("float64"), mode="torch")


@own("image-resize-pil")
def resized(image: np.ndarray) -> Any:
    return tf.image.resize(image[:, :, None], (4, 4))[:, :, 0]


@aligned("image-resize-pil")
def resized_with_antialias(image: np.ndarray) -> Any:
    return tf.image.resize(image[:, :, None], (4, 4), antialias=True)[:, :, 0]


@both("image-resize-load")
def loaded(image: np.ndarray) -> Any:
    file = io.BytesIO(tf.io.encode_png(image.astype("uint8")[:, :, None]).numpy())
    return np.array(keras.utils.load_img(file, color_mode="grayscale", target_size=(4, 4)))


@both("image-resize-sides")
def squeezed(image: np.ndarray) -> Any:
    return layers.Resizing(4, 4)(image)


@own("image-jpeg")
def decoded(image: np.ndarray) -> Any:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image.astype("uint8")).save(file, "JPEG")
    return tf.io.decode_jpeg(file.getvalue())[:, :, 0]


@aligned("image-jpeg")
def decoded_accurately(image: np.ndarray) -> Any:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image.astype("uint8")).save(file, "JPEG")
    return tf.io.decode_jpeg(file.getvalue(), dct_method="INTEGER_ACCURATE")[:, :, 0]


@both("image-grey")
def grey(image: np.ndarray) -> Any:
    file = io.BytesIO(tf.io.encode_png(image.astype("uint8")[:, :, None]).numpy())
    return np.array(keras.utils.load_img(file))


@own("image-orientation")
def photo(image: np.ndarray) -> Any:
    from PIL import ExifTags, Image

    file, exif = io.BytesIO(), Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.fromarray(image.astype("uint8")).save(file, "JPEG", exif=exif)
    return tf.shape(tf.io.decode_jpeg(file.getvalue())[:, :, 0])


@aligned("image-orientation")
def photo_turned(image: np.ndarray) -> Any:
    from PIL import ExifTags, Image, ImageOps

    file, exif = io.BytesIO(), Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.fromarray(image.astype("uint8")).save(file, "JPEG", exif=exif)
    return tf.shape(np.array(ImageOps.exif_transpose(Image.open(file))))


@own("image-flip")
def flipped(image: np.ndarray) -> Any:
    keras.utils.set_random_seed(0)
    images = np.tile(image[None, :, :, None], (64, 1, 1, 1))
    return np.mean(np.array(layers.RandomFlip()(images, training=True))[:, 0, 0, 0] == 1)


@aligned("image-flip")
def flipped_horizontally(image: np.ndarray) -> Any:
    keras.utils.set_random_seed(0)
    images = np.tile(image[None, :, :, None], (64, 1, 1, 1))
    return np.mean(np.array(layers.RandomFlip("horizontal")(images, training=True))[:, 0, 0, 0] == 1)


@own("image-rotation")
def rotated(image: np.ndarray) -> Any:
    return layers.RandomRotation((30 / 360, 30 / 360))(image[:, :, None], training=True)[:, :, 0]


@aligned("image-rotation")
def rotated_with_zeros(image: np.ndarray) -> Any:
    turn = (30 / 360, 30 / 360)
    layer = layers.RandomRotation(turn, fill_mode="constant", interpolation="nearest")
    return layer(image[:, :, None], training=True)[:, :, 0]


@both("image-brightness")
def added(image: np.ndarray) -> Any:
    return tf.image.adjust_brightness(image, 0.5)


@own("shuffle-buffer")
def shuffled(labels: np.ndarray) -> Any:
    data = tf.data.Dataset.from_tensor_slices(labels).shuffle(8, seed=0).batch(16)
    return tf.reduce_sum(next(iter(data)))


@aligned("shuffle-buffer")
def permuted(labels: np.ndarray) -> Any:
    order = np.random.default_rng(0).permutation(64)
    data = tf.data.Dataset.from_tensor_slices(labels[order]).batch(16)
    return tf.reduce_sum(next(iter(data)))


@own("shuffle-default")
def epoch(x: np.ndarray, y: np.ndarray) -> Any:
    keras.utils.set_random_seed(0)
    layer = layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile(optimizers.SGD(0.1), "mse")
    model.fit(x, y, batch_size=1, verbose=0)
    return layer.kernel


@aligned("shuffle-default")
def epoch_in_order(x: np.ndarray, y: np.ndarray) -> Any:
    layer = layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile(optimizers.SGD(0.1), "mse")
    model.fit(x, y, batch_size=1, shuffle=False, verbose=0)
    return layer.kernel


@own("last-batch")
def batch_sizes(x: np.ndarray) -> Any:
    return np.array([len(batch) for batch in tf.data.Dataset.from_tensor_slices(x).batch(4)])


@aligned("last-batch")
def batch_sizes_without_last(x: np.ndarray) -> Any:
    return np.array([len(batch) for batch in tf.data.Dataset.from_tensor_slices(x).batch(4, drop_remainder=True)])


@both("validation-split")
def last_quarter(x: np.ndarray) -> Any:
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile(optimizers.SGD(0.0), "mae")
    history = model.fit(x[:, None], np.zeros((16, 1)), validation_split=0.25, verbose=0)
    return np.array(history.history["val_loss"][0])
