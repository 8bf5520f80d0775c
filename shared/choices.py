"""Every closed set of names that an option, a record or a network's build chooses from.

It imports nothing that takes long: the command line can name them all before any other import.
"""

from typing import Literal

# The device, and how it computes.
Device = Literal["cpu", "cuda"]
AskedDevice = Literal["auto", "cpu", "cuda"]
Mode = Literal["eager", "graph", "xla"]
AskedMode = Literal["default", "eager", "graph", "xla", "tuned"]
Dtype = Literal["float32", "float64"]
MixedPrecision = Literal["none", "tf32", "bfloat16"]
Allocator = Literal["kept", "system"]  # whether memory that a framework has freed is kept (compare/registry)
Waiting = Literal["passive", "system"]  # how OpenMP's threads wait for each other (compare/processes/environment.py)
ExecutorName = Literal["local", "ray"]

# The task of a network (shared/task.py).
TaskName = Literal["classification", "regression", "multilabel"]
Inputs = Literal["images", "values", "tokens"]
LossName = Literal["cross_entropy", "mse", "mae", "binary_cross_entropy"]

# The training of a network.
Recipe = Literal["matched", "idiomatic"]
OptimizerName = Literal["adam", "adamw", "sgd"]
Schedule = Literal["linear", "constant"]
Augmentation = Literal["none", "affine", "elastic"]
Scale = Literal["unit", "standard"]
Channels = Literal["grey", "colour"]
Own = Literal["normalisation", "optimizer", "loss"]

# The extent of a comparison, and its types.
Precision = Literal["both", "float64", "float32"]
Rung = Literal["parameters", "activations", "logits", "loss", "gradients", "training", "evaluation"]

# The file formats of a trained network.
Format = Literal["torch", "onnx", "keras", "tf_savedmodel"]
