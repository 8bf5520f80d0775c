"""Measuring the machine's limits: a copy writes to existing memory, and products are those of a training step."""

import subprocess
import sys

import pytest

N_VALUES, COPIES = 1 << 24, 5
# Runs each framework in its own process. It prints the pages that a copy has faulted in, and the sum of the target. It
# also prints the distance of each product of some networks from the framework's own gradient of the layer.
PROGRAM = f"""
import inspect, resource
import numpy as np
from {{package}} import limits, products
from shared.models import MODELS
from shared.products import products as products_of

copy = limits.memory_copy("cpu", {N_VALUES})
copy()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({COPIES}):
    copy()
faulted = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
found = inspect.getclosurevars(getattr(copy, "python_function", copy)).nonlocals
targets = found["targets"] if "targets" in found else [found["target"]]
print(faulted / {COPIES}, sum(float(target.numpy().sum()) for target in targets))

{{gradients}}

worst, n = 0.0, 0
for name in ("cnn_same", "cnn_wide_valid", "cnn_bn_cifar"):
    for product in products_of(MODELS[name]):
        for run in products.product_alone(product, 3, "cpu"):
            compute = inspect.getclosurevars(run).nonlocals["compute"]
            given, expected = compute().numpy(), own(product, **operands(compute)).numpy()
            assert given.shape == expected.shape, (product, given.shape, expected.shape)
            worst, n = max(worst, float(np.abs(given - expected).max() / np.abs(expected).max())), n + 1
print(worst, n)
"""
OPERANDS = """
def operands(compute):
    found = inspect.getclosurevars(compute).nonlocals
    return {name: found.get(name) for name in ("x", "kernel", "upstream")}
"""
GRADIENTS = {
    "torch_impl": """
import torch
def own(product, x, kernel, upstream):
    dense = len(product.kernel) == 2
    n, (n_in, n_out) = 3, product.kernel[-2:]
    size = product.kernel[:2]
    x = torch.rand(n, *((n_in,) if dense else (n_in, *product.taken[:2]))) if x is None else x
    kernel = torch.rand(n_out, n_in, *(() if dense else size)) if kernel is None else kernel
    x, kernel = x.clone().requires_grad_(), kernel.clone().requires_grad_()
    if dense:
        y = torch.nn.functional.linear(x, kernel)
    else:
        y = torch.nn.functional.conv2d(x, kernel, padding="same" if product.same else "valid")
    if product.by == "output":
        return y.detach()
    return torch.autograd.grad(y, kernel if product.by == "weights" else x, upstream)[0]
""",
    "tf_lowlevel_impl": """
import tensorflow as tf
def own(product, x, kernel, upstream):
    x = tf.random.uniform((3, *product.taken)) if x is None else x
    kernel = tf.random.uniform(product.kernel) if kernel is None else kernel
    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        if len(product.kernel) == 2:
            y = x @ kernel
        else:
            y = tf.nn.conv2d(x, kernel, 1, "SAME" if product.same else "VALID")
    if product.by == "output":
        return y
    return tape.gradient(y, kernel if product.by == "weights" else x, output_gradients=upstream)
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("package", ["torch_impl", "tf_lowlevel_impl"])
def test_a_copy_writes_to_memory_that_is_there_and_products_are_those_of_a_step(package: str) -> None:
    """New memory would be mapped first, which made TensorFlow's copy as slow as 1.2 GB/s.

    The source was written before. Unwritten memory is a single page of zeros, which stays in the cache.
    """
    program = PROGRAM.format(package=package, gradients=OPERANDS + GRADIENTS[package])
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    faulted, total, worst, n_products = map(float, ran.stdout.split())
    assert faulted < N_VALUES * 4 / 4096 / 100
    assert total == N_VALUES
    assert worst < 1e-5  # float32
    assert n_products > 30
