"""PyTorch's forms of the rows about attention."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from torch_impl.ledger.forms import aligned, both, own


def attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, o: np.ndarray, **options: Any) -> nn.MultiheadAttention:
    layer = nn.MultiheadAttention(8, 2, bias=False, **options)
    packed = np.concatenate([kernel.reshape(8, 8).T for kernel in (q, k, v)])
    layer.load_state_dict({"in_proj_weight": torch.tensor(packed), "out_proj.weight": torch.tensor(o.reshape(8, 8).T)})
    return layer


@both("attention-key-dim")
def attention_parameters() -> np.ndarray:
    layer = nn.MultiheadAttention(8, 2)
    return np.array(sum(p.numel() for p in layer.parameters()))


@own("attention-projections")
def attention_with_the_kernels_as_they_lie(x: np.ndarray, **kernels: np.ndarray) -> Tensor:
    layer = nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    q, k, v, o = (torch.tensor(kernels[name].reshape(8, 8)) for name in "qkvo")
    layer.load_state_dict({"in_proj_weight": torch.cat([q, k, v]), "out_proj.weight": o})
    steps = torch.tensor(x)
    return layer(steps, steps, steps)[0]


@aligned("attention-projections", "attention-batch-first")
def attention_over_the_second_axis(x: np.ndarray, **kernels: np.ndarray) -> Tensor:
    layer = attention(**kernels, batch_first=True)
    steps = torch.tensor(x)
    return layer(steps, steps, steps)[0]


@own("attention-batch-first")
def attention_over_the_first_axis(x: np.ndarray, **kernels: np.ndarray) -> Tensor:
    layer = attention(**kernels)
    steps = torch.tensor(x)
    return layer(steps, steps, steps)[0]


@own("attention-mask")
def attention_with_mask(x: np.ndarray, mask: np.ndarray, **kernels: np.ndarray) -> Tensor:
    layer = attention(**kernels, batch_first=True)
    steps = torch.tensor(x)
    return layer(steps, steps, steps, key_padding_mask=torch.tensor(mask))[0]


@aligned("attention-mask")
def attention_with_inverted_mask(x: np.ndarray, mask: np.ndarray, **kernels: np.ndarray) -> Tensor:
    layer = attention(**kernels, batch_first=True)
    steps = torch.tensor(x)
    return layer(steps, steps, steps, key_padding_mask=~torch.tensor(mask))[0]


@both("attention-mask-function")
def attention_function_with_mask(query: np.ndarray, key: np.ndarray, value: np.ndarray, mask: np.ndarray) -> Tensor:
    q, k, v = torch.tensor(query), torch.tensor(key), torch.tensor(value)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=torch.tensor(mask))


@both("attention-additive-mask")
def attention_with_additive_mask(x: np.ndarray, mask: np.ndarray, **kernels: np.ndarray) -> Tensor:
    layer = attention(**kernels, batch_first=True)
    steps = torch.tensor(x)
    return layer(steps, steps, steps, attn_mask=torch.tensor(mask))[0]


@own("attention-all-masked")
def attention_to_padding_alone(x: np.ndarray) -> Tensor:
    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    steps = torch.tensor(x)
    padding = torch.tensor([[True, True, True]])
    return layer(steps, steps, steps, key_padding_mask=padding)[0].isnan().sum()


@aligned("attention-all-masked")
def attention_to_one_step_of_padding(x: np.ndarray) -> Tensor:
    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    steps = torch.tensor(x)
    padding = torch.tensor([[True, True, True]])
    padding[padding.all(1), 0] = False
    return layer(steps, steps, steps, key_padding_mask=padding)[0].isnan().sum()


@both("attention-causal")
def causal_attention(query: np.ndarray, key: np.ndarray, value: np.ndarray) -> Tensor:
    q, k, v = torch.tensor(query), torch.tensor(key), torch.tensor(value)
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


@own("attention-scale")
def scaled_attention(query: np.ndarray, key: np.ndarray, value: np.ndarray) -> Tensor:
    return F.scaled_dot_product_attention(torch.tensor(query), torch.tensor(key), torch.tensor(value))


@aligned("attention-scale")
def unscaled_attention(query: np.ndarray, key: np.ndarray, value: np.ndarray) -> Tensor:
    return F.scaled_dot_product_attention(torch.tensor(query), torch.tensor(key), torch.tensor(value), scale=1.0)


@both("attention-arguments")
def attention_by_position(query: np.ndarray, key: np.ndarray, value: np.ndarray, **kernels: np.ndarray) -> Tensor:
    layer = attention(**kernels, batch_first=True)
    return layer(torch.tensor(query), torch.tensor(key), torch.tensor(value))[0]


@own("attention-scores")
def mean_attention_weights(x: np.ndarray, **kernels: np.ndarray) -> Tensor:
    layer = attention(**kernels, batch_first=True)
    steps = torch.tensor(x)
    return layer(steps, steps, steps)[1]


@aligned("attention-scores")
def attention_weights(x: np.ndarray, **kernels: np.ndarray) -> Tensor:
    layer = attention(**kernels, batch_first=True)
    steps = torch.tensor(x)
    return layer(steps, steps, steps, average_attn_weights=False)[1]


@own("attention-scores-dropout")
def attention_weights_in_training(x: np.ndarray) -> np.ndarray:
    torch.manual_seed(0)
    layer = nn.MultiheadAttention(8, 2, dropout=0.5, batch_first=True)
    steps = torch.tensor(x)
    sums = layer(steps, steps, steps)[1].sum(-1)
    return np.array(torch.allclose(sums, torch.ones_like(sums)))


@aligned("attention-scores-dropout")
def attention_weights_in_evaluation(x: np.ndarray) -> np.ndarray:
    torch.manual_seed(0)
    layer = nn.MultiheadAttention(8, 2, dropout=0.5, batch_first=True).eval()
    steps = torch.tensor(x)
    sums = layer(steps, steps, steps)[1].sum(-1)
    return np.array(torch.allclose(sums, torch.ones_like(sums)))


@own("attention-initialiser")
def query_kernel(kernel: np.ndarray) -> Tensor:
    torch.manual_seed(0)
    layer = nn.MultiheadAttention(64, 4)
    return layer.in_proj_weight[:64].std(correction=0)


@aligned("attention-initialiser")
def query_kernel_from_an_array(kernel: np.ndarray) -> Tensor:
    layer = nn.MultiheadAttention(64, 4)
    with torch.no_grad():
        layer.in_proj_weight[:64].copy_(torch.tensor(kernel.reshape(64, 64).T))
    return layer.in_proj_weight[:64].std(correction=0)
