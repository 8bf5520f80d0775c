"""Describe these implementations to the harness, before a worker imports one."""

from compare.registry import ImplementationSpec, Style
from shared.choices import Device, Dtype

# Both packages also run on other devices, where these implementations were not tested.
CPU_ALONE: dict[Device, tuple[Dtype, ...]] = {"cpu": ("float32", "float64"), "cuda": ()}

KERAS_TORCH = ImplementationSpec(
    name="keras@torch",
    title="Keras on PyTorch",
    module="keras_backends.on_torch",
    default_mode="eager",
    modes=("eager",),
    dtypes=CPU_ALONE,
    idiomatic_scale="unit",
    versions=("torch", "keras"),
    variables={"KERAS_BACKEND": "torch", "KERAS_TORCH_DEVICE": "cpu"},
    style=Style("#882255", (0, (5, 1, 1, 1)), "^"),
)

KERAS_JAX = ImplementationSpec(
    name="keras@jax",
    title="Keras on JAX",
    module="keras_backends.on_jax",
    default_mode="graph",
    modes=("eager", "graph"),
    dtypes=CPU_ALONE,
    idiomatic_scale="unit",
    versions=("jax", "jaxlib", "keras"),
    # Without JAX_ENABLE_X64, JAX always computes in float32.
    variables={"KERAS_BACKEND": "jax", "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"},
    style=Style("#56B4E9", (0, (3, 1, 1, 1, 1, 1)), "D"),
)
