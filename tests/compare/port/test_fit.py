"""Two training functions are watched. Differences in their data are found, and their other actions are reported."""

from pathlib import Path

import numpy as np
import pytest
from fit_slips import DATA, FITS, KERAS, TORCH, fit, fitted, loop
from slip import Slip

from compare.commands.port import _request
from compare.graphs.losses import LossRecord
from compare.options.port import PortOptions
from compare.parity.waterfall import FACTORS
from compare.port import Port
from compare.port.batches import Batch, DataFound, compare_data
from compare.port.exchange import on_model
from compare.port.fit_pictures import drawn
from compare.port.learning_record import FoundFit, FoundStage
from compare.port.learning_words import stage_cells
from compare.port.record import PortRecord
from compare.port.scaling import alike_in_place, matched
from compare.port.words import lines, notes
from shared.errors import InputError

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.standard_normal((20, 6)), RANDOM.integers(0, 3, 20)
IMAGES = RANDOM.standard_normal((12, 2, 5, 5))
FACTS = {"drop_last": "False", "examples": "20", "shuffle": "False"}


def batches(x: np.ndarray, y: np.ndarray, size: int = 8, epochs: int = 1) -> list[Batch]:
    """Return the examples in batches, as a loader yields them."""
    starts = [*range(0, len(x), size)] * epochs
    return [Batch({"input": x[start : start + size]}, y[start : start + size]) for start in starts]


def causes(found: DataFound) -> list[str]:
    """Return the causes of different data, in order."""
    return [stage.cause for stage in found.stages]


def found(slip: Slip, folder: Path, port: Port, **more: object) -> PortRecord:
    """Return the findings about a pair. `more` are other options."""
    for name, text in zip(("left.py", "right.py"), slip.files(), strict=True):
        (folder / name).write_text(text)
    options = {**slip.options(folder), **more}
    return port.check(f"{folder}/left.py:build", f"{folder}/right.py:build", **options)


def test_a_scaling_is_found_by_channel_and_by_feature_in_any_order() -> None:
    order = np.random.default_rng(1).permutation(12)
    scaled = (IMAGES * np.array([2.0, 5.0])[:, None, None] - 1)[order]
    both = matched(IMAGES, scaled)
    assert both is not None
    assert both.scaling.factor == pytest.approx([2.0, 5.0])
    assert both.scaling.offset == pytest.approx([-1.0, -1.0])
    assert both.left.tolist() == order.tolist()
    assert both.scaling.undone(scaled) == pytest.approx(IMAGES[order])
    standard = (X - X.mean(0)) / X.std(0)
    by_feature = matched(X, standard[::-1])
    assert by_feature is not None
    assert by_feature.left.tolist() == [*range(19, -1, -1)]
    assert by_feature.scaling.factor == pytest.approx(1 / X.std(0))


def test_what_no_factor_makes_the_same_is_not_matched() -> None:
    noisy = X + 0.3 * np.random.default_rng(2).standard_normal(X.shape)
    assert matched(X, noisy) is None
    assert alike_in_place(X, noisy)
    assert not alike_in_place(X, np.random.default_rng(3).standard_normal(X.shape))
    tokens = np.arange(24).reshape(8, 3)
    both = matched(tokens, tokens[::-1])
    assert both is not None
    assert both.left.tolist() == [7, 6, 5, 4, 3, 2, 1, 0]


def test_data_that_are_the_same_have_no_stage() -> None:
    assert compare_data(batches(X, Y), batches(X, Y), (FACTS, FACTS)) == DataFound(())


def test_each_difference_of_data_is_one_stage_that_ends_in_the_right_ones() -> None:
    right = batches((4 * X + 1)[::-1], Y[::-1], 4)
    both = compare_data(batches(X, Y), right, (FACTS, FACTS))
    assert causes(both) == ["data.batch_size", "data.order", "data.scaling"]
    sized, ordered, scaled = both.stages
    assert [len(batch) for batch in sized.batches] == [4] * 5
    assert np.concatenate([batch.inputs["input"] for batch in sized.batches]) == pytest.approx(X)
    assert np.concatenate([batch.inputs["input"] for batch in ordered.batches]) == pytest.approx(X[::-1])
    assert scaled.batches == tuple(right)
    assert scaled.fix == ("x = 4 * x + 1", "x = 0.25 * x - 0.25")


def test_a_last_batch_left_out_on_either_side() -> None:
    whole, cut = batches(X, Y, epochs=2), [b for b in batches(X, Y, epochs=3) if len(b) == 8]
    facts = FACTS, {**FACTS, "drop_last": "True"}
    assert causes(compare_data(whole, cut, facts)) == ["data.last_batch"]
    flipped = compare_data(cut, whole, facts[::-1])
    assert causes(flipped) == ["data.last_batch"]
    assert flipped.stages[-1].batches == tuple(whole)
    unseen = compare_data(whole, cut[:1], facts)
    assert causes(unseen) == []
    assert "did not get that far" in unseen.asides[0]


def test_other_examples_and_another_order_are_distinguished_in_a_whole_epoch_alone() -> None:
    facts = {**FACTS, "examples": "16"}
    held = compare_data(batches(X[:16], Y[:16]), batches(X[4:], Y[4:]), (facts, facts))
    assert causes(held) == ["data.examples"]
    assert held.stages[0].right == "16 examples, of which 12 are the left's"
    few = compare_data(batches(X[:16], Y[:16]), batches(X[4:], Y[4:]), ({}, {}))
    assert causes(few) == ["data.order"]
    assert few.asides[0].startswith("12 of 16 examples were seen on both sides")


def test_labels_of_the_same_examples() -> None:
    both = compare_data(batches(X, Y), batches(X[::-1], (Y[::-1] + 1) % 3), (FACTS, FACTS))
    assert causes(both) == ["data.order", "data.labels"]
    assert np.concatenate([batch.targets for batch in both.stages[0].batches]).tolist() == Y[::-1].tolist()


def test_a_loss_moves_with_the_softmax_that_its_model_ends_in() -> None:
    logits = LossRecord("cross_entropy", "logits")
    on_probabilities = on_model(logits, "Gemm", "Softmax")
    assert on_probabilities.takes == "probabilities"
    assert on_model(on_probabilities, "Softmax", "Gemm") == logits
    assert on_model(logits, "Gemm", "Gemm") == logits


def test_a_bar_for_every_exchange_and_none_for_nothing() -> None:
    stages = [
        FoundStage(name=name, cause=name, losses=(loss, loss), accuracy=0.5, distance=distance)
        for name, loss, distance in (("left", 2.0, 1.0), ("data.order", 1.0, 0.0), ("right", 1.0, 0.0))
    ]
    whole = FoundFit(stages=tuple(stages), seen={"left": (), "right": ()}, closures={"left": 0.0, "right": 0.0})
    assert [stage.name for stage in drawn(whole)] == ["left", "data.order"]
    rest = whole.model_copy(update={"stages": (*stages[:1], stages[2].model_copy(update={"losses": (1.5, 1.5)}))})
    assert [stage.name for stage in drawn(rest)] == ["left", "the rest"]
    assert stage_cells(whole)[1] == ["data.order", "1", "-1", "50.0 %", "0"]


def test_the_option_takes_two_functions_and_nothing_that_they_have() -> None:
    request = _request(PortOptions(left="a.py:A", right="b.py:B", fit=("torch.nn:A", "torch.nn:A"), steps=3))
    assert (request.wanted.left_fit, request.wanted.right_fit, request.wanted.n_steps) == ("torch.nn:A",) * 2 + (3,)
    assert _request(PortOptions(left="a.py:A", right="b.py:B", fit=("a:b", "c:d"))).wanted.n_steps == 10
    with pytest.raises(InputError, match="Leave the others out"):
        _request(PortOptions(left="a.py:A", right="b.py:B", fit=("a:b", "c:d"), loss="mse"))
    with pytest.raises(InputError, match="The fit of the left model: no/such"):
        _request(PortOptions(left="a.py:A", right="b.py:B", fit=("no/such.py:train", "c:d")))


ACCUMULATES = """

def train(model):
    x, y = data()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(9):
        for start in range(0, 40, 8):
            loss = F.cross_entropy(model(torch.from_numpy(x[start:start + 8])), torch.from_numpy(y[start:start + 8]))
            (loss / 2).backward()
            if start % 16:
                optimizer.step()
                optimizer.zero_grad()
"""
BY_HAND = """

def train(model):
    import tensorflow as tf

    x, y = data()
    for start in range(0, 40, 8):
        with tf.GradientTape() as tape:
            outputs = model(x[start:start + 8], training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y[start:start + 8], outputs))
        for variable, slope in zip(model.trainable_variables, tape.gradient(loss, model.trainable_variables)):
            variable.assign_sub(0.1 * slope)
"""
STRANGE = """

def train(model):
    x, y = data()
    outputs = model(torch.from_numpy(x[:8]))
    (outputs.logsumexp(1) ** 3 - outputs[torch.arange(8), torch.from_numpy(y[:8])]).mean().backward()
"""


def test_what_a_loop_does_besides_is_unexplained(port: Port, tmp_path: Path) -> None:
    record = found(fitted("accumulates", ACCUMULATES, fit()), tmp_path, port)
    assert record.verdict == "different"
    assert any(one.left == "the left training function" and one.rung == "loop" for one in record.unexplained)
    assert any("gradients of several batches are added up" in note for note in notes(record))
    assert any("and its repetition have losses that differ by" in line for line in lines(record))


def test_an_optimizer_or_a_loss_that_is_not_known(port: Port, tmp_path: Path) -> None:
    record = found(fitted("by hand", loop(), BY_HAND), tmp_path, port)
    assert record.learning is not None
    assert record.learning.fit is None
    assert any("no known optimizer" in note for note in notes(record))
    strange = found(fitted("strange", STRANGE, fit()), tmp_path, port)
    assert strange.verdict == "different"
    assert [one.left for one in strange.unexplained] == ["the loss"]
    assert any("The loss of the left training function is unknown here" in note for note in notes(strange))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("\n\ndef train(model):\n    pass", "trained nothing visible"),
        ("\n\ndef train(model):\n    raise ValueError('no data')", "ValueError: no data"),
        ("\n\ntrain = 3", "is not a training function but int"),
    ],
)
def test_a_function_that_does_not_train(code: str, said: str, port: Port, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="The left model") as raised:
        found(fitted("bad", code, fit()), tmp_path, port)
    assert said in str(raised.value)


def test_training_functions_bring_their_own_data(port: Port, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Leave --input and --data out with --fit"):
        found(fitted("both", loop(), fit()), tmp_path, port, input=(12,))


def test_the_models_are_as_before_and_the_replays_repeat_the_loops(port: Port, tmp_path: Path) -> None:
    pair = Slip("pair", "12", TORCH, KERAS, own=(DATA, DATA), fits=(loop("batch_size=8, shuffle=True"), fit(batch=4)))
    first, second = (found(pair, tmp_path, port, steps=6) for _ in range(2))
    assert first.learning is not None
    assert first.learning.fit is not None
    assert second.learning is not None
    assert first.learning.fit == second.learning.fit
    assert all(far is not None and far < 1e-12 for far in first.learning.fit.closures.values())
    assert [stage.name for stage in first.learning.fit.stages] == [
        "left", "data.batch_size", "data.order", "initial weights", "right",
    ]  # fmt: skip
    assert first.learning.fit.stages[-1].distance == 0


def test_the_pairs_of_training_functions_are_many() -> None:
    assert len(FITS) >= 20
    assert sum(not slip.causes for slip in FITS) >= 5


FACTORS_OF = {
    "input scaling": ("data.scaling",),
    "held-out tenth": ("data.examples",),
    "batch order": ("data.order",),
    "initial weights": ("initial weights",),
    "normalisation": ("model",),
    "optimizer": ("optimizer.epsilon", "optimizer.epsilon_place"),
}


@pytest.mark.long  # two networks, each trained nine more times
@pytest.mark.parametrize("network", ["dense", "normalised"])
def test_the_suites_own_recipes_differ_in_what_the_waterfall_has_as_factors(network: str, port: Port) -> None:
    folder = Path(__file__).parents[3] / "examples" / "port"
    left, right = f"{folder}/suite_torch.py", f"{folder}/suite_keras.py"
    record = port.check(f"{left}:{network}", f"{right}:{network}", fit=(f"{left}:train", f"{right}:train"))
    assert record.learning is not None
    assert record.learning.fit is not None
    assert record.unexplained == ()
    stages = [stage.name for stage in record.learning.fit.stages]
    # Keras traces its softmax back to the logits, so the recipes' losses are equal. A network may have no
    # normalisation.
    factors = [name for name in FACTORS if name in FACTORS_OF and (name != "normalisation" or network == "normalised")]
    wanted = [stage for name in factors for stage in FACTORS_OF[name]]
    assert set(stages) - {"left", "right"} == set(wanted)
    assert {cause.cause for cause in record.causes} - {*stages, "batch_norm.epsilon", "batch_norm.momentum"} == set()
    assert all(far is not None and far < 1e-9 for far in record.learning.fit.closures.values())
