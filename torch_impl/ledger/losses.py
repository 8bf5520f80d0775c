"""PyTorch's forms of the rows about losses."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from torch_impl.ledger.forms import aligned, both, own


@both("loss-of-probabilities", "loss-of-softmax-layer", "logits-as-probabilities")
@aligned("softmax-twice")
def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    return F.cross_entropy(torch.tensor(logits), torch.tensor(labels))


@both("gradient-of-probabilities", "loss-per-image")
def cross_entropy_gradient(logits: np.ndarray, labels: np.ndarray) -> Tensor | None:
    outputs = torch.tensor(logits, requires_grad=True)
    F.cross_entropy(outputs, torch.tensor(labels)).backward()
    return outputs.grad


@own("softmax-twice")
def cross_entropy_of_softmax(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    outputs = F.softmax(torch.tensor(logits), dim=1)
    return F.cross_entropy(outputs, torch.tensor(labels))


@own("nll-of-probabilities")
def nll_of_softmax(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    return F.nll_loss(F.softmax(torch.tensor(logits), dim=1), torch.tensor(labels))


@aligned("nll-of-probabilities")
def nll_of_log_softmax(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    return F.nll_loss(F.log_softmax(torch.tensor(logits), dim=1), torch.tensor(labels))


@own("cross-entropy-axis")
def cross_entropy_over_the_second_axis(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    return F.cross_entropy(torch.tensor(logits), torch.tensor(labels))


@aligned("cross-entropy-axis")
def cross_entropy_of_permuted_logits(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    return F.cross_entropy(torch.tensor(logits).permute(0, 3, 1, 2), torch.tensor(labels))


@both("cross-entropy-one-hot")
def cross_entropy_of_one_hot(logits: np.ndarray, targets: np.ndarray) -> Tensor:
    return F.cross_entropy(torch.tensor(logits), torch.tensor(targets))


@both("label-smoothing")
def smoothed_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    return F.cross_entropy(torch.tensor(logits), torch.tensor(labels), label_smoothing=0.125)


@both("class-weights")
def weighted_cross_entropy(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> Tensor:
    return F.cross_entropy(torch.tensor(logits), torch.tensor(labels), weight=torch.tensor(weights))


@both("bce-weights")
def weighted_binary_cross_entropy(logits: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> Tensor:
    return F.binary_cross_entropy_with_logits(torch.tensor(logits), torch.tensor(targets), weight=torch.tensor(weights))


@both("ignore-index")
def cross_entropy_without_ignored_labels(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    return F.cross_entropy(torch.tensor(logits), torch.tensor(labels))


@own("ignore-index-all")
def all_ignored_give_nan(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    return F.cross_entropy(torch.tensor(logits), torch.tensor(labels)).isnan()


@aligned("ignore-index-all")
def all_ignored_give_zero(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    target = torch.tensor(labels)
    total = F.cross_entropy(torch.tensor(logits), target, reduction="sum")
    return (total / (target != -100).sum().clamp(min=1)).isnan()


@own("loss-mask")
def loss_of_all_steps(tokens: np.ndarray, table: np.ndarray, labels: np.ndarray) -> Tensor:
    logits = nn.Embedding.from_pretrained(torch.tensor(table), padding_idx=0)(torch.tensor(tokens))
    return F.cross_entropy(logits.transpose(1, 2), torch.tensor(labels))


@aligned("loss-mask")
def loss_of_real_steps(tokens: np.ndarray, table: np.ndarray, labels: np.ndarray) -> Tensor:
    logits = nn.Embedding.from_pretrained(torch.tensor(table), padding_idx=0)(torch.tensor(tokens))
    targets = torch.tensor(labels).masked_fill(torch.tensor(tokens) == 0, -100)
    return F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=-100)


@own("bce-clip")
def binary_cross_entropy(logits: np.ndarray, targets: np.ndarray) -> Tensor:
    return F.binary_cross_entropy(torch.sigmoid(torch.tensor(logits)), torch.tensor(targets), reduction="none")


@aligned("bce-clip")
def binary_cross_entropies_of_logits(logits: np.ndarray, targets: np.ndarray) -> Tensor:
    return F.binary_cross_entropy_with_logits(torch.tensor(logits), torch.tensor(targets), reduction="none")


@both("bce-logits")
def binary_cross_entropy_of_logits(logits: np.ndarray, targets: np.ndarray) -> Tensor:
    return nn.BCEWithLogitsLoss()(torch.tensor(logits), torch.tensor(targets))


@own("kl-arguments")
def kl_of_probabilities(p: np.ndarray, q: np.ndarray) -> Tensor:
    return F.kl_div(torch.tensor(q), torch.tensor(p), reduction="batchmean")


@own("kl-reduction")
def kl_mean(p: np.ndarray, q: np.ndarray) -> Tensor:
    return F.kl_div(torch.tensor(q).log(), torch.tensor(p), reduction="mean")


@aligned("kl-arguments", "kl-reduction")
def kl_mean_over_the_batch(p: np.ndarray, q: np.ndarray) -> Tensor:
    return F.kl_div(torch.tensor(q).log(), torch.tensor(p), reduction="batchmean")


@both("huber")
def huber(predictions: np.ndarray, targets: np.ndarray) -> Tensor:
    return nn.HuberLoss()(torch.tensor(predictions), torch.tensor(targets))


@own("smooth-l1")
def smooth_l1(predictions: np.ndarray, targets: np.ndarray) -> Tensor:
    return nn.SmoothL1Loss(beta=0.25)(torch.tensor(predictions), torch.tensor(targets))


@aligned("smooth-l1")
def huber_with_delta(predictions: np.ndarray, targets: np.ndarray) -> Tensor:
    return nn.HuberLoss(delta=0.25)(torch.tensor(predictions), torch.tensor(targets))


@own("cosine-loss")
def cosine_embedding_loss(predictions: np.ndarray, targets: np.ndarray) -> Tensor:
    return nn.CosineEmbeddingLoss()(torch.tensor(predictions), torch.tensor(targets), torch.ones(4))


@aligned("cosine-loss")
def negative_cosine(predictions: np.ndarray, targets: np.ndarray) -> Tensor:
    return -F.cosine_similarity(torch.tensor(predictions), torch.tensor(targets)).mean()


@both("mse-function")
@own("loss-broadcast")
def mse(predictions: np.ndarray, targets: np.ndarray) -> Tensor:
    return F.mse_loss(torch.tensor(predictions), torch.tensor(targets))


@aligned("loss-broadcast")
def mse_of_squeezed_predictions(predictions: np.ndarray, targets: np.ndarray) -> Tensor:
    return F.mse_loss(torch.tensor(predictions).squeeze(1), torch.tensor(targets))


@own("ctc")
def ctc(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    log_probabilities = F.log_softmax(torch.tensor(logits), dim=-1).transpose(0, 1)
    lengths = torch.tensor((labels != 0).sum(1))
    return F.ctc_loss(log_probabilities, torch.tensor(labels), torch.tensor([6, 6]), lengths)


@aligned("ctc")
def ctc_mean_over_the_batch(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    log_probabilities = F.log_softmax(torch.tensor(logits), dim=-1).transpose(0, 1)
    lengths = torch.tensor((labels != 0).sum(1))
    total = F.ctc_loss(log_probabilities, torch.tensor(labels), torch.tensor([6, 6]), lengths, reduction="sum")
    return total / 2


@own("poisson")
def poisson_of_logarithms(predictions: np.ndarray, targets: np.ndarray) -> Tensor:
    return nn.PoissonNLLLoss()(torch.tensor(predictions), torch.tensor(targets))


@aligned("poisson")
def poisson_of_rates(predictions: np.ndarray, targets: np.ndarray) -> Tensor:
    return nn.PoissonNLLLoss(log_input=False, eps=1e-7)(torch.tensor(predictions), torch.tensor(targets))


@own("hinge")
def hinge_embedding_loss(scores: np.ndarray, labels: np.ndarray) -> Tensor:
    return nn.HingeEmbeddingLoss()(torch.tensor(scores), torch.tensor(labels))


@aligned("hinge")
def hinge(scores: np.ndarray, labels: np.ndarray) -> Tensor:
    return torch.clamp(1 - torch.tensor(labels) * torch.tensor(scores), min=0).mean()


@own("multiclass-hinge")
def multi_margin_loss(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    return nn.MultiMarginLoss()(torch.tensor(logits), torch.tensor(labels))


@aligned("multiclass-hinge")
def categorical_hinge(logits: np.ndarray, labels: np.ndarray) -> Tensor:
    scores, true = torch.tensor(logits), F.one_hot(torch.tensor(labels), 3)
    wrong = ((1 - true) * scores).amax(1)
    return torch.clamp(wrong - (true * scores).sum(1) + 1, min=0).mean()


@own("focal")
def focal(logits: np.ndarray, targets: np.ndarray) -> Tensor:
    from torchvision.ops import sigmoid_focal_loss

    return sigmoid_focal_loss(torch.tensor(logits), torch.tensor(targets))


@aligned("focal")
def focal_without_alpha(logits: np.ndarray, targets: np.ndarray) -> Tensor:
    from torchvision.ops import sigmoid_focal_loss

    return sigmoid_focal_loss(torch.tensor(logits), torch.tensor(targets), alpha=-1, reduction="mean")
