"""The fastest hand-written loop of `cnn_same` in one framework, without this project.

Usage: python tests/support/best_loop.py torch|keras|tf_lowlevel. Each input line is a number of steps, each output line
their seconds. A process imports only its own framework.
"""

import gc
import sys
import time
from collections.abc import Callable

import numpy as np

UNCOUNTED = 3
random = np.random.default_rng(0)
BATCHES = [(random.random((64, 28, 28, 1), np.float32), random.integers(0, 10, 64)) for _ in range(16)]
RATE = 1e-9


def torch_loop() -> Callable[[int], None]:
    import torch
    import torch.nn.functional as F
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
            self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
            self.dense1 = nn.Linear(3136, 128)
            self.dense2 = nn.Linear(128, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = F.relu(F.max_pool2d(self.conv1(x), 2))
            x = F.relu(F.max_pool2d(self.conv2(x), 2))
            return self.dense2(F.relu(self.dense1(x.flatten(1))))

    net = Net().to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(net.parameters(), lr=RATE, eps=1e-7, fused=True)

    def run(steps: int) -> None:
        for number in range(steps):
            images, labels = BATCHES[number % len(BATCHES)]
            adam.zero_grad()
            logits = net(torch.from_numpy(images).permute(0, 3, 1, 2))
            loss = F.cross_entropy(logits, torch.from_numpy(labels))
            loss.backward()
            adam.step()
        loss.item()

    return run


def tensorflow_loop(with_keras: bool) -> Callable[[int], None]:
    import tensorflow as tf

    forward, variables, apply = keras_network() if with_keras else raw_network()

    @tf.function(input_signature=[tf.TensorSpec((64, 28, 28, 1), tf.float32), tf.TensorSpec((64,), tf.int64)])
    def step(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = forward(images)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        apply(tape.gradient(loss, variables))
        return loss

    def run(steps: int) -> None:
        for number in range(steps):
            images, labels = BATCHES[number % len(BATCHES)]
            loss = step(tf.constant(images), tf.constant(labels))
        loss.numpy()

    return run


def keras_network() -> tuple:
    import keras
    from keras import layers

    net = keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10),
        ]
    )
    variables = net.trainable_variables
    adam = keras.optimizers.Adam(RATE)
    adam.build(variables)
    return lambda images: net(images, training=True), variables, lambda gradients: adam.apply(gradients, variables)


def raw_network() -> tuple:
    import tensorflow as tf

    shapes = ((3, 3, 1, 32), (32,), (3, 3, 32, 64), (64,), (3136, 128), (128,), (128, 10), (10,))
    variables = [tf.Variable(tf.random.normal(shape, stddev=0.05)) for shape in shapes]
    moments = [(tf.Variable(tf.zeros_like(v)), tf.Variable(tf.zeros_like(v))) for v in variables]
    powers = tf.Variable(0.9), tf.Variable(0.999)
    kernel1, bias1, kernel2, bias2, dense1, bias3, dense2, bias4 = variables

    def forward(x: tf.Tensor) -> tf.Tensor:
        for kernel, bias in ((kernel1, bias1), (kernel2, bias2)):
            x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "SAME"), bias))
            x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        x = tf.nn.relu(tf.matmul(tf.reshape(x, (-1, 3136)), dense1) + bias3)
        return tf.matmul(x, dense2) + bias4

    def apply(gradients: list[tf.Tensor]) -> None:
        for variable, (m, v), gradient in zip(variables, moments, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=powers[0],
                beta2_power=powers[1],
                lr=RATE,
                beta1=0.9,
                beta2=0.999,
                epsilon=1e-7,
                grad=gradient,
            )
        powers[0].assign(powers[0] * 0.9)
        powers[1].assign(powers[1] * 0.999)

    return forward, variables, apply


def main() -> None:
    which = sys.argv[1]
    run = torch_loop() if which == "torch" else tensorflow_loop(which == "keras")
    run(20)
    gc.collect()
    gc.freeze()
    gc.disable()
    print("ready", flush=True)
    for line in sys.stdin:
        run(UNCOUNTED)
        start = time.perf_counter()
        run(int(line))
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
