"""Code for the PyTorch or Keras layer that computes a node."""

from compare.graphs.node import Node
from compare.port.difference import shown


def layer_of(torch: bool, node: Node) -> str:
    """Return the code of the PyTorch or Keras layer that computes a node; its kind if there is none."""
    a, n = node.attributes, len(node.shape) - 2
    names = _TORCH_LAYERS if torch else _KERAS_LAYERS
    if node.kind in names:
        return names[node.kind].format(
            n=n,
            channels=node.shape[1] if len(node.shape) > 1 else "",
            **{name: shown(value) for name, value in a.items()},
            tanh=a.get("approximate") == "tanh",
            **({} if "alpha" in a else {"alpha": ""}),
        )
    return f"{node.kind} ({node.layer})" if node.layer else node.kind


_TORCH_LAYERS = {
    "Relu": "nn.ReLU()",
    "LeakyRelu": "nn.LeakyReLU({alpha})",
    "Elu": "nn.ELU({alpha})",
    "Celu": "nn.CELU({alpha})",
    "Selu": "nn.SELU()",
    "Gelu": 'nn.GELU(approximate="{approximate}")',
    "Swish": "nn.SiLU()",
    "Sigmoid": "nn.Sigmoid()",
    "Tanh": "nn.Tanh()",
    "Softplus": "nn.Softplus(beta={beta})",
    "Softsign": "nn.Softsign()",
    "HardSwish": "nn.Hardswish()",
    "HardSigmoid": "nn.Hardsigmoid()",
    "Mish": "nn.Mish()",
    "LogSigmoid": "nn.LogSigmoid()",
    "Clip": "nn.Hardtanh({min}, {max})",
    "Softmax": "nn.Softmax(dim={axis})",
    "LogSoftmax": "nn.LogSoftmax(dim={axis})",
    "Dropout": "nn.Dropout({ratio})",
    "BatchNormalization": "nn.BatchNorm{n}d({channels}, eps={epsilon})",
    "MaxPool": "nn.MaxPool{n}d({kernel_shape}, {strides})",
    "AveragePool": "nn.AvgPool{n}d({kernel_shape}, {strides})",
    "GlobalAveragePool": "nn.AdaptiveAvgPool{n}d(1)",
    "Flatten": "nn.Flatten()",
}
_KERAS_LAYERS = {
    "Relu": "keras.layers.ReLU()",
    "LeakyRelu": "keras.layers.LeakyReLU(negative_slope={alpha})",
    "Elu": "keras.layers.ELU(alpha={alpha})",
    "Celu": "keras.layers.Activation(lambda x: keras.ops.celu(x, {alpha}))",
    "Selu": 'keras.layers.Activation("selu")',
    "Gelu": "keras.layers.Activation(lambda x: keras.ops.gelu(x, approximate={tanh}))",
    "Swish": 'keras.layers.Activation("silu")',
    "Sigmoid": 'keras.layers.Activation("sigmoid")',
    "Tanh": 'keras.layers.Activation("tanh")',
    "Softplus": 'keras.layers.Activation("softplus")',
    "Softsign": 'keras.layers.Activation("softsign")',
    "HardSwish": 'keras.layers.Activation("hard_silu")',
    "HardSigmoid": 'keras.layers.Activation("hard_sigmoid")',
    "Mish": 'keras.layers.Activation("mish")',
    "LogSigmoid": 'keras.layers.Activation("log_sigmoid")',
    "Clip": "keras.layers.Activation(lambda x: keras.ops.clip(x, {min}, {max}))",
    "Softmax": "keras.layers.Softmax()",
    "LogSoftmax": 'keras.layers.Activation("log_softmax")',
    "Dropout": "keras.layers.Dropout({ratio})",
    "BatchNormalization": "keras.layers.BatchNormalization(epsilon={epsilon})",
    "MaxPool": "keras.layers.MaxPooling{n}D({kernel_shape}, {strides})",
    "AveragePool": "keras.layers.AveragePooling{n}D({kernel_shape}, {strides})",
    "GlobalAveragePool": "keras.layers.GlobalAveragePooling{n}D()",
    "Flatten": "keras.layers.Flatten()",
}
