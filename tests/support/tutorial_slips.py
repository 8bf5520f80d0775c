# ruff: noqa: E501  # written as they are found
"""Models of tutorials, trained as there. Each port has several slips at once, or none."""

from slip import Slip

SINES = """import math
import torch
from torch import nn

class Positions(nn.Module):
    def __init__(self, d, length):
        super().__init__()
        at = torch.arange(length).unsqueeze(1)
        div = torch.exp(torch.arange(0, d, 2) * (-math.log(10000.0) / d))
        pe = torch.zeros(1, length, d)
        pe[0, :, 0::2] = torch.sin(at * div)
        pe[0, :, 1::2] = torch.cos(at * div)
        self.register_buffer("pe", pe)
        self.dropout = nn.Dropout(0.1)
    def forward(self, x):
        return self.dropout(x + self.pe[:, :x.size(1)])

class Classifier(nn.Module):
    def __init__(self, vocab=23, d=8, heads=2, classes=3):
        super().__init__()
        self.d = d
        self.embedding = nn.Embedding(vocab, d)
        self.positions = Positions(d, 6)
        layer = nn.TransformerEncoderLayer(d, heads, 16, dropout=0.1, batch_first=True, norm_first={first})
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.fc = nn.Linear(d, classes)
    def forward(self, tokens):
        padded = tokens == 0
        x = self.positions(self.embedding(tokens) * math.sqrt(self.d))
        x = self.encoder(x, src_key_padding_mask=padded)
        kept = (~padded).unsqueeze(-1).to(x.dtype)
        return self.fc((x * kept).sum(1) / kept.sum(1))

def build():
    return Classifier()
"""
KSINES = """import keras
import numpy as np
from keras import layers, ops

class TransformerBlock(layers.Layer):
    def __init__(self, d, heads, ff, rate=0.1):
        super().__init__()
        self.att = layers.MultiHeadAttention(heads, d // heads, dropout=0.1)
        self.ffn = keras.Sequential([layers.Dense(ff, activation="relu"), layers.Dropout(rate), layers.Dense(d)])
        self.layernorm1 = layers.LayerNormalization(epsilon={epsilon})
        self.layernorm2 = layers.LayerNormalization(epsilon={epsilon})
        self.dropout1, self.dropout2 = layers.Dropout(rate), layers.Dropout(rate)
    def call(self, x, kept):
        a = self.dropout1(self.att(x, x{mask}))
        x = self.layernorm1(x + a)
        return self.layernorm2(x + self.dropout2(self.ffn(x)))

class Embed(layers.Layer):
    def __init__(self, vocab, d, length):
        super().__init__()
        self.embedding, self.dropout, self.d = layers.Embedding(vocab, d), layers.Dropout(0.1), d
        at = np.arange(length)[:, None] / 10000 ** (np.arange(0, d, 2) / d)
        self.table = np.stack([np.sin(at), np.cos(at)], -1).reshape(1, length, d)
    def call(self, tokens):
        return self.dropout(self.embedding(tokens){scale} + self.table)

def build(vocab=23, d=8, heads=2):
    tokens = keras.Input((6,), dtype="int32")
    kept = layers.Lambda(lambda t: ops.not_equal(t, 0))(tokens)
    x = Embed(vocab, d, 6)(tokens)
    for _ in range(2):
        x = TransformerBlock(d, heads, 16)(x, kept)
    k = layers.Lambda(lambda m: ops.cast(ops.expand_dims(m, -1), keras.config.floatx()))(kept)
    x = layers.Lambda(lambda v: ops.sum(v[0] * v[1], axis=1) / ops.sum(v[1], axis=1))([x, k])
    return keras.Model(tokens, layers.Dense(3)(x))
"""
GRUS = """import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

class Sentiment(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(19, 5, padding_idx=0)
        self.gru = nn.GRU(5, 4, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(8, eps=1e-3)
        self.out = nn.Linear(8, 2)
    def forward(self, tokens):
        lengths = (tokens != 0).sum(1)
        packed = pack_padded_sequence(self.embed(tokens), lengths, batch_first=True, enforce_sorted=False)
        _, h = self.gru(packed)
        return self.out(self.norm(torch.cat([h[0], h[1]], dim=1)))

def build():
    return Sentiment()
"""
KGRUS = """import keras
from keras import layers

def build():
    tokens = keras.Input((7,), dtype="int32")
    x = layers.Embedding(19, 5{mask})(tokens)
    x = layers.Bidirectional(layers.GRU(4{gru}){merge})(x)
    x = layers.LayerNormalization()(x)
    return keras.Model(tokens, layers.Dense(2)(x))
"""
SUMMED = """import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(3, 5, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(5, 2)
    def forward(self, x):
        out, _ = self.rnn(x)
        a, b = out.chunk(2, dim=-1)
        return self.fc((a + b).mean(1))

def build():
    return Net()
"""
KSUMMED = """import keras
from keras import layers

def build():
    x = image = keras.Input((6, 3))
    x = layers.Bidirectional(layers.LSTM(5, return_sequences=True), merge_mode="{merge}")(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(image, layers.Dense(2)(x))
"""
TCN = """import torch
from torch import nn
import torch.nn.functional as F

class Block(nn.Module):
    def __init__(self, n_in, n_out, dilation):
        super().__init__()
        self.left = 2 * dilation
        self.conv1, self.conv2 = nn.Conv1d(n_in, n_out, 3, dilation=dilation), nn.Conv1d(n_out, n_out, 3, dilation=dilation)
        self.down = nn.Conv1d(n_in, n_out, 1) if n_in != n_out else None
        self.drop = nn.Dropout1d(0.2)
    def forward(self, x):
        y = self.drop(F.relu(self.conv1(F.pad(x, (self.left, 0)))))
        y = self.drop(F.relu(self.conv2(F.pad(y, (self.left, 0)))))
        return F.relu(y + (x if self.down is None else self.down(x)))

class TCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(Block(3, 4, 1), Block(4, 4, 2))
        self.head = nn.Linear(4, 2)
    def forward(self, x):
        return self.head(self.net(x)[:, :, -1])

def build():
    return TCN()
"""
KTCN = """import keras
from keras import layers

def block(x, n, dilation):
    y = x
    for _ in range(2):
        y = layers.Conv1D(n, 3, dilation_rate=dilation, padding="{padding}", activation="relu")(y)
        y = layers.SpatialDropout1D({rate})(y)
    if x.shape[-1] != n:
        x = layers.Conv1D(n, 1)(x)
    return layers.ReLU()(layers.add([x, y]))

def build():
    image = keras.Input((12, 3))
    x = block(block(image, 4, 1), 4, 2)
    return keras.Model(image, layers.Dense(2)(x[:, -1]))
"""
VIT = """import torch
from torch import nn

class Block(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(d, eps=1e-6), nn.LayerNorm(d, eps=1e-6)
        self.attn = nn.MultiheadAttention(d, h, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Dropout(0.1), nn.Linear(2 * d, d), nn.Dropout(0.1))
    def forward(self, x):
        y = self.norm1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))

class ViT(nn.Module):
    def __init__(self, d=8):
        super().__init__()
        self.patch = nn.Conv2d(3, d, 4, stride=4)
        self.cls = nn.Parameter(torch.zeros(1, 1, d))
        self.pos = nn.Parameter(torch.zeros(1, 10, d))
        self.blocks = nn.Sequential(Block(d, 2), Block(d, 2))
        self.norm = nn.LayerNorm(d, eps=1e-6)
        self.head = nn.Linear(d, 4)
    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], dim=1) + self.pos
        return self.head(self.norm(self.blocks(x))[:, 0])

def build():
    return ViT()
"""
KVIT = """import keras
from keras import layers, ops

class Tokens(layers.Layer):
    def build(self, shape):
        self.cls = self.add_weight(shape=(1, 1, shape[-1]), initializer="zeros", name="cls")
        self.pos = self.add_weight(shape=(1, shape[1] + 1, shape[-1]), initializer="zeros", name="pos")
    def call(self, x):
        cls = ops.broadcast_to(self.cls, (ops.shape(x)[0], 1, x.shape[-1]))
        return ops.concatenate([cls, x], axis=1) + self.pos

def build(d=8):
    image = keras.Input((12, 12, 3))
    x = layers.Conv2D(d, 4, strides=4)(image)
    x = Tokens()(layers.Reshape((-1, d))(x))
    for _ in range(2):
        y = layers.LayerNormalization(epsilon={epsilon})(x)
        x = layers.Add()([x, layers.MultiHeadAttention(2, {key})(y, y)])
        y = layers.LayerNormalization(epsilon={epsilon})(x)
        y = layers.Dropout(0.1)(layers.Dense(2 * d, activation="{gelu}")(y))
        x = layers.Add()([x, layers.Dropout(0.1)(layers.Dense(d)(y))])
    x = layers.LayerNormalization(epsilon={epsilon})(x)
    return keras.Model(image, layers.Dense(4)(x{pooled}))
"""
FROZEN = """import torch
from torch import nn

def build():
    base = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(4, eps=1e-3, momentum=0.01), nn.ReLU6(), nn.Conv2d(4, 6, 3, padding=1), nn.ReLU6())
    for p in base.parameters():
        p.requires_grad = False
    return nn.Sequential(base, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(6, 3))
"""
KFROZEN = """import keras
from keras import layers

def build():
    base = keras.Sequential([keras.Input((10, 10, 3)), layers.ZeroPadding2D(((1, 0), (1, 0))), layers.Conv2D(4, 3, strides=2, use_bias=False), layers.BatchNormalization(), layers.ReLU(6.0), layers.Conv2D(6, 3, padding="same"), layers.ReLU(6.0)])
    {frozen}
    image = keras.Input((10, 10, 3))
    x = layers.GlobalAveragePooling2D()(base(image{training}))
    return keras.Model(image, layers.Dense(3)(layers.Dropout(0.2)(x)))
"""
POOLED = """import torch
from torch import nn

class Attentive(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(17, 6)
        self.lstm = nn.LSTM(6, 5, batch_first=True)
        self.score = nn.Linear(5, 4)
        self.v = nn.Linear(4, 1, bias=False)
        self.fc = nn.Linear(5, 3)
    def forward(self, t):
        h, _ = self.lstm(self.emb(t))
        s = self.v(torch.tanh(self.score(h))).squeeze(-1)
        s = s.masked_fill(t == 0, -1e9)
        a = torch.softmax(s, dim=1)
        return self.fc(torch.bmm(a.unsqueeze(1), h).squeeze(1))

def build():
    return Attentive()
"""
KPOOLED = """import keras
from keras import layers, ops

class Pool(layers.Layer):
    def __init__(self):
        super().__init__()
        self.score, self.v = layers.Dense(4, activation="{tanh}"), layers.Dense(1, use_bias=False)
    def call(self, h, t):
        s = ops.squeeze(self.v(self.score(h)), -1)
        {mask}
        a = ops.softmax(s, axis=1)
        return {pooled}

def build():
    t = keras.Input((6,), dtype="int32")
    h = layers.LSTM(5, return_sequences=True{lstm})(layers.Embedding(17, 6)(t))
    return keras.Model(t, layers.Dense(3)(Pool()(h, t)))
"""
CE = ("torch.nn.CrossEntropyLoss({})", "keras.losses.SparseCategoricalCrossentropy(from_logits=True)")
DECAYED = (
    "torch.optim.AdamW(params, 1e-3, eps=1e-30, weight_decay=0.01)",
    "keras.optimizers.AdamW(1e-3, epsilon=1e-30, weight_decay=0.01)",
)
PLAIN = "torch.optim.SGD(params, lr=0.05, momentum=0.9)", "keras.optimizers.SGD(0.05, momentum=0.9)"
CLIPPED = """
class Clipped(torch.optim.SGD):
    def step(self, closure=None):
        torch.nn.utils.clip_grad_norm_(self.param_groups[0]["params"], 0.2)
        return super().step(closure)
"""
COSINE = """
def cosine(params):
    made = torch.optim.SGD(params, lr=0.1)
    return made, torch.optim.lr_scheduler.CosineAnnealingLR(made, T_max=20)
"""


def filled(text: str, **words: str) -> str:
    """Fill words into the gaps of a text, and keep its other braces."""
    for name, word in words.items():
        text = text.replace("{" + name + "}", word)
    return text


def trained(
    name: str,
    sizes: str,
    left: str,
    right: str,
    *causes: str,
    optimizers: tuple[str, str] = PLAIN,
    loss: str = "",
    losses: tuple[str, str] | None = None,
    also: tuple[str, ...] = (),
    steps: int = 10,
) -> Slip:
    """Return a pair that is trained for some steps."""
    both = losses or (CE[0].format(loss), CE[1])
    return Slip(name, sizes, left, right, causes, also, losses=both, optimizers=optimizers, steps=steps)


TUTORIALS = (
    trained("equal: a transformer of the tutorial with sines, padding and a mean of what is kept", "6:0..22",
            filled(SINES, first="False"), filled(KSINES, epsilon="1e-5", mask=", attention_mask=ops.expand_dims(kept, 1)", scale=" * self.d**0.5"), optimizers=DECAYED),
    trained("a transformer of the tutorial, five slips", "6:0..22",
            filled(SINES, first="False"), filled(KSINES, epsilon="1e-6", mask="", scale=""),
            "embedding.scale", "attention.mask", "layer_norm.epsilon", "loss.smoothing", "optimizer.weight_decay",
            optimizers=(DECAYED[0], "keras.optimizers.AdamW(1e-3, epsilon=1e-30)"), loss="label_smoothing=0.1"),
    trained("a transformer of the tutorial, norm first", "6:0..22",
            filled(SINES, first="True"), filled(KSINES, epsilon="1e-5", mask=", attention_mask=ops.expand_dims(kept, 1)", scale=" * self.d**0.5"),
            "layer.order", optimizers=DECAYED, also=("layer.missing",)),
    trained("equal: packed units in both directions", "7:0..18", GRUS, filled(KGRUS, mask=", mask_zero=True", gru="", merge="")),
    trained("packed units, mask forgotten, reset before, summed", "7:0..18", GRUS, filled(KGRUS, mask="", gru=", reset_after=False", merge=""),
            "rnn.mask", "rnn.reset_after", "loss.reduction", "optimizer.two_biases", loss="reduction='sum'"),
    trained("equal: both directions added", "6x3", SUMMED, filled(KSUMMED, merge="sum"), "optimizer.two_biases"),
    trained("both directions averaged for added", "6x3", SUMMED, filled(KSUMMED, merge="ave"), "merge.kind", "optimizer.two_biases"),
    trained("both directions multiplied for added", "6x3", SUMMED, filled(KSUMMED, merge="mul"), "merge.kind", "optimizer.two_biases"),
    trained("equal: convolutions that see the past alone", "3x12", TCN + CLIPPED, filled(KTCN, padding="causal", rate="0.2"),
            optimizers=("Clipped(params, lr=0.05)", "keras.optimizers.SGD(0.05, global_clipnorm=0.2)")),
    trained("convolutions that see the future, dropped otherwise, each clipped", "3x12", TCN + CLIPPED, filled(KTCN, padding="same", rate="0.3"),
            "padding.side", "dropout.rate", "optimizer.clipping", optimizers=("Clipped(params, lr=0.05)", "keras.optimizers.SGD(0.05, clipnorm=0.2)")),
    trained("equal: a vision transformer with a token for the class", "3x12x12", VIT, filled(KVIT, epsilon="1e-6", key="d // 2", gelu="gelu", pooled="[:, 0]"), optimizers=DECAYED),
    trained("a vision transformer, pooled, epsilon of Keras, silu, cosine forgotten", "3x12x12", VIT + COSINE, filled(KVIT, epsilon="1e-3", key="d // 2", gelu="silu", pooled="[:, -1]"),
            "layer_norm.epsilon", "activation.kind", "rnn.sequences", "optimizer.schedule", optimizers=("cosine(params)", "keras.optimizers.SGD(0.1)")),
    trained("a frozen base whose statistics move in PyTorch alone", "3x10x10", FROZEN, filled(KFROZEN, frozen="base.trainable = False", training=""), "batch_norm.mode"),
    trained("a base that is frozen in PyTorch alone, and nesterov", "3x10x10", FROZEN, filled(KFROZEN, frozen="pass", training=""), "layer.frozen", "optimizer.nesterov",
            optimizers=(PLAIN[0], "keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True)")),
    trained("equal: a recurrent network that pools by attention", "6:0..16", POOLED, filled(KPOOLED, tanh="tanh", mask="s = ops.where(ops.equal(t, 0), -1e9, s)", lstm="", pooled="ops.sum(ops.expand_dims(a, -1) * h, axis=1)"), "optimizer.two_biases"),
    trained("attention pooling, mask forgotten, hard gates, decay coupled", "6:0..16", POOLED, filled(KPOOLED, tanh="tanh", mask="", lstm=", recurrent_activation='hard_sigmoid'", pooled="ops.squeeze(ops.matmul(ops.expand_dims(a, 1), h), 1)"),
            "attention.mask", "rnn.activation", "optimizer.decay_form", optimizers=("torch.optim.Adam(params, 1e-3, eps=1e-30, weight_decay=0.05)", "keras.optimizers.AdamW(1e-3, epsilon=1e-30, weight_decay=0.05)"), also=("optimizer.two_biases", "rnn.mask")),
)  # fmt: skip
