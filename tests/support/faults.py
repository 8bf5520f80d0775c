"""Faults to plant in the implementations, one at a time, and where the ladder should find each.

A fault is a change of the source text, so the shipped code needs no hooks for it.
"""

from dataclasses import dataclass
from pathlib import Path

GATE = "gate"
ACTIVATIONS, TRAINING_ACTIVATIONS = "activations", "activations in training mode"
LOGITS, LOSS, GRADIENTS = "logits", "loss", "gradients"
IN_EVALUATION, DROPPED, TRAINED = "activations in evaluation with dropout", "what dropout drops", "dropout in training"
LARGE, AGAIN = "large values: ", "parameters after looking"
SAME, WIDE, BN, DROPOUT, DENSE = "cnn_same", "cnn_wide_valid", "cnn_bn_valid", "cnn_deep_dropout", "dense_baseline"


@dataclass(frozen=True)
class Fault:
    """In `file`, the first `old` after `within` becomes `new`.

    With the architecture `model`, it should be found on the rung `rung` or by the gate, at a tensor or field that
    begins with `at`.
    """

    name: str
    file: str
    old: str
    new: str
    rung: str
    at: str
    model: str = SAME
    within: str = ""

    @property
    def package(self) -> str:
        """Return the package in which it is planted."""
        return self.file.split("/")[0]

    def plant(self, root: Path) -> None:
        """Change the file below `root`. Raise ValueError if the text is not found."""
        path = root / self.file
        text = path.read_text()
        start = text.find(self.old, text.index(self.within))
        if start < 0:
            raise ValueError(f"{self.file} has no {self.old!r} to plant the fault {self.name!r} in")
        path.write_text(text[:start] + self.new + text[start + len(self.old) :])


TORCH_MODELS, TORCH_LAYERS = "torch_impl/models.py", "torch_impl/layers.py"
TORCH_TRAIN, TORCH_WEIGHTS = "torch_impl/train.py", "torch_impl/weights.py"
TORCH_CREATE, TORCH_OPTIMIZERS = "torch_impl/create.py", "torch_impl/optimizers.py"
IN_SAME, IN_DROPOUT = "class CnnSame", "class CnnDeepDropout"

# A line for each fault, however long, because this is a table.
# fmt: off
# ruff: noqa: E501
TORCH = [
    Fault("an image moved by one pixel before conv1", TORCH_MODELS, "self.conv1(x)", "self.conv1(F.pad(x, (1, -1)))", ACTIVATIONS, "conv1", within=IN_SAME),
    Fault("bias of conv2 dropped", TORCH_MODELS, "self.conv2(x)", "F.conv2d(x, self.conv2.weight, None, padding=1)", ACTIVATIONS, "conv2", within=IN_SAME),
    Fault("no ReLU after conv2", TORCH_MODELS, "F.relu(self.conv2(x))", "self.conv2(x)", ACTIVATIONS, "conv2", within=IN_SAME),
    Fault("ReLU after the last layer", TORCH_MODELS, "self.dense2(x)", "F.relu(self.dense2(x))", ACTIVATIONS, "dense2", within=IN_SAME),
    Fault("GELU for ReLU after dense1", TORCH_MODELS, "F.relu(self.dense1(x))", "F.gelu(self.dense1(x))", ACTIVATIONS, "dense1", within=IN_SAME),
    Fault("average pooling for pool1", TORCH_MODELS, "F.max_pool2d(x, 2)", "F.avg_pool2d(x, 2)", ACTIVATIONS, "pool1", within=IN_SAME),
    Fault("flattened channels last", TORCH_MODELS, "x.flatten(1)", "x.permute(0, 2, 3, 1).flatten(1)", ACTIVATIONS, "flatten", within=IN_SAME),
    Fault("pool2 rounds sizes up", TORCH_MODELS, 'tap("pool2", F.max_pool2d(x, 2)', 'tap("pool2", F.max_pool2d(x, 2, ceil_mode=True)', ACTIVATIONS, "", WIDE, "class CnnWideValid"),
    Fault("dilated conv2", TORCH_MODELS, "nn.Conv2d(32, 64, kernel_size=3, padding=1)", "nn.Conv2d(32, 64, kernel_size=3, padding=2, dilation=2)", ACTIVATIONS, "conv2", within=IN_SAME),
    Fault("circular padding in conv1", TORCH_MODELS, "kernel_size=3, padding=1", "kernel_size=3, padding=1, padding_mode='circular'", ACTIVATIONS, "conv1", within=IN_SAME),
    Fault("another epsilon in batch normalisation", TORCH_LAYERS, "self.eps = 1e-3", "self.eps = 1e-5", GATE, "bn1: epsilon", BN),
    Fault("old and new swapped in the moving statistics' constant", TORCH_LAYERS, "self.momentum = 0.1", "self.momentum = 0.9", GATE, "bn1: weight of the new", BN),
    Fault("no epsilon in the backward pass", TORCH_LAYERS, "torch.rsqrt(variance + eps)", "torch.rsqrt(variance)", GRADIENTS, "bn2", BN),
    Fault("unbiased moving variance", TORCH_LAYERS, "lerp_(variance,", "lerp_(variance * len(x) / (len(x) - 1),", "step 1: moving statistics", "bn1/moving_variance", BN),
    Fault("old and new swapped in the moving mean", TORCH_LAYERS, "lerp_(mean, self.momentum)", "lerp_(mean, 1 - self.momentum)", "step 1: moving statistics", "bn1/moving_mean", BN),
    Fault("batch statistics in evaluation", TORCH_LAYERS, "if not self.training:", "if False:", ACTIVATIONS, "bn1", BN),
    Fault("moving statistics in training", TORCH_LAYERS, "if not self.training:", "if True:", TRAINING_ACTIVATIONS, "bn1", BN),
    Fault("no gradient through the batch statistics", TORCH_LAYERS, "_NormaliseByBatch.apply(", "_normalise(", GRADIENTS, "conv4", BN),
    Fault("gradients not set to zero", TORCH_TRAIN, "self.optimizer.zero_grad()", "pass", "step 2: optimizer state", ""),
    Fault("sum for mean in training", TORCH_TRAIN, "self.loss(logits, labels)", "nn.functional.cross_entropy(logits, labels, reduction='sum')", "step 1: losses", "loss", DENSE),
    Fault("label smoothing in training", TORCH_TRAIN, "self.loss(logits, labels)", "nn.functional.cross_entropy(logits, labels, label_smoothing=0.01)", "step 1: losses", "loss", DENSE),
    Fault("sum for mean in the loss", TORCH_TRAIN, "self.loss(self.module(images), labels)", "nn.functional.cross_entropy(self.module(images), labels, reduction='sum')", LOSS, "loss", DENSE),
    Fault("no evaluation mode, batch normalisation", TORCH_TRAIN, "self.module.eval()", "pass", LOGITS, "logits", BN),
    Fault("no evaluation mode, dropout", TORCH_TRAIN, "self.module.eval()", "pass", IN_EVALUATION, "logits", DROPOUT),
    Fault("the learning rate is ignored", TORCH_TRAIN, 'group["lr"] = learning_rate', 'group["lr"] = 0.001', "step 1: parameters", "", DENSE),
    Fault("another epsilon in Adam", TORCH_OPTIMIZERS, "eps=adam.epsilon", "eps=1e-8", GATE, "epsilon", DENSE),
    Fault("Adam's betas swapped", TORCH_OPTIMIZERS, "(adam.beta1, adam.beta2)", "(adam.beta2, adam.beta1)", GATE, "beta1", DENSE),
    Fault("weight decay", TORCH_OPTIMIZERS, "weight_decay=adam.weight_decay", "weight_decay=adam.weight_decay + 1e-4", GATE, "weight decay", DENSE),
    Fault("amsgrad", TORCH_OPTIMIZERS, "amsgrad=False", "amsgrad=True", GATE, "amsgrad", DENSE),
    Fault("Nesterov's momentum", TORCH_OPTIMIZERS, "nesterov=False", "nesterov=True", "sgd, step 1: parameters", "", DENSE),
    Fault("dampened momentum", TORCH_OPTIMIZERS, "dampening=0.0", "dampening=0.9", "sgd, step 2: optimizer state", "", DENSE),
    Fault("clipped gradients", TORCH_TRAIN, "loss.backward()", "loss.backward(); nn.utils.clip_grad_norm_(self.module.parameters(), 0.1)", "step 1: optimizer state", "", DENSE),
    Fault("the step is taken before the gradient is there", TORCH_TRAIN, "loss.backward()\n        self.optimizer.step()", "self.optimizer.step()\n        loss.backward()", "step 1: optimizer state", "", DENSE),
    Fault("the smaller last batch is dropped", TORCH_TRAIN, "loss.backward()", "if len(images) < 64:\n            return loss.detach(), logits.detach()\n        loss.backward()", "step 25: losses", "loss", DENSE),
    Fault("the smaller last batch is divided by 64", TORCH_TRAIN, "self.loss(logits, labels)", "nn.functional.cross_entropy(logits, labels, reduction='sum') / 64", "step 25: losses", "loss", DENSE),
    Fault("logits from after the step", TORCH_TRAIN, "return loss.detach(), logits.detach()", "return loss.detach(), self.module(images).detach()", "step 25: epochs", "loss", DENSE),
    Fault("weights through float16", TORCH_WEIGHTS, "torch.tensor(from_canonical(p, weights[p.name]))", "torch.tensor(from_canonical(p, weights[p.name])).half()", GATE, "initial conv1/kernel"),
    Fault("pixels through bfloat16", TORCH_TRAIN, "torch.from_numpy(images))", "torch.from_numpy(images).bfloat16())", GATE, "images of the first batch", DENSE),
    Fault("labels shifted by one", TORCH_TRAIN, "torch.from_numpy(labels)", "torch.from_numpy((labels + 1) % 10)", GATE, "labels of the first batch", DENSE),
    Fault("TF32 left on", TORCH_CREATE, 'matmul.fp32_precision = "tf32" if tf32 else "ieee"', 'matmul.fp32_precision = "tf32"', GATE, "TF32", DENSE),
    Fault("cuDNN may choose other algorithms", TORCH_CREATE, "cudnn.benchmark = False", "cudnn.benchmark = True", GATE, "deterministic", DENSE),
    Fault("rows of the first dense layer not permuted", TORCH_WEIGHTS, "return value.reshape(height, width, channels, -1).transpose(2, 0, 1, 3).reshape(value.shape)", "return value", GATE, "initial dense1/kernel"),
    Fault("dropout alive in evaluation", TORCH_MODELS, "self.dropout1(x)", "F.dropout(x, self.dropout1.p, True)", IN_EVALUATION, "dropout1", DROPOUT, IN_DROPOUT),
    Fault("no dropout at all", TORCH_MODELS, "self.dropout1(x)", "x", DROPPED, "dropout1/share", DROPOUT, IN_DROPOUT),
    Fault("a lower rate of dropout", TORCH_MODELS, "nn.Dropout(dropout)", "nn.Dropout(0.9 * dropout)", DROPPED, "dropout1/share", DROPOUT, IN_DROPOUT),
    Fault("what dropout leaves is not scaled", TORCH_MODELS, "self.dropout1(x)", "self.dropout1(x) * ((1 - self.dropout1.p) if self.training else 1)", DROPPED, "dropout1/scale", DROPOUT, IN_DROPOUT),
    Fault("dropout alike for all images", TORCH_MODELS, "self.dropout1(x)", "self.dropout1(x[:1] * 0 + 1) * x", DROPPED, "dropout1/share", DROPOUT, IN_DROPOUT),
    Fault("training mode is not set", TORCH_TRAIN, "self.module.train()\n        self.optimizer", "self.optimizer", "step 2: losses", "loss", BN),
    Fault("ReLU capped at 6", TORCH_MODELS, "F.relu(self.dense1(x))", "F.relu6(self.dense1(x))", LARGE + ACTIVATIONS, "dense1", within=IN_SAME),
    Fault("training under bfloat16 autocast", TORCH_TRAIN, "enabled=self.in_bfloat16", "enabled=self.in_bfloat16 or self.module.training", "step 1: optimizer state", "conv1/kernel/m"),
    Fault("moving statistics moved by reading a gradient", TORCH_TRAIN, "with self._statistics_kept():\n            loss", "if True:\n            loss", AGAIN, "bn1", BN),
    Fault("PyTorch's own batch normalisation", TORCH_MODELS, "norm2d: type[nn.Module] = BatchNorm) -> None", "norm2d: type[nn.Module] = nn.BatchNorm2d) -> None", GATE, "bn1: epsilon", BN, "class CnnBnValid"),
    Fault("RMSprop for Adam", TORCH_OPTIMIZERS, "return (torch.optim.AdamW if isinstance(adam, AdamW) else torch.optim.Adam)(\n                module.parameters(),\n                lr=adam.learning_rate,\n                betas=(adam.beta1, adam.beta2),\n                eps=adam.epsilon,\n                weight_decay=adam.weight_decay,\n                amsgrad=False,\n                fused=tuning.optimizer == \"fused\" or None,\n            )", "return torch.optim.RMSprop(module.parameters())", GATE, "optimizer", DENSE),
]

KERAS_MODELS, KERAS_LAYERS = "tf_impl/models.py", "tf_impl/layers.py"
KERAS_CREATE, KERAS_TRAIN, KERAS_OPTIMIZERS, KERAS_WEIGHTS = "tf_impl/create.py", "tf_impl/train.py", "tf_impl/optimizers.py", "tf_impl/weights.py"
IN_KERAS_SAME, IN_KERAS_DROPOUT = "def cnn_same", "def cnn_deep_dropout"

KERAS = [
    Fault("no ReLU after conv1", KERAS_MODELS, 'activation="relu", name="conv1"', 'name="conv1"', ACTIVATIONS, "conv1", within=IN_KERAS_SAME),
    Fault("no bias in conv2", KERAS_MODELS, 'activation="relu", name="conv2"', 'activation="relu", use_bias=False, name="conv2"', GATE, "conv2/bias", within=IN_KERAS_SAME),
    Fault("softmax after the last layer", KERAS_MODELS, 'layers.Dense(10, name="dense2")', 'layers.Dense(10, activation="softmax", name="dense2")', ACTIVATIONS, "dense2", within=IN_KERAS_SAME),
    Fault("average pooling for pool2", KERAS_MODELS, 'layers.MaxPooling2D(2, name="pool2")', 'layers.AveragePooling2D(2, name="pool2")', ACTIVATIONS, "pool2", within=IN_KERAS_SAME),
    Fault("leaky ReLU after dense1", KERAS_MODELS, 'layers.Dense(128, activation="relu"', 'layers.Dense(128, activation="leaky_relu"', ACTIVATIONS, "dense1", within=IN_KERAS_SAME),
    Fault("another momentum of the moving statistics", KERAS_LAYERS, "momentum=0.9", "momentum=0.99", GATE, "bn1: weight of the new", BN),
    Fault("another epsilon in batch normalisation", KERAS_LAYERS, "epsilon=1e-3", "epsilon=1e-5", GATE, "bn1: epsilon", BN),
    Fault("unbiased variance in batch normalisation", KERAS_LAYERS, "_channel_mean(ops.square(inputs - mean))", "_channel_mean(ops.square(inputs - mean)) * 64 / 63", TRAINING_ACTIVATIONS, "bn1", BN),
    Fault("variance computed in float32", KERAS_LAYERS, "_channel_mean(ops.square(inputs - mean))", "ops.cast(_channel_mean(ops.cast(ops.square(inputs - mean), 'float32')), inputs.dtype)", TRAINING_ACTIVATIONS, "bn1", BN),
    Fault("epsilon inside the root", KERAS_OPTIMIZERS, "ops.sqrt(v / correction2) + self.spec.epsilon", "ops.sqrt(v / correction2 + self.spec.epsilon)", "step 1: parameters", "", DENSE),
    Fault("epsilon hat", KERAS_OPTIMIZERS, "+ self.spec.epsilon", "+ self.spec.epsilon / ops.sqrt(correction2)", "step 1: parameters", "", DENSE),
    Fault("power of beta off by one", KERAS_OPTIMIZERS, "self.iterations + 1", "self.iterations + 2", "step 1: parameters", "", DENSE),
    Fault("bias corrections in float32", KERAS_OPTIMIZERS, '"float64")', '"float32")', "step 1: parameters", "", DENSE),
    Fault("absolute value for square", KERAS_OPTIMIZERS, "gradient * gradient", "ops.abs(gradient)", "step 1: optimizer state", "", DENSE),
    Fault("the first moment is not corrected", KERAS_OPTIMIZERS, "(m / correction1)", "m", "step 1: parameters", "", DENSE),
    Fault("velocity absorbs the learning rate", KERAS_OPTIMIZERS, "self.spec.momentum * velocity + gradient)\n        self.assign_sub(variable, learning_rate * velocity)", "self.spec.momentum * velocity + learning_rate * gradient)\n        self.assign_sub(variable, velocity)", "sgd, step 1: optimizer state", "", DENSE),
    Fault("loss of probabilities", "tf_impl/losses.py", "from_logits=True", "from_logits=False", LOSS, "loss", DENSE),
    Fault("the learning rate is not passed on", KERAS_TRAIN, "self.optimizer.learning_rate.assign(rate)", "pass", "step 1: parameters", "", DENSE),
    Fault("training in evaluation mode", KERAS_TRAIN, "self._logits(images, training=True)\n            loss", "self._logits(images, training=False)\n            loss", "step 1: losses", "loss", BN),
    Fault("evaluation in training mode", KERAS_TRAIN, "self._logits(images, training=False)", "self._logits(images, training=True)", LOGITS, "logits", BN),
    Fault("the gradient in evaluation mode", KERAS_TRAIN, "loss = self.loss(labels, self.model(images, training=True))", "loss = self.loss(labels, self.model(images, training=False))", LOSS, "loss", BN),
    Fault("gradients halved", KERAS_TRAIN, "self.optimizer.apply(tape.gradient(loss, variables), variables)", "self.optimizer.apply([g / 2 for g in tape.gradient(loss, variables)], variables)", "step 1: optimizer state", "", DENSE),
    Fault("images mirrored", KERAS_TRAIN, "self._put(images, self.dtype)", "self._put(images[:, :, ::-1], self.dtype)", GATE, "images of the first batch", DENSE),
    Fault("pixels through float16", KERAS_TRAIN, "self._put(images, self.dtype)", "self._put(images.astype('float16'), self.dtype)", GATE, "images of the first batch", DENSE),
    Fault("TF32 left on", KERAS_CREATE, "enable_tensor_float_32_execution(train.mixed_precision == \"tf32\")", "enable_tensor_float_32_execution(True)", GATE, "TF32", DENSE),
    Fault("moving statistics exchanged", KERAS_WEIGHTS, "named[p.name].assign(weights[p.name])", "named[p.name].assign(weights[p.name.replace('moving_mean', 'moving_variance')])", GATE, "initial bn1/moving_mean", BN),
    Fault("a lower rate of dropout", KERAS_MODELS, "layers.Dropout(dropout,", "layers.Dropout(0.9 * dropout,", DROPPED, "dropout1/share", DROPOUT, IN_KERAS_DROPOUT),
    Fault("dropout alike for all images", KERAS_MODELS, "layers.Dropout(dropout,", "layers.Dropout(dropout, noise_shape=(1, 128),", DROPPED, "dropout1/share", DROPOUT, IN_KERAS_DROPOUT),
    Fault("gradients clipped at a norm of 5", KERAS_TRAIN, "self.optimizer.apply(tape.gradient(loss, variables), variables)", "self.optimizer.apply(tf.clip_by_global_norm(tape.gradient(loss, variables), 5.0)[0], variables)", LARGE + "step 1: optimizer state", ""),
    Fault("ReLU capped at 6", KERAS_MODELS, 'layers.Dense(128, activation="relu"', 'layers.Dense(128, activation="relu6"', LARGE + ACTIVATIONS, "dense1", within=IN_KERAS_SAME),
    Fault("bias corrections in the parameter's type", KERAS_OPTIMIZERS, '"float64")', "variable.dtype)", "step 1: update from its own moments", "", DENSE),
    Fault("no dropout in training steps", KERAS_TRAIN, "self._logits(images, training=True)\n            loss", "self._logits(images, training=False)\n            loss", TRAINED, "new in every step", DROPOUT),
    Fault("Keras's own Adam", KERAS_OPTIMIZERS, "optimizer = adam(by)", "optimizer = keras.optimizers.Adam()", GATE, "optimizer", DENSE),
]

RAW_LAYERS, RAW_MODELS = "tf_lowlevel_impl/layers.py", "tf_lowlevel_impl/models.py"
RAW_LOSSES = "tf_lowlevel_impl/losses.py"
RAW_CREATE, RAW_TRAIN, RAW_OPTIMIZERS, RAW_WEIGHTS = "tf_lowlevel_impl/create.py", "tf_lowlevel_impl/train.py", "tf_lowlevel_impl/optimizers.py", "tf_lowlevel_impl/weights.py"

RAW = [
    Fault("all padding at the top and left", RAW_LAYERS, "padding=self.padding)", "padding=[[0, 0], [2, 0], [2, 0], [0, 0]])", ACTIVATIONS, "conv1"),
    Fault("bias of convolutions dropped", RAW_LAYERS, "return tf.nn.bias_add(x, bias)", "return x + 0 * bias", ACTIVATIONS, "conv1"),
    Fault("convolution for cross-correlation", RAW_LAYERS, "tf.nn.conv2d(x, kernel,", "tf.nn.conv2d(x, kernel[::-1, ::-1],", ACTIVATIONS, "conv1"),
    Fault("bias of dense layers twice", RAW_LAYERS, "tf.matmul(x, kernel), bias", "tf.matmul(x, kernel), 2 * bias", ACTIVATIONS, "dense1"),
    Fault("matrix product in float32", RAW_LAYERS, "tf.matmul(x, kernel)", "tf.cast(tf.matmul(tf.cast(x, 'float32'), tf.cast(kernel, 'float32')), x.dtype)", ACTIVATIONS, "dense1"),
    Fault("epsilon outside the root in batch normalisation", RAW_LAYERS, "x = tf.nn.batch_normalization(x, mean, variance, self.beta, self.gamma, variance_epsilon=self.epsilon)", "x = (x - mean) / (tf.sqrt(variance) + self.epsilon) * self.gamma + self.beta", ACTIVATIONS, "bn1", BN),
    Fault("beta and gamma exchanged", RAW_LAYERS, "self.beta, self.gamma", "self.gamma, self.beta", ACTIVATIONS, "bn1", BN),
    Fault("old and new swapped in the moving statistics", RAW_LAYERS, "(1 - self.momentum) * statistic + self.momentum * value", "self.momentum * statistic + (1 - self.momentum) * value", "step 1: moving statistics", "bn1", BN),
    Fault("the mean kept as variance", RAW_LAYERS, "self._move(self.moving_variance, variance)", "self._move(self.moving_variance, mean)", "step 1: moving statistics", "bn1/moving_variance", BN),
    Fault("the moving mean is not moved", RAW_LAYERS, "self._move(self.moving_mean, mean)", "pass", "step 1: moving statistics", "bn1/moving_mean", BN),
    Fault("a lower rate of dropout", RAW_LAYERS, "chance >= self.rate", "chance >= 0.9 * self.rate", DROPPED, "dropout1/share", DROPOUT),
    Fault("what dropout leaves is not scaled", RAW_LAYERS, "x / (1 - self.rate)", "x", DROPPED, "dropout1/scale", DROPOUT),
    Fault("dropout alive in evaluation", RAW_LAYERS, "if not training:", "if False:", IN_EVALUATION, "dropout1", DROPOUT),
    Fault("the same values dropped in every step", RAW_LAYERS, "tf.random.get_global_generator().uniform(tf.shape(x), dtype=x.dtype)", "tf.random.stateless_uniform(tf.shape(x), (1, 2), dtype=x.dtype)", DROPPED, "dropout1", DROPOUT),
    Fault("every second pixel for the largest", RAW_LAYERS, "ksize=2", "ksize=1", ACTIVATIONS, "pool1"),
    Fault("flattened channels first", RAW_LAYERS, "return tf.reshape(x, (-1,", "return tf.reshape(tf.transpose(x, (0, 3, 1, 2)), (-1,", ACTIVATIONS, "flatten"),
    Fault("ReLU moved behind the next layer", RAW_MODELS, 'tap("dense1", tf.nn.relu(self.dense1(x)))  # (N, 128)\n        return tap("dense2", self.dense2(x))', 'tap("dense1", self.dense1(x))\n        return tap("dense2", tf.nn.relu(self.dense2(x)))', ACTIVATIONS, "dense1", within="class CnnSame"),
    Fault("Adam's step is not counted", RAW_OPTIMIZERS, "self.step.assign_add(1)", "self.step.assign(1)", "step 2: parameters", "", DENSE),
    Fault("the first moment by the second beta", RAW_OPTIMIZERS, "beta1 * m + (1 - beta1) * g", "beta2 * m + (1 - beta2) * g", "step 1: optimizer state", "", DENSE),
    Fault("Nesterov's Adam", RAW_OPTIMIZERS, "m_hat = m /", "m_hat = (beta1 * m + (1 - beta1) * g) /", "step 1: parameters", "", DENSE),
    Fault("the second moment is not corrected", RAW_OPTIMIZERS, "v_hat = v / tf.cast(correction2, p.dtype)", "v_hat = v", "step 1: parameters", "", DENSE),
    Fault("Nesterov's momentum", RAW_OPTIMIZERS, "p.assign_sub(learning_rate * velocity)", "p.assign_sub(learning_rate * (g + self.spec.momentum * velocity))", "sgd, step 1: parameters", "", DENSE),
    Fault("no momentum", RAW_OPTIMIZERS, "self.spec.momentum * velocity + g", "g", "sgd, step 2: optimizer state", "", DENSE),
    Fault("sum for mean", RAW_LOSSES, "tf.reduce_mean(tf.nn.sparse", "tf.reduce_sum(tf.nn.sparse", LOSS, "loss", DENSE),
    Fault("labels shifted by one in the loss", RAW_LOSSES, "cross_entropy_with_logits(labels, logits)", "cross_entropy_with_logits((labels + 1) % 10, logits)", LOSS, "loss", DENSE),
    Fault("L2 in the gradient alone", RAW_TRAIN, "self.optimizer.apply(tape.gradient(loss, list(self.trainable.values())), rate)", "self.optimizer.apply([g + 1e-6 * p for g, p in zip(tape.gradient(loss, list(self.trainable.values())), self.trainable.values())], rate)", "step 1: optimizer state", "", DENSE),
    Fault("evaluation of dimmed images", RAW_TRAIN, "return self._logits(images, training=False)", "return self._logits(images * 255 / 256, training=False)", LOGITS, "logits", DENSE),
    Fault("the gradient of the last step", RAW_TRAIN, "self.optimizer.apply(tape.gradient(loss, list(self.trainable.values())), rate)", "gradients = tape.gradient(loss, list(self.trainable.values()))\n        self.last = getattr(self, 'last', None) or [tf.Variable(tf.zeros_like(p)) for p in self.trainable.values()]\n        self.optimizer.apply([tf.identity(g) for g in self.last], rate)\n        [kept.assign(g) for kept, g in zip(self.last, gradients)]", "step 1: optimizer state", "", DENSE),
    Fault("weights through bfloat16", RAW_WEIGHTS, "tf.cast(weights[p.name], named[p.name].dtype)", "tf.cast(tf.cast(weights[p.name], tf.bfloat16), named[p.name].dtype)", GATE, "initial conv1/kernel"),
    Fault("kernels of dense layers transposed in what is given", RAW_WEIGHTS, "tf.convert_to_tensor(tensors[p.name]).numpy()", "(tensors[p.name].numpy().T if p.name == 'dense2/kernel' else tensors[p.name].numpy())", GATE, "initial dense2/kernel", DENSE),
    Fault("loss of clipped probabilities", RAW_LOSSES, "tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)", "-tf.math.log(tf.clip_by_value(tf.gather(tf.nn.softmax(logits), labels, batch_dims=1), 1e-7, 1.0))", LARGE + LOSS, "loss", DENSE),
    Fault("exponentials that overflow", RAW_LOSSES, "tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)", "tf.math.log(tf.reduce_sum(tf.exp(10 * logits), 1)) / 10 - tf.gather(logits, labels, batch_dims=1)", LOSS, "loss", DENSE),
    Fault("dropout chosen once, when the graph is traced", RAW_LAYERS, "tf.random.get_global_generator().uniform(tf.shape(x), dtype=x.dtype)", "tf.constant(__import__('numpy').random.random((1, x.shape[1])), x.dtype)", DROPPED, "dropout1/share", DROPOUT),
    Fault("another seed in every process", RAW_CREATE, "tf.random.Generator.from_seed(train.seed + world.rank)", "tf.random.Generator.from_non_deterministic_state()", TRAINED, "the same", DROPOUT),
    Fault("bias corrections in the parameter's type", RAW_OPTIMIZERS, "tf.cast(self.step.assign_add(1), tf.float64)", "tf.cast(self.step.assign_add(1), self.m[0].dtype)", "step 1: update from its own moments", "", DENSE),
]

# fmt: on

FAULTS = [*TORCH, *KERAS, *RAW]
