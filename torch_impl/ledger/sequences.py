"""PyTorch's forms of the rows about recurrent layers and padded sequences."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from torch_impl.ledger.forms import aligned, both, own


def load(layer: nn.Module, **weights: np.ndarray) -> None:
    layer.load_state_dict({name: torch.tensor(weight) for name, weight in weights.items()})


def bidirectional_lstm(
    kernel: np.ndarray, recurrent: np.ndarray, kernel_back: np.ndarray, recurrent_back: np.ndarray
) -> nn.LSTM:
    layer = nn.LSTM(3, 4, bias=False, batch_first=True, bidirectional=True)
    load(
        layer,
        weight_ih_l0=kernel.T,
        weight_hh_l0=recurrent.T,
        weight_ih_l0_reverse=kernel_back.T,
        weight_hh_l0_reverse=recurrent_back.T,
    )
    return layer


def reset_first(blocks: np.ndarray) -> np.ndarray:
    update, reset, new = np.split(blocks, 3, axis=-1)
    return np.concatenate([reset, update, new], axis=-1)


@both("lstm-gates")
@aligned("lstm-batch-first")
@own("lstm-output")
def lstm(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray) -> Tensor:
    layer = nn.LSTM(3, 4, bias=False, batch_first=True)
    load(layer, weight_ih_l0=kernel.T, weight_hh_l0=recurrent.T)
    output, _ = layer(torch.tensor(x))
    return output


@own("lstm-biases")
def lstm_with_the_bias_twice(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> Tensor:
    layer = nn.LSTM(3, 4, batch_first=True)
    load(layer, weight_ih_l0=kernel.T, weight_hh_l0=recurrent.T, bias_ih_l0=bias, bias_hh_l0=bias)
    output, _ = layer(torch.tensor(x))
    return output


@aligned("lstm-biases")
def lstm_with_the_bias_once(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> Tensor:
    layer = nn.LSTM(3, 4, batch_first=True)
    load(layer, weight_ih_l0=kernel.T, weight_hh_l0=recurrent.T, bias_ih_l0=bias, bias_hh_l0=0 * bias)
    output, _ = layer(torch.tensor(x))
    return output


@own("lstm-parameters")
def lstm_parameters() -> np.ndarray:
    layer = nn.LSTM(3, 4)
    return np.array(sum(p.numel() for p in layer.parameters() if p.requires_grad))


@aligned("lstm-parameters")
def lstm_parameters_with_one_bias() -> np.ndarray:
    layer = nn.LSTM(3, 4)
    *_, bias_hh = layer.parameters()
    nn.init.zeros_(bias_hh).requires_grad_(False)
    return np.array(sum(p.numel() for p in layer.parameters() if p.requires_grad))


@own("lstm-forget-bias")
def lstm_bias() -> Tensor:
    torch.manual_seed(0)
    *_, bias_ih, bias_hh = nn.LSTM(3, 4).parameters()
    return (bias_ih + bias_hh).reshape(4, 4).sum(1)


@aligned("lstm-forget-bias")
def lstm_bias_with_ones() -> Tensor:
    *_, bias_ih, bias_hh = nn.LSTM(3, 4).parameters()
    nn.init.zeros_(bias_ih)
    nn.init.zeros_(bias_hh)
    nn.init.ones_(bias_ih[4:8])
    return (bias_ih + bias_hh).reshape(4, 4).sum(1)


@own("lstm-recurrent-initialiser")
def lstm_recurrent_kernel() -> Tensor:
    torch.manual_seed(0)
    _, recurrent, *_ = nn.LSTM(3, 16).parameters()
    return torch.linalg.svdvals(recurrent)


@aligned("lstm-recurrent-initialiser")
def lstm_orthogonal_kernel() -> Tensor:
    _, recurrent, *_ = nn.LSTM(3, 16).parameters()
    return torch.linalg.svdvals(nn.init.orthogonal_(recurrent))


@own("lstm-kernel-initialiser")
def lstm_kernel(kernel: np.ndarray) -> Tensor:
    torch.manual_seed(0)
    weight, *_ = nn.LSTM(256, 16).parameters()
    return weight.std(correction=0)


@aligned("lstm-kernel-initialiser")
def lstm_kernel_from_an_array(kernel: np.ndarray) -> Tensor:
    weight, *_ = nn.LSTM(256, 16).parameters()
    with torch.no_grad():
        weight.copy_(torch.tensor(kernel.T))
    return weight.std(correction=0)


@own("lstm-batch-first")
def lstm_over_the_first_axis(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray) -> Tensor:
    layer = nn.LSTM(3, 4, bias=False)
    load(layer, weight_ih_l0=kernel.T, weight_hh_l0=recurrent.T)
    output, _ = layer(torch.tensor(x))
    return output


@aligned("lstm-output")
def lstm_last_output(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray) -> Tensor:
    layer = nn.LSTM(3, 4, bias=False, batch_first=True)
    load(layer, weight_ih_l0=kernel.T, weight_hh_l0=recurrent.T)
    output, _ = layer(torch.tensor(x))
    return output[:, -1]


@own("lstm-state")
def lstm_state(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray) -> Tensor:
    layer = nn.LSTM(3, 4, bias=False, batch_first=True)
    load(layer, weight_ih_l0=kernel.T, weight_hh_l0=recurrent.T)
    _, (h, _) = layer(torch.tensor(x))
    return h


@aligned("lstm-state")
def lstm_state_of_the_last_layer(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray) -> Tensor:
    layer = nn.LSTM(3, 4, bias=False, batch_first=True)
    load(layer, weight_ih_l0=kernel.T, weight_hh_l0=recurrent.T)
    _, (h, _) = layer(torch.tensor(x))
    return h[-1]


@both("lstm-backwards")
def lstm_backward_half(x: np.ndarray, **weights: np.ndarray) -> Tensor:
    output, _ = bidirectional_lstm(**weights)(torch.tensor(x))
    return output[:, :, 4:]


@both("bidirectional-merge")
def lstm_both_ways(x: np.ndarray, **weights: np.ndarray) -> Tensor:
    output, _ = bidirectional_lstm(**weights)(torch.tensor(x))
    return output


@own("bidirectional-last")
def lstm_both_ways_last_step(x: np.ndarray, **weights: np.ndarray) -> Tensor:
    output, _ = bidirectional_lstm(**weights)(torch.tensor(x))
    return output[:, -1]


@aligned("bidirectional-last")
def lstm_both_ways_last_states(x: np.ndarray, **weights: np.ndarray) -> Tensor:
    _, (h, _) = bidirectional_lstm(**weights)(torch.tensor(x))
    return torch.cat([h[0], h[1]], 1)


@own("lstm-padding")
def lstm_through_the_padding(
    tokens: np.ndarray, table: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray
) -> Tensor:
    embedding = nn.Embedding.from_pretrained(torch.tensor(table), padding_idx=0)
    layer = nn.LSTM(3, 4, bias=False, batch_first=True)
    load(layer, weight_ih_l0=kernel.T, weight_hh_l0=recurrent.T)
    output, _ = layer(embedding(torch.tensor(tokens)))
    return output[:, -1]


@aligned("lstm-padding")
def lstm_of_packed_sequences(
    tokens: np.ndarray, table: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray
) -> Tensor:
    embedding = nn.Embedding.from_pretrained(torch.tensor(table), padding_idx=0)
    layer = nn.LSTM(3, 4, bias=False, batch_first=True)
    load(layer, weight_ih_l0=kernel.T, weight_hh_l0=recurrent.T)
    lengths = torch.tensor((tokens != 0).sum(1))
    packed = pack_padded_sequence(embedding(torch.tensor(tokens)), lengths, batch_first=True, enforce_sorted=False)
    _, (h, _) = layer(packed)
    return h[-1]


@both("lstm-padded-outputs")
def lstm_outputs_of_packed_sequences(
    tokens: np.ndarray, table: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray
) -> Tensor:
    embedding = nn.Embedding.from_pretrained(torch.tensor(table), padding_idx=0)
    layer = nn.LSTM(3, 4, bias=False, batch_first=True)
    load(layer, weight_ih_l0=kernel.T, weight_hh_l0=recurrent.T)
    lengths = torch.tensor((tokens != 0).sum(1))
    packed = pack_padded_sequence(embedding(torch.tensor(tokens)), lengths, batch_first=True, enforce_sorted=False)
    output, _ = layer(packed)
    return pad_packed_sequence(output, batch_first=True)[0]


@both("pad-sequences")
def padded(tokens: np.ndarray) -> Tensor:
    sequences = [torch.tensor(tokens[:3]), torch.tensor(tokens[3:])]
    return pad_sequence(sequences, batch_first=True)


@own("lstm-dropout")
def lstm_dropout_varies(x: np.ndarray) -> np.ndarray:
    torch.manual_seed(0)
    layer = nn.LSTM(3, 4, dropout=0.5, batch_first=True)
    first, _ = layer(torch.tensor(x))
    second, _ = layer(torch.tensor(x))
    return np.array(not torch.equal(first, second))


@aligned("lstm-dropout")
def dropout_and_lstm_vary(x: np.ndarray) -> np.ndarray:
    torch.manual_seed(0)
    dropout, layer = nn.Dropout(0.5), nn.LSTM(3, 4, batch_first=True)
    first, _ = layer(dropout(torch.tensor(x)))
    second, _ = layer(dropout(torch.tensor(x)))
    return np.array(not torch.equal(first, second))


@own("rnn-dropout-steps")
def dropped_steps(x: np.ndarray) -> np.ndarray:
    torch.manual_seed(0)
    dropped = nn.Dropout(0.5)(torch.tensor(x))
    return np.array(torch.equal(dropped[:, :-1], dropped[:, 1:]))


@aligned("rnn-dropout-steps")
def dropped_features(x: np.ndarray) -> np.ndarray:
    torch.manual_seed(0)
    dropped = nn.Dropout1d(0.5)(torch.tensor(x).transpose(1, 2)).transpose(1, 2)
    return np.array(torch.equal(dropped[:, :-1], dropped[:, 1:]))


@own("gru-gates")
def gru_with_the_kernels_as_they_lie(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray) -> Tensor:
    layer = nn.GRU(3, 4, bias=False, batch_first=True)
    load(layer, weight_ih_l0=kernel.T, weight_hh_l0=recurrent.T)
    output, _ = layer(torch.tensor(x))
    return output


@aligned("gru-gates")
@own("gru-reset")
def gru_with_the_blocks_swapped(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray) -> Tensor:
    layer = nn.GRU(3, 4, bias=False, batch_first=True)
    load(layer, weight_ih_l0=reset_first(kernel).T, weight_hh_l0=reset_first(recurrent).T)
    output, _ = layer(torch.tensor(x))
    return output


@own("gru-biases")
def gru_with_one_bias(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> Tensor:
    layer = nn.GRU(3, 4, batch_first=True)
    load(
        layer,
        weight_ih_l0=reset_first(kernel).T,
        weight_hh_l0=reset_first(recurrent).T,
        bias_ih_l0=reset_first(bias[0] + bias[1]),
        bias_hh_l0=0 * bias[1],
    )
    output, _ = layer(torch.tensor(x))
    return output


@aligned("gru-biases")
def gru_with_two_biases(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> Tensor:
    layer = nn.GRU(3, 4, batch_first=True)
    load(
        layer,
        weight_ih_l0=reset_first(kernel).T,
        weight_hh_l0=reset_first(recurrent).T,
        bias_ih_l0=reset_first(bias[0]),
        bias_hh_l0=reset_first(bias[1]),
    )
    output, _ = layer(torch.tensor(x))
    return output


@aligned("gru-reset")
def gru_that_resets_first(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray) -> Tensor:
    u_z, u_r, u_n = torch.tensor(recurrent).chunk(3, dim=1)
    h, outputs = torch.zeros(2, 4), []
    for step in torch.tensor(x).unbind(1):
        z, r, n = (step @ torch.tensor(kernel)).chunk(3, dim=1)
        z, r = torch.sigmoid(z + h @ u_z), torch.sigmoid(r + h @ u_r)
        h = z * h + (1 - z) * torch.tanh(n + (r * h) @ u_n)
        outputs.append(h)
    return torch.stack(outputs, 1)


@both("simple-rnn")
def simple_rnn(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray) -> Tensor:
    layer = nn.RNN(3, 4, bias=False, batch_first=True)
    load(layer, weight_ih_l0=kernel.T, weight_hh_l0=recurrent.T)
    output, _ = layer(torch.tensor(x))
    return output


@both("dense-on-sequences")
def linear(x: np.ndarray, kernel: np.ndarray) -> Tensor:
    layer = nn.Linear(3, 4, bias=False)
    load(layer, weight=kernel.T)
    return layer(torch.tensor(x))
