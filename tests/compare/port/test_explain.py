"""Only a change that turns the right output into the left one is a cause."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from graph_builder import Builder

from compare.graphs.node import Node, Recording
from compare.port.align import align
from compare.port.differences import differences
from compare.port.explain import Case, Explanation, explain
from compare.port.measure import bounds
from compare.port.weights import transfer

IMAGE = {"x": np.random.default_rng(2).normal(size=(2, 3, 9, 9))}


def network(**changed: object) -> Builder:
    """Return convolution, normalisation, activation, pooling and head. `changed` are attributes such as
    conv_strides."""

    def of(part: str) -> dict[str, object]:
        return {name.removeprefix(f"{part}_"): value for name, value in changed.items() if name.startswith(f"{part}_")}

    b = Builder(IMAGE)
    b.conv(3, 4, name="conv", **of("conv"))
    b.batch_norm(4, name="norm", **of("norm"))
    b.add(str(changed.get("kind", "LeakyRelu")), name="act", **({"alpha": 0.1} | of("act")))
    usual = {"kernel_shape": (3, 3), "strides": (2, 2), "pads": (1, 1, 1, 1), "dilations": (1, 1)}
    b.add("MaxPool", name="pool", **(usual | {"ceil_mode": False, "pad_value": None} | of("pool")))
    b.add("GlobalAveragePool", name="mean", keepdims=True)
    b.add("Flatten", name="flat", axis=1)
    b.gemm(4, 5, name="head")
    return b


def explained(left: Recording, right: Recording) -> Explanation:
    """Return the explanation by `compare port` of two recordings that both have the left one's weights."""

    def no_fallback(node: Node, inputs: list[np.ndarray]) -> np.ndarray:
        raise AssertionError(f"the evaluator does not know {node.kind}")

    alignment = align(left, right)
    case = Case(left, right, alignment, IMAGE, bounds(left, IMAGE, no_fallback), no_fallback, no_fallback)
    return explain(case, differences(left, right, alignment, transfer(left, right, alignment)))


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"norm_epsilon": 1e-3}, "batch_norm.epsilon"),
        ({"conv_pads": (0, 0, 2, 2)}, "padding.side"),
        ({"conv_pads": (0, 0, 0, 0)}, "padding.amount"),
        ({"conv_pad_mode": "reflect"}, "padding.mode"),
        ({"conv_strides": (2, 2)}, "conv.stride"),
        ({"conv_dilations": (2, 2), "conv_pads": (2, 2, 2, 2)}, "conv.dilation"),
        ({"act_alpha": 0.3}, "activation.slope"),
        ({"kind": "Elu"}, "activation.kind"),
        ({"pool_pads": (0, 0, 2, 2)}, "padding.side"),
        ({"pool_kernel_shape": (2, 2)}, "pool.size"),
    ],
)
def test_one_change_is_named_and_explains_everything(changed: dict[str, object], cause: str) -> None:
    found = explained(network().made(), network(**changed).made())
    assert cause in [one.cause for one in found.causes]
    assert found.output_distance > 1e-6
    assert found.left_over <= 1e-12
    assert found.unexplained == ()


def test_equal_networks_have_no_cause() -> None:
    found = explained(network().made(), network().made())
    assert (found.causes, found.unexplained, found.output_distance) == ((), (), 0.0)


def test_two_causes_are_both_named_the_larger_first_with_the_error_between_them() -> None:
    found = explained(network().made(), network(norm_epsilon=1e-3, act_alpha=0.3).made())
    first, second = found.causes
    assert (first.cause, second.cause) == ("activation.slope", "batch_norm.epsilon")
    assert first.before == found.output_distance
    assert first.after is not None
    assert first.after < first.before / 10
    assert first.after == second.before
    assert second.after is not None
    assert second.after <= 1e-12 < (first.after or 0)


def test_a_difference_without_effect_is_harmless() -> None:
    def padded(value: float | None) -> Recording:
        b = Builder(IMAGE)
        b.conv(3, 4, name="conv")
        b.add("Relu", name="act")  # makes a padding of zeros as low as any value
        shape = {"kernel_shape": (3, 3), "strides": (2, 2), "pads": (1, 1, 1, 1), "dilations": (1, 1)}
        b.add("MaxPool", name="pool", **shape, ceil_mode=False, pad_value=value)
        return b.made()

    found = explained(padded(None), padded(0.0))
    assert found.causes == ()
    assert [one.cause for one in found.harmless] == ["padding.mode"]


def test_what_nothing_explains_is_located() -> None:
    def of(slope: float) -> Recording:
        recording = network(act_alpha=slope).made()
        nodes = tuple(
            replace(n, kind="torch:odd", attributes={}) if n.name == "act" else n for n in recording.graph.nodes
        )
        return replace(recording, graph=replace(recording.graph, nodes=nodes))

    def odd(slope: float) -> Callable[[Node, list[np.ndarray]], np.ndarray]:
        return lambda node, inputs: np.where(inputs[0] > 0, inputs[0], slope * inputs[0])

    left, right = of(0.1), of(0.3)
    alignment = align(left, right)
    case = Case(left, right, alignment, IMAGE, bounds(left, IMAGE, odd(0.1)), odd(0.1), odd(0.3))
    found = explain(case, differences(left, right, alignment, transfer(left, right, alignment)))
    assert found.causes == ()
    (one,) = found.unexplained
    assert (one.left, one.right) == ("act", "act")
    (given,), (mine, theirs) = one.inputs, one.outputs  # those of the worst example
    assert len(given) == 1
    np.testing.assert_array_equal(mine, np.where(given > 0, given, 0.1 * given))
    np.testing.assert_array_equal(theirs, np.where(given > 0, given, 0.3 * given))


@pytest.mark.parametrize(
    ("edit", "cause"),
    [
        (lambda b: b.add("Softmax", name="soft", axis=1), "softmax.present"),
        (lambda b: b.add("Relu", name="more"), "layer.missing"),
    ],
)
def test_a_layer_on_one_side_is_named_on_either_side(edit: Callable[[Builder], str], cause: str) -> None:
    more = network()
    edit(more)
    for left, right in ((network().made(), more.made()), (more.made(), network().made())):
        found = explained(left, right)
        assert [one.cause for one in found.causes] == [cause]
        assert found.left_over <= 1e-12


def test_a_normalisation_behind_the_activation_is_an_order() -> None:
    def ordered(norm_first: bool) -> Builder:
        b = Builder(IMAGE)
        b.conv(3, 4, name="conv")
        if norm_first:
            b.batch_norm(4, name="norm")
        b.add("Relu", name="act")
        if not norm_first:
            b.batch_norm(4, name="norm")
        b.conv(4, 4, name="next")
        return b

    found = explained(ordered(True).made(), ordered(False).made())
    assert [one.cause for one in found.causes] == ["layer.order"]
    assert found.left_over <= 1e-12


def odd(recording: Recording, name: str) -> Recording:
    """Return the recording with one layer unknown to the reference."""
    nodes = tuple(replace(n, kind="torch:odd", attributes={}) if n.name == name else n for n in recording.graph.nodes)
    return replace(recording, graph=replace(recording.graph, nodes=nodes))


def slope(value: float) -> Callable[[Node, list[np.ndarray]], np.ndarray]:
    return lambda node, inputs: np.where(inputs[0] > 0, inputs[0], value * inputs[0])


def beside_a_mystery(left: Recording, right: Recording) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the causes and the unexplained pairs, if the activations differ and nothing explains it."""
    left, right = odd(left, "act"), odd(right, "act")
    alignment = align(left, right)
    case = Case(left, right, alignment, IMAGE, bounds(left, IMAGE, slope(0.1)), slope(0.1), slope(0.3))
    found = explain(case, differences(left, right, alignment, transfer(left, right, alignment)))
    return [cause.cause for cause in found.causes], [(pair.left, pair.right) for pair in found.unexplained]


def test_a_cause_that_lessens_nothing_is_none() -> None:
    right = network(act_alpha=0.3)
    right.add("LeakyRelu", name="more", alpha=1.0)  # the identity
    assert beside_a_mystery(network().made(), right.made()) == ([], [("act", "act")])


def test_a_cause_that_its_own_layer_proves_is_one_beside_a_mystery() -> None:
    right = network(act_alpha=0.3, norm_epsilon=0.3)
    assert beside_a_mystery(network().made(), right.made()) == (["batch_norm.epsilon"], [("act", "act")])
