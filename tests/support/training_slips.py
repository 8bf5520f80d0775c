# ruff: noqa: E501  # a pair is a line
"""Pairs of small models that are each trained by an optimizer, for `compare port` (slips.py)."""

from slip import Slip

TORCH = "nn.Linear(12, 16), nn.Tanh(), nn.Linear(16, 5)"
KERAS = "L.Dense(16, activation='tanh'), L.Dense(5)"
CONV = "nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4{bn}), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5)"
KCONV = "L.Conv2D(4, 3), L.BatchNormalization(epsilon=1e-5, momentum={momentum}), L.ReLU(), L.Flatten(), L.Dense(5)"
RNN, KRNN = (
    "nn.{kind}(6, 8, batch_first=True), Apply(lambda x: x[0][:, -1]), nn.Linear(8, 5)",
    "L.{kind}(8), L.Dense(5)",
)
CE, SCCE = "nn.CrossEntropyLoss", "keras.losses.SparseCategoricalCrossentropy"
LOSS = "cross_entropy_with_logits"
STEPS = 20
CLIPPED = """import torch


class Clipped(torch.optim.SGD):
    def step(self, closure=None):
        torch.nn.utils.clip_grad_{how}(self.param_groups[0]["params"], {limit})
        return super().step(closure)
"""
HOOKED = """from torch.nn.utils import {name}


def clipped(optimizer, *limit):
    ps = [p for g in optimizer.param_groups for p in g["params"]]
    optimizer.register_step_pre_hook(lambda *_: {name}(ps, *limit) and None)
    return optimizer
"""
SPLIT = "[{'params': params[::2]}, {'params': params[1::2], 'weight_decay': 0.0}]"
SLOWER = "[{'params': params[:2], 'lr': 1e-3}, {'params': params[2:]}]"
EXCLUDING = """import keras


def excluding(optimizer):
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer
"""
SGD, KSGD = "torch.optim.SGD(params, {})", "keras.optimizers.SGD({})"


def trained(
    name: str,
    left: str,
    right: str,
    *causes: str,
    models: tuple[str, str] = (TORCH, KERAS),
    input: str = "12",
    losses: tuple[str, str] = ("", ""),
    own: tuple[str, str] = ("", ""),
    also: tuple[str, ...] = (),
) -> Slip:
    """Return a small model in each framework, each trained by an optimizer. They differ only in what `models`
    states."""
    loss = "" if any(losses) else LOSS
    return Slip(
        name, input, *models, causes, also, loss=loss, losses=losses, optimizers=(left, right), steps=STEPS, own=own
    )


def sgd(
    name: str,
    left: str,
    right: str,
    *causes: str,
    rates: tuple[str, str] = ("0.01", "0.01"),
    own: tuple[str, str] = ("", ""),
) -> Slip:
    """Return gradient descent with more arguments on either side."""
    return trained(name, SGD.format(rates[0] + left), KSGD.format(rates[1] + right), *causes, own=own)


def adam(more: str = "") -> str:
    """Return PyTorch's Adam, equal to Keras's except for the position of a negligible epsilon."""
    return f"torch.optim.Adam(params, 1e-3, eps=1e-30{more})"


def kadam(more: str = "") -> str:
    """Return Keras's Adam with a negligible epsilon."""
    return f"keras.optimizers.Adam(1e-3, epsilon=1e-30{more})"


def scheduled(schedule: str, rate: str = "0.1", more: str = "") -> str:
    """Return gradient descent with a scheduler that takes `opt`."""
    return f"(opt := torch.optim.SGD(params, {rate}{more}), torch.optim.lr_scheduler.{schedule})"


def kscheduled(schedule: str, more: str = "") -> str:
    """Return gradient descent with a Keras schedule."""
    return f"keras.optimizers.SGD(keras.optimizers.schedules.{schedule}{more})"


def model(
    name: str,
    torch: str,
    keras: str,
    *causes: str,
    input: str = "12",
    losses: tuple[str, str] = ("", ""),
    also: tuple[str, ...] = (),
) -> Slip:
    """Return two models with plain gradient descent."""
    return trained(
        name,
        SGD.format("0.01"),
        KSGD.format("0.01"),
        *causes,
        models=(torch, keras),
        input=input,
        losses=losses,
        also=also,
    )


def clip(how: str, limit: float) -> tuple[str, str]:
    """Return lines with a class that clips in its step."""
    return CLIPPED.format(how=how, limit=limit), ""


def hook(name: str) -> tuple[str, str]:
    """Return lines with a function that clips before each step."""
    return HOOKED.format(name=name), ""


TRAINING: tuple[Slip, ...] = (
    # Equal pairs.
    sgd("equal training: gradient descent", "", ""),
    sgd("equal training: momentum", ", momentum=0.9", ", momentum=0.9"),
    sgd("equal training: nesterov", ", momentum=0.9, nesterov=True", ", momentum=0.9, nesterov=True"),
    trained("equal training: adam", adam(), kadam()),
    trained("equal training: amsgrad", adam(", amsgrad=True"), kadam(", amsgrad=True")),
    trained("equal training: adamw", "torch.optim.AdamW(params, 1e-3, eps=1e-30, weight_decay=0.1)", "keras.optimizers.AdamW(1e-3, epsilon=1e-30, weight_decay=0.1)"),
    trained("equal training: adamw without biases", f"torch.optim.AdamW({SPLIT}, 1e-3, eps=1e-30, weight_decay=0.1)", "excluding(keras.optimizers.AdamW(1e-3, epsilon=1e-30, weight_decay=0.1))", own=("", EXCLUDING)),
    trained("equal training: adadelta", "torch.optim.Adadelta(params, 0.5)", "keras.optimizers.Adadelta(0.5, rho=0.9, epsilon=1e-6)"),
    trained("equal training: adagrad", "torch.optim.Adagrad(params, 1e-2, eps=1e-30, initial_accumulator_value=0.1)", "keras.optimizers.Adagrad(1e-2, epsilon=1e-30)"),
    trained("equal training: adamax", "torch.optim.Adamax(params, 1e-3, eps=1e-30)", "keras.optimizers.Adamax(1e-3, epsilon=1e-30)"),
    trained("equal training: nadam", "torch.optim.NAdam(params, 1e-3, eps=1e-7, momentum_decay=1.0)", "keras.optimizers.Nadam(1e-3)"),
    trained("equal training: rmsprop", "torch.optim.RMSprop(params, 1e-3, alpha=0.9, eps=1e-40, momentum=0.5)", "keras.optimizers.RMSprop(1e-3, epsilon=1e-40, momentum=0.5)"),
    trained("equal training: exponential schedule", scheduled("ExponentialLR(opt, 0.9)"), kscheduled("ExponentialDecay(0.1, 1, 0.9)")),
    trained("equal training: rate in steps", scheduled("StepLR(opt, 5, 0.5)"), kscheduled("ExponentialDecay(0.1, 5, 0.5, staircase=True)")),
    trained("equal training: cosine", scheduled("CosineAnnealingLR(opt, 20)"), kscheduled("CosineDecay(0.1, 20)")),
    trained("equal training: clipped by the norm of all", "Clipped(params, 0.1)", "keras.optimizers.SGD(0.1, global_clipnorm=0.05)", own=clip("norm_", 0.05)),
    trained("equal training: clipped by value", "Clipped(params, 0.1)", "keras.optimizers.SGD(0.1, clipvalue=0.01)", own=clip("value_", 0.01)),
    trained("equal training: clipped by a hook", "clipped(torch.optim.SGD(params, 0.1), 0.01)", "keras.optimizers.SGD(0.1, clipvalue=0.01)", own=hook("clip_grad_value_")),
    model("equal training: batch normalisation", CONV.format(bn=""), KCONV.format(momentum=0.9), input="3x6x6"),
    model("equal training: dropout", "nn.Linear(12, 16), nn.Dropout(0.3), nn.Linear(16, 5)", "L.Dense(16), L.Dropout(0.3), L.Dense(5)"),
    model("equal training: gru", RNN.format(kind="GRU"), KRNN.format(kind="GRU"), input="6x7"),
    # Another optimizer or rate.
    trained("another optimizer", "torch.optim.SGD(params, 1e-3)", kadam(), "optimizer.kind"),
    trained("rmsprop for adam", adam(), "keras.optimizers.RMSprop(1e-3, epsilon=1e-30)", "optimizer.kind"),
    sgd("rate of learning", "", "", "optimizer.learning_rate", rates=("0.01", "0.1")),
    trained("default rate of RMSprop", "torch.optim.RMSprop(params, alpha=0.9, eps=1e-40)", "keras.optimizers.RMSprop(epsilon=1e-40)", "optimizer.learning_rate"),
    trained("a smaller rate for one layer", f"torch.optim.SGD({SLOWER}, 0.01)", KSGD.format("0.01"), "optimizer.groups"),
    # Momentum.
    sgd("momentum forgotten", ", momentum=0.9", "", "optimizer.momentum"),
    sgd("another momentum", ", momentum=0.9", ", momentum=0.99", "optimizer.momentum"),
    sgd("nesterov on one side", ", momentum=0.9, nesterov=True", ", momentum=0.9", "optimizer.nesterov"),
    sgd("nesterov on the other side", ", momentum=0.9", ", momentum=0.9, nesterov=True", "optimizer.nesterov"),
    sgd("dampening", ", momentum=0.9, dampening=0.5", ", momentum=0.9", "optimizer.dampening"),
    trained("momentum with a schedule", scheduled("ExponentialLR(opt, 0.9)", more=", momentum=0.9"), kscheduled("ExponentialDecay(0.1, 1, 0.9)", ", momentum=0.9"), "optimizer.momentum_form"),
    # Moments.
    trained("second beta", adam(", betas=(0.9, 0.99)"), kadam(), "optimizer.betas"),
    trained("both betas", adam(", betas=(0.5, 0.9)"), kadam(), "optimizer.betas"),
    trained("rho of RMSprop", "torch.optim.RMSprop(params, 1e-3, eps=1e-40)", "keras.optimizers.RMSprop(1e-3, epsilon=1e-40)", "optimizer.betas"),
    trained("rho of Adadelta", "torch.optim.Adadelta(params, 0.5, eps=1e-6)", "keras.optimizers.Adadelta(0.5, epsilon=1e-6)", "optimizer.betas"),
    trained("amsgrad on one side", adam(", amsgrad=True"), kadam(), "optimizer.amsgrad"),
    trained("centered on one side", "torch.optim.RMSprop(params, 1e-3, alpha=0.9, eps=1e-40, centered=True)", "keras.optimizers.RMSprop(1e-3, epsilon=1e-40)", "optimizer.centered"),
    trained("where Adagrad begins", "torch.optim.Adagrad(params, 1e-3, eps=1e-30)", "keras.optimizers.Adagrad(1e-3, epsilon=1e-30)", "optimizer.accumulator"),
    trained("decay of Nadam's momentum", "torch.optim.NAdam(params, 1e-3, eps=1e-7)", "keras.optimizers.Nadam(1e-3)", "optimizer.momentum_decay"),
    # Epsilon.
    trained("epsilon and its place, of Adam", "torch.optim.Adam(params)", "keras.optimizers.Adam()", "optimizer.epsilon", "optimizer.epsilon_place"),
    trained("place of Adam's epsilon", "torch.optim.Adam(params, eps=1e-7)", "keras.optimizers.Adam()", "optimizer.epsilon_place"),
    trained("place of RMSprop's epsilon", "torch.optim.RMSprop(params, 1e-3, alpha=0.9, eps=1e-7)", "keras.optimizers.RMSprop(1e-3)", "optimizer.epsilon_place"),
    trained("epsilon of Adadelta", "torch.optim.Adadelta(params, 0.5)", "keras.optimizers.Adadelta(0.5, rho=0.9)", "optimizer.epsilon"),
    trained("epsilon of Nadam", "torch.optim.NAdam(params, 1e-3, eps=1e-4, momentum_decay=1.0)", "keras.optimizers.Nadam(1e-3)", "optimizer.epsilon"),
    # Weight decay.
    trained("weight decay of AdamW", "torch.optim.AdamW(params, eps=1e-30)", "keras.optimizers.AdamW(1e-3, epsilon=1e-30)", "optimizer.weight_decay"),
    sgd("weight decay forgotten", ", weight_decay=0.1", "", "optimizer.weight_decay"),
    sgd("weight decay with momentum", ", momentum=0.9, weight_decay=0.1", ", momentum=0.9, weight_decay=0.1", "optimizer.decay_form"),
    trained("coupled for decoupled decay", adam(", weight_decay=0.1"), kadam(", weight_decay=0.1"), "optimizer.decay_form"),
    trained("biases not decayed", f"torch.optim.AdamW({SPLIT}, 1e-3, eps=1e-30, weight_decay=0.1)", "keras.optimizers.AdamW(1e-3, epsilon=1e-30, weight_decay=0.1)", "optimizer.decay_parameters"),
    trained("biases decayed on one side", "torch.optim.AdamW(params, 1e-3, eps=1e-30, weight_decay=0.1)", "excluding(keras.optimizers.AdamW(1e-3, epsilon=1e-30, weight_decay=0.1))", "optimizer.decay_parameters", own=("", EXCLUDING)),
    # Schedules.
    trained("schedule on one side", scheduled("StepLR(opt, 5, 0.5)"), KSGD.format("0.1"), "optimizer.schedule"),
    trained("schedule on the other side", SGD.format("0.1"), kscheduled("ExponentialDecay(0.1, 1, 0.9)"), "optimizer.schedule"),
    trained("schedule by epochs", scheduled("ExponentialLR(opt, 0.9)"), kscheduled("ExponentialDecay(0.1, 10, 0.9)"), "optimizer.schedule"),
    trained("warm-up forgotten", scheduled("LinearLR(opt, 0.1, 1.0, 10)"), KSGD.format("0.1"), "optimizer.schedule"),
    # Clipping.
    trained("clipped on one side", SGD.format("0.1"), "keras.optimizers.SGD(0.1, clipnorm=0.01)", "optimizer.clipping"),
    trained("clipped beyond what these gradients reach", SGD.format("0.1"), "keras.optimizers.SGD(0.1, clipnorm=10.0)", "optimizer.clipping"),
    trained("clipped by each and by all", "Clipped(params, 0.1)", "keras.optimizers.SGD(0.1, clipnorm=0.05)", "optimizer.clipping", own=clip("norm_", 0.05)),
    trained("clipped by norm for value", "Clipped(params, 0.1)", "keras.optimizers.SGD(0.1, clipvalue=0.05)", "optimizer.clipping", own=clip("norm_", 0.05)),
    trained("another limit", "clipped(torch.optim.SGD(params, 0.1), 0.02)", "keras.optimizers.SGD(0.1, global_clipnorm=0.05)", "optimizer.clipping", own=hook("clip_grad_norm_")),
    # What is trained and kept.
    trained("parameters left out", "torch.optim.SGD(params[2:], 0.1)", KSGD.format("0.1"), "optimizer.parameters"),
    model("momentum of batch normalisation", CONV.format(bn=""), KCONV.format(momentum=0.99), "batch_norm.momentum", input="3x6x6"),
    model("batch normalisation that averages all", CONV.format(bn=", momentum=0.01"), KCONV.format(momentum=0.9), "batch_norm.momentum", input="3x6x6"),
    model("dropout of another rate, trained", "nn.Linear(12, 16), nn.Dropout(0.3), nn.Linear(16, 5)", "L.Dense(16), L.Dropout(0.5), L.Dense(5)", "dropout.rate"),
    model("dropout forgotten, trained", "nn.Linear(12, 16), nn.Dropout(0.3), nn.Linear(16, 5)", "L.Dense(16), L.Dense(5)", "layer.missing"),
    model("regulariser, trained", TORCH, "L.Dense(16, activation='tanh', kernel_regularizer='l2'), L.Dense(5)", "loss.regulariser"),
    model("summed loss, trained", TORCH, KERAS, "loss.reduction", losses=(f"{CE}()", f"{SCCE}(from_logits=True, reduction='sum')")),
    model("two biases of an LSTM", RNN.format(kind="LSTM"), KRNN.format(kind="LSTM"), "optimizer.two_biases", input="6x7"),
    # Several slips at once.
    trained("rate, momentum and loss", SGD.format("0.01, momentum=0.9"), KSGD.format("0.02"), "optimizer.learning_rate", "optimizer.momentum", "loss.reduction", losses=(f"{CE}()", f"{SCCE}(from_logits=True, reduction='sum')")),
    trained("decay and betas", adam(", weight_decay=0.1"), kadam(", beta_2=0.99, weight_decay=0.1"), "optimizer.decay_form", "optimizer.betas"),
    trained("default settings of both", "torch.optim.AdamW(params)", "keras.optimizers.AdamW()", "optimizer.epsilon", "optimizer.epsilon_place", "optimizer.weight_decay"),
)  # fmt: skip
