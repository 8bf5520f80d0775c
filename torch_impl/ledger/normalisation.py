"""PyTorch's forms of the rows about layers that normalise."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torch_impl.layers import BatchNorm
from torch_impl.ledger.forms import aligned, both, own


@own("batchnorm-epsilon")
def batchnorm(x: np.ndarray) -> Tensor:
    return nn.BatchNorm1d(4)(torch.tensor(x[0]))


@aligned("batchnorm-epsilon")
def batchnorm_with_epsilon(x: np.ndarray) -> Tensor:
    return nn.BatchNorm1d(4, eps=1e-3)(torch.tensor(x[0]))


@both("batchnorm-momentum")
@aligned("batchnorm-momentum-copied")
def running_mean(x: np.ndarray) -> Tensor | None:
    layer = nn.BatchNorm1d(4, momentum=0.1)
    for batch in x:
        layer(torch.tensor(batch))
    return layer.running_mean


@own("batchnorm-momentum-copied")
def running_mean_with_momentum(x: np.ndarray) -> Tensor | None:
    layer = nn.BatchNorm1d(4, momentum=0.9)
    for batch in x:
        layer(torch.tensor(batch))
    return layer.running_mean


@own("batchnorm-variance")
def running_variance(x: np.ndarray) -> Tensor | None:
    layer = nn.BatchNorm1d(4)
    layer(torch.tensor(x[0]))
    return layer.running_var


@aligned("batchnorm-variance")
def biased_running_variance(x: np.ndarray) -> Tensor:
    layer = BatchNorm(4)  # 0.9 of the old variance and 0.1 of x.var(0, correction=0)
    layer(torch.tensor(x[0]))
    return layer.running_var


@own("batchnorm-called")
def new_batchnorm(x: np.ndarray) -> Tensor:
    return nn.BatchNorm1d(4)(torch.tensor(x))


@aligned("batchnorm-called", "batchnorm-frozen")
def batchnorm_in_evaluation(x: np.ndarray) -> Tensor:
    layer = nn.BatchNorm1d(4, eps=1e-3).requires_grad_(False)
    layer.eval()
    return layer(torch.tensor(x))


@own("batchnorm-one")
def batchnorm_of_one(x: np.ndarray) -> Tensor:
    layer = nn.BatchNorm1d(4)
    nn.init.ones_(layer.bias)
    try:
        return layer(torch.tensor(x))
    except ValueError:  # Expected more than 1 value per channel when training
        return torch.empty(0)


@aligned("batchnorm-one")
def own_batchnorm_of_one(x: np.ndarray) -> Tensor:
    layer = BatchNorm(4)
    nn.init.ones_(layer.bias)
    return layer(torch.tensor(x))


@own("batchnorm-frozen")
def frozen_batchnorm(x: np.ndarray) -> Tensor:
    layer = nn.BatchNorm1d(4, eps=1e-3).requires_grad_(False)
    layer.train()
    return layer(torch.tensor(x))


@own("batchnorm-sequence")
def batchnorm_of_sequences(x: np.ndarray) -> Tensor:
    return nn.BatchNorm1d(4, eps=1e-3)(torch.tensor(x))


@aligned("batchnorm-sequence")
def batchnorm_of_transposed_sequences(x: np.ndarray) -> Tensor:
    return nn.BatchNorm1d(4, eps=1e-3)(torch.tensor(x).transpose(1, 2)).transpose(1, 2)


@both("batchnorm-accumulation")
def running_mean_of_accumulated_step(x: np.ndarray) -> Tensor | None:
    layer = nn.BatchNorm1d(4)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.01)
    for batch in torch.tensor(x).split(2):
        loss = F.mse_loss(layer(batch), batch) / 4
        loss.backward()
    optimizer.step()
    return layer.running_mean


@own("layernorm-epsilon")
def layernorm(x: np.ndarray) -> Tensor:
    return nn.LayerNorm(8)(torch.tensor(x))


@aligned("layernorm-epsilon")
def layernorm_with_epsilon(x: np.ndarray) -> Tensor:
    return nn.LayerNorm(8, eps=1e-3)(torch.tensor(x))


@own("layernorm-axes")
def layernorm_of_image(x: np.ndarray) -> Tensor:
    image = torch.tensor(x).permute(0, 3, 1, 2)
    return nn.LayerNorm(4, eps=1e-3)(image).permute(0, 2, 3, 1)


@aligned("layernorm-axes")
def layernorm_of_channels(x: np.ndarray) -> Tensor:
    image = torch.tensor(x).permute(0, 3, 1, 2)
    return nn.LayerNorm(4, eps=1e-3)(image.permute(0, 2, 3, 1))


@own("groupnorm-epsilon")
def groupnorm(x: np.ndarray) -> Tensor:
    return nn.GroupNorm(2, 8)(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


@aligned("groupnorm-epsilon")
def groupnorm_with_epsilon(x: np.ndarray) -> Tensor:
    return nn.GroupNorm(2, 8, eps=1e-3)(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


@own("groupnorm-groups")
def groupnorm_without_groups(x: np.ndarray) -> Tensor:
    try:
        return nn.GroupNorm(num_channels=64)(torch.tensor(x).permute(0, 3, 1, 2))
    except TypeError:  # missing 1 required positional argument: 'num_groups'
        return torch.empty(0)


@aligned("groupnorm-groups")
def groupnorm_of_32_groups(x: np.ndarray) -> Tensor:
    return nn.GroupNorm(32, 64, eps=1e-3)(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


@own("instancenorm-epsilon")
def instancenorm(x: np.ndarray) -> Tensor:
    return nn.InstanceNorm2d(2)(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


@aligned("instancenorm-epsilon")
def instancenorm_with_epsilon(x: np.ndarray) -> Tensor:
    return nn.InstanceNorm2d(2, eps=1e-3)(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


@own("instancenorm-parameters")
def parameters_of_instancenorm() -> np.ndarray:
    return np.array(sum(p.numel() for p in nn.InstanceNorm2d(8).parameters()))


@aligned("instancenorm-parameters")
def parameters_of_affine_instancenorm() -> np.ndarray:
    return np.array(sum(p.numel() for p in nn.InstanceNorm2d(8, affine=True).parameters()))


@own("rmsnorm-epsilon")
def rmsnorm(x: np.ndarray) -> Tensor:
    return nn.RMSNorm(8)(torch.tensor(x))


@aligned("rmsnorm-epsilon")
def rmsnorm_with_epsilon(x: np.ndarray) -> Tensor:
    return nn.RMSNorm(8, eps=1e-6)(torch.tensor(x))


@both("unit-length")
def unit_length(x: np.ndarray) -> Tensor:
    return F.normalize(torch.tensor(x), dim=-1)


@both("local-response-alpha")
def local_response(x: np.ndarray) -> Tensor:
    layer = nn.LocalResponseNorm(5, alpha=0.625, beta=0.75, k=1.0)
    return layer(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


@both("input-normalisation")
def normalised_image(x: np.ndarray) -> Tensor:
    from torchvision import transforms

    image = torch.tensor(x).permute(0, 3, 1, 2)
    return transforms.Normalize(0.5, 0.25)(image).permute(0, 2, 3, 1)


@own("standard-deviation")
def deviation(x: np.ndarray) -> Tensor:
    return torch.std(torch.tensor(x))


@aligned("standard-deviation")
def deviation_without_correction(x: np.ndarray) -> Tensor:
    return torch.std(torch.tensor(x), correction=0)
