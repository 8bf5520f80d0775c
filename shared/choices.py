"""Every closed set of names that an option, a record or a network's build chooses from.

It imports nothing that takes long, so that the command line can name them all before anything else is there.
"""

from typing import Literal

# What is computed on, and how.
Device = Literal["cpu", "cuda"]
AskedDevice = Literal["auto", "cpu", "cuda"]
Mode = Literal["eager", "graph", "xla"]
AskedMode = Literal["default", "eager", "graph", "xla", "tuned"]
Dtype = Literal["float32", "float64"]
MixedPrecision = Literal["none", "tf32", "bfloat16"]
Allocator = Literal["kept", "system"]  # what becomes of memory that a framework has freed (compare/registry)
Waiting = Literal["passive", "system"]  # how OpenMP's threads wait for each other (compare/processes/environment.py)
ExecutorName = Literal["local", "ray"]

# What a network learns (shared/task.py).
TaskName = Literal["classification", "regression", "multilabel"]
Inputs = Literal["images", "values", "tokens"]
LossName = Literal["cross_entropy", "mse", "mae", "binary_cross_entropy"]

# How a network is trained.
Recipe = Literal["matched", "idiomatic"]
OptimizerName = Literal["adam", "adamw", "sgd"]
Schedule = Literal["linear", "constant"]
Augmentation = Literal["none", "affine", "elastic"]
Scale = Literal["unit", "standard"]
Channels = Literal["grey", "colour"]
Own = Literal["normalisation", "optimizer", "loss"]

# How far a comparison goes, and in which types.
Precision = Literal["both", "float64", "float32"]
Rung = Literal["parameters", "activations", "logits", "loss", "gradients", "training", "evaluation"]

# What a trained network is written as.
Format = Literal["torch", "onnx", "keras", "tf_savedmodel"]
