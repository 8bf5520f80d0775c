"""The same classifier in Keras, as a Keras tutorial writes it: `ported` by hand with five slips, and `mended`."""

import keras
import numpy as np
from keras import layers, ops


def positional_encoding(length: int, width: int) -> np.ndarray:
    """Return alternating sines and cosines of every position, (1, length, width)."""
    positions = np.arange(length)[:, np.newaxis]
    rates = 1 / np.power(10000, (2 * (np.arange(width)[np.newaxis] // 2)) / width)
    angles = positions * rates
    angles[:, 0::2] = np.sin(angles[:, 0::2])
    angles[:, 1::2] = np.cos(angles[:, 1::2])
    return angles[np.newaxis]


class TransformerBlock(layers.Layer):
    """Attention and two dense layers, each with a shortcut and a normalisation.

    The normalisation comes last as in the paper, or first.
    """

    def __init__(
        self, width: int, heads: int, hidden: int, epsilon: float, activation: str, norm_first: bool, rate: float = 0.1
    ) -> None:
        super().__init__()
        self.norm_first = norm_first
        self.att = layers.MultiHeadAttention(heads, width // heads, dropout=rate)
        self.ffn = keras.Sequential(
            [layers.Dense(hidden, activation=activation), layers.Dropout(rate), layers.Dense(width)]
        )
        self.layernorm1 = layers.LayerNormalization(epsilon=epsilon)
        self.layernorm2 = layers.LayerNormalization(epsilon=epsilon)
        self.dropout1 = layers.Dropout(rate)
        self.dropout2 = layers.Dropout(rate)

    def call(self, x: object, attention_mask: object = None) -> object:
        if self.norm_first:
            n = self.layernorm1(x)
            x = x + self.dropout1(self.att(n, n, attention_mask=attention_mask))
            return x + self.dropout2(self.ffn(self.layernorm2(x)))
        x = self.layernorm1(x + self.dropout1(self.att(x, x, attention_mask=attention_mask)))
        return self.layernorm2(x + self.dropout2(self.ffn(x)))


def build(heads: int, epsilon: float, activation: str, norm_first: bool, masked: bool) -> keras.Model:
    """Return the model."""
    width, hidden = 16, 32
    ids = keras.Input((12,), dtype="int32")
    mask = ops.expand_dims(ops.not_equal(ids, 0), 1) if masked else None
    x = layers.Embedding(50, width)(ids)
    x = x * 4.0 + positional_encoding(12, width)
    x = layers.Dropout(0.1)(x)
    for _ in range(2):
        x = TransformerBlock(width, heads, hidden, epsilon, activation, norm_first)(x, attention_mask=mask)
    x = layers.LayerNormalization(epsilon=epsilon)(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(ids, layers.Dense(3)(x))


def ported() -> keras.Model:
    """Two heads instead of four, normalisation last, Keras's epsilon, relu for gelu, and no mask."""
    return build(2, 1e-3, "relu", norm_first=False, masked=False)


def mended() -> keras.Model:
    """Return the equal of the PyTorch model."""
    return build(4, 1e-5, "gelu", norm_first=True, masked=True)


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Ten steps up to 1e-3."""

    def __call__(self, step: object) -> object:
        return 1e-3 * ops.minimum((ops.cast(step, "float64") + 1) / 10, 1.0)


def trained() -> keras.Model:
    """The correct model, trained with five slips.

    They are no smoothing, no warm-up, Keras's second beta, a larger decay, and decay of biases.
    """
    model = mended()
    optimizer = keras.optimizers.AdamW(1e-3, weight_decay=0.1, epsilon=1e-20)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def trained_alike() -> keras.Model:
    """The same without slips."""
    model = mended()
    optimizer = keras.optimizers.AdamW(WarmUp(), weight_decay=0.01, beta_2=0.98, epsilon=1e-20)
    optimizer.exclude_from_weight_decay([v for v in model.trainable_variables if len(_flat(v)) < 2])
    model.compile(optimizer, keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1))
    return model


def _flat(variable: keras.Variable) -> tuple[int, ...]:
    """Return the shape without heads: biases of attention are (heads, width)."""
    return variable.shape[-1:] if "bias" in variable.name else variable.shape
