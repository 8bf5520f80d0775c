"""A text classifier with a transformer encoder, as a PyTorch tutorial writes it."""

import math

import torch
from torch import nn


class PositionalEncoding(nn.Module):
    """Sines and cosines of every position, added to the embedding."""

    def __init__(self, width: int, longest: int = 64, dropout: float = 0.1) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        position = torch.arange(longest, dtype=torch.float64).unsqueeze(1)
        divisor = torch.exp(torch.arange(0, width, 2, dtype=torch.float64) * (-math.log(10000.0) / width))
        pe = torch.zeros(1, longest, width, dtype=torch.float64)
        pe[0, :, 0::2] = torch.sin(position * divisor)
        pe[0, :, 1::2] = torch.cos(position * divisor)
        self.register_buffer("pe", pe)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dropout(x + self.pe[:, : x.size(1)])


class Encoder(nn.Module):
    """Embedding, positions, two layers, the mean over all positions, and a head."""

    def __init__(self, words: int = 50, width: int = 16, heads: int = 4, hidden: int = 32, classes: int = 3) -> None:
        super().__init__()
        self.width = width
        self.embedding = nn.Embedding(words, width, padding_idx=0)
        self.positions = PositionalEncoding(width)
        layer = nn.TransformerEncoderLayer(width, heads, hidden, batch_first=True, norm_first=True, activation="gelu")
        self.encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = nn.Linear(width, classes)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.positions(self.embedding(ids) * math.sqrt(self.width))
        x = self.encoder(x, src_key_padding_mask=ids == 0)
        return self.head(x.mean(dim=1))


def build() -> nn.Module:
    """Return the model."""
    return Encoder()


def every_row() -> nn.Module:
    """Return the same with the padding row trained, as in Keras's Embedding."""
    model = Encoder()
    model.embedding.padding_idx = None
    return model


loss = nn.CrossEntropyLoss(label_smoothing=0.1)


def optimizer(model: nn.Module) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """Return AdamW with ten steps of warm-up, which decays only matrices."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    adamw = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.98), eps=1e-20)
    return adamw, torch.optim.lr_scheduler.LambdaLR(adamw, lambda step: min((step + 1) / 10, 1.0))
