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


def build():
    inputs = keras.Input({shape})
    x = inputs
    {body}
    return keras.Model(inputs, x)
"""


def pair(name: str, init: str, forward: str, body: str, *causes: str, input: str = "7x5", also: tuple[str, ...] = ()) -> Slip:
    """A module's parts and its forward pass, and the lines of a functional Keras model; lines end with a semicolon."""
    sizes = tuple(int(n) for n in input.partition(":")[0].split("x"))
    shape = f"{sizes}, dtype='int32'" if ":" in input else f"{sizes}"
    torch = NET.format(init=_lines(init, 8), forward=_lines(forward, 8))
    return Slip(name, input, torch, FUNCTIONAL.format(shape=shape, body=_lines(body, 4)), causes, also)


def _lines(text: str, indent: int) -> str:
    return ("\n" + " " * indent).join(line.strip() for line in text.split(";") if line.strip())


def rnn(name: str, layer: str, keras: str, *causes: str, take: str = "y[:, -1]", size: int = 4, also: tuple[str, ...] = ()) -> Slip:
    """A recurrent layer and a head."""
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
SEQUENCES: tuple[Slip, ...] = RECURRENT
