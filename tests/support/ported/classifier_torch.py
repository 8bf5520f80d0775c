"""A text classifier with an LSTM of two directions, as a tutorial of PyTorch writes it."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence


class Classifier(nn.Module):
    """Embedding, an LSTM over packed sequences, the last state of both directions, and two dense layers."""

    def __init__(self, words: int = 50, width: int = 12, hidden: int = 8, classes: int = 3) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width, padding_idx=0)
        self.lstm = nn.LSTM(width, hidden, num_layers=2, bidirectional=True, dropout=0.3, batch_first=True)
        self.dropout = nn.Dropout(0.5)
        self.dense = nn.Linear(2 * hidden, 16)
        self.head = nn.Linear(16, classes)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        lengths = (ids != 0).sum(dim=1)
        packed = pack_padded_sequence(self.embedding(ids), lengths, batch_first=True, enforce_sorted=False)
        _, (hidden, _) = self.lstm(packed)
        last = torch.cat((hidden[-2, :, :], hidden[-1, :, :]), dim=1)
        return self.head(self.dropout(torch.tanh(self.dense(last))))


def build() -> nn.Module:
    """The model."""
    return Classifier()
