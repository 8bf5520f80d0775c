"""Where the time of a step goes, from a profiler's report."""

import pytest
from simulation import simulated_bench

from compare.bench import alone
from compare.bench.operations import ARITHMETIC, bounds, operations
from compare.bench.result import BenchResult
from compare.bench.verdicts import step_time
from shared.products import products


def with_operations(spent: dict[str, float]) -> BenchResult:
    """Return a bench with this profile of torch in the first launch, and no other profile."""
    result = simulated_bench()
    launches = [
        launch.model_copy(
            update={
                "measured": {
                    name: m.model_copy(update={"operation_s": spent if (launch.number, name) == (0, "torch") else {}})
                    for name, m in launch.measured.items()
                }
            }
        )
        for launch in result.launches
    ]
    return result.model_copy(update={"launches": tuple(launches)})


def test_what_a_step_would_reach_if_only_arithmetic_took_time() -> None:
    """64 images of 1e6 operations within 4 ms are 16e9 per second, of a roof of 1e11."""
    result = with_operations({"aten::mkldnn_convolution": 0.003, "aten::mm": 0.001, "aten::max_pool2d": 0.002})
    assert bounds(result) == [
        "torch: convolutions and matrix products take 4.00 of 6.00 ms, at 16 GFLOP/s, 16% of the roofline. A step "
        "would reach this rate if nothing else took time."
    ]
    unmeasured = [launch.model_copy(update={"ceilings": ()}) for launch in result.launches]
    assert "at 16 GFLOP/s. A step would" in bounds(result.model_copy(update={"launches": tuple(unmeasured)}))[0]


def test_nothing_is_said_of_operations_that_cannot_be_distinguished() -> None:
    assert bounds(with_operations({"XlaLaunch": 0.006})) == []
    assert bounds(with_operations({})) == []


def test_the_table_has_the_most_and_the_rest() -> None:
    spent = {f"operation {n:02}": 0.001 * (20 - n) for n in range(14)}
    lines = operations(with_operations(spent))["torch"]
    assert [line[0] for line in lines] == [f"operation {n:02}" for n in range(12)] + ["all others"]
    assert lines[0][1:] == ["20.00 ms", "11%"]
    assert lines[-1][1:] == ["15.00 ms", "8%"]


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("aten::mkldnn_convolution", True),
        ("aten::convolution_backward", True),
        ("aten::addmm", True),
        ("aten::mm", True),
        ("_MklNativeFusedConv2D", True),
        ("_MklMatMul", True),
        ("sm80_xmma_wgrad_implicit_gemm_f32f32", True),
        ("cudnn_infer_ampere_scudnn_128x32_relu_small_nn_v1_fprop", True),
        ("aten::max_pool2d_with_indices_backward", False),
        ("aten::_fused_adam_", False),
        ("BiasAddGrad", False),
        ("loop_convert_fusion", False),
        ("XlaLaunch", False),
        ("ResourceApplyAdam", False),
    ],
)
def test_arithmetic_is_known_by_its_name(name: str, counts: bool) -> None:
    assert bool(ARITHMETIC.search(name)) == counts


def test_what_a_step_reaches_of_its_products_alone() -> None:
    """64 images of 1e6 operations in 3.2 ms are 20e9 per second, of a roof of 1e11."""
    result = simulated_bench()
    spec = result.spec
    names = [str(product) for product in products(spec)]
    first = result.launches[0]
    torch = first.measured["torch"].model_copy(update={"alone_s": {name: 0.0032 / len(names) for name in names}})
    launch = first.model_copy(update={"measured": {**first.measured, "torch": torch}})
    result = result.model_copy(update={"launches": (launch, *result.launches[1:])})
    step = step_time(result, "torch", "compute")
    assert step is not None
    (said,) = alone.sentences(result)
    assert "take 3.20 ms, at 20 GFLOP/s, 20% of the roofline" in said
    assert said.endswith(f"so it reaches {0.0032 / step.value:.0%} of that rate.")
    assert alone.headings(result) == ["alone", "torch"]
    assert [line[0] for line in alone.cells(result)] == names
    assert alone.sentences(simulated_bench()) == []
