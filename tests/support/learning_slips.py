# ruff: noqa: E501  # a pair is a line
"""Pairs of small models with a loss each for `compare port` (slips.py): losses, gradients, and what is trained."""

from slip import Slip

TORCH = "nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 5)"
KERAS = "L.Dense(16, activation='relu'), L.Dense(5)"
CE, SCCE = "nn.CrossEntropyLoss", "keras.losses.SparseCategoricalCrossentropy"
NET = """import torch
import torch.nn.functional as F
from torch import nn


class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.tanh()

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * {slope}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(12, 16), nn.Linear(16, 16), nn.Linear(16, 5)
        {init}

    def forward(self, x):
        {forward}


def build():
    return Net()
"""
FUNCTIONAL = """import keras
import tensorflow as tf
from keras import layers as L
from keras import ops


@tf.custom_gradient
def twice(x):
    def slope(gradient):
        return gradient * {slope}

    return tf.tanh(x), slope


class Twice(L.Layer):
    def call(self, x):
        return twice(x)


def build():
    inputs = x = keras.Input((12,))
    a, b, c = L.Dense(16), L.Dense(16), L.Dense(5)
    {body}
    return keras.Model(inputs, x)
"""
PLAIN = "x = torch.tanh(self.a(x)); x = torch.relu(self.b(x)); return self.c(x)"
KPLAIN = "x = ops.tanh(a(x)); x = ops.relu(b(x)); x = c(x)"
D, KD = "(1 - x.tanh() ** 2)", "(1 - tf.tanh(x) ** 2)"


def losses(name: str, torch: str, keras: str, *causes: str, ends: tuple[str, str] = ("", ""), n: int = 5) -> Slip:
    """Return equal models, which may end in an activation, with a loss each."""
    left = TORCH.replace("16, 5", f"16, {n}") + (f", {ends[0]}" if ends[0] else "")
    right = KERAS.replace("Dense(5", f"Dense({n}") + (f", {ends[1]}" if ends[1] else "")
    return Slip(name, "12", left, right, causes, losses=(torch, keras))


def named(name: str, loss: str, *causes: str, ends: tuple[str, str] = ("", ""), n: int = 5) -> Slip:
    """Return equal models with each framework's own loss of one name."""
    one = losses(name, "", "", *causes, ends=ends, n=n)
    return Slip(one.name, one.input, one.torch, one.keras, causes, loss=loss)


def nets(name: str, forward: str, body: str, *causes: str, init: str = "", slopes: tuple[str, str] = (D, KD)) -> Slip:
    """Return a module with this forward pass, and a functional model with these lines. Lines end with a semicolon."""
    left = NET.format(init=init or "pass", forward=forward.replace("; ", "\n        "), slope=slopes[0])
    right = FUNCTIONAL.format(body=body.replace("; ", "\n    "), slope=slopes[1])
    return Slip(name, "12", left, right, causes, loss="mse")


def layers(name: str, torch: str, keras: str, *causes: str, input: str = "12", also: tuple[str, ...] = ()) -> Slip:
    """Return the layers of both models, with the mean squared error."""
    return Slip(name, input, torch, keras, causes, also, loss="mse")


SOFTMAX, SIGMOID = ("nn.Softmax(1)", "L.Softmax()"), ("nn.Sigmoid()", "L.Activation('sigmoid')")
LOG = "nn.LogSoftmax(1)"

LEARNING: tuple[Slip, ...] = (
    # Equal pairs.
    losses("equal: loss of logits", f"{CE}()", f"{SCCE}(from_logits=True)"),
    losses("equal: loss of labels one-hot", f"{CE}()", "keras.losses.CategoricalCrossentropy(from_logits=True)"),
    losses("equal: loss of log-probabilities", "nn.NLLLoss()", "lambda t, p: -ops.mean(ops.sum(ops.one_hot(t, 5) * p, 1))", ends=(LOG, "L.Activation('log_softmax')")),
    losses("equal: loss smoothed", f"{CE}(label_smoothing=0.1)", "keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)"),
    losses("equal: loss summed", f"{CE}(reduction='sum')", f"{SCCE}(from_logits=True, reduction='sum')"),
    losses("equal: loss by hand", "lambda out, t: F.cross_entropy(out, t, reduction='sum') / len(out)", f"{SCCE}(from_logits=True)"),
    losses("equal: loss of a function", "lambda out, t: F.cross_entropy(out, t)", "lambda t, p: ops.mean(keras.losses.sparse_categorical_crossentropy(t, p, from_logits=True))"),
    losses("equal: loss of NumPy's words", "lambda out, t: -(out.log_softmax(1)[torch.arange(len(out)), t]).mean()", f"{SCCE}(from_logits=True)"),
    losses("equal: binary loss of logits", "nn.BCEWithLogitsLoss()", "keras.losses.BinaryCrossentropy(from_logits=True)"),
    losses("equal: binary loss of one output", "nn.BCELoss()", "keras.losses.BinaryCrossentropy()", ends=SIGMOID, n=1),
    losses("equal: huber with a delta", "nn.HuberLoss(delta=0.5)", "keras.losses.Huber(delta=0.5)"),
    losses("equal: smooth l1", "nn.SmoothL1Loss()", "keras.losses.Huber()"),
    losses("equal: nothing to ignore", f"{CE}(ignore_index=-1)", f"{SCCE}(from_logits=True)"),
    losses("equal: weights of one", f"{CE}(weight=torch.ones(5))", f"{SCCE}(from_logits=True)"),
    losses("equal: divergence", "nn.KLDivLoss(reduction='batchmean')", "lambda t, p: ops.mean(ops.sum(t * (ops.log(t) - p), 1))", ends=(LOG, "L.Activation('log_softmax')")),
    named("equal: mean squared error", "mse"),
    named("equal: mean absolute error", "mae"),
    named("equal: binary loss of probabilities", "binary_cross_entropy", ends=SIGMOID),
    nets("equal: gradient written by hand", PLAIN.replace("torch.tanh", "Twice.apply"), KPLAIN.replace("ops.tanh", "Twice()")),
    nets("equal: hard activations", "x = F.hardsigmoid(self.a(x)); x = F.hardswish(self.b(x)); return self.c(x)", "x = ops.hard_sigmoid(a(x)); x = ops.hard_silu(b(x)); x = c(x)"),
    nets("equal: gradient stopped on both", "x = torch.tanh(self.a(x)).detach(); x = torch.relu(self.b(x)); return self.c(x)", "x = ops.stop_gradient(ops.tanh(a(x))); x = ops.relu(b(x)); x = c(x)"),
    nets("equal: frozen on both", PLAIN, f"a.trainable = False; {KPLAIN}", init="self.a.requires_grad_(False)"),
    losses("equal: logits that Keras remembers", "nn.BCELoss()", "keras.losses.BinaryCrossentropy(from_logits=True)", ends=SIGMOID),
    # Losses.
    named("logits for probabilities", "cross_entropy", "loss.from_logits"),
    losses("from_logits forgotten", f"{CE}()", f"{SCCE}()", "loss.from_logits"),
    losses("softmax twice", f"{CE}()", f"{SCCE}()", "loss.from_logits", ends=SOFTMAX),
    losses("binary from_logits forgotten", "nn.BCEWithLogitsLoss()", "keras.losses.BinaryCrossentropy()", "loss.from_logits"),
    losses("probabilities given as logits", "nn.BCELoss()", "keras.losses.BinaryCrossentropy(from_logits=True)", "loss.from_logits", ends=("Apply(lambda x: 1 / (1 + torch.exp(-x)))", "L.Activation(lambda x: 1 / (1 + ops.exp(-x)))")),
    losses("summed", f"{CE}()", f"{SCCE}(from_logits=True, reduction='sum')", "loss.reduction"),
    losses("summed on the other side", "nn.MSELoss(reduction='sum')", "keras.losses.MeanSquaredError()", "loss.reduction"),
    losses("squares summed over features", "lambda out, t: ((out - t) ** 2).sum(1).mean()", "keras.losses.MeanSquaredError()", "loss.reduction"),
    losses("divergence of every element", "nn.KLDivLoss()", "lambda t, p: ops.mean(ops.sum(t * (ops.log(t) - p), 1))", "loss.reduction", ends=(LOG, "L.Activation('log_softmax')")),
    losses("smoothing forgotten", f"{CE}(label_smoothing=0.1)", f"{SCCE}(from_logits=True)", "loss.smoothing"),
    losses("another smoothing", f"{CE}(label_smoothing=0.1)", "keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2)", "loss.smoothing"),
    losses("class weights forgotten", f"{CE}(weight=torch.tensor([1.0, 2.0, 1.0, 3.0, 0.5]))", f"{SCCE}(from_logits=True)", "loss.class_weights"),
    losses("weight of positives forgotten", "nn.BCEWithLogitsLoss(pos_weight=torch.tensor([3.0]))", "keras.losses.BinaryCrossentropy(from_logits=True)", "loss.positive_weight"),
    losses("class ignored", f"{CE}(ignore_index=0)", f"{SCCE}(from_logits=True)", "loss.ignore_index"),
    losses("class ignored on the other side", f"{CE}()", f"{SCCE}(from_logits=True, ignore_class=1)", "loss.ignore_index"),
    losses("another delta", "nn.HuberLoss()", "keras.losses.Huber(delta=2.0)", "loss.delta"),
    losses("smooth l1 with beta", "nn.SmoothL1Loss(beta=0.1)", "keras.losses.Huber(delta=0.1)", "loss.factor"),
    losses("half of the squares", "lambda out, t: 0.5 * ((out - t) ** 2).mean()", "keras.losses.MeanSquaredError()", "loss.factor"),
    losses("squares for absolute values", "nn.L1Loss()", "keras.losses.MeanSquaredError()", "loss.kind"),
    losses("binary for categorical", f"{CE}()", "keras.losses.BinaryCrossentropy(from_logits=True)", "loss.kind"),
    losses("huber for squares", "nn.MSELoss()", "keras.losses.Huber()", "loss.kind"),
    losses("smoothed and summed", f"{CE}(label_smoothing=0.1)", f"{SCCE}(from_logits=True, reduction='sum')", "loss.smoothing", "loss.reduction"),
    # Losses added by one side.
    layers("regulariser on one side", TORCH, "L.Dense(16, activation='relu', kernel_regularizer='l2'), L.Dense(5)", "loss.regulariser"),
    layers("regulariser of a bias", TORCH, "L.Dense(16, activation='relu'), L.Dense(5, bias_regularizer='l1')", "loss.regulariser"),
    layers("regulariser of outputs", TORCH, "L.Dense(16, activation='relu', activity_regularizer='l2'), L.Dense(5)", "loss.regulariser"),
    # Parameters trained by one side.
    nets("layer frozen in Keras", PLAIN, f"a.trainable = False; {KPLAIN}", "layer.frozen"),
    nets("layer frozen in PyTorch", PLAIN, KPLAIN, "layer.frozen", init="self.b.requires_grad_(False)"),
    nets("bias frozen in PyTorch", PLAIN, KPLAIN, "layer.frozen", init="self.b.bias.requires_grad_(False)"),
    nets("gradient stopped in Keras", PLAIN, "x = ops.stop_gradient(ops.tanh(a(x))); x = ops.relu(b(x)); x = c(x)", "gradient.stopped"),
    nets("gradient stopped in PyTorch", "x = torch.tanh(self.a(x)).detach(); x = torch.relu(self.b(x)); return self.c(x)", KPLAIN, "gradient.stopped"),
    nets("branch stopped in PyTorch", "x = torch.tanh(self.a(x)); x = x + torch.relu(self.b(x.detach())); return self.c(x)", "x = ops.tanh(a(x)); x = x + ops.relu(b(x)); x = c(x)", "gradient.stopped"),
    nets("no_grad in PyTorch", "with torch.no_grad():;     x = torch.tanh(self.a(x)); x = torch.relu(self.b(x)); return self.c(x)", KPLAIN, "gradient.stopped"),
    nets("wrong gradient in PyTorch", PLAIN.replace("torch.tanh", "Twice.apply"), KPLAIN, "gradient.custom", slopes=("(1 - x.tanh())", KD)),
    nets("wrong gradient in Keras", PLAIN, KPLAIN.replace("ops.tanh", "Twice()"), "gradient.custom", slopes=(D, "2.0 * (1 - tf.tanh(x) ** 2)")),
    nets("gradient passed straight", PLAIN.replace("torch.tanh", "Twice.apply"), KPLAIN, "gradient.custom", slopes=("1", KD)),
    nets("gradient clipped in PyTorch", "x = torch.tanh(self.a(x)); x.requires_grad and x.register_hook(lambda g: g.clamp(-0.01, 0.01)); x = torch.relu(self.b(x)); return self.c(x)", KPLAIN, "gradient.custom"),
    # A loss of models that differ.
    Slip("loss behind another epsilon", "12", "nn.Linear(12, 16), nn.LayerNorm(16), nn.ReLU(), nn.Linear(16, 5)", "L.Dense(16), L.LayerNormalization(), L.ReLU(), L.Dense(5)", ("layer_norm.epsilon", "loss.from_logits"), losses=(f"{CE}()", f"{SCCE}()")),
    Slip("loss of a softmax on one side", "12", TORCH, f"{KERAS}, L.Softmax()", ("softmax.present",), losses=(f"{CE}()", f"{SCCE}()")),
)  # fmt: skip
