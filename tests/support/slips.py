# ruff: noqa: E501  # a pair is a line
"""Pairs of small models for `compare port`, each with one slip or none and its right answer.

Every pair is two files as a user would write them, in PyTorch and in Keras, and the cause that a reader would name.
`python tests/support/slips.py --out docs/slips.md` compares them all and writes the results.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from fit_slips import FITS
from learning_slips import LEARNING
from sequence_slips import SEQUENCES
from slip import Slip
from strangers import STRANGERS
from trained_strangers import TRAINED_STRANGERS
from training_slips import TRAINING
from tutorial_slips import TUTORIALS
from whole_models import WHOLE

from compare.port import Port
from compare.port.words import lines
from shared.errors import InputError

LEFT_OVER = 1e-12  # of the error, at most
IMPORTS_TORCH = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"
IMPORTS_KERAS = "import keras\nfrom keras import layers as L\nfrom keras import ops\n"
BN = "L.BatchNormalization(epsilon=1e-5, momentum=0.9)"


def conv(torch: str, keras: str, name: str, *causes: str, input: str = "3x12x12", also: tuple[str, ...] = ()) -> Slip:
    """Put the layers in question between a convolution and a head that both models share."""
    return Slip(
        name,
        input,
        f"nn.Conv2d({input.split('x', maxsplit=1)[0]}, 4, 3, padding=1), {torch}, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)",
        f"L.Conv2D(4, 3, padding='same'), {keras}, L.GlobalAveragePooling2D(), L.Dense(5)",
        causes,
        also,
    )


def activation(name: str, torch: str, keras: str, *causes: str) -> Slip:
    return conv(torch, keras, name, *causes)


def mlp(torch: str, keras: str, name: str, *causes: str) -> Slip:
    return Slip(
        name, "12", f"nn.Linear(12, 16), {torch}, nn.Linear(16, 5)", f"L.Dense(16), {keras}, L.Dense(5)", causes
    )


def residual(inner: str, merge: str = "x + y") -> str:
    """Return a PyTorch model with a shortcut."""
    return f"""import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        {inner}
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.stem(x).relu()
        y = self.body(x)
        x = ({merge}).relu()
        return self.head(x.mean((2, 3)))


def build():
    return Net()
"""


def functional(body: str) -> str:
    """Return a Keras model with a shortcut. `body` computes z from x."""
    return f"""import keras
from keras import layers as L
from keras import ops


def build():
    inputs = keras.Input((12, 12, 3))
    x = L.ReLU()(L.Conv2D(8, 3, padding="same")(inputs))
    {body}
    return keras.Model(inputs, L.Dense(5)(L.GlobalAveragePooling2D()(L.ReLU()(z))))
"""


BODY = "self.body = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8))"
KBODY = f'y = {BN}(L.Conv2D(8, 3, padding="same", use_bias=False)(x))'

SLIPS: tuple[Slip, ...] = (
    # Equal pairs.
    conv("nn.ReLU()", "L.ReLU()", "equal: convolution"),
    conv("nn.BatchNorm2d(4), nn.ReLU()", f"{BN}, L.ReLU()", "equal: batch normalisation"),
    conv("nn.ReLU(), nn.MaxPool2d(2)", "L.Activation('relu'), L.MaxPooling2D(2)", "equal: pooling"),
    conv("nn.ReLU(), nn.Conv2d(4, 4, 3, stride=2)", "L.ReLU(), L.Conv2D(4, 3, strides=2)", "equal: stride"),
    conv("nn.Conv2d(4, 4, 3, groups=4)", "L.DepthwiseConv2D(3)", "equal: depthwise"),
    conv("nn.Conv2d(4, 4, 3, padding=1, groups=2)", "L.Conv2D(4, 3, padding='same', groups=2)", "equal: groups"),
    conv("nn.Conv2d(4, 4, 3, dilation=2, padding=2)", "L.Conv2D(4, 3, dilation_rate=2, padding='same')", "equal: dilation"),
    conv("nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False), nn.Conv2d(4, 4, 1)", "L.SeparableConv2D(4, 3, padding='same')", "equal: separable"),
    conv("nn.ConvTranspose2d(4, 4, 2, stride=2)", "L.Conv2DTranspose(4, 2, strides=2)", "equal: transposed"),
    conv("nn.GroupNorm(2, 4, eps=1e-3)", "L.GroupNormalization(2)", "equal: group normalisation"),
    conv("nn.InstanceNorm2d(4, affine=True, eps=1e-3)", "L.GroupNormalization(groups=-1)", "equal: instance normalisation"),
    conv("nn.GELU()", "L.Activation('gelu')", "equal: gelu"),
    conv("nn.GELU(approximate='tanh')", "L.Activation(lambda x: ops.gelu(x, approximate=True))", "equal: gelu of tanh"),
    conv("nn.SiLU(), nn.Hardswish(), nn.ELU()", "L.Activation('silu'), L.Activation('hard_silu'), L.ELU()", "equal: three activations"),
    conv("nn.LeakyReLU(0.2), nn.Softplus()", "L.LeakyReLU(negative_slope=0.2), L.Activation('softplus')", "equal: slope"),
    conv("nn.PReLU(4)", "L.PReLU(shared_axes=[1, 2])", "equal: learnt slope"),
    conv("nn.AvgPool2d(3, 2)", "L.AveragePooling2D(3, 2)", "equal: average pooling"),
    conv("nn.Upsample(scale_factor=2)", "L.UpSampling2D(2)", "equal: upsampling"),
    conv("nn.Upsample(scale_factor=2, mode='bilinear')", "L.UpSampling2D(2, interpolation='bilinear')", "equal: bilinear"),
    conv("nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(4, 4, 2)", "L.ZeroPadding2D(((1, 0), (1, 0))), L.Conv2D(4, 2)", "equal: padding in front"),
    conv("nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(4, 4, 3, stride=2)", "L.Conv2D(4, 3, strides=2, padding='same')", "equal: padding on one side"),
    conv("nn.Dropout(0.3)", "L.Dropout(0.3)", "equal: dropout"),
    mlp("nn.LayerNorm(16, eps=1e-3), nn.Tanh()", "L.LayerNormalization(), L.Activation('tanh')", "equal: layer normalisation"),
    mlp("nn.BatchNorm1d(16), nn.ReLU()", f"{BN}, L.ReLU()", "equal: batch normalisation of vectors"),
    Slip("equal: flatten", "3x6x6", "nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5)", "L.Conv2D(4, 3, activation='relu'), L.Flatten(), L.Dense(5)"),
    Slip("equal: flatten and normalise", "3x6x6", "nn.Conv2d(3, 4, 3), nn.Flatten(), nn.BatchNorm1d(64), nn.Dropout(0.2), nn.Linear(64, 5)", f"L.Conv2D(4, 3), L.Flatten(), {BN}, L.Dropout(0.2), L.Dense(5)"),
    Slip("equal: one dimension", "4x20", "nn.Conv1d(4, 6, 3), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(54, 3)", "L.Conv1D(6, 3, activation='relu'), L.MaxPooling1D(2), L.Flatten(), L.Dense(3)"),
    Slip("equal: three dimensions", "2x6x6x6", "nn.Conv3d(2, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(4, 3)", "L.Conv3D(4, 3, activation='relu'), L.GlobalAveragePooling3D(), L.Dense(3)"),
    Slip("equal: embedding", "7:0..19", "nn.Embedding(20, 6), nn.Flatten(), nn.Linear(42, 3)", "L.Embedding(20, 6), L.Flatten(), L.Dense(3)"),
    Slip("equal: shortcut", "3x12x12", residual(BODY), functional(f"{KBODY}\n    z = L.Add()([x, y])")),
    Slip("equal: concatenation", "3x12x12", residual(BODY, "torch.cat([x, y], 1)[:, :8] + y"), functional(f"{KBODY}\n    z = L.Concatenate()([x, y])[..., :8] + y")),
    # Normalisation.
    conv("nn.BatchNorm2d(4)", "L.BatchNormalization(momentum=0.9)", "default epsilon", "batch_norm.epsilon"),
    conv("nn.BatchNorm2d(4, eps=1e-3)", BN, "epsilon of the other side", "batch_norm.epsilon"),
    conv("nn.BatchNorm2d(4, momentum=0.9)", BN, "momentum the wrong way round", "batch_norm.momentum"),
    conv("nn.BatchNorm2d(4)", "L.BatchNormalization(epsilon=1e-5)", "default momentum", "batch_norm.momentum"),
    mlp("nn.LayerNorm(16)", "L.LayerNormalization()", "epsilon of layer normalisation", "layer_norm.epsilon"),
    conv("nn.GroupNorm(2, 4)", "L.GroupNormalization(2)", "epsilon of group normalisation", "group_norm.epsilon"),
    conv("nn.GroupNorm(4, 4)", "L.GroupNormalization(2, epsilon=1e-5)", "groups of group normalisation", "group_norm.groups"),
    conv("nn.BatchNorm2d(4)", "L.GroupNormalization(2, epsilon=1e-5)", "another normalisation", "norm.kind"),
    conv("nn.BatchNorm2d(4), nn.ReLU()", f"L.ReLU(), {BN}", "normalised behind the activation", "layer.order"),
    conv("nn.BatchNorm2d(4), nn.ReLU()", "L.ReLU()", "no normalisation", "layer.missing"),
    # Padding.
    conv("nn.Conv2d(4, 4, 3, stride=2, padding=1)", "L.Conv2D(4, 3, strides=2, padding='same')", "same with stride 2", "padding.side"),
    conv("nn.Conv2d(4, 4, 4, padding='same')", "L.ZeroPadding2D(((2, 1), (2, 1))), L.Conv2D(4, 4)", "even kernel", "padding.side"),
    conv("nn.Conv2d(4, 4, 3, padding=1)", "L.Conv2D(4, 3)", "padding forgotten", "padding.amount"),
    conv("nn.Conv2d(4, 4, 5, padding=1)", "L.Conv2D(4, 5, padding='same')", "too little padding", "padding.amount"),
    conv("nn.Conv2d(4, 4, 3, padding=1, padding_mode='reflect')", "L.Conv2D(4, 3, padding='same')", "reflected", "padding.mode"),
    conv("nn.Conv2d(4, 4, 3, padding=1, padding_mode='circular')", "L.Conv2D(4, 3, padding='same')", "circular", "padding.mode"),
    conv("nn.MaxPool2d(3, 2, padding=1)", "L.MaxPooling2D(3, 2, padding='same')", "pooling with padding", "padding.side"),
    conv("nn.MaxPool2d(3, 2, padding=1)", "L.ZeroPadding2D(1), L.MaxPooling2D(3, 2)", "zeros before maximum", "padding.mode"),
    conv("nn.MaxPool2d(3, 2, padding=1)", "L.MaxPooling2D(3, 2)", "pooling without padding", "padding.amount"),
    # Convolution.
    conv("nn.Conv2d(4, 4, 3, stride=2)", "L.Conv2D(4, 3)", "stride forgotten", "conv.stride"),
    conv("nn.Conv2d(4, 4, 1, stride=2), nn.Conv2d(4, 4, 3, padding=1)", "L.Conv2D(4, 1), L.Conv2D(4, 3, strides=2, padding='same')", "stride elsewhere", "conv.stride", also=("padding.side", "padding.amount")),
    conv("nn.Conv2d(4, 4, 3, dilation=2, padding=2)", "L.Conv2D(4, 3, padding='same')", "dilation forgotten", "conv.dilation", also=("padding.amount",)),
    conv("nn.Conv2d(4, 4, 3, groups=2)", "L.Conv2D(4, 3)", "groups forgotten", "conv.groups", also=("weights.shape",)),
    conv("nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1)", "L.Conv2DTranspose(4, 3, strides=2, padding='same')", "output padding forgotten", "deconv.output_padding"),
    conv("nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1, output_padding=1)", "L.Conv2DTranspose(4, 3, strides=2, padding='same')", "transposed, same", "padding.side"),
    conv("nn.ConvTranspose2d(4, 4, 2, stride=2)", "L.Conv2DTranspose(4, 2, strides=1)", "transposed stride", "conv.stride"),
    conv("nn.Conv2d(4, 4, 3)", "L.Conv2D(4, 3, use_bias=False)", "no bias", "bias.missing"),
    mlp("nn.ReLU(), nn.Linear(16, 16)", "L.ReLU(), L.Dense(16, use_bias=False)", "no bias of a dense layer", "bias.missing"),
    # Pooling.
    conv("nn.MaxPool2d(2)", "L.AveragePooling2D(2)", "another pooling", "pool.kind"),
    conv("nn.MaxPool2d(3, 2)", "L.MaxPooling2D(2, 2)", "size of pooling", "pool.size"),
    conv("nn.MaxPool2d(3)", "L.MaxPooling2D(3, strides=1)", "stride of pooling", "pool.size"),
    conv("nn.AvgPool2d(3, 2, ceil_mode=True)", "L.AveragePooling2D(3, 2)", "ceil", "pool.ceil"),
    conv("nn.AvgPool2d(3, 1, padding=1)", "L.AveragePooling2D(3, 1, padding='same')", "padding counted", "pool.include_pad"),
    Slip("global maximum", "3x12x12", "nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)", "L.Conv2D(4, 3), L.GlobalMaxPooling2D(), L.Dense(5)", ("pool.kind",)),
    # Activations.
    activation("gelu approximated", "nn.GELU()", "L.Activation(lambda x: ops.gelu(x, approximate=True))", "activation.approximation"),
    activation("slope of leaky relu", "nn.LeakyReLU()", "L.LeakyReLU()", "activation.slope"),
    activation("slope of elu", "nn.ELU()", "L.ELU(alpha=0.5)", "activation.slope"),
    activation("relu for relu6", "nn.ReLU6()", "L.ReLU()", "activation.kind"),
    activation("relu for leaky relu", "nn.LeakyReLU(0.1)", "L.ReLU()", "activation.kind"),
    activation("sigmoid for tanh", "nn.Tanh()", "L.Activation('sigmoid')", "activation.kind"),
    activation("silu for gelu", "nn.SiLU()", "L.Activation('gelu')", "activation.kind"),
    activation("hard swish for swish", "nn.Hardswish()", "L.Activation('silu')", "activation.kind"),
    activation("softsign for tanh", "nn.Softsign()", "L.Activation('tanh')", "activation.kind"),
    activation("no activation", "nn.ReLU(), nn.Conv2d(4, 4, 3)", "L.Conv2D(4, 3)", "layer.missing"),
    activation("one activation more", "nn.Conv2d(4, 4, 3)", "L.Conv2D(4, 3, activation='relu')", "layer.missing"),
    # The head.
    Slip("softmax on one side", "12", "nn.Linear(12, 5)", "L.Dense(5, activation='softmax')", ("softmax.present",)),
    Slip("softmax on the other", "12", "nn.Linear(12, 5), nn.Softmax(dim=1)", "L.Dense(5)", ("softmax.present",)),
    Slip("axis of softmax", "3x6x6", "nn.Conv2d(3, 4, 3), nn.Softmax(dim=1)", "L.Conv2D(4, 3), L.Softmax(axis=2)", ("softmax.axis",)),
    Slip("log softmax", "12", "nn.Linear(12, 5), nn.LogSoftmax(dim=1)", "L.Dense(5, activation='softmax')", ("activation.kind",)),
    Slip("equal: channels innermost before flatten", "3x6x6", "nn.Conv2d(3, 4, 3), Apply(lambda x: x.permute(0, 2, 3, 1)), nn.Flatten(), nn.Linear(64, 5)", "L.Conv2D(4, 3), L.Flatten(), L.Dense(5)"),
    Slip("rows transposed before flatten", "3x6x6", "nn.Conv2d(3, 4, 3), Apply(lambda x: x.transpose(2, 3)), nn.Flatten(), nn.Linear(64, 5)", "L.Conv2D(4, 3), L.Flatten(), L.Dense(5)", ("flatten.order",)),
    # Dropout.
    conv("nn.Dropout(0.3)", "L.Dropout(0.5)", "rate of dropout", "dropout.rate"),
    conv("Apply(lambda x: F.dropout(x, 0.5))", "L.Dropout(0.5)", "dropout in evaluation", "dropout.in_evaluation"),
    conv("nn.Dropout(0.5)", "L.ReLU()", "activation for dropout", "layer.missing"),
    # Inputs.
    Slip("scaled on one side", "3x8x8", "Apply(lambda x: x / 255), nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 5)", "L.Conv2D(4, 3), L.Flatten(), L.Dense(5)", ("input.scale",)),
    Slip("scaled otherwise", "3x8x8", "Apply(lambda x: x / 127.5 - 1), nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 5)", "L.Rescaling(1 / 255), L.Conv2D(4, 3), L.Flatten(), L.Dense(5)", ("input.scale",)),
    Slip("channels reversed", "3x8x8", "Apply(lambda x: x.flip(1)), nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 5)", "L.Conv2D(4, 3), L.Flatten(), L.Dense(5)", ("channels.order",)),
    # Resizing.
    conv("nn.Upsample(scale_factor=2, mode='bilinear', align_corners=True)", "L.UpSampling2D(2, interpolation='bilinear')", "corners aligned", "resize.corners"),
    conv("nn.Upsample(scale_factor=2), nn.Tanh()", "L.UpSampling2D(2, interpolation='bilinear'), L.Activation('tanh')", "nearest for bilinear", "resize.mode"),
    # Shortcuts.
    Slip("product for sum", "3x12x12", residual(BODY), functional(f"{KBODY}\n    z = L.Multiply()([x, y])"), ("merge.kind",)),
    Slip("no shortcut", "3x12x12", residual(BODY), functional(f"{KBODY}\n    z = y"), ("layer.missing",)),
    Slip("concatenated in another order", "3x12x12", residual(BODY, "torch.cat([x, y], 1)[:, :8]"), functional(f"{KBODY}\n    z = L.Concatenate()([y, x])[..., :8]"), ("channels.order",)),
    Slip("epsilon within a shortcut", "3x12x12", residual(BODY), functional(f"{KBODY.replace('epsilon=1e-5, ', '')}\n    z = L.Add()([x, y])"), ("batch_norm.epsilon",)),
    Slip("shortcut from before the activation", "3x12x12", residual(BODY), functional(f"{KBODY}\n    z = L.Add()([L.Identity()(y), y])"), ("layer.order",)),
    # Several slips at once, and models that are no chain of layers.
    *(Slip(name, size, f"{IMPORTS_TORCH}{torch}", f"{IMPORTS_KERAS}{keras}", causes) for name, size, torch, keras, causes in WHOLE),
    # Modes.
    conv("nn.BatchNorm2d(4)", f"{BN[:-1]}, trainable=False)", "frozen on one side", "batch_norm.mode"),
    *SEQUENCES,
    *LEARNING,
    *TRAINING,
    *FITS,
    *TRAINED_STRANGERS,
    *TUTORIALS,
    *(Slip(name, sizes, IMPORTS_TORCH + a, IMPORTS_KERAS + b, causes, also) for name, sizes, a, b, causes, also in STRANGERS),
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """The result for a pair: the verdict, the causes, the number of unexplained pairs, and the seconds it took."""

    verdict: str
    causes: tuple[str, ...]
    n_unexplained: int
    left_over: float | None
    seconds: float
    said: str = ""

    def right(self, slip: Slip) -> bool:
        """Return whether the answer is right: every cause of the slip, no other, nothing unexplained, and no error left
        once they are mended."""
        found = set(self.causes)
        wanted = set(slip.causes)
        verdict = "different" if wanted else "same"
        whole = self.left_over is not None and self.left_over <= LEFT_OVER and not self.n_unexplained
        return self.verdict == verdict and wanted <= found <= wanted | set(slip.also) and whole


def ask(slip: Slip, folder: Path, port: Port) -> Answer:
    """Compare one pair."""
    folder.mkdir()
    for name, text in zip(("left.py", "right.py"), slip.files(), strict=True):
        (folder / name).write_text(text)
    begun = time.monotonic()
    try:
        found = port.check(f"{folder}/left.py:build", f"{folder}/right.py:build", **slip.options(folder))
    except InputError as error:
        return Answer("failed", (), 0, None, time.monotonic() - begun, str(error))
    causes = tuple(cause.cause for cause in found.causes)
    said = "\n".join(lines(found))
    took = time.monotonic() - begun
    return Answer(found.verdict, causes, len(found.unexplained), found.left_over, took, said)


def ask_all(slips: Sequence[Slip]) -> Iterator[Answer]:
    """Compare all pairs, with the same workers."""
    with TemporaryDirectory() as folder, Port() as port:
        for number, slip in enumerate(slips):
            yield ask(slip, Path(folder) / str(number), port)


def page(slips: Sequence[Slip], answers: Sequence[Answer]) -> str:
    """Return the page of the documentation."""
    slipped = [(s, a) for s, a in zip(slips, answers, strict=True) if s.causes]
    equal = [(s, a) for s, a in zip(slips, answers, strict=True) if not s.causes]
    named = sum(a.right(s) for s, a in slipped)
    false_alarms = sum(a.verdict != "same" for _, a in equal)
    lines = [
        "# Slips in ported models, found and named",
        "",
        f"{len(slips)} pairs of small models, {len(slipped)} with slips and {len(equal)} without any. "
        f"`compare port` found {sum(a.verdict == 'different' for _, a in slipped)} of the slips, named {named} with the right "
        f"cause and nothing besides, left {sum(a.n_unexplained > 0 for _, a in slipped)} unexplained, and gave "
        f"{false_alarms} false alarms.",
        "",
        "`python tests/support/slips.py --out docs/slips.md` made this page; tests/support/slips.py has the models.",
        "",
        "| slip | right answer | found | left over | right |",
        "| --- | --- | --- | ---: | --- |",
    ]
    for slip, answer in zip(slips, answers, strict=True):
        found = ", ".join(answer.causes) or answer.verdict
        left = "" if answer.left_over is None else f"{answer.left_over:.0e}"
        right = "yes" if answer.right(slip) else "**no**"
        lines.append(f"| {slip.name} | {', '.join(slip.causes) or 'same'} | {found} | {left} | {right} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="write the page here")
    parser.add_argument("--only", help="pairs whose names contain this")
    arguments = parser.parse_args()
    slips = [slip for slip in SLIPS if not arguments.only or arguments.only in slip.name]
    answers = []
    for slip, answer in zip(slips, ask_all(slips), strict=True):
        answers.append(answer)
        right = answer.right(slip)
        found = f"{answer.verdict} {', '.join(answer.causes)}, {answer.n_unexplained} unexplained"
        shown = "right" if right else f"WRONG, wanted {slip.causes}\n{answer.said}"
        print(f"{slip.name}: {found}, {answer.seconds:.1f} s: {shown}", flush=True)
    if arguments.out:
        arguments.out.write_text(page(slips, answers))


if __name__ == "__main__":
    main()
