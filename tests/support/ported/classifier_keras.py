"""The same classifier in Keras, as a Keras tutorial writes it: `ported` by hand with five slips, and `mended`."""

import keras
from keras import layers


def ported() -> keras.Model:
    """No mask, another activation of the gates, the last step of both directions, relu for tanh, and another rate."""
    ids = keras.Input((12,), dtype="int32")
    x = layers.Embedding(50, 12)(ids)
    lstm = {"return_sequences": True, "recurrent_activation": "hard_sigmoid"}
    x = layers.Bidirectional(layers.LSTM(8, **lstm))(x)
    x = layers.Dropout(0.3)(x)
    x = layers.Bidirectional(layers.LSTM(8, **lstm))(x)
    x = layers.Dense(16, activation="relu")(x[:, -1, :])
    return keras.Model(ids, layers.Dense(3)(layers.Dropout(0.2)(x)))


def mended(rate: float = 0.5) -> keras.Model:
    """Return the equal of the PyTorch model."""
    ids = keras.Input((12,), dtype="int32")
    x = layers.Embedding(50, 12, mask_zero=True)(ids)
    x = layers.Bidirectional(layers.LSTM(8, return_sequences=True))(x)
    x = layers.Dropout(0.3)(x)
    x = layers.Bidirectional(layers.LSTM(8))(x)
    x = layers.Dense(16, activation="tanh")(x)
    return keras.Model(ids, layers.Dense(3)(layers.Dropout(rate)(x)))


def trained() -> keras.Model:
    """The correct model except for a dropout rate, trained with four more slips.

    They are probabilities for logits, no momentum, each gradient clipped by its own norm, and ten times the rate.
    """
    model = mended(rate=0.2)
    optimizer = keras.optimizers.RMSprop(1e-2, rho=0.9, epsilon=1e-40, clipnorm=0.1)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy())
    return model


def trained_alike() -> keras.Model:
    """The same without slips."""
    model = mended()
    optimizer = keras.optimizers.RMSprop(1e-3, rho=0.9, epsilon=1e-40, momentum=0.9, global_clipnorm=0.1)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model
