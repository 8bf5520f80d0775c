"""A text classifier with a bidirectional LSTM, as a PyTorch tutorial writes it."""

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
    """Return the model."""
    return Classifier()


def one_bias() -> nn.Module:
    """Return the same with one trained bias for each gate, as in Keras's LSTM. PyTorch's second bias stays 0."""
    model = Classifier()
    for name, parameter in model.lstm.named_parameters():
        if name.startswith("bias_hh"):
            nn.init.zeros_(parameter).requires_grad_(False)
    return model


loss = nn.CrossEntropyLoss()


def optimizer(params: list[nn.Parameter]) -> torch.optim.Optimizer:
    """Return RMSprop with momentum, which clips the norm of all gradients."""
    made = torch.optim.RMSprop(params, lr=1e-3, alpha=0.9, eps=1e-40, momentum=0.9)
    made.register_step_pre_hook(lambda *_: nn.utils.clip_grad_norm_(params, 0.1) and None)
    return made
