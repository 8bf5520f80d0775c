"""Normal forms of sequences, attention and masks, and the names of their differences."""

import numpy as np
import pytest
from graph_builder import Builder

from compare.graphs.node import Recording
from compare.port.attention import written_out
from compare.port.masks import named_masks
from compare.port.normal import normal_form
from compare.port.packed import parts_of
from compare.port.sequences import taken_from_sequences

DRAW = np.random.default_rng(5)
SEQUENCE = {"x": DRAW.normal(size=(2, 6, 5))}
IDS = np.array([[3, 4, 5, 6, 7, 8], [2, 3, 4, 0, 0, 0]])


def recurrent(b: Builder, name: str, *inputs: str, kind: str = "LSTM", n_in: int = 5, **attributes: object) -> str:
    rows = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind] * 4
    b.add(kind, *inputs, name=name, **{"direction": "forward", "takes": (), **attributes})
    return b.with_weights(W=DRAW.normal(size=(rows, n_in)), R=DRAW.normal(size=(rows, 4)), B=DRAW.normal(size=rows))


def both_directions() -> Builder:
    b = Builder(SEQUENCE)
    recurrent(b, "forward", "x")
    recurrent(b, "backward", "x", direction="reverse")
    b.add("Concat", "forward", "backward", name="both", axis=2)
    return b


def cut(b: Builder, source: str, axis: int, at: int, name: str) -> str:
    return b.add("Slice", source, name=name, axes=(axis,), starts=(at,), ends=(at + 1,), steps=(1,))


def kinds(recording: Recording) -> dict[str, list[str]]:
    """Return the names of the nodes of every kind."""
    found: dict[str, list[str]] = {}
    for node in recording.graph.nodes:
        found.setdefault(node.kind, []).append(node.name)
    return found


def holds(recording: Recording) -> None:
    """Assert that every node's value is still what it computes from its inputs."""
    from compare.graphs.evaluate import evaluate_node

    for node in recording.graph.nodes:
        if node.kind != "Input":
            weights = {role: recording.weights[f"{node.name}/{role}"] for role in node.roles}
            made = evaluate_node(node, [recording.values[name] for name in node.inputs], weights)
            assert np.allclose(made, recording.values[node.name], atol=1e-12), node
            assert made.shape == node.shape, node


def test_the_last_step_of_both_directions_is_that_of_each() -> None:
    b = both_directions()
    cut(b, "both", 1, 5, "last")
    b.add("Squeeze", "last", name="end", axes=(1,))
    made = taken_from_sequences(b.made("end"))
    holds(made)
    assert made.graph["end"].kind == "Concat"
    slices = {made.graph[made.graph[name].inputs[0]].inputs[0] for name in made.graph["end"].inputs}
    assert slices == {"forward", "backward"}


def test_a_part_of_what_is_joined_is_the_part() -> None:
    b = both_directions()
    b.add("Slice", "both", name="half", axes=(2,), starts=(4,), ends=(8,), steps=(1,))
    b.add("Tanh", "half", name="end")
    made = taken_from_sequences(b.made("end"))
    assert made.graph["end"].inputs == ("backward",)


def test_states_behind_a_transpose_are_slices_of_the_sequence() -> None:
    """PyTorch's h[-1] takes one of (layers, N, H)."""
    b = both_directions()
    states = [cut(b, name, 1, at, f"{name}:h") for name, at in (("forward", 5), ("backward", 0))]
    b.add("Concat", *states, name="joined", axis=1)
    b.add("Transpose", "joined", name="h", perm=(1, 0, 2))
    cut(b, "h", 0, 1, "one")
    b.add("Squeeze", "one", name="end", axes=(0,))
    made = normal_form(b.made("end"))
    holds(made)
    assert [node.name for node in made.graph.nodes] == ["x", "backward", "backward:h", "end"]
    assert made.graph["end"].kind == "Flatten"


def test_what_is_no_sequence_stays() -> None:
    b = Builder({"x": DRAW.normal(size=(2, 4, 6))})
    b.add("Concat", "x", "x", name="both", axis=2)
    cut(b, "both", 1, 3, "end")
    assert taken_from_sequences(b.made("end")).graph == b.made("end").graph


def by_hand(scale: float, mask: np.ndarray | None = None, early: bool = False) -> Recording:
    """Return attention of three heads as a user writes it. `early` scales the queries before they are split."""
    b = Builder({"x": DRAW.normal(size=(2, 6, 12)), "ids": IDS})
    source = b.add("Mul", "x", name="scaled", scalar=scale) if early else "x"
    for name, each in (("q", source), ("k", "x"), ("v", "x")):
        b.add("Reshape", each, name=f"{name}:apart", shape=(-1, 6, 3, 4))
        b.add("Transpose", f"{name}:apart", name=name, perm=(0, 2, 1, 3))
    b.add("Transpose", "k", name="turned", perm=(0, 1, 3, 2))
    b.add("MatMul", "q", "turned", name="scores")
    if not early:
        b.add("Mul", "scores", name="scores:2", scalar=scale)
    if mask is not None:
        b.add("Constant", name="mask")
        b.nodes[-1] = b.nodes[-1].__class__("mask", "Constant", (), {}, ("value",), "Constant")
        b.weights["mask/value"] = np.where(mask, 0.0, -1e9)
        b.add("Add", "scores" if early else "scores:2", "mask", name="masked")
    b.add("Softmax", name="softmax", axis=3)
    b.add("Dropout", name="dropout", ratio=0.2, active=False)
    b.add("MatMul", "dropout", "v", name="made")
    b.add("Transpose", "made", name="back", perm=(0, 2, 1, 3))
    b.add("Flatten", "back", name="end", axis=2)
    return b.made("end")


@pytest.mark.parametrize("early", [False, True])
def test_attention_by_hand_is_one_node(early: bool) -> None:
    made = normal_form(by_hand(0.5, early=early))
    holds(made)
    (name,) = kinds(made)["Attention"]
    a = made.graph[name].attributes
    assert (a["num_heads"], a["scale"], a["is_causal"], a["dropout"], a["takes"]) == (3, 0.5, False, 0.2, ())
    assert made.graph[name].inputs == ("x", "x", "x")
    assert "MatMul" not in kinds(made)


def test_masks_are_named_by_what_they_are_made_from() -> None:
    causal = np.tri(6, dtype=bool)[None, None]
    padding = (IDS != 0)[:, None, None, :]
    for mask, is_causal, takes in (
        (causal, True, ()),
        (padding, False, ("keys",)),
        (causal & padding, True, ("keys",)),
    ):
        made = normal_form(by_hand(0.5, mask))
        holds(made)
        (name,) = kinds(made)["Attention"]
        a = made.graph[name].attributes
        assert (a["is_causal"], a["takes"]) == (is_causal, takes)
        if takes:
            mask_node = made.graph[made.graph[name].inputs[3]]
            assert (mask_node.kind, mask_node.inputs, mask_node.attributes["scalar"]) == ("NotEqual", ("ids",), 0)


def test_other_scores_are_left_as_they_are() -> None:
    """These are a mask without a known name, and scores to which something else is added."""
    odd = np.ones((6, 6), bool)
    odd[2, 3] = False
    assert "Attention" not in kinds(written_out(by_hand(0.5, odd[None, None])))
    b = by_hand(0.5, np.tri(6, dtype=bool)[None, None])
    b.weights["mask/value"] = b.weights["mask/value"] + 0.3
    values = {**b.values, "masked": b.values["masked"] + 0.3}
    assert "Attention" not in kinds(written_out(Recording(b.graph, values, b.weights)))


def test_a_mask_of_a_recurrent_layer() -> None:
    b = Builder({**SEQUENCE, "ids": IDS})
    b.add("Constant", name="mask")
    b.nodes[-1] = b.nodes[-1].__class__("mask", "Constant", (), {}, ("value",), "Constant")
    b.weights["mask/value"] = (IDS != 0).astype(np.int32)
    recurrent(b, "rnn", "x", "mask", takes=("mask",))
    made = named_masks(b.made("rnn"))
    assert made.graph["rnn"].inputs == ("x", "ids:mask")
    b.weights["mask/value"] = np.ones_like(IDS, dtype=np.int32)
    made = named_masks(b.made("rnn"))
    assert (made.graph["rnn"].inputs, made.graph["rnn"].attributes["takes"]) == (("x",), ())


def test_what_is_cut_off_a_convolution_is_less_padding() -> None:
    b = Builder({"x": DRAW.normal(size=(2, 3, 9))})
    b.add("Conv", "x", name="conv", strides=(1,), pads=(4, 4), dilations=(2,), group=1, pad_mode="constant")
    b.with_weights(W=DRAW.normal(size=(4, 3, 3)))
    b.add("Slice", "conv", name="end", axes=(2,), starts=(0,), ends=(9,), steps=(1,))
    made = normal_form(b.made("end"))
    holds(made)
    assert [(node.name, node.attributes.get("pads")) for node in made.graph.nodes] == [("x", None), ("conv", (4, 0))]


def test_a_table_looked_up_in_order_is_a_parameter() -> None:
    b = Builder({"x": DRAW.normal(size=(2, 6, 5))})
    b.nodes.append(b.nodes[-1].__class__("places", "Constant", (), {}, ("value",), "Constant"))
    b.weights["places/value"] = np.arange(6)[None]
    b.add("Gather", "places", name="table", axis=0, padding_idx=None)
    b.with_weights(W=DRAW.normal(size=(8, 5)))
    b.add("Add", "x", "table", name="end")
    made = normal_form(b.made("end"))
    assert (made.graph["table"].kind, made.graph["table"].roles) == ("Parameter", ("value",))
    assert made.graph["end"].inputs == ("x", "table:rows")
    holds(made)


def test_what_moves_a_constant_is_one() -> None:
    b = Builder({"x": DRAW.normal(size=(2, 6, 5))})
    b.nodes.append(b.nodes[-1].__class__("pe", "Constant", (), {}, ("value",), "Constant"))
    b.weights["pe/value"] = DRAW.normal(size=(1, 9, 5))
    b.add("Slice", "pe", name="rows", axes=(1,), starts=(0,), ends=(6,), steps=(1,))
    b.add("Add", "x", "rows", name="end")
    made = normal_form(b.made("end"))
    assert [(node.name, node.kind) for node in made.graph.nodes] == [
        ("x", "Input"),
        ("rows", "Constant"),
        ("end", "Add"),
    ]
    holds(made)


@pytest.mark.parametrize("form", ["split", "unbound"])
def test_a_product_that_is_cut_into_parts_is_one_for_each(form: str) -> None:
    b = Builder({"x": DRAW.normal(size=(2, 6, 5))})
    b.add("Gemm", "x", name="qkv", axis=2)
    b.with_weights(W=DRAW.normal(size=(24, 5)), B=DRAW.normal(size=24))
    source, axis, size = "qkv", 2, 8
    if form == "unbound":
        b.add("Reshape", "qkv", name="apart", shape=(-1, 6, 3, 2, 4))
        source, axis, size = b.add("Transpose", "apart", name="turned", perm=(2, 0, 3, 1, 4)), 0, 1
    for k in range(3):
        one = {"axes": (axis,), "starts": (k * size,), "ends": ((k + 1) * size,), "steps": (1,)}
        b.add("Slice", source, name=f"part{k}", **one)
        if form == "unbound":
            b.add("Squeeze", f"part{k}", name=f"one{k}", axes=(0,))
    last = "one" if form == "unbound" else "part"
    b.add("Add", f"{last}0", f"{last}1", name="sum")
    b.add("Mul", "sum", f"{last}2", name="end")
    before = b.made("end")
    made = normal_form(before)
    holds(made)
    products = kinds(made)["Gemm"]
    assert products == [f"qkv[{k * 8}:{k * 8 + 8}]" for k in range(3)]
    assert "Slice" not in kinds(made)
    new = {name: made.weights[name] + 1 for name in made.weights}
    whole = dict(before.weights)
    for name, part in parts_of(before, made).items():
        whole[part.key] = part.into(whole[part.key], new[name])
    assert all(np.array_equal(whole[name], before.weights[name] + 1) for name in whole)
