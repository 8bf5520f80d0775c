"""The copy that a framework's own memory rate is measured with: it copies, into memory that is there."""

import subprocess
import sys

import pytest

N_VALUES, COPIES = 1 << 24, 5
# Each framework in a process of its own. Prints the pages that a copy has faulted in, and whether the target is equal.
PROGRAM = f"""
import inspect, resource
from {{package}}.limits import memory_copy
copy = memory_copy("cpu", {N_VALUES})
copy()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({COPIES}):
    copy()
faulted = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
found = inspect.getclosurevars(getattr(copy, "python_function", copy)).nonlocals
targets = found["targets"] if "targets" in found else [found["target"]]
print(faulted / {COPIES}, sum(float(target.numpy().sum()) for target in targets))
"""


@pytest.mark.slow
@pytest.mark.parametrize("package", ["torch_impl", "tf_lowlevel_impl"])
def test_a_copy_writes_to_memory_that_is_there(package: str) -> None:
    """New memory would have to be mapped first: TensorFlow's copy was as slow as 1.2 GB/s that way. The source was
    written: unwritten memory is one page of zeros, which stays in the cache."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(package=package)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    faulted, total = map(float, ran.stdout.split())
    assert faulted < N_VALUES * 4 / 4096 / 100
    assert total == N_VALUES
