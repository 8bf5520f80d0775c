"""Describe this implementation to the harness, before a worker imports it."""

from compare.registry import ImplementationSpec, Style

JAX = ImplementationSpec(
    name="jax",
    title="JAX",
    module="jax_impl.create",
    default_mode="graph",  # with `jax.jit`, XLA compiles a step into one program
    modes=("eager", "graph"),
    dtypes={"cpu": ("float32", "float64"), "cuda": ()},  # JAX also runs on other devices; not tested there
    versions=("jax", "jaxlib", "flax"),
    # Without JAX_ENABLE_X64, JAX always computes in float32.
    variables={"JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"},
    style=Style("#E69F00", "-.", "s"),
)
