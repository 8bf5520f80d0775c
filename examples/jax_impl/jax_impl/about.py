"""What the harness knows of this implementation before a worker imports it."""

from compare.registry import ImplementationSpec, Style

JAX = ImplementationSpec(
    name="jax",
    title="JAX",
    module="jax_impl.create",
    default_mode="graph",  # `jax.jit`, by which XLA compiles a step into one program
    modes=("eager", "graph"),
    dtypes={"cpu": ("float32", "float64"), "cuda": ()},  # JAX computes on other devices, too: that was not tested
    versions=("jax", "jaxlib", "flax"),
    # Without the first, JAX computes in float32 whatever it is given.
    variables={"JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"},
    style=Style("#E69F00", "-.", "s"),
)
