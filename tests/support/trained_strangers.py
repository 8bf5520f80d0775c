# ruff: noqa: E501  # written as they are found
"""Models that strangers train: attention, sequences, gradients and optimizers, equal or with one slip. Both files are
written as found, and end in their loss and optimizer."""

from slip import Slip

ENCODER = """import torch, math
from torch import nn
import torch.nn.functional as F

class Block(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.ln1, self.ln2 = nn.LayerNorm(d, eps=1e-3), nn.LayerNorm(d, eps=1e-3)
        self.qkv = nn.Linear(d, 3 * d); self.proj = nn.Linear(d, d)
        self.mlp = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))
    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.qkv(self.ln1(x)).split(C, dim=2)
        q, k, v = (t.view(B, T, self.h, C // self.h).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal={causal})
        x = x + self.proj(y.transpose(1, 2).reshape(B, T, C))
        return x + self.mlp(self.ln2(x))

class GPT(nn.Module):
    def __init__(self, vocab=19, d=12, n=2):
        super().__init__()
        self.tok = nn.Embedding(vocab, d); self.pos = nn.Embedding(6, d)
        self.blocks = nn.ModuleList([Block(d, 3) for _ in range(n)]); self.ln = nn.LayerNorm(d, eps=1e-3); self.head = nn.Linear(d, 4)
    def forward(self, ids):
        x = self.tok(ids) + self.pos(torch.arange(ids.shape[1], device=ids.device))
        for b in self.blocks: x = b(x)
        return self.head(self.ln(x){pooled})

def build(): return GPT()
"""
KENCODER = """import keras, numpy as np
from keras import layers, ops

class Block(layers.Layer):
    def __init__(self, d, h, **kw):
        super().__init__(**kw)
        self.ln1, self.ln2 = layers.LayerNormalization(), layers.LayerNormalization()
        self.att = layers.MultiHeadAttention(h, d // h)
        self.fc1, self.fc2 = layers.Dense(2 * d, activation={gelu}), layers.Dense(d)
    def call(self, x):
        y = self.ln1(x)
        x = x + {stop}(self.att(y, y, use_causal_mask=True))
        return x + self.fc2(self.fc1(self.ln2(x)))

class TokPos(layers.Layer):
    def __init__(self, vocab, T, d):
        super().__init__(); self.tok, self.pos = layers.Embedding(vocab, d), layers.Embedding(T, d)
    def call(self, ids): return self.tok(ids) + self.pos(ops.arange(ids.shape[1]))

def build(vocab=19, d=12, n=2):
    ids = keras.Input((6,), dtype="int32")
    x = TokPos(vocab, 6, d)(ids)
    for _ in range(n): x = Block(d, 3)(x)
    x = layers.LayerNormalization()(x)
    return keras.Model(ids, layers.Dense(4)(x{pooled}))
"""
TAGGER = """import torch
from torch import nn
class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(21, 7); self.rnn = nn.{rnn}(7, 5, num_layers=2, batch_first=True, bidirectional=True); self.fc = nn.Linear(10, 3)
    def forward(self, x):
        out, _ = self.rnn(self.emb(x))
        return self.fc(torch.cat([out[:, -1, :5], out[:, 0, 5:]], 1))
def build():
    net = Tagger()
    {after}
    return net
"""
KTAGGER = """import keras
from keras import layers as L
def build():
    return keras.Sequential([keras.Input((8,), dtype="int32"), L.Embedding(21, 7), L.Bidirectional(L.{rnn}(5, return_sequences=True)), L.Bidirectional(L.{rnn}(5)), L.Dense(3{regular})])
"""
ONE_BIAS = "for n, p in net.named_parameters():\n        if 'bias_hh' in n: p.data.zero_(); p.requires_grad_(False)"
CLIP_EACH = """
class ClipEach(torch.optim.{base}):
    def step(self, closure=None):
        for g in self.param_groups:
            for p in g["params"]:
                if p.grad is not None: torch.nn.utils.clip_grad_norm_(p, {limit})
        return super().step(closure)
"""
ADAMW, KADAMW = (
    "torch.optim.AdamW(params, 1e-3, eps=1e-30, weight_decay={})",
    "keras.optimizers.AdamW(1e-3, epsilon=1e-30, weight_decay={})",
)
SGD, KSGD = "torch.optim.SGD(params, lr=0.05, momentum=0.9{})", "keras.optimizers.SGD(0.05, momentum=0.9{})"
LOSSES = "torch.nn.CrossEntropyLoss({})", "keras.losses.SparseCategoricalCrossentropy(from_logits=True)"


def encoder(
    name: str,
    *causes: str,
    left: str = SGD.format(""),
    right: str = KSGD.format(""),
    causal: bool = True,
    gelu: str = "'gelu'",
    stop: str = "",
    pooled: tuple[str, str] = ("[:, -1]", "[:, -1]"),
    loss: str = "",
    each: str = "",
    also: tuple[str, ...] = (),
) -> Slip:
    """Return a small GPT that classifies."""
    torch = ENCODER.replace("{causal}", str(causal)).replace("{pooled}", pooled[0]) + each
    keras = KENCODER.replace("{gelu}", gelu).replace("{stop}", stop).replace("{pooled}", pooled[1])
    return Slip(
        name,
        "6:0..18",
        torch,
        keras,
        causes,
        also,
        losses=(LOSSES[0].format(loss), LOSSES[1]),
        optimizers=(left, right),
        steps=20,
    )


def tagger(
    name: str,
    *causes: str,
    left: str = SGD.format(""),
    right: str = KSGD.format(""),
    rnn: str = "LSTM",
    after: str = ONE_BIAS,
    regular: str = "",
    loss: str = "",
) -> Slip:
    """Return two bidirectional layers after an embedding."""
    torch, keras = TAGGER.format(rnn=rnn, after=after), KTAGGER.format(rnn=rnn, regular=regular)
    return Slip(
        name,
        "8:0..20",
        torch,
        keras,
        causes,
        losses=(LOSSES[0].format(loss), LOSSES[1]),
        optimizers=(left, right),
        steps=20,
    )


TRAINED_STRANGERS = (
    encoder("equal: a small GPT with one product for queries, keys and values"),
    encoder("equal: a small GPT under decoupled decay", left=ADAMW.format(0.05), right=KADAMW.format(0.05)),
    encoder(
        "equal: a small GPT clipped by the norm of all",
        left="ClipAll(params, lr=0.05)",
        right="keras.optimizers.SGD(0.05, global_clipnorm=0.3)",
        each=CLIP_EACH.format(base="SGD", limit=0.3)
        .replace("ClipEach", "ClipAll")
        .replace(
            '            for p in g["params"]:\n                if p.grad is not None: torch.nn.utils.clip_grad_norm_(p, 0.3)',
            '            torch.nn.utils.clip_grad_norm_(g["params"], 0.3)',
        ),
    ),
    encoder(
        "a GPT whose queries, keys and values are clipped as one",
        "optimizer.clipping_parts",
        left="ClipEach(params, lr=0.05)",
        right="keras.optimizers.SGD(0.05, clipnorm=0.02)",
        each=CLIP_EACH.format(base="SGD", limit=0.02),
    ),
    encoder(
        "a GPT whose attention passes no gradient back",
        "gradient.stopped",
        stop="ops.stop_gradient",
        also=("gradient.custom",),
    ),
    encoder("a GPT that sees what comes later", "attention.mask", causal=False),
    encoder(
        "a GPT with gelu by tanh and its decay coupled",
        "activation.approximation",
        "optimizer.decay_form",
        left="torch.optim.Adam(params, 1e-3, eps=1e-30, weight_decay=0.05)",
        right="keras.optimizers.AdamW(1e-3, epsilon=1e-30, weight_decay=0.05)",
        gelu="lambda v: keras.activations.gelu(v, approximate=True)",
    ),
    encoder(
        "a GPT pooled otherwise with smoothed labels",
        "layer.missing",
        "loss.smoothing",
        pooled=(".mean(1)", "[:, -1]"),
        loss="label_smoothing=0.1",
    ),
    tagger("equal: a tagger of two bidirectional layers"),
    tagger(
        "a tagger whose second biases are trained",
        "optimizer.two_biases",
        after="for n, p in net.named_parameters():\n        if 'bias_hh' in n: p.data.zero_()",
    ),
    tagger(
        "a tagger whose embedding is frozen and whose output is regularised",
        "layer.frozen",
        "loss.regulariser",
        after=f"{ONE_BIAS}\n    net.emb.weight.requires_grad = False",
        regular=", kernel_regularizer='l2'",
    ),
    tagger(
        "a tagger under nesterov at another rate",
        "optimizer.nesterov",
        "optimizer.learning_rate",
        left="torch.optim.SGD(params, lr=0.05, momentum=0.9, nesterov=True)",
        right="keras.optimizers.SGD(0.01, momentum=0.9)",
    ),
)
