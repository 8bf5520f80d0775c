"""PyTorch's forms of the rows about embeddings."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from torch_impl.ledger.forms import aligned, both, own


@both("embedding-layout")
def embedded(tokens: np.ndarray, table: np.ndarray) -> Tensor:
    return nn.Embedding.from_pretrained(torch.tensor(table))(torch.tensor(tokens))


@own("embedding-initialiser")
def initial_table(table: np.ndarray) -> Tensor:
    torch.manual_seed(0)
    return nn.Embedding(1000, 64).weight.std(correction=0)


@aligned("embedding-initialiser")
def table_from_an_array(table: np.ndarray) -> Tensor:
    return nn.Embedding.from_pretrained(torch.tensor(table)).weight.std(correction=0)


@own("embedding-padding")
def gradient_without_padding(tokens: np.ndarray, table: np.ndarray) -> Tensor | None:
    layer = nn.Embedding.from_pretrained(torch.tensor(table), freeze=False, padding_idx=0)
    layer(torch.tensor(tokens)).square().sum().backward()
    return layer.weight.grad


@aligned("embedding-padding")
def gradient_with_padding(tokens: np.ndarray, table: np.ndarray) -> Tensor | None:
    layer = nn.Embedding.from_pretrained(torch.tensor(table), freeze=False)
    layer(torch.tensor(tokens)).square().sum().backward()
    return layer.weight.grad


@both("embedding-padding-row")
def initial_vector_of_padding() -> Tensor:
    torch.manual_seed(0)
    return nn.Embedding(6, 3, padding_idx=0).weight[0].norm()


@own("embedding-mask-mean")
def mean_of_all_steps(tokens: np.ndarray, table: np.ndarray) -> Tensor:
    layer = nn.Embedding.from_pretrained(torch.tensor(table), padding_idx=0)
    return layer(torch.tensor(tokens)).mean(1)


@aligned("embedding-mask-mean")
def mean_of_real_steps(tokens: np.ndarray, table: np.ndarray) -> Tensor:
    layer = nn.Embedding.from_pretrained(torch.tensor(table), padding_idx=0)
    real = (torch.tensor(tokens) != 0).unsqueeze(-1)
    return (layer(torch.tensor(tokens)) * real).sum(1) / real.sum(1)


@both("embedding-max-norm")
def embedded_with_max_norm(tokens: np.ndarray, table: np.ndarray) -> Tensor:
    return F.embedding(torch.tensor(tokens), torch.tensor(table), max_norm=1.0)
