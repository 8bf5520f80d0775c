"""The line of code that fixes a cause, in the framework of the side to change."""

from compare.graphs.node import Recording
from compare.port import sequence_fixes
from compare.port.counterpart import Want, Write
from compare.port.difference import Difference, shown
from compare.port.differences import NORMALIZATIONS, stated_pads
from compare.port.fix_layers import layer_of


def fixes(difference: Difference, left: Recording, right: Recording, frameworks: tuple[str, str]) -> dict[str, str]:
    """Return the line to write on each side; either one alone is enough."""
    node_l = left.graph[difference.left] if difference.left else None
    node_r = right.graph[difference.right] if difference.right else None
    role = difference.attributes[0] if difference.change == "weights" and difference.attributes else ""
    return {
        "left": fix(difference.cause, frameworks[0], Want(node_l, node_r, role)),
        "right": fix(difference.cause, frameworks[1], Want(node_r, node_l, role)),
    }


def fix(cause: str, framework: str, want: Want) -> str:
    """Return the line for one side."""
    if line := sequence_fixes.fix(cause, framework, want):
        return line
    if want.theirs is None and want.mine is not None:
        return f"take {want.mine.name} ({want.mine.layer or want.mine.kind}) out"
    table = {"torch": TORCH, "tensorflow": KERAS | TENSORFLOW, "onnx": {}}.get(framework, KERAS)
    if want.mine is None and want.theirs is not None:
        place = ", ".join(want.theirs.inputs) or "the input"
        return f"{layer_of(table is TORCH, want.theirs)} behind the counterpart of {place}"
    write = table.get(cause)
    if write is not None and (line := write(want)):
        return line
    return f"make {want.mine.name if want.mine else '?'} as {want.theirs.name if want.theirs else '?'} is"


def _momentum(want: Want, own: str) -> str:
    kept = want.attribute("momentum")
    if not isinstance(kept, float):
        return ""
    return f"{want.my_layer}(momentum={shown(kept if own == 'keras' else round(1 - kept, 12))})"


def _epsilon(name: str) -> Write:
    return lambda want: f"{want.my_layer}({name}={shown(want.attribute('epsilon'))})"


def _setting(template: str, attribute: str) -> Write:
    return lambda want: template.format(layer=want.my_layer, value=shown(want.attribute(attribute)))


def _activation(torch: bool) -> Write:
    def write(want: Want) -> str:
        assert want.theirs is not None
        return f"{layer_of(torch, want.theirs)} in place of {want.mine.name if want.mine else ''}"

    return write


def _torch_pads(want: Want) -> str:
    assert want.theirs is not None
    assert want.mine is not None
    begins, ends = stated_pads(want.theirs)
    if begins == ends:
        return f"{want.my_layer}(..., padding={shown(begins)})"
    pads = [n for pair in zip(reversed(begins), reversed(ends), strict=True) for n in pair]
    value = ", value=-float('inf')" if want.mine.kind == "MaxPool" and want.attribute("pad_value") is None else ""
    return f"F.pad(x, {tuple(pads)}{value}) before {want.mine.name}, and padding=0"


def _keras_pads(want: Want) -> str:
    assert want.theirs is not None
    assert want.mine is not None
    begins, ends = stated_pads(want.theirs)
    pads = tuple(zip(begins, ends, strict=True))
    layer = f"keras.layers.ZeroPadding{len(begins)}D"
    if not any(begins) and not any(ends):
        return f'{want.my_layer}(..., padding="valid")'
    if want.mine.kind == "AveragePool":
        return f'{layer}({pads}) before {want.mine.name}, and padding="valid" (zeros are counted then)'
    if want.mine.kind == "ConvTranspose":
        return f'{want.my_layer}(..., padding="valid") and keras.layers.Cropping{len(begins)}D({pads}) behind it'
    return f'{layer}({pads}) before it, and padding="valid"'


def _output_padding(want: Want) -> str:
    return f"{want.my_layer}(..., output_padding={shown(want.attribute('output_padding'))})"


def _bias(torch: bool) -> Write:
    """Add or remove a bias or a scale, by the layer's name for it."""

    def write(want: Want) -> str:
        there = want.theirs is not None and want.role in want.theirs.roles
        normalizes = want.mine is not None and want.mine.kind in NORMALIZATIONS
        if torch:
            word = ("elementwise_affine" if "Layer" in want.my_layer else "affine") if normalizes else "bias"
        else:
            word = {"B": "center", "scale": "scale"}[want.role] if normalizes else "use_bias"
        return f"{want.my_layer}(..., {word}={there})"

    return write


def _pool_kind(torch: bool) -> Write:
    return _activation(torch)


def _in_place(template: str, attribute: str) -> Write:
    return lambda want: template.format(
        name=want.mine.name if want.mine else "", value=shown(want.attribute(attribute))
    )


def _outputs(want: Want) -> str:
    if want.mine is None or want.theirs is None:
        return ""
    return f"give {want.mine.name} at the place at which the other model gives {want.theirs.name}"


def _order(want: Want) -> str:
    if want.mine is None or want.theirs is None or want.theirs.kind != "Concat":
        return ""
    return f"{want.mine.name} of the counterparts of {', '.join(want.theirs.inputs)}, in this order"


_MERGES = {  # Keras's layer and PyTorch's function
    "Mul": ("Multiply()", "mul"),
    "Sub": ("Subtract()", "sub"),
    "Add": ("Add()", "add"),
    "Max": ("Maximum()", "maximum"),
    "Min": ("Minimum()", "minimum"),
    "Concat": ("Concatenate()", "cat"),
    "Div": ("Lambda(lambda both: both[0] / both[1])", "div"),
}
TENSORFLOW: dict[str, Write] = {
    **dict.fromkeys(
        ("batch_norm.epsilon", "layer_norm.epsilon", "group_norm.epsilon"),
        _in_place("variance_epsilon={value} in the normalisation that ends in {name}", "epsilon"),
    ),
    "batch_norm.mode": lambda want: (
        f"tf.nn.moments of the batch in the normalisation that ends in {want.mine.name}, in training"
        if want.mine is not None and want.attribute("training_mode")
        else ""
    ),
    "conv.stride": _in_place("strides={value} in {name}", "strides"),
    "conv.dilation": _in_place("dilations={value} in {name}", "dilations"),
    "bias.missing": lambda want: f"tf.nn.bias_add behind {want.mine.name}" if want.mine is not None else "",
}
TORCH: dict[str, Write] = {
    **dict.fromkeys(("batch_norm.epsilon", "layer_norm.epsilon", "group_norm.epsilon"), _epsilon("eps")),
    "batch_norm.momentum": lambda want: _momentum(want, "torch"),
    "batch_norm.variance": lambda want: (
        "nn.BatchNorm keeps the unbiased variance: multiply what it keeps by (n - 1) / n"
    ),
    "group_norm.groups": _setting("nn.GroupNorm({value}, channels)", "num_groups"),
    **dict.fromkeys(("padding.side", "padding.amount"), _torch_pads),
    "padding.mode": _setting('{layer}(..., padding_mode="{value}")', "pad_mode"),
    "conv.stride": _setting("{layer}(..., stride={value})", "strides"),
    "conv.dilation": _setting("{layer}(..., dilation={value})", "dilations"),
    "conv.groups": _setting("{layer}(..., groups={value})", "group"),
    "deconv.output_padding": _output_padding,
    "pool.kind": _pool_kind(True),
    "pool.size": lambda want: (
        f"{want.my_layer}({shown(want.attribute('kernel_shape'))}, {shown(want.attribute('strides'))})"
    ),
    "pool.ceil": _setting("{layer}(..., ceil_mode={value})", "ceil_mode"),
    "pool.include_pad": _setting("{layer}(..., count_include_pad={value})", "count_include_pad"),
    **dict.fromkeys(("activation.kind", "activation.slope", "activation.approximation"), _activation(True)),
    "softmax.axis": _setting("nn.Softmax(dim={value})", "axis"),
    "dropout.rate": _setting("nn.Dropout({value})", "ratio"),
    "dropout.in_evaluation": lambda want: "F.dropout(x, p, training=self.training)",
    **dict.fromkeys(("bias.missing", "scale.missing"), _bias(True)),
    "resize.corners": lambda want: (
        f"F.interpolate(..., align_corners={want.attribute('coordinate_transformation_mode') == 'align_corners'})"
    ),
    "resize.antialias": _setting("F.interpolate(..., antialias={value})", "antialias"),
    "resize.mode": _setting('F.interpolate(..., mode="{value}")', "mode"),
    "merge.kind": lambda want: (
        f"torch.{_MERGES.get(want.theirs.kind, ('', want.theirs.kind.lower()))[1]} in place of {want.mine.name}"
        if want.theirs and want.mine
        else ""
    ),
    "channels.order": _order,
    "concat.axis": _setting("torch.cat(..., dim={value})", "axis"),
    "batch_norm.mode": lambda want: f"{want.my_layer}.train({bool(want.attribute('training_mode'))})",
    "outputs.order": _outputs,
    "embedding.padding": _setting("nn.Embedding(..., padding_idx={value})", "padding_idx"),
}
KERAS: dict[str, Write] = {
    **dict.fromkeys(("batch_norm.epsilon", "layer_norm.epsilon", "group_norm.epsilon"), _epsilon("epsilon")),
    "batch_norm.momentum": lambda want: _momentum(want, "keras"),
    "batch_norm.mode": lambda want: (
        f"{want.my_layer}(trainable={bool(want.attribute('training_mode'))}), and training= passed on to it"
    ),
    "batch_norm.variance": lambda want: "Keras keeps the biased variance: multiply what it keeps by n / (n - 1)",
    "group_norm.groups": _setting("keras.layers.GroupNormalization(groups={value})", "num_groups"),
    **dict.fromkeys(("padding.side", "padding.amount", "deconv.output_padding"), _keras_pads),
    "padding.mode": lambda want: (
        f'keras.ops.pad(x, ..., mode="{want.attribute("pad_mode")}") before it, and padding="valid"'
    ),
    "conv.stride": _setting("{layer}(..., strides={value})", "strides"),
    "conv.dilation": _setting("{layer}(..., dilation_rate={value})", "dilations"),
    "conv.groups": _setting("{layer}(..., groups={value})", "group"),
    "pool.kind": _pool_kind(False),
    "pool.size": lambda want: (
        f"{want.my_layer}({shown(want.attribute('kernel_shape'))}, strides={shown(want.attribute('strides'))})"
    ),
    "pool.ceil": lambda want: f'{want.my_layer}(..., padding="{"same" if want.attribute("ceil_mode") else "valid"}")',
    "pool.include_pad": lambda want: (
        'keras.layers.ZeroPadding before it, and padding="valid"'
        if want.attribute("count_include_pad")
        else 'padding="same"'
    ),
    **dict.fromkeys(("activation.kind", "activation.slope", "activation.approximation"), _activation(False)),
    "softmax.axis": _setting("keras.layers.Softmax(axis={value})", "axis"),
    "dropout.rate": _setting("keras.layers.Dropout({value})", "ratio"),
    "dropout.in_evaluation": lambda want: "keras.layers.Dropout(rate)(x), without training=True",
    **dict.fromkeys(("bias.missing", "scale.missing"), _bias(False)),
    "resize.corners": lambda want: (
        "keras.ops.image.resize(...) samples at half pixels: align_corners has no counterpart"
    ),
    "resize.mode": _setting('keras.layers.UpSampling2D(..., interpolation="{value}")', "mode"),
    "merge.kind": lambda want: (
        f"keras.layers.{_MERGES.get(want.theirs.kind, (want.theirs.kind, ''))[0]} in place of {want.mine.name}"
        if want.theirs and want.mine
        else ""
    ),
    "channels.order": _order,
    "concat.axis": _setting("keras.layers.Concatenate(axis={value})", "axis"),
    "outputs.order": _outputs,
    "embedding.padding": _setting(
        "keras.layers.Embedding(...) has no padding index: its row {value} must be kept at zero", "padding_idx"
    ),
}
