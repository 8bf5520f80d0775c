"""Errors that the user can fix, including the one for an unknown name."""

from collections.abc import Collection
from difflib import get_close_matches


class InputError(Exception):
    """An input of the user's that cannot be used.

    The message is one paragraph that says what is wrong, where, and how to fix it. The command line prints it on stderr
    and exits with code 2, without a traceback.
    """


class UserCodeError(InputError):
    """Code of the user's own failed. `message` says where, and `lines` are the last ones of its own traceback."""

    def __init__(self, message: str, lines: tuple[str, ...]) -> None:
        super().__init__("\n".join([message, *lines]))
        self.message, self.lines = message, lines


# Words that people use, and the names that each may mean: meaning has priority over spelling. Words without names are
# not names here, though their spelling may be similar to one.
MEANT: dict[str, tuple[str, ...]] = {
    "gpu": ("cuda",),
    "nvidia": ("cuda",),
    "rocm": (),
    "mps": (),
    "tpu": (),
    "xpu": (),
    "processor": ("cpu",),
    "pytorch": ("torch",),
    "tensorflow": ("keras", "tf_lowlevel", "tf_savedmodel"),
    "tf": ("keras", "tf_lowlevel", "tf_savedmodel"),
    "tf.keras": ("keras", "keras_functional"),
    "tensorflow.keras": ("keras", "keras_functional"),
    "raw_tensorflow": ("tf_lowlevel",),
    "functional": ("keras_functional",),
    "compile": ("graph", "xla"),
    "compiled": ("graph", "xla"),
    "jit": ("xla", "graph"),
    "fastest": ("tuned",),
    "fp64": ("float64",),
    "double": ("float64",),
    "fp32": ("float32", "none"),
    "single": ("float32",),
    "bf16": ("bfloat16",),
    "fp16": ("bfloat16",),
    "half": ("bfloat16",),
    "amp": ("bfloat16",),
    "momentum": ("sgd",),
    "mlp": ("dense_baseline",),
    "cifar": ("cifar10", "cnn_bn_cifar"),
    "emnist": ("emnist_balanced", "emnist_letters", "emnist_digits"),
    "fashion": ("fashion_mnist",),
    "images": ("photographs",),
    "savedmodel": ("tf_savedmodel",),
    "saved_model": ("tf_savedmodel",),
    "h5": ("keras",),
    "hdf5": ("keras",),
    "pt": ("torch",),
    "pth": ("torch",),
    "pt2": ("torch",),
    "torchscript": ("torch",),
    "native": ("idiomatic",),
    "normalise": ("standard",),
    "normalize": ("standard",),
    "normalised": ("standard",),
    "normalized": ("standard",),
    "zscore": ("standard",),
    "cosine": ("linear",),
    "fixed": ("constant",),
    "rotate": ("affine",),
}


def check_name(what: str, name: str, known: Collection[str]) -> str:
    """Return `name` if it is among `known`; else raise an InputError that suggests names: by meaning, or else by
    spelling."""
    if name in known:
        return name
    said = name.lower().replace("-", "_")
    if said in MEANT:
        nearest = [one for one in MEANT[said] if one in known]
    else:
        nearest = get_close_matches(said, list(known), 1, 0.5)
    meant = "' or '".join(nearest)
    hint = f" Did you mean '{meant}'?" if nearest else ""
    raise InputError(f"There is no {what} '{name}'.{hint} Known: {', '.join(known)}.")
