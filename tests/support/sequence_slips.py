# ruff: noqa: E501  # a pair is a line
"""Pairs of small models of sequences for `compare port` (slips.py): recurrent layers, attention, positions."""

from slip import Slip

NET = """import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        {init}

    def forward(self, x):
        {forward}


def build():
    return Net()
"""
FUNCTIONAL = """import keras
import numpy as np
from keras import layers as L
from keras import ops


class Positions(L.Layer):
    def __init__(self, length, width):
        super().__init__()
        self.table = L.Embedding(length, width)

    def call(self, x):
        return x + self.table(ops.arange(0, x.shape[1], 1))


class Parameter(L.Layer):
    def build(self, shape):
        self.table = self.add_weight(shape=shape[1:], initializer="uniform", name="table")

    def call(self, x):
        return x + self.table


def build():
    inputs = keras.Input({shape})
    x = inputs
    {body}
    return keras.Model(inputs, x)
"""


def pair(
    name: str, init: str, forward: str, body: str, *causes: str, input: str = "7x5", also: tuple[str, ...] = ()
) -> Slip:
    """Return a module of these parts and forward pass, and a Keras model of these lines, separated by semicolons."""
    sizes = tuple(int(n) for n in input.partition(":")[0].split("x"))
    shape = f"{sizes}, dtype='int32'" if ":" in input else f"{sizes}"
    torch = NET.format(init=_lines(init, 8), forward=_lines(forward, 8))
    return Slip(name, input, torch, FUNCTIONAL.format(shape=shape, body=_lines(body, 4)), causes, also)


def _lines(text: str, indent: int) -> str:
    return ("\n" + " " * indent).join(line.strip() for line in text.split(";") if line.strip())


def rnn(
    name: str, layer: str, keras: str, *causes: str, take: str = "y[:, -1]", size: int = 4, also: tuple[str, ...] = ()
) -> Slip:
    """Return a recurrent layer and a head."""
    return pair(
        name,
        f"self.rnn = {layer}; self.head = nn.Linear({size}, 3)",
        f"y, h = self.rnn(x); return self.head({take})",
        f"{keras}; x = L.Dense(3)(x)",
        *causes,
        also=also,
    )


LSTM, BOTH = "nn.LSTM(5, 4, batch_first=True)", "nn.LSTM(5, 4, batch_first=True, bidirectional=True)"
GRU = "nn.GRU(5, 4, batch_first=True)"
ENDS = "torch.cat([h[0][-2], h[0][-1]], dim=1)"
RECURRENT: tuple[Slip, ...] = (
    rnn("equal: lstm", LSTM, "x = L.LSTM(4)(x)"),
    rnn("equal: lstm by its last state", LSTM, "x = L.LSTM(4)(x)", take="h[0][-1]"),
    rnn("equal: lstm by the state of its cells", LSTM, "_, _, x = L.LSTM(4, return_state=True)(x)", take="h[1].squeeze(0)"),
    rnn("equal: stacked lstm", "nn.LSTM(5, 4, 2, batch_first=True, dropout=0.3)", "x = L.LSTM(4, return_sequences=True)(x); x = L.LSTM(4, dropout=0.3)(x)"),
    pair("equal: lstm with the time first", "self.rnn = nn.LSTM(5, 4); self.head = nn.Linear(4, 3)", "y, _ = self.rnn(x.permute(1, 0, 2)); return self.head(y[-1])", "x = L.LSTM(4)(x); x = L.Dense(3)(x)"),
    rnn("equal: both directions", BOTH, "x = L.Bidirectional(L.LSTM(4))(x)", take=ENDS, size=8),
    rnn("equal: both directions by a reshape of states", BOTH, "x = L.Bidirectional(L.LSTM(4))(x)", take="h[0].transpose(0, 1).reshape(-1, 8)", size=8),
    rnn("states of both directions mixed up", BOTH, "x = L.Bidirectional(L.LSTM(4))(x)", "rnn.sequences", take="h[0].reshape(-1, 8)", size=8, also=("flatten.order", "channels.order", "layer.missing")),
    rnn("equal: both directions, all steps", BOTH, "x = L.Bidirectional(L.LSTM(4, return_sequences=True))(x)", take="y", size=8),
    rnn("equal: both directions, summed", BOTH, "x = L.Bidirectional(L.LSTM(4), merge_mode='sum')(x)", take="h[0][0] + h[0][1]"),
    rnn("equal: both directions, averaged", BOTH, "x = L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode='ave')(x)", take="(y[..., :4] + y[..., 4:]) / 2"),
    rnn("equal: gru", GRU, "x = L.GRU(4)(x)"),
    rnn("equal: gru of two directions and layers", "nn.GRU(5, 4, 2, batch_first=True, bidirectional=True)", "x = L.Bidirectional(L.GRU(4, return_sequences=True))(x); x = L.Bidirectional(L.GRU(4))(x)", take="torch.cat([h[-2], h[-1]], 1)", size=8),
    rnn("equal: simple rnn", "nn.RNN(5, 4, batch_first=True)", "x = L.SimpleRNN(4)(x)"),
    rnn("equal: simple rnn of relu", "nn.RNN(5, 4, batch_first=True, nonlinearity='relu')", "x = L.SimpleRNN(4, activation='relu', return_sequences=True)(x)", take="y"),
    rnn("equal: mean of all steps", LSTM, "x = L.LSTM(4, return_sequences=True)(x); x = L.GlobalAveragePooling1D()(x)", take="y.mean(1)"),
    pair("equal: backwards", f"self.rnn = {LSTM}; self.head = nn.Linear(4, 3)", "y, _ = self.rnn(x.flip(1)); return self.head(y[:, -1])", "x = L.LSTM(4, go_backwards=True)(x); x = L.Dense(3)(x)"),
    pair("equal: encoder and decoder", "self.enc = nn.LSTM(5, 4, batch_first=True); self.dec = nn.LSTM(5, 4, batch_first=True)", "_, state = self.enc(x); y, _ = self.dec(x.flip(1), state); return y", "_, h, c = L.LSTM(4, return_state=True)(x); x = L.LSTM(4, return_sequences=True)(ops.flip(x, 1), initial_state=[h, c])"),
    rnn("last step of both directions", BOTH, "x = L.Bidirectional(L.LSTM(4))(x)", "rnn.sequences", size=8),
    rnn("cells for states", LSTM, "x = L.LSTM(4)(x)", "rnn.sequences", take="h[1][-1]"),
    rnn("first step for last", LSTM, "x = L.LSTM(4, return_sequences=True)(x)[:, 0]", "rnn.sequences"),
    rnn("mean for last step", LSTM, "x = L.LSTM(4, return_sequences=True)(x); x = L.GlobalAveragePooling1D()(x)", "rnn.sequences"),
    rnn("backwards on one side", LSTM, "x = L.LSTM(4, go_backwards=True)(x)", "rnn.direction"),
    rnn("one direction, two directions summed", BOTH, "x = L.LSTM(4)(x)", "rnn.direction", take="h[0][0] + h[0][1]"),
    rnn("sum for mean of directions", BOTH, "x = L.Bidirectional(L.LSTM(4), merge_mode='ave')(x)", "merge.kind", take="h[0][0] + h[0][1]"),
    rnn("product for sum of directions", BOTH, "x = L.Bidirectional(L.LSTM(4), merge_mode='mul')(x)", "merge.kind", take="h[0][0] + h[0][1]"),
    rnn("batch first forgotten", "nn.LSTM(5, 4)", "x = L.LSTM(4, return_sequences=True)(x)", "sequence.batch_first", take="y"),
    rnn("batch first forgotten, last step", "nn.LSTM(5, 4)", "x = L.LSTM(4)(x)", "sequence.batch_first"),
    rnn("gates of hard sigmoid", LSTM, "x = L.LSTM(4, recurrent_activation='hard_sigmoid')(x)", "rnn.activation"),
    rnn("activation of lstm", LSTM, "x = L.LSTM(4, activation='relu')(x)", "rnn.activation"),
    rnn("activation of simple rnn", "nn.RNN(5, 4, batch_first=True, nonlinearity='relu')", "x = L.SimpleRNN(4)(x)", "rnn.activation"),
    rnn("no bias of lstm", LSTM, "x = L.LSTM(4, use_bias=False)(x)", "rnn.bias"),
    rnn("no bias of gru", GRU, "x = L.GRU(4, use_bias=False)(x)", "rnn.bias"),
    rnn("reset before the product", GRU, "x = L.GRU(4, reset_after=False)(x)", "rnn.reset_after"),
    rnn("gru for lstm", LSTM, "x = L.GRU(4)(x)", "rnn.kind", also=("weights.shape",)),
    rnn("one layer of two", "nn.LSTM(5, 4, 2, batch_first=True)", "x = L.LSTM(4)(x)", "layer.missing"),
    rnn("dropout between layers forgotten", "nn.LSTM(5, 4, 2, batch_first=True, dropout=0.3)", "x = L.LSTM(4, return_sequences=True)(x); x = L.LSTM(4)(x)", "layer.missing"),
)  # fmt: skip


IDS = "8:0..19"


def attention(name: str, layers: str, forward: str, keras: str, *causes: str, also: tuple[str, ...] = ()) -> Slip:
    """Return tokens, an embedding, attention, and a head on the mean over all positions."""
    return pair(
        name,
        f"self.emb = nn.Embedding(20, 12); {layers}; self.head = nn.Linear(12, 3)",
        f"ids = x; x = self.emb(ids); {forward}; return self.head(x.mean(1))",
        f"ids = x; x = L.Embedding(20, 12)(ids); {keras}; x = L.Dense(3)(L.GlobalAveragePooling1D()(x))",
        *causes,
        input=IDS,
        also=also,
    )


MHA, CALL = "self.att = nn.MultiheadAttention(12, 3, batch_first=True)", "x = x + self.att(x, x, x)[0]"
KMHA = "x = x + L.MultiHeadAttention(3, 4)(x, x)"
CAUSAL = "nn.Transformer.generate_square_subsequent_mask(8, dtype=x.dtype)"
LINEARS = "self.q, self.k, self.v, self.o = (nn.Linear(12, 12) for _ in range(4))"
HEADS = "q, k, v = (f(x).view(-1, 8, 3, 4).transpose(1, 2) for f in (self.q, self.k, self.v))"
JOIN = "x = x + self.o(y.transpose(1, 2).reshape(-1, 8, 12))"
KHEADS = "q, k, v = (ops.transpose(ops.reshape(L.Dense(12)(x), (-1, 8, 3, 4)), (0, 2, 1, 3)) for _ in range(3))"
KJOIN = "x = x + L.Dense(12)(ops.reshape(ops.transpose(y, (0, 2, 1, 3)), (-1, 8, 12)))"
KSCORES = "s = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2)))"
ATTENTION: tuple[Slip, ...] = (
    attention("equal: multi-head attention", MHA, CALL, KMHA),
    attention("equal: multi-head attention without biases", "self.att = nn.MultiheadAttention(12, 3, batch_first=True, bias=False)", CALL, "x = x + L.MultiHeadAttention(3, 4, use_bias=False)(x, x)"),
    attention("equal: causal attention", MHA, f"x = x + self.att(x, x, x, attn_mask={CAUSAL}, need_weights=False)[0]", "x = x + L.MultiHeadAttention(3, 4)(x, x, use_causal_mask=True)"),
    attention("equal: padding mask", MHA, "x = x + self.att(x, x, x, key_padding_mask=ids == 0)[0]", "x = x + L.MultiHeadAttention(3, 4)(x, x, attention_mask=ops.not_equal(ids, 0)[:, None, :])"),
    attention("equal: attention with the time first", "self.att = nn.MultiheadAttention(12, 3)", "y = x.transpose(0, 1); x = x + self.att(y, y, y)[0].transpose(0, 1)", KMHA),
    attention("equal: attention by hand and by a layer", LINEARS, f"{HEADS}; y = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(4), -1) @ v; {JOIN}", KMHA),
    attention("equal: attention by function and by hand", LINEARS, f"{HEADS}; y = F.scaled_dot_product_attention(q, k, v, is_causal=True); {JOIN}", f"{KHEADS}; {KSCORES} / 2.0; s = s + (1 - ops.tril(ops.ones((8, 8)))) * -1e9; y = ops.matmul(ops.softmax(s), v); {KJOIN}"),
    attention("equal: packed projections, split", "self.c_attn = nn.Linear(12, 36); self.o = nn.Linear(12, 12)", f"q, k, v = self.c_attn(x).split(12, dim=2); q, k, v = (y.view(-1, 8, 3, 4).transpose(1, 2) for y in (q, k, v)); y = F.scaled_dot_product_attention(q, k, v); {JOIN}", KMHA),
    attention("equal: packed projections, unbound", "self.qkv = nn.Linear(12, 36); self.o = nn.Linear(12, 12)", f"q, k, v = self.qkv(x).reshape(-1, 8, 3, 3, 4).permute(2, 0, 3, 1, 4).unbind(0); y = (q * 0.5 @ k.transpose(-2, -1)).softmax(-1) @ v; {JOIN}", KMHA),
    attention("heads of packed projections", "self.qkv = nn.Linear(12, 36); self.o = nn.Linear(12, 12)", "qkv = self.qkv(x).reshape(-1, 8, 3, 2, 6).permute(2, 0, 3, 1, 4); q, k, v = qkv[0], qkv[1], qkv[2]; y = F.scaled_dot_product_attention(q, k, v); x = x + self.o(y.transpose(1, 2).reshape(-1, 8, 12))", KMHA, "attention.heads"),
    attention("equal: attention of one head", "self.q = nn.Linear(12, 12)", "q = self.q(x); x = x + torch.bmm(F.softmax(torch.bmm(q, x.transpose(1, 2)), dim=2), x)", "q = L.Dense(12)(x); x = x + L.Attention()([q, x])"),
    attention("equal: attention to another sequence", f"{MHA}; self.other = nn.Linear(12, 12)", "m = torch.tanh(self.other(x))[:, :5]; x = x + self.att(x, m, m)[0]", "m = ops.tanh(L.Dense(12)(x))[:, :5]; x = x + L.MultiHeadAttention(3, 4)(x, m)"),
    attention("other heads", MHA, CALL, "x = x + L.MultiHeadAttention(4, 3)(x, x)", "attention.heads", also=("attention.scale",)),
    attention("scale forgotten", LINEARS, f"{HEADS}; y = torch.softmax(q @ k.transpose(-2, -1), -1) @ v; {JOIN}", KMHA, "attention.scale"),
    attention("scale by the whole width", MHA, CALL, f"{KHEADS}; {KSCORES} / ops.sqrt(12.0); y = ops.matmul(ops.softmax(s), v); {KJOIN}", "attention.scale"),
    attention("no scale in Keras's own attention", "self.q = nn.Linear(12, 12)", "q = self.q(x); x = x + F.scaled_dot_product_attention(q, x, x)", "q = L.Dense(12)(x); x = x + L.Attention()([q, x])", "attention.scale"),
    attention("causal mask forgotten", MHA, f"x = x + self.att(x, x, x, attn_mask={CAUSAL})[0]", KMHA, "attention.mask"),
    attention("causal on one side", MHA, CALL, "x = x + L.MultiHeadAttention(3, 4)(x, x, use_causal_mask=True)", "attention.mask"),
    attention("padding mask forgotten", MHA, "x = x + self.att(x, x, x, key_padding_mask=ids == 0)[0]", KMHA, "attention.mask"),
    attention("padding mask the wrong way round", MHA, "x = x + self.att(x, x, x, key_padding_mask=ids != 0)[0]", "x = x + L.MultiHeadAttention(3, 4)(x, x, attention_mask=ops.not_equal(ids, 0)[:, None, :])", "attention.mask"),
    attention("batch first forgotten in attention", "self.att = nn.MultiheadAttention(12, 3)", CALL, KMHA, "sequence.batch_first"),
    attention("no bias of attention", "self.att = nn.MultiheadAttention(12, 3, batch_first=True)", CALL, "x = x + L.MultiHeadAttention(3, 4, use_bias=False)(x, x)", "bias.missing"),
    attention("softmax over queries", LINEARS, f"{HEADS}; y = torch.softmax(q @ k.transpose(-2, -1) / 2, 2) @ v; {JOIN}", KMHA, "softmax.axis"),
    attention("heads joined without turning back", LINEARS, f"{HEADS}; y = F.scaled_dot_product_attention(q, k, v); x = x + self.o(y.reshape(-1, 8, 12))", KMHA, "attention.heads"),
    attention("dropout of attention", "self.att = nn.MultiheadAttention(12, 3, dropout=0.2, batch_first=True)", CALL, KMHA, "dropout.rate"),
    attention("shortcut of attention forgotten", MHA, CALL, "x = L.MultiHeadAttention(3, 4)(x, x)", "layer.missing"),
    attention("keys and values exchanged", f"{MHA}; self.other = nn.Linear(12, 12)", "m = torch.tanh(self.other(x)); x = x + self.att(x, m, x)[0]", "m = ops.tanh(L.Dense(12)(x)); x = x + L.MultiHeadAttention(3, 4)(x, m, x)", "layer.order"),
)  # fmt: skip


def layer(name: str, torch: str, keras: str, *causes: str, also: tuple[str, ...] = ()) -> Slip:
    """Return a TransformerEncoderLayer and its equal in Keras's parts. In `keras`, y is the layer's output."""
    return attention(name, f"self.enc = {torch}", "x = self.enc(x)", keras, *causes, also=also)


LAYER = "nn.TransformerEncoderLayer(12, 3, 24, batch_first=True)"
FIRST = "nn.TransformerEncoderLayer(12, 3, 24, batch_first=True, norm_first=True)"
LN = "L.LayerNormalization(epsilon=1e-5)"


def post(
    norm: str = LN, act: str = "relu", att: str = "L.MultiHeadAttention(3, 4, dropout=0.1)(x, x)", width: int = 24
) -> str:
    return f"a = {att}; x = {norm}(x + L.Dropout(0.1)(a)); y = L.Dropout(0.1)(L.Dense({width}, activation='{act}')(x)); x = {norm}(x + L.Dropout(0.1)(L.Dense(12)(y)))"


PRE = f"n = {LN}(x); x = x + L.Dropout(0.1)(L.MultiHeadAttention(3, 4, dropout=0.1)(n, n)); n = {LN}(x); y = L.Dropout(0.1)(L.Dense(24, activation='relu')(n)); x = x + L.Dropout(0.1)(L.Dense(12)(y))"
SINES = "p = torch.arange(8)[:, None] / 10000 ** (torch.arange(0, 12, 2) / 12); pe = torch.zeros(8, 12); pe[:, 0::2] = torch.sin(p); pe[:, 1::2] = torch.cos(p); self.register_buffer('pe', pe.double()[None])"
KSINES = "p = np.arange(8)[:, None] / 10000 ** (np.arange(0, 12, 2) / 12)"
TURNS = "pe = np.stack([np.sin(p), np.cos(p)], -1).reshape(8, 12)"
TRANSFORMER: tuple[Slip, ...] = (
    layer("equal: transformer layer", LAYER, post()),
    layer("equal: transformer layer, norm first", FIRST, PRE),
    layer("equal: transformer layer of gelu", "nn.TransformerEncoderLayer(12, 3, 24, batch_first=True, activation='gelu')", post(act="gelu")),
    attention("equal: transformer of two layers with padding", f"self.enc = nn.TransformerEncoder({LAYER}, 2)", "x = self.enc(x, src_key_padding_mask=ids == 0)", f"m = ops.not_equal(ids, 0)[:, None, :]; {post(att='L.MultiHeadAttention(3, 4, dropout=0.1)(x, x, attention_mask=m)')}; {post(att='L.MultiHeadAttention(3, 4, dropout=0.1)(x, x, attention_mask=m)')}"),
    attention("equal: learnt positions", "self.pos = nn.Embedding(8, 12)", "x = x + self.pos(torch.arange(8))", "x = Positions(8, 12)(x)"),
    attention("equal: positions as a parameter", "self.pos = nn.Parameter(torch.randn(1, 8, 12) / 9)", "x = x + self.pos", "x = Positions(8, 12)(x)"),
    attention("equal: positions looked up and added", "self.pos = nn.Embedding(8, 12)", "x = x + self.pos(torch.arange(8))[None]", "x = Parameter()(x)"),
    attention("equal: positions of a longer table", "self.pos = nn.Embedding(32, 12)", "x = x + self.pos(torch.arange(8).expand(len(x), 8))", "x = Positions(32, 12)(x)"),
    attention("equal: sinusoids", SINES.replace("torch.arange(8)", "torch.arange(8).double()").replace("torch.arange(0, 12, 2)", "torch.arange(0, 12, 2).double()").replace("torch.zeros(8, 12)", "torch.zeros(8, 12).double()"), "x = x * math.sqrt(12) + self.pe[:, :x.size(1)]", f"{KSINES}; {TURNS}; x = x * 12 ** 0.5 + pe[None]"),
    layer("norm first on one side", FIRST, post(), "layer.order"),
    layer("norm behind on one side", LAYER, PRE, "layer.order"),
    layer("epsilon in a transformer", LAYER, post("L.LayerNormalization()"), "layer_norm.epsilon"),
    layer("epsilon of a tutorial", LAYER, post("L.LayerNormalization(epsilon=1e-6)"), "layer_norm.epsilon"),
    layer("gelu for relu in a transformer", LAYER, post(act="gelu"), "activation.kind"),
    layer("heads of a transformer", LAYER, post(att="L.MultiHeadAttention(2, 6, dropout=0.1)(x, x)"), "attention.heads"),
    layer("shortcut around the dense part forgotten", LAYER, post().replace("x + L.Dropout(0.1)(L.Dense(12)(y))", "L.Dropout(0.1)(L.Dense(12)(y))"), "layer.missing"),
    layer("dropout forgotten in a transformer", LAYER, post().replace("y = L.Dropout(0.1)(L.Dense(24, activation='relu')(x))", "y = L.Dense(24, activation='relu')(x)"), "layer.missing"),
    attention("padding mask of a transformer forgotten", f"self.enc = nn.TransformerEncoder({LAYER}, 1)", "x = self.enc(x, src_key_padding_mask=ids == 0)", post(), "attention.mask"),
    attention("positions forgotten", "self.pos = nn.Embedding(8, 12)", "x = x + self.pos(torch.arange(8)); x = torch.tanh(x)", "x = ops.tanh(x)", "layer.missing"),
    attention("sines and cosines in halves", SINES.replace("torch.arange(8)", "torch.arange(8).double()").replace("torch.arange(0, 12, 2)", "torch.arange(0, 12, 2).double()").replace("torch.zeros(8, 12)", "torch.zeros(8, 12).double()"), "x = x + self.pe[:, :x.size(1)]", f"{KSINES}; pe = np.concatenate([np.sin(p), np.cos(p)], -1); x = x + pe[None]", "position.encoding"),
    attention("positions outside of the model", "self.pos = nn.Embedding(8, 12)", "x = x + self.pos(torch.arange(8))", "x = x + L.Embedding(8, 12)(ops.arange(8))", "position.encoding"),
    attention("embedding scaled on one side", LINEARS, f"x = x * math.sqrt(12); {HEADS}; y = F.scaled_dot_product_attention(q, k, v); {JOIN}", KMHA, "embedding.scale"),
    Slip("equal: causal convolution", "5x9", NET.format(init="self.conv = nn.Conv1d(5, 4, 3)\n        self.head = nn.Linear(4, 3)", forward="x = F.pad(x, (2, 0))\n        return self.head(self.conv(x).relu().mean(2))"), FUNCTIONAL.format(shape="(9, 5)", body="x = L.Conv1D(4, 3, padding='causal', activation='relu')(x)\n    x = L.Dense(3)(L.GlobalAveragePooling1D()(x))")),
    Slip("equal: causal convolution, trimmed behind it", "5x9", NET.format(init="self.conv = nn.Conv1d(5, 4, 3, padding=4, dilation=2)\n        self.head = nn.Linear(4, 3)", forward="x = self.conv(x)[:, :, :-4]\n        return self.head(x.relu().mean(2))"), FUNCTIONAL.format(shape="(9, 5)", body="x = L.Conv1D(4, 3, padding='causal', dilation_rate=2, activation='relu')(x)\n    x = L.Dense(3)(L.GlobalAveragePooling1D()(x))")),
    Slip("same for causal", "5x9", NET.format(init="self.conv = nn.Conv1d(5, 4, 3)\n        self.head = nn.Linear(4, 3)", forward="x = F.pad(x, (2, 0))\n        return self.head(self.conv(x).relu().mean(2))"), FUNCTIONAL.format(shape="(9, 5)", body="x = L.Conv1D(4, 3, padding='same', activation='relu')(x)\n    x = L.Dense(3)(L.GlobalAveragePooling1D()(x))"), ("padding.side",)),
    Slip("causal padding trimmed at the wrong end", "5x9", NET.format(init="self.conv = nn.Conv1d(5, 4, 3, padding=4, dilation=2)\n        self.head = nn.Linear(4, 3)", forward="x = self.conv(x)[..., 4:]\n        return self.head(x.relu().mean(2))"), FUNCTIONAL.format(shape="(9, 5)", body="x = L.Conv1D(4, 3, padding='causal', dilation_rate=2, activation='relu')(x)\n    x = L.Dense(3)(L.GlobalAveragePooling1D()(x))"), ("padding.side",)),
)  # fmt: skip


def tokens(name: str, init: str, forward: str, keras: str, *causes: str, also: tuple[str, ...] = ()) -> Slip:
    """Return padded tokens, an embedding, recurrent layers, and a head."""
    return pair(
        name,
        f"self.emb = nn.Embedding(20, 6, padding_idx=0); {init}",
        f"ids = x; x = self.emb(ids); n = (ids != 0).sum(1); p = pack_padded_sequence(x, n, batch_first=True, enforce_sorted=False); {forward}",
        f"ids = x; {keras}",
        *causes,
        input="9:0..19",
        also=also,
    )


LAST = "self.rnn = nn.LSTM(6, 4, batch_first=True); self.head = nn.Linear(4, 3)"
MASKED = "x = L.Embedding(20, 6, mask_zero=True)(ids)"
WEIGHTS = """import numpy as np

draw = np.random.default_rng(0)
W, R, B, C = (np.round(64 * draw.normal(size=shape)) / 256 for shape in ((16, 5), (16, 4), (16,), (16,)))
"""
OWN = f"""import torch
from torch import nn
{WEIGHTS}

def build():
    layer = nn.LSTM(5, 4, batch_first=True)
    state = dict(zip(("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"), map(torch.tensor, (W, R, B, C))))
    layer.load_state_dict(state)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = layer

        def forward(self, x):
            return self.rnn(x)[0]

    return Net()
"""
KOWN = f"""import keras
{WEIGHTS}

def order(array):
    i, f, g, o = np.split(array, 4)
    return np.concatenate([{{gates}}])


def build():
    model = keras.Sequential([keras.Input((7, 5)), keras.layers.LSTM(4, return_sequences=True)])
    model.layers[0].set_weights([order(W).T, order(R).T, order({{bias}})])
    return model
"""


def with_gates(name: str, gates: str, bias: str, *causes: str) -> Slip:
    """Return weights that a user gave both models."""
    return Slip(name, "7x5", OWN, KOWN.format(gates=gates, bias=bias), causes, (), "as-is")


PADDED: tuple[Slip, ...] = (
    tokens("equal: packed sequences", LAST, "_, (h, _) = self.rnn(p); return self.head(h[-1])", f"{MASKED}; x = L.Dense(3)(L.LSTM(4)(x))"),
    tokens("equal: packed sequences, all steps", "self.rnn = nn.GRU(6, 4, 2, batch_first=True, bidirectional=True)", "y, _ = self.rnn(p); y, _ = pad_packed_sequence(y, batch_first=True, total_length=9); return y", f"{MASKED}; x = L.Bidirectional(L.GRU(4, return_sequences=True))(x); x = L.Bidirectional(L.GRU(4, return_sequences=True))(x)"),
    tokens("mask forgotten", LAST, "_, (h, _) = self.rnn(p); return self.head(h[-1])", "x = L.Embedding(20, 6)(ids); x = L.Dense(3)(L.LSTM(4)(x))", "rnn.mask"),
    tokens("packing forgotten", LAST, "_, (h, _) = self.rnn(x); return self.head(h[-1])", f"{MASKED}; x = L.Dense(3)(L.LSTM(4)(x))", "rnn.mask"),
    tokens("mask of another number", LAST, "_, (h, _) = self.rnn(p); return self.head(h[-1])", "x = L.Embedding(20, 6)(ids); x = L.LSTM(4)(x, mask=ops.not_equal(ids, 3)); x = L.Dense(3)(x)", "rnn.mask"),
    with_gates("equal: weights given", "i, f, g, o", "B + C"),
    with_gates("gates in another order", "i, f, o, g", "B + C", "rnn.gates"),
    with_gates("one bias of two", "i, f, g, o", "B", "rnn.bias"),
)  # fmt: skip
SEQUENCES: tuple[Slip, ...] = (*PADDED, *RECURRENT, *ATTENTION, *TRANSFORMER)
